"""A person at a terminal: colour, hints, questions, ctrl-c; and what a pipe gets instead."""

from __future__ import annotations

import re
import signal
import subprocess

import psutil
import pytest

from tests.kit.terminal import Terminal
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

SGR = "\x1b["
EMPTY = [(("ps",), "No missions"), (("logs",), "No missions")]
QUESTIONS = {
    "kill --all": ("kill", "--all"),
    "shutdown": ("shutdown",),
    "prune": ("prune",),
    "rm of several": ("rm", "done-1", "done-2"),
}


@pytest.fixture
def missions(om):
    """Two live missions and two finished ones."""
    for number in (1, 2):
        om.mission("sleep 100", "--name", f"live-{number}")
        om.finished("echo done", "--name", f"done-{number}")
    return om.ps("--all")


def test_the_same_columns_on_a_terminal_and_in_a_pipe(om):
    om.mission("sleep 100")
    assert _on_a_terminal(om, "ps") == om.ok("ps")


def test_a_row_is_cut_to_the_terminal_and_whole_in_a_pipe(om):
    om.mission("sleep 100 # " + "x" * 200, "--name", "n" * 60)
    lines = _on_a_terminal(om, "ps").splitlines()
    assert len(lines) == 2
    assert "n" * 60 in lines[1]
    assert "x" * 20 in om.ok("ps")


def _on_a_terminal(om, *words):
    with Terminal(om, *words) as terminal:
        assert terminal.end() == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", terminal.shown)


def test_colour_only_on_a_terminal_and_only_when_wanted(om):
    om.finished("printf '\\033[31mred\\033[0m\\n'", "--name", "coloured")
    for words in (("ps",), ("top", "--once"), ("logs", "coloured")):
        om.mission("sleep 100")
        assert SGR not in om.ok(*words), words
        for env, wanted in (
            ({}, True),
            ({"NO_COLOR": "1"}, False),
            ({"NO_COLOR": ""}, True),
            ({"TERM": "dumb"}, False),
        ):
            with Terminal(om, *words, env=env) as terminal:
                assert terminal.end() == 0
            assert (SGR in terminal.shown) is wanted, (words, env, terminal.shown)


def test_json_is_never_coloured(om):
    om.finished("true")
    with Terminal(om, "ps", "--json") as terminal:
        assert terminal.end() == 0
    assert SGR not in terminal.shown


@pytest.mark.parametrize(("words", "hint"), EMPTY)
def test_a_hint_for_an_empty_list_goes_to_a_terminals_stderr_only(om, words, hint):
    om.ok("start")
    with Terminal(om, *words) as terminal:
        assert terminal.end() == 0
    assert hint in terminal.shown
    with Terminal(om, *words, shell=f">{om.path('out')}") as terminal:
        assert terminal.end() == 0
    assert hint in terminal.shown
    with open(om.path("out")) as out:
        assert hint not in out.read()
    with Terminal(om, *words, shell="2>/dev/null") as terminal:
        assert terminal.end() == 0
    assert hint not in terminal.shown
    assert om(*words).stderr == ""


def test_an_empty_list_as_json_has_no_hint(om):
    om.ok("start")
    with Terminal(om, "ps", "--json") as terminal:
        assert terminal.end() == 0
    assert terminal.shown == "[]\n"


@pytest.mark.parametrize(("question", "answer"), [("kill --all", ""), *((one, "no") for one in QUESTIONS)])
def test_a_question_that_is_not_answered_with_yes_does_nothing(om, missions, question, answer):
    words = QUESTIONS[question]
    with Terminal(om, *words) as terminal:
        terminal.expect(r"\? \[y/N\] ")
        terminal.type(f"{answer}\r")
        assert terminal.end() == 1
    assert [(row["name"], row["status"]) for row in om.ps("--all")] == [
        (row["name"], row["status"]) for row in missions
    ]


UNASKED = {"-y": "", "stdin is no terminal": "</dev/null", "stderr is no terminal": "2>/dev/null"}
"""Ways in which nobody is asked, with what a shell does to the files."""
DONE = [
    *((question, "yes") for question in QUESTIONS),
    *((question, "-y") for question in QUESTIONS),
    ("kill --all", "stdin is no terminal"),
    ("kill --all", "stderr is no terminal"),
]
"""Each command asks by itself and takes -y by itself; who is a person they all ask in one place."""


@pytest.mark.parametrize(("question", "how"), DONE)
def test_with_yes_or_without_a_person_it_is_done(om, missions, question, how):
    words = (*QUESTIONS[question], "-y") if how == "-y" else QUESTIONS[question]
    with Terminal(om, *words, shell=UNASKED.get(how, "")) as terminal:
        if how == "yes":
            terminal.expect(r"\? \[y/N\] ")
            terminal.type("y\r")
        assert terminal.end() == 0
    assert ("[y/N]" in terminal.shown) is (how == "yes")
    left = [] if words[0] == "shutdown" else om.ps("--all")
    done = {
        "kill": all(row["status"] in {"killed", "stopped"} for row in left),
        "shutdown": om("ps").returncode == 1,
        "prune": [row["name"] for row in left] == ["live-1", "live-2"],
        "rm": [row["name"] for row in left] == ["live-1", "live-2"],
    }
    assert done[words[0]], left


