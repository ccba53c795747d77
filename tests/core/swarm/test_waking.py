"""When a hive looks at its swarm again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from overmind_core.swarm.waking import GATHER, Waking


def woken(do: Callable[[Waking], None], *, due: float = 1000.0) -> list[float]:
    """Begin a turn, wait, do something meanwhile; return the moments until which it has waited, once it is woken."""
    waited: list[float] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        clock: Any = SimpleNamespace(boot=loop.time)
        waking = Waking(clock)
        waking.begin_turn()
        began = loop.time()

        def moments() -> tuple[float]:
            waited.append(loop.time() - began)
            return (began + due,)

        waiting = asyncio.create_task(waking.wait(moments))
        await asyncio.sleep(0)  # it waits
        do(waking)
        await asyncio.wait_for(waiting, 20)

    asyncio.run(run())
    return waited


def test_what_is_to_be_done_at_once_ends_the_wait():
    assert len(woken(Waking.at_once)) == 1


def test_what_is_there_before_the_wait_needs_none():
    async def run() -> None:
        waking = Waking(SimpleNamespace(boot=asyncio.get_running_loop().time))
        waking.begin_turn()
        waking.at_once()
        await asyncio.wait_for(waking.wait(lambda: (1e9,)), 20)

    asyncio.run(run())


def test_several_ends_are_gathered_in_one_wait():
    def end(waking: Waking) -> None:
        for _ in range(8):
            waking.in_a_moment()

    assert len(woken(end)) == 2  # looked at anew once, for the first of them


def test_an_earlier_moment_has_the_wait_measured_anew_and_a_later_one_does_not():
    assert len(woken(lambda waking: waking.at(0.0), due=GATHER)) == 2
    assert len(woken(lambda waking: waking.at(1e12), due=GATHER)) == 1


def test_a_pause_ends_when_somebody_is_answered_but_not_for_an_answer_of_before():
    async def run() -> None:
        waking = Waking(SimpleNamespace(boot=asyncio.get_running_loop().time))
        waking.reached()
        pause = asyncio.create_task(waking.until_reached(1000.0))
        await asyncio.sleep(0)
        waking.at_once()  # news can be read only once it is there again
        await asyncio.sleep(0)
        assert not pause.done()
        waking.reached()
        await asyncio.wait_for(pause, 20)
        await asyncio.wait_for(waking.until_reached(0.001), 20)

    asyncio.run(run())
