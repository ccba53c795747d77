"""`stop`, `kill`, `signal`, `freeze`, `thaw`, `shutdown`: everything that takes power over running processes.

`update`, `rm`, `prune`: changing and removing records.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from overmind_core.definitions.api import check_editable
from overmind_core.domain.missions.facts import EndAsked, Frozen, Note, Thawed
from overmind_core.domain.missions.mission import Cause, Mission, Status
from overmind_core.domain.missions.tree import levels
from overmind_core.errors import OvermindError
from overmind_core.missions import answers, validate
from overmind_core.missions.callers import forbid_foreign, forbid_inside, mission_of
from overmind_core.missions.keeper_sync import Departure
from overmind_core.missions.lookup import find, find_live, not_running
from overmind_core.missions.retention import folder_size, remove

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.daemon.app import Supervisor
    from overmind_core.missions.callers import Caller
    from overmind_core.missions.requests import Kill, One, Prune, Shutdown, Signal, Stop, Update


HAS_PROCESS = frozenset({Status.RUNNING, Status.PAUSED, Status.STOPPING})


async def stop(core: Supervisor, request: Stop, caller: Caller) -> dict[str, Any]:
    """End one mission by its stop signal; answers when nothing of it lives."""
    mission = find(core.book, request.id, live_first=True)
    forbid_foreign(mission_of(caller, core.book, core.home.root), mission, core.book, "stop")
    grace = None if request.grace is None else validate.seconds(request.grace, "--grace")
    ended = await _end(core, mission, Cause.STOP, cascade=request.cascade, grace=grace)
    final = next((one for one in ended if one.id == mission.id), mission)
    also = [answers.brief(one) for one in ended if one.id != mission.id]
    return {**answers.brief(final), "status": final.status.value, "also": also}


async def kill(core: Supervisor, request: Kill, caller: Caller) -> dict[str, Any]:
    """End one mission, or all, at once; answers when nothing of them lives."""
    inside = mission_of(caller, core.book, core.home.root)
    if request.all:
        forbid_inside(inside, "kill everything")
        ended = await _end_all(core, list(core.book.live.values()), Cause.KILL, 0.0)
        return {"killed": [answers.brief(mission) for mission in ended]}
    if request.id is None:
        raise OvermindError("invalid", "Missing id: say which mission to kill, or --all.")
    mission = find(core.book, request.id, live_first=True)
    forbid_foreign(inside, mission, core.book, "kill")
    ended = await _end(core, mission, Cause.KILL, cascade=request.cascade, grace=0.0)
    return {"killed": [answers.brief(one) for one in ended]}


async def signal(core: Supervisor, request: Signal, caller: Caller) -> dict[str, Any]:
    """Send a signal to the whole tree; the mission's state is its processes' business."""
    del caller
    number = validate.signal_number(request.signal)
    mission = _with_process(core, request.id)
    await core.trees.send(mission, (number,))
    return answers.brief(mission)


async def freeze(core: Supervisor, request: One, caller: Caller) -> dict[str, Any]:
    """SIGSTOP the whole tree."""
    del caller
    mission = _with_process(core, request.id)
    if mission.status is not Status.RUNNING:
        raise OvermindError("paused" if mission.status is Status.PAUSED else "not_running", _is(mission))
    await core.pulse.refresh()
    mission = _with_process(core, mission.id)  # once more: it took a moment
    core.book.tell_if_legal(mission, Frozen())
    await core.ledger.saved()
    await core.trees.freeze(mission)
    return answers.brief(mission)


async def thaw(core: Supervisor, request: One, caller: Caller) -> dict[str, Any]:
    """SIGCONT the whole tree."""
    del caller
    mission = _with_process(core, request.id)
    if mission.status is not Status.PAUSED:
        raise OvermindError("not_running", f"{_is(mission)} It is not frozen.")
    await core.trees.thaw(mission)
    await core.pulse.refresh()
    core.book.tell_if_legal(core.book.live.get(mission.id, mission), Thawed(core.pulse.of(mission.run_id).last))
    await core.ledger.saved()
    return answers.brief(mission)


async def shutdown(core: Supervisor, request: Shutdown, caller: Caller) -> dict[str, Any]:
    """Stop everything in parallel, or keep it for the next daemon; the daemon leaves once this is answered."""
    del caller
    # A client that goes away meanwhile changes nothing: what has begun is brought to its end.
    return await asyncio.shield(core.background(_keep(core, request) if request.keep else _stop_all(core)))


async def _keep(core: Supervisor, request: Shutdown) -> dict[str, Any]:
    await core.leave(Departure.HAND_OVER if request.replace else Departure.KEEP)
    return {"stopped": 0, "kept": len(core.book.live)}


async def _stop_all(core: Supervisor) -> dict[str, Any]:
    core.phase.closing = True
    try:
        ended = await _end_all(core, list(core.book.live.values()), Cause.STOP, None)
    except OvermindError:
        core.phase.closing = False
        raise
    await core.isolation.calm(list(core.isolation.records))  # also of those that have ended just now
    await core.leave(Departure.END)
    return {"stopped": len(ended), "kept": 0}


async def _end(
    core: Supervisor, mission: Mission, cause: Cause, *, cascade: bool, grace: float | None
) -> list[Mission]:
    """End a mission, its descendants first when `cascade`; returns them in the order they ended."""
    order = levels([mission.id], core.book.parents()) if cascade else [[mission.id]]
    concerned = [[one for name in level if (one := core.book.live.get(name)) is not None] for level in order]
    if not any(concerned) and cause is Cause.STOP:
        raise not_running(mission)
    if not mission.is_live and cause is Cause.KILL:
        concerned[-1].append(mission)  # it is only hidden
    return await _end_levels(core, concerned, cause, grace)


async def _end_all(core: Supervisor, missions: Sequence[Mission], cause: Cause, grace: float | None) -> list[Mission]:
    return await _end_levels(core, [missions], cause, grace)


async def _end_levels(
    core: Supervisor, order: Sequence[Sequence[Mission]], cause: Cause, grace: float | None
) -> list[Mission]:
    """Mark all as stopping in one commit, so that none gets a child from then on; then end level after level.

    Each level has its own grace once the one before is gone, so the stored deadlines grow with the levels.
    """
    before: frozenset[str] = frozenset()
    for number, level in enumerate(order):
        for mission in level:
            core.ender.wait_for(mission.id, before)
            patience = mission.definition.grace if grace is None else grace
            core.book.tell(mission, EndAsked(cause, patience * (number + 1)), urgent=True)
        before = frozenset(mission.id for mission in level) or before
    ended = [await core.book.ended(mission.id) for level in order for mission in level]
    await core.isolation.calm([one.id for one in ended])
    survivors = [f"{one.id}: {', '.join(one.survivors)}" for one in ended if one.survivors]
    if survivors:
        message = f"Some processes could not be ended: {'; '.join(survivors)}. They are tried again each minute."
        raise OvermindError("survivors", message)
    return ended


def _with_process(core: Supervisor, text: str) -> Mission:
    mission = find_live(core.book, text)
    if mission.status not in HAS_PROCESS or mission.pid is None:
        raise OvermindError("not_running", f"{_is(mission)} It has no process now.")
    return mission


def _is(mission: Mission) -> str:
    return f"Mission {mission.id} ({mission.definition.name}) is {mission.status}."


async def update(core: Supervisor, request: Update, caller: Caller) -> dict[str, Any]:
    """Change a mission's definition; what it runs is not touched."""
    del caller
    mission = find(core.book, request.id)
    definition = validate.updated(mission.definition, request)
    if replace(definition, labels=mission.definition.labels) != mission.definition:
        check_editable(mission)
    if definition.name != mission.definition.name:
        holder = core.book.roster.holder(definition.name)
        if holder is not None:
            raise OvermindError(
                "name_taken",
                f"The name {definition.name!r} is taken by mission {holder}. Choose another one with --name",
                id=holder,
            )
    changed = replace(mission, definition=definition)
    core.book.put(changed, (Note("updated"),))
    await core.ledger.saved()
    return answers.brief(changed)


