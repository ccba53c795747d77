"""`overmind --headless run`: what it prints, exits with and leaves, as CI sees it."""

from __future__ import annotations

import json
import os
import re
import resource
import shlex
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.kit.killing import without_waiting
from tests.kit.overmind import PROGRAM
from tests.kit.terminal import Terminal
from tests.kit.waiting import eventually

EXIT_CODES = [0, 1, 2, 42, 141]


def test_the_output_comes_on_stdout_the_summary_on_stderr_and_nothing_is_left(headless):
    done = headless("run", "--name", "build", "echo out; echo err >&2")
    assert (done.returncode, done.stdout) == (0, "out\nerr\n")
    assert re.fullmatch(r"overmind: build: succeeded, [0-9.]+s\n", done.stderr)
    assert headless.homes() == []
    assert headless.living() == []


def test_as_json_stdout_has_the_summary_alone_and_stderr_the_output(headless):
    done = headless("run", "--json", "--name", "build", "echo out; echo err >&2; exit 3")
    assert (done.returncode, done.stderr) == (3, "out\nerr\n")
    found = json.loads(done.stdout)
    assert (found["exit_code"], [one["outcome"] for one in found["missions"]]) == (3, ["failed"])
    assert headless.homes() == [found["kept"]]


@pytest.mark.parametrize("code", EXIT_CODES)
def test_it_exits_with_the_works_code(headless, code):
    assert headless("run", f"exit {code}").returncode == code


def test_it_exits_with_every_code_that_means_something_to_a_shell_and_its_neighbours(headless):
    wanted = (3, 63, 64, 78, 123, 124, 125, 126, 127, 128, 129, 130, 136, 137, 138, 143, 192, 254, 255)
    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(lambda code: headless("run", f"exit {code}").returncode, wanted))
    assert codes == list(wanted)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_ends_the_work_is_128_and_its_number(headless, number):
    assert headless("run", f"kill -{int(number)} $$").returncode == 128 + number


def test_a_failure_keeps_the_home_and_names_it(headless):
    done = headless("run", "--name", "build", "echo why; exit 3")
    (home,) = headless.homes()
    assert done.stderr.splitlines()[-1] == f"overmind: state and logs are kept in {home}"
    assert done.stderr.startswith("overmind: build: failed (3), ")
    assert oct(os.stat(home).st_mode & 0o777) == "0o700"
    logs = [os.path.join(folder, name) for folder, _, names in os.walk(f"{home}/logs") for name in names]
    assert any(b"why" in Path(log).read_bytes() for log in logs), logs


def test_a_kept_home_can_be_looked_into_by_a_daemon(headless, make_home):
    headless("run", "--name", "build", "echo why; exit 3")
    (home,) = headless.homes()
    env = {"OVERMIND_HOME": home}
    try:
        assert headless.overmind("start", env=env).returncode == 0
        assert headless.overmind("logs", "build", env=env).stdout == "why\n"
    finally:
        headless.overmind("shutdown", "-y", env=env)


def test_the_home_of_the_environment_is_not_used(headless):
    assert headless("run", "true").returncode == 0
    assert os.listdir(headless.overmind.home) == []


def test_a_named_home_stays_and_may_be_used_again(headless, tmp_path):
    home = str(tmp_path / "ci")
    assert headless("--home", home, "run", "--name", "one", "echo first").returncode == 0
    done = headless("run", "--home", home, "--name", "two", "echo second")
    assert (done.returncode, done.stdout) == (0, "second\n")
    assert done.stderr.splitlines()[-1].endswith(f"kept in {home}")
    assert headless.homes() == []
    assert len(os.listdir(f"{home}/logs")) == 2


def test_a_home_in_use_is_refused_by_name(headless):
    headless.overmind.ok("start")
    pid = headless.overmind.supervisor_pid()
    done = headless("--home", headless.overmind.home, "run", "true")
    assert done.returncode == 1
    assert without_waiting(done.stderr).startswith(
        f"Error: busy: {headless.overmind.home} is in use by a supervisor (PID {pid})."
    )


