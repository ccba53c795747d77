"""Fleets, pools and secrets of the swarm as rows, and all about one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from overmind_core.domain.missions.reasons import sentence
from overmind_core.view import numbers
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.columns import By, Column
from overmind_core.view.describe import Lines, Rendering, pairs
from overmind_core.view.hive_keys import HIVES
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
    Column("queued", "QUEUED", 6, 6, 4, _count("queued", "quiet"), right=True),
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
        [Cell(f" {numbers.counted(len(answer['places']), 'place')}", "title")],
    ]
    wide = max((len(safe(one["name"])) for one in answer["places"]), default=0)
    return [*lines, *(_place(one, wide, look) for one in answer["places"])]


def _place(one: Mapping[str, Any], wide: int, _look: Rendering) -> list[Cell]:
    facts = [
        safe(one["status"] or one["state"]),
        "ready" if one["ready"] else "",
        "" if one["current"] else "earlier definition",
        f"ending: {safe(one['ending'])}" if one["ending"] else "",
        f"last run: {safe(sentence(one['reason']))}" if one["reason"] and one["state"] == "queued" else "",
    ]
    tone = {"claimed": "good", "lost": "bad"}.get(one["state"], "off")
    name = Cell(f"  {safe(one['name']):<{wide}}  ", "name")
    return [name, Cell(f"{safe(one['hive'] or '-'):<16} "), Cell(" · ".join(filter(None, facts)), tone)]


def fleets_at_stake(rows: Sequence[Row]) -> list[str]:
    """What ends with fleets."""
    return [f"{safe(row['name'])}  {_ending_places(row['alive'] + row['lost'])}" for row in rows]


def _ending_places(count: int) -> str:
    if not count:
        return "none of its places runs"
    return "1 of its places runs, and will end" if count == 1 else f"{count} of its places run, and will end"


# pools

_STARTING = frozenset({"asked", "started", "running"})
"""States of an instance that has not joined yet."""
_STATE_TONES = {"open": "good", "silent": "slow", "unheld": "slow"}


def pools(answer: Sequence[Row]) -> list[Row]:
    """Pools, by name; a pool is about the hive that decides about it, and about those that are its instances."""
    return [{**row, "id": row["name"], HIVES: _hives_of(row)} for row in answer]


def _hives_of(row: Row) -> list[str]:
    joined = [one["name"] for one in row["instances"] if one["state"] == "joined"]
    return [*([row["hive"]] if row["hive"] else []), *joined]


def joined(row: Mapping[str, Any]) -> int:
    """How many of its instances are hives."""
    return sum(one["state"] == "joined" for one in row["instances"])


def starting(row: Mapping[str, Any]) -> int:
    """How many were asked for, and have not joined yet."""
    return sum(one["state"] in _STARTING for one in row["instances"])


def _pool_state(row: Row, _now: float) -> Cell:
    return Cell(row["state"], _STATE_TONES.get(row["state"], ""))


def _counted(count: Any, tone: str = "") -> Any:  # noqa: ANN401 - functions of a row
    return lambda row, _now: Cell(str(count(row)) if count(row) else "", tone)


def _note(row: Row, _now: float) -> Cell:
    labels = " ".join(f"{key}={value}" for key, value in sorted(row["labels"].items()))
    return Cell(safe(row["note"]), "slow") if row["note"] else Cell(safe(labels), "quiet")


POOLS: tuple[Column, ...] = (
    Column("name", "NAME", 8, 24, 0, _named),
    Column("engine", "ENGINE", 7, 10, 4, lambda row, _now: Cell(safe(row["engine"]), "quiet")),
    Column("state", "STATE", 6, 6, 1, _pool_state),
    Column("wanted", "WANTED", 6, 6, 3, _counted(lambda row: row["wanted"]), right=True),
    Column("joined", "JOINED", 6, 6, 2, _counted(joined, "good"), right=True),
    Column("starting", "STARTING", 8, 8, 3, _counted(starting, "slow"), right=True),
    Column("max", "MAX", 3, 5, 5, _counted(lambda row: row["max"], "quiet"), right=True),
    Column("slots", "SLOTS", 5, 5, 6, _counted(lambda row: row["slots"], "quiet"), right=True),
    Column("hive", "HIVE", 5, 16, 5, lambda row, _now: Cell(safe(row["hive"]))),
    Column("note", "NOTE", 12, 0, 5, _note),
)
POOL_ORDERS: Orders = {
    "name": _least("name"),
    "engine": _least("engine"),
    "state": _least("state"),
    "wanted": By(lambda row, _now: row["wanted"] or 0),
    "joined": By(lambda row, _now: joined(row)),
    "starting": By(lambda row, _now: starting(row)),
    "max": By(lambda row, _now: row["max"] or 0),
    "slots": By(lambda row, _now: row["slots"] or 0),
    "hive": _least("hive"),
    "note": _least("note"),
}


def pool(row: Mapping[str, Any], _look: Rendering) -> Lines:
    """All about a pool, with its instances."""
    labels = " ".join(f"{key}={value}" for key, value in sorted(row["labels"].items()))
    limits = f"{row['min'] or 0} to {row['max']}" if row["max"] is not None else None
    lines: Lines = [
        [Cell(f" {safe(row['name'])} ", "accent"), Cell("pool", "quiet")],
        [Cell(f" {row['state']}", _STATE_TONES.get(row["state"], "")), Cell(f"  {safe(row['note'])}", "slow")],
        *pairs(
            ("engine", row["engine"]),
            ("decided by", row["hive"] or "no hive"),
            ("wanted", row["wanted"]),
            ("instances", limits),
            ("slots of each", row["slots"]),
            ("labels", labels or None),
        ),
        [],
        [Cell(f" {numbers.counted(len(row['instances']), 'instance')}", "title")],
    ]
    wide = max((len(safe(one["name"])) for one in row["instances"]), default=0)
    return [*lines, *(_instance(one, wide) for one in row["instances"])]


def _instance(one: Mapping[str, Any], wide: int) -> list[Cell]:
    state = "draining" if one["ending"] and one["state"] != "ended" else safe(one["state"])
    held = f"{one['held']} post{'s' * (one['held'] != 1)}" if one["held"] else ""
    tone = {"joined": "good", "ended": "bad"}.get(state, "slow")
    facts = " · ".join(filter(None, (state, held, safe(one["reason"]))))
    name = Cell(f"  {safe(one['name']):<{wide}}  ", "name")
    return [name, Cell(f"{safe(one['engine_id'] or '-'):<16} "), Cell(facts, tone)]


def pools_at_stake(rows: Sequence[Row], *, at_once: bool = False) -> list[str]:
    """What ends when these pools go down: all instances that they have; `at_once`: nothing is waited for."""
    lines = [f"{safe(row['name'])}  {_instances(row)}" for row in rows]
    return [*lines, _AT_ONCE if at_once else _DRAINED]


def _instances(row: Mapping[str, Any]) -> str:
    begun = starting(row)
    return f"{joined(row)} joined" + (f", {begun} starting" if begun else "")


def instances_at_stake(instances: Sequence[Row], *, at_once: bool = False) -> list[str]:
    """What ends with instances of a pool that are named."""
    lines = ["".join(cell.text for cell in _instance(one, 0)).strip() for one in instances]
    return [*lines, _AT_ONCE if at_once else _DRAINED]


_DRAINED = "Each ends once what it has has ended."
_AT_ONCE = "Each ends at once: its posts begin elsewhere once they are missed."


# secrets


def secrets(answer: Sequence[Row]) -> list[Row]:
    """Secrets, by name; no answer has a value."""
    return [{**row, "id": row["name"]} for row in answer]


def _here(row: Row, _now: float) -> Cell:
    return Cell("yes" if row["here"] else "", "quiet")


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


def secrets_at_stake(rows: Sequence[Row]) -> list[str]:
    """What goes with secrets."""
    lines = [f"{safe(row['name'])}  sealed for {numbers.counted(len(row['hives']), 'hive')}" for row in rows]
    return [*lines, "Nothing that names it begins any more."]
