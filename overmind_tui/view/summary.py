"""What the header says: who needs somebody, what it costs, what it takes, and the most used keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from overmind_core.domain.cells import width
from overmind_core.domain.marks import (
    FROZEN,
    KILLED,
    MARKS,
    PREPARING,
    RESTARTING,
    STARTING,
    STOPPED,
    STOPPING,
    Mark,
)
from overmind_tui.actions import Action
from overmind_tui.view import amounts, hinting, missions
from overmind_tui.view.cells import Cell, Row

SEPARATOR = Cell(" │ ", "guide")
LEAST_TELLING = (KILLED, STOPPED, FROZEN, STOPPING, PREPARING, STARTING, RESTARTING)
"""Counts that are left out, in this order, where not even the counts fit."""
_JUMP, _JUMP_PART = 5.0, 0.1
"""Percent of a core, and the part of the load, below which nobody calls it a change."""


class Load(NamedTuple):
    """What all missions use together."""

    cpu: float
    memory: float

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Load:
        """The sum over live missions."""
        live = [row for row in rows if missions.is_live(row)]
        return cls(
            sum(row.get("cpu_percent") or 0.0 for row in live), sum(row.get("memory_bytes") or 0 for row in live)
        )


class Facts(NamedTuple):
    """What the header is made of.

    Attributes:
        counts: How many missions show each mark.
        version: Of the program.
        now: The load.
        before: The load a moment ago.
        today: US dollars that agents have cost today; 0 is not shown.
        tokens: What those agents have used that name no price; 0 is not shown.
        ascii_only: Draw marks with ASCII.
        read_only: Nothing can be changed from here.
    """

    counts: Mapping[Mark, int]
    version: str
    now: Load = Load(0.0, 0.0)
    before: Load = Load(0.0, 0.0)
    today: float = 0.0
    tokens: int = 0
    ascii_only: bool = False
    read_only: bool = False


Parts = dict[str, list[Cell]]


def header(facts: Facts, hints: tuple[Action, ...], cells: int, lines: int = 1) -> list[list[Cell]]:
    """The header in so many lines of `cells` cells; what is narrow drops hints, logo, load and cost; counts stay."""
    return [_one_line(facts, hints, cells)] if lines == 1 else _block(facts, hints, cells, lines)


def _one_line(facts: Facts, hints: tuple[Action, ...], cells: int) -> list[Cell]:
    parts = _parts(facts)
    for drop in ("logo", "load", "cost"):
        if _length(parts) < cells:
            break
        parts.pop(drop, None)
    if len(parts) == 1:
        parts["counts"] = _counts(facts, room=cells - 1)
    line = [] if "logo" in parts else [Cell(" ")]
    line += [cell for place, part in enumerate(parts.values()) for cell in ((SEPARATOR, *part) if place else part)]
    found = hinting.line(hints, cells - _width(line) - width(SEPARATOR.text))
    return [*line, SEPARATOR, *found] if found else line


def _block(facts: Facts, hints: tuple[Action, ...], cells: int, lines: int) -> list[list[Cell]]:
    """Who we are and how it goes at the left; the keys in columns at the right; words of counts give way to keys."""
    left = _left(facts, cells, words=True)
    if _room(left) + hinting.needed(hints, lines) > cells:
        left = _left(facts, cells, words=False)
    room = _room(left)
    columns = hinting.columns(hints, cells - room, lines)
    return [
        [*own, Cell(" " * (room - _width(own))), *right] if right else own
        for own, right in zip(left, columns, strict=True)
    ]


def _left(facts: Facts, cells: int, *, words: bool) -> list[list[Cell]]:
    parts = _parts(facts)
    load = [cell for name in ("cost", "load") if name in parts for cell in (SEPARATOR, *parts[name])][1:]
    return [parts["logo"], [Cell(" "), *_counts(facts, words=words, room=cells - 1)], [Cell(" "), *load]]


def _room(left: Iterable[Sequence[Cell]]) -> int:
    return max(map(_width, left)) + hinting.GAP


def _parts(facts: Facts) -> Parts:
    now, before = facts.now, facts.before
    memory = amounts.size(now.memory) or "0"
    cost = _cost(facts)
    return {
        "logo": [
            Cell(f" {'*' if facts.ascii_only else '⬢'} overmind {facts.version}", "accent"),
            *([Cell(" read-only", "wait")] if facts.read_only else []),
        ],
        "counts": _counts(facts),
        **({"cost": cost} if cost else {}),
        "load": [
            Cell("cpu ", "label"), Cell(amounts.percent(now.cpu)), _delta(before.cpu, now.cpu),
            Cell(" mem ", "label"), Cell(memory), _delta(before.memory / 1e7, now.memory / 1e7),
        ],
    }  # fmt: skip


def _cost(facts: Facts) -> list[Cell]:
    """What agents have cost today; what those have used that name no price."""
    said = [amounts.money(facts.today)] if facts.today else []
    said += [f"{amounts.size(facts.tokens)} tokens"] if facts.tokens else []
    return [Cell(" · ".join(said)), Cell(" today", "label")] if facts.today else [Cell(one) for one in said]


def _length(parts: Parts) -> int:
    return sum(map(_width, parts.values())) + width(SEPARATOR.text) * (len(parts) - 1)


def _width(cells: Iterable[Cell]) -> int:
    return sum(width(cell.text) for cell in cells)


def _counts(facts: Facts, *, words: bool = False, room: int | None = None) -> list[Cell]:
    """Each mark and how many show it; where there is no `room` for all, the most telling ones."""
    counted = dict(facts.counts)
    dropped = list(reversed(LEAST_TELLING))
    shown = _counted(counted, ascii_only=facts.ascii_only, words=words)
    while room is not None and _width(shown) > room and dropped:
        counted.pop(dropped.pop(), None)
        shown = _counted(counted, ascii_only=facts.ascii_only, words=words)
    return shown or [Cell("no missions", "quiet")]


def _counted(counted: dict[Mark, int], *, ascii_only: bool, words: bool) -> list[Cell]:
    found: list[Cell] = []
    for mark in MARKS:
        if mark in counted:
            gap = ("  " if words else " ") if found else ""
            found.append(Cell(f"{gap}{mark.ascii if ascii_only else mark.mark} ", mark.tone))
            found.append(Cell(str(counted[mark])))
            found += [Cell(f" {mark.word}", "label")] if words else []
    return found


def _delta(before: float, now: float) -> Cell:
    if abs(now - before) < max(_JUMP, before * _JUMP_PART):
        return Cell("")
    return Cell("↑", "slow") if now > before else Cell("↓", "calm")


class Sample(NamedTuple):
    """The load of one mission at one time."""

    cpu: float = 0.0
    memory: float = 0.0
    output: float = 0.0
