"""Hives as rows: how each is reached, what is known of it, and how many of them answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from overmind_core.errors import OvermindError
from overmind_core.view import numbers
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.columns import By, Column
from overmind_core.view.tables import Orders


class Link(StrEnum):
    """How a hive is reached now; the value is the word for it."""

    OPENING = "opening"
    OPEN = "open"
    SILENT = "silent"
    CLOSED = "closed"


_TONES = {Link.OPENING: "quiet", Link.OPEN: "calm", Link.SILENT: "slow", Link.CLOSED: "bad"}
_URGENCY = (Link.CLOSED, Link.SILENT, Link.OPENING, Link.OPEN)


class HiveState(NamedTuple):
    """What is known of a hive.

    Attributes:
        name: As config.toml calls it; `local` is this home.
        via: The way to it, such as `ssh`; "" for this home.
        link: How it is reached now.
        version: Of its daemon; "" while that is not known.
        answered_at: When it answered last, in seconds since the epoch; 0 is never.
        reason: Why it is not reached; "" while it is.
        figures: `slots`, `draining`, `cpu` (cores) and `memory` (bytes), as far as it told them.
    """

    name: str
    via: str = ""
    link: Link = Link.OPENING
    version: str = ""
    answered_at: float = 0.0
    reason: str = ""
    figures: Mapping[str, Any] = {}


def silent(hive: HiveState, now: float) -> OvermindError:
    """The refusal of what a hive is asked that doesn't answer; `now` in seconds since the epoch."""
    if hive.answered_at:
        reason = f"{hive.name} has been silent for {max(int(now - hive.answered_at), 0)} s"
    else:
        reason = f"{hive.name} has not answered yet" + (f": {hive.reason}" if hive.reason else "")
    return OvermindError("hive_silent", reason, hive=hive.name)


def reached(hives: Sequence[HiveState]) -> list[Cell]:
    """What the header says: `hives 4/5`; nothing where there is only this home."""
    if len(hives) <= 1:
        return []
    count = sum(hive.link is Link.OPEN for hive in hives)
    return [Cell("hives ", "label"), Cell(f"{count}/{len(hives)}", "" if count == len(hives) else "slow")]


# the table


def row_of(hive: HiveState, live: int) -> Row:
    """A hive as a row; `live`: how many of its missions have not ended."""
    return {
        "id": hive.name, "name": hive.name, "via": hive.via, "link": hive.link, "version": hive.version, "live": live,
        "answered_at": hive.answered_at, "reason": hive.reason, **hive.figures,
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
    if row["link"] is Link.OPEN:
        return Cell("now", "quiet")
    at = row["answered_at"]
    said = f"{numbers.span(max(now - at, 0.0))} ago" if at else "never"
    return Cell(f"{said} · {safe(row['reason'])}" if row["reason"] else said, "slow")


COLUMNS: tuple[Column, ...] = (
    Column("name", "NAME", 8, 24, 0, lambda row, _now: Cell(safe(row["name"]), "name")),
    Column("via", "VIA", 4, 6, 4, lambda row, _now: Cell(row["via"], "quiet")),
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
