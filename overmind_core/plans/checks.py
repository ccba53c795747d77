"""Checks of a blueprint that came by a request; those of `overmind apply` were judged with their places already."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from overmind_core.domain.plans.bindings import wanted
from overmind_core.domain.plans.blueprint import ENDS, MOST_RETRIES, When
from overmind_core.domain.plans.placement import MOST_CPU, OF_THIS_MACHINE, label_problem
from overmind_core.domain.plans.references import BrokenReference
from overmind_core.domain.text.graph import Cycle, order
from overmind_core.errors import OvermindError
from overmind_core.missions import validate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.domain.plans.blueprint import Blueprint, PlanAgent

MOST_AGENTS = 10_000


def check(blueprint: Blueprint) -> None:
    """Refuse what can't be carried out.

    Raises:
        OvermindError: naming the first thing that is wrong.
    """
    names = [agent.name for agent in blueprint.agents]
    if not names:
        raise OvermindError("invalid", f"The plan {blueprint.name!r} has no agents.")
    if len(names) > MOST_AGENTS:
        raise OvermindError(
            "too_large", f"A plan has at most {MOST_AGENTS} agents; {blueprint.name!r} has {len(names)}."
        )
    for name in names:
        validate.checked_name(name)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise OvermindError("invalid", f"The agent {twice[0]!r} is listed twice.")
    _check_limits(blueprint)
    agents = blueprint.by_name
    for agent in blueprint.agents:
        _check_dependencies(agent, agents)
        _check_references(agent, agents)
        _check_merge(agent, agents)
        _check_placement(agent)
    try:
        order(blueprint.edges)
    except Cycle as cycle:
        raise OvermindError(
            "cycle", f"The agents depend on each other in a cycle: {' → '.join(cycle.members)}."
        ) from None


def _check_limits(blueprint: Blueprint) -> None:
    limits = {"max_parallel": blueprint.max_parallel, "timeout": blueprint.timeout}
    limits |= {f"{agent.name}: retries": agent.retries for agent in blueprint.agents}
    limits |= {f"{agent.name}: backoff": agent.backoff for agent in blueprint.agents}
    for name, limit in limits.items():
        if limit < 0:
            raise OvermindError("invalid", f"{name} can't be negative: {limit}.")
    for agent in blueprint.agents:
        if agent.retries > MOST_RETRIES:
            message = f"{agent.name}: an agent can have at most {MOST_RETRIES} times, not {agent.retries}."
            raise OvermindError("invalid", message)


def _check_references(agent: PlanAgent, agents: Mapping[str, PlanAgent]) -> None:
    try:
        named = wanted(agent.start)
    except BrokenReference as error:
        raise OvermindError("invalid", f"{agent.name}: {error}.") from None
    waits = {one.agent for one in agent.depends_on}
    for source, name, _ in named:
        if source == "agents" and name not in waits & agents.keys():
            raise OvermindError("invalid", f"{agent.name} refers to {name!r}, but does not depend on it.")


def _check_merge(agent: PlanAgent, agents: Mapping[str, PlanAgent]) -> None:
    if agent.merge is None:
        return
    if not agent.merge.agents or (agent.merge.squash and agent.merge.rebase):
        raise OvermindError("invalid", f"{agent.name} must merge agents in one way.")
    ends = {one.agent for one in agent.depends_on if one.until in ENDS}
    for name in agent.merge.agents:
        if name not in ends & agents.keys():
            raise OvermindError("invalid", f"{agent.name} merges {name!r}, but does not wait for it to end.")
        if not agents[name].isolated:
            raise OvermindError("invalid", f"{agent.name} merges {name!r}, which is not isolated.")


def _check_placement(agent: PlanAgent) -> None:
    """Look at what it says about the swarm."""
    if agent.on is None:
        if agent.cpu or agent.memory:
            raise OvermindError("invalid", f"{agent.name}: cpu and memory need on, a place in the swarm.")
        return
    problem = _unfit(agent)
    for name, value in agent.on.items():
        found = label_problem(name, value)
        problem = problem or (None if found is None else found.text)
    if problem is None and not (0 <= agent.cpu <= MOST_CPU):
        problem = f"cpu must be a number of processors up to {MOST_CPU:g}, not {agent.cpu:g}"
    if problem is None and agent.memory < 0:
        problem = f"memory can't be negative: {agent.memory}"
    if problem is not None:
        raise OvermindError("invalid", f"{agent.name}: {problem}.")


def _unfit(agent: PlanAgent) -> str | None:
    """What of an agent of the swarm is of this machine, as a sentence without its full stop."""
    if agent.merge is not None:
        return "merge can't be combined with on: branches are of this machine"
    has = {"isolate": agent.isolated, "ready": agent.ready is not None}
    return next((f"{name} can't be combined with on: {OF_THIS_MACHINE[name]}" for name in has if has[name]), None)


def _check_dependencies(agent: PlanAgent, agents: Mapping[str, PlanAgent]) -> None:
    if agent.when is When.FAILURE and not agent.depends_on:
        raise OvermindError("invalid", f"{agent.name} runs after a failure, but depends on nothing: set depends_on.")
    for one in agent.depends_on:
        if one.agent not in agents:
            raise OvermindError(
                "invalid", f"{agent.name} depends on {one.agent!r}, which is not an agent of this plan."
            )
        if one.until in ENDS and agents[one.agent].stays:
            problem = f"{agent.name} waits for the {ENDS[one.until]} of {one.agent}, which never ends on its own."
            remedy = f"Wait until it is started or ready, or say service = false in {one.agent} if it does end."
            raise OvermindError("invalid", f"{problem} {remedy}")
