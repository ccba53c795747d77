"""The screens of a run at its moments are those that its whole log draws, or said to be unsure."""

from __future__ import annotations

import random

import pytest

from overmind_core.logs.layout import OUT
from overmind_core.logs.moments import Moments
from overmind_core.logs.reader import RunLog
from overmind_core.logs.screen_history import NEAR, SCAN_STEP, Place, Progress, ScreenHistory
from overmind_core.terminal.screen import Screen
from tests.kit.log_files import LogFiles

COLUMNS, ROWS = 30, 6


@pytest.fixture
def files(tmp_path):
    return LogFiles(tmp_path / "run", segment=200_000)


def opened(files):
    log = RunLog(files.path)
    moments = Moments(log, 0.5)
    return moments, ScreenHistory(log, COLUMNS, ROWS, moments.resizes)


def whole(files, place):
    """The screen of everything up to a place."""
    log = RunLog(files.path)
    screen, position = Screen(COLUMNS, ROWS, scrollback=0), 0
    for _, offset, columns, rows in log.resizes[: place.sizes]:
        screen.feed(log.read(OUT, position, offset - position)[1])
        screen.resize(columns, rows)
        position = offset
    screen.feed(log.read(OUT, position, place.offset - position)[1])
    return screen


def lines(count, number=0):
    return b"".join(b"\x1b[3%dmline %d\x1b[m\r\n" % (at % 7, at) for at in range(number, number + count))


def painted(count):
    """Words in places all over the screen, but not in its first row, which is drawn once."""
    chance = random.Random(count)
    places = ((chance.randint(2, ROWS), chance.randint(1, COLUMNS - 5)) for _ in range(count))
    return b"".join(b"\x1b[%d;%dH%d" % (y, x, y * x) for y, x in places)


def test_each_moment_of_a_short_run(files):
    pieces = b"one\r\n", b"\x1b[31mtwo", b"\x1b[2J\x1b[Hthree", b"\x1b[?1049hfour", b"\x1b[?1049l"
    for number, data in enumerate(pieces):
        files.out(data, 1.0 + number)
    moments, history = opened(files)
    for number in (5, 0, 3, 2, 4, 1):
        place = moments[number].place
        tail = history.screen_at(place)
        assert tail.is_certain()
        assert tail.screen.shows_same(whole(files, place))


@pytest.mark.parametrize(
    "output",
    [
        pytest.param(lambda: lines(60_000), id="lines"),
        pytest.param(lambda: b"\x1b[?1049hheader" + painted(150_000), id="a part that was drawn long ago"),
        pytest.param(lambda: b"old\x1b[?1049h" + painted(150_000) + b"\x1b[?1049l", id="a screen that was hidden"),
    ],
)
def test_a_place_in_a_long_run_is_made_certain(files, output):
    data = output()
    assert len(data) > SCAN_STEP > NEAR
    files.out(data, 1.0)
    _, history = opened(files)
    for end in (len(data), len(data) - 3, len(data) // 2, len(data) // 2 + 5, 40_000):
        tail = history.certain_screen_at(Place(end))
        assert tail.is_certain()
        assert tail.screen.shows_same(whole(files, Place(end)))


def test_what_is_not_certain_at_once_is_worked_on_in_steps(files):
    output = b"\x1b[?1049hheader" + painted(150_000)
    files.out(output, 1.0)
    _, history = opened(files)
    place = Place(len(output))
    assert not history.screen_at(place).is_certain()
    assert history.work(place) is Progress.LOOK_AGAIN  # the settings of the part before are known
    assert not history.screen_at(place).is_certain()  # but its first row is not
    assert history.work(place) is Progress.GOING_ON
    assert history.screen_at(Place(10)).is_certain()  # meanwhile somebody goes elsewhere
    while history.work(place) is Progress.GOING_ON:
        pass
    assert history.screen_at(place).is_certain()


def test_sizes_hold_from_their_own_moment_on(files):
    files.out(b"123456789 123456789 123456789 ", 1.0)
    files.resize(20, 4, 2.0)
    files.out(b"\x1b[1;1Hab", 3.0)
    moments, history = opened(files)
    found = [history.screen_at(moments[number].place).screen for number in range(len(moments))]
    assert [(one.columns, one.rows) for one in found[-1:]] == [(20, 4)]
    for number in (3, 1, 2, 0):
        place = moments[number].place
        screen = history.screen_at(place).screen
        assert screen.columns == (COLUMNS if number < 2 else 20)
        assert screen.shows_same(whole(files, place))


def test_a_run_whose_beginning_is_not_kept_is_never_certain(files):
    for number in range(20):
        files.out(lines(2000, number * 2000), 1.0 + number)
    files.drop(OUT, 2)
    moments, history = opened(files)
    assert moments.begin >= 2.0
    place = moments[len(moments) - 1].place
    tail = history.certain_screen_at(place)
    assert not tail.is_certain()
    assert tail.screen.shows_same(whole(files, place)) or tail.screen.line(0) == "line 39995"


def test_output_that_is_removed_while_it_is_played_makes_no_certain_screen(files):
    for number in range(20):
        files.out(painted(4000), 1.0 + number)
    _, history = opened(files)
    history.screen_at(Place(1000))
    files.drop(OUT, 3)
    assert not history.screen_at(Place(150_000)).is_certain()
    assert not history.certain_screen_at(Place(files.ends[OUT])).is_certain()
