"""Worktrees as a table: whose each is, how far it is from its base, and what of it is nowhere else. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from overmind_tui.view import amounts
from overmind_tui.view import missions as view
from overmind_tui.view.cells import Cell, Row, safe
from overmind_tui.view.columns import Column
from overmind_tui.view.ordering import By
from overmind_tui.view.tables import Orders

CHANGES = frozenset({
    "landed", "discarded", "preparing", "prepared", "spawn_failed", "started", "stopped", "crashed", "killed",
    "turn_ended", "removed",
})  # fmt: skip
"""Kinds of events after which a worktree stands otherwise."""
PLACE = "/.overmind/worktrees/"
"""Between a checkout and the id of a worktree in it."""
GONE = "removed"
"""The state of a mission that is no more."""
DIRTY, UNMERGED, MERGED, CLEAN, BROKEN = "uncommitted", "unmerged", "merged", "clean", "broken"


def worktrees(answer: Mapping[str, Any]) -> list[Row]:
    """Those of the answer by the names of their missions; one whose mission is no more has no status."""
    found = []
    for one in answer["worktrees"]:
        row = {**one, "id": one["mission"]}
        if one.get("status") is None:
            row.pop("status", None)
        found.append(row)
    return sorted(found, key=lambda row: str(row["name"]).casefold())


def has_one(row: Row) -> bool:
    """Whether a mission, or a row of this table, has a worktree."""
    isolation = row.get("isolation") or {}
    return bool(isolation.get("worktree") or (row.get("path") and "mission" in row))


def folder(row: Row) -> str:
    """Where it is."""
    return str((row.get("isolation") or {}).get("worktree") or row.get("path") or "")


def beside(cwd: str) -> str:
    """The folder where a new mission begins beside one that runs in `cwd`: of a worktree that which it was made of."""
    source, inside, rest = cwd.partition(PLACE)
    return "/".join(filter(None, (source, rest.partition("/")[2]))) if inside else cwd


def standing(row: Row) -> str:
    """What is to be done about its work, in a word."""
    if row.get("problem"):
        return BROKEN
    if row.get("dirty"):
        return DIRTY
    if not row.get("merged"):
        return UNMERGED
    return MERGED if row.get("ahead") else CLEAN


def distance(row: Row) -> str:
    """Commits that the base has not, and that it has not of the base."""
    ahead, behind = row.get("ahead") or 0, row.get("behind") or 0
    return " ".join(filter(None, (f"↑{ahead}" if ahead else "", f"↓{behind}" if behind else "")))


def ports(row: Row) -> str:
    """The mission's own port, then those of services with their names."""
    held = row.get("ports") or {}
    return " ".join(f"{safe(name)}:{port}" if name else str(port) for name, port in sorted(held.items()))


def containers(row: Row) -> str:
    """Each service that is a container, and how it is."""
    return " ".join(f"{safe(name)}:{safe(state)}" for name, state in sorted((row.get("containers") or {}).items()))


_TONES = {DIRTY: "slow", UNMERGED: "wait", MERGED: "calm", CLEAN: "quiet", BROKEN: "bad"}


def _name(row: Row, _now: float) -> Cell:
    """Below the names that have a mark before them."""
    return Cell(safe(row["name"]) if "status" in row else f"  {safe(row['name'])}")


def _state(row: Row, _now: float) -> Cell:
    return Cell(view.mark(row).word, view.mark(row).tone) if "status" in row else Cell(GONE, "off")


def _lines(row: Row) -> str:
    came, went = row.get("insertions") or 0, row.get("deletions") or 0
    return " ".join(filter(None, (f"+{came}" if came else "", f"-{went}" if went else "")))


def _path(row: Row, _now: float) -> Cell:
    return Cell(safe(row["problem"]), "bad") if row.get("problem") else Cell(safe(row.get("path")), "quiet")


COLUMNS: tuple[Column, ...] = (
    Column("name", "MISSION", 12, 30, 0, _name),
    Column("state", "STATE", 9, 10, 5, _state),
    Column("branch", "BRANCH", 16, 36, 3, lambda row, _now: Cell(safe(row.get("branch")))),
    Column("distance", "±BASE", 5, 8, 4, lambda row, _now: Cell(distance(row))),
    Column("files", "FILES", 5, 6, 6, lambda row, _now: Cell(str(row.get("files") or ""), "quiet"), right=True),
    Column("lines", "LINES", 7, 12, 7, lambda row, _now: Cell(_lines(row), "quiet"), right=True),
    Column("work", "WORK", 11, 11, 1, lambda row, _now: Cell(standing(row), _TONES[standing(row)])),
    Column("ports", "PORTS", 9, 26, 8, lambda row, _now: Cell(ports(row)), spare=True),
    Column("containers", "CONTAINERS", 10, 24, 9, lambda row, _now: Cell(containers(row), "quiet"), spare=True),
    Column("size", "SIZE", 4, 6, 10, lambda row, _now: Cell(amounts.size(row.get("size_bytes")), "quiet"), right=True,
           spare=True),
    Column("base", "BASE", 6, 20, 12, lambda row, _now: Cell(safe(row.get("base")), "quiet"), wide=True),
    Column("path", "PATH", 8, 0, 11, _path),
)  # fmt: skip


def _text(key: str) -> By:
    return By(lambda row, _now: str(row.get(key) or "").casefold(), rises=True)


def _most(key: str) -> By:
    return By(lambda row, _now: row.get(key) or 0)


_WORK = (BROKEN, DIRTY, UNMERGED, CLEAN, MERGED)
ORDERS: Orders = {
    "name": _text("name"),
    "state": _text("status"),
    "branch": _text("branch"),
    "base": _text("base"),
    "distance": _most("ahead"),
    "files": _most("files"),
    "lines": By(lambda row, _now: (row.get("insertions") or 0) + (row.get("deletions") or 0)),
    "work": By(lambda row, _now: _WORK.index(standing(row)), rises=True),
    "ports": By(lambda row, _now: sorted((row.get("ports") or {}).values()), rises=True),
    "size": _most("size_bytes"),
    "path": _text("path"),
}


def summary(rows: Sequence[Row]) -> str:
    """What all of them come to."""
    counted = {word: sum(standing(row) == word for row in rows) for word in _WORK}
    said = [f"{count} {word}" for word, count in counted.items() if count]
    size = sum(row.get("size_bytes") or 0 for row in rows)
    return " · ".join([*said, *([amounts.size(size) + "B"] if size else [])])
