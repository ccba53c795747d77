"""Columns of the table of missions: which fit into how many cells, and the orders by each of them.

The least important leave first, the last one takes what is left. An order begins the way round that is asked for first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from overmind_core.domain.missions.status_marks import (
    BAD_ENDS,
    FROZEN,
    KILLED,
    LIMITED,
    PREPARING,
    RESTARTING,
    STARTING,
    STOPPED,
    STOPPING,
    SUCCEEDED,
    WAITING,
    WORKING,
    YOUR_TURN,
)
from overmind_core.domain.text.cells import pad, width
from overmind_core.view import missions as missions_rows
from overmind_core.view import numbers
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.hive_keys import HIVE, bare_id, bare_name
from overmind_core.view.missions import Branch
from overmind_core.view.numbers import Ticking

GAP = 1
"""Cells between two columns."""
COMFORT, MINOR = 30, 5
"""Cells that the last column has before columns that may go soon (so large is their `keep`) are shown at all."""
EASE = 44
"""Cells that the last column has before columns of the wide table are shown unasked."""


class Column(NamedTuple):
    """One column of a table.

    Attributes:
        key: What it is called in orders and settings.
        title: Its heading.
        least: Cells below which it is not shown.
        most: Cells that it takes at most; it gets as many as its contents need. 0: whatever is left.
        keep: The smaller, the longer it stays when room is scarce.
        cell: What it says of a row, at a time (seconds since the epoch).
        right: Whether it is set flush right.
        wide: Whether only a wide table shows it, or one with more room than the last column needs.
        spare: Whether it is left out while it has nothing to say of any row.
        ticks: What its cell says of a row where that goes on by itself, for who draws it without being asked again;
            None where it stands still. None instead of a function: never.
    """

    key: str
    title: str
    least: int
    most: int
    keep: int
    cell: Callable[[Row, float], Cell]
    right: bool = False
    wide: bool = False
    spare: bool = False
    ticks: Callable[[Row], Ticking | None] | None = None


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
    filled = [column for column in columns if needs.get(column.key) or not column.spare]
    chosen = [column for column in filled if wide or not column.wide]
    _thin_out(chosen, cells, comfort=COMFORT, minor=MINOR)
    _thin_out(chosen, cells)
    chosen = _roomier(filled, chosen, needs, cells)
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


def stressed(columns: Sequence[Column], by: str) -> list[Column]:
    """The columns with that one kept long by which rows are sorted; for their age stands how long a state lasts."""
    return [one._replace(keep=1, wide=False) if one.key == by != "age" else one for one in columns]


def _thin_out(chosen: list[Column], cells: int, *, comfort: int = 0, minor: int = 0) -> None:
    """Take out the least important columns until the others fit, the last one with its comfort; `minor`: only these."""
    while len(chosen) > 1 and _taken([max(one.least, 0 if one.most else comfort) for one in chosen]) > cells:
        least = max(chosen, key=lambda column: column.keep)
        if least.keep < minor:
            return
        chosen.remove(least)


def _roomier(filled: Sequence[Column], chosen: Sequence[Column], needs: dict[str, int], cells: int) -> list[Column]:
    """Add columns of the wide table, as long as all others keep what their contents need, and the last has its ease."""
    kept = {column.key for column in chosen}
    if any(column.key not in kept and not column.wide for column in filled):
        return list(chosen)
    takes = {one.key: max(one.least, min(needs.get(one.key, 0), one.most)) if one.most else EASE for one in filled}
    for column in sorted(filled, key=lambda column: column.keep):
        if column.key in kept:
            continue
        if _taken([takes[key] for key in (*kept, column.key)]) > cells:
            break
        kept.add(column.key)
    return [column for column in filled if column.key in kept]


def needed(
    columns: Sequence[Column], branches: Sequence[Branch], now: float, *, sample: int = 100, beside: int = 6
) -> dict[str, int]:
    """Cells that the contents of each column take, judged by up to `sample` rows (of all for the name).

    `beside`: cells that stand beside a name and its guides.
    """
    found = {"name": max((width(one.guides) + width(one.name) + beside for one in branches), default=0)}
    some = branches[:sample]
    for column in columns:
        if column.most and column.key != "name":
            texts = (column.cell(one.row, now).text for one in some)
            found[column.key] = max((width(text) for text in texts), default=0)
    return found


def text(
    columns: Sequence[Column],
    branches: Sequence[Branch],
    now: float,
    *,
    ascii_only: bool,
    named: Callable[..., tuple[Cell, ...]] = missions_rows.name_cell,
) -> str:
    """The rows with all their columns, in lines without colours; `named`: what stands in the column of names."""
    rows = [[column.title for column in columns]]
    for branch in branches:
        name = "".join(cell.text for cell in named(branch, ascii_only=ascii_only))
        rows.append([name if column.key == "name" else column.cell(branch.row, now).text for column in columns])
    widths = [max(width(row[place]) for row in rows) for place in range(len(columns))]
    lines = ("  ".join(pad(cell, count) for cell, count in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines) + "\n"


def _taken(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * max(len(widths) - 1, 0)


def _name(row: Row, _now: float) -> Cell:
    return Cell(safe(row["name"]))


def _state(row: Row, now: float) -> Cell:
    return Cell(missions_rows.state(row, now), missions_rows.state_tone(row, now))


def _held(row: Row, now: float) -> Cell:
    return Cell(numbers.span(missions_rows.held(row, now)), "quiet")


def _cost(row: Row, _now: float) -> Cell:
    return Cell(numbers.cost_of(row), "quiet")


def _exit(row: Row, _now: float) -> Cell:
    return Cell(safe(row["exit_code"]), "bad" if row["exit_code"] else "quiet")


def _restarts(row: Row, _now: float) -> Cell:
    return Cell(str(row["restart_count"] or ""), "quiet")


def _cpu(row: Row, _now: float) -> Cell:
    return Cell(numbers.percent(row.get("cpu_percent")), "quiet")


def _memory(row: Row, _now: float) -> Cell:
    return Cell(numbers.size(row.get("memory_bytes") or None), "quiet")


def _output(row: Row, _now: float) -> Cell:
    speed = numbers.size(row.get("output_bytes_per_second") or None)
    return Cell(f"{speed}B/s" if speed else "", "quiet")


def _age(row: Row, now: float) -> Cell:
    return Cell(numbers.span(missions_rows.age(row, now)), "quiet")


def since(moment: Callable[[Row], float | None]) -> Callable[[Row], Ticking | None]:
    """The `ticks` of a column that says how long ago something was; `moment`: when (seconds since the epoch)."""

    def ticks(row: Row) -> Ticking | None:
        began = moment(row)
        return None if began is None else Ticking("", began)

    return ticks


def _tokens(row: Row, _now: float) -> Cell:
    return Cell(numbers.size(sum((row.get("tokens") or {}).values()) or None), "quiet")


def changed_lines(row: Row) -> str:
    """Lines that it has changed in its worktree; "" where nobody knows, and for none."""
    found = row.get("changed_lines") or {}
    return numbers.lines_changed(found.get("added"), found.get("removed"))


def _changed(row: Row, _now: float) -> Cell:
    return Cell(changed_lines(row), "quiet")


def _quiet(key: str) -> Callable[[Row, float], Cell]:
    return lambda row, _now: Cell(safe(row.get(key)), "quiet")


def _now(row: Row, now: float) -> Cell:
    """What goes on; of a hive or daemon that doesn't answer first how long that has been."""
    found, silent = missions_rows.now_cell(row), missions_rows.silent_for(row, now)
    return Cell(" · ".join(filter(None, (silent, found.text))), "slow") if silent else found


