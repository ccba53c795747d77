"""The newest line of each run's log, for what a mission is doing NOW; read again only when the log has grown."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from overmind_core.domain.cells import display_safe
from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.reader import RunLog
from overmind_core.logs.sanitise import Sanitiser

WINDOW = 4096
"""Bytes at the end of a stream in which the line is looked for."""
LONGEST = 200
"""Characters that are kept of it."""
REMEMBERED = 20_000
"""Runs."""


class Extent(NamedTuple):
    """A run, where its log lies, and how long each stream is."""

    run: str
    path: str
    out: int
    err: int


class LastLines:
    """Remembers what it read."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Extent, str]] = OrderedDict()

    def of(self, extent: Extent) -> str:
        """The last line with something on it; "" when there is none. Reads a file: for a worker thread."""
        known = self._known.get(extent.run)
        if known is not None and known[0] == extent:
            return known[1]
        text = _read(extent)
        self._known[extent.run] = (extent, text)
        self._known.move_to_end(extent.run)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return text


def _read(extent: Extent) -> str:
    log = RunLog(extent.path)
    for stream, end in ((OUT, extent.out), (ERR, extent.err)):
        if not end:
            continue
        start = max(end - WINDOW, 0)
        _, data = log.read(stream, start, end - start)
        if start and (newline := data.find(b"\n")) >= 0:
            data = data[newline + 1 :] or data
        sanitiser = Sanitiser()
        lines = [line.strip() for line in (*sanitiser.feed(data), *sanitiser.flush())]
        found = next(filter(None, reversed(lines)), "")
        if found:
            return display_safe(found[:LONGEST])
    return ""
