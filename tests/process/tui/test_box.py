"""Messages in the line: what is typed ahead, kept, recalled, sent to many, and what comes back."""

from __future__ import annotations

import pytest
from textual import events

from overmind_tui.pages.compose import Composer
from tests.kit import claude, sessions
from tests.kit.raw_socket import RawSocket
from tests.kit.terminal import Terminal
from tests.kit.waiting import eventually
from tests.tui.conftest import later, picture, until


@pytest.fixture
def om(om, tmp_path):
    """The command line in a world where `claude` is the stand-in."""
    return claude.at_hand(om, tmp_path)


@pytest.fixture
def planner(om):
    """A session that has answered once."""
    return sessions.greeted(om, "planner")


async def at(app, pilot, mission):
    """Have the cursor on a mission."""
    await until(pilot, lambda: app.main.table.select(mission), what="its row")


def write(app, data):
    """Type it in one write, as a terminal hands it on."""
    for one in data:
        key = {"\r": "enter", "\x1b": "escape", " ": "space"}.get(one, one)
        app.typed.put(events.Key(key, one))


async def settled(app, pilot):
    """Until no box is open."""
    await until(pilot, lambda: not isinstance(app.screen, Composer), what="no box")


def test_what_is_typed_ahead_is_one_message(om, opened, planner):
    async def scenario(app, pilot):
        await at(app, pilot, planner)
        write(app, "mhello you\rt")
        await settled(app, pilot)
        await until(pilot, lambda: sessions.messages(om, planner)[-1] == "hello you", what="the message")
        await until(pilot, lambda: "planner answered" in picture(app), what="what became of it")
        assert app.main.table_panel.flat, "the key after the message was for the table"

    opened({}, scenario)


def test_lines_are_written_with_every_key_for_them_and_arrive(om, opened, planner):
    async def scenario(app, pilot):
        await at(app, pilot, planner)
        await pilot.press("m", *"one", "ctrl+j", *"two", "alt+enter", *"three", "shift+enter", *"four", "backslash",
                          "enter", *"five")  # fmt: skip
        assert "5 lines" in picture(app)
        await pilot.press("enter")
        await settled(app, pilot)
        assert sessions.messages(om, planner)[-1] == "one\ntwo\nthree\nfour\nfive"

    opened({}, scenario)


def test_a_paste_keeps_its_lines_and_shows_control_characters(om, opened, planner):
    async def scenario(app, pilot):
        await at(app, pilot, planner)
        await pilot.press("m")
        app.typed.put(events.Paste("[red]first[/]\r\n\tsecond \x1b[2Jthird\n"))
        await pilot.pause()
        assert "[red]first[/]" in picture(app)
        assert "    second \\x1b[2Jthird" in picture(app)
        await pilot.press("enter")
        await settled(app, pilot)
        assert sessions.messages(om, planner)[-1] == "[red]first[/]\n\tsecond \x1b[2Jthird"

    opened({}, scenario)


def test_esc_keeps_the_draft_of_each_mission_also_for_the_next_program(om, opened, planner):
    other = sessions.begun(om, "writer")

    async def scenario(app, pilot):
        await until(pilot, lambda: len(app.fleet.rows) == 2, what="rows")
        await at(app, pilot, planner)
        await pilot.press("m", *"half", "escape")
        assert "draft kept: m opens it again" in picture(app)
        await at(app, pilot, other)
        await pilot.press("m")
        assert app.screen.field.text == ""
        await pilot.press("escape")
        await at(app, pilot, planner)
        await pilot.press("m")
        assert app.screen.field.text == "half"
        await pilot.press("escape")
        await until(pilot, lambda: app.remembered.get("drafts", {}), what="remembered")

    async def later(app, pilot):
        await at(app, pilot, planner)
        await pilot.press("m")
        assert app.screen.field.text == "half"
        await pilot.press(*" done", "enter")
        await settled(app, pilot)
        await pilot.press("m")
        assert app.screen.field.text == ""

    opened({}, scenario)
    opened({}, later)
    assert sessions.messages(om, planner)[-1] == "half done"
    assert sessions.messages(om, other) == []


def test_what_was_sent_comes_back_with_up_at_the_first_line(om, opened, planner):
    async def scenario(app, pilot):
        await at(app, pilot, planner)
        for text in ("first", "second"):
            await pilot.press("m", *text, "enter")
            await settled(app, pilot)
        await pilot.press("m", *"now", "up")
        assert app.screen.field.text == "second"
        await pilot.press("up", "up")
        assert app.screen.field.text == "first"
        await pilot.press("down", "down")
        assert app.screen.field.text == "now"
        await pilot.press("ctrl+c")
        await settled(app, pilot)
        await pilot.press("m", "up")
        assert app.screen.field.text == "now"

    opened({}, scenario)


