"""Who owns what over hives: patterns compared by their literal beginnings alone, as the database can. Pure.

On one hive patterns are compared exactly (`domain.text.globs`). Here what could meet never runs together: two that
never meet may be held apart, two that can are never let through.
"""

from __future__ import annotations

from collections.abc import Iterable

from overmind_core.domain.text.globs import beginning


def beginnings(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the literal beginnings of patterns, without those that lie below another one; "" is all of a repository.

    Raises:
        GlobError: one is no pattern.
    """
    found: list[str] = []
    for one in sorted({"/".join(beginning(pattern)) for pattern in patterns}):
        if not any(_holds(other, one) for other in found):
            found.append(one)
    return tuple(found)


def could_meet(mine: Iterable[str], theirs: Iterable[str]) -> bool:
    """Return whether a path could begin with one of each; the database's function of that name decides the same."""
    others = tuple(theirs)
    return any(_holds(one, other) or _holds(other, one) for one in mine for other in others)


def _holds(outer: str, inner: str) -> bool:
    return not outer or f"{inner}/".startswith(f"{outer}/")
