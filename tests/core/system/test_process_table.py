"""Processes as the machine tells of them: whole, without mistaking a later one for an earlier one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from overmind_core.system import process_table, process_table_linux, process_table_portable
from overmind_core.system.lock import try_lock
from overmind_core.system.membership import EXEMPT_PROGRAMS, exempt_matcher
from tests.kit.cases import tabled
from tests.kit.waiting import eventually

pytestmark = pytest.mark.linux


@pytest.fixture
def start():
    """Start programs that don't outlive the test."""
    started = []

    def popen(*argv, **kwargs):
        started.append(subprocess.Popen(argv, **kwargs))
        return started[-1]

    yield popen
    for process in started:
        process.kill()
        process.wait()


READERS = pytest.mark.parametrize("reader", [process_table_linux, process_table_portable], ids=["proc", "psutil"])


@READERS
def test_a_scan_has_this_process_and_its_child(reader, start):
    child = start("sleep", "9041", start_new_session=True)
    snapshot = reader.scan()
    found = snapshot.processes[child.pid]
    assert (found.ppid, found.pgrp, found.sid, found.dead) == (os.getpid(), child.pid, child.pid, False)
    assert child.pid in snapshot.children[os.getpid()]
    assert snapshot.descends(child.pid, os.getpid())
    assert not snapshot.descends(os.getpid(), child.pid)


@READERS
def test_a_name_full_of_brackets_and_spaces_is_no_trouble(reader, tmp_path, start):
    program = tmp_path / "a) R 1 (b"
    program.symlink_to("/bin/sleep")
    child = start(str(program), "9042")
    eventually(lambda: reader.read(child.pid).name == "a) R 1 (b")
    assert reader.read(child.pid).ppid == os.getpid()


@READERS
def test_a_zombie_is_dead_and_a_stopped_one_is_not(reader, start):
    zombie, stopped = start("true"), start("sleep", "9043")
    stopped.send_signal(signal.SIGSTOP)
    eventually(lambda: reader.read(zombie.pid).dead)
    eventually(lambda: reader.read(stopped.pid).state == "T")
    assert not reader.read(stopped.pid).dead


@pytest.mark.parametrize("reader", [process_table_linux], ids=["proc"])
def test_who_lost_its_main_thread_still_lives(reader, start):
    code = "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(9,)).start();"
    child = start(sys.executable, "-c", code + "ctypes.CDLL(None).pthread_exit(None)")
    eventually(lambda: reader.read(child.pid).state == "Z")
    assert not reader.read(child.pid).dead


@READERS
def test_environment_and_command_line_can_be_read(reader, start):
    child = start("sleep", "9044", env={"OVERMIND_MISSION_ID": "m", "OVERMIND_HOME": "/h\udcff"})
    eventually(lambda: reader.command(child.pid) == ["sleep", "9044"])
    assert b"OVERMIND_HOME=/h\xff\0" in reader.environ(child.pid)
    machine = (
        process_table_linux.LinuxProcessTable()
        if reader is process_table_linux
        else process_table_portable.PortableProcessTable()
    )
    assert machine.origin(reader.read(child.pid)) == (b"m", b"/h\xff")


@READERS
def test_a_large_environment_is_read_to_its_end(reader, start):
    child = start("sleep", "9045", env={"A": "x" * 100_000, "OVERMIND_MISSION_ID": "m"})
    eventually(lambda: b"OVERMIND_MISSION_ID=m\0" in reader.environ(child.pid))


@READERS
def test_who_is_gone_is_nobody(reader):
    child = subprocess.Popen(["true"])
    child.wait()
    assert reader.read(child.pid) is None
    assert reader.environ(child.pid) == b""
    assert reader.command(child.pid) == []
    assert reader.children(child.pid) == []


def test_to_lack_file_descriptors_is_not_to_see_nobody():
    code = (
        "import resource\nfrom overmind_core.system.process_table_linux import scan\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "try: scan()\nexcept OSError as error: print(error.errno)"
    )
    environ = {**os.environ, "PYTHONPATH": os.getcwd()}
    assert subprocess.check_output([sys.executable, "-c", code], env=environ) == b"24\n"


def test_a_signal_never_hits_a_later_process_with_the_same_pid(start):
    child = start("sleep", "9046")
    known = process_table.identity(child.pid)
    assert known is not None
    pid, ticks = known
    assert not process_table.send(pid, ticks - 1, signal.SIGKILL)
    assert child.poll() is None
    assert process_table.send(pid, ticks, signal.SIGKILL)
    assert child.wait(5) == -signal.SIGKILL
    assert not process_table.send(pid, ticks, signal.SIGKILL)


@pytest.mark.parametrize(
    "machine",
    [process_table_linux.LinuxProcessTable, process_table_portable.PortableProcessTable],
    ids=["proc", "psutil"],
)
def test_the_holder_of_a_lock_is_known_and_its_reader_is_not(machine, tmp_path, start):
    path = str(tmp_path / "keeper.lock")
    code = (
        "import sys, time; from overmind_core.system.lock import try_lock; l = try_lock(sys.argv[1]); print(1, flush=1)"
    )
    environ = {**os.environ, "PYTHONPATH": os.getcwd()}
    holder = start(sys.executable, "-c", code + "; time.sleep(60)", path, env=environ, stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"1\n"
    holder.stdout.close()
    assert try_lock(path) is None
    there = machine()
    snapshot = there.scan()
    assert there.holds_lock(snapshot.processes[holder.pid])
    assert not there.holds_lock(snapshot.processes[os.getpid()])


def test_a_file_that_is_only_open_is_no_lock(tmp_path, start):
    path = tmp_path / "keeper.lock"
    with path.open("w") as file:
        child = start("sleep", "9047", stdin=file)
        assert not process_table_linux._holds_lock(child.pid)


def test_a_lock_whose_taker_is_gone_is_still_found(tmp_path, start):
    path = tmp_path / "supervisor.lock"
    child = start("sh", "-c", f"exec 9>{path}; flock -n 9; exec sleep 9048")
    eventually(lambda: process_table_linux.command(child.pid) == ["sleep", "9048"])
    there = process_table_linux.LinuxProcessTable()
    assert there.holds_lock(there.scan().processes[child.pid])


LEFT = [
    ("gpg-agent", ["gpg-agent", "--daemon"], True),
    ("tmux: server", ["tmux", "new", "-d"], True),
    ("tmux: client", ["tmux", "new"], False),
    ("screen", ["SCREEN", "-S", "x"], True),
    ("screen", ["screen", "-r"], False),
    ("java", ["/usr/bin/java", "-Xmx1g", "org.gradle.launcher.daemon.bootstrap.GradleDaemon", "8.5"], True),
    ("java", ["java", "-jar", "app.jar"], False),
    ("sleep", [], False),
]


@tabled(("name", "argv", "expected"), LEFT)
def test_what_serves_the_whole_user_is_left_alone(name, argv, expected):
    assert exempt_matcher(EXEMPT_PROGRAMS)(name, argv) is expected


def test_an_empty_list_leaves_nobody_alone():
    assert not exempt_matcher([])("gpg-agent", ["gpg-agent"])