def test_one_line_writes_to_all_marked_missions(om, opened, planner):
    others = [sessions.begun(om, name) for name in ("api", "web")]

    async def scenario(app, pilot):
        await until(pilot, lambda: len(app.fleet.rows) == 3, what="rows")
        await pilot.press("*", "m", *"go on")
        assert "› to 3 missions  go on" in picture(app)
        await pilot.press("enter")
        await settled(app, pilot)
        assert [sessions.messages(om, one)[-1] for one in (planner, *others)] == ["go on"] * 3

    opened({}, scenario)


def test_a_refusal_stays_in_the_line_with_the_text_and_those_who_refused(om, opened, planner):
    om.mission("cat", "--name", "shell", "--type", "session")

    async def scenario(app, pilot):
        await until(pilot, lambda: len(app.fleet.rows) == 2, what="rows")
        await pilot.press("*", "m", *"go on")
        om.api("kill", id="shell")
        await pilot.press("enter")
        await until(pilot, lambda: "has ended" in picture(app), what="the refusal")
        assert app.screen.field.text == "go on"
        assert "› to shell  go on" in picture(app)
        assert sessions.messages(om, planner)[-1] == "go on"
        await pilot.press("enter", "escape")
        await settled(app, pilot)
        assert sessions.messages(om, planner).count("go on") == 1

    opened({}, scenario)


def test_a_raw_session_has_it_typed(om, opened):
    shell = om.mission("cat", "--name", "shell", "--type", "session")

    async def scenario(app, pilot):
        await at(app, pilot, shell)
        await pilot.press("m", *"6 * 7", "enter")
        await settled(app, pilot)
        await until(pilot, lambda: "sent to shell" in picture(app), what="told")
        await until(pilot, lambda: om.logs("shell").count("6 * 7") > 1, what="typed")

    opened({}, scenario)


def test_a_task_takes_no_messages_and_nothing_is_sent_when_nothing_is_written(om, opened, planner):
    om.mission("sleep 60", "--name", "task")

    async def scenario(app, pilot):
        await until(pilot, lambda: len(app.fleet.rows) == 2, what="rows")
        await at(app, pilot, next(row["id"] for row in app.fleet.rows.values() if row["name"] == "task"))
        await pilot.press("m")
        assert "task is a task and takes no messages: its input is empty" in picture(app)
        assert not isinstance(app.screen, Composer)
        later(app)
        await at(app, pilot, planner)
        await pilot.press("m", "space", "enter")
        assert "the text is empty" in picture(app)

    opened({}, scenario)


def test_the_editor_of_the_person_gets_the_text(om, opened, planner, tmp_path):
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "%s\\nmore\\n" "$(cat "$1")" > "$1"\n')
    editor.chmod(0o755)
    om.environment |= {"EDITOR": f"{editor}", "VISUAL": ""}

    async def scenario(app, pilot):
        await at(app, pilot, planner)
        await pilot.press("m", *"text", "ctrl+g")
        await until(pilot, lambda: app.screen.field.text == "text\nmore", what="edited")
        await pilot.press("enter")
        await settled(app, pilot)
        assert sessions.messages(om, planner)[-1] == "text\nmore"

    opened({}, scenario)


def test_i_ends_the_turn_and_says_so_or_that_there_is_none(om, opened, planner):
    async def scenario(app, pilot):
        await at(app, pilot, planner)
        await pilot.press("i")
        await until(pilot, lambda: "planner: no turn in progress" in picture(app), what="nothing to end")
        sessions.say(om, planner, "!sleep 600 late")
        await until(pilot, lambda: app.fleet.of(planner)["activity"] == "working", what="working")
        await until(pilot, lambda: not app.main.restless, what="its row rests")
        await pilot.press("i")
        await until(pilot, lambda: "interrupted planner" in picture(app), what="interrupted")
        eventually(lambda: om.info(planner)["activity"] == "idle", what="idle")

    opened({}, scenario)


def test_a_reader_may_not_write(om, opened, planner):
    async def scenario(app, pilot):
        await at(app, pilot, planner)
        await pilot.press("m")
        assert "read-only: message is off" in picture(app)

    opened({}, scenario, read_only=True)


def test_to_one_whom_a_person_has_in_a_terminal_the_second_enter_queues_it(om, opened, planner):
    claude.settle(om, om.info(planner)["cwd"])

    async def scenario(app, pilot):
        await at(app, pilot, planner)
        with RawSocket.connect(om.home) as person:
            person.ok("attach", id=planner)
            await until(pilot, lambda: om.info(planner)["mode"] == "interactive", what="handed over")
            await pilot.press("m", *"later", "enter")
            await until(pilot, lambda: "A person is using mission" in picture(app), what="the refusal")
            await pilot.press("enter")
            await settled(app, pilot)
            await until(pilot, lambda: "queued for planner" in picture(app), what="queued")
        await until(pilot, lambda: sessions.messages(om, planner)[-1] == "later", what="the message")

    opened({}, scenario)


def test_a_message_that_is_typed_in_one_write_on_a_real_terminal_arrives(om, planner):
    with Terminal(om, "tui") as terminal:
        terminal.expect("planner")
        terminal.type("mhello\rq")
        assert terminal.end() == 0
    eventually(lambda: sessions.messages(om, planner)[-1] == "hello", what="the message")
