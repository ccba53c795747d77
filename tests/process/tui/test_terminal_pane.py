"""The terminal pane against a real supervisor: looked at, typed into, and left in every way there is."""

from __future__ import annotations

import os
import signal
import time

import pytest
from textual import events

from overmind_core.client import terminal_link as link
from overmind_core.client import terminal_stream as stream
from overmind_core.client.attach import RETRY, KeeperStream, MissionAttachment
from overmind_core.logs.layout import run_folder
from overmind_core.logs.reader import RunLog
from overmind_core.system.paths import Home
from overmind_core.view.actions import Context
from overmind_tui.missions import following
from overmind_tui.render.layout import Panel
from overmind_tui.terminal.pane import Mode
from tests.kit.killing import kill_both
from tests.kit.waiting import eventually
from tests.process.tui.conftest import SHELL
from tests.tui.conftest import picture, until

LEAVING = ["sh", "-c", "printf 'ready$ '; read word; trap '' INT; echo leaving; sleep 0.1; $word 3"]
"""Takes a moment to go."""
QUICKLY = 0.02
"""Seconds between two keys of somebody who types."""
ECHOED = ["sh", "-c", "stty raw -echo; printf 'ready\\r\\n'; exec cat -v"]
"""Shows every byte that it is given."""


def shows(app, *texts):
    return lambda: all(text in picture(app) for text in texts)


def read(path):
    with open(path) as file:
        return file.read()


async def look(app, pilot, *texts):
    """Open the cursor's terminal and wait until these stand there."""
    await until(pilot, lambda: app.main.table.current is not None)
    await pilot.press("enter")
    await until(pilot, lambda: app.main.terminal_view.screen_shown, what="its terminal instead of its log")
    await until(pilot, shows(app, *texts), what=" ".join(texts))


async def join(app, pilot):
    """Type into the cursor's terminal."""
    await until(pilot, lambda: app.main.table.current is not None)
    await pilot.press("a")
    await until(pilot, lambda: app.main.terminal_panel.session.writes, what="the terminal is there")


async def write(app, pilot, text):
    for character in text:
        await pilot.press("enter" if character == "\n" else "space" if character == " " else character)


def traces(om, mission):
    """What a look could change: the size, who is attached, the last sign of life, the events."""
    info = om.info(mission)
    kinds = [event["type"] for event in om.events(mission=mission)]
    return sizes(om, mission), info["attached"], info["last_activity_at"], kinds


def test_the_terminal_as_a_face_of_the_panel_leaves_no_trace(session, opened, om):
    mission = session(ECHOED)

    async def scenario(app, pilot):
        await until(pilot, lambda: app.main.table.current is not None)
        await until(pilot, lambda: om.info(mission)["last_activity_at"], what="it has written")
        before = traces(om, mission)
        app.main.panels.turn_to(Panel.TERMINAL)
        await until(pilot, lambda: app.main.terminal_view.screen_shown, what="its terminal")
        await until(pilot, shows(app, "ready"), what="what it wrote")
        assert app.main.panels.current is Panel.TABLE
        assert traces(om, mission) == before
        app.main.panels.turn_to(Panel.LOG)
        await until(pilot, lambda: not app.main.terminal_panel.is_open)
        assert traces(om, mission) == before

    opened({}, scenario)


def test_enter_looks_and_no_byte_is_sent(session, opened, om):
    session(ECHOED)

    async def scenario(app, pilot):
        await look(app, pilot, "ready", "looking")
        assert app.main.panels.current is Panel.TERMINAL
        assert app.main.context is Context.LOOKING
        size = om.ok("screen", "shell", "--json")
        await pilot.press("j", "k", "g", "G", "ctrl+d", "ctrl+u", "pageup", "space", "space", "left", "escape")
        await pilot.press("z", "z")
        await pilot.press("tab", "tab", "tab")
        assert om.ok("screen", "shell", "--json") == size
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.main.panels.current is Panel.TABLE)
        app.main.panels.turn_to(Panel.LOG)
        await until(pilot, lambda: not app.main.terminal_panel.is_open)

    opened({}, scenario)


