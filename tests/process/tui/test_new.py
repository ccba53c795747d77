"""A new mission: the line and the form on the screen, against a real supervisor."""

from __future__ import annotations

import os
import threading

import pytest
from textual import events

from overmind_core.view import form_fields
from overmind_tui.missions.form import FormScreen
from overmind_tui.missions.task_line import TaskLine
from overmind_tui.shell import world
from tests.kit import claude
from tests.tui.conftest import picture, until


def on_form(app):
    return isinstance(app.screen, FormScreen)


def on_line(app):
    return isinstance(app.screen, TaskLine)


async def to_form(app, pilot, *keys):
    """From the list through the line, where these are typed, to the form."""
    await pilot.press("n")
    await until(pilot, lambda: on_line(app), what="the line")
    await pilot.press(*keys, "tab")
    await until(pilot, lambda: on_form(app), what="the form")


def test_what_was_typed_is_kept_for_the_next_time_until_it_is_started(om, opened):
    async def scenario(app, pilot):
        await pilot.press("n")
        await until(pilot, lambda: on_line(app), what="the line")
        app.post_message(events.Paste("$ echo one\necho two\n"))
        await pilot.press("tab", *"api", "escape")
        await until(pilot, lambda: not on_form(app), what="closed")
        assert len(app.fleet.rows) == 1
        await pilot.press("n")
        await until(pilot, lambda: on_form(app), what="the form again")
        assert (app.screen.state.text("text"), app.screen.state.text("name")) == ("echo one\necho two", "api")
        await pilot.press("enter")
        await until(pilot, lambda: "api" in {row["name"] for row in app.fleet.rows.values()}, what="started")
        om.wait_status("api", "stopped")
        assert om.logs("api").split() == ["one", "two"]
        await pilot.press("n")
        await until(pilot, lambda: on_line(app), what="the line once more")
        assert app.screen.field.text == ""

    opened({"alpha": "sleep 300"}, scenario)


def test_a_refusal_stays_beside_its_field_until_that_is_mended(om, opened):
    async def scenario(app, pilot):
        await to_form(app, pilot, *"$ true")
        await pilot.press(*"alpha", "enter")
        await until(pilot, lambda: app.screen.state.refusal[0] == "name", what="the name is taken")
        assert picture(app).count("is taken by mission") == 1, "beside its field, and nowhere else"
        await pilot.press("2", "tab", "ctrl+u", *"/no/such", "enter")
        await until(pilot, lambda: app.screen.state.refusal[0] == "cwd", what="no such folder")
        await pilot.press("ctrl+u", "/", "enter")
        await until(pilot, lambda: not on_form(app), what="started")
        assert om.info("alpha2")["cwd"] == "/"

    opened({"alpha": "sleep 300"}, scenario)


def test_the_folder_is_that_of_the_program_whatever_the_row_and_tab_completes_what_is_typed(om, opened, tmp_path):
    (tmp_path / "only").mkdir()

    async def scenario(app, pilot):
        om.mission("sleep 300", "--name", "there", "--cwd", str(tmp_path))
        await until(pilot, lambda: app.main.table.select(om.info("there")["id"]), what="its row")
        await to_form(app, pilot, *"$ pwd")
        assert app.screen.state.text("cwd") == app.world.folder != str(tmp_path)
        await pilot.press("tab", "ctrl+u")
        app.screen.paste(f"{tmp_path}/")
        await pilot.press("o")
        await until(pilot, lambda: app.screen.state.ghost == "nly/", what="what completes it")
        await pilot.press("tab", "enter")
        await until(pilot, lambda: not on_form(app), what="started")
        await until(pilot, lambda: "pwd" in {row["command"] for row in app.fleet.rows.values()}, what="its row")
        started = next(row for row in app.fleet.rows.values() if row["command"] == "pwd")
        assert started["cwd"] == f"{tmp_path}/only/"

    opened({"alpha": "sleep 300"}, scenario)


def test_a_shell_is_a_session(om, opened):
    async def scenario(app, pilot):
        await to_form(app, pilot)
        await pilot.press("up", "right", "enter")
        await until(pilot, lambda: not on_form(app), what="started")
        await until(pilot, lambda: "session" in {row["type"] for row in app.fleet.rows.values()}, what="its row")

    opened({"alpha": "sleep 300"}, scenario)


