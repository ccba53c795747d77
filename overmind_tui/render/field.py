"""A line that is being typed, and what each key does to it: readline's keys, no more.

What a person has selected on a terminal, between two ends, and the text that it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from overmind_core.domain.text.cells import width
from overmind_tui.missions.summary import Grid, cells_of


class Field(NamedTuple):
    """Text, the cursor's place in it, and what was cut last."""

    text: str = ""
    at: int = 0
    cut: str = ""

    @classmethod
    def of(cls, text: str) -> Field:
        """A field with the cursor at the end."""
        return cls(text, len(text))


def typed(field: Field, text: str) -> Field:
    """The field after typing or pasting `text`: control characters and line ends become spaces."""
    clean = "".join(character if character.isprintable() else " " for character in text.rstrip("\r\n"))
    return field._replace(text=field.text[: field.at] + clean + field.text[field.at :], at=field.at + len(clean))


def begin(field: Field, cells: int) -> int:
    """Where the shown part begins, when `cells` cells stand before the cursor."""
    at, left = field.at, cells
    while at > 0 and (left := left - width(field.text[at - 1])) >= 0:
        at -= 1
    return at


def pressed(field: Field, key: str) -> Field | None:
    """The field after a key that isn't a character; None when the key means nothing here."""
    move = _MOVES.get(key)
    if move is not None:
        return field._replace(at=move(field))
    reach = _CUTS.get(key)
    if reach is not None:
        return _without(field, reach(field))
    if key == "ctrl+y":
        return typed(field, field.cut)
    return None


def _word_left(field: Field) -> int:
    at = field.at
    while at > 0 and not field.text[at - 1].isalnum():
        at -= 1
    while at > 0 and field.text[at - 1].isalnum():
        at -= 1
    return at


def _word_right(field: Field) -> int:
    at = field.at
    while at < len(field.text) and not field.text[at].isalnum():
        at += 1
    while at < len(field.text) and field.text[at].isalnum():
        at += 1
    return at


def _space_left(field: Field) -> int:
    at = field.at
    while at > 0 and field.text[at - 1].isspace():
        at -= 1
    while at > 0 and not field.text[at - 1].isspace():
        at -= 1
    return at


def _without(field: Field, to: int) -> Field:
    start, end = sorted((field.at, to))
    gone = field.text[start:end]
    kept = gone if len(gone) > 1 else field.cut
    return Field(field.text[:start] + field.text[end:], start, kept)


_MOVES: Mapping[str, Callable[[Field], int]] = {
    "left": lambda field: max(field.at - 1, 0),
    "ctrl+b": lambda field: max(field.at - 1, 0),
    "right": lambda field: min(field.at + 1, len(field.text)),
    "ctrl+f": lambda field: min(field.at + 1, len(field.text)),
    "home": lambda _: 0,
    "ctrl+a": lambda _: 0,
    "end": lambda field: len(field.text),
    "ctrl+e": lambda field: len(field.text),
    "alt+b": _word_left,
    "ctrl+left": _word_left,
    "alt+f": _word_right,
    "ctrl+right": _word_right,
}
_CUTS: Mapping[str, Callable[[Field], int]] = {
    "backspace": lambda field: max(field.at - 1, 0),
    "delete": lambda field: min(field.at + 1, len(field.text)),
    "ctrl+d": lambda field: min(field.at + 1, len(field.text)),
    "ctrl+w": _space_left,
    "alt+backspace": _word_left,
    "alt+d": _word_right,
    "ctrl+u": lambda _: 0,
    "ctrl+k": lambda field: len(field.text),
}


class Place(NamedTuple):
    """A cell: the row's number, and the column from 0."""

    row: int
    column: int


class Selection(NamedTuple):
    """From one end to the other, both included; whole rows until somebody goes sideways.

    Attributes:
        anchor: The end that stays.
        head: The end that moves.
        whole: All columns of all rows between them.
    """

    anchor: Place
    head: Place
    whole: bool = True

    def turned(self) -> Selection:
        """With the other end to move."""
        return self._replace(anchor=self.head, head=self.anchor)

    def columns(self, row: int, width: int) -> range:
        """The selected cells of a row that is so wide."""
        first, last = sorted((self.anchor, self.head))
        if not first.row <= row <= last.row:
            return range(0)
        if self.whole:
            return range(width)
        start = first.column if row == first.row else 0
        end = last.column + 1 if row == last.row else width
        return range(min(start, width), min(end, width))


def moved(selection: Selection, grid: Grid, *, rows: int = 0, columns: int = 0) -> Selection:
    """With the head so much further, as far as there are rows and columns; sideways it leaves whole rows."""
    row = max(grid.first, min(selection.head.row + rows, grid.end - 1))
    column = max(0, min(selection.head.column + columns, grid.screen.columns - 1))
    return selection._replace(head=Place(row, column), whole=selection.whole and not columns)


def selected_text(selection: Selection, grid: Grid) -> str:
    """The selected text: rows that one line was wrapped into are one line, blanks at the ends of lines are none."""
    first, last = sorted((selection.anchor.row, selection.head.row))
    lines = [""]
    for row in range(max(first, grid.first), min(last, grid.end - 1) + 1):
        chosen = selection.columns(row, grid.screen.columns)
        text = grid.full_text(row)
        lines[-1] += text if len(chosen) == grid.screen.columns else _cut(text, chosen)
        if not (grid.wrapped(row) and chosen.stop == grid.screen.columns):
            lines.append("")
    return "\n".join(line.rstrip(" ") for line in lines).removesuffix("\n")


def all_text(grid: Grid) -> str:
    """What the screen shows."""
    whole = Selection(Place(grid.top, 0), Place(grid.end - 1, 0))
    return selected_text(whole, grid).rstrip("\n")


def _cut(text: str, columns: range) -> str:
    return "".join(cells_of(text)[columns.start : columns.stop])
