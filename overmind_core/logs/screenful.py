"""What a terminal has to be fed to show what a run's terminal shows: the end of its log, at the sizes that it had."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from overmind_core.logs.layout import OUT
from overmind_core.logs.reader import WINDOW, RunLog

ENOUGH = 256 * 1024
"""Bytes that fill any screen; the emulator needs some 30 ms for them."""
LOOKBACK = 1024 * 1024
"""Bytes in which the last clear is looked for, since when a full-screen program may have drawn bit by bit."""
_CLEAR = re.compile(rb"\x1bc|\x1b\[2J|\x1b\[\?(?:1049|1047|47)[hl]")


class Piece(NamedTuple):
    """Output at one size of the terminal."""

    columns: int
    rows: int
    data: bytes


class Screenful(NamedTuple):
    """The end of an output."""

    start: int
    """Its offset; the cut may be in the middle of a sequence."""
    pieces: tuple[Piece, ...]
    """At least one."""


def screenful(log: RunLog, columns: int, rows: int, until: int | None = None, *, enough: int = ENOUGH) -> Screenful:
    """What shows the terminal as it was at the offset `until` of its output (None: now).

    Args:
        log: Of a run with a terminal.
        columns: Of the terminal when the run began.
        rows: The same.
        until: Bytes since the run began.
        enough: Bytes of the end that are wanted, `LOOKBACK` at most; more where a program cleared the screen before.
    """
    end = log.end[OUT] if until is None else min(until, log.end[OUT])
    start, data = _tail(log, end, enough)
    return Screenful(start, tuple(_pieces(log, start, data, (columns, rows))))


def before(log: RunLog, end: int, since: int = 0) -> Iterator[bytes]:
    """All output that is kept from the offset `since` up to `end`, in pieces."""
    position = max(log.start[OUT], since)
    while position < end:
        at, data = log.read(OUT, position, min(WINDOW, end - position))
        if not data or at >= end:
            return
        yield data[: end - at]
        position = at + len(data)


def _tail(log: RunLog, end: int, enough: int) -> tuple[int, bytes]:
    """The end of the output, and the offset at which it begins."""
    wanted = max(end - LOOKBACK, 0)
    at, data = log.read(OUT, wanted, end - wanted)
    cleared = max((found.start() for found in _CLEAR.finditer(data)), default=len(data))
    cut = max(min(cleared, len(data) - enough), 0)
    return at + cut, data[cut:]


def _pieces(log: RunLog, start: int, data: bytes, size: tuple[int, int]) -> Iterator[Piece]:
    """The output, cut where the terminal got another size."""
    done = 0
    for _, offset, columns, rows in log.resizes:
        if offset > start + len(data):
            break
        if offset > start + done:
            yield Piece(*size, data[done : offset - start])
            done = offset - start
        size = (columns, rows)
    yield Piece(*size, data[done:])