async def rm(core: Supervisor, request: One, caller: Caller) -> dict[str, Any]:
    """Remove a finished mission's record and log."""
    del caller
    mission = find(core.book, request.id)
    if mission.is_live:
        name = mission.definition.name
        raise OvermindError(
            "not_finished", f"Mission {mission.id} ({name}) is {mission.status}. Stop or kill it first."
        )
    if mission.definition.parent in core.plans.live:
        plan = core.plans.live[mission.definition.parent].blueprint.name
        raise OvermindError("not_finished", f"Mission {mission.id} is part of the plan {plan}, which still runs.")
    await remove(core, [mission.id])
    return answers.brief(mission)


async def prune(core: Supervisor, request: Prune, caller: Caller) -> dict[str, Any]:
    """Remove all missions that ended long enough ago, or only say which; what a live plan may refer to stays."""
    del caller
    before = core.clock.wall() - validate.seconds(request.older, "--older")
    core.ledger.flush()
    rows = [row for row in core.state.missions.finished_before(before) if row.parent not in core.plans.live]
    ids = [row.id for row in rows]
    size = await asyncio.to_thread(lambda: sum(folder_size(f"{core.home.logs}/{one}") for one in ids))
    if not request.dry_run:
        await remove(core, ids)
    return {"missions": [{"id": row.id, "name": row.name} for row in rows], "bytes": size}