@pytest.mark.parametrize("key", ["enter", "a"])
def test_a_terminal_is_opened_before_the_panel_has_come_to_its_row(session, opened, monkeypatch, key):
    monkeypatch.setattr(following, "REST_SECONDS", 60.0)
    session(ECHOED, "first")
    session(ECHOED, "second")

    async def scenario(app, pilot):
        await until(pilot, lambda: app.main.table.current is not None)
        there = app.main.following.mission
        await pilot.press("j", key)
        await until(pilot, lambda: app.main.terminal_view.screen_shown, what="its terminal")
        await until(pilot, lambda: "ready" in app.main.terminal_view.screen_shown.lines()[0], what="what it wrote")
        assert app.main.terminal_panel.session.mission not in {None, there}

    opened({}, scenario)


def test_a_task_opens_its_log(opened):
    async def scenario(app, pilot):
        await until(pilot, lambda: app.main.table.current is not None)
        await pilot.press("enter")
        assert app.main.panels.current is Panel.LOG

    opened({"task": "echo hello; sleep 300"}, scenario)


def test_what_is_typed_arrives_and_its_echo_is_shown(session, opened):
    session()

    async def scenario(app, pilot):
        await join(app, pilot)
        assert app.main.panels.zoomed
        assert app.main.context is Context.TYPING
        await write(app, pilot, "echo $((20+3))x:q\n")
        await until(pilot, shows(app, "23x:q", "typing", "ctrl-\\ leaves"))
        await pilot.press("ctrl+backslash")
        assert app.main.terminal_panel.mode is Mode.LOOKING
        assert not app.main.panels.zoomed
        await pilot.press("escape")
        assert app.main.panels.current is Panel.TABLE

    opened({}, scenario)


def test_what_is_typed_ahead_of_the_terminal_arrives_in_it(session, opened):
    session()

    async def scenario(app, pilot):
        await until(pilot, lambda: app.main.table.current is not None)
        for key in ("a", *"echo", "space", *"ahead$((1+1))", "enter"):
            app.post_message(events.Key(key, key if len(key) == 1 else " " if key == "space" else None))
        await until(pilot, shows(app, "ahead2"))

    opened({}, scenario)


def test_the_terminal_gets_the_size_of_the_pane_and_keeps_it(session, opened):
    session()

    async def scenario(app, pilot):
        await join(app, pilot)
        columns, rows = app.main.terminal_view.pane
        await write(app, pilot, "stty size\n")
        await until(pilot, shows(app, f"{rows} {columns}"))
        await pilot.resize_terminal(90, 30)
        await until(pilot, lambda: app.main.terminal_view.pane != (columns, rows))
        columns, rows = app.main.terminal_view.pane
        await until(pilot, lambda: app.main.terminal_view.screen_shown.columns == columns)
        await write(app, pilot, "stty size\n")
        await until(pilot, shows(app, f"{rows} {columns}"))
        await pilot.press("ctrl+backslash", "z")
        shown = app.main.terminal_view.screen_shown
        assert (shown.columns, shown.rows) == (columns, rows)

    opened({}, scenario)


def sizes(om, mission):
    """The columns and rows that its terminal was given, one after the other."""
    log = RunLog(run_folder(Home(om.home).logs, f"{mission}.1"))
    return [(columns, rows) for _, _, columns, rows in log.resizes]


def test_a_terminal_is_given_no_size_before_the_pane_has_one(session, opened, om, monkeypatch):
    mission = session()

    async def scenario(app, pilot):
        await until(pilot, lambda: app.main.table.current is not None)
        # As when a frame was due already: it comes before the new layout.
        monkeypatch.setattr(app.main, "call_after_refresh", lambda then: then() or True)
        await join(app, pilot)
        await until(pilot, shows(app, "ready$"))
        assert sizes(om, mission) == [app.main.terminal_view.pane]

    opened({}, scenario, size=(90, 30))


