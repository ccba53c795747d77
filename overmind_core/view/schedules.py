"""Rows of rituals and of their runs, and the description of each, for reading. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from overmind_core.domain.missions.reasons import sentence
from overmind_core.domain.missions.status_marks import BAD_ENDS, mark_of
from overmind_core.view import columns, numbers
from overmind_core.view import missions as missions_rows
from overmind_core.view import missions as rows
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.columns import By, Column
from overmind_core.view.describe import Lines, Rendering, clock, pairs
from overmind_core.view.missions import Branch
from overmind_core.view.quests import standing_line, text_column, title
from overmind_core.view.tables import Orders

RITUALS_CHANGES = frozenset({"ritual", "quest", "plan_ended", "removed"})
"""Kinds of events after which a ritual stands otherwise."""
PAUSED = "paused"
_NEVER = float("inf")
_REST = ("waiting", "paused", "running")


def rituals(answer: Sequence[Row]) -> list[Row]:
    """Rituals as they come, by name."""
    return list(answer)


def countdown(seconds: float) -> str:
    """What is left; `now` once it is over."""
    return numbers.ticking(seconds) if seconds >= 1 else "now"


def time_left(row: Row, now: float) -> float:
    """Seconds until the next run; infinite when none comes by itself."""
    due = None if row["paused"] else numbers.moment(row["next_at"])
    return _NEVER if due is None else due - now


def _next(row: Row, now: float) -> Cell:
    seconds = time_left(row, now)
    if seconds < _NEVER:
        return Cell(countdown(seconds))
    return Cell(PAUSED if row["paused"] else "never", "off")


def _ago(row: Row, now: float) -> float:
    last = numbers.moment(row["last_at"])
    return _NEVER if last is None else max(0.0, now - last)


def _last(row: Row, now: float) -> Cell:
    ago = _ago(row, now)
    return Cell("" if ago == _NEVER else f"{numbers.span(ago)} ago", "quiet")


def _result(row: Row, _now: float) -> Cell:
    found = row["last_result"]
    if found is None:
        return Cell("", "")
    mark = mark_of(found, outcome=row.get("last_outcome"))
    return Cell(mark.word, mark.tone)


def state(row: Row) -> str:
    """Whether it rests, waits for its time, or runs, and how many runs wait for that."""
    word = PAUSED if row["status"] == PAUSED else missions_rows.mark(row).word
    return f"{word} +{row['queued']}" if row["queued"] else word


def _ritual_state(row: Row, _now: float) -> Cell:
    return Cell(state(row), "off" if row["paused"] else missions_rows.mark(row).tone)


RITUALS_COLUMNS: tuple[Column, ...] = (
    Column("name", "RITUAL", 12, 30, 0, lambda row, _now: Cell(safe(row["name"]))),
    Column("state", "STATE", 10, 11, 1, _ritual_state),
    Column("next", "NEXT IN", 7, 8, 2, _next, right=True),
    text_column("next_local", "NEXT", 20, 26, 5),
    Column("last", "LAST", 7, 8, 6, _last, right=True),
    Column("result", "RESULT", 9, 9, 3, _result),
    text_column("last_local", "LAST", 20, 26, 11)._replace(wide=True),
    text_column("schedule", "SCHEDULE", 10, 20, 4),
    text_column("overlap", "OVERLAP", 7, 7, 12)._replace(wide=True),
    text_column("catch_up", "CATCH-UP", 8, 8, 13)._replace(wide=True),
    Column("command", "COMMAND", 12, 80, 7, lambda row, _now: Cell(safe(row["command"]), "quiet")),
)


def _text(key: str) -> By:
    return By(lambda row, _now: str(row[key] or "").casefold(), rises=True)


RITUAL_ORDERS: Orders = {
    "name": _text("name"),
    "state": By(lambda row, _now: _REST.index(row["status"])),
    "next": By(time_left, rises=True),
    "next_local": By(time_left, rises=True),
    "last": By(_ago, rises=True),
    "last_local": By(_ago, rises=True),
    "result": By(lambda row, now: _result(row, now).text, rises=True),
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


def ritual_lasted(row: Row, now: float) -> float:
    """Seconds that a run takes, or took; 0 of one that never began."""
    began, ended = numbers.moment(row["started_at"]), numbers.moment(row["ended_at"])
    return 0.0 if began is None else max(0.0, (now if ended is None else ended) - began)


def _took(row: Row, now: float) -> Cell:
    return Cell("" if row["started_at"] is None else numbers.ticking(ritual_lasted(row, now)), "quiet")


def ritual_why(row: Row) -> str:
    """Why it failed or never began, and for how many times before it stands."""
    from overmind_core.domain.schedules import missed_text  # noqa: PLC0415 - the first frame needs none of it

    text = safe(row["text"]) or safe(sentence(row["reason"]))
    code = f"exit {row['exit_code']}" if row["exit_code"] else ""
    missed = f"{missed_text(row['missed'])} more missed" if row["missed"] else ""
    return " · ".join(filter(None, (text, code, missed)))


def _ritual_why(row: Row, _now: float) -> Cell:
    return Cell(ritual_why(row), "bad" if missions_rows.mark(row) in BAD_ENDS else "quiet")


def _of_run(show: Callable[[Row], str]) -> Callable[[Row, float], Cell]:
    return lambda row, _now: Cell(show(row), "quiet")


RUNS: tuple[Column, ...] = (
    Column("name", "RUN", 12, 36, 0, lambda row, _now: Cell(safe(row["name"]))),
    Column("mission", "ID", 8, 8, 9, _of_run(lambda row: row["mission"] or ""), wide=True),
    Column(
        "state", "STATE", 9, 10, 1, lambda row, _now: Cell(missions_rows.mark(row).word, missions_rows.mark(row).tone)
    ),
    Column("due", "DUE", 16, 26, 2, _of_run(lambda row: safe(row["due_local"]))),
    Column("trigger", "BY", 8, 8, 5, _of_run(lambda row: row["trigger"].replace("_", "-"))),
    Column("took", "TOOK", 7, 8, 4, _took, right=True),
    Column("why", "WHY", 12, 0, 3, _ritual_why),
)
RUN_ORDERS: Orders = {
    "name": By(lambda row, _now: row["number"]),
    "state": By(lambda row, _now: row["status"], rises=True),
    "due": By(lambda row, _now: row["due_at"]),
    "trigger": By(lambda row, _now: row["trigger"], rises=True),
    "took": By(ritual_lasted),
}


Info = Mapping[str, Any]
LATE = {"one": "run once for all missed times", "none": "do not run"}
OVERLAP = {"skip": "skip the next run", "queue": "queue the next run"}
"""What becomes of a time that comes while the run before goes on."""


def ritual(info: Info, look: Rendering) -> Lines:
    """As the request `ritual` answers."""
    row = dict(info)
    upcoming = [safe(one["local"]) for one in row.get("upcoming") or ()]
    left = time_left(row, look.now)
    due = f"· next in {countdown(left)}" if 1 <= left < float("inf") else ""
    kept = runs(row.get("runs") or ())
    return [
        title(row["name"], ""),
        standing_line(row, state(row), due, "", look),
        *pairs(
            ("command", row["command"]),
            ("folder", row.get("cwd")),
            ("starts", f"a {row['kind']}"),
            ("check", row.get("check")),
            ("tries", row["retries"] + 1 if row.get("retries") else None),
            ("schedule", f"{row['schedule']}  {row['zone']}"),
            ("next", None if row["paused"] else "\n".join(upcoming) or row["next_local"] or "never"),
            ("on overlap", OVERLAP.get(row["overlap"], row["overlap"])),
            ("missed times", LATE.get(row["catch_up"], row["catch_up"])),
            ("kept runs", row["keep"]),
            ("created", clock(row["created_at"], look)),
        ),
        *_runs(kept, look),
    ]


def run(info: Info, look: Rendering) -> Lines:
    """As `rituals.runs` has it."""
    row = dict(info)
    lasted = ritual_lasted(row, look.now) if row["started_at"] else 0.0
    text = f"{'after' if row['ended_at'] else 'for'} {numbers.ticking(lasted)}" if row["started_at"] else ""
    return [
        title(row["name"], ""),
        standing_line(row, rows.mark(row).word, text, ritual_why(row), look),
        *pairs(
            ("run", row["number"]),
            ("due", row["due_local"]),
            ("started by", row["trigger"].replace("_", "-")),
            ("started", clock(row["started_at"], look)),
            ("ended", clock(row["ended_at"], look)),
            ("exit code", row["exit_code"]),
            ("mission", row["mission"]),
        ),
    ]


def _runs(kept: list[Row], look: Rendering) -> Lines:
    """A line for each run, the newest first."""
    if not kept:
        return []
    shown = [column for column in RUNS if not column.wide]
    table = columns.text(shown, [Branch(row["id"], row) for row in kept], look.now, ascii_only=look.ascii_only)
    header, *rest = table.splitlines()
    return [
        [],
        [Cell(f" {numbers.counted(len(kept), 'run')}", "title")],
        [Cell(f"  {header}", "label")],
        *([Cell(f"  {one}")] for one in rest),
    ]


def at_stake(rows: Sequence[Row]) -> list[str]:
    """What goes with these when they are deleted, and what goes on."""
    runs = ["with its runs" if row["last_number"] else "no runs" for row in rows]
    lines = [f"{safe(row['name'])}  {safe(row['schedule'])}  {ran}" for row, ran in zip(rows, runs, strict=True)]
    busy = [safe(row["name"]) for row in rows if row["running"]]
    lines += [f"the running quest of {', '.join(busy)} continues"] if busy else []
    queued = sum(row["queued"] for row in rows)
    return [*lines, *([f"{queued} queued run{'' if queued == 1 else 's'} will not begin"] if queued else [])]
