"""One run's log on disk: segments, index, retention, and disks that refuse."""

from __future__ import annotations

import os
import resource
import signal

import pytest

from overmind_core.logs import time_index, writer
from overmind_core.logs.layout import (
    ERR,
    INDEX_SEGMENT,
    OUT,
    data_name,
    data_starts,
    index_numbers,
    run_folder,
    split_run,
)
from overmind_core.logs.writer import RunLogWriter
from tests.kit.cases import tabled

RUN = "a1b2c3d4.1"
NOW = 1_800_000_000.0


@pytest.fixture
def logs(tmp_path):
    return str(tmp_path / "logs")


def names(logs, run=RUN):
    return sorted(os.listdir(run_folder(logs, run)))


def read(path):
    with open(path, "rb") as file:
        return file.read()


def content(logs, stream, run=RUN):
    folder = run_folder(logs, run)
    prefix = ("out.", "err.")[stream]
    return b"".join(read(f"{folder}/{name}") for name in names(logs, run) if name.startswith(prefix))


def records(logs, run=RUN):
    folder = run_folder(logs, run)
    parts = [read(f"{folder}/{name}") for name in names(logs, run) if name.startswith("index.")]
    return [record for part in parts for record in time_index.unpack(part)]


def log_of(logs, run=RUN, *, limit=1 << 30, segment=1 << 20, **options):
    return RunLogWriter(logs, run, limit=limit, segment=segment, **options)


@tabled("run", ["", "x", "a.", ".1", "../a.1", "a/b.1", "a.-1", "a.x"])
def test_a_run_id_that_could_leave_the_folder_is_refused(run):
    with pytest.raises(ValueError, match="not a run id"):
        split_run(run)


def test_nothing_is_opened_before_the_first_byte(logs):
    log = log_of(logs)
    log.record_end(NOW)
    log.close()
    assert not os.path.exists(logs)


def test_bytes_are_in_the_file_at_once(logs):
    log = log_of(logs)
    log.append(OUT, b"abc", NOW)
    log.append(ERR, b"x", NOW)
    assert content(logs, OUT) == b"abc"
    assert content(logs, ERR) == b"x"
    assert log.offsets == [3, 1]
    log.close()


def test_a_segment_is_named_by_the_offset_of_its_first_byte(logs):
    log = log_of(logs, segment=10)
    for _ in range(5):
        log.append(OUT, b"x" * 8, NOW)
    log.close()
    assert data_starts(names(logs), OUT) == [0, 16, 32]
    assert len(content(logs, OUT)) == 40


def test_each_index_segment_begins_with_both_offsets(logs):
    log = log_of(logs, segment=10)
    for _ in range(3):
        log.append(OUT, b"x" * 10, NOW)
        log.append(ERR, b"e", NOW)
    log.close()
    folder = run_folder(logs, RUN)
    heads = []
    for number in index_numbers(names(logs)):
        first = time_index.unpack(read(f"{folder}/index.{number:06d}"))[:2]
        assert [record.kind for record in first] == [time_index.OUT, time_index.ERR]
        heads.append(tuple(record.offset for record in first))
    assert heads == sorted(heads)
    assert heads[0] == (0, 0)


