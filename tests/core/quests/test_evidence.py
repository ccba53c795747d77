"""The folder that is named of a command for which a quest has failed is the one in which it ran."""

from __future__ import annotations

import os

import pytest

from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until
from tests.kit.repositories import Repository


@pytest.mark.parametrize("inside_of", ["", "sub"])
@pytest.mark.parametrize("kind", ["changed", "unchanged", "removed", "shared"])
def test_a_failed_command_is_said_to_have_run_where_it_ran(tmp_path, kind, inside_of):
    home, code = Home(str(tmp_path / "home")), Repository(str(tmp_path / "shop"))
    code.commit("first", {"a": "1\n", "sub/b": "1\n"})
    keeper = ScriptedKeeper(home)
    began_in = os.path.join(code.folder, inside_of).rstrip("/")

    async def story():
        async with supervising(home, keeper, cwd=code.folder) as inside:
            quest = {"title": "Red", "command": "work", "retries": 0, "isolate": kind != "shared"}
            added = await inside.ask("quest_add", quests=[quest], cwd=began_in, env=code.environ)
            red = added["quests"][0]["id"]
            await until(lambda: f"{red}.1" in keeper.held)
            ran_in = keeper.asked["spawn"][-1]["cwd"]
            if kind != "shared":
                assert ran_in == os.path.join(code.folder, ".overmind", "worktrees", red, inside_of).rstrip("/")
            if kind in {"changed", "removed"}:
                code.write({f"{ran_in.removeprefix(f'{code.folder}/')}/new": "x\n"})
            keeper.exit(f"{red}.1", 7)
            await until(lambda: red not in inside.app.quest_registry.live)
            if kind == "unchanged":
                await until(lambda: not os.path.isdir(ran_in))
            if kind == "removed":
                await inside.ask("rm", id=red)
            why = await inside.ask("quest_why", id=red)
            known = ran_in.removesuffix(f"/{inside_of}") if kind == "removed" else ran_in
            assert (why["folder"], why["folder_gone"]) == (known, kind == "unchanged")

    in_process.run(story())
    keeper.close()


@pytest.mark.parametrize("kind", ["check", "command"])
def test_a_command_that_was_changed_after_it_failed_is_not_said_to_have_failed(tmp_path, kind):
    home, code = Home(str(tmp_path / "home")), Repository(str(tmp_path / "shop"))
    code.commit("first", {"a": "1\n"})
    keeper = ScriptedKeeper(home)
    what = {"check": {"check": "false || old"}, "command": {}}[kind]
    failed, ran = {"check": ("its check failed (5)", "false || old"), "command": ("its command failed (5)", "work")}[
        kind
    ]

    async def story():
        async with supervising(home, keeper, cwd=code.folder) as inside:
            quest = {"title": "Red", "command": "work", "retries": 0, **what}
            added = await inside.ask("quest_add", quests=[quest], cwd=code.folder, env=code.environ)
            red = run = added["quests"][0]["id"]
            await until(lambda: f"{red}.1" in keeper.held)
            if kind == "check":
                keeper.exit(f"{red}.1", 0)
                await until(lambda: inside.app.quest_registry.live[red].check_id)
                run = inside.app.quest_registry.live[red].check_id
                await until(lambda: f"{run}.1" in keeper.held)
            keeper.exit(f"{run}.1", 5)
            await until(lambda: red not in inside.app.quest_registry.live)
            assert (await inside.ask("quest_why", id=red))["text"] == f"{failed}: {ran}"
            await inside.ask("quest_edit", id=red, **{kind: "new"})
            assert (await inside.ask("quest_why", id=red))["text"] == f"{failed}, before it was changed: {ran}"

    in_process.run(story())
    keeper.close()


def test_a_file_that_is_trusted_no_more_is_named_with_the_command_that_trusts_it(tmp_path):
    home, code = Home(str(tmp_path / "home")), Repository(str(tmp_path / "shop"))
    code.commit("first", {".overmind.yml": "isolation:\n  setup: [make it]\n"})
    keeper = ScriptedKeeper(home)

    async def story():
        async with supervising(home, keeper, cwd=code.folder) as inside:
            await inside.ask("trust", cwd=code.folder, env=code.environ)
            await inside.ask("queue_set", paused=True)
            quest = {"title": "Red", "command": "work", "isolate": True}
            added = await inside.ask("quest_add", quests=[quest], cwd=code.folder, env=code.environ)
            red = added["quests"][0]["id"]
            code.commit("second", {".overmind.yml": "isolation:\n  setup: [make other]\n"})
            await inside.ask("queue_set", paused=False)
            await until(lambda: red not in inside.app.quest_registry.live)
            why = await inside.ask("quest_why", id=red)
            assert f"{code.folder}/.overmind.yml has changed since it was trusted" in why["text"]
            assert f"overmind trust {code.folder} " in why["text"]
            assert why["do"] == ["overmind quest retry red"], "it has no log"

    in_process.run(story())
    keeper.close()
