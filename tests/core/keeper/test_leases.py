"""Leases: at its deadline a run ends with everything that it has started, by the keeper alone; nothing else does."""

from __future__ import annotations

import time

import pytest

from overmind_core.keeper.boot_timer import BootTimer
from overmind_core.keeper.loop import Loop
from overmind_core.system.machine import boottime


def stopping(loop):
    """An action that stops the loop, and the moments at which it was called."""
    calls = []

    def action():
        calls.append(boottime())
        loop.stop()

    return calls, action


@pytest.mark.parametrize("system", [True, False])
def test_the_boot_timer_calls_at_its_moment_and_at_no_other(system):
    loop = Loop()
    calls, action = stopping(loop)
    timer = BootTimer(loop, action, system=system)
    timer.set(boottime() + 0.1)
    timer.set(None)
    timer.set(boottime() + 0.2)
    at = boottime() + 0.6
    timer.set(at)
    loop.later(5.0, loop.stop)
    began = time.monotonic()
    loop.run()
    assert len(calls) == 1
    assert at <= calls[0] < at + 0.5
    assert time.monotonic() - began < 4.0


def test_a_boot_timer_that_fails_goes_on_with_the_loops_own():
    loop = Loop()
    calls, action = stopping(loop)
    timer = BootTimer(loop, action)
    at = boottime() + 0.3
    timer.set(at)
    if hasattr(time, "CLOCK_BOOTTIME"):
        timer.failed()
    loop.later(5.0, loop.stop)
    loop.run()
    assert len(calls) == 1
    assert calls[0] >= at
