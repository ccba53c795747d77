"""Traps of real terminals: keys in one write or in pieces, a terminal that takes nothing, and how it is left behind."""

from __future__ import annotations

import os
import re
import select
import signal
import sys

import psutil
import pytest

from overmind_core.terminal.modes import INITIAL
from tests.kit.attached import Attached
from tests.kit.overmind import PROGRAM
from tests.kit.waiting import eventually

ENDS = ["sh", "-c", "stty -isig -echo; printf 'ready$ '; read line; exit 3"]
"""No key but enter ends it; nothing that is typed is thrown away by ctrl-c."""
CRASHING = (
    "import sys; sys.argv = ['overmind']; from overmind_tui import __main__ as program;"
    "from overmind_tui.app import OvermindApp;"
    "OvermindApp.refresh_all = lambda self: 1 / 0;"
    "sys.exit(program.main())"
)
"""The program with a mistake behind ctrl-r."""

STOPPED_WRITING = (
    "import os, signal, sys; sys.argv = ['overmind']; from overmind_tui import __main__ as program;"
    "from overmind_tui.app import OvermindApp\n"
    "def stopped(app):\n"
    "    with app._driver._writer_thread._news:\n"
    "        os.kill(os.getpid(), signal.SIGTSTP)\n"
    "OvermindApp.refresh_all = stopped\n"
    "sys.exit(program.main())"
)
"""The program that is stopped in the middle of writing by ctrl-r."""


def tui(om, *words, **how):
    """The program on a terminal of its own."""
    return Attached(om, "tui", *words, program=PROGRAM, **how)


WRITES = [
    (b":logs\r", ["── alpha ", "s follow"]),
    (b":logs beta\r", ["── beta ", "s follow"]),
    (b"/bet\r", ["/ bet   1 of 2   esc all"]),
    (b":events\rq?", ["› keys"]),
    (b"/bet\rd", ["› describe", "beta"]),
    (b":new sleep 301\r", ["3 running"]),
]
"""What is typed in one write, and what is seen then."""


def is_whole_list(person):
    """Whether the missions are shown, all of them, and the list has the keys."""
    text = person.text()
    return "›" not in text.splitlines()[0] and "esc all" not in text and "y answer" in text


def test_what_is_typed_in_one_write_goes_where_it_belongs(om):
    for name in ("alpha", "beta"):
        om.mission("echo here; sleep 300", "--name", name)
    with tui(om, size=(120, 40)) as person:
        person.shows("alpha")
        for typed, shown in WRITES:
            person.type(typed)
            for text in shown:
                person.shows(text)
            person.type(b":missions\r/\x15\r")  # the table again, and all of it
            person.until(lambda: is_whole_list(person), "the list")


def test_a_message_in_one_write_reaches_a_session(om):
    om.mission(["sh", "-c", "read line; echo got-$line; sleep 300"], "--type", "session", "--name", "alpha")
    with tui(om) as person:
        person.shows("1 running")
        person.shows("alpha")
        person.type(b"mhello\r")
        eventually(lambda: "got-hello" in om.logs("alpha"), timeout=20.0)


def test_forty_characters_across_the_end_of_what_is_typed_into_run_nothing(om):
    other = om.mission("sleep 300", "--name", "other")
    om.mission(ENDS, "--type", "session", "--name", "alpha")
    with tui(om, size=(120, 40)) as person:
        person.shows("2 running")
        person.type(b"/alpha\r")
        person.shows("1 of 2 running")
        person.type(b"a")
        person.shows("ready$")
        person.shows("ctrl-\\ leaves")
        person.type(b"exit\r")
        for at in range(40):
            person.type(b"xqdrk:n\x03\x0b\x04"[at % 10 : at % 10 + 1])
        person.shows("esc back")
        person.until(lambda: re.search(r"exited \(\d+\)", person.text()), "how it ended")
        assert "ready$" in person.text()
        assert om.info(other)["status"] == "running"
        assert len(om.info("alpha")["runs"]) == 1
        assert person.process.poll() is None


def test_over_ssh_a_sequence_in_pieces_is_never_typed(om):
    om.environment["SSH_CONNECTION"] = "192.0.2.1 50000 192.0.2.2 22"
    for name in ("alpha", "beta"):
        om.mission("sleep 300", "--name", name)
    with tui(om) as person:
        person.shows("2 running")
        person.type_pieces(b"\x1b", b"[A", b"\x1b[", b"B", b"\x1bO", b"P", b"\x1b[<0;3", b";4M", b"\x1b[1;", b"5C")
        person.type(b"?")
        person.shows("› keys")
        assert b"no other view in the history" not in person.seen
        person.type(b"q")
        person.shows("2 running")
    assert {row["status"] for row in om.api("ps")} == {"running"}


def test_the_terminal_is_asked_nothing_whose_answer_would_be_typed(om):
    om.mission("sleep 300", "--name", "alpha")
    with tui(om) as person:
        person.shows("1 running")
        person.type(b"?")
        person.shows("› keys")
        asked = bytes(person.seen)
    assert not re.search(rb"\x1b\[>\d*[uq]|\x1b\[[>=]?\d*c|\x1b\]1[01];\?|\x1b\[\?\d*u|\x1b\[6n", asked)


