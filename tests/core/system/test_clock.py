from __future__ import annotations

import time

import pytest

from overmind_core.system.machine import Clock, SystemClock


def test_the_system_s_clock_tells_both_times():
    clock: Clock = SystemClock()
    assert clock.wall() == pytest.approx(time.time(), abs=5.0)
    first, second = clock.mono(), clock.mono()
    assert first <= second <= time.monotonic()
