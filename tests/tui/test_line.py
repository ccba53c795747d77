"""The line: new missions and messages are typed there, and what is typed is never lost or run by mistake."""

from __future__ import annotations

import json
from typing import Any

import pytest
from textual import events

from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.cells import width
from overmind_core.errors import OvermindError
from overmind_core.terminal.state import Bell, Notification
from overmind_core.view.actions import Context
from overmind_core.view.hints import Part
from overmind_tui.missions import form
from overmind_tui.missions.form import FormScreen
from overmind_tui.missions.task_line import TaskLine
from overmind_tui.pages.dialog import Answer, Dialog
from overmind_tui.pages.line import LineComposer
from overmind_tui.shell import world
from overmind_tui.shell.messages import RowsChanged
from tests.kit.cases import tabled
from tests.tui.conftest import picture, until
from tests.tui.test_pictures import AGENTS, mission
from tests.tui.test_traps import Asked, run

AGENT = "00000001"
"""A mission that takes messages."""


class Starting(Asked):
    """Writes down which missions and messages are asked for, and answers `run` with `run_answer`."""

    def __init__(self, rows=AGENTS, **how):
        super().__init__(rows, **how)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.run_answer: Any = {"id": "99999999", "name": "fresh", "status": "running"}

    def request(self, command, requests, on_result):
        if command in {"run", "send", "trust"}:
            self.requests += [(command, dict(one)) for one in requests]
            said = {} if command == "trust" else self.run_answer
            on_result([said for _ in requests])
            return
        super().request(command, requests, on_result)

    @property
    def runs(self):
        """What was to be run: the agent, its task or the command, and the folder."""
        return [
            (one.get("provider", ""), one["agent"]["prompt"] if "agent" in one else one["command"],
             from_wire(one["cwd"]))
            for command, one in self.requests if command == "run"
        ]  # fmt: skip


@pytest.fixture(autouse=True)
def agents(monkeypatch):
    """Both agents are installed; tests may take them away."""
    found = {"claude": True, "codex": True}
    monkeypatch.setattr(world, "installed_agents", lambda _environ: dict(found))
    return found


def put(app, *keys):
    """Type it in one write, as a terminal hands it on."""
    for one in keys:
        app.typed.put(events.Key(one, one if len(one) == 1 else None))


async def opened(app, pilot, key="n", kind=TaskLine):
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, kind), what="the line")


def bottom(app, lines=2):
    return [line.rstrip() for line in picture(app).splitlines()[-lines:]]


def test_a_task_is_typed_in_the_line_and_started_for_an_agent_in_the_folder_of_the_start():
    async def scenario(app, pilot):
        await opened(app, pilot)
        app.screen.paste("Move the prices\ninto a table\n")
        await pilot.pause()
        assert bottom(app, 3)[:2] == [
            " › claude in /srv/work  Move the prices",
            f"{' ' * 24}into a table▏   2 lines",
        ]
        assert bottom(app)[1].startswith(" enter starts it  tab name, folder, worktree, model  $ a command")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.main, what="started")
        assert app.runs == [("claude", "Move the prices\ninto a table", "/srv/work")]
        app.post_message(RowsChanged([mission(0x99999999, "fresh", "running")], []))
        await until(pilot, lambda: app.main.table.cursor_id == "99999999", what="the cursor on its row")
        await opened(app, pilot)
        assert app.screen.field.text == ""
        await pilot.press("up")
        assert app.screen.field.text == "Move the prices\ninto a table", "it can be taken again"

    run(Starting, scenario)


def test_the_agent_is_the_one_that_was_used_last(agents):
    async def scenario(app, pilot):
        await opened(app, pilot)
        await pilot.press("x", "tab")
        await until(pilot, lambda: isinstance(app.screen, FormScreen), what="the form")
        await pilot.press("up", "up", "right", "enter")
        await until(pilot, lambda: app.screen is app.main, what="started")
        assert [one[:2] for one in app.runs] == [("codex", "x")]
        await opened(app, pilot)
        assert app.screen.agent == "codex"
        await pilot.press("escape")
        agents["codex"] = False
        await opened(app, pilot)
        assert app.screen.agent == "claude"

    run(Starting, scenario)


