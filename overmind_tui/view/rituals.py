"""Rituals and their runs as tables: what comes next, counted down, and what came of it before. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from overmind_core.domain.marks import FAILED, mark_of
from overmind_tui.view import amounts
from overmind_tui.view import missions as view
from overmind_tui.view.cells import Cell, Row, safe
from overmind_tui.view.columns import Column
from overmind_tui.view.ordering import By
from overmind_tui.view.tables import Orders

CHANGES = frozenset({"ritual", "quest", "plan_ended", "removed"})
"""Kinds of events after which a ritual stands otherwise."""
PAUSED = "paused"
_NEVER = float("inf")
_REST = ("waiting", "paused", "running")


def rituals(answer: Sequence[Row]) -> list[Row]:
    """Rituals as they come, by name."""
    return list(answer)


def countdown(seconds: float) -> str:
    """What is left; `now` once it is over."""
    return amounts.ticking(seconds) if seconds >= 1 else "now"


def left(row: Row, now: float) -> float:
    """Seconds until the next run; infinite when none comes by itself."""
    due = None if row["paused"] else amounts.moment(row["next_at"])
    return _NEVER if due is None else due - now


def _next(row: Row, now: float) -> Cell:
    seconds = left(row, now)
    if seconds < _NEVER:
        return Cell(countdown(seconds))
    return Cell(PAUSED if row["paused"] else "never", "off")


def _ago(row: Row, now: float) -> float:
    last = amounts.moment(row["last_at"])
    return _NEVER if last is None else max(0.0, now - last)


def _last(row: Row, now: float) -> Cell:
    ago = _ago(row, now)
    return Cell("" if ago == _NEVER else f"{amounts.span(ago)} ago", "quiet")


def _result(row: Row, _now: float) -> Cell:
    found = row["last_result"]
    return Cell("", "") if found is None else Cell(found, mark_of(found).tone)


def state(row: Row) -> str:
    """Whether it rests, waits for its time, or runs, and how many runs wait for that."""
    word = PAUSED if row["status"] == PAUSED else view.mark(row).word
    return f"{word} +{row['queued']}" if row["queued"] else word


def _state(row: Row, _now: float) -> Cell:
    return Cell(state(row), "slow" if row["paused"] else view.mark(row).tone)


def _quiet(key: str, title: str, least: int, most: int, keep: int) -> Column:
    return Column(key, title, least, most, keep, lambda row, _now: Cell(safe(row[key]), "quiet"))


COLUMNS: tuple[Column, ...] = (
    Column("name", "RITUAL", 12, 30, 0, lambda row, _now: Cell(safe(row["name"]))),
    Column("state", "STATE", 10, 11, 1, _state),
    Column("next", "NEXT IN", 7, 8, 2, _next, right=True),
    _quiet("next_local", "NEXT", 20, 26, 5),
    Column("last", "LAST", 7, 8, 6, _last, right=True),
    Column("result", "RESULT", 9, 9, 3, _result),
    _quiet("last_local", "LAST", 20, 26, 11)._replace(wide=True),
    _quiet("schedule", "SCHEDULE", 10, 20, 4),
    _quiet("overlap", "OVERLAP", 7, 7, 12)._replace(wide=True),
    _quiet("catch_up", "CATCH-UP", 8, 8, 13)._replace(wide=True),
    Column("command", "COMMAND", 12, 80, 7, lambda row, _now: Cell(safe(row["command"]), "quiet")),
)


def _text(key: str) -> By:
    return By(lambda row, _now: str(row[key] or "").casefold(), rises=True)


RITUAL_ORDERS: Orders = {
    "name": _text("name"),
    "state": By(lambda row, _now: _REST.index(row["status"])),
    "next": By(left, rises=True),
    "next_local": By(left, rises=True),
    "last": By(_ago, rises=True),
    "last_local": By(_ago, rises=True),
    "result": _text("last_result"),
    "schedule": _text("schedule"),
    "command": _text("command"),
}


# the runs of one


def runs(answer: Sequence[Row]) -> list[Row]:
    """The runs of a ritual, the newest first; `mission` is what each started."""
    return [
        {**one, "id": str(one["number"]), "name": one["name"] or f"#{one['number']}", "mission": one["id"]}
        for one in reversed(answer)
    ]


def lasted(row: Row, now: float) -> float:
    """Seconds that a run takes, or took; 0 of one that never began."""
    began, ended = amounts.moment(row["started_at"]), amounts.moment(row["ended_at"])
    return 0.0 if began is None else max(0.0, (now if ended is None else ended) - began)


def _took(row: Row, now: float) -> Cell:
    return Cell("" if row["started_at"] is None else amounts.ticking(lasted(row, now)), "quiet")


def why(row: Row) -> str:
    """Why it failed or never began, and for how many times before it stands."""
    said = safe(row["text"]) or safe(row["reason"]).replace("_", " ")
    code = f"exit {row['exit_code']}" if row["exit_code"] and not row["text"] else ""
    missed = f"{row['missed']} more missed" if row["missed"] else ""
    return " · ".join(filter(None, (said, code, missed)))


def _why(row: Row, _now: float) -> Cell:
    return Cell(why(row), "bad" if view.mark(row) is FAILED else "quiet")


def _of_run(show: Callable[[Row], str]) -> Callable[[Row, float], Cell]:
    return lambda row, _now: Cell(show(row), "quiet")


RUNS: tuple[Column, ...] = (
    Column("name", "RUN", 12, 36, 0, lambda row, _now: Cell(safe(row["name"]))),
    Column("mission", "ID", 8, 8, 9, _of_run(lambda row: row["mission"] or ""), wide=True),
    Column("state", "STATE", 9, 10, 1, lambda row, _now: Cell(view.mark(row).word, view.mark(row).tone)),
    Column("due", "DUE", 16, 26, 2, _of_run(lambda row: safe(row["due_local"]))),
    Column("trigger", "BY", 8, 8, 5, _of_run(lambda row: row["trigger"].replace("_", "-"))),
    Column("took", "TOOK", 7, 8, 4, _took, right=True),
    Column("why", "WHY", 12, 0, 3, _why),
)
RUN_ORDERS: Orders = {
    "name": By(lambda row, _now: row["number"]),
    "state": By(lambda row, _now: row["status"], rises=True),
    "due": By(lambda row, _now: row["due_at"]),
    "trigger": By(lambda row, _now: row["trigger"], rises=True),
    "took": By(lasted),
}
