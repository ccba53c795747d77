"""A graph of names drawn with lines of text, and as a Mermaid flowchart. Pure.

One row for each name, in an order that it could run in:

    lint ────┐
    fetch ─┐ │
           ├─│─ build ─┐
           └─┴─ test ──┤
                       └─ publish

A vertical line collects what has the same dependents; where two lines cross without meeting, the vertical one is
whole. When this is too wide, lines begin below the names; when that is too wide or the names are many, it is a list.
Columns and widths are cells of a terminal. The flowchart is what the pages of code hosts draw.

Source: mermaid.js.org/syntax/flowchart.html.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from overmind_core.domain.plans.progress import AgentStage
from overmind_core.domain.text.cells import cut, display_safe, pad, width
from overmind_core.domain.text.graph import levels, order

MAX_NAMES = 30
"""Names that are drawn; more are a list."""

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_LINES = "  ││ ┘┐┤ └┌├─┴┬┼"
"""By the sum of the directions in which lines go from a cell."""
_ASCII = str.maketrans(dict.fromkeys("┘┐┤└┌├┴┬┼", "+") | {"│": "|", "─": "-"})
_GAP = 3
"""From a vertical line to the name on its right: the line, `─` and a space."""
_SHORTEST = 8
"""Of what is listed behind a name: with less room nothing is."""

Edges = Mapping[str, Sequence[str]]


class DrawnRow(NamedTuple):
    """One name with what is drawn on both sides of it."""

    before: str
    name: str
    after: str

    @property
    def text(self) -> str:
        """The whole row."""
        return f"{self.before}{self.name}{self.after}".rstrip()


class _Bus(NamedTuple):
    """A vertical line between names and all that depend on every one of them."""

    column: int
    sources: tuple[int, ...]
    """Rows whose names come in from the left; none when it begins below its name."""
    targets: tuple[int, ...]
    """Rows whose names stand on its right."""
    top: int

    @property
    def bottom(self) -> int:
        return self.targets[-1]


class _Layout(NamedTuple):
    """Where everything is; the names' rows are their places in `names`."""

    names: list[str]
    columns: list[int]
    """Where each name begins."""
    buses: list[_Bus]


def draw(edges: Edges, *, columns: int = 80, ascii_only: bool = False) -> list[DrawnRow]:
    """The graph of `{name: what it depends on}`, one row for each name.

    Args:
        edges: A dependency that is no key is left out.
        columns: The most that a row may take, in cells.
        ascii_only: No box-drawing characters.

    Raises:
        Cycle: As `graph.order`.
    """
    known = {name: [one for one in dict.fromkeys(found) if one in edges] for name, found in edges.items()}
    names = order(known)
    if len(names) <= MAX_NAMES:
        for layout in (_in_levels(names, known), _in_stairs(names, known)):
            if max(map(sum, zip(layout.columns, map(width, names), strict=True)), default=0) <= columns:
                return _rows(layout, ascii_only=ascii_only)
    return _listed(names, known, columns)


def _in_levels(names: list[str], edges: Edges) -> _Layout:
    """Names of a level below each other, and the vertical lines between the levels."""
    row = {name: number for number, name in enumerate(names)}
    groups = _groups(names, edges)
    starts: dict[str, int] = {}
    buses: list[_Bus] = []
    column = 0
    for level in levels(edges):
        starts |= dict.fromkeys(level, column)
        column += max(map(width, level)) + 2
        ready = [found for found in groups if any(one in level for one in found[0]) and starts.keys() >= set(found[0])]
        spans = [(tuple(row[one] for one in sources), tuple(row[one] for one in targets)) for sources, targets in ready]
        tracks = _tracks(sorted(spans, key=_last_source, reverse=True))
        buses += [_Bus(column + 2 * number, *span, span[0][0]) for number, track in enumerate(tracks) for span in track]
        column += 2 * max(len(tracks) - 1, 0) + _GAP
    return _Layout(names, [starts[name] for name in names], buses)


def _groups(names: list[str], edges: Edges) -> list[tuple[list[str], tuple[str, ...]]]:
    """Names with the same dependents, and these dependents; both in the order of `names`."""
    dependents: dict[str, list[str]] = {}
    for name in names:
        for one in edges[name]:
            dependents.setdefault(one, []).append(name)
    found: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        if name in dependents:
            found.setdefault(tuple(dependents[name]), []).append(name)
    return [(sources, targets) for targets, sources in found.items()]


_Span = tuple[tuple[int, ...], tuple[int, ...]]
"""Rows of sources and of targets."""


def _last_source(span: _Span) -> int:
    """What is lower is drawn further left: then the line from its name crosses none that began above."""
    return span[0][-1]


def _tracks(spans: Sequence[_Span]) -> list[list[_Span]]:
    """Vertical lines that share no row share a column."""
    found: list[list[_Span]] = []
    for span in spans:
        free = (track for track in found if all(span[1][-1] < one[0][0] or one[1][-1] < span[0][0] for one in track))
        track = next(free, None)
        if track is None:
            found.append([span])
        else:
            track.append(span)
    return found


def _in_stairs(names: list[str], edges: Edges) -> _Layout:
    """Each name on the right of all vertical lines of its row, its own begins below its first character."""
    targets: dict[str, list[int]] = {name: [] for name in names}
    for row, name in enumerate(names):
        for one in edges[name]:
            targets[one].append(row)
    starts: list[int] = []
    buses: list[_Bus] = []
    for row, name in enumerate(names):
        starts.append(max((bus.column + _GAP for bus in buses if bus.bottom >= row), default=0))
        if targets[name]:
            buses.append(_Bus(starts[row], (), tuple(targets[name]), row + 1))
    return _Layout(names, starts, buses)


