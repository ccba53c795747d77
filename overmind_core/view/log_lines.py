"""Lines of a log as rows of a screen: time before them, long ones wrapped or cut sideways; and the log's titles."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from itertools import accumulate

from overmind_core.domain.text.cells import width
from overmind_core.logs.display import NOTE, Line
from overmind_core.logs.layout import ERR
from overmind_core.logs.sanitise import is_span
from overmind_core.view import cells as render_cells
from overmind_core.view import missions as rows
from overmind_core.view.cells import Row, TextStyle
from overmind_core.view.numbers import span as duration

StyledText = tuple[str, str | TextStyle]
"""Text, and its tone by name or the look that the agent gave it."""
TAB = 8
STAMP = 9
"""Cells of a time and the space behind it."""
LONGEST = 2_000
"""Characters of one line that are ever shown."""


def pieces(line: Line) -> list[StyledText]:
    """The line's texts without tabs, each with its tone or look."""
    _, stream, text = line
    text = text[: LONGEST * 4]
    if stream == NOTE:
        return [(_expanded(render_cells.stripped(text)), "accent")]
    base = "slow" if stream == ERR else ""
    return [(_expanded(part), look if look != render_cells.PLAIN else base) for part, look in render_cells.runs(text)]


_RULE = re.compile(r"── .+ ──")


def is_rule(line: Line) -> bool:
    """Whether it is a line that we draw across the log, such as `── new since 14:02 ──`."""
    return line[1] == NOTE and _RULE.search(render_cells.stripped(line[2])) is not None


def rule(line: Line, cells: int, indent: int) -> list[StyledText]:
    """Such a line over the whole width; with a name before it, it begins where other lines do, at the cell `indent`."""
    text = render_cells.stripped(line[2]).strip()
    if _RULE.match(text) is None:
        text = " " * indent + text
    return [(text + "─" * max(cells - width(text), 0), "news")]


def marked(parts: list[StyledText], marks: Sequence[tuple[int, int]], mark: str = "chosen") -> list[StyledText]:
    """The parts with what stands between some places of their text (ascending) in the tone `mark`."""
    shown: list[StyledText] = []
    at = 0
    for text, tone in parts:
        done = 0
        for start, end in marks:
            begin, behind = max(start - at, done), min(end - at, len(text))
            if begin < behind:
                shown += [(text[done:begin], tone), (text[begin:behind], mark)]
                done = behind
        shown.append((text[done:], tone))
        at += len(text)
    return [piece for piece in shown if piece[0]]


def stamp(wall: float, zone: tzinfo | None) -> str:
    """The time of day at `wall`."""
    return datetime.fromtimestamp(wall, zone).strftime("%H:%M:%S ") if wall else " " * STAMP


def whole_text(line: Line, zone: tzinfo | None, *, times: bool) -> str:
    """The line as a text, whole, with or without the time of day."""
    return (stamp(line[0], zone) if times else "") + _expanded(render_cells.stripped(line[2]))


def wrapped(parts: list[StyledText], cells: int) -> list[list[StyledText]]:
    """The parts in rows of at most `cells` cells; at least one row."""
    rows: list[list[StyledText]] = [[]]
    room = cells
    for text, tone in parts:
        left = text
        while left:
            taken = _taking(left, room)
            if not taken and room == cells:
                taken = 1
            if taken:
                rows[-1].append((left[:taken], tone))
                room -= width(left[:taken])
                left = left[taken:]
            if left:
                rows.append([])
                room = cells
    return rows


CUT: StyledText = ("…", "quiet")
"""At the end of a line that goes on."""


def sideways(parts: list[StyledText], offset: int, cells: int) -> list[StyledText]:
    """The parts from the cell `offset` on, at most `cells` of them; `CUT` stands where text goes on behind them."""
    goes_on = width("".join(text for text, _ in parts).rstrip()) > offset + cells
    return [*_window(parts, offset, cells - 1), CUT] if goes_on else _window(parts, offset, cells)


def _window(parts: list[StyledText], offset: int, cells: int) -> list[StyledText]:
    shown: list[StyledText] = []
    skip, room = offset, cells
    for text, tone in parts:
        here = text
        if skip:
            hidden = _taking(here, skip)
            skip = max(skip - width(here[:hidden]), 0) if hidden == len(here) else 0
            here = here[hidden:]
        taken = _taking(here, room)
        if taken:
            shown.append((here[:taken], tone))
            room -= width(here[:taken])
    return shown


def _taking(text: str, cells: int) -> int:
    """How many characters fit into `cells` cells."""
    if text.isascii():
        return min(len(text), max(cells, 0))
    used = 0
    for at, character in enumerate(text):
        used += width(character)
        if used > cells:
            return at
    return len(text)


def _expanded(text: str) -> str:
    return text.expandtabs(TAB) if "\t" in text else text


NOBODY = "no mission is selected"
NAMED = 3
"""Missions whose names are in the title."""


def missing(name: str) -> str:
    """Why there is no log of what the engine asks about."""
    return f"{name} has no mission, and so no log"


def title(names: Sequence[str], run: int | None, runs: tuple[int, int], span: str) -> str:
    """The title of a log: names, which run of how many, and which part.

    Args:
        names: Of the missions; none: no run of any is shown.
        run: The one that is shown alone; None: all.
        runs: The number of the newest run that is shown, and of the newest that there is.
        span: Which part, in words; "" is all.
    """
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    if not names:
        return NOBODY
    parts = [", ".join(names[:NAMED]) + more]
    if run is not None:
        parts.append(f"run {run} of {runs[1]}" if runs[1] else f"run {run}")
    elif runs[0] > 1:
        parts.append(f"run {runs[0]}")
    return " · ".join(filter(None, (*parts, span)))


def screen(row: Row | None, partial: str) -> str:
    """The key of the list that shows what a mission draws; "" where its log says more. `partial`: the last line."""
    if row is None or not is_span(partial) or not (rows.is_live(row) and row.get("tty")):
        return ""
    return "enter shows its screen" if rows.has_terminal(row) else "a shows its screen"


def nothing_since(span: str, last: float, now: float, zone: tzinfo | None) -> str:
    """That there is no line in a part of the log, and when the last one was (seconds since the epoch; 0.0: never)."""
    what = (
        "no output since the view was cleared" if span == "cleared" else f"no output in {span}" if span else "no output"
    )
    if not last:
        return what
    at = datetime.fromtimestamp(last, zone).strftime("%H:%M:%S")
    return f"{what} · the last line was at {at}, {duration(max(now - last, 0.0))} ago"


Height = Callable[[Sequence[Line], int], int]
"""Lines, and the place of one of them → how many rows that takes; at least one."""


class Wrapping:
    """The rows of lines.

    Args:
        height: Of one of them.
    """

    def __init__(self, height: Height) -> None:
        self._height = height
        self._ends: list[int] = []

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def add(self, lines: Sequence[Line], begin: int = 0) -> None:
        """Those from `begin` on came at the end."""
        more = [self._height(lines, at) for at in range(begin, len(lines))]
        begun = len(self)
        self._ends += [begun + end for end in accumulate(more)]

    def start(self, line: int) -> int:
        """The first row of a line."""
        return self._ends[min(line, len(self._ends)) - 1] if line and self._ends else 0

    def at(self, row: int) -> tuple[int, int]:
        """The line that a row belongs to, and the row's place within it; behind the last line for a row behind it."""
        line = bisect_right(self._ends, row)
        return line, row - (self._ends[line - 1] if line else 0)
