"""What a terminal showed, drawn from its log."""

from __future__ import annotations

import pytest

from overmind_core.logs.layout import OUT
from overmind_core.logs.reader import RunLog
from overmind_core.logs.snapshot import ENOUGH, LOOKBACK, output_tail, pieces_between, screen_at
from tests.kit.log_files import LogFiles

LINE = b"." * 78 + b"\r\n"


@pytest.fixture
def files(tmp_path):
    return LogFiles(tmp_path / "run")


def lines(files, count):
    for _ in range(count // 1000):
        files.out(LINE * 1000)


def shown(files, until=None, columns=20, rows=4):
    return screen_at(files.path, columns=columns, rows=rows, until=until)


def test_a_log_that_is_not_there_is_a_blank_screen(tmp_path):
    assert screen_at(str(tmp_path / "none"), columns=5, rows=2).lines() == ["", ""]


def test_a_short_log_is_drawn_from_its_beginning(files):
    files.out(b"one\r\ntwo")
    assert shown(files).lines() == ["one", "two", "", ""]


def test_an_earlier_moment_can_be_drawn(files):
    files.out(b"one\r\ntwo")
    assert shown(files, until=4).lines()[:2] == ["one", ""]


def test_each_part_is_drawn_at_the_size_that_the_terminal_had(files):
    files.out(b"123456")
    files.resize(4, 3, 1.0)
    files.out(b"78")
    files.resize(8, 3, 2.0)
    files.out(b"\x1b[1;1Hab")
    screen = shown(files)
    assert (screen.columns, screen.rows) == (8, 3)
    assert screen.lines()[0] == "ab345678"


def test_a_size_that_nobody_can_have_is_survived(files):
    files.out(b"text")
    files.resize(0, 65535, 1.0)
    files.out(b"more")
    assert shown(files).rows == 4096


def test_modes_hold_however_long_ago_they_were_set(files):
    files.out(b"\x1b[?1049h\x1b[?1000;2004h\x1b=\x1b[?25l")
    lines(files, 30_000)
    modes = shown(files).modes
    assert modes.alternate
    assert {1000, 2004} <= modes.private
    assert modes.application_keypad
    assert not modes.cursor_visible


def test_a_sequence_that_the_cut_goes_through_is_not_text(files):
    lines(files, 1000)
    files.out(b"\x1b[38;5;196m" * 100_000 + b"end")
    assert shown(files).text().strip() == "end"


def test_the_last_clear_is_where_it_begins_when_that_is_not_too_far_back(files):
    lines(files, 20_000)
    files.out(b"\x1b[?1049h\x1b[Htop")
    files.out(b"\x1b[4;1Hbottom" * (LOOKBACK // 20))
    assert output_tail(RunLog(files.path), 20, 4).start == files.ends[OUT] - 12 * (LOOKBACK // 20) - 14
    assert shown(files).lines() == ["top", "", "", "bottom"]


def test_without_a_clear_the_end_is_enough(files):
    lines(files, 20_000)
    assert output_tail(RunLog(files.path), 20, 4).start == files.ends[OUT] - ENOUGH


def test_what_retention_dropped_is_not_missed(files):
    lines(files, 20_000)
    files.out(b"last\r\n")
    files.drop(OUT, 1)
    assert b"".join(pieces_between(RunLog(files.path), files.ends[OUT])).endswith(b"last\r\n")
    assert shown(files, columns=80).lines()[-2] == "last"
