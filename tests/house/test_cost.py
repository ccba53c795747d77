"""The bill of a run: what its tests have used of the processor."""

from __future__ import annotations

import os
import subprocess
import sys
import time
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
    ("test", "seconds", "night", "is_told"),
    [
        ("tests/process/hives/test_ssh.py::test_it", 4.0, "1", True),
        ("tests/process/hives/test_ssh.py::test_it", 2.0, "1", False),
        ("tests/process/hives/test_ssh.py::test_it", 4.0, "", False),
        ("tests/process/long/hives/test_ssh.py::test_it", 4.0, "1", False),
        ("tests/walk/hives/test_ssh.py::test_it", 4.0, "1", False),
    ],
)
def test_at_night_a_test_of_processes_that_waits_longer_than_three_seconds_is_told(test, seconds, night, is_told):
    bill = Bill()
    with (
        mock.patch.object(time, "monotonic", iter([0.0, seconds]).__next__),
        mock.patch.dict(os.environ, {cost.NIGHT: night}),
        bill.test(test),
    ):
        pass
    assert [line for line in bill.lines() if line.startswith("waited ")] == (
        [f"waited {seconds} s, 3 at most: {test}"] if is_told else []
    )