def test_what_a_killed_run_left_in_a_named_home_is_not_started_again(headless, tmp_path):
    home = str(tmp_path / "ci")
    first = headless.popen("--home", home, "run", "--restart", "always", "--backoff", "0", "echo began; sleep 60")
    assert first.stdout.readline() == "began\n"
    first.kill()
    first.wait()
    done = headless("--home", home, "run", "overmind ps --json")
    assert done.returncode == 0
    assert [row["status"] for row in json.loads(done.stdout)] == ["running"]


def test_the_mission_sees_the_callers_world_without_its_overmind(headless):
    env = {"OVERMIND_MISSION_ID": "0badcafe", "OVERMIND_PARENT_ID": "0badcafe", "MINE": "yes", "CI": "true"}
    done = headless("run", "umask; pwd; env", env=env)
    shown = done.stdout.splitlines()
    found = dict(line.partition("=")[::2] for line in shown[2:])
    assert shown[:2] == [f"{os.umask(os.umask(0o022)) or 0o022:04o}", headless.overmind.home]
    assert found["MINE"] == "yes"
    assert found["CI"] == "true"
    assert found["OVERMIND_HOME"].startswith(headless.folder)
    assert found["OVERMIND_MISSION_ID"] != "0badcafe"
    assert "OVERMIND_PARENT_ID" not in found


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), 2, "Missing command"),
        (("ps",), 2, "unknown_command"),
        (("run",), 2, "empty_command"),
        (("run", "--nonsense", "true"), 2, "--nonsense"),
        (("--nonsense", "run", "true"), 2, "--nonsense"),
        (("--timeout", "soon", "run", "true"), 2, "soon"),
        (("run", "/does/not/exist", "x"), 1, "/does/not/exist"),
        (("run", "--cwd", "/does/not/exist", "true"), 1, "cwd_not_found"),
        (("--junit", "/dev/null/x", "run", "true"), 1, "/dev/null/x"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_left(headless, words, code, says):
    done = headless(*words)
    assert done.returncode == code
    assert without_waiting(done.stderr).startswith("Error: ")
    assert says in done.stderr
    assert done.stdout == ""
    assert headless.homes() == []


def test_the_work_has_no_stdin_to_wait_for(headless):
    assert headless("run", "cat; echo done", stdin="typed\n").stdout == "done\n"


def test_two_in_one_folder_do_not_meet(headless):
    runs = [headless.popen("run", "--name", "same", f"echo {word}; sleep 0.3; overmind ps -q | wc -l") for word in "ab"]
    shown = [run.communicate(timeout=30)[0].split() for run in runs]
    assert shown == [["a", "1"], ["b", "1"]]
    assert [run.returncode for run in runs] == [0, 0]


def test_restarts_are_counted_and_the_last_run_decides(headless, tmp_path):
    script = f"echo x >>{tmp_path}/n; test $(wc -l <{tmp_path}/n) -ge 3"
    done = headless("run", "--restart", "on-failure", "--backoff", "10", script)
    assert done.returncode == 0
    assert "2 restarts" in done.stderr


def test_a_timeout_ends_what_the_work_has_left_behind_too(headless, lock):
    left = shlex.quote(lock.wrap("trap : TERM; while :; do sleep 0.1; done"))
    done = headless("--timeout", "4s", "run", "--", f"overmind run --grace 10m -- {left}; sleep 1")
    assert done.returncode == 124
    assert "timed out after 4.0s" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--timeout", "0.7", "run"), ": timed out, "),
        (("run", "--timeout", "700ms"), ": timed out: it took longer than 0.7 seconds, "),
        (("--timeout", "1s", "run", "--restart", "always"), ": timed out, "),
    ],
)
def test_a_timeout_ends_it_with_124(headless, lock, words, said):
    done = headless(*words, "--", lock.wrap("echo on; sleep @"))
    assert done.returncode == 124
    assert "on\n" in done.stdout
    assert said in done.stderr
    assert not lock.held()


