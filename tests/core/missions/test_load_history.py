"""The load of the last minutes: kept while a mission runs, and bounded."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from overmind_core.missions.load_history import KEPT, STEP_OF_EACH, STEP_SECONDS, LoadHistory
from overmind_core.missions.registry import NameIndex
from overmind_core.missions.resources import Usage
from tests.kit.in_process import Loop


def kept():
    """A history that nobody samples but the test."""
    return LoadHistory(None, None, None)  # type: ignore[arg-type]


def test_samples_of_each_mission_are_kept_in_their_order_the_newest_last():
    history = kept()
    history.add({"a": Usage(1.5, 100, 1)}, {"a": 7.0})
    history.add({"a": Usage(2.5, 200, 1), "b": Usage(0.0, 1 << 30, 1)}, {})
    assert history.of("a") == {
        "step_seconds": STEP_SECONDS,
        "cpu_percent": [1.5, 2.5],
        "memory_bytes": [100, 200],
        "output_bytes_per_second": [7.0, 0.0],
    }
    assert history.of("b")["memory_bytes"] == [1 << 30]


def test_what_runs_no_more_is_forgotten_and_no_mission_has_more_samples_than_are_kept():
    history = kept()
    for number in range(KEPT + 5):
        history.add({"a": Usage(float(number), 0, 1)}, {})
    assert history.of("a")["cpu_percent"] == [float(one) for one in range(5, KEPT + 5)]
    history.add({}, {})
    assert history.of("a")["cpu_percent"] == []


def test_a_large_fleet_is_sampled_less_often():
    history = kept()
    history.add({f"{number}": Usage(0.0, 0, 1) for number in range(1000)}, {})
    assert history.of("0")["step_seconds"] == 1000 * STEP_OF_EACH > STEP_SECONDS


def test_nobody_wakes_up_for_samples_while_nothing_lives():
    async def scene():
        loop: Any = asyncio.get_running_loop()
        index = NameIndex()
        history = LoadHistory(cast("Any", SimpleNamespace(index=index)), cast("Any", None), cast("Any", None))
        sampling = asyncio.create_task(history.run())
        await asyncio.sleep(0)
        assert not loop._scheduled
        index.some_live.set()
        for _ in range(3):
            await asyncio.sleep(0)
        assert len(loop._scheduled) == 1
        sampling.cancel()

    asyncio.run(scene())


def test_missions_that_come_before_the_first_sample_make_it_as_rare_as_their_number_says():
    loop = Loop()
    sampled: asyncio.Future[tuple[int, float, float]] = loop.create_future()

    async def usage(missions: list[Any], fresh: float) -> dict[str, Usage]:
        if not sampled.done():
            sampled.set_result((len(missions), fresh, loop.time()))
        return {}

    async def scene():
        index = NameIndex()
        live: dict[str, Any] = {}
        index.some_live.set()
        registry, resources = SimpleNamespace(index=index, live=live), SimpleNamespace(usage=usage)
        sampling = asyncio.create_task(LoadHistory(cast("Any", registry), cast("Any", resources), None).run())  # type: ignore[arg-type]
        begun = loop.time()
        loop.call_later(STEP_SECONDS / 2, live.update, {str(number): number for number in range(1000)})
        count, fresh, at = await sampled
        assert (count, fresh) == (1000, 2 * STEP_SECONDS)
        assert at - begun == pytest.approx(1000 * STEP_OF_EACH)
        sampling.cancel()

    loop.run_until_complete(scene())
    loop.close()
