"""`definition`, `redefine`, `environment`: a mission as its person defines it, and the world that its programs have."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.definitions import editable
from overmind_core.domain.missions.facts import Note
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError
from overmind_core.missions import answers
from overmind_core.missions import environment as missions_environment
from overmind_core.missions.lookup import find
from overmind_core.missions.spec import Environment
from overmind_core.missions.validate import check_editable

if TYPE_CHECKING:
    from overmind_core.daemon.app import Supervisor
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.missions.callers import Caller
    from overmind_core.missions.requests import One, Redefine

_PLACES = frozenset({"command", "cwd", "env"})
"""What decides where a program is found."""


async def definition(core: Supervisor, request: One, caller: Caller) -> dict[str, Any]:
    """What can be changed of a mission, its secrets included, and how to name this state of it."""
    del caller
    mission = find(core.book, request.id)
    check_editable(mission)
    whole = _whole(core, mission)
    return {
        **answers.brief(mission),
        "provider": mission.definition.provider,
        "type": mission.definition.kind.value,
        "live": mission.is_live,
        "as_of": editable.fingerprint(whole),
        "definition": editable.shown(whole),
    }


async def redefine(core: Supervisor, request: Redefine, caller: Caller) -> dict[str, Any]:
    """Have a mission be something else from its next run on; answers the names of what has changed."""
    del caller
    mission = find(core.book, request.id)
    check_editable(mission)
    before = _unchanged(core, mission, request.as_of)
    after = editable.applied(before, request.definition, core.settings)
    changed = editable.changed(before, after)
    if _PLACES & set(changed):
        inherited = core.environment(mission.id).inherited
        await core.spawner.check(replace(mission, definition=after.definition),
                                 Environment(inherited, dict(after.chosen)))  # fmt: skip
        mission = find(core.book, mission.id)
        _unchanged(core, mission, request.as_of)
    if changed:
        _check_name(core, before, after)
        _store(core, mission, after)
        await core.ledger.saved()
    return {**answers.brief(core.book.get(mission.id) or mission), "changed": changed}


async def environment(core: Supervisor, request: One, caller: Caller) -> dict[str, Any]:
    """The folder, umask and environment of a mission's programs, for a shell beside it that is no part of it."""
    del caller
    mission = find(core.book, request.id)
    found = core.environment(mission.id)
    made = mission.definition
    identity = missions_environment.Identity(mission.id, made.name, to_wire(core.home.root), made.parent, made.cwd)
    composed = missions_environment.compose(
        found.inherited, found.chosen, identity, tty=False, unattended=False, tools=None
    )
    return {
        **answers.brief(mission),
        "cwd": made.cwd,
        "umask": made.umask,
        "env": {name: value for name, value in composed.items() if name not in missions_environment.MARKS},
    }


def _whole(core: Supervisor, mission: Mission) -> editable.Whole:
    return editable.Whole(mission.definition, core.desk.agent(mission.id), core.environment(mission.id).chosen)


def _unchanged(core: Supervisor, mission: Mission, as_of: str) -> editable.Whole:
    whole = _whole(core, mission)
    if editable.fingerprint(whole) != as_of:
        name = mission.definition.name
        raise OvermindError("busy", f"Mission {mission.id} ({name}) was changed meanwhile. Look at it, and edit again.")
    return whole


def _check_name(core: Supervisor, before: editable.Whole, after: editable.Whole) -> None:
    name = after.definition.name
    holder = None if name == before.definition.name else core.book.roster.holder(name)
    if holder is not None:
        raise OvermindError("name_taken", f"The name {name!r} is taken by mission {holder}.", id=holder)


def _store(core: Supervisor, mission: Mission, after: editable.Whole) -> None:
    """All of it in one commit."""
    parts = {"inherited": core.environment(mission.id).inherited, "chosen": after.chosen}
    text = msgspec.json.encode(parts).decode()
    with core.ledger.together():
        core.ledger.save(lambda: core.state.environments.save(mission.id, text))
        if after.agent is not None:
            core.desk.redefine(mission.id, after.agent)
        core.book.put(replace(mission, definition=after.definition), (Note("updated"),))