@tabled(
    ("installed", "typed", "command"),
    [
        (True, "$ make test", "make test"),
        (False, "$ make test", "make test"),
        (False, "$make test", "make test"),
        (True, " $make test", "make test"),
    ],
)
def test_a_dollar_first_makes_it_a_command_with_agents_and_without(installed, typed, command):
    async def scenario(app, pilot):
        await opened(app, pilot)
        app.screen.paste(typed)
        await pilot.pause()
        assert "› command in /srv/work  " in picture(app)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.main, what="started")
        assert app.runs == [("", command, "/srv/work")]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world, "installed_agents", lambda _environ: {"claude": installed})
        run(Starting, scenario)


@pytest.mark.parametrize("is_first", [False, True])
def test_the_cursor_is_on_what_was_started_though_it_has_ended_until_the_cursor_leaves_it(is_first):
    """A short command is over before its row comes; the row may even come before the answer."""
    came = RowsChanged([{**mission(0x99999999, "fresh", "stopped"), "outcome": "succeeded", "unseen": True}], [])

    async def scenario(app, pilot):
        await opened(app, pilot)
        if is_first:
            app.post_message(came)
            await until(pilot, lambda: "99999999" in app.fleet.rows, what="the row")
        await pilot.press(*"$ true", "enter")
        await until(pilot, lambda: app.screen is app.main, what="started")
        if not is_first:
            app.post_message(came)
        await until(pilot, lambda: app.main.table.cursor_id == "99999999", what="the cursor on its row")
        app.main.rearrange()
        assert app.main.table.cursor_id == "99999999"
        await pilot.press("k")
        assert app.main.table.cursor_id != "99999999"
        table = app.main.table
        await until(pilot, lambda: "99999999" not in {one.id for one in table.branches}, what="behind the fold")

    run(Starting, scenario)


def test_a_task_is_not_run_by_a_shell_where_no_agent_is_installed(agents):
    agents.update(claude=False, codex=False)

    async def scenario(app, pilot):
        await opened(app, pilot)
        await pilot.press("enter")
        assert "no agent is installed: $ runs a command, :doctor says more" in picture(app)
        app.screen.paste("count the lines")
        await pilot.press("enter")
        assert "no agent is installed, see :doctor · begin it with $: it runs as a command" in picture(app)
        assert " $ a command" in bottom(app)[1], "the hint that a click obeys"
        assert (app.screen.field.text, app.runs) == ("count the lines", [])
        await pilot.press("tab")
        await until(pilot, lambda: isinstance(app.screen, FormScreen), what="the form")
        assert app.screen.state.what.missing, "it is a task there, too"
        assert app.screen.state.text("text") == "count the lines"

    run(Starting, scenario)


def test_enter_is_faint_where_it_would_be_refused(agents):
    agents.update(claude=False, codex=False)

    async def scenario(app, pilot):
        def faint():
            return [cell.text for cell in app.screen._hint_lines(80)[0] if cell.tone == "faint"]

        await opened(app, pilot)
        assert faint() == ["enter", " starts it"]
        await pilot.press("m")
        assert faint() == ["enter", " starts it"]
        await pilot.press("home", "$")
        assert faint() == []

    run(Starting, scenario)


def test_a_refused_text_that_is_begun_with_a_dollar_runs_as_a_command(agents):
    agents.update(claude=False, codex=False)

    async def scenario(app, pilot):
        await opened(app, pilot)
        await pilot.press(*"make", "enter")
        assert "begin it with $: it runs as a command" in picture(app)
        await pilot.press("home", "$", "enter")
        await until(pilot, lambda: app.screen is app.main, what="started")
        assert app.runs == [("", "make", "/srv/work")]

    run(Starting, scenario)


