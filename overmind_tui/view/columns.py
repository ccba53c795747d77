"""Which columns fit into how many cells: the least important leave first, the last one takes what is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from overmind_core.domain.cells import width
from overmind_tui.view import amounts
from overmind_tui.view import missions as view
from overmind_tui.view.cells import Cell, Row, safe
from overmind_tui.view.missions import Branch

GAP = 1
"""Cells between two columns."""


class Column(NamedTuple):
    """One column.

    Attributes:
        key: What it is called in orders and settings.
        title: Its heading.
        least: Cells below which it is not shown.
        most: Cells that it takes at most; it gets as many as its contents need. 0: whatever is left.
        keep: The smaller, the longer it stays when room is scarce.
        cell: What it says of a row, at a time (seconds since the epoch).
        right: Whether it is set flush right.
        wide: Whether only a wide table shows it.
    """

    key: str
    title: str
    least: int
    most: int
    keep: int
    cell: Callable[[Row, float], Cell]
    right: bool = False
    wide: bool = False


class Layout(NamedTuple):
    """The columns that are shown, and the cells of each."""

    columns: tuple[Column, ...]
    widths: tuple[int, ...]


def laid_out(columns: Sequence[Column], needs: dict[str, int], cells: int, *, wide: bool = False) -> Layout:
    """Choose the columns for a table of `cells` cells.

    Args:
        columns: In the order in which they are shown.
        needs: Cells that a column's contents take, by key; what is missing needs the least.
        cells: The table's width.
        wide: Show the wide columns too.
    """
    chosen = [column for column in columns if wide or not column.wide]
    while len(chosen) > 1 and _taken([column.least for column in chosen]) > cells:
        chosen.remove(max(chosen, key=lambda column: column.keep))
    widths = {column.key: column.least for column in chosen}
    spare = cells - _taken(list(widths.values()))
    for column in sorted(chosen, key=lambda column: column.keep):
        limit = needs.get(column.key, column.least) if column.most == 0 else min(needs.get(column.key, 0), column.most)
        more = max(0, min(limit - column.least, spare)) if column.most else 0
        widths[column.key] += more
        spare -= more
    last = next((column for column in reversed(chosen) if column.most == 0), chosen[-1])
    widths[last.key] = max(1, widths[last.key] + spare)
    return Layout(tuple(chosen), tuple(widths[column.key] for column in chosen))


def needed(columns: Sequence[Column], branches: Sequence[Branch], now: float, *, sample: int = 200) -> dict[str, int]:
    """Cells that the contents of each column take, judged by up to `sample` rows (of all for the name)."""
    found = {"name": max((width(one.guides) + len(one.row["name"]) + 6 for one in branches), default=0)}
    some = branches[:sample]
    for column in columns:
        if column.most and column.key != "name":
            texts = (column.cell(one.row, now).text for one in some)
            found[column.key] = max((width(text) for text in texts), default=0)
    return found


def _taken(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * max(len(widths) - 1, 0)


def _name(row: Row, _now: float) -> Cell:
    return Cell(safe(row["name"]))


def _state(row: Row, now: float) -> Cell:
    return Cell(view.state(row, now), view.mark(row).tone)


def _agent(row: Row, _now: float) -> Cell:
    return Cell(safe(row["provider"]), "quiet")


def _lasted(row: Row, now: float) -> Cell:
    return Cell(amounts.span(view.lasted(row, now)), "quiet")


def _exit(row: Row, _now: float) -> Cell:
    return Cell(safe(row["exit_code"]), "bad" if row["exit_code"] else "quiet")


MISSIONS: tuple[Column, ...] = (
    Column("name", "NAME", 12, 44, 0, _name),
    Column("id", "ID", 8, 8, 9, lambda row, _now: Cell(row["id"], "quiet"), wide=True),
    Column("agent", "AGENT", 5, 8, 6, _agent),
    Column("state", "STATE", 10, 11, 1, _state),
    Column("for", "FOR", 4, 5, 3, _lasted, right=True),
    Column("restarts", "RST", 3, 5, 7, lambda row, _now: Cell(str(row["restart_count"] or ""), "slow"), right=True),
    Column("exit", "EXIT", 4, 4, 8, _exit, right=True, wide=True),
    Column("cpu", "CPU", 4, 5, 4, lambda row, _now: Cell(amounts.percent(row.get("cpu_percent")), "quiet"), right=True),
    Column(
        "memory",
        "MEM",
        5,
        6,
        5,
        lambda row, _now: Cell(amounts.size(row.get("memory_bytes") or None), "quiet"),
        right=True,
    ),
    Column("now", "NOW", 24, 0, 2, lambda row, _now: view.now_cell(row)),
    Column("command", "COMMAND", 16, 30, 10, lambda row, _now: Cell(safe(row["command"]), "quiet"), wide=True),
)
"""The columns of the missions table."""
