"""The arguments of requests about what was learned."""

from __future__ import annotations

from overmind_core.kernel.request import Args


class Learn(Args, frozen=True):
    """Rates of success, attempts, cost and time of quests; with `lessons` the lessons as well."""

    by: str = "type"
    """`type`, `provider`, `model` or `spec`."""
    lessons: bool = False


class LearnSet(Args, frozen=True):
    """Accept or drop a lesson."""

    lesson: str
    """`L-7`, or its number."""
    state: str
    """`accepted` or `dropped`."""