def test_a_task_of_the_form_that_begins_with_a_dollar_stays_a_task():
    async def scenario(app, pilot):
        await opened(app, pilot)
        await pilot.press("tab")
        await until(pilot, lambda: isinstance(app.screen, FormScreen), what="the form")
        app.screen.paste("$5 are charged twice")
        assert app.screen.state.text("text") == "$5 are charged twice"
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main, what="closed")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, FormScreen), what="the form again")
        assert app.screen.state.text("text") == "$5 are charged twice"
        assert app.screen.state.what.name == "claude"

    run(Starting, scenario)


def test_an_empty_command_is_refused_in_the_line():
    async def scenario(app, pilot):
        await opened(app, pilot)
        await pilot.press("$", "space", "enter")
        assert bottom(app)[0].split() == ["›", "command", "in", "/srv/work", "$", "▏", "type", "a", "command"]
        assert app.runs == []

    run(Starting, scenario)


def test_the_form_has_the_text_and_the_line_has_it_back():
    async def scenario(app, pilot):
        await opened(app, pilot)
        put(app, *"fix it", "tab", *"api", "enter")
        await until(pilot, lambda: app.runs, what="what was typed ahead went into the form")
        assert app.requests[-1][1]["name"] == "api"
        assert app.runs == [("claude", "fix it", "/srv/work")]
        await until(pilot, lambda: app.screen is app.main, what="started")
        for text in ("once more", "$ make"):
            await opened(app, pilot)
            await pilot.press("ctrl+u", *text, "tab")
            await until(pilot, lambda: isinstance(app.screen, FormScreen), what="the form")
            assert app.screen.state.text("text") == text.removeprefix("$ ")
            assert app.screen.state.what.name == ("command" if text[0] == "$" else "claude")
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is app.main, what="closed")
            await opened(app, pilot)
            assert app.screen.field.text == text
            await pilot.press("ctrl+c")

    run(Starting, scenario)


def test_a_form_that_says_more_than_the_line_can_is_opened_again_as_it_was():
    async def scenario(app, pilot):
        await opened(app, pilot)
        await pilot.press("x", "tab", *"api", "escape")
        await until(pilot, lambda: app.screen is app.main, what="closed")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, FormScreen), what="the form")
        assert (app.screen.state.text("text"), app.screen.state.text("name")) == ("x", "api")
        await pilot.press("ctrl+u", "escape")
        await opened(app, pilot)
        assert app.screen.field.text == "x"

    run(Starting, scenario)


def test_esc_keeps_the_text_beyond_another_page_and_a_resize_and_ctrl_c_drops_it():
    async def scenario(app, pilot):
        await opened(app, pilot)
        await pilot.press(*"half a task ", "escape")
        assert "kept: n opens it again" in picture(app)
        await pilot.press("question_mark")
        await until(pilot, lambda: app.screen is not app.main, what="another page")
        await pilot.resize_terminal(80, 24)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main, what="back")
        await opened(app, pilot)
        assert app.screen.field.text == "half a task "
        await pilot.resize_terminal(40, 8)
        await pilot.press(*"and more")
        await pilot.resize_terminal(200, 60)
        assert "half a task and more▏" in bottom(app)[0]
        await pilot.press("ctrl+c")
        assert "n, then up, restores the text" in picture(app)
        await opened(app, pilot)
        assert app.screen.field.text == ""
        await pilot.press("up")
        assert app.screen.field.text == "half a task and more"
        assert app.requests == []

    run(Starting, scenario)


def test_a_kept_text_is_there_for_the_next_program_until_it_is_started(tmp_path):
    file = tmp_path / "tui.json"

    async def kept(app, pilot):
        await opened(app, pilot)
        await pilot.press(*"half", "escape")
        await until(pilot, lambda: file.exists() and "half" in file.read_text(), what="written")

    async def later(app, pilot):
        await opened(app, pilot)
        assert app.screen.field.text == "half"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.main, what="started")
        await until(pilot, lambda: not json.loads(file.read_text())["new_task"], what="forgotten")

    for scenario in (kept, later):
        run(lambda: Starting(home=tmp_path), scenario)


