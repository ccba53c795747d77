"""Worktrees, what changed in them, comments on that, landing and discarding: as values, and as walks."""

from __future__ import annotations

import os

import pytest

from overmind_core.view import landing as landing_lines
from overmind_core.view.actions import Context
from overmind_core.view.keymap import keymap
from overmind_tui.landing import dialog as landing_dialog
from overmind_tui.pages import dialog
from overmind_tui.pages.compose import Composer
from overmind_tui.pages.dialog import Dialog
from overmind_tui.shell import clipboard
from tests.kit.repositories import AUTHOR, Repository
from tests.tui.conftest import picture, until

PROJECT = "isolation:\n  setup: [echo set up]\n"


@pytest.fixture(autouse=True)
def read_at_once(monkeypatch):
    """What is asked counts as read, and what is copied goes nowhere."""
    monkeypatch.setattr(dialog, "MOMENT", 0.0)
    monkeypatch.setattr(landing_dialog, "PAUSE", 0.01)
    monkeypatch.setattr(clipboard, "copy", lambda app, _text, what: app.flash(f"copied {what}"))


def test_an_isolated_mission_is_reviewed_and_landed(om, opened, tmp_path):
    shop = Repository(str(tmp_path / "shop"))
    shop.commit("first", {"app.py": "one\ntwo\n"})
    om.environment |= AUTHOR
    work = "sed -i s/two/zwei/ app.py; git commit -qam german; echo more > new; sleep 300"
    om.ok("run", "--isolate", "--cwd", shop.folder, "--name", "api", work)

    async def scenario(app, pilot):
        async def until_it_says(*texts):
            await until(pilot, lambda: all(text in picture(app) for text in texts), what=str(texts))

        def api():
            return next((row for row in app.fleet.rows.values() if row["name"] == "api"), {})

        await until(pilot, lambda: os.path.exists(f"{landing_lines.folder(api())}/new"), what="its work")
        app.commands.run("wt")
        await until_it_says("overmind/api", "uncommitted", "3100")
        app.screen.act(keymap(Context.WORKTREES)["enter"])
        await until_it_says("overmind/api → main", "+zwei", "new new", "german")
        app.screen.act(keymap(Context.CHANGES)["L"])
        await until_it_says("1 file of the worktree is not committed", "enter commits first")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Composer), what="the message of the commit")
        app.screen.paste("more")
        await pilot.press("enter")
        await until_it_says("2 commits · 2 files", "enter lands")
        await pilot.press("tab", "tab")
        app.screen.paste("test -s new")
        await pilot.press("enter")
        await until(pilot, lambda: app.notice.text.startswith("landed api: 2 commits on main"), what="landed")
        assert shop.read("new") == "more\n"
        await pilot.press("q")
        await until_it_says("clean")
        om.ok("stop", "api")  # all of it has landed: nothing is kept
        await until_it_says("No worktrees yet.")

    opened({"other": "true"}, scenario)


def test_a_project_is_trusted_before_its_commands_run(om, opened, tmp_path):
    shop = Repository(str(tmp_path / "shop"))
    shop.commit("first", {".overmind.yml": PROJECT})

    async def scenario(app, pilot):
        app.action_groups.start.start_fast("command", "sleep 300", folder=shop.folder)
        await until(pilot, lambda: "echo set up" in picture(app), what="a question")
        assert isinstance(app.screen, Dialog)
        await pilot.press("n")
        assert len(app.fleet.rows) == 1
        app.action_groups.start.start_fast("command", "sleep 300", folder=shop.folder)
        await until(pilot, lambda: "echo set up" in picture(app), what="the question again")
        await pilot.press("y")
        await until(pilot, lambda: any(row["status"] == "running" for row in app.fleet.rows.values()), what="it runs")
        await pilot.press("l")
        await until(pilot, lambda: "set up" in picture(app), what="its set-up in its log")
        await pilot.press("escape", "d")
        await until(pilot, lambda: "based on main" in picture(app), what="where")

    opened({"other": "true"}, scenario)
