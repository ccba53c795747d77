"""Names that depend on names: in which order they may come, and where they go round in a circle. Pure.

Every function takes `{name: what it depends on}`. A dependency that is no key has no place in the graph and is passed
over: whoever validates names it. Nothing here recurses, so that a chain may be as long as it likes.
"""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

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