def test_a_dropped_text_and_what_was_started_are_one_key_away_in_the_next_program(tmp_path):
    file = tmp_path / "tui.json"

    async def dropped(app, pilot):
        await opened(app, pilot)
        await pilot.press(*"first", "enter")
        await until(pilot, lambda: app.screen is app.main, what="started")
        await opened(app, pilot)
        await pilot.press(*"half", "ctrl+c")
        await until(pilot, lambda: file.exists() and "half" in file.read_text(), what="written")

    async def later(app, pilot):
        await opened(app, pilot)
        assert app.screen.field.text == ""
        await pilot.press("up")
        assert app.screen.field.text == "half"
        await pilot.press("up")
        assert app.screen.field.text == "first"

    for scenario in (dropped, later):
        run(lambda: Starting(home=tmp_path), scenario)


def test_a_refusal_stands_in_the_line_and_the_text_stays():
    async def scenario(app, pilot):
        app.run_answer = OvermindError("no_folder", "Working directory /srv/work does not exist.")
        await opened(app, pilot)
        await pilot.press(*"make it", "enter")
        assert "make it▏" in bottom(app)[0]
        assert bottom(app)[0].endswith("Working directory /srv/work does not exist.")
        await pilot.press("!")
        assert "does not exist" not in picture(app)
        assert app.screen.field.text == "make it!"
        app.run_answer = {"id": "99999999", "name": "fresh", "status": "running"}
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.main, what="started")
        assert [one[1] for one in app.runs] == ["make it", "make it!"]

    run(Starting, scenario)


def test_a_project_that_is_not_trusted_is_asked_about_above_the_line():
    fields = {"path": "/srv/work/overmind.toml", "sha256": "1", "commands": ["make deps"]}

    async def scenario(app, pilot):
        fine, app.run_answer = app.run_answer, OvermindError("untrusted_project", "It is not trusted.", **fields)
        await opened(app, pilot)
        await pilot.press("x", "enter")
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="the question")
        app.run_answer = fine
        await pilot.press("y")
        await until(pilot, lambda: app.screen is app.main, what="started")
        assert [command for command, _ in app.requests] == ["run", "trust", "run"]

    run(Starting, scenario)


def test_a_task_whose_project_was_just_trusted_is_not_started_twice():
    fields = {"path": "/srv/work/overmind.toml", "sha256": "1", "commands": ["make deps"]}
    heard = []

    class Slow(Starting):
        def request(self, command, requests, on_result):
            if command == "trust":
                heard.append(on_result)
            else:
                super().request(command, requests, on_result)

    async def scenario(app, pilot):
        fine, app.run_answer = app.run_answer, OvermindError("untrusted_project", "It is not trusted.", **fields)
        await opened(app, pilot)
        line = app.screen
        await pilot.press("x", "enter")
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="the question")
        app.run_answer = fine
        await pilot.press("y")
        await until(pilot, lambda: app.screen is line, what="the line")
        assert (line.waits, line.refusal) == (True, "")
        line.press("enter", None)
        assert len(app.runs) == 1, "the one that was refused"
        heard[0]([OvermindError("invalid", "The file has changed.")])
        assert (line.waits, line.refusal) == (False, "The file has changed.")

    run(Slow, scenario)


@pytest.mark.parametrize("late", [lambda form: form.press("enter", None), lambda form: form.paste("y")])
def test_a_form_that_is_over_starts_nothing_once_what_stands_before_it_has_gone(late):
    async def scenario(app, pilot):
        await opened(app, pilot)
        await pilot.press("x", "tab")
        await until(pilot, lambda: isinstance(app.screen, FormScreen), what="the form")
        form = app.screen
        app.open(Dialog("sure?", ["of what?"], [Answer(("n",), "no", lambda: None)], first=0))
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="a question")
        form.close()
        app.pop_screen()  # that the form is on top again is told later
        assert app.screen is form
        late(form)
        assert (app.screen, form.state.text("text"), app.runs) == (app.main, "x", [])
        await pilot.pause()
        assert app.screen is app.main

    run(Starting, scenario)


