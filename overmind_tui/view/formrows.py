"""The form of a new mission as lines: labels, values with the cursor, and beside a field why it was refused. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from overmind_core.domain.cells import width
from overmind_tui.view import box, form
from overmind_tui.view import field as line_editing
from overmind_tui.view.cells import Cell, clipped, safe
from overmind_tui.view.field import Field
from overmind_tui.view.form import Entry, Form, Kind

LABEL = 11
"""Cells of a label with the blanks beside it."""
FEWEST, MOST = 1, 8
"""Rows of a text of several lines."""
CURSOR = "cursor-cell"
"""The tone of the cell with the cursor."""
Line = Sequence[Cell]


class Drawn(NamedTuple):
    """All lines, and which of them the entry with the cursor has."""

    lines: list[list[Cell]]
    first: int
    last: int


def drawn(state: Form, cells: int, *, ascii_only: bool = False) -> Drawn:
    """The form in lines of at most `cells` cells."""
    lines: list[list[Cell]] = []
    first = last = 0
    for entry in form.shown(state):
        active = entry.key == state.at
        rows = _rows(state, entry, max(cells - LABEL - 1, 4), ascii_only=ascii_only)
        rows += [[Cell(text, "bad")] for text in _refusal(state, entry, cells - LABEL - 1)]
        rows += _below(state, entry, cells - LABEL - 1)
        if active:
            first, last = len(lines), len(lines) + len(rows) - 1
        label = Cell(f" {entry.label:<{LABEL}}", "accent" if active else "quiet")
        lines += [[label if at == 0 else Cell(" " * (LABEL + 1)), *row] for at, row in enumerate(rows)]
    return Drawn(lines, first, last)


def _rows(state: Form, entry: Entry, cells: int, *, ascii_only: bool) -> list[list[Cell]]:
    active, value = entry.key == state.at, state.values[entry.key]
    match entry.kind:
        case Kind.CHOICE:
            return [_choice(state, entry, cells, active=active, ascii_only=ascii_only)]
        case Kind.FOLD:
            return [[Cell(clipped(_folded(state, ascii_only=ascii_only), cells), "" if active else "faint")]]
        case Kind.LINES if value.text:
            return _several(value, cells, active=active)
    return [line(value, _hint(state, entry), cells, active=active, ghost=state.ghost if entry.key == "cwd" else "")]


def _hint(state: Form, entry: Entry) -> str:
    return f"{state.generated} (generated)" if entry.key == "name" else entry.hint


def _folded(state: Form, *, ascii_only: bool) -> str:
    entries = [entry.label for entry in form.ENTRIES if entry.more and state.what.sort in entry.sorts]
    signs = ("v", ">") if ascii_only else ("▾", "▸")
    return signs[0] if state.unfolded else f"{signs[1]} {', '.join(entries)}"


def _choice(state: Form, entry: Entry, cells: int, *, active: bool, ascii_only: bool) -> list[Cell]:
    """All words, or where those don't fit the chosen one between arrows."""
    words, chosen = form.choices(state, entry), state.values[entry.key].text
    missing = {one.name for one in state.whats if one.missing} if entry.key == "what" else set()
    on, off = ("(o)", "( )") if ascii_only else ("●", "○")
    tone = "accent" if active else ""
    if sum(width(on) + 1 + width(word) + 2 for word in words) <= cells:
        return [
            Cell(f"{on if word == chosen else off} {word}  ",
                 "faint" if word in missing else (tone if word == chosen else "quiet"))
            for word in words
        ]  # fmt: skip
    left, right = ("<", ">") if ascii_only else ("◂", "▸")
    return [Cell(clipped(f"{left} {chosen} {right}", cells), "faint" if chosen in missing else tone)]


def line(value: Field, hint: str, cells: int, *, active: bool, ghost: str = "") -> list[Cell]:
    """A line; too long a one is shown around the cursor."""
    if not active:
        return [Cell(clipped(value.text, cells))] if value.text else [Cell(clipped(hint, cells), "faint")]
    text, at = value.text, value.at
    under, behind, tone = text[at : at + 1], text[at + 1 : at + cells], ""
    if not under:
        rest = ghost or ("" if text else clipped(hint, cells))
        under, behind, tone = (rest[:1] if ghost else "") or " ", rest[1:] if ghost else rest[: cells - 1], "faint"
    return [Cell(text[line_editing.begin(value, cells - 1) : at]), Cell(under, CURSOR), Cell(behind, tone)]


def _several(value: Field, cells: int, *, active: bool) -> list[list[Cell]]:
    """A text of several lines; at most `MOST` rows around the cursor."""
    rows = box.rows(value.text, cells - 1)
    here = box.row_of(rows, value.at)
    top = max(0, min(here - MOST + 1, len(rows) - MOST)) if active else 0
    lines = []
    for at, (start, end) in enumerate(rows[top : top + MOST], top):
        if active and at == here:
            under = box.drawn(value.text[value.at : min(value.at + 1, end)]) or " "
            lines.append([Cell(box.drawn(value.text[start : value.at])), Cell(under, CURSOR),
                          Cell(box.drawn(value.text[value.at + 1 : end]))])  # fmt: skip
        else:
            lines.append([Cell(box.drawn(value.text[start:end]))])
    if len(rows) > MOST:
        lines.append([Cell(clipped(f"{here + 1 if active else len(rows)} of {len(rows)} lines", cells), "faint")])
    return lines


def _refusal(state: Form, entry: Entry, cells: int) -> list[str]:
    key, reason = state.refusal
    if key != entry.key or not reason:
        return []
    text = safe(reason)
    return [text[start:end] for start, end in box.rows(text, max(cells, 4))][:3]


def _below(state: Form, entry: Entry, cells: int) -> list[list[Cell]]:
    """What there is to say about an entry."""
    if entry.key == "what" and state.what.missing:
        return [[Cell(clipped(state.what.missing, cells), "slow")]]
    if entry.key == "cwd" and state.at == "cwd" and len(state.candidates) > 1:
        return [[Cell(clipped(safe("  ".join(state.candidates)), cells), "faint")]]
    return []


def moved(state: Form, cells: int, step: int) -> Form | None:
    """The form with the cursor a row below or above in a text of several; None where there is none."""
    if state.entry.kind is not Kind.LINES:
        return None
    value = state.values[state.at]
    changed = box.vertical(value, box.rows(value.text, max(cells - LABEL - 1, 4) - 1), step)
    return None if changed is None else form.written(state, changed)
