"""What a run's terminal shows, drawn from its log by our own emulator; nobody is asked."""

from __future__ import annotations

from itertools import chain

from overmind_core.logs.reader import RunLog
from overmind_core.logs.screenful import ENOUGH, LOOKBACK, before, screenful
from overmind_core.terminal.replay import replay, scan_modes
from overmind_core.terminal.screen import LARGEST, Screen


class Head:
    """Which modes the beginning of a run's output leaves set, and up to where that was read."""

    def __init__(self) -> None:
        self._modes = b""
        self._end = 0

    def reach(self, log: RunLog, end: int) -> bytes:
        """What sets the modes that the output up to `end` leaves set; see `scan_modes`."""
        if end < self._end:
            self._modes, self._end = b"", 0
        self._modes = scan_modes(chain((self._modes,), before(log, end, self._end)))
        self._end = end
        return self._modes


def picture(
    path: str, *, columns: int, rows: int, until: int | None = None, scrollback: int = 0, head: Head | None = None
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
    content = screenful(log, columns, rows, until, enough=LOOKBACK if scrollback else ENOUGH)
    first, *others = content.pieces
    modes = (head or Head()).reach(log, content.start) if content.start else None
    screen = replay(first.data, *_drawable(first.columns, first.rows), head_modes=modes, scrollback=scrollback)
    for piece in others:
        screen.resize(*_drawable(piece.columns, piece.rows))
        screen.feed(piece.data)
    return screen


def _drawable(columns: int, rows: int) -> tuple[int, int]:
    return min(max(columns, 1), LARGEST), min(max(rows, 1), LARGEST)
