"""The targets of a landing and of a night, in their order, with their budgets. `make help` says what they are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """A target of the Makefile."""

    name: str
    budget_seconds: int | None = None
    """On a normal day; None: no budget."""
    reports: bool = True
    """pytest runs in it, and writes a report."""
    words: tuple[str, ...] = ()
    """Variables for make, such as `TESTS=tests/engines/web`."""


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


@dataclass(frozen=True, slots=True)
class Plan:
    """Targets to run.

    Attributes:
        stages: Lanes of targets. Lanes run side by side, the targets of one after each other; a red stage is the last.
        limit_seconds: All of it may take this long; None: as long as it takes.
        second_try: A few tests that failed are tried again.
        verdicts: The word for what went well, and for what did not.
    """

    stages: tuple[tuple[tuple[Target, ...], ...], ...]
    limit_seconds: int | None
    second_try: bool
    verdicts: tuple[str, str]


CORES_FOR_LANES = 4
"""Lanes run side by side from so many cores on. On two, tests of both failed that pass when each lane runs alone."""


def plan_landing(cores: int) -> Plan:
    """Return what CI runs on a machine with so many cores."""
    lanes = (COMPUTING, WAITING) if cores >= CORES_FOR_LANES else ((*COMPUTING, *WAITING),)
    return Plan((((CHECK,),), ((TEST,),), lanes), 1_500, second_try=True, verdicts=("Lands", "Refused"))


NIGHT = Plan(
    (
        (
            (
                CHECK,
                TEST,
                Target("test-process", words=("OVERMIND_TEST_NIGHT=1",)),
                Target("test-long"),
                Target("torture"),
                *(
                    Target(f"test-{engine}", words=(f"TESTS=tests/engines/{engine}", "OVERMIND_TEST_TORTURE=1"))
                    for engine in ("postgres", "web", "docker", "claude", "agents", "pools")
                ),
                *(Target(f"demo-{name}", reports=False) for name in ("engine", "swarm", "isolation")),
                Target("bench", reports=False, words=("ARGS=--smoke",)),
                Target("unsteady", reports=False),
                Target("coverage"),
            ),
        ),
    ),
    None,
    second_try=False,
    verdicts=("Green", "Red"),
)
"""One lane, since what is measured at night is measured alone; one stage, since no failure hides another."""
