"""When a worktree goes in which its mission has left nothing: once nobody needs it any more."""

from __future__ import annotations

import os

import pytest

from overmind_core.errors import OvermindError
from overmind_core.git import worktrees
from overmind_core.git.run import Git, GitFailed
from overmind_core.kernel.database import DiskFull
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, idle, supervising, until
from tests.kit.repositories import Repository


def is_there(folder):
    return os.path.exists(folder)


@pytest.mark.parametrize("killed", [False, True])
def test_a_check_finds_the_worktree_of_work_that_changed_nothing_and_it_goes_with_the_quest(tmp_path, killed):
    home, code = Home(str(tmp_path / "home")), Repository(str(tmp_path / "shop"))
    code.commit("first", {"a": "1\n"})
    keeper = ScriptedKeeper(home)
    folder = code.path(".overmind", "worktrees")

    def left():
        return [name for name in os.listdir(folder) if "." not in name]

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


@pytest.mark.parametrize("excluded", [True, False])
def test_a_link_to_a_folder_that_git_ignores_is_no_work(tmp_path, monkeypatch, excluded):
    home, code = Home(str(tmp_path / "home")), Repository(str(tmp_path / "shop"))
    project = "isolation: { link: [node_modules] }\n"
    code.commit("first", {".gitignore": "node_modules/\n", ".overmind.yml": project})
    code.write({"node_modules/a": "1\n"})
    keeper = ScriptedKeeper(home)

    is_link = os.path.islink

    def refuse(_common, names):
        if names:
            raise GitFailed(("worktree", "add"), None, "it can't be written")

    if not excluded:
        monkeypatch.setattr(worktrees, "exclude_paths", refuse)

    async def story():
        async with supervising(home, keeper, cwd=code.folder) as inside:
            await inside.ask("trust", cwd=code.folder, env=code.environ)
            red = await inside.run("work", name="red", isolate=True, env=code.environ)
            await until(lambda: f"{red}.1" in keeper.held)
            tree = Repository(code.path(".overmind", "worktrees", red))
            assert is_link(tree.path("node_modules")) is excluded
            said = [event["text"] for event in inside.events(red) if event["type"] == "left_out"]
            why = "--- not linked: node_modules, because git would commit it: it can't be written ---"
            assert said == ([] if excluded else [why])
            assert tree.git("status", "--porcelain") == ""
            with pytest.raises(OvermindError) as refused:
                await inside.ask("commit", id=red, message="wip")
            assert refused.value.code == "nothing_to_commit"
            keeper.exit(f"{red}.1")
            await until(lambda: inside.app.workspace.records[red].branch is None)
        assert code.git("status", "--porcelain") == ""

    in_process.run(story())
    keeper.close()


@pytest.mark.parametrize("ends", ["later", "while nobody supervises"])
def test_a_worktree_in_which_another_mission_runs_goes_with_that_also_after_a_restart_of_the_daemon(tmp_path, ends):
    home, code = Home(str(tmp_path / "home")), Repository(str(tmp_path / "shop"))
    code.commit("first", {"a": "1\n"})
    keeper = ScriptedKeeper(home)

    async def story():
        async with supervising(home, keeper, cwd=code.folder) as inside:
            red = await inside.run("work", name="red", isolate=True, env=code.environ)
            await until(lambda: f"{red}.1" in keeper.held)
            folder = code.path(".overmind", "worktrees", red)
            guest = await inside.run("look", name="mine", cwd=folder, isolate=False, env=code.environ)
            await until(lambda: f"{guest}.1" in keeper.held)
            keeper.exit(f"{red}.1")
            await until(lambda: inside.app.workspace.records[red].ended)
            await idle()
        if ends != "later":
            keeper.exit(f"{guest}.1")
        async with supervising(home, keeper, cwd=code.folder) as inside:
            if ends == "later":
                await idle()
                assert is_there(folder)
                keeper.exit(f"{guest}.1")
            await until(lambda: inside.app.workspace.records[red].branch is None)
            assert not is_there(folder)

    in_process.run(story())
    keeper.close()


class Ended:
    """A mission `red` that has ended and left a commit."""

    def __init__(self, folder):
        self.home, self.code = Home(str(folder / "home")), Repository(str(folder / "shop"))
        self.code.commit("first", {"a": "1\n"})
        self.keeper = ScriptedKeeper(self.home)

    def supervising(self):
        return supervising(self.home, self.keeper, cwd=self.code.folder)

    async def begin(self, inside):
        """The mission's id, and its worktree."""
        red = await inside.run("work", name="red", isolate=True, env=self.code.environ)
        await until(lambda: f"{red}.1" in self.keeper.held)
        tree = Repository(self.code.path(".overmind", "worktrees", red))
        tree.commit("one", {"b": "1\n"})
        self.keeper.exit(f"{red}.1")
        await until(lambda: inside.app.workspace.records[red].ended)
        await inside.app.journal.saved()
        return red, tree


@pytest.mark.parametrize("lacks", ["room", "git"])
def test_what_was_discarded_by_force_in_vain_is_not_discarded_later(tmp_path, monkeypatch, lacks):
    shop = Ended(tmp_path)

    def full():
        raise DiskFull(shop.home.database, "full")

    async def story():
        async with shop.supervising() as inside:
            red, tree = await shop.begin(inside)
            with monkeypatch.context() as patch:
                if lacks == "git":
                    patch.setattr(inside.app.workspace, "git", lambda _: Git({"PATH": "/nowhere"}))
                else:
                    patch.setattr(inside.app.state.database, "transaction", full)
                with pytest.raises(OvermindError) as refused:
                    await inside.ask("discard", id=red, force=True)
            assert is_there(tree.folder) is (lacks == "git")
            assert lacks == "git" or "Its branch is kept: overmind/red." in refused.value.message
            await inside.app.journal.saved()
        async with shop.supervising() as inside:
            await idle()
            await inside.ask("restart", id=red)
            await until(lambda: f"{red}.2" in shop.keeper.held)
            assert (tree.read("b"), tree.git("branch", "--show-current")) == ("1\n", "overmind/red")

    in_process.run(story())
    shop.keeper.close()


def test_a_discard_makes_the_room_in_which_it_is_recorded(tmp_path, monkeypatch):
    shop = Ended(tmp_path)

    async def story():
        async with shop.supervising() as inside:
            red, tree = await shop.begin(inside)
            transaction = inside.app.state.database.transaction

            def crowded():
                if os.path.exists(tree.folder):
                    raise DiskFull(shop.home.database, "full")
                return transaction()

            monkeypatch.setattr(inside.app.state.database, "transaction", crowded)
            gone = await inside.ask("discard", id=red, force=True)
            assert (gone["worktree"], gone["branch"]) == (tree.folder, "overmind/red")
            assert shop.code.git("branch", "--list", "overmind/*") == ""

    in_process.run(story())
    shop.keeper.close()


def test_a_fresh_start_that_is_refused_for_the_name_throws_nothing_away(tmp_path):
    shop = Ended(tmp_path)

    async def story():
        async with shop.supervising() as inside:
            red, tree = await shop.begin(inside)
            await inside.run("other", name="red", isolate=False)
            with pytest.raises(OvermindError) as refused:
                await inside.ask("restart", id=red, fresh=True, force=True)
            assert refused.value.code == "name_taken"
            assert tree.read("b") == "1\n"
            assert shop.code.git("branch", "--list", "overmind/*") == "+ overmind/red"

    in_process.run(story())
    shop.keeper.close()
