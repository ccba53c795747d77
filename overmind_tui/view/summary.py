"""The lines around the panels: what the header, the load panel and the crumbs say, in runs of text and tone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from overmind_core.domain.cells import width
from overmind_core.domain.marks import MARKS
from overmind_tui.actions import Action, shown_key
from overmind_tui.view import amounts, missions
from overmind_tui.view.cells import Cell, Row, clipped, safe

SEPARATOR = Cell(" │ ", "guide")
HELP = "help"
"""The action whose hint stays longest."""


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


def header(
    rows: Sequence[Row], hints: Sequence[Action], cells: int, *, version: str, before: Load, now: Load, ascii_only: bool
) -> list[Cell]:
    """Counts by state, the load, hints; what is narrow drops hints, then the logo, then the load; counts stay."""
    parts = {
        "logo": [Cell(f" {'*' if ascii_only else '⬢'} overmind {version}", "accent")],
        "counts": _counts(rows, ascii_only=ascii_only),
        "load": [
            Cell(f"cpu {amounts.percent(now.cpu)}{_delta(before.cpu, now.cpu)} mem {amounts.size(now.memory) or 0}")
        ],
    }
    for drop in ("logo", "load"):
        if _length(parts) <= cells:
            break
        del parts[drop]
    lead = [] if "logo" in parts else [Cell(" ")]
    line = lead + [
        cell for place, part in enumerate(parts.values()) for cell in ((SEPARATOR, *part) if place else part)
    ]
    room = cells - sum(width(cell.text) for cell in line)
    return line + _hints(hints, room)


def _length(parts: dict[str, list[Cell]]) -> int:
    return sum(width(cell.text) for part in parts.values() for cell in part) + 3 * (len(parts) - 1)


def _counts(rows: Sequence[Row], *, ascii_only: bool) -> list[Cell]:
    counted = missions.counts(rows)
    found: list[Cell] = []
    for mark in MARKS:
        if mark in counted:
            gap = " " if found else ""
            found.append(Cell(f"{gap}{mark.ascii if ascii_only else mark.mark} ", mark.tone))
            found.append(Cell(str(counted[mark])))
    return found or [Cell("no missions", "quiet")]


def _delta(before: float, now: float) -> str:
    if abs(now - before) < max(5.0, before * 0.1):
        return ""
    return "↑" if now > before else "↓"


def _hints(hints: Sequence[Action], room: int) -> list[Cell]:
    """As many as fit; the way to all others is the last to go."""
    texts = {action.name: (f"<{shown_key(action.keys[0])}>", f"{action.label} ") for action in hints}
    needs = {name: width(key) + width(label) for name, (key, label) in texts.items()}
    room -= width(SEPARATOR.text)
    kept = [name for name in texts if name == HELP and needs[name] <= room]
    room -= sum(needs[name] for name in kept)
    for name in texts:
        if name in kept:
            continue
        if needs[name] > room:
            break
        kept.append(name)
        room -= needs[name]
    shown = [texts[name] for name in texts if name in kept]
    cells = [cell for key, label in shown for cell in (Cell(key, "key"), Cell(label, "label"))]
    return [SEPARATOR, *cells] if cells else []


class Sample(NamedTuple):
    """The load of one mission at one time."""

    cpu: float = 0.0
    memory: float = 0.0
    output: float = 0.0


def load(row: Row | None, samples: Sequence[Sample], cells: int, now: float) -> list[list[Cell]]:
    """The panel below the table, line by line."""
    if row is None:
        return [[Cell(" select a mission to see its load", "quiet")]]
    newest = samples[-1] if samples else Sample()
    figures = (
        ("cpu", [one.cpu for one in samples], amounts.percent(newest.cpu), 100.0),
        ("mem", [one.memory for one in samples], amounts.size(newest.memory), None),
        ("out", [one.output for one in samples], f"{amounts.size(newest.output) or 0}B/s", None),
    )
    room = max(cells - 14, 4)
    lines = [
        [
            Cell(f" {name} ", "title"),
            Cell(amounts.bars(values, room, top=top), "good"),
            Cell(f" {text:>7}"),
        ]
        for name, values, text, top in figures
    ]
    return [*lines, _facts(row, cells, now)]


def _facts(row: Row, cells: int, now: float) -> list[Cell]:
    facts = [missions.since(row, now)]
    if row["restart_count"]:
        facts.append(f"restarts {row['restart_count']}")
    if row["exit_code"] is not None:
        facts.append(f"exit {row['exit_code']}")
    facts.append(safe(row["command"]))
    return [Cell(" " + clipped(" · ".join(facts), cells - 2), "quiet")]
