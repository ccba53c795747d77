"""`quest_run`, `quests`, `quest`, `quest_wait`, `quest_cancel`: work that is tried until it is done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from overmind_core.agents.spec import spec_of
from overmind_core.domain.missions.mission import Kind
from overmind_core.domain.missions.reasons import FOREVER
from overmind_core.domain.quests.quest import HAS_ENDED, QuestStatus
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles
from overmind_core.missions import answers, validate
from overmind_core.missions.callers import forbid_foreign, forbid_inside, mission_of
from overmind_core.missions.lookup import parent_of
from overmind_core.quests import requests, store
from overmind_core.quests.answers import brief, end
from overmind_core.quests.service import QuestService, QuestTerms

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.request import Caller, Stream
    from overmind_core.missions.answer_types import StartedMission
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.store import MissionTable
    from overmind_core.quests.answer_types import QuestDetails, QuestEnd, QuestRow, QuestsFollowed
    from overmind_core.quests.attempts import Attempts
    from overmind_core.quests.queue_views import QueueViews
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.quests.store import QuestTable
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home


def as_start(request: requests.QuestRun) -> requests.QuestRun:
    """The request for the quest's mission: its retries are restarts of that.

    Raises:
        OvermindError: `invalid`, it would never end.
    """
    if request.restart != "never":
        raise OvermindError("invalid", "A quest ends on its own: use --retries N instead of --restart.")
    if request.type not in {None, Kind.TASK.value}:
        raise OvermindError("invalid", f"A quest is always a task: --type {request.type} is for overmind run.")
    if request.check is not None and not request.check.strip():
        raise OvermindError(
            "empty_command", "Missing check: give a command that exits 0 once it is done, as in --check 'make test'."
        )
    request = msgspec.structs.replace(request, type=Kind.TASK.value)
    if not validate.checked_retries(request.retries):
        return request
    return msgspec.structs.replace(request, restart="on-failure", max_restarts=request.retries, max_seconds=FOREVER)


class QuestApi:
    """The requests about quests."""

    def __init__(
        self,
        *,
        registry: Registry,
        home: Home,
        settings: Settings,
        quests: QuestService,
        every: QuestRegistry,
        attempts: Attempts,
        views: Callable[[], QueueViews],
        mission_table: MissionTable,
        journal: Journal,
        quest_table: QuestTable,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._home = home
        self._settings = settings
        self._quests = quests
        self._all = every
        self._attempts = attempts
        self._views = views
        self._mission_table = mission_table
        self._journal = journal
        self._quest_table = quest_table
        self._clock = clock

    @handles(requests.QuestRun)
    async def quest_run(self, request: requests.QuestRun, caller: Caller) -> StartedMission:
        """Begin a quest; answers once its work runs. With a request key a repeat answers the same quest."""
        start = as_start(request)
        self._quests.check_name(request.name, request.request)
        inside = mission_of(caller, self._registry, self._home.root)
        spec = spec_of(start, self._settings, parent=parent_of(self._registry, start.parent, inside))
        terms = QuestTerms(request.check, request.retries)
        return answers.started(await self._quests.start(spec, terms, inside=inside, caller=caller))

    @handles(requests.Quests)
    async def quests(self, request: requests.Quests, caller: Caller) -> list[QuestRow]:
        """The newest quests, oldest of them first."""
        del caller
        for status in request.status:
            if status not in set(QuestStatus):
                raise OvermindError("invalid", f"Unknown status {status!r}. Known: {', '.join(QuestStatus)}.")
        self._journal.flush()
        views = self._views()
        spec = None if request.spec is None else views.spec_id(request.spec)
        if request.ready:
            wanted = [one for one in self._all.live.values() if spec is None or one.spec == spec]
            return views.rows(views.ready(wanted)[: request.limit])
        rows = self._quest_table.newest(request.limit, statuses=request.status, spec=spec)
        return views.rows([self._all.live.get(row.id) or store.quest(row) for row in rows])

    @handles(requests.Quest)
    async def quest(self, request: requests.Quest, caller: Caller) -> QuestDetails:
        """Everything known of one quest."""
        del caller
        return self._views().details(self._all.find(request.id))

    @handles(requests.QuestWait)
    async def quest_wait(self, request: requests.QuestWait, caller: Caller) -> Stream[QuestsFollowed, QuestEnd]:
        """An item as each quest ends; `any`: only the first."""
        del caller
        found = [self._all.find(text) for text in request.ids]
        yield {"missions": [brief(one) for one in found]}
        waiting = {self._all.end_of(one) for one in dict.fromkeys(one.id for one in found)}
        try:
            for next_end in asyncio.as_completed(waiting):  # looks at each once, however many there are
                yield end(await next_end)
                if request.any:
                    return
        finally:
            for one_end in waiting:
                one_end.cancel()

    @handles(requests.Quest)
    async def quest_cancel(self, request: requests.Quest, caller: Caller) -> QuestEnd:
        """End a quest, its work and its check; answers when nothing of them lives. A failed one is left at that."""
        found = self._all.find(request.id, live_first=True, alone=True)
        if found.is_over and not self._attempts.is_open(found):
            raise OvermindError("not_running", f"Quest {found.id} ({found.name}) {HAS_ENDED[found.status]}.")
        work, inside = self._registry.get(found.id), mission_of(caller, self._registry, self._home.root)
        if work is not None:
            forbid_foreign(inside, work, self._registry, "cancel quest")
        else:
            forbid_inside(inside, "cancel queued quests")
        if found.is_over:
            self._attempts.settle(found)
            await self._journal.saved()
            return end(found)
        began = self._clock.wall()
        if found.is_queued:
            self._attempts.cancel(found)
            ended = end(await self._all.end_of(found.id))
        else:
            ended = end(await self._quests.cancel(found))
        if ended["status"] is QuestStatus.COMPLETED:  # what has landed by then has landed
            how = ", ".join(filter(None, ("completed", ended["achieved"])))
            raise OvermindError("not_running", f"Quest {found.id} ({found.name}) had landed already: {how}.")
        missions = map(self._registry.get, filter(None, (found.id, found.check_id)))
        if (note := answers.notes(filter(None, missions), began)) is not None:
            ended["note"] = note
        return ended