def test_a_task_is_not_run_as_a_command_where_nobody_knows_which_agents_there_are(monkeypatch):
    from overmind_tui.missions import new_mission

    monkeypatch.setattr(new_mission, "LOOK_SECONDS", 0.01)

    class Slow(Starting):
        def background(self, work):
            del work

    async def scenario(app, pilot):
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, FormScreen), what="the form, which says what is run")

    run(Slow, scenario)


@pytest.mark.parametrize("size", [(40, 8), (60, 15), (80, 24), (120, 40), (200, 60)])
def test_the_line_grows_to_six_lines_over_the_lowest_of_the_list_at_every_size(size):
    async def scenario(app, pilot):
        before = picture(app).splitlines()
        await opened(app, pilot)
        app.screen.paste("\n".join(f"line {number}" for number in range(9)))
        await pilot.pause()
        shown = picture(app).splitlines()
        assert [line for line in shown if "line 8▏" in line]
        typed = min(6, size[1] - 1)
        assert sum("line " in line for line in shown[-typed - 1 :]) == typed
        assert shown[: -typed - 1] == before[: -typed - 1]
        await pilot.press(*["up"] * 12)
        assert app.screen.field.at <= len("line 0")
        assert "▏" in picture(app)

    run(Starting, scenario, size)


# messages


def test_a_message_is_typed_in_the_line_and_sent_to_the_mission_under_the_cursor():
    async def scenario(app, pilot):
        app.run_answer = {"message": 1, "state": "delivered", "ahead": 0}
        assert app.main.table.select(AGENT)
        name = app.fleet.of(AGENT)["name"]
        await opened(app, pilot, "m", LineComposer)
        assert app.screen.part is Part.MESSAGE
        app.screen.paste("go on\nand on")
        await pilot.pause()
        assert bottom(app, 3)[0] == f" › to {name}  go on"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.main, what="sent")
        assert [(one["id"], one["text"]) for _, one in app.requests] == [(AGENT, "go on\nand on")]

    run(Starting, scenario)


def test_one_line_writes_to_all_that_are_marked_and_says_how_many_they_are():
    async def scenario(app, pilot):
        app.run_answer = OvermindError("paused", "It is paused.")
        await pilot.press("*")
        await opened(app, pilot, "m", LineComposer)
        sessions = [row for row in AGENTS if row["type"] == "session" and row["status"] == "running"]
        assert f" › to {len(sessions)} missions  ▏" in bottom(app, 3) or "left out:" in picture(app)
        await pilot.press("x", "enter")
        assert "Press enter again to queue the message." in picture(app)
        assert app.screen.field.text == "x"

    run(Starting, scenario)


def test_the_draft_of_a_message_is_kept_and_one_that_was_dropped_comes_back_with_up():
    async def scenario(app, pilot):
        assert app.main.table.select(AGENT)
        await opened(app, pilot, "m", LineComposer)
        await pilot.press(*"half", "escape")
        assert "draft kept: m opens it again" in picture(app)
        await opened(app, pilot, "m", LineComposer)
        assert app.screen.field.text == "half"
        await pilot.press("ctrl+c")
        assert "m, then up, restores the text" in picture(app)
        await opened(app, pilot, "m", LineComposer)
        assert app.screen.field.text == ""
        await pilot.press("up")
        assert app.screen.field.text == "half"
        await pilot.press("ctrl+u", "enter")
        assert "the text is empty" in picture(app)

    run(Starting, scenario)


def test_the_cursor_of_the_list_is_faint_while_the_keys_are_in_the_line():
    async def scenario(app, pilot):
        assert app.main.table.select(AGENT)
        await pilot.pause()

        def grounds():
            return {line.ground for line in app.main.table._drawn()} - {""}

        assert grounds() == {"cursor"}
        await opened(app, pilot)
        assert grounds() == {"cursor-rest"}
        await pilot.press("escape")
        await until(pilot, lambda: grounds() == {"cursor"}, what="the keys are back")

    run(Starting, scenario)


