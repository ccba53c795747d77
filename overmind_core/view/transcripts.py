"""Rows of the lines that a search has found in transcripts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo

from overmind_core.domain.text.moment import format_clock
from overmind_core.view import numbers
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.columns import By, Column
from overmind_core.view.tables import Orders

_BEFORE, _FAR = 20, 60
"""Characters of a line that are shown before the first word, where that is further behind its beginning."""
_HUMAN = "human"


def _least(key: str) -> By:
    return By(lambda row, _now: str(row.get(key) or "").casefold(), rises=True)


def hits(answer: Sequence[Row]) -> list[Row]:
    """Hits, as `search --transcripts --json` lists them: the newest first."""
    return [{**row, "mission": row["id"], "id": str(place), "place": place} for place, row in enumerate(answer)]


def dated(rows: Sequence[Row], zone: tzinfo | None, now: float, place_in: Callable[[str], int]) -> list[Row]:
    """The same with their times in the person's zone, and as much of each line as shows the words.

    Args:
        rows: As `hits` makes them.
        zone: None is the machine's.
        now: Seconds since the epoch; of that day's lines the day is not said.
        place_in: Where the first of the words stands in a line.
    """
    return [{**row, "clock": _clock(row, zone, now), "text": _shown(row["line"], place_in)} for row in rows]


def _clock(row: Row, zone: tzinfo | None, now: float) -> str:
    wall = numbers.moment(row["at"])
    return format_clock(wall, now, zone=zone) if wall else ""


def _shown(line: str, place_in: Callable[[str], int]) -> str:
    flat = line.replace("\t", " ")
    return f"…{flat[place - _BEFORE :]}" if (place := place_in(flat)) > _FAR else flat


def _who(row: Row, _now: float) -> Cell:
    return Cell(safe(row["who"]), "accent" if row["who"] == _HUMAN else "quiet")


def _mission_cell(row: Row, _now: float) -> Cell:
    return Cell(safe(row["name"] or row["mission"]), "name")


COLUMNS: tuple[Column, ...] = (
    Column("at", "WHEN", 8, 19, 1, lambda row, _now: Cell(row["clock"], "faint")),
    Column("mission", "MISSION", 10, 24, 0, _mission_cell),
    Column("run", "RUN", 3, 4, 6, lambda row, _now: Cell(str(row["run"]), "quiet"), right=True, wide=True),
    Column("who", "WHO", 5, 6, 3, _who),
    Column("line", "LINE", 20, 0, 2, lambda row, _now: Cell(safe(row["text"]))),
)
ORDERS: Orders = {
    "at": By(lambda row, _now: -row["place"]),
    "age": By(lambda row, _now: -row["place"]),
    "mission": _least("name"),
    "name": _least("name"),
    "run": By(lambda row, _now: row["run"]),
    "who": _least("who"),
    "line": _least("line"),
}


def looked_in(row: Row) -> str:
    """The text in which a plain word of a filter is looked for."""
    return "\n".join((safe(row["name"]), row["mission"], row["who"], safe(row["line"])))
