"""All plans as a table: how far each has come. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from overmind_tui.view import amounts
from overmind_tui.view import missions as view
from overmind_tui.view.cells import Cell, Row, safe
from overmind_tui.view.columns import Column
from overmind_tui.view.ordering import ORDERS, By
from overmind_tui.view.tables import Orders

CHANGES = frozenset({
    "created", "started", "restarting", "stopping", "removed", "agent_preparing", "agent_started", "agent_ready",
    "agent_stopping",
    "agent_ended", "agent_skipped", "plan_changed", "plan_ended",
})  # fmt: skip
"""Kinds of events after which a plan stands otherwise."""
_OVER = ("succeeded", "failed", "skipped", "cancelled")


def plans(answer: Sequence[Row]) -> list[Row]:
    """Plans with their counts as numbers of their own."""
    return [{**one, **_numbers(one["counts"])} for one in answer]


def _numbers(counts: dict[str, int]) -> dict[str, Any]:
    return {
        "over": sum(counts.get(stage, 0) for stage in _OVER),
        "running": sum(counts.get(stage, 0) for stage in ("starting", "running", "stopping")),
        "waiting": counts.get("waiting", 0),
        "failed": counts.get("failed", 0),
        "left_out": counts.get("skipped", 0) + counts.get("cancelled", 0),
    }


def _state(row: Row, _now: float) -> Cell:
    mark = view.mark(row)
    return Cell(mark.word, mark.tone)


def _done(row: Row, _now: float) -> Cell:
    return Cell(f"{row['over']}/{row['total']}")


def _count(key: str, tone: str) -> Column:
    return Column(key, "", 4, 6, 0, lambda row, _now: Cell(str(row[key] or ""), tone), right=True, spare=True)


def _took(row: Row, now: float) -> Cell:
    return Cell(amounts.ticking(view.lasted(row, now)), "quiet")


def _why(row: Row, _now: float) -> Cell:
    code = row.get("exit_code")
    said = [f"exit {code}" if code else "", safe(row.get("reason"))]
    return Cell(", ".join(filter(None, said)), "bad" if row["status"] == "crashed" else "quiet")


def _file(row: Row, _now: float) -> Cell:
    """Its name, and then its folder: where there is no room the folder goes."""
    folder, _, name = safe(row["file"]).rpartition("/")
    return Cell(f"{name}  {folder}".rstrip(), "quiet")


COLUMNS: tuple[Column, ...] = (
    Column("name", "PLAN", 12, 40, 0, lambda row, _now: Cell(safe(row["name"]))),
    Column("id", "ID", 8, 8, 14, lambda row, _now: Cell(row["id"], "quiet"), wide=True),
    Column("state", "STATE", 8, 10, 1, _state),
    Column("over", "DONE", 5, 9, 2, _done, right=True),
    _count("running", "good")._replace(title="RUN", keep=4),
    _count("waiting", "quiet")._replace(title="WAIT", keep=5),
    _count("failed", "bad")._replace(title="FAIL", keep=3),
    _count("left_out", "off")._replace(title="SKIP", keep=6),
    Column("for", "FOR", 7, 8, 3, _took, right=True),
    Column("run", "RUNS", 4, 5, 12, lambda row, _now: Cell(str(row["run"]), "quiet"), right=True, wide=True),
    Column("why", "WHY", 6, 20, 9, _why, spare=True),
    Column("file", "FILE", 13, 60, 7, _file),
)


def _most(key: str) -> By:
    return By(lambda row, _now: row[key])


PLAN_ORDERS: Orders = {
    "name": ORDERS["name"],
    "id": ORDERS["id"],
    "state": ORDERS["state"],
    "age": ORDERS["age"],
    "for": By(view.lasted),
    "over": By(lambda row, _now: row["over"] / max(row["total"], 1)),
    "file": By(lambda row, _now: row["file"], rises=True),
    **{key: _most(key) for key in ("running", "waiting", "failed", "left_out", "run")},
}
