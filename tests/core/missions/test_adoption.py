"""What the next supervisor makes of a run that its keeper holds: over real books, by a keeper that is scripted."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from overmind_core.domain.missions.mission import Status
from overmind_core.missions.keeper_sync import Departure
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until

GRACE = 7.0
"""Seconds."""


FAR = 1.0
"""Seconds."""


class DistantKeeper(ScriptedKeeper):
    """A line to it takes its time."""

    async def connect(self, *how):
        await asyncio.sleep(FAR)
        return await super().connect(*how)


class LeftBehind(ScriptedKeeper):
    """Something of its runs is always left."""

    def answer(self, op, fields):
        return {"left": True} if op == "orphans" else super().answer(op, fields)


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path))


def test_an_end_that_was_asked_for_before_the_start_was_known_goes_on(home):
    async def story():
        keeper = ScriptedKeeper(home)
        keeper.silent = {"spawn"}
        async with supervising(home, keeper) as first:
            starting = asyncio.create_task(first.run("work", grace=GRACE))
            await until(lambda: keeper.held)
            (mission,) = first.app.registry.live
            stopping = asyncio.create_task(first.ask("stop", id=mission))
            await until(lambda: first.app.registry.live[mission].status is Status.STOPPING)
            first.app.journal.flush()
            assert first.app.registry.live[mission].pid is None
        starting.cancel()
        stopping.cancel()
        await the_end_of(mission, keeper)

    async def the_end_of(mission, keeper):
        run = f"{mission}.1"
        async with supervising(home, keeper) as second:
            assert second.app.registry.live[mission].pid == keeper.held[run]["pid"]
            await ended_at_its_deadline(second, keeper, mission)

    in_process.run(story())


def test_a_run_that_was_started_twice_over_and_has_ended_is_not_asked_for_again(home):
    """Its request and whoever reconciled with a new keeper wanted it started; one of them comes late."""

    async def story():
        keeper = ScriptedKeeper(home)
        keeper.silent = {"spawn"}
        async with supervising(home, keeper) as inside:
            starting = asyncio.create_task(inside.run("work"))
            await until(lambda: keeper.held)
            ((mission, waiting),) = inside.app.registry.live.items()
            keeper.exit(f"{mission}.1")
            await inside.app.registry.ended(mission)
            keeper.held.clear()  # acknowledged, and forgotten
            await inside.app.launcher.spawn(waiting)  # whoever else wanted it: what was asked is taken by the first
            asked = len(keeper.asked["spawn"])
        starting.cancel()
        keeper.close()
        return asked

    assert in_process.run(story()) == 1


def test_a_run_that_two_want_started_is_asked_for_once(home):
    """The keeper may come to the second request when the run has ended and is forgotten."""

    async def story():
        keeper = ScriptedKeeper(home)
        keeper.silent = {"spawn"}
        async with supervising(home, keeper) as inside:
            wanting: list[asyncio.Task[Any]] = [asyncio.create_task(inside.run("work"))]
            await until(lambda: keeper.held)
            (waiting,) = inside.app.registry.live.values()
            wanting.append(asyncio.create_task(inside.app.launcher.spawn(waiting)))
            wanting.append(asyncio.create_task(inside.app.launcher.respawn(waiting)))
            await in_process.idle()
            asked = len(keeper.asked["spawn"])
        for one in wanting:
            one.cancel()
        keeper.close()
        return asked

    assert in_process.run(story()) == 1


def test_a_run_whose_requester_has_gone_is_known_to_run(home):
    """The answer comes; nobody waits for it any more."""

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            starting = asyncio.create_task(inside.run("work"))

            def leave(_fields):
                starting.cancel()

            keeper.on_ask["spawn"] = leave
            await asyncio.gather(starting, return_exceptions=True)
            assert starting.cancelled()
            (mission,) = inside.app.registry.live
            await until(lambda: inside.app.registry.live[mission].status is Status.RUNNING)
            assert inside.app.registry.live[mission].pid == keeper.held[f"{mission}.1"]["pid"]
        keeper.close()

    in_process.run(story())


@pytest.mark.parametrize("stopping", [False, True], ids=["started", "stopped in flight"])
def test_an_answer_that_comes_behind_the_end_of_its_run_brings_no_process_back(home, stopping):
    """What the run has left behind is still being ended."""

    async def story():
        keeper = LeftBehind(home)
        keeper.silent = {"spawn"}
        async with supervising(home, keeper) as inside:
            asking: list[asyncio.Task[Any]] = [asyncio.create_task(inside.run("work", grace=GRACE))]
            await until(lambda: keeper.held)
            ((mission, waiting),) = inside.app.registry.live.items()
            if stopping:
                asking.append(asyncio.create_task(inside.ask("stop", id=mission)))
                await until(lambda: inside.app.registry.live[mission].status is Status.STOPPING)
            row = keeper.held[f"{mission}.1"]
            keeper.exit(f"{mission}.1", left=True)
            await until(lambda: "exited" in inside.event_types(mission))
            inside.app.launcher.started(waiting, row)
            assert inside.app.registry.live[mission].pid is None
            ended = await inside.app.registry.ended(mission)
            assert ended.run_started_at == row["started"]
            assert "crashed" not in inside.event_types(mission)
        for one in asking:
            one.cancel()
        keeper.close()

    in_process.run(story())


def test_a_supervisor_that_leaves_while_it_looks_for_a_keeper_takes_nothing_over(home):
    """Its books are closed by then: it would start and acknowledge what the next supervisor knows nothing of."""

    async def story():
        keeper = DistantKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await inside.run("work")
            await until(lambda: inside.app.registry.live[mission].status is Status.RUNNING)
            keeper.held.clear()
            inside.app.keeper._lost()
            await asyncio.sleep(FAR / 2)
            await inside.app.keeper.leave(Departure.HAND_OVER)
            await until(lambda: not inside.app.keeper._connecting)
            found = inside.app.registry.live[mission].status
        keeper.close()
        return found, inside.app.keeper._line.link

    assert in_process.run(story()) == (Status.RUNNING, None)


@pytest.mark.parametrize(
    ("restarting", "note"),
    [
        (0, None),
        (1, "1 mission does not run now: it waits for the next daemon."),
        (2, "2 missions do not run now: they wait for the next daemon."),
    ],
)
def test_a_shutdown_that_keeps_what_runs_does_not_say_so_of_what_waits_for_its_restart(home, restarting, note):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            goes_on = await inside.run("sleep 9")

            def is_at(one, status):
                return inside.app.registry.live[one].status is status

            await until(partial(is_at, goes_on, Status.RUNNING))
            for _ in range(restarting):
                mission = await inside.run("false", restart="always", backoff=60_000)
                keeper.exit(f"{mission}.1", 1)
                await until(partial(is_at, mission, Status.RESTARTING))
            answer = await inside.ask("shutdown", keep=True)
        keeper.close()
        return answer["kept"], answer.get("note")

    assert in_process.run(story()) == (1, note)


@pytest.mark.parametrize("away", [0.0, 3 * GRACE])
def test_an_end_that_was_under_way_goes_on(home, away):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            mission = await first.run("work", grace=GRACE)
            stopping = asyncio.create_task(first.ask("stop", id=mission))
            await until(lambda: first.app.registry.live[mission].status is Status.STOPPING)
            first.app.journal.flush()
            assert first.app.registry.live[mission].pid is not None
        stopping.cancel()
        await asyncio.sleep(away)
        async with supervising(home, keeper) as second:
            await ended_at_its_deadline(second, keeper, mission)

    in_process.run(story())


async def ended_at_its_deadline(second, keeper, mission):
    """Nobody asks for its end again: it comes when the grace that began before is over."""
    began = asyncio.get_running_loop().time()
    keeper.on_ask["purge"] = lambda fields: keeper.exit(fields["run"], -9)
    ended = await second.app.registry.ended(mission)
    assert (ended.status, ended.exit_code) == (Status.STOPPED, 137)
    assert [one["run"] for one in keeper.asked["purge"]] == [f"{mission}.1"]
    assert asyncio.get_running_loop().time() - began == pytest.approx(max(0.0, GRACE - began), abs=0.1)