def test_who_stops_typing_before_the_terminal_is_there_looks_at_it(session, opened):
    mission = session()

    async def scenario(app, pilot):
        await until(pilot, lambda: app.main.table.current is not None)
        panel = app.main.terminal_panel
        panel.join(app.main.shell.fleet.of(mission))
        panel.do_detach()
        await until(pilot, lambda: panel.session.link is not None, what="the terminal is asked for")
        assert app.main.terminal_panel.mode is Mode.LOOKING

    opened({}, scenario, size=(90, 30))


def test_a_size_that_the_pane_gets_while_its_terminal_is_joined_counts(session, om, monkeypatch):
    mission = session()

    class Joining(KeeperStream):
        def __init__(self, ready, size, place):
            super().__init__(ready, size, place)
            joined.resize(100, 30)

    monkeypatch.setattr(link, "KeeperStream", Joining)
    request = {"id": mission, "read_only": False, "keep": False, "columns": 90, "rows": 20}
    joined = link.Link(Home(om.home), request, lambda: None)
    joined.start()
    try:
        eventually(lambda: sizes(om, mission) == [(90, 20), (100, 30)], what="both sizes, one after the other")
    finally:
        joined.close()
        joined._thread.join(10)


@pytest.mark.own_home
def test_a_terminal_that_has_lost_its_daemon_is_not_busy_with_that(session, om, monkeypatch):
    mission = session()
    looks: list[int] = []
    monkeypatch.setattr(MissionAttachment, "try_reconnect", counted(MissionAttachment.try_reconnect, looks))
    request = {"id": mission, "read_only": True, "keep": False, "columns": 90, "rows": 20}
    joined = link.Link(Home(om.home), request, lambda: None)
    joined.start()
    try:
        eventually(lambda: isinstance(joined.take(), stream.Joined), what="it is joined")
        kill_both(om)
        eventually(lambda: isinstance(joined.take(), stream.Severed), what="the stream is given up")
    finally:
        joined.close()
        joined._thread.join(10)
    assert len(looks) < 4 * link.GONE_SECONDS / RETRY


def counted(function, calls):
    def call(*arguments):
        calls.append(1)
        return function(*arguments)

    return call


def test_a_larger_terminal_is_cropped_around_its_cursor(session, opened):
    session(["sh", "-c", "printf '\\033[60;190Hcorner'; exec sleep 300"], "large", "--size", "200x60")

    async def scenario(app, pilot):
        await until(pilot, lambda: app.main.table.current is not None)
        await pilot.press("enter")
        await until(pilot, shows(app, "corner", "cropped"))

    opened({}, scenario, size=(80, 24))


def test_the_detach_key_in_looking_leaves_and_never_reaches_the_program(session, opened, om):
    session(ECHOED)

    async def scenario(app, pilot):
        await look(app, pilot, "ready")
        await pilot.press("ctrl+backslash")
        assert not app.main.terminal_panel.is_open
        assert app.main.table.has_focus
        await look(app, pilot, "ready")
        assert "".join(app.main.terminal_view.screen_shown.lines()) == "ready", "no key of ours was sent"
        await pilot.press("backslash")
        # Not anywhere in the picture: the list has a mission's last line also before its terminal does.
        await until(pilot, lambda: "^\\" in app.main.terminal_view.screen_shown.lines(), what="its echo")
        assert app.main.terminal_panel.mode is Mode.LOOKING
        await until(pilot, lambda: app.main.terminal_view.screen_shown.columns == 80, what="the size of before")
        assert "".join(app.main.terminal_view.screen_shown.lines()) == "ready^\\"

    opened({}, scenario)


