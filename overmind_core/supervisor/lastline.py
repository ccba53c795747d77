"""The newest line of each run's log, for what a mission is doing NOW; read again only when the log has grown."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from overmind_core.domain.cells import display_safe
from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.reader import RunLog
from overmind_core.logs.rendered import Rendered, begins_inside_a_line
from overmind_core.logs.sanitise import Sanitiser, is_span
from overmind_core.logs.tail import last_switch
from overmind_core.providers import registry
from overmind_core.providers.wording import is_turn_summary

WINDOW = 4096
"""Bytes at the end of a stream in which the line is looked for."""
AGENT_WINDOW = 256 * 1024
"""Likewise of an agent's lines, which are longer; one that is longer still shows as nothing."""
LONGEST = 200
"""Characters that are kept of it."""
LOOKBACK = 1024 * 1024
"""Bytes before the window in which is looked for what switched to a full screen, or back."""
OVERLAP = 80
"""Bytes that are read again: a switch may have been cut in two."""
FULL_SCREEN = "(full screen)"
"""Instead of a line, where nothing but a full screen was drawn."""
REMEMBERED = 20_000
"""Runs."""


class Extent(NamedTuple):
    """A run, where its log lies, how long each stream is, and whose lines it holds (None: plain ones)."""

    run: str
    path: str
    out: int
    err: int
    format: str | None = None


class Screen(NamedTuple):
    """Whether a terminal showed its alternate screen where the window of its newest line begins."""

    at: int = 0
    on: bool = False


class _Known(NamedTuple):
    extent: Extent
    text: str
    screen: Screen


class LastLines:
    """Remembers what it read."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def of(self, extent: Extent) -> str:
        """The last line with something on it; "" when there is none. Reads a file: for a worker thread."""
        known = self._known.get(extent.run)
        if known is not None and known.extent == extent:
            return known.text
        screen = _screen(extent, known.screen if known is not None else Screen())
        text = _read(extent, on_screen=screen.on)
        self._known[extent.run] = _Known(extent, text, screen)
        self._known.move_to_end(extent.run)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return text


def _screen(extent: Extent, before: Screen) -> Screen:
    """Looks only at what came since: whole logs are not read again for a line."""
    start = max(extent.out - WINDOW, 0)
    if extent.format is not None or start <= before.at:
        return before
    begin = max(before.at - OVERLAP, start - LOOKBACK, 0)
    switch = last_switch(RunLog(extent.path), OUT, begin, start)
    return Screen(start, switch.on if switch is not None else before.on)


def _read(extent: Extent, *, on_screen: bool) -> str:
    log = RunLog(extent.path)
    for stream, end in ((OUT, extent.out), (ERR, extent.err)):
        found = _last(log, stream, end, extent.format, on_screen=on_screen and stream == OUT) if end else ""
        if found:
            return display_safe(found[:LONGEST])
    return ""


def _last(log: RunLog, stream: int, end: int, whose: str | None, *, on_screen: bool) -> str:
    renderer = registry.renderer(whose) if whose is not None and stream == OUT else None
    start = max(end - (WINDOW if renderer is None else AGENT_WINDOW), 0)
    start, data = log.read(stream, start, end - start)
    cut = begins_inside_a_line(log, stream, start)
    if cut and renderer is None and not on_screen and (newline := data.find(b"\n")) >= 0:
        data = data[newline + 1 :] or data
    reading = Sanitiser(full_screen=int(on_screen)) if renderer is None else Rendered(renderer, cut=cut)
    lines = [line.strip() for line in (*reading.feed(data), *reading.flush())]
    says_nothing = is_span if renderer is None else is_turn_summary
    nothing = FULL_SCREEN if any(map(is_span, lines)) else ""
    return next((line for line in reversed(lines) if line and not says_nothing(line)), nothing)
