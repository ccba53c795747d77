"""What a run of a ritual starts: a quest or a plan, by a key that makes it come once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from overmind_core.agents.spec import spec_of
from overmind_core.domain.missions.begun_by import RITUAL
from overmind_core.domain.plans.blueprint import MOST_RETRIES
from overmind_core.errors import OvermindError
from overmind_core.missions import answers
from overmind_core.plans.requests import Apply
from overmind_core.quests.api import as_start
from overmind_core.quests.requests import QuestRun
from overmind_core.quests.service import QuestTerms

if TYPE_CHECKING:
    from overmind_core.domain.schedules import Ritual, RitualRun
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.answer_types import MissionBrief
    from overmind_core.missions.ports import Preparer
    from overmind_core.plans.service import Plans
    from overmind_core.quests.service import QuestService
    from overmind_core.schedules.store import RitualTable

_Request = TypeVar("_Request")
ENVIRONMENTS = ("env", "env_set")
"""Fields that are kept apart from all others, as they may hold secrets."""


def parted(request: QuestRun | Apply) -> tuple[dict[str, Any], str]:
    """The fields of a request as they are stored, and its environments."""
    fields = msgspec.to_builtins(request)
    return fields, json.dumps({name: fields.pop(name) for name in ENVIRONMENTS if name in fields})


def _read(fields: dict[str, Any], kind: type[_Request], ritual: Ritual) -> _Request:
    """The request as it was given; another version of this program may have stored it.

    Raises:
        OvermindError: `invalid`, that one knew something that this one doesn't.
    """
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise OvermindError(
            "invalid", f"Ritual {ritual.name} is from another version: {error}. Create it again."
        ) from None


class Starter:
    """Starts what a ritual is about."""

    def __init__(
        self,
        *,
        journal: Journal,
        settings: Settings,
        quests: QuestService,
        plans: Plans,
        preparer: Preparer,
        ritual_table: RitualTable,
    ) -> None:
        self._journal = journal
        self._settings = settings
        self._quests = quests
        self._plans = plans
        self._preparer = preparer
        self._ritual_table = ritual_table

    async def start(self, ritual: Ritual, run: RitualRun) -> MissionBrief:
        """Start one run; id and name of its mission.

        Raises:
            OvermindError: it can't be started.
        """
        self._journal.flush()
        stored = self._ritual_table.environment(ritual.id)
        fields = {**(ritual.quest or ritual.apply or {}), **json.loads(stored or "{}")}
        fields["request"] = None
        key = f"{RITUAL}{ritual.id}:{run.number}"
        if ritual.quest is not None:
            wanted = msgspec.structs.replace(_read(fields, QuestRun, ritual), request=key)
            return await self._start_quest(wanted, f"{ritual.name}/{run.number}", ritual.name)
        return await self._start_plan(msgspec.structs.replace(_read(fields, Apply, ritual), request=key))

    async def _start_quest(self, request: QuestRun, name: str, ritual: str) -> MissionBrief:
        # One of an earlier version may have more.
        request = msgspec.structs.replace(request, retries=min(request.retries, MOST_RETRIES))
        wanted = as_start(request)
        spec = spec_of(wanted, self._settings, name=name)
        if spec.isolate is None:
            spec = replace(spec, isolate=await self._preparer.has_file(spec.definition.cwd))
        terms = QuestTerms(request.check, request.retries, ritual)
        return answers.started(await self._quests.start_named(spec, terms))

    async def _start_plan(self, request: Apply) -> MissionBrief:
        """Start a plan of its own: one of the same name that somebody else has started is not touched."""
        applied = await self._plans.apply(request, only_new=True)
        assert applied.id is not None, "expected a start, not a plan"
        return {"id": applied.id, "name": applied.name}