def test_the_detach_key_twice_goes_from_typing_to_the_list_and_the_zoom_ends_with_typing(session, opened):
    session(ECHOED)

    async def scenario(app, pilot):
        await pilot.press("a")
        await until(pilot, lambda: app.main.terminal_panel.session.writes, what="its terminal")
        assert app.main.panels.zoomed
        await pilot.resize_terminal(39, 8)
        await until(pilot, shows(app, "39x8: too small", "ctrl-\\ stops typing"), what="how to stop typing")
        assert "q quits" not in picture(app), "q goes to the agent"
        await pilot.resize_terminal(120, 40)
        await pilot.press("ctrl+backslash")
        assert app.main.terminal_panel.mode is Mode.LOOKING
        assert not app.main.panels.zoomed
        assert app.main.table.display
        assert not app.main.table.has_focus, "the cursor's row is faint: the keys are not there"
        await pilot.press("ctrl+backslash")
        assert not app.main.terminal_panel.is_open
        assert app.main.table.has_focus
        await pilot.press("a")
        await until(pilot, lambda: app.main.terminal_panel.session.writes, what="its terminal again")
        assert app.main.terminal_view.screen_shown.lines()[0] == "ready", "no key of ours was sent"

    opened({}, scenario)


def test_a_zoom_that_somebody_asked_for_stays_after_typing(session, opened):
    session(ECHOED)

    async def scenario(app, pilot):
        await look(app, pilot, "ready")
        await pilot.press("z", "i")
        await until(pilot, lambda: app.main.terminal_panel.session.writes, what="its terminal")
        await pilot.press("ctrl+backslash")
        assert app.main.panels.zoomed

    opened({}, scenario)


def test_further_keys_leave_that_the_configuration_names(session, opened, om):
    with open(os.path.join(om.home, "config.toml"), "w") as file:
        file.write('[tui]\ndetach_keys = ["ctrl-]"]\n')
    session()

    async def scenario(app, pilot):
        await join(app, pilot)
        await until(pilot, shows(app, "ctrl-\\ or ctrl-] leaves"))
        await pilot.press("ctrl+right_square_bracket")
        assert app.main.terminal_panel.mode is Mode.LOOKING

    opened({}, scenario)


@pytest.mark.parametrize("how", ["exits", "is killed", "is removed with its keeper"])
def test_40_characters_typed_as_it_goes_away_run_nothing(session, opened, om, how):
    mission = session(LEAVING)
    other = session(SHELL, "other")
    keys = [key for number in range(40) for key in ("xqdrk:n"[number % 7], "\x03" if number % 10 == 9 else "k")]

    async def scenario(app, pilot):
        await until(pilot, lambda: app.main.table.select(mission))
        await join(app, pilot)
        await until(pilot, shows(app, "ready$"))
        if how == "exits":
            await write(app, pilot, "exit\n")
            await until(pilot, shows(app, "leaving"), what="it is about to go")
        elif how == "is killed":
            os.kill(om.pid("shell"), signal.SIGKILL)
        else:
            os.kill(om.holder("keeper.lock"), signal.SIGKILL)
        began = time.monotonic()
        for number, key in enumerate(keys):
            event = events.Key("ctrl+c" if key == "\x03" else key, key if key.isprintable() else None)
            event.time = began + number * QUICKLY  # whenever this machine lets us come to it
            app.post_message(event)
            await pilot.pause()
        await until(pilot, lambda: app.main.terminal_panel.session.over, what="it is over")
        assert app.main.terminal_panel.mode is Mode.LOOKING
        assert app.main.panels.current is Panel.TERMINAL
        assert app.screen is app.main
        assert app.is_running
        assert not app.main.bar.sign
        await until(pilot, shows(app, "esc back", "ready$"))
        if how != "is removed with its keeper":
            assert om.info(other)["status"] == "running"

    opened({}, scenario)


def test_r_runs_it_again_and_the_pane_shows_the_new_run(session, opened):
    session(["sh", "-c", "echo run; read line; exit 3"])

    async def scenario(app, pilot):
        await join(app, pilot)
        await until(pilot, shows(app, "run"))
        await pilot.press("enter")
        await until(pilot, shows(app, "exited (3)", "r restart · esc back"))
        assert "i types" not in picture(app), "nothing is offered that can't be done"
        await until(pilot, lambda: time.monotonic() > app.typed.quiet.until, what="keys count again")
        await until(pilot, lambda: app.fleet.of(app.main.terminal_panel.session.mission)["status"] == "crashed")
        await pilot.press("r")
        await until(pilot, lambda: not app.main.terminal_panel.session.over, what="it runs again")
        await until(pilot, shows(app, "run", "looking", "i types"))

    opened({}, scenario)


