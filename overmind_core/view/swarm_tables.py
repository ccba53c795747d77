"""Fleets and secrets of the swarm as rows, and all about one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from overmind_core.view import numbers
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.columns import By, Column
from overmind_core.view.describe import Lines, Rendering, pairs
from overmind_core.view.tables import Orders

EACH = "each"
"""What a sentinel wants: one place on every fitting hive."""


def _named(row: Row, _now: float) -> Cell:
    return Cell(safe(row["name"]), "name")


def _hives(row: Row, _now: float) -> Cell:
    return Cell(safe(" ".join(row["hives"])) or "none", "" if row["hives"] else "quiet")


def _least(key: str) -> By:
    return By(lambda row, _now: str(row.get(key) or "").casefold(), rises=True)


# fleets


def fleets(answer: Sequence[Row]) -> list[Row]:
    """Fleets, by name; a fleet is known by its name."""
    return [{**row, "id": row["name"]} for row in answer]


def want(row: Mapping[str, Any]) -> str:
    """How many places it wants."""
    return EACH if row["want"] is None else str(row["want"])


def _alive(row: Row, _now: float) -> Cell:
    short = row["want"] is not None and row["alive"] < row["want"]
    return Cell(str(row["alive"]), "slow" if short else "good" if row["alive"] else "quiet")


def _count(key: str, tone: str) -> Any:  # noqa: ANN401 - what a column's cell is
    return lambda row, _now: Cell(str(row[key]) if row[key] else "", tone)


FLEETS: tuple[Column, ...] = (
    Column("name", "NAME", 10, 30, 0, _named),
    Column("want", "WANT", 4, 6, 1, lambda row, _now: Cell(want(row)), right=True),
    Column("alive", "ALIVE", 5, 6, 2, _alive, right=True),
    Column("queued", "QUEUED", 6, 6, 4, _count("queued", "slow"), right=True),
    Column("lost", "LOST", 4, 5, 3, _count("lost", "bad"), right=True),
    Column("source", "FROM", 12, 40, 8, lambda row, _now: Cell(safe(row["source"]), "quiet"), wide=True),
    Column("hives", "HIVES", 12, 0, 5, _hives),
)
FLEET_ORDERS: Orders = {
    "name": _least("name"),
    "want": By(lambda row, _now: float("inf") if row["want"] is None else row["want"]),
    "alive": By(lambda row, _now: row["alive"]),
    "queued": By(lambda row, _now: row["queued"]),
    "lost": By(lambda row, _now: row["lost"]),
    "source": _least("source"),
    "hives": By(lambda row, _now: len(row["hives"])),
}


def fleet(answer: Mapping[str, Any], look: Rendering) -> Lines:
    """All about a fleet, as `swarm_fleet` answers."""
    labels = " ".join(f"{key}={value}" for key, value in sorted(answer["labels"].items()))
    moves = f"{answer['on_lost']}, lease {numbers.span(answer['lease'])}" if answer["on_lost"] == "move" else "wait"
    lines: Lines = [
        [Cell(f" {safe(answer['name'])} ", "accent"), Cell("fleet", "quiet")],
        *pairs(
            ("wants", "one on every fitting hive" if answer["want"] is None else answer["want"]),
            ("alive", str(answer["alive"])),
            ("queued", answer["queued"] or None),
            ("lost", answer["lost"] or None),
            ("agent", answer["agent"]),
            ("on", labels or "any hive"),
            ("cpu", f"{answer['cpu']:g}" if answer["cpu"] else None),
            ("memory", numbers.size(answer["memory"]) if answer["memory"] else None),
            ("when lost", moves),
            ("from", answer["source"]),
            ("posted by", answer["posted_by"]),
        ),
        [],
        [Cell(f" places[{len(answer['places'])}]", "title")],
    ]
    wide = max((len(safe(one["name"])) for one in answer["places"]), default=0)
    return [*lines, *(_place(one, wide, look) for one in answer["places"])]


def _place(one: Mapping[str, Any], wide: int, _look: Rendering) -> list[Cell]:
    facts = [
        safe(one["status"] or one["state"]),
        "ready" if one["ready"] else "",
        "" if one["current"] else "earlier definition",
        f"ending: {safe(one['ending'])}" if one["ending"] else "",
        f"last run: {safe(one['reason'])}" if one["reason"] and one["state"] == "queued" else "",
    ]
    tone = {"claimed": "good", "lost": "bad"}.get(one["state"], "slow")
    name = Cell(f"  {safe(one['name']):<{wide}}  ", "name")
    return [name, Cell(f"{safe(one['hive'] or '-'):<16} "), Cell(" · ".join(filter(None, facts)), tone)]


# secrets


def secrets(answer: Sequence[Row]) -> list[Row]:
    """Secrets, by name; no answer has a value."""
    return [{**row, "id": row["name"]} for row in answer]


def _here(row: Row, _now: float) -> Cell:
    return Cell("yes" if row["here"] else "", "calm")


def _by(row: Row, _now: float) -> Cell:
    return Cell(safe(" ".join(row["put_by"])), "quiet")


SECRETS: tuple[Column, ...] = (
    Column("name", "NAME", 12, 40, 0, _named),
    Column("here", "KEPT HERE", 9, 9, 2, _here),
    Column("by", "SET BY", 8, 24, 4, _by),
    Column("hives", "HIVES", 12, 0, 1, _hives),
)
SECRET_ORDERS: Orders = {
    "name": _least("name"),
    "here": By(lambda row, _now: row["here"]),
    "by": By(lambda row, _now: " ".join(row["put_by"]), rises=True),
    "hives": By(lambda row, _now: len(row["hives"])),
}


def secret(row: Mapping[str, Any], _look: Rendering) -> Lines:
    """All about a secret but its value, which nothing shows."""
    kept = "yes: it can be granted to one more hive" if row["here"] else "no: only the home that has it can grant it"
    return [
        [Cell(f" {safe(row['name'])} ", "accent"), Cell("secret", "quiet")],
        *pairs(
            ("sealed for", "\n".join(map(safe, row["hives"])) or "no hive"),
            ("set by", ", ".join(map(safe, row["put_by"])) or None),
            ("kept here", kept),
        ),
        [],
        [Cell(" its value is shown nowhere", "quiet")],
    ]