def test_an_agent_that_is_not_installed_says_so_and_an_installed_one_is_an_interactive_session(om, opened, tmp_path):
    claude.at_hand(om, tmp_path)

    async def scenario(app, pilot):
        await to_form(app, pilot)
        names = [what.name for what in app.screen.state.whats]
        assert names == ["claude", "shell", "command", "codex", "gemini", "opencode", "qwen", "copilot"]
        await pilot.press("up", *["left"] * 5)
        assert "codex is not on PATH · npm install -g @openai/codex" in picture(app)
        await pilot.press(*["right"] * 5, "tab", *"hello", "enter")
        await until(pilot, lambda: not on_form(app), what="started")
        await until(pilot, lambda: "claude" in {row["provider"] for row in app.fleet.rows.values()}, what="its row")
        started = next(row for row in app.fleet.rows.values() if row["provider"] == "claude")
        assert (started["type"], om.info(started["id"])["mode"]) == ("session", "interactive")
        app.action_groups.start.start_fast("command", "echo fast", folder=om.home)
        await until(
            pilot, lambda: "echo fast" in {row["command"] for row in app.fleet.rows.values()}, what="the fast way"
        )
        app.action_groups.start.start_fast("command", "echo fast", folder="/no/such")
        await until(pilot, lambda: "does not exist" in app.notice.text, what="why not")

    om.environment["PATH"] = os.pathsep.join(
        folder for folder in om.environment["PATH"].split(os.pathsep) if not os.path.exists(f"{folder}/codex")
    )
    opened({"alpha": "sleep 300"}, scenario)


@pytest.mark.parametrize("size", [(40, 8), (40, 12), (80, 24), (200, 60)])
def test_the_form_can_be_filled_in_at_every_size(om, opened, size):
    async def scenario(app, pilot):
        await to_form(app, pilot)
        await pilot.press(*"true", "up", "up", "right")
        for _ in form_fields.ENTRIES:
            await pilot.press("down")
            label = next(
                entry.label for entry in form_fields.shown(app.screen.state) if entry.key == app.screen.state.at
            )
            assert label in picture(app), label
        await pilot.press("enter")
        await until(pilot, lambda: not on_form(app), what="started")

    opened({"alpha": "sleep 300"}, scenario, size=size)


def test_a_file_system_that_does_not_answer_holds_no_keys(om, opened, monkeypatch):
    answer = threading.Event()
    monkeypatch.setattr(world, "installed_agents", lambda _environ: answer.wait(30.0) and {"claude": True})

    async def scenario(app, pilot):
        await pilot.press("n", *"true")
        await until(pilot, lambda: on_form(app), what="the form")
        await until(pilot, lambda: app.screen.state.text("text") == "true", what="what was typed ahead")
        assert app.screen.state.what.name == "command"
        answer.set()
        await pilot.press("enter")
        await until(pilot, lambda: not on_form(app), what="started")

    opened({"alpha": "sleep 300"}, scenario)


def test_the_next_form_has_the_folder_of_the_program_unless_another_one_was_typed(om, opened, tmp_path):
    async def scenario(app, pilot):
        om.mission("sleep 300", "--name", "there", "--cwd", str(tmp_path))
        there = om.info("there")["id"]
        await until(pilot, lambda: there in app.fleet.rows, what="its row")
        for row, typed, folder in (
            (om.info("alpha")["id"], "x", app.world.folder),
            (there, "", app.world.folder),
            (there, "2", "2"),
        ):
            app.main.table.select(row)
            await to_form(app, pilot)
            if typed == "2":
                await pilot.press("tab", "ctrl+u", "2")
            assert app.screen.state.text("cwd") == folder
            await pilot.press(*([typed] if typed == "x" else []), "escape")
            await until(pilot, lambda: not on_form(app), what="closed")
        app.main.table.select(om.info("alpha")["id"])
        await pilot.press("n")
        await until(pilot, lambda: on_form(app), what="the form")
        assert app.screen.state.text("cwd") == "2"

    opened({"alpha": "sleep 300"}, scenario)