def test_ctrl_c_just_after_leaving_only_flashes(session, opened):
    session()

    async def scenario(app, pilot):
        await join(app, pilot)
        await pilot.press("ctrl+backslash", "ctrl+c")
        assert app.is_running
        assert app.screen is app.main
        await until(pilot, shows(app, "ctrl-c: not sent"))

    opened({}, scenario)


def test_a_supervisor_that_is_replaced_is_not_noticed(session, opened, om):
    session()

    async def scenario(app, pilot):
        await join(app, pilot)
        os.kill(om.supervisor_pid(), signal.SIGKILL)
        await write(app, pilot, "echo go$((1+1))on\n")
        await until(pilot, shows(app, "go2on"))
        await until(pilot, lambda: om.holder("supervisor.lock") is not None)
        await write(app, pilot, "echo on$((1+1))go\n")
        await until(pilot, shows(app, "on2go"))
        assert app.main.terminal_panel.mode is Mode.TYPING

    opened({}, scenario)


def test_scrollback_is_searched_selected_and_copied(session, opened, om):
    session(["sh", "-c", "seq 1000 1300; printf 'a long line %s end\\n' $(seq -s _ 40); exec cat"])

    async def scenario(app, pilot):
        await look(app, pilot, "1300")
        view = app.main.terminal_view
        await pilot.press("g")
        await until(pilot, shows(app, "1000", "looking · 287 lines back"))
        await pilot.press("/", *"1234", "enter")
        await until(pilot, shows(app, "1234", "/1234: 1"))
        await pilot.press("/", *"12[0-9]5", "enter", "N")
        await until(pilot, lambda: view._at is not None and view._at.row == 235)
        await pilot.press("n", "n", "n")
        await until(pilot, lambda: view._at is not None and view._at.row == 205)
        await pilot.press("escape", "G", "space", "k", "k", "space", "c")
        copied = os.path.join(om.home, "saved", "copied.txt")
        await until(pilot, lambda: os.path.exists(copied))
        lines = read(copied).split("\n")
        assert any(line.startswith("a long line 1_2_") and line.endswith(" end") for line in lines)
        assert view.selection is None

    opened({}, scenario, size=(100, 30))


def test_a_mouse_drag_selects(session, opened):
    session(["sh", "-c", "printf 'first row\\nsecond row\\n'; exec cat"])

    async def scenario(app, pilot):
        await look(app, pilot, "second row")
        await pilot.mouse_down("#terminal", offset=(6, 0))
        await pilot.hover("#terminal", offset=(5, 1))
        await pilot.mouse_up("#terminal", offset=(5, 1))
        assert app.main.terminal_view.text() == "row\nsecond"

    opened({}, scenario)


def test_the_mouse_is_the_programs_when_it_asks(session, opened):
    session(["sh", "-c", "stty raw -echo; printf '\\033[?1000h\\033[?1006hready\\r\\n'; exec cat -v"])

    async def scenario(app, pilot):
        await join(app, pilot)
        await until(pilot, shows(app, "ready"))
        await pilot.click("#terminal", offset=(4, 2))
        await until(pilot, shows(app, "^[[<0;5;3M^[[<0;5;3m"))

    opened({}, scenario)


def test_what_the_program_says_beside_text(session, opened, om):
    said = "\\033]2;my [red]title\\007\\033]52;c;Y29waWVk\\007\\033]9;look here\\007"
    session(["sh", "-c", f"read x; printf '{said}ready'; exec cat"])

    async def scenario(app, pilot):
        await join(app, pilot)
        await pilot.press("enter")
        await until(pilot, shows(app, "my [red]title", "ready"))
        copied = os.path.join(om.home, "saved", "copied.txt")
        await until(pilot, lambda: os.path.exists(copied))
        assert read(copied).rstrip("\n") == "copied"

    opened({}, scenario)


