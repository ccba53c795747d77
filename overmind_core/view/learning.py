"""How quests went, above the lessons. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from overmind_core.domain.text.cells import pad, width
from overmind_core.domain.text.decimals import decimal
from overmind_core.view import notes as notes_rows
from overmind_core.view import numbers
from overmind_core.view.cells import Cell, Row, clipped, safe
from overmind_core.view.describe import Lines

CHANGES = notes_rows.CHANGES | {"quest"}
"""Kinds of events after which something else was learned."""
GROUPS = ("type", "provider", "model", "spec")
"""What quests are grouped by."""
LESSONS = {"kind": "lesson"}
"""What the supervisor is asked with for lessons, beside the folder."""
COLUMNS = tuple(column for column in notes_rows.COLUMNS if column.key != "kind")
"""Those of notes: all of them are lessons."""
MOST_GROUPS = 6
"""That are shown at once."""
_NONE = "–"


def lessons(answer: Row) -> list[Row]:
    """The lessons of an answer to `notes`: those that a person is to decide on first, then the newest."""
    return sorted(notes_rows.listed(answer), key=lambda row: row["state"] != "proposed")


def share(value: float | None) -> str:
    """A part of 1: `0.87`; `–` for none."""
    return _NONE if value is None else decimal(value, 2)


def group_lines(groups: Sequence[Row], by: str, cells: int) -> Lines:
    """A line for each group of quests, the largest first, below a heading; of many only some."""
    if not groups:
        return []
    shown = groups[:MOST_GROUPS]
    most = max(cells // 3, 8)
    names = min(max(width(by), *(width(safe(one["key"]) or _NONE) for one in shown)), most)
    head = f" {pad(by.upper(), names)}  {'N':>5}  {'RATE':>4}  {'TRIES':>5}  {'COST':>7}  {'TIME':>5}  FAILED WITH"
    lines: Lines = [[Cell(head, "title")]]
    for one in shown:
        name = pad(clipped(safe(one["key"]) or _NONE, names), names)
        tries = _NONE if one["tries"] is None else f"{one['tries']:.1f}"
        cost = numbers.cost_of(one) or _NONE
        took = _NONE if one["seconds"] is None else numbers.span(one["seconds"])
        figures = f"  {one['quests']:>5}  {share(one['rate']):>4}  {tries:>5}  {cost:>7}  {took:>5}  "
        failed = ", ".join(f"{safe(name)} {count}" for name, count in one["failures"].items())
        lines.append([Cell(f" {name}"), Cell(figures, "quiet"), Cell(failed, "bad")])
    more = len(groups) - len(shown)
    if more:
        lines.append([Cell(f" … {more} more: :learn --by {by} lists all", "faint")])
    return lines
