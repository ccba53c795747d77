"""Who descends from whom. Pure, over `{child: parent}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def children_of(parents: Mapping[str, str | None]) -> dict[str, list[str]]:
    """Children per parent, in the mapping's order."""
    found: dict[str, list[str]] = {}
    for child, parent in parents.items():
        if parent is not None:
            found.setdefault(parent, []).append(child)
    return found


def levels(roots: Iterable[str], parents: Mapping[str, str | None]) -> list[list[str]]:
    """The roots and all their descendants in levels, leaves first, so that no child outlives its parent's end.

    A mission stands one level before its parent even when another of its ancestors is nearer; a cycle, which the
    store does not allow, ends the walk instead of hanging it.
    """
    children = children_of(parents)
    depth: dict[str, int] = {}
    frontier = list(dict.fromkeys(roots))
    level = 0
    while frontier and level <= len(parents) + 1:
        for one in frontier:
            depth[one] = level
        frontier = list(dict.fromkeys(child for one in frontier for child in children.get(one, ())))
        level += 1
    deepest = max(depth.values(), default=-1)
    return [[one for one, at in depth.items() if at == wanted] for wanted in range(deepest, -1, -1)]
