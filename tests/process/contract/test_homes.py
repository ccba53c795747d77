"""Homes: long paths, strange bytes, missing rights, full disks, other users, and two side by side."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import psutil
import pytest

from tests.kit import processes, raw_socket
from tests.kit.killing import without_waiting
from tests.kit.overmind import PROGRAM, Overmind
from tests.kit.waiting import eventually

ROOT = os.geteuid() == 0
NOBODY = 65534
only_root = pytest.mark.skipif(not ROOT, reason="only root can become another user")


@pytest.fixture
def elsewhere(om, marker, tmp_path):
    """Make an `Overmind` for a home at a path of the test's choice, and end it."""
    made = []

    def make(home):
        made.append(Overmind(home, user_home=str(tmp_path), marker=marker))
        made[-1].environment["OVERMIND_HOME"] = home
        return made[-1]

    yield make
    for other in made:
        other("shutdown", "-y", cwd="/")
    eventually(lambda: not any(processes.of_home(other.home) for other in made), what="nobody is left")


def private(path):
    """Every file and folder below that somebody else may read, write or enter."""
    return [str(one) for one in (path, *path.rglob("*")) if stat.S_IMODE(one.lstat().st_mode) & 0o077]


def test_a_home_on_a_long_path_works(om, elsewhere):
    long = os.path.join(om.home, *["x" * 100] * 3, "home")
    other = elsewhere(long)
    assert other.ok("start", cwd="/").startswith("Daemon started")
    mission = other.json("run", "--json", "echo long", cwd="/")["id"]
    assert other("wait", mission, cwd="/").returncode == 0
    assert other.ok("logs", mission, cwd="/") == "long\n"
    moved = raw_socket.address(long)
    assert not moved.startswith(long)
    assert len(moved) < 108
    assert stat.S_IMODE(os.stat(moved).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(moved)).st_mode) == 0o700
    other.ok("shutdown", cwd="/")
    assert not os.path.exists(moved)
    assert without_waiting(other("ps", cwd="/").stderr).startswith("Error: daemon_not_running: ")


@pytest.mark.parametrize("name", ["with space", "ümläut 日本", "quote'\"$(x)", "-dash", "line\nbreak"], ids=repr)
def test_a_home_with_a_strange_name_works(om, elsewhere, name):
    other = elsewhere(os.path.join(om.home, name))
    mission = other.json("run", "--json", 'echo "$OVERMIND_HOME"', cwd="/")["id"]
    assert other("wait", mission, cwd="/").returncode == 0
    assert other.ok("logs", mission, cwd="/") == f"{other.home}\n"
    assert other.ok("status", cwd="/")


def test_a_home_whose_name_is_no_utf8_works(om, elsewhere):
    other = elsewhere(os.fsdecode(os.fsencode(om.home) + b"/h\xff\xfe"))
    mission = other.json("run", "--json", "--no-tty", 'printf %s "$OVERMIND_HOME"', cwd="/")["id"]
    assert other("wait", mission, cwd="/").returncode == 0
    command = [*PROGRAM, "logs", "--raw", mission]
    finished = subprocess.run(command, env=other.environment, cwd="/", capture_output=True, check=True)
    assert finished.stdout == os.fsencode(other.home)
    assert "\\xff" in other.ok("status", cwd="/")


def test_the_default_home_is_dot_overmind_of_the_user(om, tmp_path, elsewhere):
    other = elsewhere(str(tmp_path / ".overmind"))
    del other.environment["OVERMIND_HOME"]
    assert other.ok("start", cwd="/").startswith("Daemon started")
    assert other.json("status", "--json", cwd="/")["home"] == str(tmp_path / ".overmind")


def test_a_relative_home_is_the_same_from_everywhere_inside(om, elsewhere):
    other = elsewhere(os.path.join(om.home, "relative"))
    other.environment["OVERMIND_HOME"] = "relative"
    assert other.ok("start", cwd=om.home).startswith("Daemon started")
    other.environment["OVERMIND_HOME"] = os.path.join(om.home, "relative")
    assert other.ok("start", cwd="/").startswith("Daemon is already running")


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
def test_modes_hold_whatever_the_umask(om, mask):
    os.rmdir(om.home)
    before = os.umask(mask)
    try:
        mission = om.mission("echo x; echo y >&2", "--no-tty", cwd="/")
    finally:
        os.umask(before)
    om.wait_status(mission, "stopped")
    names = {one.name for one in Path(om.home).iterdir()}
    assert "memory.db" not in names  # a command that has nothing to do with notes pays nothing for them
    assert {"overmind.sock", "keeper.sock", "state.db", "logs", "daemon.log", "supervisor.lock", "keeper.lock"} <= names
    assert private(Path(om.home)) == []


