"""What a run of a ritual starts: a quest or a plan, by a key that makes it come once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from overmind_core.errors import OvermindError
from overmind_core.missions.callers import ourselves
from overmind_core.plans import api
from overmind_core.plans.requests import Apply, QuestRun
from overmind_core.quests import api as quests_api

if TYPE_CHECKING:
    from overmind_core.daemon.app import Supervisor
    from overmind_core.domain.schedules import Ritual, RitualRun

_Request = TypeVar("_Request")
ENVIRONMENTS = ("env", "env_set")
"""Fields that are kept apart from all others, as they may hold secrets."""


def parted(request: QuestRun | Apply) -> tuple[dict[str, Any], str]:
    """The fields of a request as they are stored, and its environments."""
    fields = msgspec.to_builtins(request)
    return fields, json.dumps({name: fields.pop(name) for name in ENVIRONMENTS if name in fields})


async def begin(core: Supervisor, ritual: Ritual, run: RitualRun) -> dict[str, Any]:
    """Start what the ritual is about; id and name of its mission.

    Raises:
        OvermindError: it can't be started.
    """
    core.ledger.flush()
    stored = core.state.rituals.environment(ritual.id)
    fields = {**(ritual.quest or ritual.apply or {}), **json.loads(stored or "{}")}
    fields["request"] = f"ritual:{ritual.id}:{run.number}"
    if ritual.quest is not None:
        request = _read(fields, QuestRun, ritual)
        return await quests_api.begin(core, request, name=f"{ritual.name}/{run.number}", ritual=ritual.name)
    return await _apply(core, _read(fields, Apply, ritual))


async def _apply(core: Supervisor, request: Apply) -> dict[str, Any]:
    """Start a plan of its own: one of the same name that somebody else has started is not touched."""
    assert request.request is not None
    core.ledger.flush()
    live = core.plans.named(request.blueprint.name)
    if live is not None and core.state.missions.by_request(request.request) is None:
        name = request.blueprint.name
        raise OvermindError("name_taken", f"A plan named {name!r} goes on: mission {live.id}.", id=live.id)
    return await api.apply(core, request, ourselves())


def _read(fields: dict[str, Any], kind: type[_Request], ritual: Ritual) -> _Request:
    """The request as it was given; another version of this program may have stored it.

    Raises:
        OvermindError: `invalid`, that one knew something that this one doesn't.
    """
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise OvermindError(
            "invalid", f"Ritual {ritual.name} is of another version: {error}. Create it anew."
        ) from None
