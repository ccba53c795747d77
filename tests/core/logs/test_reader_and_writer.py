"""A reader beside the keeper's own writer, with segments that end and vanish all the time."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.reader import RunLog
from overmind_core.logs.writer import RunLogWriter as Writer

RUN = "a1b2c3d4.1"
LINE = 16
"""Bytes."""


def expected(stream: int, start: int, end: int) -> bytes:
    """What the stream holds from `start` to `end`: each byte follows from its offset."""
    first = start // LINE
    text = b"".join(b"%d %013d\n" % (stream, number) for number in range(first, end // LINE + 1))
    return text[start - first * LINE : end - first * LINE]


def test_a_reader_that_keeps_up_sees_every_byte_in_its_order(tmp_path: Path) -> None:
    writer = Writer(str(tmp_path), RUN, limit=8000, segment=1000)
    log = RunLog(str(tmp_path / "a1b2c3d4" / "000001"))
    position = [0, 0]
    written: list[tuple[int, int]] = []
    seen: list[tuple[int, int]] = []
    for number in range(3000):
        stream = ERR if number % 5 == 0 else OUT
        end = writer.offsets[stream]
        writer.append(stream, expected(stream, end, end + LINE), 1000 + number / 1000)
        written.append((stream, end))
        if number % 7 == 0:
            for _, of, at, data in log.interleaved((position[OUT], position[ERR])):
                assert at == position[of]
                assert data == expected(of, at, at + len(data))
                seen += [(of, offset) for offset in range(at, at + len(data), LINE)]
                position[of] += len(data)
    writer.close()
    assert seen == written[: len(seen)]
    assert len(seen) > 2990


def test_a_reader_in_a_race_with_retention_sees_no_wrong_byte(tmp_path: Path) -> None:
    stopped = threading.Event()

    def write() -> None:
        writer = Writer(str(tmp_path), RUN, limit=20_000, segment=1000)
        while not stopped.is_set():
            end = writer.offsets[OUT]
            writer.append(OUT, expected(OUT, end, end + LINE * 20), time.time())
        writer.close()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        _read_for(0.5, RunLog(str(tmp_path / "a1b2c3d4" / "000001")))
    finally:
        stopped.set()
        thread.join()


def _read_for(seconds: float, log: RunLog) -> None:
    position = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for _, _, at, data in log.interleaved((position, 0)):
            assert at >= position
            assert data == expected(OUT, at, at + len(data))
            position = at + len(data)
    assert position > 0


def test_a_size_that_was_given_before_the_first_byte_is_found(tmp_path: Path) -> None:
    writer = Writer(str(tmp_path), RUN, limit=1 << 20, segment=1 << 16)
    writer.record_resize(100, 30, 1.0)
    writer.append(OUT, b"x", 2.0)
    writer.close()
    assert RunLog(str(tmp_path / "a1b2c3d4" / "000001")).resizes == [(1.0, 0, 100, 30)]
