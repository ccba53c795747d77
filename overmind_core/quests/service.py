"""The service of quests that began at once: reacts to their missions and checks.

Each change of a quest's mission or check calls `next_step`, which decides from what is saved. So the next daemon goes
on where this one was ended, and starts nothing twice: a check has a request key, and another try is saved in one commit
with the state from which it follows.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.missions.facts import StartAsked
from overmind_core.domain.missions.mission import Cause, Mission, Restart, Status
from overmind_core.domain.missions.outcome import was_stopped
from overmind_core.domain.quests.classes import CHECK_FAILED, INTERNAL
from overmind_core.domain.quests.quest import (
    CHECK,
    Finish,
    KeepWaiting,
    Quest,
    QuestStatus,
    RetryWork,
    StartCheck,
    Step,
    StopWork,
    next_step,
)
from overmind_core.errors import OvermindError
from overmind_core.kernel.actor import handed_on
from overmind_core.kernel.api_server import HandingOver
from overmind_core.kernel.database import StoreError
from overmind_core.missions.lookup import find
from overmind_core.missions.spec import MissionSpec
from overmind_core.missions.validate import shell_definition
from overmind_core.quests.full_disk import ROOM_SECONDS, had_no_room

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from overmind_core.domain.missions.mission import Definition
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.keeper_client import CurrentKeeper
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.request import Caller
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.changes import MissionChanged
    from overmind_core.missions.environment import Environments
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions, Started
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home

    _Also = Callable[[Mission], Callable[[], None]]

RETRY_SECONDS = 1.0
"""Pause before a step that could not be saved is tried again, as on a full disk."""
_log = logging.getLogger(__name__)


class QuestTerms(NamedTuple):
    """The fields that a quest has beside those of its mission."""

    check: str | None
    """A shell command that exits 0 once the work is done; None: the exit code of the work itself counts."""
    retries: int
    ritual: str | None = None
    """The name of the ritual whose run it is."""


class QuestService:
    """Drives the quests that began at once. Used from the loop's thread only."""

    def __init__(
        self,
        *,
        quests: QuestRegistry,
        journal: Journal,
        clock: Clock,
        phase: Phase,
        tasks: Tasks,
        line: CurrentKeeper,
        registry: Registry,
        missions: Missions,
        environments: Environments,
        home: Home,
    ) -> None:
        self._quests = quests
        self._journal = journal
        self._clock = clock
        self._phase = phase
        self._tasks = tasks
        self._line = line
        self._registry = registry
        self._missions = missions
        self._environments = environments
        self._home = home
        self._running: set[str] = set()
        self._checks: dict[str, str] = {}
        """Id of the mission that checks → id of its quest."""
        self._acting: set[str] = set()
        """Quests for which something is being started or stopped."""

    def load(self) -> None:
        """Know the running quests and their checks."""
        for quest in self._quests.live.values():
            if not quest.is_queued:
                self._keep(quest)

    def resume(self) -> None:
        """Go on with quests that an earlier daemon had left unfinished."""
        for quest in list(self._running):
            self.consider(quest)

    def get(self, quest_id: str) -> Quest | None:
        """The quest with this id, unfinished or not."""
        return self._quests.get(quest_id)

    async def start(
        self, spec: MissionSpec, terms: QuestTerms, *, inside: str | None = None, caller: Caller | None = None
    ) -> Started:
        """Begin a quest; return once its work runs. A repeat with the same request key returns the same quest.

        Raises:
            OvermindError: as of `Missions.start`; nothing was recorded.
        """
        return await self._begin(
            terms, lambda also: self._missions.start(spec, inside=inside, caller=caller, also=also)
        )

    async def start_named(self, spec: MissionSpec, terms: QuestTerms) -> Started:
        """As `start`, for quests that the daemon makes itself: the spec has a name and a request key."""
        return await self._begin(terms, lambda also: self._missions.start_child(spec, also=also))

    async def _begin(self, terms: QuestTerms, start: Callable[[_Also], Awaitable[Started]]) -> Started:
        made: list[str] = []

        def also(mission: Mission) -> Callable[[], None]:
            made.append(mission.id)
            return self._record(mission, terms)

        try:
            started = await start(also)
        except BaseException:
            for quest_id in made:
                if quest_id not in self._registry.live:
                    self._drop(quest_id)
            raise
        for quest_id in made:
            self._announce(quest_id)
        return started

    def _record(self, mission: Mission, terms: QuestTerms) -> Callable[[], None]:
        """Add a quest whose mission is about to be saved; return what saves the quest in the same commit."""
        definition = mission.definition
        quest = Quest(
            id=mission.id,
            name=definition.name,
            command=definition.command,
            cwd=definition.cwd,
            provider=definition.provider,
            created_at=mission.created_at,
            check=terms.check,
            retries=terms.retries,
            ritual=terms.ritual,
        )
        write = self._quests.add(quest)
        self._keep(quest)
        return write

    def check_name(self, name: str | None, request: str | None) -> None:
        """Refuse the name of an unfinished quest: a quest keeps it while it is checked, after its mission has ended.

        Args:
            name: The wanted name.
            request: The key of the request: one that began the quest itself may be repeated.

        Raises:
            OvermindError: `name_taken`.
        """
        holder = None if name is None else self._quests.holder(name)
        quest = None if holder is None else self._quests.live[holder]
        if quest is not None and not self._is_of(quest, request):
            raise OvermindError("name_taken", f"The name {name!r} is taken by quest {quest.id}. Choose another one.")

    def _is_of(self, quest: Quest, request: str | None) -> bool:
        """Whether an earlier try of the same request began this quest."""
        earlier = None if request is None else self._missions.by_request(request)
        return earlier is not None and earlier.id == quest.id

    def _announce(self, quest_id: str) -> None:
        """Record that the quest has begun."""
        if quest_id in self._running:
            self._quests.record(self._quests.live[quest_id])

    def _drop(self, quest_id: str) -> None:
        """Drop a quest whose mission could not be saved."""
        self._running.discard(quest_id)
        self._hold_daemon()
        self._quests.drop(quest_id)

    def on_change(self, change: MissionChanged) -> None:
        """React to a saved change of a mission."""
        self.changed(change.saved)

    def changed(self, mission: Mission) -> None:
        """React to a change of a mission that is a quest's work or check."""
        if mission.status is Status.STARTING and mission.id in self._running:
            self._put_what_runs(mission.definition, self._quests.live[mission.id])
        quest_id = mission.id if mission.id in self._running else self._checks.get(mission.id)
        if quest_id is not None and not mission.is_live:
            asyncio.get_running_loop().call_soon(self.consider, quest_id)

    def _put_what_runs(self, definition: Definition, quest: Quest) -> None:
        """Save what a run begins with, which a person may have changed since the one before."""
        if (definition.command, definition.cwd) != (quest.command, quest.cwd):
            self._put(replace(quest, command=definition.command, cwd=definition.cwd))

    async def cancel(self, quest: Quest) -> Quest:
        """End a quest with its work and its check; return when no process of them is left."""
        if not quest.cancelling:
            self._put(replace(quest, cancelling=True))
        await self._journal.saved()
        self.consider(quest.id)
        return await self._quests.end_of(quest.id)

    async def end_of(self, quest_id: str) -> Quest:
        """Wait until the quest has ended, unless it has already; raises as `QuestRegistry.end_of` does."""
        return await self._quests.end_of(quest_id)

    def consider(self, quest_id: str) -> None:
        """Decide the next step of a quest, and take it."""
        quest = self._quests.live.get(quest_id)
        if quest is None or quest_id not in self._running or quest_id in self._acting or self._phase.handing_over:
            return
        work = self._registry.get(quest.id)
        check = None if quest.check_id is None else self._registry.get(quest.check_id)
        step = next_step(quest, work, check, stopped=was_stopped(work) or was_stopped(check))
        is_over = isinstance(step, Finish) and step.status is not QuestStatus.FAILED
        if self._phase.closing and not (is_over or isinstance(step, KeepWaiting)):  # it leaves, or doesn't after all
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self.consider, quest_id)
        elif check is not None and _blames_check(step):
            self._act(quest, self._judge(quest_id, check, step))
        else:
            try:
                self._do(quest, work, step)
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 - see `_acted`
                self._on_error(quest_id, error)

    def _do(self, quest: Quest, work: Mission | None, step: Step) -> None:
        match step:
            case Finish():
                self._end(quest, work, step)
            case RetryWork(left) if work is not None:
                self._again(quest, work, left)
            case StartCheck(attempt) if work is not None:
                self._act(quest, self._check(quest, work, attempt))
            case StopWork():
                self._act(quest, handed_on(self._stop(quest)))
            case _:
                pass

    # acting

    def _act(self, quest: Quest, work: Any) -> None:  # noqa: ANN401 - a coroutine without a result
        self._acting.add(quest.id)
        self._tasks.start(self._acted(quest.id, work))

    async def _acted(self, quest_id: str, work: Any) -> None:  # noqa: ANN401 - same
        """Take a step, then consider the quest again: something may have happened meanwhile."""
        try:
            await work
        except HandingOver:
            return  # the next daemon decides again
        except StoreError:
            await asyncio.sleep(RETRY_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody waits for it for ever
            self._on_error(quest_id, error)
            return
        finally:
            self._acting.discard(quest_id)
        self.consider(quest_id)

    def _on_error(self, quest_id: str, error: Exception) -> None:
        """A bug kept the quest from going on: it fails, unless something of it runs: its end leads on."""
        quest = self._quests.live.get(quest_id)
        _log.error("quest %s could not go on", quest_id if quest is None else quest.name, exc_info=error)
        if quest is None or self._phase.closing:
            return
        work = self._registry.get(quest_id)
        check = None if quest.check_id is None else self._registry.get(quest.check_id)
        if not any(one is not None and one.is_live for one in (work, check)):
            self._end(quest, work, Finish(QuestStatus.FAILED, INTERNAL, 1))

    async def _judge(self, quest_id: str, check: Mission, step: Step) -> None:
        """Take the step that a failed check leads to; where the disk was full, check once more when there is room."""
        full = waited = await had_no_room(check, self._home)
        until = self._clock.mono() + ROOM_SECONDS
        while (quest := self._quests.live.get(quest_id)) is not None:
            if quest.cancelling or self._phase.closing:
                return  # it is considered again
            if not full:
                break
            await asyncio.sleep(RETRY_SECONDS)
            if self._clock.mono() >= until:
                full, until = await had_no_room(check, self._home), self._clock.mono() + ROOM_SECONDS
        if quest is not None and waited:
            known = self._registry.get(check.id)  # somebody may have started or removed it meanwhile
            if known is not None and not known.is_live:
                self._registry.apply(known, StartAsked())
        elif quest is not None:
            self._do(quest, self._registry.get(quest_id), step)

    async def _check(self, quest: Quest, work: Mission, attempt: int) -> None:
        assert quest.check is not None
        world, made = self._environments.of(work.id), work.definition
        definition = shell_definition(
            quest.check,
            name=f"{quest.name}/{CHECK}",
            parent=work.id,
            cwd=made.cwd,
            umask=made.umask,
            timeout=made.timeout,
            labels=made.labels,
        )
        spec = MissionSpec(definition, world, request=f"quest:{quest.id}:check:{attempt}")
        try:
            begun = await self._missions.start_child(spec, also=self._linked(quest, attempt), limited=False)
        except OvermindError as error:
            if self._phase.closing:
                return
            _log.info("the check of quest %s could not start: %s", quest.id, error.message)
            self._end(self._quests.live[quest.id], work, Finish(QuestStatus.FAILED, error.code, 1))
            return
        self._put_check(quest.id, begun.mission.id, attempt)

    def _linked(self, quest: Quest, attempt: int) -> Callable[[Mission], Callable[[], None]]:
        """Record the check in its quest, in the commit that creates the check."""

        def link(mission: Mission) -> Callable[[], None]:
            linked = replace(self._quests.live[quest.id], check_id=mission.id, checked=attempt, attempts=attempt)
            self._checks[mission.id] = quest.id
            return self._quests.writing(linked)

        return link

    def _put_check(self, quest_id: str, check_id: str, attempt: int) -> None:
        quest = self._quests.live.get(quest_id)
        if quest is not None and quest.check_id != check_id:
            self._checks.pop(quest.check_id or "", None)
            checked = replace(quest, check_id=check_id, checked=attempt, attempts=attempt)
            self._put(checked)
            self._quests.record(checked)

    async def _stop(self, quest: Quest) -> None:
        try:
            await self._missions.end(
                find(self._registry, quest.id, live_first=True), Cause.STOP, cascade=True, grace=None
            )
        except OvermindError as error:
            _log.info("quest %s: %s", quest.id, error.message)

    def _again(self, quest: Quest, work: Mission, left: int) -> None:
        """Start the work once more; the mission's restart policy counts the retries that are left."""
        holder = self._registry.index.holder(work.definition.name)
        if holder is not None:
            self._end(quest, work, Finish(QuestStatus.FAILED, "name_taken", 1))
            return
        policy = work.definition.restart
        fewer = replace(policy, when=Restart.ON_FAILURE if left else Restart.NEVER, max_restarts=left or 1)
        with self._journal.together():
            tried_again = replace(quest, attempts=work.restart_count + 2)
            self._put(tried_again)
            self._quests.record(tried_again)
            self._registry.apply(replace(work, definition=replace(work.definition, restart=fewer)), StartAsked())

    def _end(self, quest: Quest, work: Mission | None, end: Finish) -> None:
        attempts = quest.attempts if work is None else work.restart_count + 1
        check = self._registry.get(quest.check_id or "") if end.reason == CHECK_FAILED else None
        limited = check or work
        over = replace(
            quest,
            status=end.status,
            reason=end.reason,
            exit_code=end.exit_code,
            attempts=attempts,
            limit=None if limited is None else limited.limit,
            ended_at=self._clock.wall(),
        )
        self._running.discard(quest.id)
        self._checks.pop(quest.check_id or "", None)
        self._quests.end(over, self._hold_daemon)

    # keeping

    def _keep(self, quest: Quest) -> None:
        self._running.add(quest.id)
        self._hold_daemon()
        if quest.check_id is not None:
            self._checks[quest.check_id] = quest.id

    def _hold_daemon(self) -> None:
        """Keep the daemon running, or have it started again, also between the work and its check, when nothing runs."""
        self._line.hold("quests", on=bool(self._running))

    def _put(self, quest: Quest) -> None:
        self._keep(quest)
        self._quests.put(quest)


def _blames_check(step: Step) -> bool:
    """Whether it follows from a check that has failed."""
    return isinstance(step, RetryWork) or (isinstance(step, Finish) and step.reason == CHECK_FAILED)