MISSIONS: tuple[Column, ...] = (
    Column("name", "NAME", 12, 44, 0, _name),
    Column("id", "ID", 8, 8, 14, _quiet("id"), wide=True),
    Column("agent", "AGENT", 6, 8, 7, _quiet("provider")),
    Column("state", "STATE", 11, 11, 1, _state, ticks=missions_rows.next_try),
    Column("for", "FOR", 4, 5, 3, _held, right=True, ticks=since(missions_rows.held_since)),
    Column("age", "AGE", 4, 5, 10, _age, right=True, wide=True, ticks=since(missions_rows.started)),
    Column("cost", "COST", 6, 7, 4, _cost, right=True, spare=True),
    Column("tokens", "TOK", 4, 5, 13, _tokens, right=True, wide=True, spare=True),
    Column("restarts", "RST", 4, 5, 8, _restarts, right=True),
    Column("exit", "EXIT", 5, 5, 9, _exit, right=True, wide=True),
    Column("cpu", "CPU", 4, 5, 5, _cpu, right=True),
    Column("memory", "MEM", 5, 6, 6, _memory, right=True),
    Column("output", "OUT", 7, 8, 11, _output, right=True, wide=True, spare=True),
    Column("changed", "CHANGED", 7, 13, 12, _changed, right=True, wide=True, spare=True),
    Column("now", "NOW", 20, 0, 2, _now),
    Column("folder", "FOLDER", 12, 28, 16, _quiet("cwd"), wide=True),
    Column("command", "COMMAND", 16, 30, 15, _quiet("command"), wide=True),
)
"""The columns of the missions table."""


