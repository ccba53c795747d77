"""A fleet of a blueprint: an agent of which so many run on the hives of a swarm, or one on every fitting hive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from overmind_core.domain.missions.names import name_problem
from overmind_core.domain.plans.blueprint import Probe
from overmind_core.domain.plans.genome import Genome

LONGEST_FLEET_NAME = 40
"""Characters: with its number, or with the name of a hive, it is the name of a place."""
MOST_PLACES = 10_000
SHORTEST_LEASE = 10.0
"""Seconds: a hive that is only slow would lose a shorter one."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Places that the swarm keeps filled."""

    name: str
    agent: str
    """As the blueprint calls it."""
    run: Mapping[str, Any]
    """The fields of a `run` request, with values in place of references. An empty `cwd`: the account's home folder."""
    want: int | None = 1
    """Places; None: a sentinel, with one on every fitting hive."""
    on: Mapping[str, str] = field(default_factory=dict)
    """Labels that a hive must have."""
    cpu: float = 0.0
    memory: int = 0
    """Bytes."""
    secrets: tuple[str, ...] = ()
    """Names of secrets that each place gets as variables."""
    on_lost: Literal["wait", "move"] = "wait"
    lease: float = 600.0
    """Seconds."""
    ready: Probe | None = None
    ready_env: Mapping[str, str] = field(default_factory=dict)
    """Variables of the probe's command: the values of its references."""
    genome: Genome | None = None
    """The file in git from which its agent was taken."""


def fleet_name_problem(name: str) -> str | None:
    """Return what is wrong with the name of a fleet, as a sentence without its full stop; None when nothing is."""
    problem = name_problem(name)
    if problem is None and len(name) > LONGEST_FLEET_NAME:
        return f"The name of a fleet has at most {LONGEST_FLEET_NAME} characters"
    return problem
