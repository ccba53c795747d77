"""`apply`, `delete`, `plans`, `plan`: whole plans of dependent agents.

What a request may have got wrong that read no file: those of `overmind apply` were judged with their places.

Whether the isolated agents of a plan can have what their projects promise, before anything of the plan begins.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.missions.facts import StartAsked
from overmind_core.domain.missions.mission import Cause, Definition, Kind, Mission, Status
from overmind_core.domain.plans.blueprint import Until, When
from overmind_core.domain.plans.diff import PlanChange, difference
from overmind_core.domain.plans.progress import FINAL, AgentStage
from overmind_core.domain.plans.references import BrokenReference, bind_text, references
from overmind_core.domain.text.graph import Cycle, below, critical_path, order
from overmind_core.errors import OvermindError
from overmind_core.kernel.api_server import HandingOver
from overmind_core.kernel.database import StoreError
from overmind_core.missions import answers, validate
from overmind_core.missions.lookup import find
from overmind_core.plans import answers as planrecords
from overmind_core.plans import log_lines, store
from overmind_core.plans.bindings import wanted
from overmind_core.plans.store import PlanRow as StoredPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from overmind_core.daemon.app import Supervisor
    from overmind_core.domain.plans.blueprint import Blueprint, PlanAgent
    from overmind_core.kernel.request import Caller
    from overmind_core.missions.requests import Nothing
    from overmind_core.plans.pipeline import PlanRun
    from overmind_core.plans.requests import Apply, Plan


MOST_AGENTS = 10_000
ENDS = frozenset({Until.SUCCESS, Until.FINISHED, Until.FAILURE})


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
        raise OvermindError("invalid", f"The agent {twice[0]!r} is there twice.")
    _check_limits(blueprint)
    agents = blueprint.by_name
    for agent in blueprint.agents:
        _check_dependencies(agent, agents)
        _check_references(agent, agents)
        _check_merge(agent, agents)
    try:
        order(blueprint.edges)
    except Cycle as cycle:
        raise OvermindError("invalid", f"The agents depend on each other: {' → '.join(cycle.members)}.") from None


def _check_limits(blueprint: Blueprint) -> None:
    limits = {"max_parallel": blueprint.max_parallel, "timeout": blueprint.timeout}
    limits |= {f"{agent.name}: retries": agent.retries for agent in blueprint.agents}
    for name, limit in limits.items():
        if limit < 0:
            raise OvermindError("invalid", f"{name} can't be negative: {limit}.")


def _check_references(agent: PlanAgent, agents: Mapping[str, PlanAgent]) -> None:
    try:
        named = wanted(agent)
    except BrokenReference as error:
        raise OvermindError("invalid", f"{agent.name}: {error}.") from None
    waits = {one.agent for one in agent.depends_on}
    for source, name, _ in named:
        if source == "agents" and name not in waits & agents.keys():
            raise OvermindError("invalid", f"{agent.name} refers to {name!r}, on which it does not depend.")


def _check_merge(agent: PlanAgent, agents: Mapping[str, PlanAgent]) -> None:
    if agent.merge is None:
        return
    if not agent.merge.agents or (agent.merge.squash and agent.merge.rebase):
        raise OvermindError("invalid", f"{agent.name} merges nobody, or in two ways at once.")
    ends = {one.agent for one in agent.depends_on if one.until in ENDS}
    for name in agent.merge.agents:
        if name not in ends & agents.keys():
            raise OvermindError("invalid", f"{agent.name} merges {name!r}, for whose end it does not wait.")
        if not agents[name].isolated:
            raise OvermindError("invalid", f"{agent.name} merges {name!r}, which is not isolated.")


def _check_dependencies(agent: PlanAgent, agents: Mapping[str, PlanAgent]) -> None:
    if agent.when is When.FAILURE and not agent.depends_on:
        raise OvermindError("invalid", f"{agent.name} runs after a failure, but depends on nothing: say of what.")
    for one in agent.depends_on:
        if one.agent not in agents:
            raise OvermindError("invalid", f"{agent.name} depends on {one.agent!r}, which is no agent here.")
        if one.until in ENDS and agents[one.agent].start.get("restart") == "always":
            told = f"{agent.name} waits for the end of {one.agent}, which is always started again."
            raise OvermindError("invalid", f"{told} Wait until it is started or ready.")


async def check_projects(core: Supervisor, blueprint: Blueprint, environ: Mapping[str, str]) -> list[str]:
    """Look at the project of each isolated agent; return what a person is told besides.

    Args:
        core: Where they would run.
        blueprint: The plan.
        environ: Of whoever applies it.

    Raises:
        OvermindError: `untrusted_project`, `invalid`, `docker_missing`, `git_failed`, `cwd_not_found`.
    """
    folders = dict.fromkeys(
        bind_text(agent.start["cwd"], {})
        for agent in blueprint.agents
        if agent.isolated and not references(agent.start["cwd"])
    )
    notes = []
    for folder in folders:
        planned = await core.isolation.planned_in(folder, environ)
        if planned.note:
            notes.append(planned.note)
    return notes


_WRONG = frozenset({AgentStage.FAILED, AgentStage.CANCELLED})
_RIGHT = frozenset({AgentStage.SUCCEEDED, AgentStage.SKIPPED})
GRACE = 10.0
"""Seconds; of a plan, whose agents have their own."""


async def apply(core: Supervisor, request: Apply, caller: Caller) -> dict[str, Any]:
    """Start a plan, or bring the live one of this name to what it is now; without a change nothing happens."""
    del caller
    check(request.blueprint)
    if core.phase.handing_over:
        raise HandingOver
    if core.phase.closing:
        raise OvermindError("busy", "The daemon is shutting down.")
    made = None if request.request is None else core.state.missions.by_request(request.request)
    if made is not None:
        told = _told(_from_nothing(request.blueprint))
        return {"id": made.id, "name": made.name, "status": "started", "changes": told}
    live = core.plans.named(request.blueprint.name)
    if live is not None:
        return await _change(core, live, request)
    if request.rerun is not None:
        return await _rerun(core, request)
    return await _create(core, request)


async def delete(core: Supervisor, request: Plan, caller: Caller) -> dict[str, Any]:
    """Take a plan down: its agents end in the reverse of the order in which they began, then it does."""
    del caller
    mission = _plan_of(core, request.id)
    if mission.is_live:
        await core.missions.end(mission, Cause.STOP, cascade=False, grace=None)
    return {**answers.brief(mission), "status": (core.book.get(mission.id) or mission).status.value}


async def plans(core: Supervisor, request: Nothing, caller: Caller) -> list[dict[str, Any]]:
    """All plans, newest first, with how many of their agents stand where."""
    del request, caller
    core.ledger.flush()
    now = core.clock.wall()
    found = []
    for stored in core.state.plans.outlines():
        live, mission = core.plans.live.get(stored.mission), core.book.get(stored.mission)
        if mission is not None:
            found.append(planrecords.summary(mission, stored if live is None else planrecords.outline(live), now))
    return found


async def plan(core: Supervisor, request: Plan, caller: Caller) -> dict[str, Any]:
    """One plan with all its agents, dependencies first."""
    del caller
    mission = _plan_of(core, request.id)
    pipeline = core.plans.live.get(mission.id) or core.plans.stored(mission.id)
    if pipeline is None:
        raise OvermindError("not_found", f"Mission {mission.id} has no plan any more.")
    edges = pipeline.blueprint.edges
    now = core.clock.wall()
    seconds = {
        name: 0.0 if pipeline.board.agents[name].stays else planrecords.seconds(node, now) or 0.0
        for name, node in pipeline.nodes.items()
    }
    return {
        **planrecords.summary(mission, planrecords.outline(pipeline), now),
        "max_parallel": pipeline.blueprint.max_parallel,
        "on_failure": pipeline.blueprint.on_failure.value,
        "critical_path": critical_path(edges, seconds),
        "agents": [planrecords.agent(pipeline, name, now) for name in order(edges)],
    }


async def _create(core: Supervisor, request: Apply) -> dict[str, Any]:
    blueprint = request.blueprint
    name = validate.checked_name(blueprint.name)
    holder = core.book.roster.holder(name)
    if holder is not None:
        raise OvermindError(
            "name_taken", f"The name {name!r} is taken by mission {holder}, which is no plan.", id=holder
        )
    if request.dry_run:
        return {"id": None, "name": name, "status": "planned", "changes": _told(_from_nothing(blueprint))}
    notes = await check_projects(core, blueprint, request.env)
    definition = Definition(
        name=name,
        command=f"apply {request.file}".strip(),
        argv=(),
        cwd=request.cwd,
        kind=Kind.BLUEPRINT,
        tty=False,
        umask=request.umask & 0o777,
        timeout=blueprint.timeout,
        grace=GRACE,
    )
    now = core.book.now()
    mission = Mission(core.missions.new_id(), definition, now.wall, Status.STARTING, run=1)
    pipeline = core.plans.create(mission.id, request.file, blueprint)
    environment = _environment(request)
    row = StoredPlan(mission.id, request.file, store.BLUEPRINT.encode(blueprint))

    def write() -> None:
        core.state.environments.save(mission.id, environment)
        core.state.plans.insert(row)

    changes = core.book.add(mission, write, request.request)
    try:
        await core.ledger.saved()
    except StoreError:
        core.ledger.withdraw(changes)
        core.book.roster.remove(mission.id)
        core.plans.forget(mission.id)
        raise
    for note in notes:
        pipeline.note(log_lines.told(note))
    pipeline.look()
    return {**answers.brief(mission), "status": "started", "changes": _told(_from_nothing(blueprint))}


def _environment(request: Apply) -> str:
    """The caller's, as it is stored."""
    return msgspec.json.encode({"inherited": request.env, "chosen": {}}).decode()


