"""What `stop` and `kill` do, say and leave behind; deaths from outside; background processes that may stay."""

from __future__ import annotations

import os
import signal
import time

import pytest

from overmind_core.domain.text.moment import parse_time
from tests.kit.killing import without_waiting
from tests.kit.overmind import FINAL
from tests.kit.processes import alive
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.linux, pytest.mark.shared_home]

SLEEPY = "while :; do sleep 0.02; done"


def said(om, mission, text):
    """Wait for a line of the mission's log: its command has come that far."""
    eventually(lambda: text in om.logs(mission), what=f"{text!r} in the log")


# --- stop and kill ------------------------------------------------------------------------------------------------


def test_stop_and_kill_say_what_they_ended(om):
    one, other = om.mission("sleep 60"), om.mission("sleep 60")
    assert om.ok("stop", one) == f"Stopped mission {one}\n"
    assert om.ok("kill", other) == f"Killed mission {other}\n"
    assert om.info(one)["status"] == "stopped"
    assert om.info(other)["status"] == "killed"
    assert [row["id"] for row in om.ps()] == [one], "what was killed is hidden"
    assert {row["id"] for row in om.ps("--all")} == {one, other}


ENDS = [
    # what runs, options of `run`, exit code after a stop
    ("exec sleep 60", [], 143),
    ("trap 'exit 7' TERM; echo ready; " + SLEEPY, [], 7),
    ("trap 'exit 0' TERM; echo ready; " + SLEEPY, [], 0),
    ("trap '' TERM; echo ready; " + SLEEPY, ["--grace", "200ms"], 137),
    ("trap 'exit 3' INT; trap '' TERM; echo ready; " + SLEEPY, ["--stop-signal", "INT"], 3),
    ("trap 'exit 4' HUP; echo ready; " + SLEEPY, ["--stop-signal", "SIGHUP"], 4),
]


@pytest.mark.parametrize(("command", "options", "code"), ENDS)
def test_a_stopped_mission_has_the_exit_code_of_its_process(om, command, options, code):
    mission = om.mission(command, *options)
    if "ready" in command:
        said(om, mission, "ready")
    om.ok("stop", mission)
    info = om.info(mission)
    assert (info["status"], info["reason"], info["exit_code"]) == ("stopped", None, code)


STUBBORN = {
    "its process": f"trap '' TERM; echo ready; {SLEEPY}",
    "what it has started": f"(trap '' TERM; setsid sh -c '{SLEEPY}' & echo ready); exec sleep 60",
}
KILLED = "did not end within 0.3 seconds of its stop signal, so it was killed"


@pytest.mark.parametrize("command", STUBBORN.values(), ids=STUBBORN)
def test_who_had_to_be_killed_is_said_by_the_command_the_log_and_why(om, command):
    mission = om.mission(command, "--grace", "300ms", "--name", "stubborn")
    said(om, mission, "ready")
    stopped = om("stop", mission)
    assert (stopped.returncode, stopped.stdout) == (0, f"Stopped mission {mission}\n")
    assert stopped.stderr == f"stubborn {KILLED}\n"
    assert om.logs(mission).splitlines()[-1] == f"--- {KILLED} ---"
    assert om.ok("why", mission) == f"stubborn ({mission}): stopped: it {KILLED}\n"
    assert f"it {KILLED}" in om.ok("describe", mission)
    assert om.info(mission)["killed_after_seconds"] == 0.3


def test_a_restart_says_that_the_run_before_had_to_be_killed(om):
    mission = om.mission(STUBBORN["its process"], "--grace", "300ms", "--name", "stubborn")
    said(om, mission, "ready")
    assert om("restart", mission).stderr == f"stubborn {KILLED}\n"
    om.ok("kill", mission)


def test_who_is_asked_to_end_has_the_moment_of_its_kill(om):
    mission = om.mission(STUBBORN["its process"], "--grace", "10m")
    said(om, mission, "ready")
    assert om.info(mission)["kill_at"] is None
    stop = om.popen("stop", mission)
    moment = eventually(lambda: om.info(mission)["kill_at"], what="it is asked to end")
    assert abs(parse_time(moment, time.time()) - time.time() - 600) < 30
    om.ok("kill", mission)
    stop.communicate(timeout=30)


