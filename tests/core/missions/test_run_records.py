"""Runs never leave the books: over real books and real logs, by keepers that are scripted."""

from __future__ import annotations

import asyncio
import os

import pytest

from overmind_core.domain.missions.mission import Status
from overmind_core.logs.layout import ERR
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until
from tests.kit.mortal import Mortal, at_each_commit


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path / "home"))


async def started_unheard(home, keeper, *, stopping=False, restart="never"):
    """A mission whose first run the keeper has, and of whose start its supervisor never heard; its id."""
    keeper.silent = {"spawn"}
    async with supervising(home, keeper) as first:
        asked = [asyncio.create_task(first.run("work", restart=restart, backoff=1.0))]
        await until(lambda: keeper.held)
        (mission,) = first.app.registry.live
        if stopping:
            asked.append(asyncio.create_task(first.ask("stop", id=mission)))
            await until(lambda: first.app.registry.live[mission].status is Status.STOPPING)
        first.app.journal.flush()
        assert first.app.state.runs.of(mission) == []
    keeper.silent = set()
    for one in asked:
        one.cancel()
    return mission


async def runs(inside, mission):
    """What is told of each run: its number, exit code, reason and bytes; and what is on disk."""
    info = await inside.ask("info", id=mission)
    told = [(run["number"], run["exit_code"], run["reason"], run["output_bytes"]) for run in info["runs"]]
    assert all(run["started_at"] and run["ended_at"] for run in info["runs"])
    assert [number for number, *_ in told] == logged(inside.app.home, mission), "each run that wrote something"
    return told


def logged(home, mission):
    """The numbers of the runs that have a folder on disk."""
    return sorted(map(int, os.listdir(os.path.join(home.logs, mission))))


@pytest.mark.parametrize("when", ["before the listing", "between listing and settling", "while the line is made"])
@pytest.mark.parametrize("stopping", [False, True], ids=["started", "stopped in flight"])
def test_a_run_that_ended_before_the_next_supervisor_had_settled_is_on_the_books(home, stopping, when):
    async def story():
        keeper = ScriptedKeeper(home)
        mission = await started_unheard(home, keeper, stopping=stopping)
        run = f"{mission}.1"
        keeper.write(run, b"bye\n")

        def end(_fields=None):
            if not keeper.held[run]["exit"]:
                keeper.exit(run, 3)

        if when == "before the listing":
            end()
        elif when == "between listing and settling":
            keeper.on_ask["list"] = end
        else:
            keeper.on_connect = end
        async with supervising(home, keeper) as second:
            ended = await second.app.registry.ended(mission)
            found = await runs(second, mission)
        keeper.close()
        return ended.status, found

    status, found = in_process.run(story())
    assert status is (Status.STOPPED if stopping else Status.CRASHED)
    assert found == [(1, 3, "stop" if stopping else None, 4)]


@pytest.mark.parametrize("journalled", [True, False], ids=["its exit is in the journal", "nobody saw its end"])
@pytest.mark.parametrize("stopping", [False, True], ids=["started", "stopped in flight"])
def test_a_run_whose_keeper_died_before_its_start_was_recorded_is_on_the_books(home, stopping, journalled):
    async def story():
        keeper = ScriptedKeeper(home)
        mission = await started_unheard(home, keeper, stopping=stopping)
        keeper.write(f"{mission}.1", b"work\n")
        if journalled:
            keeper.exit(f"{mission}.1", 3)
        keeper.close()
        async with supervising(home, ScriptedKeeper(home, number=2)) as second:
            await second.app.registry.ended(mission)
            return await runs(second, mission)

    reason = "keeper_lost" if not journalled else "stop" if stopping else None
    assert in_process.run(story()) == [(1, 3 if journalled else None, reason, 5)]


@pytest.mark.parametrize("saved", [False, True], ids=["before it is saved", "right after it is saved"])
def test_no_run_is_missing_whichever_of_its_commits_a_supervisor_dies_at(home, saved):
    """A mission that is always restarted, and whose runs end when they like; the keeper lives on."""

    async def dies(keeper, at):
        async with supervising(home, keeper) as first:
            mission = await first.run("work", restart="always", backoff=0.0, max_restarts=0)
            mortal = Mortal(first.app, at, saved=saved)
            number = 1
            while not mortal.dead and number < 3:
                await wrote(keeper, mission, number)
                number += 1
                following = f"{mission}.{number}"
                await until(lambda run=following: run in keeper.held or mortal.dead)  # type: ignore[misc]
        async with supervising(home, keeper) as second:
            await until(lambda: not second.app.registry.live[mission].run < number, "it goes on")
            await wrote(keeper, mission, second.app.registry.live[mission].run)
            keeper.on_ask["purge"] = lambda fields: ended(keeper, fields["run"], -9)
            await second.ask("kill", id=mission)
            found = await runs(second, mission)
            assert [number for number, *_ in found] == list(range(1, len(found) + 1))
            assert {size for *_, size in found} == {5}
        return mortal.dead

    async def wrote(keeper, mission, number):
        run = f"{mission}.{number}"
        await until(lambda: run in keeper.held)
        if not keeper.held[run]["out"]:
            keeper.write(run, b"work\n")
        ended(keeper, run, 3)

    def ended(keeper, run, code):
        if not keeper.held[run]["exit"]:
            keeper.exit(run, code)

    async def story():
        keeper = ScriptedKeeper(home)
        commits = await at_each_commit(lambda at: dies(keeper, at))
        keeper.close()
        return commits

    assert in_process.run(story()) > 3, "it was saved in hardly any commit"


def test_what_a_run_wrote_is_measured_once_its_keeper_is_dead(home):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            mission = await first.run("work")
            await until(lambda: first.app.registry.live[mission].pid)
            first.app.journal.flush()
        keeper.write(f"{mission}.1", b"x" * 6411)
        keeper.write(f"{mission}.1", b"y" * 7, ERR)
        keeper.close()
        async with supervising(home, ScriptedKeeper(home, number=2)) as second:
            await second.app.registry.ended(mission)
            (lost,) = [event for event in second.events(mission) if event["type"] == "keeper_lost"]
            return await runs(second, mission), lost["out"], lost["err"]

    assert in_process.run(story()) == ([(1, None, "keeper_lost", 6418)], 6411, 7)


def test_what_is_written_behind_the_end_of_a_run_counts_too(home):
    """By what it has left in the background, until that is ended as well."""

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await inside.run("work")
            run = f"{mission}.1"
            await until(lambda: inside.app.registry.live[mission].pid)
            keeper.write(run, b"work\n")
            keeper.exit(run, 0, left=True)
            keeper.lose()  # nobody is told of this before the run is over
            keeper.write(run, b"late\n")
            await inside.app.registry.ended(mission)
            await until(lambda: keeper.asked["release"])
            await asyncio.sleep(0.1)
            found = await runs(inside, mission)
        keeper.close()
        return found

    assert in_process.run(story()) == [(1, 0, None, 10)]