async def _change(core: Supervisor, pipeline: PlanRun, request: Apply) -> dict[str, Any]:
    mission = core.book.live[pipeline.id]
    if mission.ending is not None:
        raise OvermindError("not_running", f"Plan {mission.id} ({mission.definition.name}) is being ended. Try again.")
    changes = difference(pipeline.blueprint, request.blueprint)
    failed = _failed(pipeline) if request.rerun else set()
    brief = answers.brief(mission)
    if not changes and not failed:
        return {**brief, "status": "unchanged", "changes": []}
    changed = [change.agent for change in changes if change.sign == "~" and change.agent]
    again = _to_run_again(pipeline, request.blueprint, {*changed, *failed})
    why = "runs again" if request.rerun else "runs again: what it depends on was changed"
    told = _told([*changes, *(PlanChange("~", name, (why,)) for name in sorted(again - set(changed)))])
    if request.dry_run:
        return {**brief, "status": "planned", "changes": told}
    await check_projects(core, request.blueprint, request.env)
    pipeline.file = request.file or pipeline.file
    core.book.put(_limited(mission, request.blueprint), ())
    pipeline.change(request.blueprint, again)
    pipeline.note(log_lines.changed([f"{one['sign']} {one['agent'] or 'the plan itself'}" for one in told]))
    await core.ledger.saved()
    return {**brief, "status": "changed", "changes": told}


