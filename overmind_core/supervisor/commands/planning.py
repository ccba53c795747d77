"""`apply`, `delete`, `plans`, `plan`: whole plans of dependent agents."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.facts import StartAsked
from overmind_core.domain.mission import Definition, Kind, Mission, Status
from overmind_core.domain.plan.difference import Change, difference
from overmind_core.domain.plan.graph import below, critical_path, order
from overmind_core.domain.plan.progress import FINAL, Stage
from overmind_core.errors import OvermindError
from overmind_core.store.errors import StoreError
from overmind_core.store.plans import Plan as StoredPlan
from overmind_core.supervisor import intake, records
from overmind_core.supervisor.api import HandingOver
from overmind_core.supervisor.commands.ending import stop
from overmind_core.supervisor.commands.starting import new_id
from overmind_core.supervisor.lookup import find
from overmind_core.supervisor.plans import narrative, saved
from overmind_core.supervisor.plans import records as planrecords
from overmind_core.supervisor.plans.checks import check
from overmind_core.supervisor.plans.ownprojects import check_projects
from overmind_core.supervisor.requests import Stop

if TYPE_CHECKING:
    from collections.abc import Iterable

    from overmind_core.domain.plan.blueprint import Blueprint
    from overmind_core.supervisor.callers import Caller
    from overmind_core.supervisor.core import Supervisor
    from overmind_core.supervisor.planrequests import Apply, Plan
    from overmind_core.supervisor.plans.pipeline import Pipeline
    from overmind_core.supervisor.requests import Nothing

_WRONG = frozenset({Stage.FAILED, Stage.CANCELLED})
_RIGHT = frozenset({Stage.SUCCEEDED, Stage.SKIPPED})
GRACE = 10.0
"""Seconds; of a plan, whose agents have their own."""


async def apply(core: Supervisor, request: Apply, caller: Caller) -> dict[str, Any]:
    """Start a plan, or bring the live one of this name to what it is now; without a change nothing happens."""
    del caller
    check(request.blueprint)
    if core.handing_over:
        raise HandingOver
    if core.closing:
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
    mission = _plan_of(core, request.id)
    if mission.is_live:
        await stop(core, Stop(id=mission.id), caller)
    return {**records.brief(mission), "status": (core.book.get(mission.id) or mission).status.value}


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
    name = intake.checked_name(blueprint.name)
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
    mission = Mission(new_id(core), definition, now.wall, Status.STARTING, run=1)
    pipeline = core.plans.create(mission.id, request.file, blueprint)
    environment = _environment(request)
    row = StoredPlan(mission.id, request.file, saved.encode(blueprint))

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
        pipeline.note(narrative.told(note))
    pipeline.look()
    return {**records.brief(mission), "status": "started", "changes": _told(_from_nothing(blueprint))}


def _environment(request: Apply) -> str:
    """The caller's, as it is stored."""
    return msgspec.json.encode({"inherited": request.env, "chosen": {}}).decode()


async def _change(core: Supervisor, pipeline: Pipeline, request: Apply) -> dict[str, Any]:
    mission = core.book.live[pipeline.id]
    if mission.ending is not None:
        raise OvermindError("not_running", f"Plan {mission.id} ({mission.definition.name}) is being ended. Try again.")
    changes = difference(pipeline.blueprint, request.blueprint)
    failed = _failed(pipeline) if request.rerun else set()
    brief = records.brief(mission)
    if not changes and not failed:
        return {**brief, "status": "unchanged", "changes": []}
    changed = [change.agent for change in changes if change.sign == "~" and change.agent]
    again = _to_run_again(pipeline, request.blueprint, {*changed, *failed})
    why = "runs again" if request.rerun else "runs again: what it depends on was changed"
    told = _told([*changes, *(Change("~", name, (why,)) for name in sorted(again - set(changed)))])
    if request.dry_run:
        return {**brief, "status": "planned", "changes": told}
    await check_projects(core, request.blueprint, request.env)
    pipeline.file = request.file or pipeline.file
    core.book.put(_limited(mission, request.blueprint), ())
    pipeline.change(request.blueprint, again)
    pipeline.note(narrative.changed([f"{one['sign']} {one['agent'] or 'the plan itself'}" for one in told]))
    await core.ledger.saved()
    return {**brief, "status": "changed", "changes": told}


def _limited(mission: Mission, blueprint: Blueprint) -> Mission:
    """The plan's mission with the limits of this blueprint."""
    return replace(mission, definition=replace(mission.definition, timeout=blueprint.timeout))


def _failed(pipeline: Pipeline, *, ended: bool = False) -> set[str]:
    """What has failed or was cut short, and what did not run, perhaps for that; nothing, when nothing went wrong.

    Once the plan has ended (it was killed alone, then), also what it did not see to its end.
    """
    stages = {name: node.stage for name, node in pipeline.nodes.items()}
    wrong = frozenset(Stage) - _RIGHT if ended else _WRONG
    if wrong.isdisjoint(stages.values()):
        return set()
    return {name for name, stage in stages.items() if stage in wrong or stage is Stage.SKIPPED}


def _to_run_again(pipeline: Pipeline, blueprint: Blueprint, changed: set[str]) -> set[str]:
    """Agents that have begun, and were changed or depend on one that was; and services that these need once more."""
    concerned = (below(blueprint.edges, changed) | changed) & blueprint.by_name.keys()
    stages = {name: node.stage for name, node in pipeline.nodes.items()}
    begun = {name for name in concerned if stages.get(name, Stage.WAITING) is not Stage.WAITING}
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
    told = _told(Change("~", one, ("runs again",)) for one in sorted(again))
    if not again:
        return {**records.brief(mission), "status": "unchanged", "changes": []}
    if request.dry_run:
        return {**records.brief(mission), "status": "planned", "changes": told}
    await check_projects(core, request.blueprint, request.env)
    pipeline.file = request.file or pipeline.file
    pipeline.change(request.blueprint, again & pipeline.nodes.keys())
    core.plans.adopt(pipeline)
    environment = _environment(request)
    core.ledger.save(lambda: core.state.environments.save(mission.id, environment))
    core.book.tell(_limited(mission, request.blueprint), StartAsked())
    await core.ledger.saved()
    return {**records.brief(mission), "status": "started", "changes": told}


def _plan_of(core: Supervisor, text: str) -> Mission:
    mission = find(core.book, text)
    if mission.definition.kind is not Kind.BLUEPRINT:
        raise OvermindError("invalid", f"Mission {mission.id} ({mission.definition.name}) is no plan.")
    return mission


def _from_nothing(blueprint: Blueprint) -> list[Change]:
    return difference(replace(blueprint, agents=()), blueprint)


def _told(changes: Iterable[Change]) -> list[dict[str, Any]]:
    return [{"sign": change.sign, "agent": change.agent, "why": change.why} for change in changes]
