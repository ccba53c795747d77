"""`rituals`, `ritual` and `ritual_create`, `_run`, `_pause`, `_resume`, `_delete`, `_history`: what comes again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.mission import Mission, Status
from overmind_core.domain.ritual import Ritual
from overmind_core.errors import OvermindError
from overmind_core.supervisor import intake
from overmind_core.supervisor.agents.intake import agent as agent_of
from overmind_core.supervisor.commands import questing
from overmind_core.supervisor.rituals import records
from overmind_core.supervisor.rituals.register import read
from overmind_core.supervisor.rituals.work import parted
from overmind_core.supervisor.spawner import Environment
from overmind_core.system.zone import system_zone

if TYPE_CHECKING:
    from overmind_core.supervisor import planrequests, requests
    from overmind_core.supervisor.callers import Caller
    from overmind_core.supervisor.core import Supervisor

_MILLISECOND = 3
"""Digits: an interval counts from a time that people can read."""


async def ritual_create(core: Supervisor, request: planrequests.RitualCreate, caller: Caller) -> dict[str, Any]:
    """Have something come again; answers it with the next times. A repeat with the same key answers the same."""
    del caller
    earlier = next(
        (one for one in core.rituals.register.all.values() if request.request and one.request == request.request), None
    )
    if earlier is None:
        earlier = await _create(core, request)
    return _details(core, earlier)


async def _create(core: Supervisor, request: planrequests.RitualCreate) -> Ritual:
    name = intake.checked_name(request.name)
    _check_free(core, name)
    now = round(core.clock.wall(), _MILLISECOND)
    schedule = read(request.schedule, request.zone or system_zone(os.environ), now)
    command = await _checked(core, request)
    _check_free(core, name)  # once more: it took a moment
    fields, environment = parted(_what(request))
    ritual = Ritual(
        id=_new_id(core),
        name=name,
        schedule=schedule.text,
        zone=schedule.zone,
        created_at=now,
        command=command,
        last=now,
        overlap=request.overlap,
        catch_up=request.catch_up,
        keep=request.keep,
        quest=fields if request.quest is not None else None,
        apply=fields if request.quest is None else None,
        request=request.request,
    )
    await core.rituals.create(ritual, environment)
    return ritual


def _what(request: planrequests.RitualCreate) -> planrequests.QuestRun | planrequests.Apply:
    if request.quest is not None:
        return request.quest
    assert request.apply is not None
    return msgspec.structs.replace(request.apply, dry_run=False, rerun=None)


async def _checked(core: Supervisor, request: planrequests.RitualCreate) -> str:
    """Refuse now what could never start; one line that says what comes again."""
    if (request.quest is None) is (request.apply is None):
        raise OvermindError("empty_command", "Missing command: say what comes again, or give a blueprint with --apply.")
    if request.apply is not None:
        return f"apply {request.apply.file or request.apply.blueprint.name}"
    assert request.quest is not None
    if request.quest.parent is not None:
        raise OvermindError("invalid", "--parent: a run of a ritual is nobody's child.")
    start = questing.as_start(request.quest)
    definition = intake.definition(start, agent := agent_of(start, core.settings), name=request.name, parent=None)
    if agent is None or not agent.program:
        mission = Mission("00000000", definition, 0.0, Status.STARTING)
        await core.spawner.check(mission, Environment(start.env, start.env_set))
    await core.isolation.planned(start)
    return definition.command


async def rituals(core: Supervisor, request: requests.Nothing, caller: Caller) -> list[dict[str, Any]]:
    """All rituals, by name."""
    del request, caller
    register = core.rituals.register
    found = sorted(register.all.values(), key=lambda one: one.name)
    return [records.row(one, register.runs(one), register.following(one)) for one in found]


async def ritual(core: Supervisor, request: planrequests.Ritual, caller: Caller) -> dict[str, Any]:
    """Everything known of one ritual, with its next times and its runs."""
    del caller
    return _details(core, core.rituals.register.find(request.id))


async def ritual_history(core: Supervisor, request: planrequests.Ritual, caller: Caller) -> list[dict[str, Any]]:
    """The runs of a ritual that are kept, oldest first."""
    del caller
    found = core.rituals.register.find(request.id)
    return [records.run_row(run, found) for run in core.rituals.register.runs(found)]


async def ritual_run(core: Supervisor, request: planrequests.RitualRun, caller: Caller) -> dict[str, Any]:
    """Run a ritual now; answers the run once it has begun, or waits for the one before."""
    del caller
    found = core.rituals.register.find(request.id)
    run = await core.rituals.run_now(found, request.request)
    return {"ritual": records.brief(found), **records.run_row(run, found)}


async def ritual_pause(core: Supervisor, request: planrequests.Ritual, caller: Caller) -> dict[str, Any]:
    """Have nothing more come by itself."""
    del caller
    return await _paused(core, request.id, paused=True)


async def ritual_resume(core: Supervisor, request: planrequests.Ritual, caller: Caller) -> dict[str, Any]:
    """Have it come again; what was due meanwhile is over."""
    del caller
    return await _paused(core, request.id, paused=False)


async def _paused(core: Supervisor, text: str, *, paused: bool) -> dict[str, Any]:
    changed = core.rituals.pause(core.rituals.register.find(text), paused=paused)
    await core.ledger.saved()
    return _details(core, changed)


async def ritual_delete(core: Supervisor, request: planrequests.Ritual, caller: Caller) -> dict[str, Any]:
    """Forget a ritual and its history; what runs of it goes on."""
    del caller
    found = core.rituals.register.find(request.id)
    core.rituals.forget(found)
    await core.ledger.saved()
    return records.brief(found)


def _details(core: Supervisor, found: Ritual) -> dict[str, Any]:
    register = core.rituals.register
    now = core.clock.wall()
    return records.details(found, register.runs(found), register.following(found), register.schedule(found), now)


def _check_free(core: Supervisor, name: str) -> None:
    holder = core.rituals.register.named(name)
    if holder is not None:
        raise OvermindError(
            "name_taken", f"A ritual is named {name!r} already. Delete it first: overmind ritual delete {name}",
            id=holder.id,
        )  # fmt: skip


def _new_id(core: Supervisor) -> str:
    while (fresh := os.urandom(4).hex()) in core.rituals.register.all:
        pass
    return fresh
