"""What a run has left in the background: what tells that a process is its own, and how long that counts."""

from __future__ import annotations

import asyncio
import os
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.missions.left_processes import (
    LeftBehind,
    LeftProcesses,
    LeftRun,
    go_on,
    kept,
    removal_refusal,
)
from overmind_core.missions.process_trees import ProcessTrees
from overmind_core.missions.terminator import listed
from overmind_core.system import process_table
from overmind_core.system.paths import Home
from overmind_core.system.sweep import NamedProcess
from tests.kit import in_process
from tests.kit.in_process import NOBODY, ScriptedKeeper, supervising, until, world

BEGAN = 1_000
LEFT = LeftRun("aaaaaaaa", 4711, BEGAN, 700_000, ((4712, 1_001),))


def targets(keeper_began, live=()):
    parts: dict[str, Any] = dict.fromkeys(("journal", "meta_table", "line", "tasks", "purge"))
    parts["registry"] = SimpleNamespace(keeper_pid=os.getpid(), live=dict.fromkeys(live))
    parts["trees"] = trees = ProcessTrees(parts["registry"], "/home", ())
    left = LeftProcesses(**parts)
    with mock.patch.object(process_table, "read", return_value=SimpleNamespace(ticks=keeper_began)):
        (target,) = left._targets({"aaaaaaaa.1": LEFT})
    trees.close()
    return target


@pytest.mark.parametrize(("keeper_began", "mark"), [(BEGAN - 1, 700_000), (BEGAN, 700_000), (BEGAN + 1, 0)])
def test_a_mark_counts_as_long_as_the_keeper_that_gave_it(keeper_began, mark):
    assert targets(keeper_began).mark == mark


def test_the_environment_tells_nothing_while_another_run_of_the_mission_lives():
    assert targets(BEGAN).mission == "aaaaaaaa"
    assert targets(BEGAN, live=["aaaaaaaa"]).mission == "aaaaaaaa.1", "no environment names a run"


def test_it_is_said_what_goes_on_and_how_it_is_ended_where_a_record_or_the_daemon_was_to_go():
    one = LeftBehind("aaaaaaaa", "api", ("4711 sleep 9", "4712 sleep 9"), "api")
    goes_on, way = "go on in the background: 4711 sleep 9, 4712 sleep 9.", "End them with: overmind kill api"
    assert go_on([one]) == [f"Processes of api {goes_on} {way}"]
    assert kept([one]) == [f"Mission aaaaaaaa (api) is kept, as its processes {goes_on} {way}"]
    refusal = removal_refusal([one], "aaa")
    assert refusal.message == (
        "Processes go on in the background: api has 4711 sleep 9, 4712 sleep 9. "
        f"{way}, or with the record: overmind rm --force aaa"
    )
    assert refusal.fields == {"background": ["4711 sleep 9", "4712 sleep 9"]}
    assert listed([str(number) for number in range(12)]).endswith(", 9 and 2 more")


def test_what_a_supervisor_did_not_come_to_look_at_the_next_one_looks_at(tmp_path):
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)

    async def play():
        with mock.patch.object(LeftProcesses, "_look", autospec=True) as look:
            async with supervising(home, keeper) as first:
                mission = await first.run("true", leave_background=True)
                run = f"{mission}.1"
                await until(lambda: run in keeper.held, "its run")
                keeper.exit(run)
                await first.app.registry.ended(mission)
                await first.app.journal.saved()
            async with supervising(home, keeper) as second:
                await second.app.journal.saved()
                return run, [call.args[1] for call in look.call_args_list]

    try:
        run, looked = in_process.run(play())
    finally:
        keeper.close()
    assert looked == [run, run], "the first one has not come that far"


async def ended(inside, keeper, **arguments):
    """The id of a mission that has ended."""
    mission = await inside.run("true", **arguments)
    run = f"{mission}.1"
    await until(lambda: run in keeper.held, "its run")
    keeper.exit(run)
    await inside.app.registry.ended(mission)
    return mission