TURN = "00000004"
"""A mission whose turn is the person's."""


def test_at_80_columns_the_line_the_form_a_diff_and_a_terminal_have_all_of_them(monkeypatch):
    rows = [{**row, "tty": True, "interactive": True} if row["id"] == TURN else row for row in AGENTS]

    async def scenario(app, pilot):
        connected = []
        held = app.main.terminal_panel.session
        monkeypatch.setattr(held, "connect", lambda **_how: connected.append(app.main.terminal_view.pane))
        assert app.main.table.select(TURN)
        await opened(app, pilot, "m", LineComposer)
        app.screen.paste("x" * 200)
        await pilot.pause()
        assert app.screen.typed_lines.size.width == 80
        assert all(len(line) <= 80 for line in picture(app).splitlines())
        await pilot.press("ctrl+c")
        await opened(app, pilot)
        await pilot.press("tab")
        await until(pilot, lambda: isinstance(app.screen, FormScreen), what="the form")
        await pilot.pause()
        frame = app.screen.query_one("#form").region
        assert frame.width == min(form.WIDTH, 80)
        assert (frame.x >= 0, frame.right <= 80) == (True, True), "whole"
        assert all(width(line) == 80 for line in picture(app).splitlines())
        await pilot.press("escape")
        await pilot.press("tab", "tab")
        assert app.main.diff_view.size.width == 80
        assert all(width(line) == 80 and "│" not in line for line in picture(app).splitlines())
        await pilot.press("a")
        await until(pilot, lambda: connected, what="the terminal")
        assert connected[0] == (80, 23), "but for the line that says how to leave"

    run(lambda: Starting(rows), scenario, (80, 24))


def test_a_click_on_a_hint_of_the_line_does_what_it_says():
    async def scenario(app, pilot):
        await opened(app, pilot)
        await pilot.press("x")
        at = bottom(app)[1].index("keeps the text")
        await pilot.click(offset=(at, 39))
        await until(pilot, lambda: app.screen is app.main, what="closed")
        assert "kept: n opens it again" in picture(app)

    run(Starting, scenario)


def test_what_is_typed_ahead_goes_into_the_line_and_no_key_of_it_is_a_command():
    async def scenario(app, pilot):
        put(app, "n", *"x all of it", "enter", "t")
        await until(pilot, lambda: app.runs, what="started")
        await until(pilot, lambda: app.screen is app.main, what="closed")
        assert app.runs == [("claude", "x all of it", "/srv/work")]
        assert app.main.table_panel.flat, "the key after it was for the list"

    run(Starting, scenario)


def test_a_key_that_means_nothing_says_so_whatever_it_types_and_one_that_nobody_pressed_says_nothing():
    async def scenario(app, pilot):
        said = "means nothing here   ? keys"
        for name in ("backspace", "delete", "insert", "f5", "shift+f5"):
            await pilot.press(name)
            assert f" {name.replace('+', '-')} {said}" in picture(app)
        for name in ("up", "left", "left_shift", "caps_lock", "<ignore>"):
            await pilot.press(name)
            assert said not in picture(app), name
        await pilot.press("l")
        await until(pilot, lambda: app.main.context is Context.LOG, what="the log")
        await pilot.press("space")
        assert " space means nothing here: esc, then space   ? keys" in picture(app)
        await pilot.press("backspace")
        assert f" backspace {said}" in picture(app)
        await pilot.press("end")
        assert said not in picture(app), "it is at its end, and the key still means that"

    run(Starting, scenario)


@pytest.mark.parametrize("heard", [Bell(), Notification("tests", "2 failed")], ids=["bell", "notification"])
def test_what_a_program_rings_for_is_told_without_the_colour_of_a_call(heard):
    """Whoever needs a person stands in the list."""

    async def scenario(app, pilot):
        del pilot
        app.main.terminal_panel.session._happened(heard)
        assert app.notice.text
        assert app.notice.tone == ""

    run(Asked, scenario)
