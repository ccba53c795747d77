"""The targets of a landing, in their order, each with its budget. `make help` says what they are."""

from __future__ import annotations

from dataclasses import dataclass

LIMIT_SECONDS = 1_500
"""A landing may take this long."""


@dataclass(frozen=True, slots=True)
class Target:
    """A target of the Makefile."""

    name: str
    budget_seconds: int | None = None
    """On a normal day; None: no budget."""
    reports: bool = True
    """pytest runs in it, and writes a report."""


CHECK = Target("check", 30, reports=False)
TEST = Target("test", 180)
COMPUTING = (Target("test-process", 420),)
"""The lane that computes."""
WAITING = (
    Target("test-postgres", 240),
    Target("test-web", 240),
    Target("test-docker", 240),
    Target("test-claude", 240),
    Target("demo-engine", reports=False),
)
"""The lane of the engines, which mostly wait."""
STAGES: tuple[tuple[tuple[Target, ...], ...], ...] = (((CHECK,),), ((TEST,),), (COMPUTING, WAITING))
"""Stages of lanes of targets. Lanes run side by side, the targets of one after each other; a red stage is the last."""