def test_a_home_that_others_could_enter_is_closed(om):
    os.chmod(om.home, 0o777)
    om.ok("start")
    assert stat.S_IMODE(os.stat(om.home).st_mode) == 0o700


@only_root
def test_a_home_of_somebody_else_is_refused(om):
    os.chown(om.home, NOBODY, NOBODY)
    try:
        for words in (("start",), ("run", "true")):
            assert om.home in om.refused(*words, code="forbidden")
        assert os.listdir(om.home) == []
    finally:
        os.chown(om.home, 0, 0)


@only_root
def test_another_user_of_the_same_home_is_told_so(om):
    om.ok("start")
    os.chmod(om.home, 0o755)
    os.chmod(om.path("overmind.sock"), 0o777)
    finished = _as_nobody(om, "ps")
    assert finished.returncode == 1
    assert without_waiting(finished.stderr).startswith("Error: forbidden: ")


@only_root
def test_a_home_that_can_not_be_written_is_a_clear_error(om, tmp_path):
    """Root may write everywhere, so somebody else tries."""
    os.chmod(om.home, 0o755)
    for words in (("start",), ("run", "true")):
        finished = _as_nobody(om, *words)
        assert finished.returncode == 1
        assert without_waiting(finished.stderr).startswith("Error: forbidden: ")
        assert om.home in finished.stderr
    assert os.listdir(om.home) == []


@only_root
def test_a_read_only_file_system_is_a_clear_error(om):
    with _mounted(om, "ro,size=1m"):
        for words in (("start",), ("run", "true")):
            finished = om(*words)
            assert finished.returncode == 1, finished
            assert without_waiting(finished.stderr).startswith("Error: ")
            assert om.home in finished.stderr
        assert without_waiting(om("ps").stderr).startswith("Error: daemon_not_running: ")
        eventually(lambda: not processes.of_home(om.home), what="no daemon stays")


def test_a_file_in_the_place_of_the_home_is_a_clear_error(om):
    os.rmdir(om.home)
    Path(om.home).write_text("")
    try:
        finished = om("start", cwd="/")
        assert finished.returncode == 1
        assert without_waiting(finished.stderr).startswith("Error: ")
        assert om.home in finished.stderr
    finally:
        os.unlink(om.home)
        os.mkdir(om.home, 0o700)


@only_root
def test_on_a_disk_that_is_full_from_the_start_nothing_hangs(om):
    with _mounted(om, "size=64k"):
        _fill(om)
        for words in (("start",), ("run", "true"), ("ps",)):
            finished = om(*words)
            assert finished.returncode == 1, finished
            assert finished.stderr.startswith(("Error: disk_full: ", "Error: daemon_not_running: ")), finished
        eventually(lambda: processes.of_home(om.home) == [], what="nobody is left")


@only_root
def test_on_a_disk_that_fills_up_missions_go_on_and_nothing_new_is_promised(om):
    with _mounted(om, "size=3m"):
        steady = om.mission("while :; do sleep 0.1; done", "--name", "steady")
        pid = om.pid(steady)
        _fill(om)
        finished = om.run("true", env={"BIG": "x" * 60_000})
        if finished.returncode:
            assert without_waiting(finished.stderr).startswith("Error: disk_full: "), finished
        assert om.info(steady)["os_pid"] == pid
        assert om.ok("stop", steady) == f"Stopped mission {steady}\n"
        os.unlink(om.path("filler"))
        assert om.finished("echo room again")["exit_code"] == 0


@only_root
def test_a_mission_that_fills_the_disk_waits_and_goes_on_when_there_is_room(om):
    with _mounted(om, "size=4m"):
        _fill(om, leave=1 << 20)
        writer = om.mission("yes 0123456789 | head -c 2000000; echo over", "--no-tty")
        eventually(lambda: om.json("ps", "--json")[0]["reason"] == "disk_full", timeout=20)
        assert om.info(writer)["status"] == "running"
        os.unlink(om.path("filler"))
        om.wait_status(writer, "stopped", timeout=30)
        written = om.raw("logs", writer, "--raw")
        assert len(written) == 2_000_000 + len("over\n")
        assert written.endswith(b"over\n")


