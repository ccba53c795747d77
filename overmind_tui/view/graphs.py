"""How the load of one mission went: a graph for each figure, and in one line what else is known of it."""

from __future__ import annotations

from collections.abc import Sequence

from overmind_tui.view import amounts, missions
from overmind_tui.view.cells import Cell, Row, clipped, safe
from overmind_tui.view.summary import Sample

LEAD = 14
"""Cells before the bars: a name and the newest figure."""
CORE = 100.0
"""Percent: a full bar is one core at least, so that next to nothing looks like that."""


def stats(row: Row | None, samples: Sequence[Sample], cells: int, now: float, *, height: int = 1) -> list[list[Cell]]:
    """The facts, then cpu, memory and output in graphs of `height` lines each.

    Args:
        row: The mission; None when there is none under the cursor.
        samples: The newest last.
        cells: The width.
        now: Seconds since the epoch.
        height: Lines of each graph.
    """
    if row is None:
        return [[Cell(" the load of the mission under the cursor", "quiet")]]
    newest = samples[-1] if samples else Sample()
    output = f"{amounts.size(newest.output) or 0}B/s"
    return [
        _facts(row, cells, now),
        *_graph("cpu", [one.cpu for one in samples], amounts.percent(newest.cpu), cells, height, top=CORE),
        *_graph("mem", [one.memory for one in samples], amounts.size(newest.memory) or "0", cells, height),
        *_graph("out", [one.output for one in samples], output, cells, height),
    ]


def _graph(
    name: str, values: Sequence[float], newest: str, cells: int, height: int, *, top: float | None = None
) -> list[list[Cell]]:
    drawn = amounts.graph(values, max(cells - LEAD - 1, 1), height, top=top)
    heads = [[Cell(f" {name} ", "title"), Cell(f"{newest:>8} ")], *[[Cell(" " * LEAD)]] * (height - 1)]
    return [[*head, Cell(bars, f"graph-{name}")] for head, bars in zip(heads, drawn, strict=True)]


def _facts(row: Row, cells: int, now: float) -> list[Cell]:
    facts = [missions.since(row, now)]
    if row["restart_count"]:
        facts.append(f"restarts {row['restart_count']}")
    if row["exit_code"] is not None:
        facts.append(f"exit {row['exit_code']}")
    facts.append(safe(row["command"]))
    return [Cell(" " + clipped(" · ".join(facts), cells - 2), "quiet")]
