"""The bill of a run: what its tests have used of the processor."""

from __future__ import annotations

import subprocess
import sys
from unittest import mock

from tests.kit import cost
from tests.kit.cases import tabled
from tests.kit.cost import DEAREST, Bill

BUSY = "import time\nwhile time.process_time() < 0.3: pass"


def test_what_a_test_has_started_is_on_its_bill():
    before = cost.used()
    subprocess.run([sys.executable, "-c", BUSY], check=True)
    assert cost.used() - before > 0.3


def test_workers_bills_are_added_and_the_dearest_tests_named(monkeypatch):
    monkeypatch.setenv(cost.TARGET, "test")
    bill = Bill()
    bill.merge(200.4, 80_000, {f"test_{number}": number / 10 for number in range(9)}, {})
    bill.merge(67.0, 18_415, {"test_dear": 5.0, "test_cheap": 0.05, "test_late": 0.01}, {})
    *dearest, last = bill.lines()
    assert last == "cost: 267 s of processor time, 98,415 looks of 125,000"
    assert len(dearest) == DEAREST
    assert dearest[:2] == ["  5.00 s test_dear", "  0.80 s test_8"]
    assert "test_late" not in "".join(dearest)


def test_without_a_target_no_limit_is_told(monkeypatch):
    monkeypatch.delenv(cost.TARGET, raising=False)
    bill = Bill()
    bill.merge(1.0, 400.0, {}, {})
    assert bill.lines() == ["cost: 1 s of processor time, 400 looks"]


@tabled(
    ("test", "seconds", "is_told"),
    [
        ("tests/process/hives/test_ssh.py::test_it", 4.0, True),
        ("tests/process/hives/test_ssh.py::test_it", 2.0, False),
        ("tests/process/long/hives/test_ssh.py::test_it", 4.0, False),
        ("tests/walk/hives/test_ssh.py::test_it", 4.0, False),
    ],
)
def test_a_test_of_processes_that_waits_longer_than_three_seconds_is_told(test, seconds, is_told):
    bill = Bill()
    with mock.patch.object(cost.time, "monotonic", iter([0.0, seconds]).__next__), bill.test(test):
        pass
    assert [line for line in bill.lines() if line.startswith("waited ")] == (
        [f"waited {seconds} s, 3 at most: {test}"] if is_told else []
    )


def test_only_at_night_a_wait_fails_the_run(monkeypatch):
    bill = Bill(waits={"tests/process/test_it.py::test_it": 4.0})
    monkeypatch.delenv(cost.NIGHT, raising=False)
    assert not bill.is_red
    monkeypatch.setenv(cost.NIGHT, "1")
    assert bill.is_red
    assert not Bill().is_red