def test_what_a_mission_writes_while_it_stops_is_in_its_log(om):
    mission = om.mission(f"trap 'echo saving; sleep 0.2; echo saved; exit 0' TERM; echo ready; {SLEEPY}")
    said(om, mission, "ready")
    om.ok("stop", mission)
    assert om.logs(mission).splitlines()[-2:] == ["saving", "saved"]


def test_every_process_gets_the_stop_signal_not_only_the_first(om):
    child = "trap 'echo child $0 stopped; exit 0' TERM; echo ready $0; " + SLEEPY
    mission = om.mission(f"for i in 1 2 3; do setsid sh -c '{child.replace(chr(39), chr(34))}' $i & done; wait; wait")
    for number in "123":
        said(om, mission, f"ready {number}")
    om.ok("stop", mission)
    log = om.logs(mission)
    assert all(f"child {number} stopped" in log for number in "123"), log


@pytest.mark.parametrize("how", ["stop", "restart", "timeout"])
def test_a_script_that_a_shell_runs_on_a_terminal_has_its_grace(om, tmp_path, how):
    script = tmp_path / "save.sh"
    let_go = tmp_path / "go"
    script.write_text(f"""#!/bin/bash
trap 'echo saving; until test -e {let_go}; do sleep 0.05; done; echo saved; exit 0' TERM
echo ready
{SLEEPY}
""")
    script.chmod(0o755)
    mission = om.mission(f"cd . && {script}", *(("--timeout", "1s") if how == "timeout" else ()))
    said(om, mission, "ready")
    asked = None if how == "timeout" else om.popen("restart" if how == "restart" else "stop", mission)
    said(om, mission, "saving")
    let_go.write_text("")
    said(om, mission, "saved")
    if asked is not None:
        asked.communicate(timeout=30)
    if how != "restart":
        om.wait_status(mission, *FINAL)
    assert "killed" not in om.logs(mission)


def test_a_stop_with_a_shorter_grace_than_the_missions_own(om):
    mission = om.mission("trap '' TERM; echo ready; " + SLEEPY, "--grace", "10m")
    said(om, mission, "ready")
    om.ok("stop", mission, "--grace", "100ms", timeout=30)
    assert om.info(mission)["exit_code"] == 137


def test_a_kill_does_not_wait_for_the_grace_of_a_stop_that_is_under_way(om):
    mission = om.mission("trap 'echo stopping' TERM; echo ready; " + SLEEPY, "--grace", "10m")
    said(om, mission, "ready")
    stop = om.popen("stop", mission)
    said(om, mission, "stopping")
    om.ok("kill", mission, timeout=30)
    stop.communicate(timeout=30)
    assert om.info(mission)["status"] == "killed"


def test_a_frozen_mission_can_be_stopped(om):
    mission = om.mission(f"trap 'exit 5' TERM; echo ready; {SLEEPY}")
    said(om, mission, "ready")
    om.ok("freeze", mission)
    assert om.info(mission)["status"] == "paused"
    om.ok("stop", mission, timeout=30)
    assert (om.info(mission)["status"], om.info(mission)["exit_code"]) == ("stopped", 5)


def test_five_stops_at_once_all_succeed(om):
    mission = om.mission(f"trap 'sleep 0.3; exit 0' TERM; echo ready; {SLEEPY}")
    said(om, mission, "ready")
    clients = [om.popen("stop", mission) for _ in range(5)]
    outputs = [client.communicate(timeout=30) for client in clients]
    assert {client.returncode for client in clients} <= {0, 1}
    for client, (out, err) in zip(clients, outputs, strict=True):
        assert out == f"Stopped mission {mission}\n" if client.returncode == 0 else "not_running" in err
    assert any(client.returncode == 0 for client in clients)


