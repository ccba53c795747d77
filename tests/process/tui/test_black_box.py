"""The program as a person meets it: inside tmux, with a real supervisor, nothing but keys and the screen."""

from __future__ import annotations

import os
import shlex
import signal

import pytest

from tests.kit.full_disk import full_disk
from tests.kit.overmind import PROGRAM
from tests.kit.processes import alive
from tests.kit.screen import TMUX, TmuxScreen
from tests.kit.waiting import eventually

pytestmark = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")

WRITER = "while :; do echo tick; sleep 0.2; done"
ESC = "\x1b"
FORM = "tab next"
"""Below the form of a new mission."""


def hosted(om, screen):
    """Wait until the program in the screen is the supervisor."""
    screen.until("Nothing runs yet.")
    return om.supervisor_pid()


@pytest.mark.usefixtures("alone")
def test_an_empty_home_says_what_to_do_and_q_leaves(om):
    with TmuxScreen(om, "tui") as screen:
        assert hosted(om, screen) == screen.pid()
        screen.keys("q")
        assert screen.exit_status() == 0
        screen.until("left the program")
    eventually(lambda: om.holder("keeper.lock") is None and om.holder("supervisor.lock") is None)


@pytest.mark.usefixtures("alone")
def test_overmind_alone_on_a_terminal_is_the_same_program(om):
    with TmuxScreen(om) as screen:
        assert hosted(om, screen) == screen.pid()


@pytest.mark.usefixtures("alone")
def test_a_form_starts_a_mission_and_its_log_appears(om):
    with TmuxScreen(om, size=(120, 40)) as screen:
        hosted(om, screen)
        screen.type("n")
        screen.until("no agent in ", "enter starts it")
        screen.type("$ echo from-the-form; sleep 300")
        screen.keys("Tab")
        screen.until(FORM)
        screen.type("formed")
        screen.keys("Enter")
        screen.until("formed", "working", "from-the-form", gone=FORM)
        assert om.ps()[0]["cwd"] == os.path.realpath(om.home)
        om.ok("kill", "formed")


def test_a_refusal_stays_beside_its_field(om):
    om.mission("sleep 300", "--name", "taken")
    with TmuxScreen(om) as screen:
        screen.until("taken")
        screen.type("n")
        screen.until("enter starts it")
        screen.type("$ true")
        screen.keys("Tab")
        screen.until(FORM)
        screen.type("taken")
        screen.keys("Enter")
        screen.until(FORM, "is taken by mission")
        screen.keys("Escape")
        screen.until("1 running", gone=FORM)


def test_the_line_starts_a_command_in_the_folder_of_the_start_and_its_log_appears(om):
    with TmuxScreen(om, size=(120, 40)) as screen:
        hosted(om, screen)
        screen.type("n$ echo from-the-line; sleep 300")
        screen.until("echo from-the-line; sleep 300▏")
        screen.keys("Enter")
        screen.until("1 running", "started ", "from-the-line", gone="enter starts it")
        assert om.ps()[0]["cwd"] == os.path.realpath(om.home)
        om.ok("kill", om.ps()[0]["id"])


def test_logs_and_describe_open_and_close(om):
    om.mission("echo '[red]R[/red] [/] [b'; sleep 300", "--name", "alpha")
    with TmuxScreen(om, size=(80, 24)) as screen:
        screen.until("alpha")
        screen.keys("l")
        screen.until("── alpha ", "[red]R[/red] [/] [b", "s follow", gone="y answer")
        screen.keys("Escape")
        screen.until("1 running", "y answer", gone="s follow")
        screen.keys("d")
        screen.until("working for", "› describe")
        screen.keys("q")
        screen.until("1 running", gone="› describe")


def test_stop_and_kill_ask_with_the_focus_on_cancel(om):
    for name in ("alpha", "beta"):
        om.mission(WRITER, "--name", name)
    with TmuxScreen(om) as screen:
        screen.until("alpha", "beta", "tick")
        screen.keys("x")
        screen.until("stop alpha?")
        screen.keys("Enter")  # the focus is on cancel
        screen.until("2 running", gone="stop alpha?")
        assert {row["status"] for row in om.ps()} == {"running"}
        screen.keys("x")
        screen.agree("y", "stop alpha?")
        screen.until("stopped alpha")
        screen.keys("j")
        screen.keys("C-k")
        screen.agree("y", "kill beta?")
        screen.until("killed beta")
        assert om.wait_status("beta", "killed")["status"] == "killed"


