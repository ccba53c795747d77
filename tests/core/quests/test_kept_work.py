"""A cancelled quest says where its work is kept, and what goes on with it."""

from __future__ import annotations

import asyncio
import os
from unittest import mock

import pytest

from overmind_core.isolation import release
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until
from tests.kit.repositories import Repository


def test_one_that_is_queued_again_during_the_look_is_not_said_to_keep_work(tmp_path):
    home, code = Home(str(tmp_path / "home")), Repository(str(tmp_path / "shop"))
    code.commit("first", {"a": "1\n"})
    keeper = ScriptedKeeper(home)

    async def story():
        async with supervising(home, keeper, cwd=code.folder) as inside:
            quest = {"title": "Red", "command": "work", "isolate": True}
            added = await inside.ask("quest_add", quests=[quest], cwd=code.folder, env=code.environ)
            red = added["quests"][0]["id"]
            await until(lambda: f"{red}.1" in keeper.held)
            code.write({f".overmind/worktrees/{red}/new": "x\n"})
            cancelled = asyncio.ensure_future(inside.ask("quest_cancel", id=red))
            await until(lambda: inside.app.quest_registry.live[red].cancelling)
            keeper.exit(f"{red}.1", 143)
            await cancelled
            await inside.ask("queue_set", paused=True)
            look = release.kept_work

            async def retried(*arguments):
                found = await look(*arguments)
                await inside.ask("quest_retry", id=red)
                return found

            with mock.patch.object(release, "kept_work", retried):
                why = await inside.ask("quest_why", id=red)
            assert (why["status"], why["work_folder"]) == ("queued", None)

    in_process.run(story())
    keeper.close()


@pytest.mark.parametrize("kind", ["uncommitted", "committed", "merged", "unchanged"])
def test_a_cancelled_quest_says_where_its_work_is_kept(tmp_path, kind):
    home, code = Home(str(tmp_path / "home")), Repository(str(tmp_path / "shop"))
    code.commit("first", {"a": "1\n"})
    keeper = ScriptedKeeper(home)

    async def story():
        async with supervising(home, keeper, cwd=code.folder) as inside:
            quest = {"title": "Red", "command": "work", "isolate": True}
            added = await inside.ask("quest_add", quests=[quest], cwd=code.folder, env=code.environ)
            red = added["quests"][0]["id"]
            await until(lambda: f"{red}.1" in keeper.held)
            worktree = os.path.join(code.folder, ".overmind", "worktrees", red)
            if kind != "unchanged":
                code.write({f".overmind/worktrees/{red}/new": "x\n"})
            if kind in {"committed", "merged"}:
                await inside.ask("commit", id=red, message="new")
            if kind == "merged":
                code.git("merge", "-q", "overmind/red")
            cancelled = asyncio.ensure_future(inside.ask("quest_cancel", id=red))
            await until(lambda: inside.app.quest_registry.live[red].cancelling)
            keeper.exit(f"{red}.1", 143)
            await cancelled
            if kind == "unchanged":
                await until(lambda: not os.path.isdir(worktree))
            why = await inside.ask("quest_why", id=red)
            ways = {
                "uncommitted": [f"changes {red}", f"commit {red} -m …", f"merge {red}", f"discard {red} --force"],
                "committed": [f"changes {red}", f"merge {red}", f"discard {red} --force"],
            }.get(kind, [])
            assert why["work_folder"] == (worktree if ways else None)
            assert why["do"] == ["overmind quest retry red", *(f"overmind {way}" for way in ways)]

    in_process.run(story())
    keeper.close()