def test_an_index_that_has_grown_is_followed_by_the_next(logs):
    log = log_of(logs)
    log.append(OUT, b"abc", NOW)
    sizes = range(1, 3 * INDEX_SEGMENT // 2 // time_index.RECORD.size)
    for size in sizes:
        log.record_resize(size, 0, NOW)
    log.close()
    folder = run_folder(logs, RUN)
    numbers = index_numbers(names(logs))
    assert numbers == [0, 1]
    for number in numbers:
        path = f"{folder}/index.{number:06d}"
        assert os.path.getsize(path) <= INDEX_SEGMENT + time_index.RECORD.size
        assert [one.kind for one in time_index.unpack(read(path))[:2]] == [time_index.OUT, time_index.ERR]
    shown = [time_index.resize_size(one.extra)[0] for one in records(logs) if one.kind == time_index.RESIZE]
    assert shown == [size & 0xFFFF for size in sizes], "none is lost at the turn"


def test_the_end_is_in_the_index(logs):
    log = log_of(logs)
    log.append(OUT, b"abc", NOW)
    log.append(OUT, b"abc", NOW + 0.001)
    log.record_end(NOW + 9)
    log.close()
    last = [record for record in records(logs) if record.kind == time_index.OUT][-1]
    assert (last.offset, last.wall) == (6, int((NOW + 9) * 1000))


def test_a_resize_stands_where_it_happened(logs):
    log = log_of(logs)
    log.append(OUT, b"abc", NOW)
    log.record_resize(100, 30, NOW)
    log.close()
    (found,) = [record for record in records(logs) if record.kind == time_index.RESIZE]
    assert (found.offset, time_index.resize_size(found.extra)) == (3, (100, 30))


def test_retention_keeps_the_newest_bytes_and_says_what_went(logs):
    log = log_of(logs, limit=4000, segment=500)
    data = bytes(range(256)) * 80
    for at in range(0, len(data), 100):
        log.append(OUT, data[at : at + 100], NOW + at)
    log.close()
    starts = data_starts(names(logs), OUT)
    kept = content(logs, OUT)
    assert starts[0] > 0
    assert kept == data[starts[0] :]
    assert len(kept) <= 4000 + 500
    dropped = [record.offset for record in records(logs) if record.kind == time_index.DROPPED_OUT]
    assert dropped[-1] == starts[0]
    assert index_numbers(names(logs))[0] > 0


@pytest.mark.parametrize("old", [OUT, ERR])
def test_retention_takes_what_is_older_first_of_whichever_stream(logs, old):
    log = log_of(logs, limit=40_000, segment=5000)
    log.append(old, b"1" * 5000, NOW)
    log.append(old, b"1", NOW)
    os.utime(f"{run_folder(logs, RUN)}/{data_name(old, 0)}", (0, 0))
    new = ERR if old is OUT else OUT
    for _ in range(7):
        log.append(new, b"2" * 5000, NOW)
    log.close()
    assert [data_starts(names(logs), stream)[:1] for stream in (old, new)] == [[5000], [0]]


def test_retention_takes_older_runs_first(logs):
    first = log_of(logs, "a1b2c3d4.1", limit=4000, segment=500)
    first.append(OUT, b"1" * 400, NOW)
    first.close()
    second = log_of(logs, "a1b2c3d4.2", limit=4000, segment=500)
    for _ in range(30):
        second.append(OUT, b"2" * 250, NOW)
    second.close()
    assert not os.path.exists(run_folder(logs, "a1b2c3d4.1")), "nothing of it is left"
    assert content(logs, OUT, "a1b2c3d4.2").endswith(b"2" * 3000)


def short_run(logs, number, data, **options):
    log = log_of(logs, f"a1b2c3d4.{number}", **options)
    log.append(OUT, data, NOW)
    log.record_end(NOW)
    log.close()


def test_many_runs_too_short_to_rotate_stay_within_the_limit_together(logs):
    for number in range(1, 301):
        short_run(logs, number, b"%0100d" % number, limit=4000, segment=500)
    left = sorted(map(int, os.listdir(f"{logs}/a1b2c3d4")))
    sizes = [os.path.getsize(os.path.join(top, name)) for top, _, found in os.walk(logs) for name in found]
    assert 3000 < sum(sizes) <= 4000 + 500
    assert left == list(range(left[0], 301)), "the oldest go, with their folders"
    assert content(logs, OUT, "a1b2c3d4.300") == b"%0100d" % 300


def test_of_very_many_runs_few_look_at_all_of_them(logs, monkeypatch):
    looked = []
    monkeypatch.setattr(writer, "trim", lambda *_, writing, **__: looked.extend(writing))
    for number in range(1, 1001):
        short_run(logs, number, b"x")
    assert looked[:3] == [2, 3, 4]
    assert 0 < len([number for number in looked if number > 900]) <= 10


def test_what_still_writes_for_a_run_whose_folder_is_gone_goes_on(logs):
    first = log_of(logs, "a1b2c3d4.1", limit=500, segment=100)
    first.append(OUT, b"1" * 80, NOW)
    for number in range(2, 8):
        short_run(logs, number, b"x" * 90, limit=500, segment=100)
    assert not os.path.exists(run_folder(logs, "a1b2c3d4.1"))
    first.append(OUT, b"2" * 40, NOW)
    first.append(OUT, b"3" * 10, NOW)
    first.close()
    assert (content(logs, OUT, "a1b2c3d4.1"), first.offsets[OUT]) == (b"3" * 10, 130)


def test_another_mission_is_never_touched(logs):
    other = log_of(logs, "ffffffff.1")
    other.append(OUT, b"o" * 5000, NOW)
    other.close()
    log = log_of(logs, limit=1000, segment=100)
    for _ in range(50):
        log.append(OUT, b"x" * 100, NOW)
    log.close()
    assert len(content(logs, OUT, "ffffffff.1")) == 5000


@pytest.mark.parametrize(("cursor", "written", "kept_from"), [(0, 3000, 0), (1500, 3000, 1500), (0, 8000, 4000)])
def test_a_held_cursor_holds_up_to_four_times_the_limit(logs, cursor, written, kept_from):
    log = log_of(logs, limit=1000, segment=500, held=lambda _mission: {1: (cursor, 0)})
    for _ in range(written // 500):
        log.append(OUT, b"x" * 500, NOW)
    log.close()
    start = data_starts(names(logs), OUT)[0]
    assert start <= max(cursor, written - 4000 + 1500)
    assert start == kept_from or start > cursor


def test_a_second_writer_goes_on_behind_the_first(logs):
    first = log_of(logs)
    first.append(OUT, b"abc", NOW)
    first.close()
    second = log_of(logs)
    second.append(OUT, b"def", NOW)
    second.close()
    assert content(logs, OUT) == b"abcdef"
    assert second.offsets == [6, 0]


@pytest.fixture
def file_size_limit():
    """A disk that is full at 1,000 bytes per file (SIGXFSZ is ignored by Python)."""
    assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_the_disk_refuses_is_kept_and_written_later(logs, file_size_limit):
    log = log_of(logs)
    log.append(OUT, b"a" * 900, NOW)
    with pytest.raises(OSError, match="File too large"):
        log.append(OUT, b"b" * 200, NOW)
    assert log.blocked
    assert log.offsets == [1000, 0]
    assert log.kept(OUT) == b"b" * 100
    with pytest.raises(OSError, match="File too large"):
        log.retry(NOW)
    file_size_limit()
    log.retry(NOW)
    log.append(OUT, b"c", NOW)
    log.close()
    assert content(logs, OUT) == b"a" * 900 + b"b" * 200 + b"c"
    assert log.offsets == [1101, 0]


def test_an_index_that_is_refused_loses_no_record(logs, file_size_limit):
    log = log_of(logs, segment=300)
    blocked = 0
    for at in range(60):
        try:
            log.append((OUT, ERR)[at % 2], b"x", NOW + at)
        except OSError:
            blocked += 1
            file_size_limit()
            log.retry(NOW + at)
    log.close()
    assert blocked == 1
    grown = [(record.kind, record.offset) for record in records(logs)[2:]]
    assert [pair for pair in grown if pair[1]][-60:][-1] == (ERR, 30)
    assert log.offsets == [30, 30]


def test_a_folder_that_can_not_be_made_blocks_until_it_can(logs):
    with open(logs, "w", encoding="utf-8"):
        pass
    log = log_of(logs)
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        log.append(OUT, b"abc", NOW)
    assert log.kept(OUT) == b"abc"
    os.unlink(logs)
    log.retry(NOW)
    log.close()
    assert content(logs, OUT) == b"abc"
