"""Rows of health: signs of life of missions that run, whether agents lose their way, and how it goes together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from overmind_core.domain.engine_questions import oldest_of
from overmind_core.domain.missions.status_marks import SILENT, StatusMark
from overmind_core.domain.text.decimals import decimal
from overmind_core.domain.watching.shared_files import overlaps
from overmind_core.view import missions as missions_rows
from overmind_core.view import numbers
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.columns import By, Column
from overmind_core.view.describe import Lines, Rendering, pairs
from overmind_core.view.tables import Orders

CHANGES = frozenset({"health", "steer", "overlap", "started", "exited", "restart", "removed", "asked", "answered"})
"""Kinds of events after which the health of missions is another one."""
AT, ASKED = "health_at", "asked"
"""Noted in each row: when its figures were true, in seconds since the epoch; and what is asked about it."""
LOW = 0.6
"""An alignment below this is steered."""
_LEVELS = ("hung", "stalled", "quiet", "ok")
_MARKS: Mapping[str, StatusMark] = {mark.word: mark for mark in SILENT}
_COUNTS = (("low", "low"), ("steered", "steered"), ("sharing", "agents change the same files"))


def summary(facts: Row) -> str:
    """Return how many run, have a problem, or work against each other; "" where nothing runs.

    `facts`: As the request `health` answers under `coherence`.
    """
    unwatched = facts.get("unwatched", 0)  # a daemon of an earlier version doesn't count them
    counts = ((facts["live"] + unwatched, "running"), (unwatched, "not watched"))
    return " · ".join(f"{number} {word}" for number, word in (*counts, *((facts[n], w) for n, w in _COUNTS)) if number)


def whole(answer: Row) -> list[Row]:
    """The answer itself: its missions are made rows by `listed`."""
    return [answer]


def listed(answer: Row, fleet: Mapping[str, Row], now: float) -> list[Row]:
    """The missions of an answer, with what else is known of them; `now` in seconds since the epoch."""
    nothing = {"status": "running", "activity": None}
    return [{**fleet.get(one["id"], nothing), **one, AT: now, ASKED: ""} for one in answer["missions"]]


def learn(rows: Iterable[Row], fleet: Mapping[str, Row], questions: Iterable[Row]) -> None:
    """Note in each row what its mission does, and what is asked about it."""
    asked = {key: safe(one["summary"]) for key, one in oldest_of(questions).items()}
    for row in rows:
        known = fleet.get(row["id"], row)
        row["status"], row["activity"] = known["status"], known.get("activity")
        row[ASKED] = asked.get(row["id"], "")


def silent(row: Row, now: float) -> float | None:
    """Seconds since its last sign of life; None where its silence means nothing."""
    return None if row["silent_seconds"] is None else max(0.0, row["silent_seconds"] + now - row[AT])


def share(value: float | None) -> str:
    """A number between 0 and 1: `0.65`; `–` for none."""
    return "–" if value is None else decimal(value, 2)


def held(row: Row) -> list[str]:
    """The patterns that hold, each with its evidence, and who changes the same files."""
    terms = [f"{one['term']}: {safe(one['evidence'])}" for one in row["terms"] if one["holds"]]
    return [*terms, *map(safe, overlaps(row))]


def why(row: Row) -> str:
    """What is asked about it, else what it does wrong and who changes the same files."""
    return row[ASKED] or "; ".join(held(row))


def _level(row: Row, _now: float) -> Cell:
    """Its level, with its mark; of one whose silence means nothing what it does instead."""
    if row["level"] is None:
        return Cell(missions_rows.word(missions_rows.mark(row)), "quiet")
    mark = _MARKS.get(row["level"])
    return Cell("  ok", "good") if mark is None else Cell(f"{mark.mark} {mark.word}", mark.tone)


def _silent(row: Row, now: float) -> Cell:
    seconds = silent(row, now)
    return Cell("–" if seconds is None else numbers.span(seconds), "quiet")


def _cpu(row: Row, _now: float) -> Cell:
    return Cell("–" if row["cpu_percent"] is None else numbers.percent(row["cpu_percent"]), "quiet")


def _align(row: Row, _now: float) -> Cell:
    value = row["alignment"]
    return Cell(share(value), "quiet" if value is None else "bad" if value < LOW else "slow" if value < 1 else "")


def _steers(row: Row, _now: float) -> Cell:
    return Cell(f"{row['steers']}/3" if row["steers"] else "", "slow")


def _why(row: Row, _now: float) -> Cell:
    return Cell(why(row), "wait" if row[ASKED] else "slow")


COLUMNS: tuple[Column, ...] = (
    Column("name", "NAME", 12, 32, 0, lambda row, _now: Cell(safe(row["name"]))),
    Column("id", "ID", 8, 8, 14, lambda row, _now: Cell(row["id"], "quiet"), wide=True),
    Column("level", "HEALTH", 9, 9, 1, _level),
    Column("silent", "SILENT", 6, 6, 3, _silent, right=True),
    Column("cpu", "CPU", 4, 5, 5, _cpu, right=True),
    Column("align", "ALIGN", 5, 5, 2, _align, right=True),
    Column("steers", "STEER", 5, 5, 6, _steers, right=True, spare=True),
    Column("why", "WHY", 16, 0, 4, _why),
)
ORDERS: Orders = {
    "name": By(lambda row, _now: row["name"].casefold(), rises=True),
    "id": By(lambda row, _now: row["id"], rises=True),
    "level": By(lambda row, _now: _LEVELS.index(row["level"]) if row["level"] in _LEVELS else len(_LEVELS), rises=True),
    "state": By(lambda row, _now: _LEVELS.index(row["level"]) if row["level"] in _LEVELS else len(_LEVELS), rises=True),
    "silent": By(lambda row, now: silent(row, now) or 0.0),
    "cpu": By(lambda row, _now: row["cpu_percent"] or 0.0),
    "align": By(lambda row, _now: 2.0 if row["alignment"] is None else row["alignment"], rises=True),
    "steers": By(lambda row, _now: row["steers"]),
    "why": By(lambda row, _now: why(row).casefold(), rises=True),
}  # fmt: skip


def looked_in(row: Row) -> str:
    """What a plain word of a filter is looked for in."""
    return "\n".join((safe(row["name"]), row["id"], row["level"] or "", *missions_rows.state_words(row), why(row)))


def standing(row: Row) -> str:
    """How a mission is, in a line."""
    level = row["level"] or missions_rows.word(missions_rows.mark(row))
    return " · ".join(filter(None, (safe(row["name"]), level, f"alignment {share(row['alignment'])}", why(row))))


_EXPLAINED = {
    "loop": "the same call, or the same error, three times",
    "drift": "a change outside the paths of its quest",
    "thrash": "one file edited again and again, and the command still fails",
    "overrun": "over twice its estimate",
    "silence": "no sign of life",
}


def description(row: Row, look: Rendering) -> Lines:
    """All that is known of the health of a mission."""
    seconds = silent(row, look.now)
    level = row["level"] or f"not watched while {missions_rows.mark(row).word}"
    return [
        [Cell(f" {safe(row['name'])} ", "accent"), Cell(row["id"], "quiet")],
        *pairs(
            ("health", level),
            ("silent", None if seconds is None else numbers.ticking(seconds)),
            ("missed beats", row["missed"]),
            ("cpu", None if row["cpu_percent"] is None else numbers.percent(row["cpu_percent"])),
            ("alignment", share(row["alignment"])),
            ("steered", f"{row['steers']} of 3 times" if row["steers"] else None),
            ("question", row[ASKED] or None),
        ),
        *_overlaps(row),
        *_terms(row["terms"]),
    ]


def _overlaps(row: Row) -> Lines:
    """Who changes the same files, and all files that are known."""
    lines: Lines = []
    for one in row.get("overlaps") or ():
        lines += [[], [Cell(f" {safe(one['name'])} ", "accent"), Cell(f"{one['id']} ", "quiet"), Cell("changes, too:")]]
        lines += [[Cell(f"  {safe(path)}", "slow")] for path in one["files"]]
        lines += [[Cell(f"  and {one['more']} more", "quiet")]] if one["more"] else []
    return lines


def _terms(terms: Sequence[Row]) -> Lines:
    if not terms:
        return [[], [Cell(" alignment is known once the agent has used a tool", "quiet")]]
    lines: Lines = [[], [Cell(" alignment is 1 less the cost of each pattern that holds", "title")]]
    for one in terms:
        holds = {True: "yes", False: "no"}.get(one["holds"], "–")
        text = safe(one["evidence"]) or f"looks for: {_EXPLAINED.get(one['term'], one['term'])}"
        tone = "bad" if one["holds"] else "quiet"
        lines.append([Cell(f"  {one['term']:<9} {share(one['cost']):>4}  {holds:<4}", tone), Cell(text, tone)])
    return lines
