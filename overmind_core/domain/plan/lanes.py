"""A graph beside a list: one line for each name, with the edges on its left, however many there are. Pure.

Top to bottom as `git log --graph` does it: a lane stands for "somebody above is needed by this name", and all edges to
the same name share one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from overmind_core.domain.plan.graph import order

NODE = "●"
_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_LINES = " │││─╯╮┤─╰╭├─┴┬┼"
"""By the sum of the directions in which lines leave a cell."""
_STRAIGHT = "│"
_LEVEL = "─"


class Row(NamedTuple):
    """One line of the drawing."""

    lines: str
    name: str | None
    """None: only edges."""


def drawing(edges: Mapping[str, Sequence[str]]) -> list[Row]:
    """The rows, dependencies first.

    Args:
        edges: What each name depends on.

    Raises:
        Cycle: they depend on each other in a circle.
    """
    dependents: dict[str, list[str]] = {name: [] for name in edges}
    names = order(edges)
    for name in names:
        for one in dict.fromkeys(edges[name]):
            if one in dependents:
                dependents[one].append(name)
    lanes: list[str | None] = []
    rows: list[Row] = []
    for name, following in zip(names, [*names[1:], None], strict=False):
        rows += _rows(name, dependents[name], lanes)
        if following in dependents[name] and rows[-1].name is not None:
            rows.append(Row(" ".join(map(_line, lanes)).rstrip(), None))  # else they would look unrelated
    return rows


def _rows(name: str, dependents: Sequence[str], lanes: list[str | None]) -> list[Row]:
    """The name, and below it where its edges go; `lanes` is brought up to date."""
    at = lanes.index(name) if name in lanes else _free(lanes, name)
    row = Row(" ".join(NODE if lane == at else _line(one) for lane, one in enumerate(lanes)).rstrip(), name)
    above = list(lanes)
    lanes[at] = None
    if dependents and not set(dependents) & set(lanes):
        lanes[at] = dependents[0]
    ends = {lanes.index(one) if one in lanes else _free(lanes, one) for one in dependents}
    while lanes and lanes[-1] is None:
        lanes.pop()
    return [row] if ends <= {at} else [row, Row(_turns(at, ends, above, lanes), None)]


def _free(lanes: list[str | None], name: str) -> int:
    """Give a name the first free lane."""
    if None not in lanes:
        lanes.append(None)
    at = lanes.index(None)
    lanes[at] = name
    return at


def _line(name: str | None) -> str:
    return " " if name is None else _STRAIGHT


def _turns(at: int, ends: set[int], above: Sequence[str | None], below: Sequence[str | None]) -> str:
    """A line from a lane to others. One that it crosses without meaning it stays whole."""
    first, last = min(at, *ends), max(at, *ends)
    cells = []
    for lane in range(max(len(above), len(below))):
        up = lane < len(above) and above[lane] is not None
        down = lane < len(below) and below[lane] is not None
        crosses = first < lane < last
        if lane != at and lane not in ends:
            cells.append(_STRAIGHT if up and down else _LEVEL if crosses else " ")
        else:
            sides = (_LEFT if first < lane <= last else 0) | (_RIGHT if first <= lane < last else 0)
            cells.append(_LINES[(_UP if up else 0) | (_DOWN if down else 0) | sides])
        cells.append(_LEVEL if first <= lane < last else " ")
    return "".join(cells).rstrip()
