"""The daemon's own commands, and when a daemon is started, needed or missed."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys

import pytest

from overmind_core.system.lock import try_lock
from overmind_core.system.paths import Home
from overmind_core.system.web_server import lock_web_server
from tests.kit.fake_daemon import FakeDaemon
from tests.kit.killing import without_waiting
from tests.kit.overmind import PROGRAM
from tests.kit.processes import alive, of_home
from tests.kit.waiting import eventually

LOOK = [
    ("status",), ("ps",), ("info", "x"), ("logs",), ("logs", "x"), ("stop", "x"), ("kill", "x"), ("kill", "--all"),
    ("signal", "x", "HUP"), ("freeze", "x"), ("thaw", "x"), ("update", "x", "--name", "y"), ("rm", "x"), ("prune",),
    ("wait", "x"), ("top",), ("events",), ("subscribe", "x"), ("monitor",),
]  # fmt: skip
MISSING = "Error: daemon_not_running: Daemon not running. Start with: overmind start\n"


def test_start_says_that_it_started_and_with_which_pid(om):
    assert om.ok("start") == f"Daemon started (PID {om.supervisor_pid()})\n"


def test_a_second_start_says_that_it_is_already_running(om):
    om.ok("start")
    assert om.ok("start") == f"Daemon is already running (PID {om.supervisor_pid()})\n"


def daemons(om):
    """The supervisors there are, with one that has given up its lock and ends."""
    return [one for one in of_home(om.home) if "overmind_core.daemon" in one]


def test_ten_starts_at_once_make_one_daemon(om):
    clients = [om.popen("start") for _ in range(10)]
    said = [client.communicate(timeout=60) for client in clients]
    assert [client.returncode for client in clients] == [0] * 10, said
    pids = {re.search(r"\(PID (\d+)\)", out).group(1) for out, _ in said}  # type: ignore[union-attr]
    assert pids == {str(om.supervisor_pid())}
    assert sum(out.startswith("Daemon started") for out, _ in said) == 1
    eventually(lambda: len(daemons(om)) == 1)
    assert len([one for one in of_home(om.home) if "overmind_core.keeper" in one]) == 1


def test_ten_runs_at_once_without_a_daemon_make_one_daemon_and_ten_missions(om):
    clients = [om.popen("run", "--json", "true") for _ in range(10)]
    said = [client.communicate(timeout=60) for client in clients]
    assert [client.returncode for client in clients] == [0] * 10, said
    assert len({json.loads(out)["id"] for out, _ in said}) == 10
    assert len(om.ps()) == 10
    eventually(lambda: len(daemons(om)) == 1)


@pytest.mark.parametrize(
    "words",
    [
        ("start",),
        ("run", "true"),
        ("ps",),
        ("status",),
        ("start", "--replace"),
        ("shutdown", "-y"),
        ("shutdown", "--keep"),
    ],
    ids=" ".join,
)
def test_two_of_a_command_at_once_both_end_well(om, words):
    om.ok("start")
    clients = [om.popen(*words) for _ in range(2)]
    for client in clients:
        out, err = client.communicate(timeout=60)
        assert client.returncode == 0, (out, err)
    eventually(lambda: len(daemons(om)) == (0 if words[0] == "shutdown" else 1))


@pytest.mark.parametrize("words", LOOK, ids=" ".join)
def test_a_command_that_looks_at_missions_misses_the_daemon(om, words):
    finished = om(*words)
    status = 3 if words[0] == "wait" else 1
    assert (finished.returncode, finished.stdout, finished.stderr) == (status, "", MISSING)
    assert of_home(om.home) == []


def test_a_home_that_was_never_made_has_no_daemon(om):
    elsewhere = om.path("never", "made")
    finished = om("ps", env={"OVERMIND_HOME": elsewhere})
    assert (finished.returncode, finished.stderr) == (1, MISSING)
    assert not os.path.exists(elsewhere)


def test_run_starts_a_daemon_and_says_so_in_one_line_on_stderr(om):
    finished = om.run("true")
    assert finished.returncode == 0
    assert without_waiting(finished.stderr) == f"Daemon started (PID {om.supervisor_pid()})\n"
    assert om.run("true").stderr == ""


def test_a_command_brings_a_daemon_back_when_a_keeper_lives_without_one(om):
    mission = om.mission("sleep 100")
    pid = om.pid(mission)
    om.ok("shutdown", "--keep")
    assert om.locked_by("supervisor.lock") is None
    finished = om("ps", "--json")
    assert finished.returncode == 0, finished.stderr
    assert without_waiting(finished.stderr) == f"Daemon started (PID {om.supervisor_pid()})\n"
    assert [row["status"] for row in json.loads(finished.stdout)] == ["running"]
    assert om.pid(mission) == pid


@pytest.mark.parametrize("words", [("ps",), ("run", "sleep 100"), ("start",)])
def test_a_daemon_comes_back_for_missions_that_live_in_spite_of_a_mistake_in_its_settings(om, words):
    mission = om.mission("sleep 100")
    om.ok("shutdown", "--keep")
    with open(om.path("config.toml"), "w", encoding="utf-8") as file:
        file.write("[nosuchtable]\n")
    om.ok(*words)
    assert om.info(mission)["status"] == "running"
    assert "nosuchtable" in om.ok("status")
    refused = om("start", "--replace")
    assert (refused.returncode, "nosuchtable" in refused.stderr) == (1, True)
    om.ok("shutdown", "--yes")
    assert om(*words).returncode == 1  # nothing lives that would suffer from it


def test_a_stale_socket_and_stale_locks_are_no_obstacle(om):
    om.ok("start")
    daemon, keeper = om.supervisor_pid(), om.keeper_pid()
    os.kill(keeper, signal.SIGSTOP)  # so that it can't bring the daemon back
    os.kill(daemon, signal.SIGKILL)
    os.kill(keeper, signal.SIGKILL)
    eventually(lambda: not alive(daemon) and not alive(keeper))
    assert os.path.exists(om.path("overmind.sock"))
    assert os.path.exists(om.path("supervisor.lock"))
    assert om.ok("start").startswith("Daemon started")
    assert om.finished("echo back")["exit_code"] == 0


def test_something_else_in_the_place_of_the_socket_is_no_obstacle(om):
    with open(om.path("overmind.sock"), "w") as file:
        file.write("not a socket")
    assert om.ok("start").startswith("Daemon started")
    assert om.ps() == []


def test_start_in_the_foreground_is_the_daemon_itself(om):
    client = om.popen("start", "--foreground")
    eventually(lambda: om("status").returncode == 0)
    assert om.supervisor_pid() == client.pid
    assert om.ok("start", "--foreground") == f"Daemon is already running (PID {client.pid})\n"
    om.ok("shutdown", "-y")
    assert client.wait(timeout=20) == 0


def test_replace_puts_another_daemon_in_the_place_of_the_first(om):
    mission = om.mission("sleep 100")
    pid, before = om.pid(mission), om.supervisor_pid()
    assert om.ok("start", "--replace") == f"Daemon replaced (PID {om.supervisor_pid()})\n"
    assert om.supervisor_pid() != before
    info = om.info(mission)
    assert (info["status"], info["os_pid"], info["restart_count"]) == ("running", pid, 0)


@pytest.mark.parametrize("agrees", [True, False])
def test_replace_asks_the_daemon_before_to_leave_once_the_next_one_waits_for_its_place(om, agrees):
    lock = try_lock(om.path("supervisor.lock"))
    assert lock is not None
    waiting: list[str] = []

    def leave(_):
        waiting.extend(one for one in of_home(om.home) if f"--after {os.getpid()}" in one)
        if not agrees:
            return [{"error": "busy", "message": "not now"}]
        lock.release()
        return [{"ok": {}}]

    with FakeDaemon(Home(om.home), leave):
        finished = om("start", "--replace")
    assert len(waiting) == 1
    if agrees:
        assert finished.stdout == f"Daemon replaced (PID {om.supervisor_pid()})\n"
        assert waiting[0].startswith(f"{om.supervisor_pid()} ")
    else:
        assert (finished.returncode, finished.stderr) == (1, "Error: busy: not now\n")
        eventually(lambda: not alive(int(waiting[0].split()[0])), what="it waits no longer")
        lock.release()


def test_replace_is_not_content_with_a_daemon_that_was_faster(om):
    """It may be of the version before: a client of that one, left without a daemon, starts its own."""
    lock = try_lock(om.path("supervisor.lock"))
    assert lock is not None
    faster = []

    def leave(_):
        socket_before = os.stat(om.path("overmind.sock")).st_ino
        lock.release()
        faster.append(om.popen("start", "--foreground"))
        eventually(lambda: os.stat(om.path("overmind.sock")).st_ino != socket_before, what="the faster one listens")
        return [{"ok": {}}]

    with FakeDaemon(Home(om.home), leave) as before:
        assert om.ok("start", "--replace") == f"Daemon replaced (PID {om.supervisor_pid()})\n"
    assert [request["cmd"] for request in before.requests] == ["shutdown"]
    assert [one.wait(timeout=20) for one in faster] == [0]


def test_shutdown_stops_every_mission_then_the_daemon(om):
    pids = [om.pid(om.mission("sleep 100")) for _ in range(3)]
    finished = om("shutdown")
    assert (finished.returncode, finished.stdout, without_waiting(finished.stderr)) == (0, "Daemon stopped\n", "")
    assert not any(map(alive, pids))
    eventually(lambda: not of_home(om.home))


def test_shutdown_gives_all_missions_one_grace_in_parallel(om):
    stubborn = "trap '' TERM HUP; while :; do sleep 0.1; done"
    for _ in range(4):
        om.mission(stubborn, "--grace", "2s")
    eventually(lambda: len(om.ps("--status", "running")) == 4)
    om.ok("shutdown", timeout=7)
    eventually(lambda: not of_home(om.home), what="nobody is left")


def test_shutdown_with_keep_leaves_the_missions_alive_for_the_next_daemon(om):
    mission = om.mission("sleep 100")
    pid = om.pid(mission)
    assert om.ok("shutdown", "--keep") == "Daemon stopped\n"
    assert alive(pid)
    eventually(lambda: om.holder("supervisor.lock") is None, what="its process has ended")
    om.ok("start")
    assert (om.info(mission)["status"], om.pid(mission)) == ("running", pid)


@pytest.mark.parametrize("keep", [(), ("--keep",)])
def test_shutdown_says_that_the_web_server_goes_on_also_where_no_daemon_runs(om, keep):
    om.ok("start")
    lock = lock_web_server(Home(om.home))
    assert lock is not None
    line = f"The web server (PID {os.getpid()}) goes on. End it with: overmind web stop"
    try:
        for words in ("Daemon stopped\n", "Daemon is not running\n"):
            ended = om("shutdown", *keep)
            assert (ended.returncode, ended.stdout, ended.stderr) == (0, words, f"{line}\n"), keep
            if keep:
                om.ok("shutdown")
        assert om.json("shutdown", *keep, "--json") == {"stopped": 0, "kept": 0, "note": line}
    finally:
        lock.release()


def test_an_upgrade_says_nothing_of_the_web_server(om):
    om.ok("start")
    lock = lock_web_server(Home(om.home))
    assert lock is not None
    try:
        replaced = om("start", "--replace")
    finally:
        lock.release()
    assert (replaced.returncode, without_waiting(replaced.stderr)) == (0, "")


def test_a_daemon_that_comes_for_a_keeper_which_has_left_starts_no_other(om):
    """A keeper starts one after a crash; who was faster than that one may have been shut down when it has loaded."""
    om.ok("start")
    keeper = om.keeper_pid()
    om.ok("shutdown")
    late = [sys.executable, "-P", "-m", "overmind_core.daemon", "--home", om.home, "--keeper", str(keeper)]
    assert subprocess.run(late, env=om.environment, capture_output=True, timeout=60).returncode == 1
    eventually(lambda: not of_home(om.home))


@pytest.mark.parametrize("words", [("shutdown",), ("shutdown", "--keep")], ids=" ".join)
def test_shutdown_with_nothing_there_says_so_and_succeeds(om, words):
    finished = om(*words)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "not running" in finished.stdout


def test_finished_missions_answer_after_a_shutdown_and_start(om):
    mission = om.mission("echo kept; exit 3", "--name", "kept", "--label", "a=b")
    om("wait", mission)
    before = om.info(mission)
    om.ok("shutdown")
    om.ok("start")
    assert om.info(mission) == before
    assert [row["id"] for row in om.ps()] == [mission]
    assert om.logs("kept") == "kept\n"
    waited = om("wait", mission)
    assert (waited.returncode, waited.stdout) == (3, f"Mission {mission} finished: crashed (exit code 3): failed\n")


def test_status_names_daemon_keeper_home_and_counts(om):
    live = om.mission("sleep 100")
    om.finished("true")
    om.finished("false")
    om.ok("kill", om.mission("sleep 100"))
    lines = dict(re.findall(r"^(\S.*?):\s+(.*)$", om.ok("status"), re.MULTILINE))
    assert (lines["Daemon"], lines["PID"]) == ("running", str(om.supervisor_pid()))
    assert re.fullmatch(r"\d+\.\d+\.\d+", lines["Version"])
    assert lines["Home"] == os.path.realpath(om.home)
    assert re.fullmatch(r"\d+[smhd]", lines["Uptime"])
    assert re.fullmatch(r"[\d.]+ [KMG]B", lines["Memory"])
    assert f"PID {om.keeper_pid()}" in lines["Keeper"]
    counts = {name: lines[name] for name in ("Running", "Stopped", "Crashed", "Killed", "Total")}
    assert counts == {"Running": "1", "Stopped": "1", "Crashed": "1", "Killed": "1", "Total": "4"}
    om.ok("freeze", live)
    assert "Running:  1" in om.ok("status"), "a frozen mission is live too"


def test_status_as_json_carries_the_same_with_units_in_the_names(om):
    om.finished("echo x")
    facts = om.json("status", "--json")
    assert facts["pid"] == om.supervisor_pid()
    assert facts["home"] == os.path.realpath(om.home)
    assert facts["keeper"]["pid"] == om.keeper_pid()
    assert facts["missions"]["stopped"] == 1
    assert facts["missions"]["running"] == 0
    assert facts["missions"]["total"] == 1
    assert facts["memory_bytes"] > 1_000_000
    assert facts["log_bytes"] >= 2
    assert 0 <= facts["uptime_seconds"] < 120
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", facts["started_at"])


def test_a_daemon_started_from_inside_a_mission_survives_that_mission(make_home):
    outer, inner = make_home(), make_home()
    start = shlex.join(["env", f"OVERMIND_HOME={inner.home}", *PROGRAM, "start"])
    mission = outer.mission(f"{start}; sleep 100")
    eventually(lambda: inner("status").returncode == 0)
    daemon, keeper = inner.supervisor_pid(), inner.keeper_pid()
    assert f"(a daemon of {inner.home}, PID {daemon})" in outer.refused("kill", mission, code="survivors")
    assert alive(daemon)
    assert alive(keeper)
    assert inner.finished("true")["exit_code"] == 0
