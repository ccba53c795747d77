"""The position in a run that is played."""

from __future__ import annotations

from bisect import bisect_right

import pytest

from overmind_core.domain.text.moment import TimeError
from overmind_core.view.playback import FASTEST, SLOWEST, Playback, parse_position, played_span, position_line
from tests.kit.cases import tabled

WALLS = [100.0, 101.0, 101.5, 161.5, 162.0]
"""A minute of nothing before the last two changes."""


class Timeline:
    def __init__(self, walls):
        self.walls = walls

    def __len__(self):
        return len(self.walls)

    def wall(self, number):
        return self.walls[number]

    def by(self, wall):
        return max(bisect_right(self.walls, wall) - 1, 0)


def playing(walls=WALLS, **how):
    return Playback(Timeline(walls), 0.0, **how)


def test_time_passes_at_its_speed():
    playback = playing(speed=2.0)
    assert playback.wait() == 0.5
    playback.tick(0.25)
    assert (playback.at, playback.number) == (100.5, 0)
    playback.tick(0.5)
    assert (playback.at, playback.number) == (101.0, 1)


def test_a_gap_is_cut_to_its_limit():
    playback = playing(idle=2.0)
    playback.tick(1.5)
    assert playback.number == 2
    assert playback.cut_gap == 60.0
    assert playback.wait() == 2.0
    playback.tick(3.0)
    assert (playback.at, playback.number) == (103.0, 2)
    playback.tick(3.5)
    assert (playback.at, playback.number) == (161.5, 3)
    assert playback.cut_gap is None


def test_gaps_are_whole_without_a_limit():
    playback = playing(idle=None)
    playback.tick(30.0)
    assert (playback.at, playback.cut_gap) == (130.0, None)


def test_a_pause_holds_it():
    playback = playing()
    playback.toggle()
    playback.tick(50.0)
    assert (playback.at, playback.wait()) == (100.0, None)
    playback.toggle()
    playback.tick(51.0)
    assert playback.at == 101.0


def test_steps_go_to_changes_and_pause():
    playback = playing()
    for count, number in ((1, 1), (1, 2), (1, 3), (-1, 2), (-9, 0), (9, 4)):
        playback.step(count)
        assert (playback.number, playback.at) == (number, WALLS[number])
    assert playback.is_paused


@tabled(
    ("at", "seconds", "reached"),
    [
        (100.0, 1.25, 101.25),
        (101.5, 2.5, 162.0),  # two seconds of the gap, and half a one
        (162.0, -1.0, 103.0),  # back into the gap, of which the first two seconds are played
        (162.0, -3.0, 101.0),
        (150.0, -2.0, 101.5),
        (101.0, -50.0, 100.0),
        (161.5, 50.0, 162.0),
    ],
)
def test_seconds_count_as_they_are_played(at, seconds, reached):
    playback = playing(at=at, idle=2.0)
    playback.move(seconds)
    assert playback.at == reached


def test_a_time_outside_is_the_nearest_end():
    playback = playing()
    playback.go(5.0)
    assert (playback.at, playback.number) == (100.0, 0)
    playback.go(1e9)
    assert (playback.at, playback.number, playback.is_at_end, playback.wait()) == (162.0, 4, True, None)


def test_it_begins_again_from_the_end_of_what_has_ended():
    playback = playing(at=162.0)
    playback.toggle()
    assert (playback.at, playback.is_paused) == (100.0, False)
    playback = playing(at=162.0)
    playback.is_growing = True
    playback.toggle()
    assert (playback.at, playback.is_paused) == (162.0, True)


def test_a_run_that_goes_on_is_played_on():
    playback = playing(at=162.0)
    playback.tick(9.0)
    playback.extend(Timeline([*WALLS, 163.0]))
    assert (playback.number, playback.wait()) == (4, 1.0)
    playback.extend(Timeline([161.0, 162.0, 163.0]))
    assert playback.number == 1


def test_the_speed_has_limits():
    playback = playing()
    for _ in range(30):
        playback.change_speed(2.0)
    assert playback.speed == FASTEST
    for _ in range(30):
        playback.change_speed(0.5)
    assert playback.speed == SLOWEST


@tabled(("text", "wall"), [("+10m", 700.0), (" +1.5s ", 101.5), ("5m", 700.0), ("1970-01-01T00:10:00Z", 600.0)])
def test_a_time_counts_from_the_beginning_or_is_one_of_the_clock(text, wall):
    assert parse_position(text, 100.0, 1000.0) == wall


@pytest.mark.parametrize("text", ["+", "+never", "++1s", "-5s", "", "25:00"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(TimeError):
        parse_position(text, 100.0, 1000.0)


@tabled(
    ("seconds", "text"),
    [(0, "0.0s"), (0.02, "20ms"), (59.96, "59.9s"), (252, "4m12s"), (3723.9, "1h02m03s"), (-1, "0.0s")],
)
def test_spans_are_short(seconds, text):
    assert played_span(seconds) == text


def test_the_line_says_where_it_is_and_is_as_wide_as_the_screen():
    playback = playing(at=110.0, speed=4.0)
    playback.toggle()
    lines = [position_line(playback, "a\x1bb · run 2", ["approximate"], 110.0, columns) for columns in (1, 20, 80, 200)]
    assert [len(line) for line in lines] == [1, 20, 80, 200]
    line = lines[-1]
    assert " a\\x1bb · run 2 · " in line
    assert " · +10.0s of 1m02s · 4x · paused · idle 1m00s, cut to 2.0s · approximate " in line
    assert line.endswith("q end ")