def _with_hives() -> tuple[Column, ...]:
    name, *others = MISSIONS
    hive = Column("hive", "HIVE", 5, 12, 2, _quiet(HIVE))
    cells = {"id": lambda row, _now: Cell(safe(bare_id(row)), "quiet")}
    return (name, hive, *(one._replace(cell=cells.get(one.key, one.cell)) for one in others))


MISSIONS_OF_HIVES = _with_hives()
"""The same where there are several hives."""


_URGENCY = (
    WAITING, YOUR_TURN, *BAD_ENDS, LIMITED, RESTARTING, WORKING, STARTING, PREPARING, STOPPING, FROZEN, SUCCEEDED,
    STOPPED, KILLED,
)  # fmt: skip
_SPOKEN = {"time": "for"}
"""Other words for an order."""


def _urgency(row: Row) -> int:
    """Its place among all states; one of a plan alone stands with what was killed."""
    mark = missions_rows.mark(row)
    return _URGENCY.index(mark if mark in _URGENCY else KILLED)


class By(NamedTuple):
    """What rows are compared by.

    Attributes:
        key: Of a row, at a time (seconds since the epoch).
        rises: Whether the least comes first at first.
    """

    key: Callable[[Row, float], Any]
    rises: bool = False


def _text(key: str) -> By:
    return By(lambda row, _now: str(row.get(key) or "").casefold(), rises=True)


def _number(key: str) -> By:
    return By(lambda row, _now: row.get(key) or 0.0)


ORDERS: dict[str, By] = {
    "name": By(lambda row, _now: bare_name(row).casefold(), rises=True),
    "hive": _text(HIVE),
    "id": _text("id"),
    "agent": _text("provider"),
    "state": By(lambda row, _now: (_urgency(row), not row.get("unseen")), rises=True),
    "for": By(missions_rows.held),
    "age": By(missions_rows.age),
    "cost": _number("cost_usd"),
    "tokens": By(lambda row, _now: sum((row.get("tokens") or {}).values())),
    "restarts": _number("restart_count"),
    "exit": By(lambda row, _now: -1 if row["exit_code"] is None else row["exit_code"]),
    "cpu": _number("cpu_percent"),
    "memory": _number("memory_bytes"),
    "output": _number("output_bytes_per_second"),
    "changed": By(lambda row, _now: sum((row.get("changed_lines") or {}).values())),
    "now": _text("now"),
    "folder": _text("cwd"),
    "command": _text("command"),
}
"""Column → its order."""


class Order(NamedTuple):
    """An order of missions; `inverted`: the other way round than it is asked for first."""

    by: str = "age"
    inverted: bool = False

    @classmethod
    def read(cls, text: str) -> Order:
        """What `str` wrote; the first of all for anything else."""
        by, _, way = text.partition(":")
        by = _SPOKEN.get(by, by)
        return cls(by, way == "inverted") if by in ORDERS else cls()

    def __str__(self) -> str:
        """To be kept for the next time."""
        return f"{self.by}:{'inverted' if self.inverted else ''}".rstrip(":")

    def asked(self, by: str) -> Order:
        """The order once somebody asks for this one: by the same again is the other way round."""
        return Order(by, inverted=by == self.by and not self.inverted)

    @property
    def rises(self) -> bool:
        """Whether the least comes first."""
        return ORDERS[self.by].rises is not self.inverted

    def of(self, rows: Iterable[Row], now: float) -> list[Row]:
        """The rows in this order; where it says nothing, the older ones first."""
        key = ORDERS[self.by].key
        aged = sorted(rows, key=lambda row: (row["started_at"], row["id"]))
        return sorted(aged, key=lambda row: key(row, now), reverse=not self.rises)
