"""Lines of a log as rows of a screen: their time before them, long ones wrapped or cut sideways."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo

from overmind_core.domain.cells import width
from overmind_core.logs.display import NOTE, Line
from overmind_core.logs.layout import ERR
from overmind_tui.view import ansi
from overmind_tui.view.ansi import Look

Piece = tuple[str, str | Look]
"""Text, and its tone by name or the look that the agent gave it."""
TAB = 8
STAMP = 9
"""Cells of a time and the space behind it."""
LONGEST = 2_000
"""Characters of one line that are ever shown."""


def pieces(line: Line) -> list[Piece]:
    """The line's texts without tabs, each with its tone or look."""
    _, stream, text = line
    text = text[: LONGEST * 4]
    if stream == NOTE:
        return [(_expanded(ansi.stripped(text)), "accent")]
    base = "slow" if stream == ERR else ""
    return [(_expanded(part), look if look != ansi.PLAIN else base) for part, look in ansi.runs(text)]


_RULE = re.compile(r"── .+ ──")


def is_rule(line: Line) -> bool:
    """Whether it is a line that we draw across the log, such as `── new since 14:02 ──`."""
    return line[1] == NOTE and _RULE.search(ansi.stripped(line[2])) is not None


def rule(line: Line, cells: int) -> list[Piece]:
    """Such a line over the whole width."""
    text = ansi.stripped(line[2]).strip()
    return [(text + "─" * max(cells - width(text), 0), "news")]


def marked(parts: list[Piece], marks: Sequence[tuple[int, int]], mark: str = "chosen") -> list[Piece]:
    """The parts with what stands between some places of their text (ascending) in the tone `mark`."""
    shown: list[Piece] = []
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


def said(line: Line, zone: tzinfo | None, *, times: bool) -> str:
    """The line as a text, whole, with or without the time of day."""
    return (stamp(line[0], zone) if times else "") + _expanded(ansi.stripped(line[2]))


def wrapped(parts: list[Piece], cells: int) -> list[list[Piece]]:
    """The parts in rows of at most `cells` cells; at least one row."""
    rows: list[list[Piece]] = [[]]
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


def height(line: Line, cells: int) -> int:
    """How many rows of `cells` cells the line takes; at least one."""
    text = line[2]
    if len(text) <= cells and (text.isascii() or len(text) * 2 <= cells) and "\t" not in text:
        return 1
    return len(wrapped(pieces(line), cells))


def sideways(parts: list[Piece], offset: int, cells: int) -> list[Piece]:
    """The parts from the cell `offset` on, at most `cells` of them."""
    shown: list[Piece] = []
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


def wider(parts: list[Piece], measure: Callable[[str], int] = width) -> int:
    """Cells that the parts take."""
    return sum(measure(text) for text, _ in parts)


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
