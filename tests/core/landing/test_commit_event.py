"""A commit that somebody asks for is an event, after which the list of worktrees is read again."""

from __future__ import annotations

import os

from overmind_core.kernel.config import Settings
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
