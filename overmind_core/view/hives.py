"""Hives as rows: how each is reached, what is known of it, and how many of them answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from overmind_core.domain.hives import LOCAL, SWARM
from overmind_core.errors import OvermindError
from overmind_core.view import numbers
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.columns import By, Column
from overmind_core.view.hive_keys import HIVES
from overmind_core.view.swarm import SwarmState
from overmind_core.view.tables import Orders


class Link(StrEnum):
    """How a hive is reached now; the value is the word for it."""

    OPENING = "opening"
    OPEN = "open"
    SILENT = "silent"
    SETTLING = "settling"
    CLOSED = "closed"


_TONES = {
    Link.OPENING: "quiet", Link.OPEN: "good", Link.SILENT: "slow", Link.SETTLING: "slow", Link.CLOSED: "bad",
}  # fmt: skip
_URGENCY = (Link.CLOSED, Link.SILENT, Link.SETTLING, Link.OPENING, Link.OPEN)


class HiveState(NamedTuple):
    """What is known of a hive.

    Attributes:
        name: As config.toml calls it; `local` is this home.
        via: The way to it, such as `ssh`; "" for this home.
        link: How it is reached now.
        version: Of its daemon; "" while that is not known.
        answered_at: When it answered last, in seconds since the epoch; 0 is never.
        reason: Why it is not reached; "" while it is.
        figures: `slots`, `draining`, `cpu` (cores), `memory` (bytes), `labels` and `held` (posts), as far as it told
            them.
        home: Which home it is; "" while that is not known.
        in_swarm: Its name in the swarm; "" where it is in none, or in another one.
    """

    name: str
    via: str = ""
    link: Link = Link.OPENING
    version: str = ""
    answered_at: float = 0.0
    reason: str = ""
    figures: Mapping[str, Any] = {}
    home: str = ""
    in_swarm: str = ""

    @property
    def is_named(self) -> bool:
        """Whether it is this home, or config.toml says how it is reached."""
        return self.via != SWARM


def silent(hive: HiveState, now: float) -> OvermindError:
    """The refusal of what a hive is asked that doesn't answer; `now` in seconds since the epoch."""
    if hive.answered_at:
        reason = f"{hive.name} has been silent for {max(int(now - hive.answered_at), 0)} s"
    else:
        reason = f"{hive.name} has not answered yet" + (f": {hive.reason}" if hive.reason else "")
    return OvermindError("hive_silent", reason, hive=hive.name)


# with those of the swarm


def merged(named: Sequence[HiveState], swarm: SwarmState) -> list[HiveState]:
    """Named hives, then those that the swarm alone knows; one that is both is one, reached in both ways.

    Args:
        named: This home, and those that config.toml names.
        swarm: As it was when it answered last.
    """
    left = {one["name"]: one for one in swarm.hives}
    found = []
    for hive in named:
        own = next((one for one in left.values() if _is_same(hive, one, swarm)), None)
        found.append(hive if own is None else _both(hive, left.pop(own["name"])))
    return [*found, *(_of_swarm(one, swarm) for one in left.values())]


def _is_same(hive: HiveState, own: Row, swarm: SwarmState) -> bool:
    if hive.name == LOCAL:
        return bool(own["name"] == swarm.hive)
    if hive.home and own["id"]:
        return bool(hive.home == own["id"])
    return bool(hive.name == own["name"])


def _both(hive: HiveState, own: Row) -> HiveState:
    """A hive that is reached both ways; how its gate is reached says more."""
    figures = {**hive.figures, "labels": own["labels"], "held": own["held"]}
    if hive.name == LOCAL:
        figures["draining"] = bool(figures.get("draining")) or own["link"] == "draining"
    return hive._replace(via=f"{hive.via}+{SWARM}" if hive.via else "", figures=figures, in_swarm=own["name"])


def _of_swarm(own: Row, swarm: SwarmState) -> HiveState:
    """A hive that only the swarm knows, which may be silent itself."""
    link = Link.OPEN if own["link"] == "draining" else Link(own["link"])
    seen = 0.0 if own["seen_ago"] is None else swarm.answered_at - own["seen_ago"]
    if swarm.silence and link is not Link.CLOSED:
        link = Link.SILENT
    names = ("slots", "cpu", "memory", "labels", "held")
    figures = {**{name: own[name] for name in names}, "draining": own["link"] == "draining"}
    return HiveState(own["name"], SWARM, link, own["version"], seen, "", figures, own["id"] or "", own["name"])