def test_of_several_one_that_has_ended_fails_and_the_others_are_stopped(om):
    ended, live = om.finished("true")["id"], om.mission("sleep 60")
    finished = om("stop", ended, live)
    assert finished.returncode == 1
    assert finished.stdout == f"Stopped mission {live}\n"
    assert without_waiting(finished.stderr).startswith("Error: not_running: ")


def test_what_has_ended_can_not_be_stopped_but_hidden(om):
    info = om.finished("exit 3")
    assert info["id"] in om.refused("stop", info["id"], code="not_running")
    om.ok("kill", info["id"])
    after = om.info(info["id"])
    assert after == {**info, "hidden": True}, "it keeps how it ended"
    assert after["runs"][0]["exit_code"] == 3, "the run keeps its true code"
    assert om.ps() == []
    assert om("kill").returncode == 2
    assert "Missing id" in om("kill").stderr


@pytest.mark.own_home
def test_a_stop_is_finished_by_the_next_supervisor(om, lock):
    mission = om.mission(lock.wrap("trap 'echo stopping' TERM; sleep @ & echo ready; " + SLEEPY), "--grace", "1s")
    said(om, mission, "ready")
    om.popen("stop", mission)
    said(om, mission, "stopping")
    os.kill(om.supervisor_pid(), signal.SIGKILL)
    assert om.wait_status(mission, "stopped", "crashed", "killed")["status"] == "stopped"
    assert not lock.held(), lock.holders()


# --- shells and sessions ------------------------------------------------------------------------------------------

SHELLS = {
    # options, what runs on the terminal; the shell's rc file starts two more
    "a session with an interactive shell": (["--type", "session"], "sleep @ & exec bash --rcfile {rc} -i"),
    "a session with a shell in a shell": (["--type", "session"], "sleep @ & bash --rcfile {rc} -i; true"),
    "a session with a shell that hears no HUP": (["--type", "session"], "trap '' HUP; sleep @ & bash --rcfile {rc} -i"),
    "an interactive task": (["--interactive"], "sleep @ & exec bash --rcfile {rc} -i"),
}


@pytest.mark.parametrize("end", [["stop"], ["kill"], ["shutdown", "-y"]], ids=lambda words: words[0])
@pytest.mark.parametrize(("options", "command"), SHELLS.values(), ids=SHELLS)
def test_shells_and_their_jobs_end(om, lock, tmp_path, options, command, end):
    rc = tmp_path / "rc"
    rc.write_text(f"sleep {lock.word} & disown -h\nsetsid sleep {lock.word} &\n")
    mission = om.mission(lock.wrap(command.format(rc=rc)), *options, "--grace", "500ms")
    lock.grown(3)
    om.ok(*end, *([mission] if end[0] != "shutdown" else []))
    assert not lock.held(), lock.holders()


@pytest.mark.parametrize("command", ["exec bash --norc -i", "bash --norc -i; true"])
def test_a_session_with_a_shell_stops_long_before_its_grace_is_over(om, command):
    mission = om.mission(f"export PS1=ready; {command}", "--type", "session", "--grace", "10m")
    said(om, mission, "ready")
    om.ok("stop", mission, timeout=30)
    assert om.info(mission)["status"] == "stopped"


# --- deaths from outside ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, 137), (signal.SIGTERM, 143), (signal.SIGSEGV, 139)])
def test_a_mission_that_somebody_else_killed_crashed_with_128_and_the_signal(om, lock, number, code):
    mission = om.mission(lock.wrap("sleep @ & setsid sleep @ & wait"))
    lock.grown(2)
    os.kill(om.pid(mission), number)
    info = om.wait_status(mission, "crashed")
    assert (info["exit_code"], info["reason"], info["restart_count"]) == (code, None, 0)
    assert not lock.held(), lock.holders()


def test_the_policy_answers_a_kill_from_outside(om):
    mission = om.mission("exec sleep 60", "--restart", "on-failure", "--backoff", "10ms")
    first = om.pid(mission)
    os.kill(first, signal.SIGKILL)
    info = eventually(lambda: (i := om.info(mission))["status"] == "running" and i["restart_count"] == 1 and i)
    assert info["os_pid"] != first
    assert [run["exit_code"] for run in info["runs"]] == [137, None]
    assert info["runs"][0]["signal"] == 9


