"""Which agents of a plan run again: after a failure, and because the plan was changed."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from overmind_core.domain.plans.blueprint import OnFailure
from overmind_core.domain.plans.progress import (
    ACTIVE,
    FINAL,
    HELD,
    PLAN_ENDS,
    AgentStage,
    is_cut_short_when_ready,
    missed,
)
from overmind_core.domain.text.graph import below
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from overmind_core.domain.plans.blueprint import Blueprint
    from overmind_core.domain.plans.progress import AgentProgress, Nodes
    from overmind_core.plans.requests import Apply
    from overmind_core.plans.state import PlanState

_WRONG = frozenset({AgentStage.FAILED, AgentStage.CANCELLED})
_RIGHT = frozenset({AgentStage.SUCCEEDED, AgentStage.SKIPPED})
_LEFT_OUT = frozenset({HELD, PLAN_ENDS})
"""Why those were skipped that could have run: all others wait for what came out otherwise."""


def failed(plan: PlanState, *, ended: bool = False) -> set[str]:
    """What has failed or was cut short, and what did not run, perhaps for that; nothing, when nothing went wrong.

    Once the plan has ended, also what it did not see to its end.
    """
    skipped = {name: node.reason for name, node in plan.nodes.items() if node.stage is AgentStage.SKIPPED}
    stages = frozenset(AgentStage) - _RIGHT if ended else _WRONG
    wrong = {name for name, node in plan.nodes.items() if node.stage in stages} - have_served(plan)
    return wrong | skipped.keys() if wrong or not _LEFT_OUT.isdisjoint(skipped.values()) else set()


def have_served(plan: PlanState, but: Collection[str] = ()) -> set[str]:
    """Services that were ready until they ended with their plan, or were lost: they run again for whoever needs them.

    None without which another agent could not run; and none of a plan of services alone: it was there to stay.

    `but`: agents at which nobody looks.
    """
    services_of_it = {agent.name for agent in plan.blueprint.agents if agent.stays}
    if len(services_of_it) == len(plan.blueprint.agents):
        return set()
    left = {name: node for name, node in plan.nodes.items() if name not in but}
    why = {node.reason for node in left.values() if node.stage is AgentStage.SKIPPED}
    ended = {name: left[name] for name in services_of_it & left.keys() if is_cut_short_when_ready(left[name])}
    return {name for name, node in ended.items() if missed(name, node.stage) not in why}


def served_for_good(plan: PlanState, blueprint: Blueprint, again: set[str]) -> set[str]:
    """Services that have served, and are not needed once more: the plan may go well without them.

    None where another agent was left out that does not run now either: then it does not go well.

    Args:
        plan: As it stands.
        blueprint: What it is to be.
        again: The agents that run again.
    """
    left = plan.nodes.keys() & blueprint.by_name.keys() - again
    skipped = {plan.nodes[name].reason for name in left if plan.nodes[name].stage is AgentStage.SKIPPED}
    return have_served(plan, plan.nodes.keys() - left) if _LEFT_OUT.isdisjoint(skipped) else set()


FAILED, CHANGED = "failed", "changed"
"""Words that stand for agents; what has changed runs again in any case."""


def wanted(request: Apply, plan: PlanState, *, ended: bool = False) -> set[str]:
    """The agents that a request names, or means by a word, of those that there are.

    Raises:
        OvermindError: `not_found`, there is no agent of a name.
    """
    words = _words(request)
    found = failed(plan, ended=ended) if FAILED in words else set[str]()
    names = {word for word in words if word not in {FAILED, CHANGED}}
    unknown = sorted(names - request.blueprint.by_name.keys())
    if unknown:
        known = ", ".join(request.blueprint.by_name)
        raise OvermindError("not_found", f"The plan has no agent named {unknown[0]!r}. It has: {known}.")
    return found | names


def _words(request: Apply) -> list[str]:
    return [request.rerun] if isinstance(request.rerun, str) else request.rerun or []


def check_values(request: Apply, plan: PlanState) -> None:
    """Refuse to run failed or named agents again with the file's values where the plan ran with others.

    All that had succeeded with those would run again, too. Who asks for what was changed means such a change.

    Raises:
        OvermindError: `invalid`, a variable that was given has another value now, and is not given again.
    """
    old, new = plan.blueprint, request.blueprint
    if new.given is None or not set(_words(request)) - {CHANGED}:
        return
    left = old.variables.keys() & new.variables.keys() - set(new.given)
    moved = [name for name in old.given or () if name in left and old.variables[name] != new.variables[name]]
    if moved:
        words = shlex.join(word for name in moved for word in ("--var", f"{name}={old.variables[name]}"))
        message = f"Plan {plan.id} ({old.name}) ran with other values. Give them again, or new ones: {words}"
        raise OvermindError("invalid", message)


def after_end(nodes: Nodes, blueprint: Blueprint, asked: set[str]) -> set[str]:
    """Agents of a plan that has ended: those asked for, whoever depends on them, and the services that these need.

    With them those that only a failure kept from starting, where it runs again, or is gone.
    """
    freed = _no_longer_held(nodes, blueprint, _with_dependents(blueprint, asked))
    return _with_dependents(blueprint, asked | freed)


def _with_dependents(blueprint: Blueprint, names: set[str]) -> set[str]:
    found = (below(blueprint.edges, names) | names) & blueprint.by_name.keys()
    return found | services(blueprint, found, behind=True)


def after_change(nodes: Nodes, blueprint: Blueprint, changed: set[str]) -> set[str]:
    """Agents that have begun, and were changed or depend on one that was; and services that these need once more.

    With them those that only a failure kept from starting, where it runs again, or is gone.
    """
    freed = _no_longer_held(nodes, blueprint, _begun_behind(nodes, blueprint, changed))
    return _begun_behind(nodes, blueprint, changed | freed)


def _begun_behind(nodes: Nodes, blueprint: Blueprint, changed: set[str]) -> set[str]:
    """Those that have begun, behind what was changed.

    A service that has ended, or is being ended, is needed once more. Services between it and whoever needs it begin
    once more behind it, with all that runs beside them.
    """
    edges = blueprint.edges
    concerned = (below(edges, changed) | changed) & blueprint.by_name.keys()
    needed = services(blueprint, concerned)
    once_more = {name for name in needed if name in nodes and _is_ending(nodes[name])}
    between = needed & below(edges, once_more)
    beside = {name for name in between | below(edges, between) if name in nodes and nodes[name].stage in ACTIVE}
    return {name for name in concerned if name in nodes and _has_begun(nodes[name])} | once_more | beside


def _no_longer_held(nodes: Nodes, blueprint: Blueprint, again: set[str]) -> set[str]:
    """Agents that a failure kept from starting, and none does any more once these run again.

    A failure that was kept from an earlier run holds only those that were kept with it.
    """
    left = {name: nodes[name] for name in blueprint.by_name if name in nodes and name not in again}
    holds = blueprint.on_failure is not OnFailure.CONTINUE
    failures = [node for node in left.values() if node.stage is AgentStage.FAILED and holds]
    held = {name: node for name, node in left.items() if node.stage is AgentStage.SKIPPED and node.reason == HELD}
    return {name for name, node in held.items() if all(one.kept and not node.kept for one in failures)}


def _has_begun(node: AgentProgress) -> bool:
    return node.stage is not AgentStage.WAITING


def _is_ending(node: AgentProgress) -> bool:
    return node.stage in FINAL or node.stopped is not None


def services(blueprint: Blueprint, names: Iterable[str], *, behind: bool = False) -> set[str]:
    """The agents on which these depend that stay: they are stopped when nobody needs them any more.

    `behind`: also through agents that do not stay, and have ended.
    """
    agents = blueprint.by_name
    seen: set[str] = set()
    left = list(names)
    while left:
        new = {one.agent for one in agents[left.pop()].depends_on if behind or agents[one.agent].stays} - seen
        seen |= new
        left += new
    return {name for name in seen if agents[name].stays}
