"""Rows of a timeline: what happened to a quest, a spec or a mission, a row for each thing, folded by attempt. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from overmind_tui.missions import rows as missions_rows
from overmind_tui.missions.columns import By, Column
from overmind_tui.render import tables
from overmind_tui.render.cells import Cell, Row, safe
from overmind_tui.render.tables import Orders

EARLIER, ALSO = "earlier", "also"
"""What the row is called that stands for what is no longer kept; and the one that names who else has the name."""
_ABOVE = frozenset({EARLIER, ALSO})
BEGINS = "begins"
"""Noted in a row: its attempt, on the first row of that; "" on the others."""
_SHOWN_AS = {"working": "running", "checking": "running", "reviewing": "running", "landing": "running",
             "started": "running", "landed": "completed", "exited": "stopped", "spawn_failed": "crashed",
             "set_up_failed": "crashed", "keeper_lost": "crashed", "thawed": "running"}  # fmt: skip
"""What happened → the status that has its mark, where that is another word."""
_HAVE_MARKS = frozenset({
    "queued", "running", "review", "completed", "failed", "cancelled", "stopped", "crashed", "killed", "restarting",
    "stopping", "paused",
})  # fmt: skip
_TONES = {
    "asked": "wait", "answered": "good", "steer": "slow", "overlap": "slow", "health": "slow", "report": "accent",
    "lesson": "accent", "note": "accent", "phase": "accent", "spec": "accent", "cost_warning": "slow",
    EARLIER: "faint", ALSO: "faint",
}  # fmt: skip


def whole(answer: list[Row]) -> list[Row]:
    """The rows as they came: the page makes them rows of a table, in the person's zone."""
    return answer


def rows(answer: Iterable[Row], zone: tzinfo | None, now: float) -> list[Row]:
    """The rows with their clocks; an attempt is named on its first one.

    Args:
        answer: As the request `timeline` answers.
        zone: None is the machine's.
        now: Seconds since the epoch; of that day's rows the day is not said.
    """
    found, attempt = [], None
    for one in answer:
        number = one["attempt"]
        begins = "" if number is None or number == attempt else str(number)
        attempt = number
        is_above = one["what"] in _ABOVE
        clocked = {"clock": "", "day": ""} if one["at"] is None else tables.events([one], zone, now=now)[0]
        row = {**one, "clock": clocked["clock"], "day": clocked["day"], BEGINS: begins, "name": one["what"]}
        found.append({**row, "id": one["what"] if is_above else str(one["seq"])})
    return found


def what(row: Row) -> Cell:
    """What happened, with the mark of the state that began."""
    word = row["what"]
    status = _SHOWN_AS.get(word, word)
    shown = safe(word).replace("_", " ")
    if status not in _HAVE_MARKS:
        return Cell(f"  {shown}", _TONES.get(word, "quiet"))
    mark = missions_rows.mark({"status": status})
    return Cell(f"{mark.mark} {shown}", mark.tone)


def _by(row: Row, _now: float) -> Cell:
    return Cell(safe(row["by"]), "wait" if row["by"] == "person" else "quiet")


COLUMNS: tuple[Column, ...] = (
    Column("at", "AT", 8, 8, 1, lambda row, _now: Cell(row["clock"][11:], "faint")),
    Column("day", "DAY", 10, 10, 6, lambda row, _now: Cell(row["day"], "faint"), spare=True),
    Column("seq", "SEQ", 6, 8, 9, lambda row, _now: Cell(str(row["seq"]), "faint"), right=True, wide=True),
    Column("attempt", "TRY", 3, 4, 2, lambda row, _now: Cell(row[BEGINS], "accent"), right=True),
    Column("what", "WHAT", 11, 16, 0, lambda row, _now: what(row)),
    Column("by", "BY", 6, 10, 4, _by),
    Column("text", "TEXT", 16, 0, 3, lambda row, _now: Cell(safe(row["text"]))),
)
_IN_TIME = By(lambda row, _now: (row["at"] or "", row["seq"]), rises=True)
ORDERS: Orders = {
    "at": _IN_TIME,
    "age": _IN_TIME,
    "seq": _IN_TIME,
    "what": By(lambda row, _now: row["what"], rises=True),
    "by": By(lambda row, _now: row["by"] or "", rises=True),
    "attempt": By(lambda row, _now: row["attempt"] or 0, rises=True),
}


def looked_in(row: Row) -> str:
    """What a plain word of a filter is looked for in."""
    return "\n".join((row["what"], safe(row["by"]), safe(row["text"]), f"attempt {row['attempt']}"))