def test_the_mouse_is_the_terminals_where_it_is_off(om):
    with open(os.path.join(om.home, "config.toml"), "w") as file:
        file.write("[tui]\nmouse = false\n")
    om.mission("sleep 300", "--name", "alpha")
    with tui(om) as person:
        person.shows("1 running")
        assert person.screen.modes.mouse == 0


def press(keys):
    return lambda person, _om: person.type(keys)


def send(number):
    return lambda person, _om: person.signal(number)


def lose_supervisor(person, om):
    os.kill(om.supervisor_pid(), signal.SIGKILL)
    eventually(lambda: om.holder("supervisor.lock") is not None, timeout=20.0)
    person.type(b"q")


def crash(person, _om):
    person.type(b"\x12")


WAYS = {
    "q": press(b"q"), "ctrl-c": press(b"\x03"), "a command": press(b":q\r"), "terminated": send(signal.SIGTERM),
    "hung up": send(signal.SIGHUP), "told to quit": send(signal.SIGQUIT), "without its supervisor": lose_supervisor,
    "crash": crash,
}  # fmt: skip
IN_PANE = {
    "terminated": send(signal.SIGTERM), "hung up": send(signal.SIGHUP), "told to quit": send(signal.SIGQUIT),
    "left": press(b"\x1c\x1b"),
}  # fmt: skip


def left_as_it_was(person, *, status=None):
    """Wait for its end; keys, modes, cursor and screen are those of before."""
    ended = person.end()
    assert status is None or ended == status
    assert person.settings() == person.before
    modes = person.screen.modes
    assert not modes.alternate
    assert modes.mouse == 0
    assert modes.cursor_visible
    assert not modes.private & {1000, 1002, 1003, 1004, 1006, 1015, 1016, 1049, 2004, 2026, 2031, 2048}
    assert modes.private <= INITIAL | {1048, 12}
    assert not re.search(rb"\x1b\[[<>=][0-9;]*u", bytes(person.seen))  # the keyboard is as it was, and whose it was


@pytest.mark.parametrize("way", WAYS)
def test_the_terminal_is_left_as_it_was(om, way):
    om.mission("sleep 300", "--name", "alpha")
    program = (sys.executable, "-P", "-c", CRASHING) if way == "crash" else (*PROGRAM, "tui")
    with Attached(om, program=program) as person:
        person.shows("1 running")
        person.shows("alpha")
        WAYS[way](person, om)
        left_as_it_was(person, status=0 if way in {"q", "ctrl-c", "a command"} else None)
        assert ("ZeroDivisionError" in person.text()) is (way == "crash")
    assert om.info("alpha")["status"] == "running"


@pytest.mark.parametrize("way", IN_PANE)
def test_the_terminal_is_left_as_it_was_from_a_program_that_had_set_all_modes(om, way):
    sets = (
        "printf '\\033[?1049h\\033[?1003h\\033[?1006h\\033[?2004h\\033[?1h\\033[?25l\\033=\\033]2;mine\\aset'; exec cat"
    )
    om.mission(["sh", "-c", sets], "--type", "session", "--name", "alpha")
    with tui(om) as person:
        person.shows("1 running")
        person.type(b"a")
        person.shows("set")
        person.shows("ctrl-\\ leaves")
        IN_PANE[way](person, om)
        if way == "left":
            person.until(lambda: "y answer" in person.text())
            person.type(b"q")
        left_as_it_was(person)


def test_the_terminal_is_left_as_it_was_when_it_takes_nothing(om):
    om.mission("sleep 300", "--name", "alpha")
    with tui(om) as person:
        person.shows("1 running")
        person.signal(signal.SIGTERM)
        eventually(lambda: person.process.poll() is not None or select.select([person._master], [], [], 0)[0])
        left_as_it_was(person)


def test_who_stops_the_program_has_the_terminal_as_it_was_until_it_goes_on(om):
    """Also in the middle of writing; and who stops it so that it cannot know loses no key and no setting."""
    om.mission("sleep 300", "--name", "alpha")
    with Attached(om, program=(sys.executable, "-P", "-c", STOPPED_WRITING)) as person:
        program = psutil.Process(person.process.pid)
        person.shows("1 running")
        person.signal(signal.SIGSTOP)
        person.until(lambda: program.status() == psutil.STATUS_STOPPED, "it cannot know")
        person.signal(signal.SIGCONT)
        person.type(b"?")
        person.shows("› keys")
        person.type(b"q")
        person.until(lambda: "› keys" not in person.text())
        person.type(b"\x12")
        person.until(lambda: program.status() == psutil.STATUS_STOPPED, "it gives the terminal back")
        person.until(lambda: not person.screen.modes.alternate, "the screen of before")
        assert person.settings() == person.before
        person.signal(signal.SIGCONT)
        person.shows("1 running")
        person.type(b"q")
        left_as_it_was(person, status=0)
