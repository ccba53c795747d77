"""The tree of missions: who descends from whom, how far it may grow, and what it may cost in US dollars. Pure.

Growth is bounded in children at once and in generations. What a mission is given holds for everything below it, so of a
whole line the tightest counts: nobody can allow its children more than it may itself. The root of a tree has the
defaults where it was given nothing; they are meant for programs that start missions by themselves, and don't bind
people.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


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


MAX_CHILDREN = 10
MAX_DEPTH = 3


class Ancestor(NamedTuple):
    """A mission above a new one, and what it was given; None: nothing."""

    id: str
    name: str
    max_children: int | None = None
    """Live missions that each mission of the tree may have directly below it."""
    max_depth: int | None = None
    """Generations below this mission."""


class Limit(NamedTuple):
    """A limit of the tree, and the mission that set it."""

    number: int
    setter: Ancestor
    given: bool
    """Whether somebody gave it; else it is a default."""


def refusal(line: Sequence[Ancestor], live_children: int, *, inside: bool) -> str | None:
    """Why there may be no further mission below `line[0]`; None when there may.

    Args:
        line: The new mission's parent, that one's parent, and so on up to the root.
        live_children: How many live missions stand directly below the parent.
        inside: A process inside a mission asks, no person.
    """
    if not line:
        return None
    parent = line[0]
    for generations, limit in enumerate(_limits(line, "max_depth", MAX_DEPTH if inside else None), start=1):
        if limit is not None and generations > limit.number:
            return (
                f"Mission {_named(parent)} stands {_count(generations - 1, 'generation')} below {_named(limit.setter)},"
                f" and {_source(limit, '--max-depth')} allows {limit.number}: it can't start missions."
            )
    children = [one for one in _limits(line, "max_children", MAX_CHILDREN if inside else None) if one is not None]
    tightest = min(children, key=lambda limit: limit.number, default=None)
    if tightest is not None and live_children >= tightest.number:
        return (
            f"Mission {_named(parent)} has {_count(live_children, 'live child', 'live children')}, and"
            f" {_source(tightest, '--max-children')} allows {tightest.number}. Wait until one ends, or stop one."
        )
    return None


def _limits(line: Sequence[Ancestor], name: str, default: int | None) -> Iterator[Limit | None]:
    """What each mission of the line allows, from the parent upwards; None where it says nothing."""
    for one in line:
        number: int | None = getattr(one, name)
        if number is not None:
            yield Limit(number, one, given=True)
        elif one is line[-1] and default is not None:
            yield Limit(default, one, given=False)
        else:
            yield None


def _source(limit: Limit, option: str) -> str:
    owner = "of mission" if limit.given else "(the default) of mission"
    return f"{option} {owner} {_named(limit.setter)}"


def _named(one: Ancestor) -> str:
    return f"{one.id} ({one.name})"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


NEARLY = 0.8
"""Part of the limit from which on it is warned."""
_ROUNDING = 1e-9
"""Sums of fractions of a cent miss by less than this."""


class BudgetState(Enum):
    """The rest of a budget, in a word."""

    FINE = "fine"
    NEARLY = "nearly"
    SPENT = "spent"


class SpentTree(NamedTuple):
    """A limit of a mission for its tree that is used up."""

    reason: str
    """As reasons of missions are written, and the key of the limit."""
    used: str
    """The amount that was used, as in `$0.50`."""
    limit: str
    """The same of how much it may be."""


class TreeCost(NamedTuple):
    """The cost of a mission and everything below it in US dollars, and its tokens."""

    usd: float | None
    """None: nobody knows."""
    tokens: int
    source: Literal["reported", "estimated"] | None
    """As of a conversation's cost."""
    partial: bool
    """A part of it is unknown."""


class SpentLimit(NamedTuple):
    """A limit of an agent that is used up, so that no further run of it begins."""

    reason: str
    """As reasons of missions are written."""
    sentence: str
    """What people read: the limit, and how to raise it."""


def budget_state(spent: float, limit: float) -> BudgetState:
    """Judge what was spent; a `limit` of 0 is none."""
    if not limit:
        return BudgetState.FINE
    if spent >= limit - _ROUNDING:
        return BudgetState.SPENT
    return BudgetState.NEARLY if spent >= NEARLY * limit - _ROUNDING else BudgetState.FINE
