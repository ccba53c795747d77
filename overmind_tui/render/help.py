"""The help in columns: headings that stay with their rows, one of which is chosen. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from overmind_core.domain.text.cells import pad, width
from overmind_core.view.actions import Action
from overmind_core.view.cells import Cell, clipped

Lines = list[list[Cell]]
NARROWEST = 56
"""Cells of a column."""
KEY = 14
"""Cells of a key at least, with what stands around it."""


class Entry(NamedTuple):
    """One row: keys and what they do; `action` is what `enter` does, `line` what it types behind the colon."""

    keys: str
    text: str
    note: str = ""
    action: Action | None = None
    line: str = ""
    tone: str = "key"

    @property
    def looked_in(self) -> str:
        """What a filter is looked for in."""
        return f"{self.keys} {self.text} {self.note}"


class Section(NamedTuple):
    """A heading with its rows."""

    title: str
    entries: Sequence[Entry]


class Place(NamedTuple):
    """Where a row stands: its column, and its line in the text."""

    column: int
    line: int


class Sheet(NamedTuple):
    """What is drawn, and where each row stands, in their order."""

    lines: Lines
    places: Sequence[Place]


def columns_in(cells: int) -> int:
    """How many columns so many cells have room for."""
    return max(1, cells // NARROWEST)


def laid_out(sections: Sequence[Section], cells: int, chosen: int) -> Sheet:
    """The sections side by side, about equally long; a heading never stands without a row of its own.

    Args:
        sections: Those that are shown.
        cells: The width of all columns.
        chosen: The number of the row that stands out.
    """
    count = columns_in(cells)
    room = cells // count
    items = _items(sections, room)
    height = -(-len(items) // count)
    columns: list[list[_Item]] = [[]]
    for at, item in enumerate(items):
        heads = item.entry is None and item.title != ""
        if item.rest:
            columns[-1].append(item)
            continue
        full = len(columns[-1]) >= height or (heads and len(columns[-1]) >= height - 1)
        if full and len(columns) < count:
            columns.append([])
        if item.entry is None and not item.title and not columns[-1]:
            continue  # no gap at the top
        if not columns[-1] and item.entry is not None and at:
            columns[-1].append(_Item(_title_above(items, at)))
        columns[-1].append(item)
    lines: Lines = [[] for _ in range(max(map(len, columns), default=0))]
    places: dict[int, Place] = {}
    for number, column in enumerate(columns):
        for y, line in enumerate(lines):
            item = column[y] if y < len(column) else _Item("")
            if item.entry is not None and not item.rest:
                places[item.number] = Place(number, y)
            line.extend(_drawn(item, room, chosen=item.entry is not None and item.number == chosen))
    return Sheet(lines, [places[number] for number in sorted(places)])


class _Item(NamedTuple):
    """A line of a column: a heading, a row or what its line had no room for, or a gap."""

    title: str
    entry: Entry | None = None
    """With the part of its text that stands on this line; its note stands on the last one."""
    number: int = -1
    rest: bool = False


def _items(sections: Sequence[Section], room: int) -> list[_Item]:
    found: list[_Item] = []
    number = 0
    for section in sections:
        found += [*([_Item("")] if found else []), _Item(section.title)]
        for entry in section.entries:
            parts = _parts(entry, room)
            found += [_Item(section.title, part, number, rest=place > 0) for place, part in enumerate(parts)]
            number += 1
    return found


def _parts(entry: Entry, room: int) -> list[Entry]:
    """The row on as many lines as its text needs; nothing of it is cut."""
    free = max(room - width(_keys(entry)) - 1, 8)
    texts = textwrap.wrap(entry.text, free) or [""]
    note = f" ({entry.note})" if entry.note else ""
    if width(texts[-1]) + width(note) > free:
        head, _, last = texts[-1].rpartition(" ")
        texts[-1:] = [head, last] if head else [last]
    parts = [Entry("", text, "", entry.action, entry.line, entry.tone) for text in texts]
    parts[0] = parts[0]._replace(keys=entry.keys)
    parts[-1] = parts[-1]._replace(note=entry.note)
    return parts


def _keys(entry: Entry) -> str:
    return pad(f"   {entry.keys} ", KEY)


def _title_above(items: Sequence[_Item], at: int) -> str:
    return f"{items[at].title} …"


def _drawn(item: _Item, room: int, *, chosen: bool) -> list[Cell]:
    if item.entry is None:
        return [Cell(pad(clipped(f" {item.title}" if item.title else "", room), room), "title")]
    entry = item.entry
    keys = _keys(entry)
    note = f" ({entry.note})" if entry.note else ""
    text = clipped(entry.text, max(room - width(keys) - width(note) - 1, 8))
    rest = max(room - width(keys) - width(text) - width(note), 0)
    tones = (f"{entry.tone} cursor", "cursor", "slow cursor") if chosen else (entry.tone, "", "slow")
    return [Cell(keys, tones[0]), Cell(text, tones[1]), Cell(note, tones[2]), Cell(" " * rest)]


def kept(sections: Sequence[Section], matches: Sequence[bool]) -> list[Section]:
    """The sections with those of their rows that match, in the order of all rows."""
    found: list[Section] = []
    at = 0
    for section in sections:
        entries = [entry for place, entry in enumerate(section.entries) if matches[at + place]]
        at += len(section.entries)
        if entries:
            found.append(Section(section.title, entries))
    return found


def step(places: Sequence[Place], at: int, *, sideways: int) -> int:
    """The row beside another one, in the column so many to the right; the same where there is none."""
    wanted = places[at].column + sideways
    beside = [number for number, place in enumerate(places) if place.column == wanted]
    return min(beside, key=lambda number: abs(places[number].line - places[at].line), default=at)


def distance(places: Sequence[Place], at: int, number: int) -> tuple[bool, int]:
    """How far a row is from another one, for an order: those of its column are nearer than any beside it."""
    return places[number].column != places[at].column, abs(places[number].line - places[at].line)
