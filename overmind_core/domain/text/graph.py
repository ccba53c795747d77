"""Graphs of names: their order, their circles, and a drawing with one line for each name. Pure.

Every function takes `{name: what it depends on}`. A dependency that is no key has no place in the graph and is passed
over: whoever validates names it. Nothing here recurses, so that a chain may be as long as it likes.

The drawing has its edges on the left of the names, top to bottom as `git log --graph` does it: a lane stands for
"somebody above is needed by this name", and all edges to the same name share one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Edges = Mapping[str, Sequence[str]]


class Cycle(Exception):
    """These depend on each other."""

    def __init__(self, members: Sequence[str]) -> None:
        self.members = tuple(members)
        """In order: each depends on the next, the last on the first."""
        super().__init__(" -> ".join((*members, members[0])))


def order(edges: Edges) -> list[str]:
    """All names, each behind everything that it depends on.

    Of those that could come next it takes the first of the mapping, so a mapping that is in order stays as it is.
    O(E + V log V).

    Raises:
        Cycle: There is no such order.
    """
    place = {name: number for number, name in enumerate(edges)}
    names = list(edges)
    dependents = _dependents(edges)
    missing = _missing(edges)
    free = [place[name] for name in names if not missing[name]]
    heapify(free)
    found: list[str] = []
    while free:
        name = names[heappop(free)]
        found.append(name)
        for one in dependents[name]:
            missing[one] -= 1
            if not missing[one]:
                heappush(free, place[one])
    return _complete(found, edges)


def find_cycle(edges: Edges) -> list[str] | None:
    """Names that go round: each depends on the next, the last on the first; None when nothing does.

    It begins with the member that stands first in the mapping.
    """
    done: set[str] = set()
    for name in edges:
        if name not in done:
            found = _circle_from(name, edges, done)
            if found:
                return _begun_first(found, edges)
    return None


def below(edges: Edges, names: Iterable[str]) -> set[str]:
    """All that depend on one of `names`, directly or not; of `names` themselves only those that do."""
    dependents = _dependents(edges)
    waiting = list(names)
    found: set[str] = set()
    while waiting:
        fresh = [one for one in dependents.get(waiting.pop(), ()) if one not in found]
        found.update(fresh)
        waiting += fresh
    return found


def levels(edges: Edges) -> list[list[str]]:
    """First what depends on nothing, then what depends on that only, and so on; a level has the mapping's order.

    Raises:
        Cycle: As `order`.
    """
    depth: dict[str, int] = {}
    for name in _any_order(edges):
        depth[name] = 1 + max((depth[one] for one in edges[name] if one in depth), default=-1)
    found: list[list[str]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for name in edges:
        found[depth[name]].append(name)
    return found


def held_others(seconds: float | None, *, stays: bool, ready: bool | None) -> float:
    """Seconds of the critical path that an agent takes: one that stays runs beside the others once it is ready.

    Args:
        seconds: How long its newest attempt has run; None: there was none.
        stays: It does not end by itself.
        ready: None: nobody looks for that, so it is as soon as it runs.
    """
    return seconds if seconds and not (stays and ready is not False) else 0.0


def critical_path(edges: Edges, seconds: Mapping[str, float]) -> list[str]:
    """The chain of dependencies that takes longest, first to last: the whole is no faster than this.

    Args:
        edges: What each depends on.
        seconds: How long each takes by itself, not negative; one that is not named takes none.

    Of chains that take the same the one with more members counts.

    Raises:
        Cycle: As `order`.
    """
    reached: dict[str, tuple[float, int]] = {}
    before: dict[str, str | None] = {}
    for name in _any_order(edges):
        slowest = max((one for one in edges[name] if one in reached), key=reached.__getitem__, default=None)
        so_far, members = reached[slowest] if slowest is not None else (0.0, 0)
        reached[name] = (so_far + seconds.get(name, 0.0), members + 1)
        before[name] = slowest
    last = max(edges, key=reached.__getitem__, default=None)
    return list(_back(last, before))[::-1]


def _back(last: str | None, before: Mapping[str, str | None]) -> Iterator[str]:
    while last is not None:
        yield last
        last = before[last]


def _dependents(edges: Edges) -> dict[str, list[str]]:
    """What depends on each directly."""
    found: dict[str, list[str]] = {name: [] for name in edges}
    for name, dependencies in edges.items():
        for one in dict.fromkeys(dependencies):
            if one in found:
                found[one].append(name)
    return found


def _missing(edges: Edges) -> dict[str, int]:
    """How many others each waits for."""
    return {name: sum(one in edges for one in set(dependencies)) for name, dependencies in edges.items()}


def _any_order(edges: Edges) -> list[str]:
    """Dependencies first, however the mapping has them: O(V + E)."""
    dependents = _dependents(edges)
    missing = _missing(edges)
    free = deque(name for name in edges if not missing[name])
    found: list[str] = []
    while free:
        found.append(free.popleft())
        for one in dependents[found[-1]]:
            missing[one] -= 1
            if not missing[one]:
                free.append(one)
    return _complete(found, edges)


def _complete(found: list[str], edges: Edges) -> list[str]:
    if len(found) < len(edges) and (members := find_cycle(edges)):
        raise Cycle(members)
    return found


def _begun_first(circle: list[str], edges: Edges) -> list[str]:
    members = set(circle)
    at = circle.index(next(name for name in edges if name in members))
    return circle[at:] + circle[:at]


def _circle_from(name: str, edges: Edges, done: set[str]) -> list[str] | None:
    """The first circle on a walk from `name`; what was left behind without one is added to `done`."""
    path = {name: iter(edges[name])}
    while path:
        current = next(reversed(path))
        following = next((one for one in path[current] if one in edges and one not in done), None)
        if following is None:
            done.add(current)
            del path[current]
        elif following in path:
            walked = list(path)
            return walked[walked.index(following) :]
        else:
            path[following] = iter(edges[following])
    return None


NODE = "●"
_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_LINES = " │││─╯╮┤─╰╭├─┴┬┼"
"""By the sum of the directions in which lines leave a cell."""
_STRAIGHT = "│"
_LEVEL = "─"


class LaneRow(NamedTuple):
    """One line of the drawing."""

    lines: str
    name: str | None
    """None: only edges."""


def drawing(edges: Mapping[str, Sequence[str]]) -> list[LaneRow]:
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
    rows: list[LaneRow] = []
    for name, following in zip(names, [*names[1:], None], strict=False):
        rows += _rows(name, dependents[name], lanes)
        if following in dependents[name] and rows[-1].name is not None:
            rows.append(LaneRow(" ".join(map(_line, lanes)).rstrip(), None))  # else they would look unrelated
    return rows


def _rows(name: str, dependents: Sequence[str], lanes: list[str | None]) -> list[LaneRow]:
    """The name, and below it where its edges go; `lanes` is brought up to date."""
    at = lanes.index(name) if name in lanes else _free(lanes, name)
    row = LaneRow(" ".join(NODE if lane == at else _line(one) for lane, one in enumerate(lanes)).rstrip(), name)
    above = list(lanes)
    lanes[at] = None
    if dependents and not set(dependents) & set(lanes):
        lanes[at] = dependents[0]
    ends = {lanes.index(one) if one in lanes else _free(lanes, one) for one in dependents}
    while lanes and lanes[-1] is None:
        lanes.pop()
    return [row] if ends <= {at} else [row, LaneRow(_turns(at, ends, above, lanes), None)]


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
