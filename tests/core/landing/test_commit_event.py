"""A commit that somebody asks for: an event, after which worktrees are listed anew, and never in another checkout."""

from __future__ import annotations

import asyncio
import os

import pytest

from overmind_core.domain.quests.quest import FolderState
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.landing import quest_work
from overmind_core.system.paths import Home
from overmind_core.view.landing import CHANGES
from tests.kit.in_process import played, until, world
from tests.kit.repositories import AUTHOR, Repository


def write(folder, name):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write("1\n")


def test_a_commit_is_told_with_what_it_has_and_a_worktree_stands_otherwise_after_it(tmp_path):
    code = Repository(str(tmp_path / "shop"))
    code.commit("first", {"a": "1\n"})

    async def play(inside, keeper):
        environment = {**world(), **AUTHOR}
        run = {"command": ["true"], "name": "red", "cwd": code.folder, "env": environment, "isolate": True}
        mission = (await inside.ask("run", **run))["id"]
        await until(lambda: f"{mission}.1" in keeper.held, "it runs")
        write(inside.app.registry.get(mission).definition.cwd, "b")
        done = await inside.ask("commit", id="red", message="second\n\nbody")
        told = [event for event in inside.events(mission) if event["type"] in CHANGES]
        return done, told[-1]

    done, told = played(Home(str(tmp_path / "home")), play, Settings())
    assert {key: told[key] for key in ("type", "name", "commit", "subject", "files", "by")} == {
        "type": "committed", "name": "red", "commit": done["commit"], "subject": "second", "files": 1, "by": "person",
    }  # fmt: skip


@pytest.mark.parametrize("there", ["nothing", "an empty folder", "a repository"])
def test_without_its_link_to_the_repository_a_folder_is_no_worktree_and_no_other_checkout_is_taken_for_it(
    tmp_path, there
):
    code = Repository(str(tmp_path / "shop"))
    first = code.commit("first", {"a": "1\n"})

    async def play(inside, keeper):
        run = {"command": ["true"], "name": "red", "cwd": code.folder, "env": {**world(), **AUTHOR}, "isolate": True}
        mission = (await inside.ask("run", **run))["id"]
        await until(lambda: f"{mission}.1" in keeper.held, "it runs")
        tree = Repository(inside.app.registry.get(mission).definition.cwd)
        os.unlink(tree.path(".git"))
        if there == "an empty folder":
            os.mkdir(tree.path(".git"))
        elif there == "a repository":
            tree.git("init", "-q")
        tree.write({"b": "1\n"})
        code.write({"mine": "1\n"})
        before = code.git("status", "--porcelain", "--branch")
        for asked in (
            inside.ask("commit", id="red", message="wip"),
            inside.ask("changes", id="red"),
            inside.ask("push", id="red", remote="origin"),
            anext(item async for item in inside.stream("merge", id="red") if "step" in item),
        ):
            with pytest.raises(OvermindError) as refused:
                await asked
            assert refused.value.code == "gone"
            assert refused.value.message.startswith(f"The folder of red is no longer a worktree: {tree.folder}.")
            assert refused.value.message.endswith(f"with: git -C {code.folder} worktree repair")
        place = inside.app.engine.quest_landing._locations.location_of(inside.app.workspace.records[mission])
        for compared in (
            lambda: quest_work.changed_names(place, None),
            lambda: quest_work.changed_since(place, FolderState(), ""),
        ):
            with pytest.raises(OvermindError) as refused:
                await asyncio.to_thread(compared)
            assert refused.value.code == "gone"
        assert (code.git("rev-parse", "main"), code.git("status", "--porcelain", "--branch")) == (first, before)
        (row,) = (await inside.ask("worktrees"))["worktrees"]
        assert row["problem"].endswith("is no longer a worktree")
        if there == "nothing":
            code.git("worktree", "repair")
            assert (await inside.ask("commit", id="red", message="wip"))["files"] == 1

    played(Home(str(tmp_path / "home")), play, Settings())