def test_two_homes_side_by_side_never_touch_each_other(make_home):
    ours, theirs = make_home(), make_home()
    mine, yours = ours.mission("sleep 100", "--name", "same"), theirs.mission("sleep 100", "--name", "same")
    assert [row["id"] for row in ours.ps()] == [mine]
    assert [row["id"] for row in theirs.ps()] == [yours]
    pid = theirs.pid(yours)
    ours.ok("kill", "--all")
    ours.ok("shutdown", "-y")
    assert theirs.info(yours)["status"] == "running"
    assert theirs.pid(yours) == pid
    theirs.refused("info", mine, code="not_found")


def ends_by_itself(pid):
    eventually(lambda: not processes.alive(pid), timeout=30, what=f"{pid} ends by itself")


def test_a_home_that_is_removed_ends_its_daemon_its_keeper_and_all_that_runs_and_leaves_the_next_one_alone(om):
    polite = om.pid(om.mission("sleep 1000", "--restart", "always"))
    parent = om.pid(om.mission("setsid sleep 999 & sleep 1000"))
    (hidden,) = eventually(
        lambda: [one.pid for one in psutil.Process(parent).children() if one.cmdline() == ["sleep", "999"]]
    )
    daemon, keeper = om.supervisor_pid(), om.keeper_pid()
    shutil.rmtree(om.home)
    os.mkdir(om.home, 0o700)
    assert om("ps", cwd="/").returncode == 1, "an error, and no hang"
    assert om.ok("start", cwd="/").startswith("Daemon started")
    next_daemon, next_keeper = om.supervisor_pid(), om.keeper_pid()
    assert next_daemon != daemon
    for pid in (daemon, polite, parent, hidden, keeper):
        ends_by_itself(pid)
    assert om.json("status", "--json")["keeper"]["pid"] == next_keeper
    assert (om.supervisor_pid(), om.ps("--all")) == (next_daemon, [])


def test_a_home_that_is_removed_for_good_is_not_made_anew_by_what_is_left_of_it(om):
    om.ok("start")
    daemon, keeper = om.supervisor_pid(), om.keeper_pid()
    shutil.rmtree(om.home)
    for pid in (daemon, keeper):
        ends_by_itself(pid)
    assert not os.path.exists(om.home)


def test_a_lock_that_is_removed_costs_the_daemon_its_place_and_no_mission_its_life(om):
    mission = om.mission("sleep 1000")
    pid, daemon = om.pid(mission), om.supervisor_pid()
    os.unlink(om.path("supervisor.lock"))
    eventually(lambda: not processes.alive(daemon), timeout=20, what="it leaves")
    assert om.pid(mission) == pid
    assert om.supervisor_pid() != daemon


@contextlib.contextmanager
def _mounted(om, options):
    """A small file system of its own in the place of the home."""
    command = ["mount", "-t", "tmpfs", "-o", f"mode=700,{options}", "tmpfs", om.home]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode:
        pytest.skip(f"can't mount: {finished.stderr.strip()}")
    try:
        yield
        with contextlib.suppress(OSError):
            os.unlink(om.path("filler"))
        om("shutdown", "-y")
    finally:
        subprocess.run(["umount", "-l", om.home], check=True)


def _fill(om, leave=0):
    """Take all room on the home's file system but `leave` bytes."""
    with open(om.path("filler"), "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        if leave:
            file.truncate(max(0, file.tell() - leave))


def _as_nobody(om, *words):
    """Run a command as another user, who finds the program because its path may be entered."""
    with tempfile.TemporaryDirectory(prefix="om-nobody-") as theirs:
        os.chown(theirs, NOBODY, NOBODY)
        became = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
        env = {**om.environment, "HOME": theirs}
        probe = subprocess.run([*became, *PROGRAM, "--version"], env=env, cwd="/", capture_output=True, text=True)
        if probe.returncode:
            pytest.skip("another user can't run this checkout")
        return subprocess.run([*became, *PROGRAM, *words], env=env, cwd="/", capture_output=True, text=True, timeout=60)


def test_a_socket_that_is_removed_under_the_daemon_comes_back(om):
    mission = om.mission("sleep 100")
    daemon = om.supervisor_pid()
    os.unlink(om.path("overmind.sock"))
    assert om.info(mission)["status"] == "running"
    assert om.supervisor_pid() == daemon
