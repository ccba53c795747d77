"""Asking the keeper how far each log is."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from overmind_core.kernel.bus import Bus
from overmind_core.missions.changes import Extent, RunConcluded
from overmind_core.missions.output_progress import RATE_WINDOW, OutputProgress
from tests.kit.clock import FakeClock


class Keeper:
    """Answers when it is told to."""

    def __init__(self):
        self.asked = 0
        self.answers = asyncio.Event()

    async def request(self, *_, **__):
        self.asked += 1
        await self.answers.wait()
        return {"seq": 1, "runs": [{"run": "a.1", "out": 5, "err": 0, "last": 2.0}]}


def test_who_gives_up_leaves_the_shared_question_to_the_others():
    async def scene():
        pulse, keeper = OutputProgress(Bus(), FakeClock(), lambda _run: True), cast("Any", Keeper())
        pulse.restart(keeper)
        patient, impatient = (asyncio.create_task(pulse.refresh()) for _ in range(2))
        await asyncio.sleep(0)
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        keeper.answers.set()
        await patient
        assert pulse.of("a.1") == Extent(5, 0, 2.0)
        assert keeper.asked == 1

    asyncio.run(scene())


class GrowingLog:
    """A keeper whose log grows with each question; each is answered with what there was when it was asked."""

    def __init__(self):
        self.asked = []

    def request(self, *_, **__):
        answer = asyncio.get_running_loop().create_future()
        self.asked.append(answer)
        return answer

    def answer(self, number):
        row = {"run": "a.1", "out": number + 1, "err": 0, "last": 2.0}
        self.asked[number].set_result({"seq": number, "runs": [row]})


def test_who_asks_while_an_answer_is_under_way_is_told_what_came_after_that_question():
    async def scene():
        progress, keeper = OutputProgress(Bus(), FakeClock(), lambda _run: True), GrowingLog()
        progress.restart(cast("Any", keeper))
        first = asyncio.create_task(progress.refresh())
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(keeper.asked) == 1
        late = [asyncio.create_task(look()) for look in (progress.refresh, progress.look, progress.refresh)]
        await asyncio.sleep(0)
        keeper.answer(0)
        await first
        assert progress.of("a.1").out == 1
        for _ in range(5):
            await asyncio.sleep(0)
        assert not any(one.done() for one in late)
        assert len(keeper.asked) == 2, "those who come meanwhile share one question"
        keeper.answer(1)
        await asyncio.gather(*late)
        assert progress.of("a.1").out == 2

    asyncio.run(scene())


def test_nobody_wakes_up_while_nothing_lives():
    async def scene():
        loop: Any = asyncio.get_running_loop()
        progress, live = OutputProgress(Bus(), FakeClock(), lambda _run: True), asyncio.Event()
        beating = asyncio.create_task(progress.beat(live))
        await asyncio.sleep(0)
        assert not loop._scheduled
        live.set()
        for _ in range(3):
            await asyncio.sleep(0)
        assert len(loop._scheduled) == 1
        beating.cancel()

    asyncio.run(scene())


class TestRate:
    """Bytes a second, of those who write; who is silent costs nothing."""

    @pytest.fixture
    def clock(self):
        return FakeClock()

    @pytest.fixture
    def progress(self, clock):
        return OutputProgress(Bus(), clock, lambda _run: True)

    def beat(self, progress, clock):
        clock.advance(1.0)
        progress._sample()

    def test_a_run_that_begins_to_write_has_a_rate_at_once(self, progress, clock):
        progress.set("a.1", 0, 0, 1.0)
        self.beat(progress, clock)
        clock.advance(0.5)
        progress.set("a.1", 100, 20, 0.0)
        assert progress.rate("a.1") == 240.0

    def test_what_an_adopted_run_wrote_before_counts_for_no_rate(self, progress, clock):
        progress.set("a.1", 10_000_000, 0, 0.0)
        clock.advance(0.5)
        assert progress.rate("a.1") == 0.0

    def test_the_rate_is_that_of_the_last_seconds(self, progress, clock):
        progress.set("a.1", 0, 0, 1.0)
        for second in range(20):
            progress.set("a.1", 100 * second, 0, 0.0)
            self.beat(progress, clock)
        assert progress.rate("a.1") == 100.0

    def test_a_run_that_falls_silent_is_no_longer_sampled(self, progress, clock):
        progress.set("a.1", 0, 0, 1.0)
        progress.set("a.1", 100, 0, 0.0)
        assert set(progress._samples) == {"a.1"}
        for _ in range(2 * RATE_WINDOW):
            self.beat(progress, clock)
        assert not progress._samples
        assert progress.rate("a.1") == 0.0

    def test_silent_runs_are_never_sampled(self, progress, clock):
        for number in range(3):
            progress.set(f"{number}.1", 0, 0, number + 1.0)
        self.beat(progress, clock)
        assert not progress._samples

    def test_a_run_that_ended_is_not_sampled(self, progress, clock):
        progress.set("a.1", 0, 0, 1.0)
        progress.set("a.1", 100, 0, 0.0)
        progress.on_conclusion(RunConcluded("a.1", spared=False, out=100, err=0))
        self.beat(progress, clock)
        assert not progress._samples
