"""What a mission's process has as stdin, stdout and stderr."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

WHERE = "for fd in 0 1 2; do [ -t $fd ] && echo $fd terminal || echo $fd none; done"


def test_a_task_writes_to_a_terminal_and_has_no_input(om):
    assert om.logs(om.finished(WHERE)["id"]) == "0 none\n1 terminal\n2 terminal\n"


def test_an_interactive_task_has_the_terminal_as_input_too(om):
    assert om.logs(om.finished(WHERE, "--interactive")["id"]) == "0 terminal\n1 terminal\n2 terminal\n"


def test_no_tty_gives_pipes(om):
    assert om.logs(om.finished(WHERE, "--no-tty")["id"]) == "0 none\n1 none\n2 none\n"


@pytest.mark.parametrize("options", [(), ("--no-tty",)], ids=["terminal", "pipes"])
def test_a_program_that_reads_ends_at_once(om, options):
    info = om.finished("cat", *options, timeout=10)
    assert (info["status"], info["exit_code"]) == ("stopped", 0)


def test_a_pager_never_waits_for_a_person(om, tmp_path):
    repository = str(tmp_path / "repository")
    subprocess.run(["git", "init", "-q", repository], check=True)
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for number in range(40):  # more than a screen
        commit = ["git", *who, "-C", repository, "commit", "-q", "--allow-empty", "-m", f"change {number}"]
        subprocess.run(commit, check=True)
    info = om.finished("git log", "--cwd", repository, timeout=20)
    assert info["exit_code"] == 0
    assert om.logs(info["id"]).count("    change ") == 40


def test_the_terminal_has_the_size_that_was_asked_for(om):
    assert om.logs(om.finished("stty size < /dev/tty")["id"]) == "24 80\n"
    assert om.logs(om.finished("stty size < /dev/tty", "--size", "132x50")["id"]) == "50 132\n"


def test_the_terminal_is_the_controlling_one_of_a_session_of_its_own(om):
    info = om.finished("ps -o pid=,sid=,tpgid= -p $$; tty <&1")
    numbers, name = om.logs(info["id"]).splitlines()
    pid, session, foreground = numbers.split()
    assert pid == session == foreground
    assert re.fullmatch(r"/dev/pts/\d+", name)


def test_no_tty_keeps_stdout_and_stderr_apart(om):
    mission = om.finished("echo to out; echo to err >&2; echo out again", "--no-tty")["id"]
    assert om.logs(mission, "--stdout") == "to out\nout again\n"
    assert om.logs(mission, "--stderr") == "to err\n"


def test_no_tty_shows_both_in_the_order_in_which_they_were_written(om):
    script = "for n in 1 2 3 4 5; do echo out $n; sleep 0.06; echo err $n >&2; sleep 0.06; done"
    mission = om.finished(script, "--no-tty")["id"]
    expected = "".join(f"{stream} {number}\n" for number in range(1, 6) for stream in ("out", "err"))
    assert om.logs(mission) == expected


def test_input_of_an_interactive_mission_is_not_closed(om):
    mission = om.mission("cat; echo over", "--interactive")
    eventually(lambda: om.info(mission)["status"] == "running")
    assert om.logs(mission) == ""


def test_programs_keep_colour_and_line_buffering_on_the_terminal(om):
    script = "import sys, time; print(sys.stdout.isatty(), sys.stdout.line_buffering); time.sleep(100)"
    mission = om.mission(["python3", "-c", script])
    eventually(lambda: om.logs(mission) == "True True\n")


def test_nothing_else_is_open(om):
    info = om.finished("ls /proc/self/fd")
    assert om.logs(info["id"]).split() == ["0", "1", "2", "3"], "3 is the folder that ls reads"
    info = om.finished("ls /proc/self/fd", "--no-tty")
    assert om.logs(info["id"]).split() == ["0", "1", "2", "3"]
