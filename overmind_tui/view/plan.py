"""One plan as rows: its agents, how long each took, and on which of them the whole depends. Pure.

A row is an agent of the supervisor's answer to `plan`, with its times in seconds since the epoch, the plan's own, and
what its mission is doing. Edges are drawn by `plandrawing`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from overmind_core.domain.marks import WORKING
from overmind_core.domain.plan import graph
from overmind_tui.view import amounts
from overmind_tui.view import missions as view
from overmind_tui.view.cells import Cell, Row, safe
from overmind_tui.view.columns import Column
from overmind_tui.view.ordering import By
from overmind_tui.view.tables import Orders

BAR = 10
"""Cells of the plan's time."""
RAN, CRITICAL = "━", "◆"
STAGES = ("failed", "starting", "running", "stopping", "waiting", "cancelled", "skipped", "succeeded")
"""The first are to be looked at first."""
_BY_PLAN = {
    "cancel": "stopped by the plan",
    "failure": "stopped: another one failed",
    "removed": "taken out of the plan",
}
"""Reason of a cancelled agent → in words."""
NOTHING = Cell("")


def whole(answer: Row) -> list[Row]:
    """The plan itself: its agents are made rows when the time is known."""
    return [answer]


def agents(plan: Row, now: float) -> list[Row]:
    """The agents of an answer, dependencies first; `now` in seconds since the epoch."""
    found = [_agent(one) for one in plan["agents"]]
    began = min((row["began"] for row in found if row["began"] is not None), default=None)
    ends = [row["until"] for row in found if row["until"] is not None]
    until = None if view.is_live(plan) or not ends else max(ends)
    rows = [row | {"plan_began": began, "plan_until": until} for row in found]
    mark_critical(rows, now)
    return rows


def _agent(one: Row) -> Row:
    return {
        **one,
        "id": one["name"],
        "status": one["stage"],
        "needs": list(dict.fromkeys(dependency["agent"] for dependency in one["depends_on"])),
        "began": amounts.moment(one["started_at"]),
        "until": amounts.moment(one["ended_at"]),
    }


def mark_critical(rows: Sequence[Row], now: float) -> None:
    """Note in each row whether it is on the chain that takes longest so far; who stays takes no time from others."""
    edges = {row["name"]: row["needs"] for row in rows}
    path = set(graph.critical_path(edges, {row["name"]: 0.0 if row["stays"] else seconds(row, now) for row in rows}))
    for row in rows:
        row["critical"] = row["name"] in path


def learn(rows: Sequence[Row], fleet: Mapping[str, Row]) -> None:
    """Note in each row what its mission is doing; `fleet`: missions by their ids."""
    for row in rows:
        known = fleet.get(row["mission"] or "", {})
        row["now"] = known.get("now")
        row["activity"] = known.get("activity") if row["status"] == "running" else None


def seconds(row: Row, now: float) -> float:
    """How long the newest attempt has run, or ran; 0 before there is one."""
    if row["began"] is None:
        return 0.0
    return max(0.0, float((now if row["until"] is None else row["until"]) - row["began"]))


def summary(plan: Row, rows: Sequence[Row], now: float) -> str:
    """How the whole stands, in one line."""
    counts = Counter(row["stage"] for row in rows)
    critical = sum(seconds(row, now) for row in rows if row["critical"] and not row["stays"])
    return " · ".join(
        [
            f"{view.mark(plan).word} {amounts.ticking(view.lasted(plan, now))}",
            f"{CRITICAL} critical path {amounts.ticking(critical)}",
            *(f"{counts[stage]} {stage}" for stage in STAGES if counts[stage]),
        ]
    )


def looked_in(row: Row) -> str:
    """What a plain word of a filter is looked for in: what is seen of the row."""
    return "\n".join((row["name"], row["mission"] or "", state(row), why(row)))


# cells


def _of_agent(cell: Callable[[Row, float], Cell]) -> Callable[[Row, float], Cell]:
    """Rows between the agents are nothing but edges."""
    return lambda row, now: cell(row, now) if row["name"] else NOTHING


def state(row: Row) -> str:
    """Its stage in a word; of one that others wait for also whether it is ready."""
    mark = view.mark(row)
    if mark is WORKING and row["ready"] is not None:
        return "ready" if row["ready"] else "not ready"
    return mark.word