# --- what may stay ------------------------------------------------------------------------------------------------


LEAVE = "trap '' HUP; (setsid sleep @ >/dev/null 2>&1 &)"
"""Deaf to the hang-up that may come before it has left the terminal."""


def test_a_natural_end_takes_background_processes_along_and_logs_them(om, lock):
    mission = om.mission(lock.wrap("trap '' HUP; (setsid sleep @ &); sleep @ & echo done; exit 0"))
    info = om.wait_status(mission, "stopped", "crashed")
    assert not lock.held(), lock.holders()
    assert (info["status"], info["exit_code"]) == ("stopped", 0)
    assert f"sleep {lock.word}" in om.logs(mission)


def test_with_leave_background_they_outlive_a_natural_end_only(om, lock):
    mission = om.mission(lock.wrap(f"{LEAVE}; exit 0"), "--leave-background")
    assert om.wait_status(mission, "stopped", "crashed")["status"] == "stopped"
    lock.grown(1)
    for end in ("stop", "kill"):
        running = om.mission(lock.wrap("(setsid sleep @ &); sleep @"), "--leave-background")
        lock.grown(3)
        om.ok(end, running)
        assert len(lock.living()) == 1, "of the other mission"


def left_by(om, lock, name):
    """The line in `info` of the one process that a mission has left, which wears nothing that tells whose it is."""
    om.mission(
        lock.wrap("trap '' HUP; (setsid env -i /bin/sleep @ >/dev/null 2>&1 &); exit 0"),
        "--leave-background", "--name", name,
    )  # fmt: skip
    om.wait_status(name, "stopped", "crashed")
    (pid,) = lock.grown(1)
    return f"{pid} /bin/sleep {lock.word}"


def test_what_was_left_in_the_background_is_named_and_ended_by_kill(om, lock):
    line = left_by(om, lock, "leaver")
    assert om.info("leaver")["background"] == [line]
    eventually(lambda: f"--- left in the background: {line} ---" in om.logs("leaver"), what="the line in the log")
    assert f"Ended what it had left in the background: {line}\n" in om.ok("kill", "leaver")
    assert not lock.held(), lock.holders()
    assert om.info("leaver")["background"] == []
    assert om.logs("leaver").endswith(f"--- ended in the background: {line} ---\n")


def test_a_record_stays_as_long_as_what_it_has_left_goes_on(om, lock):
    line = left_by(om, lock, "kept")
    mission = om.info("kept")["id"]
    way = "End them with: overmind kill kept"
    refused = om("rm", "kept")
    told = f"Processes go on in the background: kept has {line}. {way}, or with the record: overmind rm --force kept\n"
    assert (refused.returncode, refused.stderr) == (1, f"Error: not_finished: {told}")
    pruned = om("prune", "-y")
    told = f"Mission {mission} (kept) is kept, as its processes go on in the background: {line}. {way}\n"
    assert (pruned.returncode, pruned.stderr) == (0, told)
    assert lock.living()
    removed = om("rm", "--force", "kept")
    told = f"Ended what it had left in the background: {line}\n"
    assert (removed.returncode, removed.stdout, removed.stderr) == (0, f"Removed mission {mission}\n", told)
    assert not lock.held(), lock.holders()


def test_run_with_rm_keeps_a_mission_that_has_left_something(om, lock):
    script = lock.wrap("trap '' HUP; (setsid /bin/sleep @ >/dev/null 2>&1 &); exit 0")
    ran = om("run", "--rm", "--wait", "--leave-background", "--name", "once", script)
    (pid,) = lock.grown(1)
    assert ran.returncode == 0
    assert f"once has {pid} /bin/sleep" in ran.stderr
    assert "overmind rm --force" in ran.stderr
    om.ok("rm", "-f", "once")
    assert not lock.held(), lock.holders()


