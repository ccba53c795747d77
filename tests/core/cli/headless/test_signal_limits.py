"""A second signal to a headless run: when it means to kill, when it is an echo, and how long one waits."""

from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.cli.headless import runner
from overmind_core.cli.headless.runner import CLEAN_UP_LIMIT, ECHO, STOP_LIMIT, SignalHandler

INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


@pytest.fixture
def handler(monkeypatch):
    """A handler to which signals come at moments of a clock of its own; no signal of this process is touched."""

    def make(first, *later, cleans_up=lambda _now: False):
        clock = SimpleNamespace(now=0.0)
        coming = list(later)
        monkeypatch.setattr(runner, "time", SimpleNamespace(monotonic=lambda: clock.now))
        made: Any = SignalHandler.__new__(SignalHandler)
        made.number = first
        made._busy = 0.0
        made._cleans_up = lambda: cleans_up(clock.now)

        def following(timeout):
            if coming and coming[0][0] <= clock.now + timeout:
                clock.now, number = coming.pop(0)
                return number
            clock.now += timeout
            return None

        made._next = following
        return made, clock

    return make


CASES = {
    "nothing follows": (INT, [], False, INT, STOP_LIMIT),
    "at once again, as timeout(1) sends it": (INT, [(ECHO * 0.9, INT)], False, INT, STOP_LIMIT),
    "a person presses again": (INT, [(ECHO * 1.1, INT)], True, INT, ECHO * 1.1),
    "an echo, then a person": (TERM, [(0.1, TERM), (1.0, INT)], True, TERM, 1.0),
    "the terminal goes, too": (INT, [(1.0, HUP)], False, INT, STOP_LIMIT),
    "a person, after the terminal went": (HUP, [(1.0, TERM)], False, TERM, STOP_LIMIT),
    "a person twice, after the terminal went": (HUP, [(1.0, TERM), (2.0, TERM)], True, TERM, 2.0),
    "their echo, after the terminal went": (HUP, [(1.0, TERM), (1.0 + ECHO * 0.9, TERM)], False, TERM, STOP_LIMIT),
    "too late": (INT, [(STOP_LIMIT + 1, INT)], False, INT, STOP_LIMIT),
}


@pytest.mark.parametrize("name", CASES)
def test_a_second_signal_kills_unless_it_is_an_echo(handler, name):
    first, later, repeated, number, ends = CASES[name]
    made, clock = handler(first, *later)
    assert made._is_repeated(0.0) is repeated
    assert made.number == number
    assert clock.now == pytest.approx(ends)


def test_what_cleans_up_is_waited_for_and_then_as_long_as_else(handler):
    made, clock = handler(INT, cleans_up=lambda now: now < 60.0)
    assert made._is_repeated(0.0) is False
    assert 60.0 + STOP_LIMIT - runner.LOOK <= clock.now <= 60.0 + STOP_LIMIT


def test_what_cleans_up_for_ever_is_not(handler):
    made, clock = handler(INT, cleans_up=lambda _: True)
    assert made._is_repeated(0.0) is False
    assert CLEAN_UP_LIMIT <= clock.now <= CLEAN_UP_LIMIT + STOP_LIMIT


@pytest.mark.parametrize("number", [INT, TERM, HUP])
def test_the_exit_status_is_what_a_shell_says_of_the_signal(handler, number):
    made, _ = handler(number)
    assert made.exit_status == 128 + number


def test_a_full_disk_is_named_and_so_is_any_other_reason():
    assert runner._held_message("disk_full", "/h") == "the disk is full: the output can't be stored in /h"
    assert runner._held_message("io_error", "/h") == "the output can't be stored in /h: io_error"
