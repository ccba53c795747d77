"""The moments of a run, from its time index."""

from __future__ import annotations

import pytest

from overmind_core.logs.layout import OUT
from overmind_core.logs.moments import Moments
from overmind_core.logs.reader import RunLog
from tests.kit.log_files import LogFiles


@pytest.fixture
def files(tmp_path):
    return LogFiles(tmp_path / "run", segment=10)


def moments(files, began_at=None):
    found = Moments(RunLog(files.path), began_at)
    return [found[number] for number in range(len(found))]


def test_it_begins_with_the_run_and_has_each_change(files):
    files.out(b"one", 10.0)
    files.resize(80, 24, 11.0)
    files.err(b"two", 12.0)
    assert moments(files, 9.5) == [
        (9.5, (0, 0), 0),
        (10.0, (3, 0), 0),
        (11.0, (3, 0), 1),
        (12.0, (3, 3), 1),
    ]


def test_of_a_time_the_last_change_that_is_not_later(files):
    files.out(b"one", 10.0)
    files.out(b"two", 12.0)
    found = Moments(RunLog(files.path), 9.0)
    assert [found.by(wall) for wall in (0.0, 9.5, 10.0, 11.9, 12.0, 99.0)] == [0, 0, 1, 1, 2, 2]


def test_a_clock_that_was_set_back_stands_still(files):
    for wall in (10.0, 5.0, 11.0):
        files.out(b"x", wall)
    assert [one.wall for one in moments(files, 9.0)] == [9.0, 10.0, 10.0, 11.0]


def test_nothing_was_written(files):
    assert moments(files, 9.0) == [(9.0, (0, 0), 0)]


def test_what_the_index_lacks_has_the_time_of_the_file(files):
    files.out(b"one", 10.0)
    files.drop_index()
    first, last = moments(files, 9.0)
    assert first == (9.0, (0, 0), 0)
    assert last.offsets == (3, 0)
    assert last.wall > 10.0


def test_what_is_not_kept_is_no_moment(files):
    for number in range(4):
        files.out(b"0123456789", 10.0 + number)
        files.resize(80, 24 + number, 10.5 + number)
    files.drop(OUT, 2)
    assert moments(files, 9.0) == [
        (11.5, (20, 0), 1),
        (11.5, (20, 0), 2),
        (12.0, (30, 0), 2),
        (12.5, (30, 0), 3),
        (13.0, (40, 0), 3),
        (13.5, (40, 0), 4),
    ]
