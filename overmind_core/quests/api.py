"""`quest_run`, `quests`, `quest`, `quest_wait`, `quest_cancel`: work that is tried until it is done.

Also quests as the API shows them: JSON-able, times in RFC 3339, absent things null.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import msgspec

from overmind_core.agents.spec import spec_of
from overmind_core.domain.missions.mission import Kind, Mission
from overmind_core.domain.missions.references import Ambiguous, Candidate, ResolvedReference, resolve
from overmind_core.domain.quests import HAS_ENDED, Quest, QuestStatus
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles
from overmind_core.missions import answers
from overmind_core.missions.answers import time
from overmind_core.missions.callers import forbid_foreign, mission_of
from overmind_core.missions.lookup import parent_of
from overmind_core.missions.registry import decode_mission as stored_mission
from overmind_core.quests import requests, store
from overmind_core.quests.service import Goal, QuestService

if TYPE_CHECKING:
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.request import Caller, Stream
    from overmind_core.missions.answer_types import StartedMission
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.store import MissionTable
    from overmind_core.quests.answer_types import QuestBrief, QuestEnd, QuestInfo, QuestsFollowed
    from overmind_core.quests.store import QuestTable
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home


def brief(quest: Quest) -> QuestBrief:
    """Id and name: the answer of commands that change a quest."""
    return {"id": quest.id, "name": quest.name}


def end(quest: Quest) -> QuestEnd:
    """How a quest ended: the answer to whoever waited for it."""
    return {**brief(quest), "status": quest.status, "reason": quest.reason, "exit_code": quest.exit_code}


def row(quest: Quest, work: Mission | None, now: float) -> QuestInfo:
    """A quest in a list; `now` in seconds since the epoch, `work` its mission while that is there."""
    until = now if quest.ended_at is None else quest.ended_at
    attempts = quest.attempts if work is None or not quest.runs else work.restart_count + 1
    return {
        **end(quest),
        "phase": _phase(quest, work),
        "attempts": attempts,
        "retries": quest.retries,
        "check": quest.check,
        "check_id": quest.check_id,
        "command": quest.command,
        "cwd": quest.cwd,
        "provider": quest.provider,
        "ritual": quest.ritual,
        "mission": None if work is None else quest.id,
        "mission_status": None if work is None else work.status,
        "started_at": format_time(quest.created_at),
        "ended_at": time(quest.ended_at),
        "duration_seconds": round(max(0.0, until - quest.created_at), 3),
    }


def _phase(quest: Quest, work: Mission | None) -> Literal["work", "check"] | None:
    """What a quest that runs is doing: its work, or its check."""
    if not quest.runs:
        return None
    return "work" if work is None or work.is_live else "check"


FOREVER = "36500d"
"""The window of a quest's retries: none of them is ever forgotten."""


def as_start(request: requests.QuestRun) -> requests.QuestRun:
    """The request for the quest's mission: its retries are restarts of that.

    Raises:
        OvermindError: `invalid`, it would never end.
    """
    if request.restart != "never":
        raise OvermindError("invalid", "A quest ends on its own: use --retries N instead of --restart.")
    if request.type != Kind.TASK.value:
        raise OvermindError("invalid", f"A quest is always a task: --type {request.type} is for overmind run.")
    if request.check is not None and not request.check.strip():
        raise OvermindError(
            "empty_command", "Missing check: give a command that exits 0 once it is done, as in --check 'make test'."
        )
    if not request.retries:
        return request
    return msgspec.structs.replace(request, restart="on-failure", max_restarts=request.retries, max_seconds=FOREVER)


def _ambiguous(text: str, candidates: tuple[Candidate, ...]) -> OvermindError:
    listed = ", ".join(f"{one.id} ({one.name})" for one in candidates[:10])
    return OvermindError(
        "ambiguous",
        f"{text!r} matches several ids: {listed}. Give more characters.",
        candidates=[{"id": one.id, "name": one.name} for one in candidates],
    )


class QuestApi:
    """The requests about quests."""

    def __init__(
        self,
        *,
        registry: Registry,
        home: Home,
        settings: Settings,
        quests: QuestService,
        mission_table: MissionTable,
        journal: Journal,
        quest_table: QuestTable,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._home = home
        self._settings = settings
        self._quests = quests
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
        goal = Goal(request.check, request.retries)
        return answers.started(await self._quests.start(spec, goal, inside=inside, caller=caller))

    @handles(requests.Quests)
    async def quests(self, request: requests.Quests, caller: Caller) -> list[QuestInfo]:
        """The newest quests, oldest of them first."""
        del caller
        for status in request.status:
            if status not in set(QuestStatus):
                raise OvermindError("invalid", f"Unknown status {status!r}. Known: {', '.join(QuestStatus)}.")
        self._journal.flush()
        found = [store.quest(row) for row in self._quest_table.newest(request.limit, statuses=request.status)]
        works = {row.id: stored_mission(row) for row in self._mission_table.by_ids([quest.id for quest in found])}
        now = self._clock.wall()
        return [row(quest, self._registry.known(quest.id) or works.get(quest.id), now) for quest in found]

    @handles(requests.Quest)
    async def quest(self, request: requests.Quest, caller: Caller) -> QuestInfo:
        """Everything known of one quest."""
        del caller
        found = self.find(request.id)
        return row(found, self._registry.get(found.id), self._clock.wall())

    @handles(requests.QuestWait)
    async def quest_wait(self, request: requests.QuestWait, caller: Caller) -> Stream[QuestsFollowed, QuestEnd]:
        """An item as each quest ends; `any`: only the first."""
        del caller
        found = [self.find(text) for text in request.ids]
        yield {"missions": [brief(one) for one in found]}
        waiting = {asyncio.ensure_future(self._quests.end_of(one)) for one in dict.fromkeys(one.id for one in found)}
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield end(task.result())
                    if request.any:
                        return
        finally:
            for task in waiting:
                task.cancel()

    @handles(requests.Quest)
    async def quest_cancel(self, request: requests.Quest, caller: Caller) -> QuestEnd:
        """End a quest, its work and its check; answers when nothing of them lives."""
        found = self.find(request.id, live_first=True)
        if not found.runs:
            raise OvermindError("not_running", f"Quest {found.id} ({found.name}) {HAS_ENDED[found.status]}.")
        work = self._registry.get(found.id)
        if work is not None:
            forbid_foreign(mission_of(caller, self._registry, self._home.root), work, self._registry, "cancel quest")
        return end(await self._quests.cancel(found))

    def find(self, text: str, *, live_first: bool = False) -> Quest:
        """The quest that `text` means, by the rules for missions.

        Raises:
            OvermindError: `not_found`, or `ambiguous` with the candidates.
        """
        self._journal.flush()
        match resolve(text, self._quest_table.candidates(text), live_first=live_first):
            case ResolvedReference(candidate):
                found = self._quests.get(candidate.id)
                if found is not None:
                    return found
            case Ambiguous(candidates):
                raise _ambiguous(text, candidates)
        raise OvermindError("not_found", f"No quest named {text!r}. See them with: overmind quest list")
