"""Locks between real processes."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading

import pytest

from overmind_core.system.lock import holder_pid, try_lock, wait_lock
from tests.kit.overmind import REPOSITORY

HOLD = """
import sys
from overmind_core.system.lock import try_lock
from tests.kit.overmind import REPOSITORY
lock = try_lock(sys.argv[1])
print("held" if lock else "refused", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "a.lock")


def start(path, program=HOLD):
    return subprocess.Popen(
        [sys.executable, "-c", program, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": REPOSITORY},
    )


def finish(process):
    process.communicate(timeout=30)


def test_a_lock_is_held_once_and_names_its_holder(path):
    lock = try_lock(path)
    assert lock is not None
    assert try_lock(path) is None
    assert holder_pid(path) == os.getpid()
    assert os.stat(path).st_mode & 0o777 == 0o600
    lock.release()
    lock.release()
    assert holder_pid(path) is None
    again = try_lock(path)
    assert again is not None
    again.release()


def test_nobody_holds_a_lock_that_was_never_made(path):
    assert holder_pid(path) is None
    assert not os.path.exists(path)


def test_a_lock_ends_with_its_holder_even_by_kill_9(path):
    process = start(path)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    assert holder_pid(path) == process.pid
    assert try_lock(path) is None
    process.kill()
    finish(process)
    assert holder_pid(path) is None
    lock = try_lock(path)
    assert lock is not None
    assert holder_pid(path) == os.getpid()
    lock.release()


def test_ten_processes_race_and_one_wins(path):
    racers = [start(path) for _ in range(10)]
    outcomes = [racer.stdout.readline() for racer in racers if racer.stdout]
    try:
        assert sorted(outcomes) == ["held\n"] + 9 * ["refused\n"]
        winner = racers[outcomes.index("held\n")]
        assert holder_pid(path) == winner.pid
    finally:
        for racer in racers:
            finish(racer)


def test_whoever_looks_never_keeps_anybody_from_taking_it(path):
    done = threading.Event()

    def look():
        while not done.is_set():
            holder_pid(path)

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(200):
            lock = try_lock(path)
            assert lock is not None
            lock.release()
    finally:
        done.set()
        for looker in lookers:
            looker.join()


def test_waiting_ends_with_the_lock_when_it_is_given_back(path):
    first = try_lock(path)
    assert first is not None
    timer = threading.Timer(0.1, first.release)
    timer.start()
    second = wait_lock(path, timeout=30.0)
    timer.join()
    assert second is not None
    second.release()


def test_waiting_ends_without_the_lock_after_the_timeout(path):
    lock = try_lock(path)
    assert lock is not None
    assert wait_lock(path, timeout=0.05) is None
    lock.release()


def test_a_lock_whose_file_was_removed_and_made_again_is_no_lock(path, monkeypatch):
    """The file may be removed between opening and locking: who then locks the old one holds nothing."""
    real = fcntl.flock
    replaced: list[int] = []

    def replace_once(fd, mode):
        if not replaced:
            replaced.append(fd)
            os.unlink(path)
        real(fd, mode)

    monkeypatch.setattr(fcntl, "flock", replace_once)
    lock = try_lock(path)
    monkeypatch.undo()
    assert lock is not None
    assert try_lock(path) is None
    lock.release()


def test_a_holder_that_left_no_pid_is_reported_as_0(path):
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(fd, fcntl.LOCK_EX)
    assert holder_pid(path) == 0
    os.close(fd)


def test_a_link_in_place_of_the_lock_is_refused(path, tmp_path):
    os.symlink(tmp_path / "elsewhere", path)
    with pytest.raises(OSError, match="symbolic link"):
        try_lock(path)
    assert not (tmp_path / "elsewhere").exists()


def test_a_program_started_by_the_holder_doesn_t_keep_the_lock(path):
    lock = try_lock(path)
    assert lock is not None
    process = subprocess.Popen(["sleep", "60"], close_fds=False)
    lock.release()
    try:
        assert holder_pid(path) is None
    finally:
        process.kill()
        process.wait()
