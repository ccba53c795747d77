"""The agents of a plan as rows of a table, with the edges between them drawn beside their names. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from overmind_core.domain.plan import graph
from overmind_core.domain.plan.lanes import NODE, drawing
from overmind_tui.view import missions as view
from overmind_tui.view.cells import Cell, Row, safe
from overmind_tui.view.missions import Branch

Edges = Mapping[str, Sequence[str]]
MOST_EDGES = 8
"""Side by side; where a plan has more, its agents are indented by how deep they stand instead."""
DEEPEST = 10
"""Steps of that."""


def branches(rows: Sequence[Row]) -> list[Branch]:
    """The agents of a whole plan, dependencies first, and rows of nothing but edges between them; those are dimmed."""
    edges = {row["name"]: row["needs"] for row in rows}
    return _indented(rows, edges) if side_by_side(edges) > MOST_EDGES else _drawn(rows, edges)


def listed(rows: Sequence[Row]) -> list[Branch]:
    """The rows alone: those of a filter, or in another order."""
    return [Branch(row["id"], row, NODE) for row in rows]


def is_agent(branch: Branch) -> bool:
    """Whether the row is an agent, and not edges alone."""
    return NODE in branch.guides


def side_by_side(edges: Edges) -> int:
    """How many edges pass where most do; `edges` in an order of dependencies first."""
    dependents: dict[str, list[str]] = {name: [] for name in edges}
    for name, needs in edges.items():
        for one in needs:
            dependents[one].append(name)
    most, passing = 0, set[str]()
    for name in edges:
        passing.add(name)
        most = max(most, len(passing))
        passing.discard(name)
        passing.update(dependents[name])
        most = max(most, len(passing))
    return most


def name_cell(branch: Branch, *, ascii_only: bool) -> tuple[Cell, ...]:
    """Edges with the mark of the stage among them, and the name."""
    if not is_agent(branch):
        return Cell(branch.guides, "guide"), NOTHING
    mark = view.mark(branch.row)
    left, _, right = branch.guides.partition(NODE)
    return (
        Cell(left, "guide"),
        Cell(mark.ascii if ascii_only else mark.mark, mark.tone),
        Cell(f"{right} ", "guide"),
        Cell(safe(branch.row["name"]), "accent" if branch.row["critical"] else "name"),
    )


NOTHING = Cell("")


def _drawn(rows: Sequence[Row], edges: Edges) -> list[Branch]:
    known = {row["name"]: row for row in rows}
    lines = drawing(edges)
    cells = max((len(line.lines) for line in lines), default=0)
    return [
        Branch(line.name, known[line.name], line.lines.ljust(cells))
        if line.name is not None
        else Branch(f"edges {place}", {"id": "", "name": "", "status": "waiting"}, line.lines, dimmed=True)
        for place, line in enumerate(lines)
    ]


def _indented(rows: Sequence[Row], edges: Edges) -> list[Branch]:
    depth = {name: at for at, level in enumerate(graph.levels(edges)) for name in level}
    return [Branch(row["id"], row, "  " * min(depth[row["name"]], DEEPEST) + NODE) for row in rows]
