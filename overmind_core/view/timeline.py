"""Rows of a timeline: what happened to a quest, a spec or a mission, a row for each thing, folded by attempt. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from typing import NamedTuple

from overmind_core.domain.actor import is_person
from overmind_core.domain.missions.status_marks import mark_of
from overmind_core.view import tables
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.columns import By, Column
from overmind_core.view.tables import Orders

EARLIER, ALSO = "earlier", "also"
"""What the row is called that stands for what is no longer kept; and the one that names who else has the name."""
_ABOVE = frozenset({EARLIER, ALSO})
BEGINS = "begins"
"""Noted in a row: its attempt, on the first row of that; "" on the others."""
_SHOWN_AS = {"working": "running", "checking": "running", "reviewing": "running", "landing": "running",
             "started": "running", "landed": "completed", "spawn_failed": "crashed",
             "set_up_failed": "crashed", "keeper_lost": "lost", "thawed": "running"}  # fmt: skip
"""What happened → the status that has its mark, where that is another word."""
_HAVE_MARKS = {one: mark_of(one) for one in (
    "queued", "running", "review", "restarting", "stopping", "paused", "completed", "succeeded", "failed", "crashed",
    "timed out", "stopped", "killed", "lost", "cancelled",
)}  # fmt: skip
MARKS = tuple(dict.fromkeys(_HAVE_MARKS.values()))
"""In the order of the help."""
_ENDS = frozenset({"stopped", "crashed", "killed"})
"""Types of events that end a mission, of which its outcome says how."""
_TONES = {
    "asked": "", "answered": "good", "steer": "slow", "overlap": "slow", "health": "slow", "report": "quiet",
    "message_failed": "bad",
    "lesson": "quiet", "note": "quiet", "phase": "quiet", "spec": "quiet", "cost_warning": "slow",
    EARLIER: "faint", ALSO: "faint",
}  # fmt: skip


def whole(answer: list[Row]) -> list[Row]:
    """The rows as they came: the page makes them rows of a table, in the person's zone."""
    return answer


def rows(answer: Iterable[Row], zone: tzinfo | None, now: float) -> list[Row]:
    """The rows with their clocks; an attempt is named on its first one, of each quest of a spec.

    Args:
        answer: As the request `timeline` answers.
        zone: None is the machine's.
        now: Seconds since the epoch; of that day's rows the day is not said.
    """
    found: list[Row] = []
    named: dict[str | None, int | None] = {}
    for one in answer:
        subject, number = one.get("mission"), one["attempt"]  # an older hive tells no mission
        begins = "" if number is None or number == named.get(subject) else str(number)
        named[subject] = number
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
    mark = _HAVE_MARKS[status]
    tone = "quiet" if mark.tone == "wait" else mark.tone  # it called for a person then
    return Cell(f"{mark.mark} {mark.word if word in _ENDS else shown}", tone)


def _by(row: Row, _now: float) -> Cell:
    return Cell(safe(row["by"]), "" if is_person(row["by"]) else "quiet")


COLUMNS: tuple[Column, ...] = (
    Column("at", "AT", 8, 8, 1, lambda row, _now: Cell(row["clock"][11:], "faint")),
    Column("day", "DAY", 10, 10, 6, lambda row, _now: Cell(row["day"], "faint"), spare=True),
    Column("seq", "SEQ", 6, 8, 9, lambda row, _now: Cell(str(row["seq"]), "faint"), right=True, wide=True),
    Column("attempt", "TRY", 3, 4, 2, lambda row, _now: Cell(row[BEGINS], ""), right=True),
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


# all of them, by days

SHOWN = frozenset({
    "answered", "asked", "cost_warning", "crashed", "created", "exited", "health", "keeper_lost", "killed", "landed",
    "message_failed", "note", "overlap", "paused", "phase", "quest", "report", "restarting", "set_up_failed",
    "spawn_failed", "spec", "started", "steer", "stopped", "stopping", "thawed", "withdrawn",
})  # fmt: skip
"""Types of events that a timeline tells of; the others are said by the log of events."""


class Chapter(NamedTuple):
    """What happened to one subject on one day, the newest last.

    Attributes:
        day: As `2026-11-23`, in the person's zone.
        id: Of the mission or quest, or of what else it is about; "" for what is about nothing.
        name: Its name, as it was called last.
        rows: Rows of events, as `tables.events` makes them, with `BEGINS`.
    """

    day: str
    id: str
    name: str
    rows: list[Row]


def _what(event: Row) -> str:
    """The word for an event: of a quest its state, of an end how that was, of all else its type."""
    if event["type"] == "quest":
        return str(event["status"])
    return str((event.get("outcome") if event["type"] in _ENDS else None) or event["type"])


def chapters(events: Iterable[Row], zone: tzinfo | None = None) -> list[Chapter]:
    """Events folded by day and subject: the newest day first, in it what changed last first.

    Args:
        events: As the request `events` tells them, the oldest first.
        zone: None is the machine's.
    """
    found: dict[tuple[str, str], Chapter] = {}
    for row in tables.events((event for event in events if event["type"] in SHOWN), zone):
        about = row.get("about") or {}
        subject = str(row.get("mission") or about.get("id") or "")
        day = str(row["clock"])[:10]
        chapter = found.pop((day, subject), None) or Chapter(day, subject, "", [])
        before = chapter.rows[-1] if chapter.rows else {}
        run = row.get("run")
        begins = "" if run is None or run == before.get("run", None) else str(run)
        rows = [*chapter.rows, {**row, BEGINS: begins, "what": _what(row)}]
        found[day, subject] = chapter._replace(name=safe(row["name"] or about.get("name") or chapter.name), rows=rows)
    newest_first = list(found.values())[::-1]
    return sorted(newest_first, key=lambda one: one.day, reverse=True)
