"""Positions in a log, found backwards without reading what lies before: the last lines, a moment, a full screen."""

from __future__ import annotations

import re
from typing import NamedTuple

from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.reader import RunLog
from overmind_core.logs.sanitise import ALTERNATE_SCREEN
from overmind_core.logs.time_order import Offsets

_WINDOW = 128 * 1024
_LINE_LOOKBACK = 64 * 1024
_SCREEN_LOOKBACK = 8 * 1024 * 1024
_MARK = b"\x1b[?"
_SWITCH = re.compile(rb"\x1b\[\?([0-9;]{1,64})([hl])")


def last_lines(log: RunLog, lines: int, until: Offsets | None = None) -> Offsets:
    """Where the last `lines` lines of each stream begin; the last ones of both together are among them."""
    ends = log.end if until is None else until
    return _last_lines(log, OUT, lines, ends[OUT]), _last_lines(log, ERR, lines, ends[ERR])


def at_moment(log: RunLog, wall: float) -> Offsets:
    """Where the lines begin that were being written at `wall` (seconds since the epoch) or came later."""
    out, err = log.offsets_at(wall) or log.start
    return _line_start(log, OUT, out), _line_start(log, ERR, err)


def full_screen_bytes(log: RunLog, stream: int, offset: int) -> int:
    """How many bytes before `offset` were written on the alternate screen that is still shown there; 0: it is not.

    As far as the last 8 MiB tell.
    """
    switch = last_switch(log, stream, max(0, offset - _SCREEN_LOOKBACK), offset)
    return offset - switch.at if switch is not None and switch.on else 0


class ScreenSwitch(NamedTuple):
    """Where the alternate screen was switched on, or off."""

    at: int
    on: bool


def last_switch(log: RunLog, stream: int, begin: int, end: int) -> ScreenSwitch | None:
    """The last one between two offsets; None: there is none, or what lies there is not kept."""
    position = end
    overlap = b""
    while position > begin:
        start = max(position - _WINDOW, begin)
        at, data = log.read(stream, start, position - start)
        switch = _last_switch(data + overlap)
        if switch is not None:
            return ScreenSwitch(at + switch.start(), switch[2] == b"h")
        if at > start:
            return None
        position, overlap = start, data[:80]
    return None


def _last_switch(data: bytes) -> re.Match[bytes] | None:
    if _MARK not in data:
        return None
    found = [one for one in _SWITCH.finditer(data) if _alternate(one[1])]
    return found[-1] if found else None


def _alternate(modes: bytes) -> bool:
    return not ALTERNATE_SCREEN.isdisjoint(modes.split(b";"))


def _last_lines(log: RunLog, stream: int, lines: int, end: int) -> int:
    position = end
    missing = lines
    while position > 0 and missing:
        start = max(position - _WINDOW, 0)
        at, data = log.read(stream, start, position - start)
        data = data[: max(position - at, 0)]
        # The newline that ends the last line begins no other one.
        searched = len(data) - 1 if position == end else len(data)
        found, missing = _newline_before(data, searched, missing)
        if not missing:
            return at + found + 1
        if at > start:
            return at
        position = start
    return position if missing else end


def _newline_before(data: bytes, searched: int, wanted: int) -> tuple[int, int]:
    """The position of the `wanted`-th newline from the back, or how many are still wanted."""
    count = data.count(b"\n", 0, max(searched, 0))
    if count < wanted:
        return 0, wanted - count
    position = searched
    for _ in range(wanted):
        position = data.rfind(b"\n", 0, position)
    return position, 0


def _line_start(log: RunLog, stream: int, offset: int) -> int:
    """The start of the line that the byte before `offset` stands on; `offset` when that is far away."""
    start = max(offset - _LINE_LOOKBACK, 0)
    at, data = log.read(stream, start, offset - start)
    newline = data.rfind(b"\n", 0, max(offset - at, 0))
    if newline >= 0:
        return at + newline + 1
    return at if at == 0 or at > start else offset
