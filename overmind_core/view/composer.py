"""The text of a composer: readline's keys on its lines, and the rows in which it is shown. Pure.

It is a `Field` whose text has line ends. Other control characters stay in it and are spelled out where it is drawn.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from overmind_core.domain.text.cells import display_safe, width
from overmind_core.view import field as line_editing
from overmind_core.view.field import Field

TAB = "    "
"""How a tab is drawn."""
_OF_A_LINE = frozenset({"home", "ctrl+a", "end", "ctrl+e", "ctrl+u", "ctrl+k"})
"""Keys that stay within the line with the cursor."""


class TextRow(NamedTuple):
    """What one row of the screen shows: the characters from `start` to `end` of the text."""

    start: int
    end: int


def typed(field: Field, text: str) -> Field:
    """The field after typing or pasting `text`; its line ends are kept, but for those at the end of a paste."""
    clean = text.replace("\r\n", "\n").replace("\r", "\n")
    clean = clean if clean == "\n" else clean.rstrip("\n")
    return field._replace(text=field.text[: field.at] + clean + field.text[field.at :], at=field.at + len(clean))


def pressed(field: Field, key: str) -> Field | None:
    """The field after a key that is no character; None when the key means nothing here."""
    if key == "ctrl+y":
        return field._replace(
            text=field.text[: field.at] + field.cut + field.text[field.at :], at=field.at + len(field.cut)
        )
    if key not in _OF_A_LINE:
        return line_editing.pressed(field, key)
    start, end = _line(field)
    if key == "ctrl+k" and field.at == end:
        return line_editing.pressed(field, "delete")
    changed = line_editing.pressed(Field(field.text[start:end], field.at - start, field.cut), key)
    assert changed is not None
    return Field(field.text[:start] + changed.text + field.text[end:], start + changed.at, changed.cut)


def continued_draft(field: Field) -> Field | None:
    """The field with a line end instead of the backslash before the cursor; None where there is none."""
    if field.text[: field.at][-1:] != "\\":
        return None
    return field._replace(text=field.text[: field.at - 1] + "\n" + field.text[field.at :])


def rows(text: str, cells: int) -> list[TextRow]:
    """The rows of at most `cells` cells in which the text is drawn; words stay whole where they fit."""
    found: list[TextRow] = []
    start = 0
    for line in text.split("\n"):
        found += _broken(text, start, start + len(line), max(cells, 1))
        start += len(line) + 1
    return found


def row_of(shown: Sequence[TextRow], at: int) -> int:
    """The row in which the cursor stands when it is before the character `at`."""
    return bisect_right(shown, at, key=lambda row: row.start) - 1


def vertical(field: Field, shown: Sequence[TextRow], step: int) -> Field | None:
    """The field with the cursor a row below (`step` 1) or above (-1); None where there is none."""
    here = row_of(shown, field.at)
    there = here + step
    if not 0 <= there < len(shown):
        return None
    wanted = width(drawn(field.text[shown[here].start : field.at]))
    start, end = shown[there]
    continues = there + 1 < len(shown) and shown[there + 1].start == end > start
    at = start
    while at < end - continues and width(drawn(field.text[start : at + 1])) <= wanted:
        at += 1
    return field._replace(at=at)


def drawn(text: str) -> str:
    """A piece of a line as it is drawn: nothing in it moves the cursor of the terminal."""
    return text if text.isprintable() else "".join(TAB if one == "\t" else display_safe(one) for one in text)


def _line(field: Field) -> tuple[int, int]:
    """Where the line with the cursor begins and ends."""
    end = field.text.find("\n", field.at)
    return field.text.rfind("\n", 0, field.at) + 1, len(field.text) if end < 0 else end


def _broken(text: str, start: int, end: int, cells: int) -> list[TextRow]:
    """One line in rows."""
    found = []
    while (fits := _fitting(text, start, end, cells)) < end:
        space = text.rfind(" ", start, fits) + 1
        stop = space if space > start else fits
        found.append(TextRow(start, stop))
        start = stop
    return [*found, TextRow(start, end)]


def _fitting(text: str, start: int, end: int, cells: int) -> int:
    """The end of the longest piece from `start` on that fits; one character always does."""
    piece = text[start : min(start + cells, end)]
    if piece.isascii() and piece.isprintable():
        return start + len(piece)
    used = 0
    for at in range(start, end):
        used += width(drawn(text[at]))
        if used > cells and at > start:
            return at
    return end