def _limited(mission: Mission, blueprint: Blueprint) -> Mission:
    """The plan's mission with the limits of this blueprint."""
    return replace(mission, definition=replace(mission.definition, timeout=blueprint.timeout))


def _failed(pipeline: PlanRun, *, ended: bool = False) -> set[str]:
    """What has failed or was cut short, and what did not run, perhaps for that; nothing, when nothing went wrong.

    Once the plan has ended (it was killed alone, then), also what it did not see to its end.
    """
    stages = {name: node.stage for name, node in pipeline.nodes.items()}
    wrong = frozenset(AgentStage) - _RIGHT if ended else _WRONG
    if wrong.isdisjoint(stages.values()):
        return set()
    return {name for name, stage in stages.items() if stage in wrong or stage is AgentStage.SKIPPED}


def _to_run_again(pipeline: PlanRun, blueprint: Blueprint, changed: set[str]) -> set[str]:
    """Agents that have begun, and were changed or depend on one that was; and services that these need once more."""
    concerned = (below(blueprint.edges, changed) | changed) & blueprint.by_name.keys()
    stages = {name: node.stage for name, node in pipeline.nodes.items()}
    begun = {name for name in concerned if stages.get(name, AgentStage.WAITING) is not AgentStage.WAITING}
    return begun | {name for name in _services(blueprint, concerned) if stages.get(name) in FINAL}


def _services(blueprint: Blueprint, names: Iterable[str]) -> set[str]:
    """The agents on which these depend that stay: they are stopped when nobody needs them any more."""
    agents = blueprint.by_name
    found: set[str] = set()
    left = list(names)
    while left:
        new = {one.agent for one in agents[left.pop()].depends_on if agents[one.agent].stays} - found
        found |= new
        left += new
    return found


async def _rerun(core: Supervisor, request: Apply) -> dict[str, Any]:
    """Run what failed of the newest plan of this name, and what depends on it, once more."""
    name = request.blueprint.name
    core.ledger.flush()
    mission_id = core.state.plans.newest_named(name)
    mission = None if mission_id is None else core.book.get(mission_id)
    pipeline = None if mission is None else core.plans.stored(mission.id)
    if mission is None or pipeline is None:
        raise OvermindError("not_found", f"There is no plan named {name!r} of which something could have failed.")
    failed = _failed(pipeline, ended=True)
    changes = difference(pipeline.blueprint, request.blueprint)
    changed = {change.agent for change in changes if change.agent and change.sign != "-"}
    again = below(request.blueprint.edges, failed | changed) | failed | changed
    again &= request.blueprint.by_name.keys()
    again |= _services(request.blueprint, again)
    told = _told(PlanChange("~", one, ("runs again",)) for one in sorted(again))
    if not again:
        return {**answers.brief(mission), "status": "unchanged", "changes": []}
    if request.dry_run:
        return {**answers.brief(mission), "status": "planned", "changes": told}
    await check_projects(core, request.blueprint, request.env)
    pipeline.file = request.file or pipeline.file
    pipeline.change(request.blueprint, again & pipeline.nodes.keys())
    core.plans.adopt(pipeline)
    environment = _environment(request)
    core.ledger.save(lambda: core.state.environments.save(mission.id, environment))
    core.book.tell(_limited(mission, request.blueprint), StartAsked())
    await core.ledger.saved()
    return {**answers.brief(mission), "status": "started", "changes": told}


def _plan_of(core: Supervisor, text: str) -> Mission:
    mission = find(core.book, text)
    if mission.definition.kind is not Kind.BLUEPRINT:
        raise OvermindError("invalid", f"Mission {mission.id} ({mission.definition.name}) is no plan.")
    return mission


def _from_nothing(blueprint: Blueprint) -> list[PlanChange]:
    return difference(replace(blueprint, agents=()), blueprint)


def _told(changes: Iterable[PlanChange]) -> list[dict[str, Any]]:
    return [{"sign": change.sign, "agent": change.agent, "why": change.why} for change in changes]