def test_read_only_ends_nothing(om):
    om.mission(WRITER, "--name", "alpha")
    with TmuxScreen(om, "tui", "--read-only") as screen:
        screen.until("alpha", "tick")
        screen.keys("C-k")
        screen.until("read-only: kill is off")
        screen.type(":kill alpha")
        screen.keys("Enter")
        screen.until("read-only: kill is off")
        assert om.info("alpha")["status"] == "running"


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("answer", ["q", "Enter"])
def test_leaving_with_live_missions_keeps_them_under_a_daemon(om, answer):
    with TmuxScreen(om) as screen:
        program = hosted(om, screen)
        om.mission(WRITER, "--name", "alpha")
        pid = om.pid("alpha")
        screen.until("alpha", "tick")
        screen.keys("q")
        screen.until("leave?", "only this program supervises it")
        screen.keys(answer)
        assert screen.exit_status() == 0
        screen.until("1 mission running in the background")
        assert not alive(program)
        assert om.pid("alpha") == pid
        assert om.supervisor_pid() != program


@pytest.mark.usefixtures("alone")
def test_leaving_with_a_schedule_alone_leaves_it_to_a_daemon(om):
    with TmuxScreen(om) as screen:
        program = hosted(om, screen)
        om.ok("ritual", "create", "rare", "@yearly", "true")
        screen.keys("q")
        assert screen.exit_status() == 0
    eventually(lambda: om.holder("supervisor.lock") not in {None, program}, what="a daemon is there")
    assert [row["name"] for row in om.json("rituals", "--json")] == ["rare"]


@pytest.mark.usefixtures("alone")
def test_leaving_can_stop_all(om):
    with TmuxScreen(om) as screen:
        hosted(om, screen)
        om.mission(WRITER, "--name", "alpha")
        screen.until("alpha", "tick")
        screen.keys("q")
        screen.agree("s", "leave?")
        assert screen.exit_status() == 0
        screen.until("Stopped 1 mission.")
    eventually(lambda: om.holder("keeper.lock") is None and om.holder("supervisor.lock") is None)


@pytest.mark.linux
@pytest.mark.usefixtures("alone")
def test_leaving_on_a_full_disk_says_what_is_not_saved(om):
    with TmuxScreen(om) as screen:
        program = hosted(om, screen)
        om.mission(WRITER, "--name", "alpha")
        screen.until("alpha", "tick")
        with full_disk(program):
            screen.keys("q")
            screen.agree("s", "leave?")
            assert screen.exit_status() == 0
        screen.until("Stopped 1 mission.", "The disk is full: the end of 1 run is not saved.")
    assert om.ok("shutdown", "-y") == "Daemon stopped\n"


@pytest.mark.usefixtures("alone")
def test_what_a_person_starts_in_the_program_that_supervises_speaks_as_that_person_and_leaving_can_be_cancelled(om):
    with TmuxScreen(om) as screen:
        program = hosted(om, screen)
        om.mission(WRITER, "--name", "alpha")
        screen.until("alpha", "tick")
        screen.type(":update alpha --name beta")  # no mission may, nor what the supervisor runs for one
        screen.keys("Enter")
        screen.until("beta")
        screen.type("s")
        screen.until(gone="1 running")
        screen.type(f"{shlex.join(PROGRAM)} update beta --name gamma; exit")
        screen.keys("Enter")
        screen.until("gamma", "tick", "1 running")
        screen.keys("q")
        screen.until("leave?")
        screen.keys("Escape")
        screen.until("1 running", gone="leave?")
        assert om.supervisor_pid() == program


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("end", ["hangup", "terminate", "kill"])
def test_however_the_program_ends_somebody_goes_on_supervising(om, end):
    with TmuxScreen(om) as screen:
        program = hosted(om, screen)
        om.mission(WRITER, "--name", "alpha")
        pid = om.pid("alpha")
        screen.until("alpha", "tick")
        if end == "hangup":
            screen.close()
        else:
            os.kill(program, signal.SIGTERM if end == "terminate" else signal.SIGKILL)
        eventually(lambda: not alive(program), timeout=30.0)
        eventually(lambda: om.holder("supervisor.lock") not in {None, program}, timeout=20.0)
        assert om.pid("alpha") == pid
        assert len(om.info("alpha")["runs"]) == 1


HARMLESS = [
    ("\x1b[97;1:3u",),  # a key report that Textual's parser dies of
    ("\x1b[200~x\x1b[Axy\rq\x1b[201~",),  # a paste that would stop a mission, were it keys
    ("\x1b[120;5;1u\x1b[13;2u\x1b[27;2;13~",),
    (ESC, "[<0;5;5M"),  # half a mouse report, late
    ("\x1b]11;rgb:7878/7979/7878\x07", "\x1b[?1;2c", "\x1bP>|xyq\x1b\\"),  # answers to questions nobody asked
]


def test_no_sequence_ends_the_program_or_runs_as_a_command(om):
    om.mission(WRITER, "--name", "alpha")
    with TmuxScreen(om) as screen:
        screen.until("alpha", "tick")
        for sent in HARMLESS:
            for piece in sent:
                if piece == ESC:  # it has waited for company when it has closed something
                    screen.type("?")
                    screen.until("› keys")
                screen.type(piece)
                screen.until("alpha", gone="› keys")
            screen.type("?")
            screen.until("› keys")
            screen.keys("Escape")
            screen.until("1 running", "working", gone="stop alpha?")
            assert om.info("alpha")["status"] == "running", sent
