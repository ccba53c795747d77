"""Rows of plans: the agents of one with edges between them, how long each took, the critical path; all plans. Pure.

A row is an agent of the supervisor's answer to `plan`, with its times in seconds since the epoch, the plan's own, and
what its mission is doing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from overmind_core.domain.missions.reasons import limit_of, sentence
from overmind_core.domain.missions.status_marks import RESTARTING, WAITING, WORKING
from overmind_core.domain.text import graph
from overmind_core.domain.text.graph import NODE, drawing
from overmind_core.view import missions as missions_rows
from overmind_core.view import numbers
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.columns import ORDERS, By, Column, since
from overmind_core.view.missions import Branch
from overmind_core.view.numbers import Ticking
from overmind_core.view.tables import Orders

BAR, LONGEST_BAR = 10, 60
"""Cells of the plan's time, at least and at most."""
OTHERS = 100
"""Cells that the other columns take with ease."""
RAN, CRITICAL = "━", "◆"
WORDS = (
    "failed", "timed out", "lost", "killed", "starting", "running", "stopping", "waiting", "skipped", "stopped",
    "succeeded",
)  # fmt: skip
"""Outcomes and stages; the first are to be looked at first."""
_AT_RUNNING = WORDS.index("running")
SHOWN = (*WORDS[:_AT_RUNNING], RESTARTING.word, *WORDS[_AT_RUNNING:])
"""With what an agent does whose mission starts again."""
NOTHING = Cell("")


def whole(answer: Row) -> list[Row]:
    """The plan itself: its agents are made rows when the time is known."""
    return [answer]


def agents(plan: Row, now: float) -> list[Row]:
    """The agents of an answer, dependencies first; `now` in seconds since the epoch."""
    found = [_agent(one) for one in plan["agents"]]
    begins = [_run_began(plan), *(row["began"] for row in found)]
    began = min((one for one in begins if one is not None), default=None)
    ends = [row["until"] for row in found if row["until"] is not None]
    until = None if missions_rows.is_live(plan) or not ends else max(ends)
    rows = [row | {"plan_began": began, "plan_until": until} for row in found]
    mark_critical(rows, now)
    return rows


def _run_began(plan: Row) -> float | None:
    """When the newest run of the plan began; None: it is not known of a later one than the first."""
    began = numbers.moment(plan.get("run_started_at"))
    return numbers.moment(plan["started_at"]) if began is None and plan["run"] <= 1 else began


def _agent(one: Row) -> Row:
    return {
        **one,
        "id": one["name"],
        "status": word(one),
        "needs": list(dict.fromkeys(dependency["agent"] for dependency in one["depends_on"])),
        "began": numbers.moment(one["started_at"]),
        "until": numbers.moment(one["ended_at"]),
    }


def mark_critical(rows: Sequence[Row], now: float) -> None:
    """Note in each row whether it is on the chain that takes longest so far; who does not run is on none."""
    edges = {row["name"]: row["needs"] for row in rows}
    path = set(graph.critical_path(edges, {row["name"]: _held_others(row, now) for row in rows}))
    for row in rows:
        row["critical"] = row["name"] in path and (row["stage"] != "skipped")


def _held_others(row: Row, now: float) -> float:
    return graph.held_others(seconds(row, now), stays=row["stays"], ready=row["ready"])


def learn(rows: Sequence[Row], fleet: Mapping[str, Row]) -> None:
    """Note in each row what its mission is doing, and whether that was seen; `fleet`: missions by their ids."""
    for row in rows:
        known = fleet.get(row["mission"] or "", {})
        row["now"] = known.get("now")
        row["activity"] = known.get("activity") if row["status"] == "running" else None
        row.update({key: known[key] for key in ("unseen", "conversation_lost") if key in known})


def seconds(row: Row, now: float) -> float:
    """How long the newest attempt has run, or ran; 0 before there is one."""
    if row["began"] is None:
        return 0.0
    return max(0.0, float((now if row["until"] is None else row["until"]) - row["began"]))


