"""The test kit must notice what it is there to notice."""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import time
import uuid

import psutil
import pytest

from tests.kit import processes, stopwatch
from tests.kit.cases import Cases, each, tabled
from tests.kit.stopwatch import Stopwatch
from tests.kit.waiting import eventually


def test_the_marker_finds_what_a_run_started():
    marker = uuid.uuid4().hex
    child = subprocess.Popen(["sleep", "60"], env={processes.MARKER: marker, "PATH": os.environ["PATH"]})
    try:
        eventually(lambda: processes.of_run(marker))
    finally:
        child.kill()
        child.wait()
    assert not processes.of_run(marker)


def orphan(marker, tmp_path):
    """Start a process that outlives its parent, with that marker; its pid and its only word."""
    word, file = f"600.{uuid.uuid4().int % 10**9}", tmp_path / marker
    environment = {processes.MARKER: marker, "PATH": os.environ["PATH"]}
    subprocess.run(["/bin/sh", "-c", f"setsid sleep {word} & echo $! > {file}"], env=environment, check=True)
    pid = int(file.read_text())
    eventually(lambda: psutil.Process(pid).cmdline() == ["sleep", word], what="it runs its program")
    return pid, word


@pytest.mark.linux
def test_what_a_test_has_started_is_found_when_its_parent_is_gone(marker, tmp_path):
    pid, word = orphan(marker, tmp_path)
    assert processes.with_word(word) == processes.programs_with_word(word) == [pid]
    assert psutil.Process(pid).ppid() in processes.adopters()
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not processes.with_word(word))


@pytest.mark.linux
def test_a_process_of_a_neighbour_is_never_ours(marker, tmp_path):
    neighbour, word = orphan(uuid.uuid4().hex, tmp_path)
    try:
        assert processes.alive(neighbour)
        assert processes.with_word(word) == []
        assert processes.of_home(word) == []
        processes.kill_home(word)
        assert processes.with_variable("PATH", os.environ["PATH"], on_machine=True)
        assert neighbour not in processes.with_variable("PATH", os.environ["PATH"])
        assert processes.alive(neighbour)
    finally:
        os.kill(neighbour, signal.SIGKILL)


def test_a_zombie_is_not_alive():
    child = subprocess.Popen(["true"])
    eventually(lambda: not processes.alive(child.pid))
    child.wait()


def test_waiting_ends_with_a_failure_that_names_the_fact():
    began = time.monotonic()
    with pytest.raises(AssertionError, match="pigs fly"):
        eventually(lambda: False, timeout=0.1, what="pigs fly")
    assert time.monotonic() - began < 5


def test_a_step_of_the_wall_clock_leaves_the_monotonic_one(clock):
    wall, mono = clock.wall(), clock.mono()
    clock.step(-3600)
    clock.advance(5)
    assert (clock.wall(), clock.mono()) == (wall - 3595, mono + 5)


def test_of_a_table_of_cases_all_are_tried_and_all_that_failed_are_named():
    cases = Cases()
    tried = []
    for number in range(3):
        with cases(f"case {number}"):
            tried.append(number)
            assert number == 1
    assert tried == [0, 1, 2]
    with pytest.raises(AssertionError, match=r"(?s)case 0: .*case 2: "):
        cases.verdict()


def test_each_row_of_a_table_is_tried_by_one_test_and_a_table_has_rows():
    tried = []

    def one(row):
        tried.append(row)
        assert row == 1

    with pytest.raises(AssertionError, match=r"(?s)row 0: .*row 2: "):
        each(range(3), "row {}".format)(one)()
    assert tried == [0, 1, 2]
    with pytest.raises(AssertionError):
        each([], str)(one)()


@pytest.mark.parametrize("table", [each([1], str), tabled("number", [1])], ids=["each", "tabled"])
def test_a_table_stands_in_the_file_of_its_test_where_a_landing_tries_it_again(table):
    def one(number):
        assert number

    assert inspect.getfile(table(one).place_as) == __file__


def test_a_stopwatch_charges_for_sleep_and_not_for_the_queue_for_a_processor(monkeypatch):
    now = iter([100.0, 104.0])
    queued = {os.getpid(): iter([1.0, 1.5]), 7: iter([20.0, 22.25])}
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    monkeypatch.setattr(stopwatch, "in_queue", lambda pid: next(queued[pid]))
    with Stopwatch(7) as measured:
        pass
    assert measured.seconds == 4.0 - 0.5 - 2.25


def test_a_stopwatch_charges_for_what_is_waited_for():
    with Stopwatch() as measured:
        subprocess.run(["sleep", "0.2"], check=True)
    assert measured.seconds > 0.1
