"""When what a program writes is drawn: a key's echo at once, floods as often as eyes need, a held frame in time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from overmind_tui.terminal import feeding
from overmind_tui.terminal.feeding import Feeding


class Drawn:
    """A feeding on a clock of its own: what was drawn, and what is to be called later."""

    def __init__(self, monkeypatch, *, cost=0.0):
        self.now, self.frames, self.fed, self.more = 100.0, 0, b"", 0
        self.later: list[Any] = []
        self.cost = cost
        monkeypatch.setattr(feeding, "time", SimpleNamespace(perf_counter=lambda: self.now))
        self.feeding = Feeding(lambda wait, call: self.later.append((self.now + wait, call)), self.paint, self.again)
        screen: Any = SimpleNamespace(feed=self.feed, modes=SimpleNamespace(synchronized=False))
        self.screen = screen
        self.feeding.show(screen)

    def paint(self):
        self.frames += 1

    def again(self):
        self.more += 1

    def feed(self, data):
        self.fed += data
        self.now += self.cost

    def comes(self, data):
        self.feeding.begin()
        self.feeding.feed(data)
        self.feeding.end()

    def pass_time(self, seconds):
        self.now += seconds
        due = [call for at, call in self.later if at <= self.now]
        self.later = [(at, call) for at, call in self.later if at > self.now]
        for call in due:
            call()


@pytest.fixture
def drawn(monkeypatch):
    made = Drawn(monkeypatch)
    made.comes(b"the first frame")
    assert made.frames == 1
    return made


def test_an_echo_is_drawn_at_once_also_right_behind_a_frame(drawn):
    drawn.comes(b"x")
    drawn.comes(b"y" * 500)  # a line that is edited
    assert (drawn.frames, drawn.later) == (3, [])


def test_a_flood_is_drawn_as_often_as_eyes_need(drawn):
    for _ in range(10):
        drawn.comes(b"z" * 8_000)
        drawn.now += 0.001
    assert (drawn.frames, len(drawn.later)) == (1, 1)
    ((due, _),) = drawn.later
    assert 1 / 60 <= due - 100.0 <= 1 / 20
    drawn.pass_time(0.1)
    assert drawn.frames == 2
    drawn.comes(b"z" * 8_000)
    assert (drawn.frames, len(drawn.later)) == (2, 1)


def test_a_flood_after_a_pause_is_drawn_at_once(drawn):
    drawn.now += 1.0
    drawn.comes(b"z" * 8_000)
    assert (drawn.frames, drawn.later) == (2, [])


def test_a_frame_that_a_program_holds_is_drawn_when_it_lets_go_or_is_late(drawn):
    drawn.screen.modes.synchronized = True
    drawn.now += 1.0
    drawn.comes(b"x")
    assert drawn.frames == 1
    drawn.screen.modes.synchronized = False
    drawn.comes(b"y")
    assert drawn.frames == 2
    drawn.screen.modes.synchronized = True
    drawn.later.clear()
    drawn.feeding._due = False
    drawn.comes(b"x")
    ((due, _),) = drawn.later
    assert 0.1 <= due - drawn.now <= 0.2
    drawn.pass_time(0.2)
    assert drawn.frames == 3


def test_nothing_is_drawn_where_nothing_came(drawn):
    drawn.comes(b"")
    assert (drawn.frames, drawn.later) == (1, [])


def test_more_than_a_slice_takes_waits_so_that_keys_get_their_turn(monkeypatch):
    slow = Drawn(monkeypatch, cost=0.003)
    data = bytes(range(256)) * 160
    slow.comes(data)
    assert 0 < len(slow.fed) < len(data)
    assert slow.feeding.busy
    assert slow.more == 0
    while slow.feeding.busy:
        slow.pass_time(0.01)
        slow.feeding.begin()
        slow.feeding.end()
    assert slow.fed == data
    assert slow.more > 0


def test_another_screen_gets_nothing_of_what_the_last_one_had_still_to_get(monkeypatch):
    slow = Drawn(monkeypatch, cost=0.003)
    slow.comes(b"old" * 10_000)
    got: list[bytes] = []
    other: Any = SimpleNamespace(feed=got.append, modes=SimpleNamespace(synchronized=False))
    slow.feeding.show(other)
    slow.pass_time(0.01)
    slow.comes(b"new")
    assert b"".join(got) == b"new"