def test_what_the_work_starts_is_shown_with_names_and_ends_with_it(headless, lock):
    kid = lock.wrap("echo kid; sleep @").replace("'", "'\\''")
    wait = "while ! overmind logs kid | grep -q kid; do sleep 0.05; done"
    done = headless("run", "--name", "boss", f"overmind run --name kid '{kid}'; {wait}; echo boss; exit 4")
    assert done.returncode == 4
    assert {"boss | boss", "kid  | kid"} <= set(done.stdout.splitlines())
    assert re.search(r"^boss +failed +4 ", done.stderr, re.MULTILINE)
    assert re.search(r"^kid +stopped ", done.stderr, re.MULTILINE)
    assert not lock.held()


COLOUR = "printf '\\033[31mred\\033[0m\\033]0;title\\007\\033[?25l\\n'"


@pytest.mark.parametrize(
    ("env", "coloured"),
    [
        ({}, False),
        ({"CI": "true"}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"GITLAB_CI": "true"}, True),
    ],
)
def test_colours_go_where_they_are_welcome_and_nothing_else_gets_through(headless, env, coloured):
    shown = headless("run", COLOUR, env=env).stdout
    assert shown == ("\x1b[31mred\x1b[0m\n" if coloured else "red\n")


def test_a_terminal_gets_colours_and_everything_else(headless):
    with Terminal(headless.overmind, "--headless", "run", COLOUR, env={"TMPDIR": headless.folder}) as terminal:
        terminal.expect("\x1b\\[31mred\x1b\\[0m")
        terminal.expect("succeeded")
        assert terminal.end() == 0
    assert headless.homes() == []


def test_ctrl_c_on_a_terminal_ends_it_with_130(headless, lock):
    words = ("--headless", "run", lock.wrap("echo on; sleep @"))
    with Terminal(headless.overmind, *words, env={"TMPDIR": headless.folder}) as terminal:
        terminal.expect("on\n")
        terminal.interrupt()
        terminal.expect("interrupted by SIGINT")
        assert terminal.end() == 130
    assert not lock.held()


def test_a_reader_that_has_enough_ends_the_work_quietly(headless, lock):
    run = headless.popen("run", lock.wrap("while :; do echo y; sleep 0.05; done"))
    assert run.stdout.readline() == "y\n"
    run.stdout.close()
    assert run.wait(30) == 141
    assert "Traceback" not in run.stderr.read()
    assert not lock.held()


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_standard_files_are_no_obstacle(headless, closed, tmp_path):
    command = f'exec "$@" {closed}'
    words = ["/bin/sh", "-c", command, "sh", *PROGRAM, "--headless", "run", f"echo on >{tmp_path}/on; echo x; exit 7"]
    done = subprocess.run(words, env=headless.environment, cwd=headless.overmind.home)
    assert done.returncode == 7
    assert os.path.exists(tmp_path / "on")


@pytest.mark.linux
def test_a_full_disk_behind_stdout_is_told_and_ends_the_work(headless, lock):
    with open("/dev/full", "w") as full:
        run = headless.raw("run", lock.wrap("echo y; sleep @"), stdout=full, stderr=subprocess.PIPE)
        _, told = run.communicate(timeout=30)
    assert run.returncode == 1
    assert b"Standard output can't be written: No space left on device" in told
    assert not lock.held()


def test_output_comes_while_the_work_runs(headless):
    run = headless.popen("run", "echo first; sleep 60")
    assert run.stdout.readline() == "first\n"
    assert run.poll() is None
    run.send_signal(signal.SIGTERM)
    assert run.wait(30) == 143


def test_it_starts_with_few_files_allowed(headless):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))

    run = headless.raw("run", "ulimit -n", stdout=subprocess.PIPE, preexec_fn=few)
    assert run.communicate(timeout=30)[0] == b"128\n"


def test_a_run_shut_down_from_outside_says_so(headless, lock):
    run = headless.popen("run", lock.wrap("echo on; sleep @"))
    assert run.stdout.readline() == "on\n"
    env = {"OVERMIND_HOME": headless.one_home()}
    assert headless.overmind("shutdown", "-y", env=env).returncode == 0
    assert run.wait(30) != 0
    assert "Traceback" not in run.stderr.read()
    eventually(lambda: not lock.held())
