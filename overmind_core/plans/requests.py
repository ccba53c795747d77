"""The shapes of requests about plans: what agents are to do together."""

from __future__ import annotations

from overmind_core.domain.plans.blueprint import Blueprint
from overmind_core.kernel.request import Args, RequestKey
from overmind_core.missions.requests import Whole


class Apply(Args, frozen=True):
    """A plan, checked as far as a file can be: see docs/blueprints.md. `rerun`: of an ended one, these agents alone."""

    blueprint: Blueprint
    cwd: str
    file: str = ""
    env: dict[str, str] = {}
    """The caller's environment: of the plan, and of each of its agents."""
    umask: Whole = 0o022
    dry_run: bool = False
    rerun: str | list[str] | None = None
    """`failed`, `changed`, or names of agents: what runs of an ended plan, with all that depends on it."""
    request: RequestKey | None = None
    """As with `run`: a plan is made, changed or run again once, however often that is asked for."""


class Plan(Args, frozen=True):
    """One plan, by the id or name of its mission."""

    id: str
