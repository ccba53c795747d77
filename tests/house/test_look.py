"""The speed of the machine, by which tests are patient and their cost is told."""

from __future__ import annotations

import pytest

from tests.kit import look
from tests.kit.look import MOST_SLOWNESS, NORMAL_LOOK, Look
from tests.kit.waiting import eventually


def test_a_look_is_measured_once():
    assert look.measured() is look.measured()
    assert look.seconds() == look.measured().processor > 0


@pytest.mark.parametrize(("wall", "slowness"), [(0.5, 1.0), (1.0, 1.0), (3.0, 3.0), (100.0, MOST_SLOWNESS)])
def test_a_machine_is_never_faster_than_normal_and_only_so_much_slower(monkeypatch, wall, slowness):
    monkeypatch.setattr(look, "measured", lambda: Look(processor=NORMAL_LOOK, wall=wall * NORMAL_LOOK))
    assert look.slowness() == pytest.approx(slowness)


def test_who_waits_is_more_patient_on_a_slow_machine(monkeypatch):
    now = 0.0

    def sleep(seconds):
        nonlocal now
        now += seconds

    monkeypatch.setattr("time.monotonic", lambda: now)
    monkeypatch.setattr("time.sleep", sleep)
    monkeypatch.setattr(look, "slowness", lambda: 3.0)
    with pytest.raises(AssertionError, match="after 30 s still not: pigs fly"):
        eventually(lambda: False, what="pigs fly")
    assert now == pytest.approx(30, abs=1)
