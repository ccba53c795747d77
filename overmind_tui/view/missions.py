"""Missions as rows of a tree: who stands below whom, in which order, and what each cell says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from overmind_core.domain.marks import RESTARTING, Mark, mark_of
from overmind_tui.view import amounts
from overmind_tui.view.cells import Cell, Row, safe

FINAL = frozenset({"stopped", "crashed", "killed"})
FORK, LAST, PASSING, EMPTY = "├─", "└─", "│ ", "  "
FOLDED = "▸"


class Branch(NamedTuple):
    """One row of a table; in a flat one `guides` is empty."""

    id: str
    row: Row
    guides: str = ""
    dimmed: bool = False
    """Shown for the sake of those below it, or no longer there."""
    folded: int = 0
    """How many rows are folded away below it."""


def is_live(row: Row) -> bool:
    """Whether it may still run, or be started by itself."""
    return row["status"] not in FINAL


def mark(row: Row) -> Mark:
    """The mark of a row."""
    return mark_of(row["status"], row.get("activity"))


def state(row: Row, now: float) -> str:
    """The word of its state; with the time until the next try while it waits for that."""
    found = mark(row)
    if found is RESTARTING and (due := amounts.moment(row.get("next_restart_at"))) is not None:
        return f"retry {amounts.span(max(due - now, 0.0))}"
    return found.word


def lasted(row: Row, now: float) -> float:
    """Seconds since it began; of a finished one, how long it took."""
    began = amounts.moment(row["started_at"])
    until = amounts.moment(row.get("ended_at")) if not is_live(row) else now
    if began is None or until is None:
        return float(row.get("uptime_seconds") or 0.0)
    return max(0.0, until - began)


def since(row: Row, now: float) -> str:
    """Its state in words, and how long that has been or took."""
    span = amounts.span(lasted(row, now))
    if mark(row) is RESTARTING:
        return f"{state(row, now)} · began {span} ago"
    return f"{state(row, now)} {'for' if is_live(row) else 'after'} {span}"


def sort_keys(now: float) -> dict[str, Callable[[Row], tuple[Any, ...]]]:
    """Name of an order → what is compared."""
    return {
        "age": lambda row: (row["started_at"], row["id"]),
        "name": lambda row: (row["name"].casefold(), row["id"]),
        "state": lambda row: (mark(row).word, row["name"].casefold()),
        "cpu": lambda row: (-(row.get("cpu_percent") or 0.0), row["started_at"]),
        "memory": lambda row: (-(row.get("memory_bytes") or 0), row["started_at"]),
        "time": lambda row: (-lasted(row, now), row["id"]),
    }


def arranged(
    rows: Iterable[Row],
    *,
    wanted: Callable[[Row], bool] | None = None,
    folded: Collection[str] = (),
    flat: bool = False,
) -> list[Branch]:
    """The rows in the order of the table, children under their parents.

    Args:
        rows: In the order of siblings.
        wanted: The filter; ancestors of what it keeps stay, dimmed. None keeps all.
        folded: Ids whose descendants are folded away.
        flat: No tree.
    """
    everybody = list(rows)
    kept = {row["id"] for row in everybody if wanted is None or wanted(row)}
    if flat:
        return [Branch(row["id"], row, dimmed=_gone(row)) for row in everybody if row["id"] in kept]
    known = {row["id"]: row for row in everybody}
    shown = kept if wanted is None else kept | _ancestors(kept, known)
    children: dict[str | None, list[Row]] = {}
    for row in everybody:
        if row["id"] in shown:
            parent = row["parent"] if row["parent"] in shown else None
            children.setdefault(parent, []).append(row)
    return _walk(children, kept, folded)


def _gone(row: Row) -> bool:
    return bool(row["status"] == "killed")


def _ancestors(kept: Collection[str], known: Mapping[str, Row]) -> set[str]:
    found: set[str] = set()
    for one in kept:
        parent = known[one]["parent"]
        while parent in known and parent not in found:
            found.add(parent)
            parent = known[parent]["parent"]
    return found


def _walk(children: Mapping[str | None, Sequence[Row]], kept: Collection[str], folded: Collection[str]) -> list[Branch]:
    """Depth first, without recursion: a chain may be a thousand deep."""
    found: list[Branch] = []
    waiting = [("", "", row) for row in reversed(children.get(None, ()))]
    while waiting:
        guides, below, row = waiting.pop()
        brood = children.get(row["id"], ())
        hidden = _below(row["id"], children) if row["id"] in folded and brood else 0
        found.append(Branch(row["id"], row, guides, row["id"] not in kept or _gone(row), hidden))
        if hidden:
            continue
        for place, child in enumerate(reversed(brood)):
            ends = place == 0
            waiting.append((below + (LAST if ends else FORK), below + (EMPTY if ends else PASSING), child))
    return found


def _below(root: str, children: Mapping[str | None, Sequence[Row]]) -> int:
    count = 0
    waiting = [root]
    while waiting:
        brood = children.get(waiting.pop(), ())
        count += len(brood)
        waiting += [row["id"] for row in brood]
    return count


def name_cell(branch: Branch, *, ascii_only: bool) -> tuple[Cell, Cell, Cell]:
    """Guides, mark and name, which share a column."""
    found = mark(branch.row)
    sign = found.ascii if ascii_only else found.mark
    more = f" {FOLDED}{branch.folded}" if branch.folded else ""
    return Cell(branch.guides, "guide"), Cell(f"{sign} ", found.tone), Cell(safe(branch.row["name"]) + more, "name")


def now_cell(row: Row) -> Cell:
    """What goes on: the newest line, or why it ended."""
    text = safe(row.get("now"))
    if not text and is_live(row):
        return Cell("no output yet", "faint")
    return Cell(text, "bad" if row["status"] == "crashed" else "quiet")


def counts(rows: Iterable[Row]) -> dict[Mark, int]:
    """How many missions show each mark."""
    found: dict[Mark, int] = {}
    for row in rows:
        one = mark(row)
        found[one] = found.get(one, 0) + 1
    return found