def test_one_stop_kill_or_rm_asks_nothing(om, missions):
    for words, said in (
        (("stop", "live-1"), "Stopped mission"),
        (("kill", "live-2"), "Killed mission"),
        (("rm", "done-1"), "Removed mission"),
    ):
        with Terminal(om, *words) as terminal:
            assert terminal.end() == 0
        assert terminal.shown.startswith(said)


def test_shutdown_with_nothing_live_asks_nothing(om):
    om.finished("true")
    with Terminal(om, "shutdown") as terminal:
        assert terminal.end() == 0
    assert terminal.shown == "Daemon stopped\n"


@pytest.mark.own_home
def test_restart_lost_shows_the_list_and_asks(om):
    mission = om.mission("sleep 100", "--name", "lost-one")
    om.ok("start")
    keeper = om.keeper_pid()
    subprocess.run(["kill", "-9", str(keeper)], check=True)
    om.wait_status(mission, "crashed")
    with Terminal(om, "restart", "--lost") as terminal:
        terminal.expect("lost-one")
        terminal.expect(r"\? \[y/N\] ")
        terminal.type("n\r")
        assert terminal.end() == 1
    assert om.info(mission)["status"] == "crashed"
    with Terminal(om, "restart", "--lost") as terminal:
        terminal.expect(r"\? \[y/N\] ")
        terminal.type("y\r")
        assert terminal.end() == 0
    assert om.info(mission)["status"] == "running"


@pytest.mark.parametrize(
    "words",
    [("logs", "-f", "worker"), ("ps", "--watch"), ("monitor",), ("top",), ("events", "-f")],
    ids=" ".join,
)
def test_a_view_left_with_ctrl_c_exits_with_130_and_no_traceback(om, words):
    om.mission("echo ready; sleep 100", "--name", "worker")
    eventually(lambda: om.logs("worker") == "ready\n")
    with Terminal(om, *words) as terminal:
        terminal.expect("ready|worker")
        terminal.interrupt()
        assert terminal.end() == 130
    assert "Traceback" not in terminal.shown
    assert om.info("worker")["status"] == "running"


def test_ctrl_c_at_a_question_does_nothing(om, missions):
    with Terminal(om, "kill", "--all") as terminal:
        terminal.expect(r"\[y/N\]")
        terminal.interrupt()
        assert terminal.end() == 130
    assert [row["status"] for row in om.ps()].count("running") == 2


def test_control_characters_of_names_commands_and_logs_never_reach_the_terminal_raw(om):
    evil = "\x1b]0;owned\x07\x1b[2J\u202e"
    mission = om.finished(["printf", "%s\n", evil])["id"]
    for words in (("ps", "--wide"), ("logs", mission), ("logs", mission, "--events"), ("info", mission)):
        with Terminal(om, *words) as terminal:
            assert terminal.end() == 0
        for harmful in ("\x1b]", "\x07", "\x1b[2J", "\u202e"):
            assert harmful not in terminal.shown, (words, terminal.shown)
    assert om.raw("logs", mission, "--raw") == f"{evil}\r\n".encode(), "unless asked for"


def test_a_run_with_wait_on_a_terminal_keeps_the_colours(om):
    with Terminal(om, "run", "--wait", "printf '\\033[32mgreen\\033[0m\\n'") as terminal:
        assert terminal.end() == 0
    assert "\x1b[32mgreen" in terminal.shown


def test_a_terminal_that_goes_away_takes_only_the_client_along(om):
    with Terminal(om, "run", "--wait", "--name", "stays", "echo ready; sleep 100") as terminal:
        terminal.expect("ready")
    assert om.info("stays")["status"] == "running"
    assert om.holder("supervisor.lock") is not None


@pytest.mark.own_home
def test_the_daemon_started_from_a_terminal_outlives_it(om):
    with Terminal(om, "start") as terminal:
        terminal.expect("Daemon started")
    pid = om.supervisor_pid()
    assert om.ok("start") == f"Daemon is already running (PID {pid})\n"
    assert psutil.Process(pid).terminal() is None


def test_a_signal_to_the_client_leaves_daemon_and_mission_alone(om):
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGKILL):
        client = om.popen("run", "--wait", f"echo ready {number.name}; sleep 100")
        assert client.stdout.readline() == f"ready {number.name}\n"
        client.send_signal(number)
        client.communicate(timeout=30)
        assert client.returncode == -number
    assert [row["status"] for row in om.ps()] == ["running"] * 4