def names_of(hives: Sequence[HiveState]) -> dict[str, tuple[str, ...]]:
    """Name of a hive in the swarm → all names that it has here."""
    return {one.in_swarm: tuple(dict.fromkeys((one.name, one.in_swarm))) for one in hives if one.in_swarm}


def reached(hives: Sequence[HiveState]) -> list[Cell]:
    """What the header says: `4 of 5 hives`; nothing where there is only this home."""
    if len(hives) <= 1:
        return []
    count = sum(hive.link is Link.OPEN for hive in hives)
    tone = "" if count == len(hives) else "slow"
    return [Cell(f"{count} of {len(hives)}", tone), Cell(" hives", "label")]


# the table


def row_of(hive: HiveState, live: int) -> Row:
    """A hive as a row; `live`: how many of its missions have not ended."""
    return {
        "id": hive.name, "name": hive.name, "via": hive.via, "link": hive.link, "version": hive.version, "live": live,
        "answered_at": hive.answered_at, "reason": hive.reason, **hive.figures, "in_swarm": hive.in_swarm,
        "is_named": hive.is_named, HIVES: tuple(filter(None, (hive.name, hive.in_swarm))),
    }  # fmt: skip


def _link(row: Row, _now: float) -> Cell:
    if row["link"] is Link.OPEN and row.get("draining"):
        return Cell("draining", "slow")
    return Cell(row["link"].value, _TONES[row["link"]])


def _cores(row: Row, _now: float) -> Cell:
    cores = row.get("cpu")
    return Cell("" if cores is None else f"{cores:g}", "quiet")


def _labels(row: Row, _now: float) -> Cell:
    pairs = sorted((row.get("labels") or {}).items())
    return Cell(safe(" ".join(f"{key}={value}" for key, value in pairs)), "quiet")


def _seen(row: Row, now: float) -> Cell:
    is_open, at = row["link"] is Link.OPEN, row["answered_at"]
    said = "now" if is_open else f"{numbers.span(max(now - at, 0.0))} ago" if at else "never"
    known_as = f"as {row['in_swarm']}" if row["in_swarm"] not in {"", row["name"]} else ""
    return Cell(" · ".join(filter(None, (said, safe(row["reason"]), safe(known_as)))), "quiet" if is_open else "slow")


COLUMNS: tuple[Column, ...] = (
    Column("name", "NAME", 8, 24, 0, lambda row, _now: Cell(safe(row["name"]), "name")),
    Column("via", "VIA", 4, 10, 4, lambda row, _now: Cell(row["via"], "quiet")),
    Column("link", "LINK", 8, 8, 1, _link),
    Column("version", "VERSION", 7, 10, 4, lambda row, _now: Cell(safe(row["version"]), "quiet")),
    Column("live", "LIVE", 4, 5, 2, lambda row, _now: Cell(str(row["live"] or "")), right=True),
    Column("slots", "SLOTS", 5, 7, 3, lambda row, _now: Cell(safe(row.get("slots")), "quiet"), right=True),
    Column("cpu", "CPU", 4, 5, 4, _cores, right=True),
    Column("memory", "MEM", 4, 5, 4, lambda row, _now: Cell(numbers.size(row.get("memory")), "quiet"), right=True),
    Column("labels", "LABELS", 8, 30, 8, _labels, spare=True),
    Column("seen", "SEEN", 8, 0, 2, _seen),
)
"""The columns of the view of hives."""
ORDERS: Orders = {
    "name": By(lambda row, _now: row["name"].casefold(), rises=True),
    "link": By(lambda row, _now: _URGENCY.index(row["link"]), rises=True),
    "version": By(lambda row, _now: row["version"], rises=True),
    "live": By(lambda row, _now: row["live"]),
    "slots": By(lambda row, _now: row.get("slots") or 0),
    "cpu": By(lambda row, _now: row.get("cpu") or 0.0),
    "memory": By(lambda row, _now: row.get("memory") or 0),
    "seen": By(lambda row, _now: row["answered_at"]),
}


def at_stake(rows: Sequence[Row], *, dead: bool = False) -> list[str]:
    """What goes when hives are forgotten, or removed from the swarm; `dead`: their machines are off for good."""
    return [f"{safe(row['name'])}  {_goes_with(row, dead=dead)}" for row in rows]


def _goes_with(row: Row, *, dead: bool) -> str:
    if row["is_named"]:
        live = numbers.counted(row["live"], "live mission")
        return f"only the way to it is forgotten: {live} there {'runs' if row['live'] == 1 else 'run'} on"
    posts = numbers.counted(int(row.get("held") or 0), "post")
    return f"its login ends, and its {posts} {'begin elsewhere' if dead else 'stay where they are'}"
