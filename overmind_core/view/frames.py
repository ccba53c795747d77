"""Rows of tables for a screen that draws them elsewhere: plain values, made for JSON, with tones by name. Pure.

Those of the list of missions are in `list_frames`.

What changes by itself is a moment instead of a text, so that a row that stands still is sent once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from overmind_core.domain.missions.status_marks import StatusMark
from overmind_core.view import missions as missions_rows
from overmind_core.view import tones
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.columns import Column

CellFrame = tuple[str, str, str] | tuple[str, str, str, float]
"""Key of the column, text, tone; and the moment (seconds since the epoch) of the span that goes on behind the text:
the time since then, or until then while it is to come."""
Facts = dict[str, object]
RowFrame = tuple[str, str, str, int, list[CellFrame], Facts]
"""Guides of the tree, word of the mark, name, 1 where it is news, cells of the columns that say something, facts."""
_SHOWN_AS = {"waiting": "queued"}
"""Status → the word of its mark, where the word of the status is that of another mark: what waits for its time or for
others is not what waits for a person."""
NAME = "name"
"""Key of the column that guides, mark and name share; it is no cell of its own."""


def columns(shown: Sequence[Column]) -> list[Mapping[str, object]]:
    """The columns of a table, in their order, without the texts that only terminals need.

    `keep` is the rank when room is scarce: the smaller, the longer a column stays. `wide`: only a wide table shows it.
    `spare`: it is left out while no row has a cell of it.
    """
    return [
        {
            "key": one.key,
            "title": one.title,
            "keep": one.keep,
            **({"right": True} if one.right else {}),
            **({"wide": True} if one.wide else {}),
            **({"spare": True} if one.spare else {}),
        }
        for one in shown
    ]


def marks(shown: Sequence[StatusMark]) -> dict[str, tuple[str, str]]:
    """Word of a mark → the mark and its tone."""
    return {one.word: (one.mark, tones.named(one.tone)) for one in shown}


def cells(shown: Sequence[Column], row: Row, now: float) -> list[CellFrame]:
    """The cells of a row that say something, of all columns but that of the name."""
    found: list[CellFrame] = []
    for column in shown:
        if column.key == NAME:
            continue
        cell = column.cell(row, now)
        ticking = None if column.ticks is None else column.ticks(row)
        if ticking is not None and ticking.ticks_at(now):
            found.append((column.key, ticking.lead, tones.named(cell.tone), ticking.at))
        elif cell.text:
            found.append((column.key, cell.text, tones.named(cell.tone)))
    return found


def row(found: Row, shown: Sequence[Column], now: float, *, mark: str = "", facts: Facts | None = None) -> RowFrame:
    """A row of any other table.

    Args:
        found: As its request answers it, or as its module of this package shapes it.
        shown: The columns.
        now: Seconds since the epoch.
        mark: The word of its mark, where that is not the one of its status.
        facts: What else its page needs of it.
    """
    word = mark or _SHOWN_AS.get(found.get("status", ""), "")
    word = word or (missions_rows.mark(found).word if "status" in found else "")
    return ("", word, safe(found.get("name")), int(bool(found.get("unseen"))), cells(shown, found, now), facts or {})


def line(shown: Sequence[Cell]) -> list[tuple[str, str]]:
    """A line of texts, each with its tone."""
    return [(cell.text, tones.named(cell.tone)) for cell in shown if cell.text]


def lines(shown: Sequence[Sequence[Cell]]) -> list[list[tuple[str, str]]]:
    """Lines of texts, such as a description or what an empty table says."""
    return [line(one) for one in shown]
