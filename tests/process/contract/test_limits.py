"""Where the machine says no: each mission that can't be started says why, and the others notice nothing."""

from __future__ import annotations

import os
import resource
import subprocess

import pytest

from tests.kit.killing import without_waiting
from tests.kit.overmind import PROGRAM
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

BROKEN = {
    "no interpreter": ("#!/no/such/interpreter\n", 0o755, "not_found"),
    "no program at all": ("just text\n", 0o755, "invalid"),
    "not executable": ("#!/bin/sh\n", 0o644, "not_found"),
    "empty": ("", 0o755, "invalid"),
}


@pytest.mark.parametrize(("content", "mode", "code"), BROKEN.values(), ids=BROKEN)
def test_a_program_that_can_not_be_executed_is_named_and_nothing_is_recorded(om, tmp_path, content, mode, code):
    om.ok("start")
    program = tmp_path / "broken"
    program.write_text(content)
    program.chmod(mode)
    assert "broken" in om.refused("run", str(program), "x", code=code)
    assert om.ps("--all") == []
    assert om.finished("echo well")["exit_code"] == 0


def test_an_environment_that_is_too_large_as_a_whole_is_refused(om):
    om.ok("start")
    environment = {f"NAME_{number}": "x" * 100_000 for number in range(80)}  # the kernel takes at most 6 MB
    with RawSocket.connect(om.home) as socket:
        answer = socket.request("run", command=["true"], cwd="/", env=environment)
    assert answer["error"] == "too_large", answer
    assert om.ps("--all") == []


@pytest.mark.own_home
@pytest.mark.parametrize("options", [(), ("--no-tty",)], ids=["terminal", "pipes"])
def test_at_the_limit_of_open_files_new_missions_are_refused_and_the_others_live_on(om, options):
    script = 'ulimit -n 100; exec "$@"'
    started = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *PROGRAM, "start"],
        env=om.environment,
        cwd=om.home,
        capture_output=True,
        text=True,
    )
    assert started.returncode == 0, started
    tried = [om("run", "--json", *options, "sleep 100") for _ in range(40)]
    missions = [finished for finished in tried if finished.returncode == 0]
    refused = [finished for finished in tried if finished.returncode]
    assert missions
    assert refused
    assert {finished.stderr.split(": ")[1] for finished in refused} == {"busy"}
    assert len(om.ps("--status", "running")) == len(missions)
    assert len(om.ps("--all")) == len(missions)
    om.ok("stop", *om.ok("ps", "-q").split()[:5])
    assert om.finished("echo room again", *options)["exit_code"] == 0


@pytest.mark.own_home
def test_more_clients_than_files_are_told_to_come_again_and_end_nothing(om):
    command = ["/bin/sh", "-c", 'ulimit -n 100; exec "$@"', "sh", *PROGRAM, "start"]
    subprocess.run(command, env=om.environment, cwd=om.home, stdout=subprocess.DEVNULL, check=True)
    mission = om.mission("sleep 100")
    idle = [RawSocket.connect(om.home) for _ in range(150)]
    assert idle[-1].read_line()["error"] == "busy"
    assert idle[0].ok("info", id=mission)["status"] == "running"
    for socket in idle:
        socket.close()
    eventually(lambda: om("ps").returncode == 0, what="there is room again")
    assert om.info(mission)["status"] == "running"
    assert om.finished("true")["exit_code"] == 0
    assert os.path.getsize(om.path("daemon.log")) < 10_000


def test_a_mission_has_the_callers_limit_of_open_files_not_the_keepers(om):
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    info = om.finished("ulimit -n")
    assert om.logs(info["id"]) == f"{soft}\n"


def test_a_fork_limit_is_an_error_of_that_mission_alone(om):
    """A mission that may start no process fails by itself."""
    info = om.finished("ulimit -u 1; setpriv --reuid 65534 --clear-groups sh -c 'true | true'; exit 7")
    assert info["exit_code"] == 7
    assert om.finished("true")["exit_code"] == 0


def test_a_hundred_thousand_bytes_of_arguments_in_many_words_arrive(om):
    words = [f"{number:05}" for number in range(20_000)]
    assert om.ok("run", "--wait", "--no-tty", "sh", "-c", "echo $#", "sh", *words) == "20000\n"


def test_the_signals_that_the_caller_ignores_are_not_ignored_by_the_mission(om):
    """What nohup or a test runner ignores, a mission does not."""
    command = ["/bin/sh", "-c", "trap '' INT HUP PIPE USR1; exec \"$@\"", "sh", *PROGRAM, "run", "--wait"]
    script = "grep SigIgn /proc/self/status; grep SigBlk /proc/self/status"
    finished = subprocess.run(
        [*command, script], env=om.environment, cwd=om.home, capture_output=True, text=True, timeout=60
    )
    ignored, blocked = (int(line.split()[1], 16) for line in finished.stdout.splitlines())
    assert ignored & (1 << 31) - 1 == 0, "the first 31; the C library ignores two of its own"
    assert blocked == 0


def test_a_program_with_a_name_that_is_no_utf8_is_refused_like_any_other(om, tmp_path):
    mission = om.mission("sleep 100")
    program = os.fsencode(tmp_path) + b"/broken\xff"
    with open(program, "wb") as file:
        file.write(b"#!/no/such/interpreter\n")
    os.chmod(program, 0o755)
    command: list[str | bytes] = [*PROGRAM, "run", program, "x"]
    finished = subprocess.run(command, env=om.environment, cwd=om.home, capture_output=True, text=True, timeout=60)
    assert finished.returncode == 1
    assert without_waiting(finished.stderr).startswith("Error: not_found: ")
    assert "broken\\xff" in finished.stderr
    assert om.info(mission)["status"] == "running"
    assert om.finished("true")["exit_code"] == 0
