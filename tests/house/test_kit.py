"""The test kit must notice what it is there to notice."""

from __future__ import annotations

import os
import subprocess
import time
import uuid

import pytest

from tests.kit import processes, stopwatch
from tests.kit.cases import Cases, each
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
