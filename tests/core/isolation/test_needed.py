"""The worktree of a quest stays while the quest is not over, also when its work has left nothing in it."""

from __future__ import annotations

import os

import pytest

from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, idle, supervising, until
from tests.kit.repositories import Repository


@pytest.mark.parametrize("killed", [False, True])
def test_a_check_finds_the_worktree_of_work_that_changed_nothing_and_it_goes_with_the_quest(tmp_path, killed):
    home, code = Home(str(tmp_path / "home")), Repository(str(tmp_path / "shop"))
    code.commit("first", {"a": "1\n"})
    keeper = ScriptedKeeper(home)
    worktrees = code.path(".overmind", "worktrees")

    def left():
        return [name for name in os.listdir(worktrees) if "." not in name]

    async def story():
        async with supervising(home, keeper, cwd=code.folder) as inside:
            how = {"cwd": code.folder, "env": code.environ, "isolate": True, "name": "red", "check": "true"}
            red = (await inside.ask("quest_run", command="work", **how))["id"]
            await until(lambda: f"{red}.1" in keeper.held)
            keeper.exit(f"{red}.1")
            await until(lambda: len(keeper.held) > 1, "the check runs")
            await idle()
            assert left() == [red]
            (check,) = (run for run in keeper.held if not run.startswith(red))
            if not killed:
                keeper.exit(check)
                await until(lambda: not left())
                await until(lambda: inside.app.workspace.records[red].branch is None)
        if killed:
            async with supervising(home, keeper, cwd=code.folder) as inside:
                assert left() == [red]
                keeper.exit(check)
                await until(lambda: not left())
                await until(lambda: inside.app.workspace.records[red].branch is None)
        assert code.git("branch", "--list", "overmind/*") == ""

    in_process.run(story())
    keeper.close()