def test_a_question_of_the_program_is_answered_once_whoever_types_behind_it(session, opened):
    session(["sh", "-c", "stty raw -echo; printf 'ask\\033[c'; exec cat -v"])

    async def scenario(app, pilot):
        await look(app, pilot, "ask", "62;22c")
        await pilot.press("i")
        await until(pilot, lambda: app.main.terminal_panel.session.writes)
        await write(app, pilot, "x")
        await until(pilot, shows(app, "x"))
        assert picture(app).count("62;22c") == 1

    opened({}, scenario)


def test_read_only_looks(session, opened, om):
    session(ECHOED)

    async def scenario(app, pilot):
        await until(pilot, lambda: app.main.table.current is not None)
        await pilot.press("a")
        await until(pilot, shows(app, "ready", "looking · "))
        await pilot.press("i", "x", "backslash")
        await until(pilot, shows(app, "read-only"))
        assert app.main.terminal_panel.mode is Mode.LOOKING
        assert om.ok("screen", "shell").strip() == "ready"
        await pilot.press("ctrl+backslash")
        assert not app.main.terminal_panel.is_open

    opened({}, scenario, read_only=True)


def test_a_task_can_be_watched_only(opened):
    async def scenario(app, pilot):
        await until(pilot, lambda: app.main.table.current is not None)
        await pilot.press("a")
        await until(pilot, shows(app, "hello", "takes no input: view only · :run -i COMMAND starts one that does"))
        assert app.main.terminal_panel.mode is Mode.LOOKING
        await until(pilot, shows(app, "looking · ", "no input · esc back"))
        await until(pilot, lambda: "i types" not in picture(app), what="no key is offered that does nothing")
        app.main.shell.typed.quiet.until = float("-inf")
        app.main.shell.flash("gone", "quiet")
        await pilot.press("i")
        await until(pilot, shows(app, "takes no input: view only"))
        assert app.main.terminal_panel.mode is Mode.LOOKING

    opened({"task": "echo hello; sleep 300"}, scenario)


def test_a_flood_is_followed_and_keys_still_count(session, opened):
    session(["sh", "-c", "while :; do yes flooding-the-terminal | head -5000; sleep 0.02; done"])

    async def scenario(app, pilot):
        await join(app, pilot)
        await until(pilot, shows(app, "flooding-the-terminal"))
        await pilot.press("ctrl+c")
        await until(pilot, shows(app, "exited"))

    opened({}, scenario)


def test_what_came_while_the_pane_was_hidden_is_there_afterwards(session, opened, om):
    session()

    async def scenario(app, pilot):
        await look(app, pilot, "ready$")
        await pilot.press("?")
        await until(pilot, lambda: app.screen is not app.main)
        om.ok("send", "shell", "echo hid$((1+1))den")
        await until(pilot, lambda: app.main.terminal_panel.session.stale, what="something came")
        assert "hid2den" not in "\n".join(app.main.terminal_view.screen_shown.lines())
        await pilot.press("escape")
        await until(pilot, shows(app, "hid2den"))

    opened({}, scenario)


def test_what_only_looked_does_not_end_typing_that_has_just_begun(session, opened):
    """A drawing for the looking link may still be on its way when somebody begins to type."""
    session()

    async def scenario(app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: app.main.terminal_panel.session.size is not None, what="looking")
        link = app.main.terminal_panel.session.link
        link.replay()
        eventually(lambda: link._inbox._items)  # nothing of the program goes on meanwhile
        app.main.terminal_panel.do_type()
        await until(pilot, lambda: app.main.terminal_panel.session.writes, what="typing")
        await write(app, pilot, "echo typed-$((1+1))\n")
        await until(pilot, shows(app, "typed-2"))

    opened({}, scenario)
