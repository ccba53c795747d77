"""`run` and `restart`: missions that begin, or begin again."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from overmind_core.agents.validate import agent as agent_of
from overmind_core.domain.missions import names
from overmind_core.domain.missions.facts import EndAsked, StartAsked
from overmind_core.domain.missions.mission import FINAL, Cause, Mission, Status
from overmind_core.errors import OvermindError
from overmind_core.kernel.api_server import HandingOver
from overmind_core.kernel.database import StoreError
from overmind_core.kernel.keeper_client import KeeperGone
from overmind_core.missions import answers, limits, validate
from overmind_core.missions.callers import mission_of
from overmind_core.missions.launcher import Environment
from overmind_core.missions.lookup import descends, find, line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from overmind_core.daemon.app import Supervisor
    from overmind_core.domain.agents.agent import Agent
    from overmind_core.isolation.plan import Planned
    from overmind_core.kernel.journal import Change
    from overmind_core.missions.callers import Caller
    from overmind_core.missions.requests import RestartArgs, Start

    Writing = Callable[[], None]

_NOT_ITS_END = frozenset({Cause.EXITED, Cause.CHANGE_OVER})
_random = random.SystemRandom()


async def run(
    core: Supervisor, request: Start, caller: Caller, *, also: Callable[[Mission], Writing] | None = None
) -> dict[str, Any]:
    """Record a mission, start it, answer once it runs; nothing is recorded when it can't.

    With a request key the same is asked for however often it is asked: it makes one mission. `also` is told of the new
    mission, and returns what is saved together with it.
    """
    if request.request is None:
        return await _begin(core, request, caller, also)
    earlier = _earlier(core, request.request)
    if earlier is not None:
        return _standing(earlier)
    return await core.beginning.do(request.request, lambda: _begin(core, request, caller, also))


async def begin_agent(
    core: Supervisor,
    request: Start,
    *,
    name: str,
    parent: str | None,
    also: Callable[[Mission], Writing] | None = None,
    service: bool = False,
) -> dict[str, Any]:
    """As `run`, for what the system itself names, such as an agent of a plan, its child; the request has a key.

    A service belongs to its parent: the limits of the tree are not for it.
    """
    assert request.request is not None
    earlier = _earlier(core, request.request)
    if earlier is not None:
        return _standing(earlier)
    if (holder := core.book.roster.holder(name)) is not None:
        told = f"The name {name!r} is taken by mission {holder}, most likely of a plan that was killed alone."
        raise OvermindError("name_taken", f"{told} End it first: overmind kill {holder}", id=holder)
    planned = await core.isolation.planned(request) if request.isolate else None
    return await _create(core, request, None, _Place(name, parent, planned=planned, service=service), also)


async def _begin(
    core: Supervisor, request: Start, caller: Caller, also: Callable[[Mission], Writing] | None
) -> dict[str, Any]:
    inside = mission_of(caller, core.book, core.home.root)
    parent = _parent(core, request, inside)
    planned = await core.isolation.planned(request)
    place = _Place(_name(core, request.name), parent, inside, planned)
    begun = await _create(core, request, caller, place, also)
    if request.isolate is False and await core.isolation.projects.has_file(request.cwd):
        begun["note"] = "not isolated: it shares files, ports and services with everybody else in this folder."
    return begun


class _Place(NamedTuple):
    """Where a new mission stands: its name, its parent, the mission that asked for it, what is to be its own."""

    name: str
    parent: str | None
    inside: str | None = None
    planned: Planned | None = None
    service: bool = False


async def _create(
    core: Supervisor,
    request: Start,
    caller: Caller | None,
    place: _Place,
    also: Callable[[Mission], Writing] | None = None,
) -> dict[str, Any]:
    name, parent, inside, planned, _ = place
    _check_open(core, parent, caller)
    _check_limits(core, request, place)
    agent = _bound(core, agent_of(request, core.settings), inside)
    definition = validate.definition(request, agent, name=name, parent=parent)
    mission = Mission(new_id(core), definition, core.clock.wall(), Status.STARTING, run=1)
    environment = Environment(request.env, request.env_set)
    if planned is not None:
        if not (planned.has_worktree and _is_below(definition.argv[0])):
            await core.spawner.check(mission, environment)
        mission = _isolated(mission, planned)
    writings = [] if also is None else [also(mission)]
    if agent is not None:
        writings.append(core.desk.create(mission, agent))
        mission = core.desk.ready(mission)
    try:
        with core.book.roster.reserved(name, mission.id):
            if planned is None:
                shared = core.isolation.shared(definition)
                await core.spawner.prepare(mission, environment._replace(chosen={**shared, **environment.chosen}))
            else:
                writings.append(await core.isolation.record(planned, mission))
            _check_open(core, parent, caller)  # once more: it took a moment
            _check_limits(core, request, place)
            changes = _record(core, mission, environment, request.request, writings)
    except BaseException:
        core.desk.drop(mission.id)
        core.isolation.drop(mission.id)
        raise
    await _saved(core, mission, changes)
    if planned is None:
        await _spawn(core, mission)
        return answers.brief(mission)
    core.isolation.begin(mission.id)
    return {**answers.brief(mission), "status": mission.status.value, "note": planned.note or None}


def _check_limits(core: Supervisor, request: Start, place: _Place) -> None:
    if not place.service:
        limits.check(core, place.parent, request.provider, inside=place.inside is not None)


def _is_below(program: str) -> bool:
    """Whether it is a path from the working directory: whether it is there, set-up may decide."""
    return "/" in program and not program.startswith("/")


def _isolated(mission: Mission, planned: Planned) -> Mission:
    """What is prepared before it is started, and where it then runs."""
    definition = replace(mission.definition, isolated=True, cwd=planned.folder(mission.id))
    return replace(mission, definition=definition, status=Status.PREPARING)


def _bound(core: Supervisor, agent: Agent | None, inside: str | None) -> Agent | None:
    """What was denied to an agent is denied to those that it starts."""
    denied = core.desk.denied(one.id for one in line(core.book, inside))
    return agent if agent is None or not denied else replace(agent, deny=tuple(dict.fromkeys((*agent.deny, *denied))))


def _check_open(core: Supervisor, parent: str | None, caller: Caller | None) -> None:
    """Nothing new begins in a daemon that is leaving, nor below a mission that is being ended."""
    if core.phase.handing_over:
        raise HandingOver
    if core.phase.closing:
        raise OvermindError("busy", "The daemon is shutting down.")
    above = None if parent is None else core.book.get(parent)
    if above is not None and above.ending is not None and above.ending.cause not in _NOT_ITS_END:
        raise OvermindError("not_running", f"The parent mission {above.id} ({above.definition.name}) is being ended.")
    if (above is None or not above.is_live) and caller is not None and caller.died_inside():
        raise OvermindError("not_running", "The mission that asked has ended.")


def _record(
    core: Supervisor, mission: Mission, environment: Environment, request: str | None, writings: Sequence[Writing]
) -> tuple[Change, ...]:
    text = msgspec.json.encode({"inherited": environment.inherited, "chosen": environment.chosen}).decode()

    def write() -> None:
        core.state.environments.save(mission.id, text)
        for writing in writings:
            writing()

    return core.book.add(mission, write, request)


async def _saved(core: Supervisor, mission: Mission, changes: tuple[Change, ...]) -> None:
    """Wait for the commit; what can't be saved isn't started."""
    try:
        await core.ledger.saved()
    except StoreError:
        core.ledger.withdraw(changes)
        core.spawner.forget(mission.id)
        core.book.roster.remove(mission.id)
        core.desk.drop(mission.id)
        core.isolation.drop(mission.id)
        raise


async def _spawn(core: Supervisor, mission: Mission) -> None:
    current = core.book.live.get(mission.id)
    if current is None:
        return
    try:
        await core.spawner.spawn(current)
    except KeeperGone:
        return  # it is on the books: whoever gets the next keeper settles it
    except Exception:  # what it may be: nothing that was not started stays recorded
        core.book.drop(mission)
        core.desk.drop(mission.id)
        raise
    await core.ledger.saved()


async def restart(core: Supervisor, request: RestartArgs, caller: Caller) -> dict[str, Any]:
    """Stop what runs, then start the same mission again."""
    del caller
    if request.lost:
        return await _restart_lost(core, dry_run=request.dry_run)
    if request.id is None:
        raise OvermindError("invalid", "Missing id: say which mission to restart.")
    mission = find(core.book, request.id)
    await _again(core, mission, request if request.fresh else None)
    return _standing(core.book.get(mission.id) or mission)


def _standing(mission: Mission) -> dict[str, Any]:
    """What is answered of a mission that may still be prepared."""
    status = {"status": mission.status.value} if mission.status is Status.PREPARING else {}
    return {**answers.brief(mission), **status}


async def _freshly(core: Supervisor, mission: Mission, *, force: bool) -> None:
    """End it, and remove what it has of its own: it gets all of that anew.

    Raises:
        OvermindError: `not_isolated`; `dirty` or `unmerged`, work would be lost and `force` is not set.
    """
    isolation = core.isolation.find(mission.id)
    if not force:
        await core.isolation.check(isolation)
    if mission.is_live:
        core.book.tell(mission, EndAsked(Cause.STOP, mission.definition.grace), urgent=True)
        await core.book.ended(mission.id)
        await core.isolation.calm([mission.id])
    await core.isolation.discard(isolation, force=force)


async def _restart_lost(core: Supervisor, *, dry_run: bool) -> dict[str, Any]:
    core.ledger.flush()
    rows = core.state.missions.all(statuses=[Status.CRASHED.value])
    lost = [mission for row in rows if (mission := core.book.get(row.id)) and mission.reason == "keeper_lost"]
    if not dry_run:
        for mission in lost:
            await _again(core, mission)
    return {"missions": [answers.brief(mission) for mission in lost]}


async def _again(core: Supervisor, mission: Mission, fresh: RestartArgs | None = None) -> None:
    mission = core.book.get(mission.id) or mission
    if fresh is not None:
        await _freshly(core, mission, force=fresh.force)
        mission = core.book.get(mission.id) or mission
    number = mission.run
    if mission.is_live:
        mission = core.book.tell(mission, EndAsked(Cause.RESTART, mission.definition.grace))
        mission = await core.book.until(mission.id, lambda now: not now.is_live or now.run != number)
    if mission.status in FINAL:
        _check_name_free(core, mission)
        mission = core.book.tell(mission, StartAsked())
    await core.ledger.saved()
    await core.book.until(mission.id, lambda now: now.status is not Status.STARTING)


def _check_name_free(core: Supervisor, mission: Mission) -> None:
    if core.book.roster.holder(mission.definition.name) is not None:
        name = mission.definition.name
        raise OvermindError("name_taken", f"A live mission is named {name!r} now. Rename one: overmind update --name")


def _earlier(core: Supervisor, request: str) -> Mission | None:
    """The mission that an earlier try of the same request made; one that is not saved yet is still under way."""
    row = core.state.missions.by_request(request)
    return None if row is None else core.book.get(row.id)


def _parent(core: Supervisor, request: Start, caller: str | None) -> str | None:
    """The parent's id: as asked, or the mission that the caller runs in."""
    if request.parent is None:
        return caller
    try:
        parent = find(core.book, request.parent)
    except OvermindError as error:
        if error.code == "not_found":
            raise OvermindError("parent_not_found", f"No mission named {request.parent!r} to be the parent.") from None
        raise
    if caller is not None and parent.id != caller and not descends(parent, caller, core.book):
        raise OvermindError("forbidden", f"A process inside mission {caller} may not start children of {parent.id}.")
    return parent.id


def _name(core: Supervisor, wanted: str | None) -> str:
    if wanted is None:
        return names.generate(core.book.roster.names, _random)
    name = validate.checked_name(wanted)
    holder = core.book.roster.holder(name)
    if holder is not None:
        raise OvermindError(
            "name_taken", f"The name {name!r} is taken by mission {holder}. Choose another one with --name", id=holder
        )
    return name


def new_id(core: Supervisor) -> str:
    """An id that no mission has."""
    while True:
        fresh = os.urandom(4).hex()
        if not fresh.isdigit() and not core.book.knows(fresh):
            return fresh