def _state(row: Row, _now: float) -> Cell:
    return Cell(state(row), "slow" if state(row) == "not ready" else view.mark(row).tone)


def _took(row: Row, now: float) -> Cell:
    return Cell("" if row["began"] is None else amounts.ticking(seconds(row, now)), "quiet")


def bar(row: Row, now: float) -> str:
    """When it ran, within the time of the plan."""
    first, last = row["plan_began"], now if row["plan_until"] is None else row["plan_until"]
    if row["began"] is None or last <= first:
        return ""
    each = (last - first) / BAR
    start = min(math.floor((row["began"] - first) / each), BAR - 1)
    end = min(math.ceil((row["began"] + seconds(row, now) - first) / each), BAR)
    return f"{'':{start}}{RAN * max(end - start, 1)}"


def _when(row: Row, now: float) -> Cell:
    return Cell(bar(row, now), "accent" if row["critical"] else view.mark(row).tone)


def why(row: Row) -> str:
    """What it waits for, what it does, why it came out so, or what it handed on."""
    match row["stage"]:
        case "waiting":
            again = f"try {row['attempt'] + 1} · " if row["attempt"] else ""
            return f"{again}waits for {safe(row['waits_for'])}" if row["waits_for"] else again.removesuffix(" · ")
        case "failed":
            return _failed(row)
        case "succeeded":
            return _handed_on(row)
        case "skipped":
            return safe(row["reason"])
        case "cancelled":
            return _BY_PLAN.get(row["reason"] or "", safe(row["reason"]))
    return " · ".join(filter(None, (_tried(row), safe(row.get("now")))))


def _tried(row: Row) -> str:
    return f"try {row['attempt']}" if row["attempt"] > 1 else ""


def _failed(row: Row) -> str:
    """How its mission ended, where that is known; else the code and the reason."""
    reason = safe(row["reason"]).replace("_", " ")
    ended = safe(row.get("now")) or (f"exit {row['exit_code']}" if row["exit_code"] is not None else "")
    return " · ".join(filter(None, dict.fromkeys((_tried(row), reason, ended)))) or "failed"


def _handed_on(row: Row) -> str:
    """What it handed on; of one that handed on nothing, its last line."""
    facts = [f"{key}={value}" for key, value in row["facts"].items()]
    return safe("  ".join(filter(None, [row["result"] or "", *facts])) or row.get("now"))


def _why(row: Row, _now: float) -> Cell:
    return Cell(why(row), {"failed": "bad", "waiting": "faint", "skipped": "off"}.get(row["stage"], "quiet"))


COLUMNS: tuple[Column, ...] = (
    Column("name", "AGENT", 16, 44, 0, lambda row, _now: Cell(safe(row["name"]))),
    Column("critical", "", 1, 1, 2, _of_agent(lambda row, _now: Cell(CRITICAL if row["critical"] else "", "accent"))),
    Column("mission", "ID", 8, 8, 10, _of_agent(lambda row, _now: Cell(row["mission"] or "", "quiet")), wide=True),
    Column("state", "STATE", 9, 10, 1, _of_agent(_state)),
    Column("took", "TOOK", 6, 8, 3, _of_agent(_took), right=True),
    Column("when", "WHEN", BAR, BAR, 6, _of_agent(_when)),
    Column("exit", "EXIT", 4, 5, 9, _of_agent(lambda row, _now: Cell(safe(row["exit_code"]), "quiet")), right=True,
           wide=True),
    Column("needs", "AFTER", 8, 30, 8, _of_agent(lambda row, _now: Cell(safe(", ".join(row["needs"])), "quiet")),
           wide=True),
    Column("why", "WAITS FOR, DOES, WHY", 16, 0, 4, _of_agent(_why)),
)  # fmt: skip
AGENT_ORDERS: Orders = {
    "name": By(lambda row, _now: row["name"].casefold(), rises=True),
    "state": By(lambda row, _now: STAGES.index(row["stage"]), rises=True),
    "took": By(seconds),
    "when": By(lambda row, _now: math.inf if row["began"] is None else row["began"], rises=True),
    "critical": By(lambda row, _now: row["critical"]),
    "exit": By(lambda row, _now: -1 if row["exit_code"] is None else row["exit_code"]),
}
