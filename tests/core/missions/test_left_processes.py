"""What a run has left in the background: what tells that a process is its own, and how long that counts."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from overmind_core.missions.left_processes import LeftBehind, LeftProcesses, LeftRun, by_name, by_pids, go_on
from overmind_core.missions.terminator import listed
from overmind_core.system import process_table
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until

BEGAN = 1_000
LEFT = LeftRun("aaaaaaaa", 4711, BEGAN, 700_000, ((4712, 1_001),))


def targets(keeper_began, live=()):
    parts: dict[str, Any] = dict.fromkeys(("journal", "meta_table", "line", "tasks", "purge"))
    parts["registry"] = SimpleNamespace(keeper_pid=os.getpid(), live=dict.fromkeys(live))
    parts["trees"] = SimpleNamespace(home="/home")
    left = LeftProcesses(**parts)
    with mock.patch.object(process_table, "read", return_value=SimpleNamespace(ticks=keeper_began)):
        (target,) = left._targets({"aaaaaaaa.1": LEFT})
    return target


@pytest.mark.parametrize(("keeper_began", "mark"), [(BEGAN - 1, 700_000), (BEGAN, 700_000), (BEGAN + 1, 0)])
def test_a_mark_counts_as_long_as_the_keeper_that_gave_it(keeper_began, mark):
    assert targets(keeper_began).mark == mark


def test_the_environment_tells_nothing_while_another_run_of_the_mission_lives():
    assert targets(BEGAN).mission == "aaaaaaaa"
    assert targets(BEGAN, live=["aaaaaaaa"]).mission == "aaaaaaaa.1", "no environment names a run"


def test_whoever_takes_away_what_knows_of_it_says_that_it_goes_on_and_how_it_is_ended():
    one = LeftBehind("aaaaaaaa", "api", ("4711 sleep 9", "4712 sleep 9"))
    assert go_on([one], by_name) == [
        "Processes of api go on in the background: 4711 sleep 9, 4712 sleep 9. End them with: overmind kill api"
    ]
    assert go_on([one], by_pids)[0].endswith(" End them with: kill 4711 4712")
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