def summary(plan: Row, rows: Sequence[Row], now: float) -> str:
    """How the whole stands, in one line."""
    critical = sum(_held_others(row, now) for row in rows if row["critical"])
    return " · ".join(
        [
            f"{missions_rows.mark(plan).word} {numbers.ticking(missions_rows.lasted(plan, now))}",
            f"{CRITICAL} critical path {numbers.ticking(critical)}",
            *(f"{count} {one}" for one, count in counted(rows)),
        ]
    )


def counted(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """How many agents stand where, in the words of their outcomes and stages."""
    counts = Counter(map(word, rows))
    return [(one, counts[one]) for one in SHOWN if counts[one]]


def word(row: Row) -> str:
    """The outcome of an agent, else its stage; of one whose mission has ended and starts again, that."""
    if restarts(row):
        return RESTARTING.word
    return str(row.get("outcome") or row["stage"])  # a hive of an earlier version says no outcome


def restarts(row: Row) -> bool:
    """Whether its mission waits to be started again."""
    return row["stage"] == "running" and row.get("next_restart_at") is not None


def looked_in(row: Row) -> str:
    """What a plain word of a filter is looked for in: what is seen of the row."""
    return "\n".join((row["name"], row["mission"] or "", state(row), *missions_rows.state_words(row), why(row)))


# cells


def _of_agent(cell: Callable[[Row, float], Cell]) -> Callable[[Row, float], Cell]:
    """Rows between the agents are nothing but edges."""
    return lambda row, now: cell(row, now) if row["name"] else NOTHING


def state(row: Row, now: float | None = None) -> str:
    """Its stage in a word; of one that others wait for also whether it is ready.

    `now`: seconds since the epoch, for how long it is until its mission starts again; None: that is not said.
    """
    mark = missions_rows.mark(row)
    if mark is WORKING and row["ready"] is not None:
        return "ready" if row["ready"] else "not ready"
    return missions_rows.word(mark) if now is None else missions_rows.state(row, now)


def _state(row: Row, now: float) -> Cell:
    found = state(row, now)
    return Cell(found, "slow" if found == "not ready" else missions_rows.tone(row))


def _took(row: Row, now: float) -> Cell:
    return Cell("" if row["began"] is None else numbers.ticking(seconds(row, now)), "quiet")


def bar(row: Row, now: float, cells: int = BAR) -> str:
    """When it ran, within the time of the plan, which is so many cells long."""
    first, last = row["plan_began"], now if row["plan_until"] is None else row["plan_until"]
    if row["began"] is None or last <= first:
        return ""
    each = (last - first) / cells
    start = min(math.floor((row["began"] - first) / each), cells - 1)
    end = min(math.ceil((row["began"] + seconds(row, now) - first) / each), cells)
    return f"{'':{start}}{RAN * max(end - start, 1)}"


def bar_cells(width: int) -> int:
    """How long the plan's time is drawn on a screen of so many cells: half of what others do not need."""
    return max(BAR, min(BAR + (width - OTHERS) // 2, LONGEST_BAR))


def _when(row: Row, now: float) -> Cell:
    return Cell(bar(row, now, row.get("bar", BAR)), missions_rows.tone(row))


def why(row: Row, now: float | None = None) -> str:
    """What it waits for, what it does, why it came out so, or what it handed on.

    `now`: seconds since the epoch, for how long a pause still is; None: that is not said.
    """
    match row["stage"]:
        case "waiting":
            waits = next_try(row)
            if waits is not None and now is not None:
                return f"{waits.lead}{numbers.ticking(max(waits.at - now, 0.0))}"
            again = _next(row)
            return f"{again}waits for {safe(row['waits_for'])}" if row["waits_for"] else again.removesuffix(" · ")
        case "failed":
            return _failed(row)
        case "succeeded":
            return _handed_on(row)
        case "skipped" | "cancelled":
            return safe(sentence(row["reason"]))
    return " · ".join(filter(None, (_tried(row), _there(row) or safe(row.get("now")))))


def next_try(row: Row) -> Ticking | None:
    """What it waits for before it is tried again, and when that is; None where it does not wait for a time."""
    due = numbers.moment(row.get("next_try_at")) if row["stage"] == "waiting" else None
    return None if due is None else Ticking(f"{_next(row)}next try in ", due, ends=True)


def _next(row: Row) -> str:
    return f"try {_tries(row) + 1} · " if _tries(row) else ""


def _there(row: Row) -> str:
    """Where an agent of the swarm waits, or runs."""
    post = row.get("post")
    if post is None:
        return ""
    if post["state"] is None:
        return "is being posted to the swarm"
    if post["state"] == "queued":
        return f"waits in the swarm: swarm/{safe(post['id'])}"
    if post["state"] == "behind":
        return f"waits for the end of its last attempt{' on ' + safe(post['hive']) if post['hive'] else ''}"
    lost = ", which is silent" if post["state"] == "lost" else ""
    return f"on {safe(post['hive'])}{lost}"


def _tried(row: Row) -> str:
    tries = _tries(row)
    return f"try {tries}" if tries > 1 else ""


def _tries(row: Row) -> int:
    """How often it was started since it was last asked for; a hive of an earlier version counts all starts."""
    counted: int = row["tries"] if "tries" in row else row["attempt"]
    return counted


def _failed(row: Row) -> str:
    """How its mission ended, where that is known; else the code and the reason. Its outcome is not said again."""
    outcome = row.get("outcome") or "failed"
    reason = "" if row["reason"] == outcome else safe(sentence(row["reason"], limit_of(row)))
    last = "" if outcome in _ON_PURPOSE else safe(row.get("now"))  # what it said did not end it
    ended = last or (f"exit {row['exit_code']}" if row["exit_code"] is not None else "")
    reason = "" if reason in ended else reason
    hive = (row.get("post") or {}).get("hive")
    there = f"on {safe(hive)}" if hive else ""
    said = " · ".join(filter(None, dict.fromkeys((_tried(row), reason, ended, there))))
    return said or (outcome if outcome == "failed" else "")


def _handed_on(row: Row) -> str:
    """What it handed on; of one that handed on nothing, its last line, or why the plan ended it."""
    facts = [f"{key}={value}" for key, value in row["facts"].items()]
    last = "all else was done" if row.get("outcome") == "stopped" else row.get("now")
    return safe("  ".join(filter(None, [row["result"] or "", *facts])) or last)


def _why(row: Row, now: float) -> Cell:
    stands_out = row["stage"] == "failed" or missions_rows.mark(row) is WAITING
    return Cell(why(row, now), "" if stands_out else "quiet")


COLUMNS: tuple[Column, ...] = (
    Column("name", "AGENT", 16, 44, 0, lambda row, _now: Cell(safe(row["name"]))),
    Column("critical", "", 1, 1, 2, _of_agent(lambda row, _now: Cell(CRITICAL if row["critical"] else "", ""))),
    Column("mission", "ID", 8, 8, 10, _of_agent(lambda row, _now: Cell(row["mission"] or "", "quiet")), wide=True),
    Column("state", "STATE", 9, 10, 1, _of_agent(_state)),
    Column("took", "TOOK", 6, 8, 3, _of_agent(_took), right=True),
    Column("when", "WHEN", BAR, LONGEST_BAR, 6, _of_agent(_when)),
    Column("exit", "EXIT", 4, 5, 9, _of_agent(lambda row, _now: Cell(safe(row["exit_code"]), "quiet")), right=True,
           wide=True),
    Column("needs", "AFTER", 8, 30, 8, _of_agent(lambda row, _now: Cell(safe(", ".join(row["needs"])), "quiet")),
           wide=True),
    Column("why", "WAITS FOR, DOES, WHY", 16, 0, 4, _of_agent(_why)),
)  # fmt: skip
AGENT_ORDERS: Orders = {
    "name": By(lambda row, _now: row["name"].casefold(), rises=True),
    "state": By(lambda row, _now: SHOWN.index(word(row)), rises=True),
    "took": By(seconds),
    "when": By(lambda row, _now: math.inf if row["began"] is None else row["began"], rises=True),
    "critical": By(lambda row, _now: row["critical"]),
    "exit": By(lambda row, _now: -1 if row["exit_code"] is None else row["exit_code"]),
}


Edges = Mapping[str, Sequence[str]]
MOST_EDGES = 8
"""Side by side; where a plan has more, its agents are indented by how deep they stand instead."""
DEEPEST = 10
"""Steps of that."""


def branches(rows: Sequence[Row]) -> list[Branch]:
    """The agents of a whole plan, dependencies first, and rows of nothing but edges between them; those are dimmed."""
    edges = {row["name"]: row["needs"] for row in rows}
    return _indented(rows, edges) if side_by_side(edges) > MOST_EDGES else _drawn(rows, edges)


def listed(rows: Sequence[Row]) -> list[Branch]:
    """The rows alone: those of a filter, or in another order."""
    return [Branch(row["id"], row, NODE) for row in rows]


def is_agent(branch: Branch) -> bool:
    """Whether the row is an agent, and not edges alone."""
    return NODE in branch.guides


def side_by_side(edges: Edges) -> int:
    """How many edges pass where most do; `edges` in an order of dependencies first."""
    dependents: dict[str, list[str]] = {name: [] for name in edges}
    for name, needs in edges.items():
        for one in needs:
            dependents[one].append(name)
    most, passing = 0, set[str]()
    for name in edges:
        passing.add(name)
        most = max(most, len(passing))
        passing.discard(name)
        passing.update(dependents[name])
        most = max(most, len(passing))
    return most


def name_cell(branch: Branch, *, ascii_only: bool) -> tuple[Cell, ...]:
    """Edges with the mark of the stage among them, and the name."""
    if not is_agent(branch):
        return Cell(branch.guides, "guide"), NOTHING
    mark = missions_rows.mark(branch.row)
    left, _, right = branch.guides.partition(NODE)
    return (
        Cell(left, "guide"),
        Cell(mark.ascii if ascii_only else mark.mark, missions_rows.tone(branch.row)),
        Cell(f"{right} ", "guide"),
        Cell(safe(branch.row["name"]), "bold" if branch.row["critical"] else "name"),
    )


def _drawn(rows: Sequence[Row], edges: Edges) -> list[Branch]:
    known = {row["name"]: row for row in rows}
    lines = drawing(edges)
    cells = max((len(line.lines) for line in lines), default=0)
    return [
        Branch(line.name, known[line.name], line.lines.ljust(cells))
        if line.name is not None
        else Branch(f"edges {place}", {"id": "", "name": "", "status": "waiting"}, line.lines, dimmed=True)
        for place, line in enumerate(lines)
    ]


def _indented(rows: Sequence[Row], edges: Edges) -> list[Branch]:
    depth = {name: at for at, level in enumerate(graph.levels(edges)) for name in level}
    return [Branch(row["id"], row, "  " * min(depth[row["name"]], DEEPEST) + NODE) for row in rows]


CHANGES = frozenset({
    "created", "started", "restarting", "restart", "stopping", "removed",
    "agent_preparing", "agent_started", "agent_ready", "agent_posted", "agent_stopping",
    "agent_ended", "agent_skipped", "plan_changed", "plan_ended",
})  # fmt: skip
"""Kinds of events after which a plan stands otherwise."""
_OVER = ("succeeded", "failed", "skipped", "cancelled")
_FAILED = ("failed", "timed out", "lost", "killed")
_ON_PURPOSE = ("stopped", "killed")


def plans(answer: Sequence[Row]) -> list[Row]:
    """Plans with their counts as numbers of their own."""
    return [{**one, **_numbers(one["counts"], one.get("outcomes"))} for one in answer]


def _numbers(counts: Mapping[str, int], outcomes: Mapping[str, int] | None) -> dict[str, Any]:
    """Each agent is counted by the word that its plan's page has; a hive of an earlier version says stages alone."""
    if outcomes is None:
        outcomes = {"failed": counts.get("failed", 0), "stopped": counts.get("cancelled", 0)}
    return {
        "over": sum(counts.get(stage, 0) for stage in _OVER),
        "running": sum(counts.get(stage, 0) for stage in ("starting", "running", "stopping")),
        "waiting": counts.get("waiting", 0),
        "failed": sum(outcomes.get(word, 0) for word in _FAILED),
        "stopped": outcomes.get("stopped", 0),
        "skipped": counts.get("skipped", 0),
    }


def _plans_state(row: Row, now: float) -> Cell:
    return Cell(missions_rows.state(row, now), missions_rows.mark(row).tone)


def _done(row: Row, _now: float) -> Cell:
    return Cell(f"{row['over']}/{row['total']}")


def _count(key: str, tone: str) -> Column:
    return Column(key, "", 4, 6, 0, lambda row, _now: Cell(str(row[key] or ""), tone), right=True, spare=True)


def _plans_took(row: Row, now: float) -> Cell:
    return Cell(numbers.ticking(missions_rows.lasted(row, now)), "quiet")


def _goes_on_since(row: Row) -> float | None:
    return numbers.moment(row.get("run_started_at") or row["started_at"]) if missions_rows.is_live(row) else None


def _plans_why(row: Row, _now: float) -> Cell:
    code = row.get("exit_code")
    parts = [f"exit {code}" if code else "", safe(sentence(row.get("reason")))]
    return Cell(", ".join(filter(None, parts)), "" if row["status"] == "crashed" else "quiet")


def _file(row: Row, _now: float) -> Cell:
    """Its name, and then its folder: where there is no room the folder goes."""
    folder, _, name = safe(row["file"]).rpartition("/")
    return Cell(f"{name}  {folder}".rstrip(), "quiet")


PLANS_COLUMNS: tuple[Column, ...] = (
    Column("name", "PLAN", 12, 40, 0, lambda row, _now: Cell(safe(row["name"]))),
    Column("id", "ID", 8, 8, 14, lambda row, _now: Cell(row["id"], "quiet"), wide=True),
    Column("state", "STATE", 8, 10, 1, _plans_state),
    Column("over", "DONE", 5, 9, 2, _done, right=True),
    _count("running", "good")._replace(title="RUN", keep=4),
    _count("waiting", "quiet")._replace(title="WAIT", keep=5),
    _count("failed", "bad")._replace(title="FAIL", keep=3),
    _count("stopped", "off")._replace(title="STOP", keep=6),
    _count("skipped", "off")._replace(title="SKIP", keep=6),
    Column("for", "FOR", 7, 8, 3, _plans_took, right=True, ticks=since(_goes_on_since)),
    Column("run", "RUNS", 4, 5, 12, lambda row, _now: Cell(str(row["run"]), "quiet"), right=True, wide=True),
    Column("why", "WHY", 6, 20, 9, _plans_why, spare=True),
    Column("file", "FILE", 13, 60, 7, _file),
)


def _most(key: str) -> By:
    return By(lambda row, _now: row[key])


PLAN_ORDERS: Orders = {
    "name": ORDERS["name"],
    "id": ORDERS["id"],
    "state": ORDERS["state"],
    "age": ORDERS["age"],
    "for": By(missions_rows.lasted),
    "over": By(lambda row, _now: row["over"] / max(row["total"], 1)),
    "file": By(lambda row, _now: row["file"], rises=True),
    **{key: _most(key) for key in ("running", "waiting", "failed", "stopped", "skipped", "run")},
}


_RUNS = ("starting", "running", "stopping")


def at_stake(rows: Sequence[Row]) -> list[str]:
    """Lines about plans that end, by how many of their agents run; of those that wait, what cleans up still begins."""
    return [f"{safe(row['name'])}  {_ends_with(row['counts'])}, running for {numbers.span(row['seconds'])}"
            for row in rows]  # fmt: skip


def _ends_with(counts: Mapping[str, int]) -> str:
    running = sum(counts[stage] for stage in _RUNS)
    return f"{numbers.counted(running, 'running agent')} {'ends' if running == 1 else 'end'}"
