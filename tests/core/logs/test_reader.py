"""Cursors over a log that grows, loses its beginning, and has an index or not."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.reader import WINDOW, RunLog
from overmind_core.logs.tail import at_moment, full_screen_bytes, last_lines
from tests.kit.log_files import LogFiles


@pytest.fixture
def files(tmp_path: Path) -> LogFiles:
    return LogFiles(tmp_path / "000001", segment=100)


def merged(log: RunLog, since: tuple[int, int] = (0, 0)) -> list[tuple[int, bytes]]:
    return [(stream, data) for _, stream, _, data in log.interleaved(since)]


def test_a_log_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    log = RunLog(str(tmp_path / "nothing"))
    assert (log.start, log.end, log.read(OUT, 0, 10), merged(log)) == ((0, 0), (0, 0), (0, b""), [])
    assert (log.offsets_at(5.0), log.resizes, last_lines(log, 3)) == (None, [], (0, 0))


def test_bytes_are_read_across_segments(files: LogFiles) -> None:
    data = bytes(range(256)) * 4
    for at in range(0, len(data), 64):
        files.out(data[at : at + 64], at)
    log = RunLog(files.path)
    position, found = 0, b""
    while piece := log.read(OUT, position, 50)[1]:
        position += len(piece)
        found += piece
    assert found == data


def test_the_order_of_both_streams_is_that_of_their_writing(files: LogFiles) -> None:
    files.out(b"a", 1.0)
    files.err(b"b", 1.1)
    files.err(b"c", 1.2)
    files.out(b"d", 1.3)
    assert merged(RunLog(files.path)) == [(OUT, b"a"), (ERR, b"b"), (ERR, b"c"), (OUT, b"d")]


def test_what_the_index_does_not_know_comes_last(files: LogFiles) -> None:
    files.out(b"a", 1.0)
    files.err(b"b", 1.1)
    files.write(ERR, b"c", indexed=False)
    files.write(OUT, b"d", indexed=False)
    chunks = list(RunLog(files.path).interleaved())
    assert [(stream, data) for _, stream, _, data in chunks] == [(OUT, b"a"), (ERR, b"b"), (OUT, b"d"), (ERR, b"c")]
    assert chunks[-1][0] == pytest.approx(time.time(), abs=60)


@pytest.mark.parametrize("damage", [lambda files: files.tear_index(5), lambda files: files.drop_index()])
def test_a_damaged_index_loses_no_byte(files: LogFiles, damage: Callable[[LogFiles], None]) -> None:
    for number in range(50):
        files.out(b"out%d " % number, number)
        files.err(b"err%d " % number, number)
    damage(files)
    found = merged(RunLog(files.path))
    assert b"".join(data for stream, data in found if stream == OUT) == b"".join(b"out%d " % n for n in range(50))
    assert b"".join(data for stream, data in found if stream == ERR) == b"".join(b"err%d " % n for n in range(50))


def _garbage(files: LogFiles) -> None:
    path = files.folder / "index.000000"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


DAMAGES: dict[str, tuple[Callable[[LogFiles], None], bool, bool]] = {
    "none": (lambda _: None, False, False),
    "torn": (lambda files: files.tear_index(5), True, False),
    "gone": (lambda files: files.drop_index(), True, False),
    "garbage": (_garbage, True, True),
    "a segment of it gone": (lambda files: (files.folder / "index.000001").unlink(), True, True),
}
"""What befell the index; whether that is told of a run that has ended, and of one whose index may grow yet."""


@pytest.mark.parametrize(("damage", "ended", "growing"), DAMAGES.values(), ids=DAMAGES)
def test_an_index_that_is_damaged_or_incomplete_is_told(
    files: LogFiles, damage: Callable[[LogFiles], None], *, ended: bool, growing: bool
) -> None:
    for number in range(3):
        files.out(b"out%d " % number, number)
        files.err(b"err%d " % number, number)
        if number < 2:
            files._next_index(number)
    damage(files)
    log = RunLog(files.path)
    assert (log.has_damaged_times(ended=True), log.has_damaged_times(ended=False)) == (ended, growing)


def test_what_retention_dropped_is_skipped(files: LogFiles) -> None:
    for number in range(10):
        files.out(b"%d" % number * 100, number)
    files.drop(OUT, 4)
    log = RunLog(files.path)
    assert log.start == (400, 0)
    assert log.read(OUT, 0, 3) == (400, b"444")
    assert [at for _, _, at, _ in log.interleaved()] == [400, 500, 600, 700, 800, 900]


def test_a_segment_that_vanishes_between_listing_and_opening_is_skipped(
    files: LogFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        files.out(b"%d" % number * 100, number)
    opened = os.open

    def open_late(path: str, flags: int) -> int:
        if path.endswith("out.0000000000000000") and os.path.exists(path):
            files.drop(OUT, 2)
        return opened(path, flags)

    monkeypatch.setattr(os, "open", open_late)
    assert RunLog(files.path).read(OUT, 0, 3) == (200, b"222")


def test_going_on_from_the_last_offsets_repeats_and_loses_nothing(files: LogFiles) -> None:
    log = RunLog(files.path)
    position = [0, 0]
    found: dict[int, bytes] = {OUT: b"", ERR: b""}
    for number in range(60):
        files.write((OUT, ERR)[number % 3 == 0], b"<%d>" % number, number, indexed=number % 4 != 0)
        for _, stream, at, data in log.interleaved((position[OUT], position[ERR])):
            assert at == position[stream]
            position[stream] += len(data)
            found[stream] += data
    assert found[OUT] == b"".join(b"<%d>" % number for number in range(60) if number % 3)
    assert found[ERR] == b"".join(b"<%d>" % number for number in range(60) if not number % 3)


def test_reading_goes_by_windows(tmp_path: Path) -> None:
    files = LogFiles(tmp_path, segment=1 << 30)
    files.out(b"x" * (WINDOW * 3), 1.0)
    assert max(len(data) for _, _, _, data in RunLog(files.path).interleaved()) == WINDOW


def test_a_moment_divides_the_log_exactly(files: LogFiles) -> None:
    for number in range(100):
        files.out(b"line %02d\n" % number, 1000 + number)
        files.err(b"err\n", 1000 + number + 0.5)
    log = RunLog(files.path)
    assert log.offsets_at(1000.0) == (0, 0)
    assert log.offsets_at(1050.0) == (50 * 8, 50 * 4)
    assert log.offsets_at(1050.25) == (51 * 8, 50 * 4)
    assert log.offsets_at(5000.0) == (0 + 800, 400)


def test_a_moment_behind_the_index_depends_on_the_files_time(files: LogFiles) -> None:
    files.out(b"a\n", 1000.0)
    files.write(OUT, b"b\n", indexed=False)
    os.utime(f"{files.path}/out.{0:016d}", (1001.0, 1001.0))
    log = RunLog(files.path)
    assert log.offsets_at(1000.5) == (2, 0)
    assert log.offsets_at(1002.0) == (4, 0)


def test_a_moment_begins_at_a_line(files: LogFiles) -> None:
    files.out(b"first\nsec", 10.0)
    files.out(b"ond\nthird\n", 20.0)
    log = RunLog(files.path)
    assert at_moment(log, 15.0) == (6, 0)


TAILS = [
    (0, b""),
    (1, b"four\n"),
    (2, b"three\nfour\n"),
    (4, b"one\ntwo\nthree\nfour\n"),
    (9, b"one\ntwo\nthree\nfour\n"),
]


@pytest.mark.parametrize(("count", "expected"), TAILS)
def test_the_last_lines_are_found_backwards(files: LogFiles, count: int, expected: bytes) -> None:
    files.out(b"one\ntwo\nthree\nfour\n", 1.0)
    log = RunLog(files.path)
    assert log.read(OUT, last_lines(log, count)[OUT], 100)[1] == expected


def test_a_line_without_newline_is_a_line(files: LogFiles) -> None:
    files.out(b"one\ntwo\nthr", 1.0)
    log = RunLog(files.path)
    assert last_lines(log, 1)[OUT] == 8
    assert last_lines(log, 2)[OUT] == 4


@given(
    st.lists(st.sampled_from([b"\n", b"a", b"bc\n", b"x" * 300]), max_size=30), st.integers(min_value=0, max_value=12)
)
def test_the_last_lines_are_those_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], count: int
) -> None:
    files = LogFiles(tmp_path_factory.mktemp("log"), segment=64)
    for piece in pieces:
        files.out(piece, 1.0)
    whole = b"".join(pieces)
    log = RunLog(files.path)
    expected = b"".join(whole.splitlines(keepends=True)[-count:]) if count else b""
    assert whole[last_lines(log, count)[OUT] :] == expected


def test_the_tail_of_a_hundred_megabytes_takes_a_moment(tmp_path: Path) -> None:
    with (tmp_path / f"out.{0:016d}").open("wb") as file:
        for _ in range(100):
            file.write((b"x" * 99 + b"\n") * 10_000)
    start = time.process_time()
    assert last_lines(RunLog(str(tmp_path)), 1000)[OUT] == 100_000_000 - 100_000
    assert time.process_time() - start < 0.05


SCREENS = [
    (b"plain\ntext\n", 0),
    (b"\x1b[?1049hfull", 12),
    (b"\x1b[?1049hfull\x1b[?1049lback", 0),
    (b"a\x1b[?1;47hfull", 12),
    (b"\x1b[?25hcursor", 0),
    (b"\x1b[?1049h" + b"x" * 300_000, 300_008),
    (b"\x1b[?1049h" + b"x" * (131_072 - 4), 131_076),
]


@pytest.mark.parametrize(("data", "expected"), SCREENS)
def test_a_place_inside_a_full_screen_span_is_known(tmp_path: Path, data: bytes, expected: int) -> None:
    files = LogFiles(tmp_path)
    files.out(data, 1.0)
    assert full_screen_bytes(RunLog(files.path), OUT, len(data)) == expected


def test_sizes_are_listed_with_their_place(files: LogFiles) -> None:
    files.out(b"abc", 1.0)
    files.resize(120, 40, 2.0)
    files.out(b"def", 3.0)
    assert RunLog(files.path).resizes == [(2.0, 3, 120, 40)]
