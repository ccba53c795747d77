"""Snapshots of a run's terminal, drawn from its log by our own emulator, and a run as an asciicast.

To draw it the emulator is fed the end of the log, at the sizes that the terminal had; nobody is asked. An asciicast has
what the terminal was sent, when, and how large it was then.

Source: asciicast v2 file format (docs.asciinema.org).
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from overmind_core.logs.layout import OUT
from overmind_core.logs.reader import WINDOW, Resize, RunLog
from overmind_core.terminal.screen import LARGEST, Screen, replay, scan_modes

ENOUGH = 256 * 1024
"""Bytes that fill any screen; the emulator needs some 30 ms for them."""
LOOKBACK = 1024 * 1024
"""Bytes in which the last clear is looked for, since when a full-screen program may have drawn bit by bit."""
CLEAR = re.compile(rb"\x1bc|\x1b\[2J|\x1b\[\?(?:1049|1047|47)[hl]")
"""What clears a screen, or shows another one."""


class OutputPiece(NamedTuple):
    """Output at one size of the terminal."""

    columns: int
    rows: int
    data: bytes


class OutputTail(NamedTuple):
    """The end of an output."""

    start: int
    """Its offset; the cut may be in the middle of a sequence."""
    pieces: tuple[OutputPiece, ...]
    """At least one."""


def output_tail(log: RunLog, columns: int, rows: int, until: int | None = None, *, enough: int = ENOUGH) -> OutputTail:
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
    return OutputTail(start, tuple(_pieces(log, start, data, (columns, rows))))


def pieces_between(log: RunLog, end: int, since: int = 0) -> Iterator[bytes]:
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
    cleared = max((found.start() for found in CLEAR.finditer(data)), default=len(data))
    cut = max(min(cleared, len(data) - enough), 0)
    return at + cut, data[cut:]


def _pieces(log: RunLog, start: int, data: bytes, size: tuple[int, int]) -> Iterator[OutputPiece]:
    """The output, cut where the terminal got another size."""
    done = 0
    for _, offset, columns, rows in log.resizes:
        if offset > start + len(data):
            break
        if offset > start + done:
            yield OutputPiece(*size, data[done : offset - start])
            done = offset - start
        size = (columns, rows)
    yield OutputPiece(*size, data[done:])


class ModeScan:
    """Which modes the beginning of a run's output leaves set, and up to where that was read."""

    def __init__(self) -> None:
        self._modes = b""
        self._end = 0

    def scan_to(self, log: RunLog, end: int) -> bytes:
        """What sets the modes that the output up to `end` leaves set; see `scan_modes`."""
        if end < self._end:
            self._modes, self._end = b"", 0
        self._modes = scan_modes(chain((self._modes,), pieces_between(log, end, self._end)))
        self._end = end
        return self._modes


def screen_at(
    path: str, *, columns: int, rows: int, until: int | None = None, scrollback: int = 0, head: ModeScan | None = None
) -> Screen:
    """The screen at the offset `until` of the output (None: now).

    Args:
        path: The run's folder.
        columns: Of the terminal when the run began.
        rows: The same.
        until: Bytes since the run began.
        scrollback: How many rows above the screen are wanted, too, as far as the end of the log holds them.
        head: Of the same run, from one picture to the next: so that what came before both is read once.
    """
    log = RunLog(path)
    content = output_tail(log, columns, rows, until, enough=LOOKBACK if scrollback else ENOUGH)
    first, *others = content.pieces
    modes = (head or ModeScan()).scan_to(log, content.start) if content.start else None
    screen = replay(first.data, *drawable(first.columns, first.rows), head_modes=modes, scrollback=scrollback)
    for piece in others:
        screen.resize(*drawable(piece.columns, piece.rows))
        screen.feed(piece.data)
    return screen


class DrawnScreen(NamedTuple):
    """A screen, and how far it was drawn."""

    screen: Screen
    at: int
    """The offset of the output."""
    head: ModeScan
    """Of what came before the screen, so that a flood is not read from its beginning at each look."""


def drawn_to(until: int, log: RunLog, columns: int, rows: int, drawn: DrawnScreen | None) -> DrawnScreen:
    """The screen at the offset `until` of the output, drawn on from an earlier one where that is near.

    Args:
        until: Bytes since the run began.
        log: Of a run with a terminal.
        columns: Of the terminal when the run began.
        rows: The same.
        drawn: From the same log, not used after this.
    """
    if drawn is None or not drawn.at <= until <= drawn.at + ENOUGH:
        head = ModeScan() if drawn is None else drawn.head
        screen = screen_at(log.path, columns=columns, rows=rows, until=until, head=head)
        return DrawnScreen(screen, until, head)
    _draw_on(drawn.screen, log, columns, rows, since=drawn.at, until=until)
    return drawn._replace(at=until)


def _draw_on(screen: Screen, log: RunLog, columns: int, rows: int, *, since: int, until: int) -> None:
    """Draw what was written, and the sizes that the terminal got, since the screen was drawn at the offset `since`.

    Args:
        screen: Drawn from the same log.
        log: Of a run with a terminal.
        columns: Of the terminal when the run began.
        rows: The same.
        since: Bytes since the run began.
        until: The same.
    """
    data = b"".join(pieces_between(log, until, since))
    for piece in _pieces(log, since, data, (columns, rows)):
        size = drawable(piece.columns, piece.rows)
        if size != (screen.columns, screen.rows):
            screen.resize(*size)
        screen.feed(piece.data)


def drawable(columns: int, rows: int) -> tuple[int, int]:
    """The size at which a terminal of that size is drawn."""
    return min(max(columns, 1), LARGEST), min(max(rows, 1), LARGEST)


def asciicast(log: RunLog, *, columns: int, rows: int, terminal: bool, title: str) -> Iterator[str]:
    """The lines of the file, without newlines.

    Args:
        log: the run's log.
        columns: the terminal's first size, in cells.
        rows: likewise.
        terminal: the run had one; else its newlines are given the carriage return that a terminal adds.
        title: what the recording is called.
    """
    resizes = log.resizes
    began: float | None = None
    decoders = [codecs.getincrementaldecoder("utf-8")("replace") for _ in range(2)]
    for wall, stream, at, data in log.interleaved(log.start):
        if began is None:
            began = wall
            yield _header(began, columns, rows, title)
        while resizes and resizes[0][1] <= at:
            yield _resize(resizes.pop(0), began)
        text = decoders[stream].decode(data if terminal else data.replace(b"\n", b"\r\n"))
        if text:
            yield _event(wall - began, "o", text)
    if began is None:
        yield _header(0.0, columns, rows, title)


def _header(began: float, columns: int, rows: int, title: str) -> str:
    return _compact({"version": 2, "width": columns, "height": rows, "timestamp": int(began), "title": title})


def _resize(resize: Resize, began: float) -> str:
    wall, _, columns, rows = resize
    return _event(wall - began, "r", f"{columns}x{rows}")


def _event(seconds: float, kind: str, text: str) -> str:
    """A time before the first byte (a size that was set at once, a clock that was set back) counts as the start."""
    return _compact([round(max(seconds, 0.0), 3), kind, text])


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