@pytest.mark.own_home
def test_shutdown_says_what_goes_on_and_the_next_daemon_ends_it_below_another_keeper(om, lock):
    line = left_by(om, lock, "outlives")
    ended = om("shutdown", "-y")
    told = f"Processes of outlives go on in the background: {line}. End them with: overmind kill outlives\n"
    assert (ended.returncode, ended.stderr) == (0, told)
    om.ok("start")
    assert om.info("outlives")["background"] == [line]
    om.ok("kill", "outlives")
    assert not lock.held(), lock.holders()


@pytest.mark.own_home
def test_the_command_that_shutdown_names_for_what_goes_on_needs_no_start_before_it(om, lock):
    line = left_by(om, lock, "outlives")
    said = om("shutdown", "-y").stderr.rstrip()
    command = said.partition("End them with: overmind ")[2].split()
    assert f"Ended what it had left in the background: {line}\n" in om.ok(*command)
    assert not lock.held(), lock.holders()


def test_a_stop_also_ends_what_earlier_runs_left_behind(om, lock):
    mission = om.mission(
        lock.wrap(f"{LEAVE}; exit 0"),
        "--leave-background", "--restart", "always", "--max-restarts", "0", "--backoff", "50ms",
    )  # fmt: skip
    lock.grown(3)
    om.ok("kill", mission)
    assert not lock.held(), lock.holders()


@pytest.mark.own_home
def test_programs_on_the_list_outlive_every_end(om, lock, tmp_path):
    server = tmp_path / "patient-server"
    server.write_text('#!/bin/sh\nsleep "$1"\nexit 0\n')
    server.chmod(0o755)
    with open(om.path("config.toml"), "w") as config:
        config.write('[sweep]\nleave = ["patient-server"]\n')
    for number, end in enumerate(("stop", "kill")):
        mission = om.mission(lock.wrap(f"(setsid {server} @ &); (setsid sleep @ &); sleep @"))
        lock.grown(number * 2 + 4)
        om.ok(end, mission)
        assert len(lock.living()) == number * 2 + 2, "each server with its child"
    go = tmp_path / "go"
    wait = f"exec sh -c 'until test -e {go}; do sleep 0.02; done'"
    mission = om.mission(lock.wrap(f"(setsid {server} @ >/dev/null 2>&1 &); (setsid sleep @ &); {wait}"))
    lock.grown(7)
    go.touch()
    assert om.wait_status(mission, "stopped", "crashed")["status"] == "stopped"
    eventually(lambda: len(lock.living()) == 6)


# --- what can't be ended ------------------------------------------------------------------------------------------


@pytest.fixture
def freezer():
    """A control group whose members not even SIGKILL ends as long as it is frozen."""
    folder = f"/sys/fs/cgroup/freezer/overmind-test-{os.getpid()}"
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("no freezer (cgroup v1) to be had here")

    def freeze(pid, state):
        if pid:
            write(f"{folder}/cgroup.procs", str(pid))
        write(f"{folder}/freezer.state", state)

    yield freeze
    write(f"{folder}/freezer.state", "THAWED")
    eventually(lambda: remove(folder), what="an empty group")


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def remove(folder):
    try:
        os.rmdir(folder)
    except OSError:
        return False
    return True


def test_what_can_not_be_ended_is_named_and_the_mission_is_over(om, lock, freezer):
    mission = om.mission(lock.wrap("(setsid sleep @ >/dev/null 2>&1 &); exec sleep @"))
    (stuck,) = lock.grown(2) - {om.pid(mission)}
    freezer(stuck, "FROZEN")
    began = time.monotonic()
    message = om.refused("kill", mission, code="survivors")
    assert time.monotonic() - began < 20
    assert f"{stuck} sleep {lock.word}" in message
    info = om.info(mission)
    assert info["status"] == "killed"
    assert info["survivors"] == [f"{stuck} sleep {lock.word}"]
    assert f"could not be ended: {stuck} sleep" in om.logs(mission)
    freezer(0, "THAWED")
    eventually(lambda: not alive(stuck), what="the signal arrives at last")