def _rows(layout: _Layout, *, ascii_only: bool) -> list[DrawnRow]:
    rows = []
    for row, (name, column) in enumerate(zip(layout.names, layout.columns, strict=True)):
        cells = _cells(layout, row)
        line = "".join(_LINES[cells.get(at, 0)] for at in range(max(cells, default=0) + 1))
        line = line.translate(_ASCII) if ascii_only else line
        rows.append(DrawnRow(pad(line[:column], column), name, line[column + width(name) :].rstrip()))
    return rows


def _cells(layout: _Layout, row: int) -> dict[int, int]:
    """The directions of the lines in each column of a row."""
    cells = _flat(layout, row)
    for bus in layout.buses:
        if bus.top <= row <= bus.bottom:
            vertical = (_UP if row > bus.top or not bus.sources else 0) | (_DOWN if row < bus.bottom else 0)
            meets = row in bus.targets or row in bus.sources
            cells[bus.column] = vertical | (cells.get(bus.column, 0) if meets else 0)
    return cells


def _flat(layout: _Layout, row: int) -> dict[int, int]:
    """The horizontal lines of a row: to its name, and from it."""
    cells: dict[int, int] = {}
    first = min((bus.column for bus in layout.buses if row in bus.targets), default=None)
    if first is not None:
        cells |= dict.fromkeys(range(first + 1, layout.columns[row] - 1), _LEFT | _RIGHT) | {first: _RIGHT}
    last = next((bus.column for bus in layout.buses if row in bus.sources), None)
    if last is not None:
        end = layout.columns[row] + width(layout.names[row])
        cells |= dict.fromkeys(range(end + 1, last), _LEFT | _RIGHT) | {last: _LEFT}
    return cells


def _listed(names: list[str], edges: Edges, columns: int) -> list[DrawnRow]:
    """Further to the right, the longer the chain of what must come before."""
    depth = {name: number for number, level in enumerate(levels(edges)) for name in level}
    return [_entry(name, depth[name], edges[name], columns) for name in names]


def _entry(name: str, depth: int, dependencies: Sequence[str], columns: int) -> DrawnRow:
    shown = cut(name, columns)
    before = " " * max(0, min(2 * depth, columns // 2, columns - width(shown)))
    room = columns - width(shown) - len(before)
    after = f" (depends on: {', '.join(dependencies)})" if dependencies and room >= _SHORTEST else ""
    return DrawnRow(before, shown, cut(after, room))


_STYLES: Mapping[str, str] = {
    AgentStage.WAITING: "fill:#eaeef2,stroke:#8c959f,color:#1f2328",
    AgentStage.STARTING: "fill:#ddf4ff,stroke:#0969da,color:#1f2328",
    AgentStage.RUNNING: "fill:#ddf4ff,stroke:#0969da,color:#1f2328,stroke-width:3px",
    AgentStage.STOPPING: "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
    AgentStage.SUCCEEDED: "fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
    AgentStage.FAILED: "fill:#ffebe9,stroke:#cf222e,color:#1f2328,stroke-width:3px",
    AgentStage.SKIPPED: "fill:#eaeef2,stroke:#8c959f,color:#57606a,stroke-dasharray:4",
    AgentStage.CANCELLED: "fill:#fff8c5,stroke:#9a6700,color:#1f2328,stroke-dasharray:4",
    "timed out": "fill:#ffebe9,stroke:#cf222e,color:#1f2328,stroke-width:3px",
    "stopped": "fill:#eaeef2,stroke:#8c959f,color:#1f2328",
    "queued": "fill:#eaeef2,stroke:#8c959f,color:#1f2328",
    "blocked": "fill:#ffebe9,stroke:#cf222e,color:#1f2328,stroke-dasharray:4",
    "review": "fill:#fbefff,stroke:#8250df,color:#1f2328,stroke-width:3px",
    "completed": "fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
}
"""By the stage of an agent of a plan, or the status of a quest; some words are both."""
_SPECIAL = frozenset('"#&;<>\\`')
"""What could end a quoted label, or be taken for HTML, Markdown or a character's number in it."""


def mermaid(edges: Mapping[str, Sequence[str]], states: Mapping[str, str]) -> str:
    """The text of a flowchart from left to right.

    Args:
        edges: What each name depends on; a dependency that is no key is left out.
        states: The outcome or `AgentStage` of each name, or the status of a quest: a word below it and its colour; none
            for a name that is missing.
    """
    number = {name: f"n{place}" for place, name in enumerate(edges)}
    nodes = [f'{number[name]}["{_label(name, states.get(name))}"]' for name in edges]
    arrows = [
        f"{number[one]} --> {number[name]}" for name in edges for one in dict.fromkeys(edges[name]) if one in number
    ]
    lines = [*nodes, *arrows, *_colours(number, states)]
    return "\n".join(["flowchart LR", *(f"    {line}" for line in lines)]) + "\n"


def _label(name: str, state: str | None) -> str:
    return _escaped(name) + (f"<br/>{_escaped(state)}" if state else "")


def _colours(number: Mapping[str, str], states: Mapping[str, str]) -> list[str]:
    lines = []
    for stage, style in _STYLES.items():
        if members := [number[name] for name in number if states.get(name) == stage]:
            name = stage.replace(" ", "_")
            lines += [f"classDef {name} {style}", f"class {','.join(members)} {name}"]
    return lines


def _escaped(text: str) -> str:
    """With the numbers of characters that mean something to Mermaid."""
    return "".join(f"#{ord(one)};" if one in _SPECIAL else one for one in display_safe(text))