class Left:
    """One process that a mission has left, as every look at the machine finds it until it is ended."""

    run = ""
    lives = False

    def of(self, inside, mission):
        """It is what this mission has left."""
        self.run, self.lives = f"{mission}.1", True
        inside.app.missions.left_processes._runs = {self.run: LeftRun(mission, NOBODY, 1, 0, ((4711, 2),))}

    def named(self):
        return {self.run: (NamedProcess(4711, "sleep 9"),)} if self.lives else {}

    def end(self, **_options):
        self.lives = False
        return {}


def story(tmp_path, play, settings=None):
    """What a scene returns with a process that it may leave."""
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)
    left = Left()

    async def whole():
        async with supervising(home, keeper, settings=settings) as inside:
            return await play(inside, keeper, left)

    try:
        with mock.patch.object(ProcessTrees, "sweep_left", return_value=left):
            return in_process.run(whole())
    finally:
        keeper.close()


async def refusal_of(inside, word):
    with pytest.raises(OvermindError, match="in the background") as caught:
        await inside.ask("rm", id=word)
    return caught.value.message


def test_no_removal_takes_away_the_record_of_what_goes_on(tmp_path):
    async def play(inside, keeper, process):
        left, other = await ended(inside, keeper, name="left"), await ended(inside, keeper, name="other")
        process.of(inside, left)
        before = await refusal_of(inside, "left")
        await asyncio.sleep(1)  # on the loop's own clock, at no cost: both ended before now
        planned = await inside.ask("prune", dry_run=True)
        await inside.app.retention.tidy()
        after_limit = [row["id"] for row in await inside.ask("ps", all=True)]
        pruned = await inside.ask("prune")
        process.end()
        removed = await inside.ask("rm", id=left)
        return left, other, before, planned, after_limit, pruned, removed, await inside.ask("ps", all=True)

    left, other, before, planned, after_limit, pruned, removed, rows = story(tmp_path, play, Settings(finished=0))
    assert before.endswith("End them with: overmind kill left, or with the record: overmind rm --force left")
    assert [one["id"] for one in planned["missions"]] == [other]
    assert planned["note"].startswith(f"Mission {left} (left) is kept, as its processes go on in the background: ")
    assert after_limit == [left], "neither does the limit of ended ones"
    assert (pruned["missions"], pruned["note"]) == ([], planned["note"])
    assert (removed["id"], rows) == (left, [])


def test_the_command_that_ends_it_names_an_id_where_the_name_means_another_one(tmp_path):
    async def play(inside, keeper, process):
        left = await ended(inside, keeper, name="api")
        process.of(inside, left)
        await inside.run("cat", name="api")
        return left, await refusal_of(inside, left)

    left, refusal = story(tmp_path, play)
    assert f"End them with: overmind kill {left}, or with the record: overmind rm --force {left}" in refusal


def test_a_plan_stays_as_long_as_what_an_agent_of_it_has_left_goes_on_and_a_kill_ends_that_too(tmp_path):
    agents = [{"name": "one", "start": {"command": ["true"], "cwd": "/"}}]

    async def play(inside, keeper, process):
        asked = {"blueprint": {"name": "p", "agents": agents}, "cwd": "/", "env": world()}
        plan = (await inside.ask("apply", **asked))["id"]
        await until(lambda: keeper.held, "its run")
        (run,) = keeper.held
        keeper.exit(run)
        await inside.app.registry.ended(plan)
        process.of(inside, run.partition(".")[0])
        refusal = await refusal_of(inside, "p")
        killed = await inside.ask("kill", id="p")
        return refusal, killed, process.lives, await inside.ask("rm", id=plan)

    refusal, killed, lives, _ = story(tmp_path, play)
    assert "p/one has " in refusal
    assert "overmind kill p/one, or with the record: overmind rm --force p" in refusal
    assert (killed["background"], lives) == (["4711 sleep 9"], False)
