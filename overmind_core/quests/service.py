"""The service of quests: what reaches those that run, and what is done about it.

Whatever a quest's mission or check reports leads to `next_step`, which decides from what is saved; so the next
supervisor goes on where this one was ended, and starts nothing twice: a check has a request key, another try is saved
in one commit with the state from which it follows.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from overmind_core.domain.missions.facts import StartAsked
from overmind_core.domain.missions.mission import Cause, Mission, Restart
from overmind_core.domain.quests import (
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
from overmind_core.kernel.api_server import HandingOver
from overmind_core.kernel.database import StoreError
from overmind_core.missions.lookup import find
from overmind_core.missions.registry import run_of
from overmind_core.missions.spec import MissionSpec
from overmind_core.missions.validate import shell_definition
from overmind_core.quests import store
from overmind_core.quests.events import QuestChanged

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from overmind_core.kernel.bus import Bus
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.keeper_client import CurrentKeeper
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.request import Caller
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.changes import MissionChanged
    from overmind_core.missions.environment import Environments
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions, Started
    from overmind_core.missions.store import RunTable
    from overmind_core.quests.store import QuestTable
    from overmind_core.system.machine import Clock

    _Also = Callable[[Mission], Callable[[], None]]

KEPT = 1000
"""Ended quests that are remembered."""
RETRY_SECONDS = 1.0
"""Pause before something is tried again that could not be saved (a full disk)."""
_TRIM_EVERY = 50
_log = logging.getLogger(__name__)


class Goal(NamedTuple):
    """What makes a mission a quest."""

    check: str | None
    """A shell command that exits 0 once the work is done; None: the work's own exit tells."""
    retries: int
    ritual: str | None = None
    """The name of the ritual whose run it is."""


class QuestEnded(NamedTuple):
    """A quest has ended, and that is saved."""

    quest: Quest


class QuestService:
    """Used from the loop's thread only; `live` is to be read."""

    def __init__(
        self,
        *,
        bus: Bus,
        journal: Journal,
        events: EventLog,
        clock: Clock,
        phase: Phase,
        tasks: Tasks,
        line: CurrentKeeper,
        registry: Registry,
        missions: Missions,
        environments: Environments,
        quest_table: QuestTable,
        run_table: RunTable,
    ) -> None:
        self._bus = bus
        self._journal = journal
        self._events = events
        self._clock = clock
        self._phase = phase
        self._tasks = tasks
        self._line = line
        self._registry = registry
        self._missions = missions
        self._environments = environments
        self._quest_table = quest_table
        self._run_table = run_table
        self.live: dict[str, Quest] = {}
        self._checks: dict[str, str] = {}
        """Mission that checks → its quest."""
        self._acting: set[str] = set()
        """Quests for which something is being started or stopped."""
        self._waiters: dict[str, list[asyncio.Future[Quest]]] = {}
        self._ends = 0

    def load(self) -> None:
        """Bring what runs into memory."""
        for row in self._quest_table.live():
            self._keep(store.quest(row))

    def resume(self) -> None:
        """Go on where the supervisor before was ended."""
        for quest in list(self.live):
            self.consider(quest)

    def get(self, quest_id: str) -> Quest | None:
        """The quest of this exact id, running or not."""
        if quest_id in self.live:
            return self.live[quest_id]
        self._journal.flush()
        row = self._quest_table.get(quest_id)
        return None if row is None else store.quest(row)

    async def start(
        self, spec: MissionSpec, goal: Goal, *, inside: str | None = None, caller: Caller | None = None
    ) -> Started:
        """Begin a quest; answers once its work runs. With a request key a repeat answers the same quest.

        Raises:
            OvermindError: as of `Missions.start`; nothing is recorded then.
        """
        return await self._begin(goal, lambda also: self._missions.start(spec, inside=inside, caller=caller, also=also))

    async def start_named(self, spec: MissionSpec, goal: Goal) -> Started:
        """As `start`, for what the system itself names: the spec has a name and a request key."""
        return await self._begin(goal, lambda also: self._missions.start_child(spec, also=also))

    async def _begin(self, goal: Goal, start: Callable[[_Also], Awaitable[Started]]) -> Started:
        made: list[str] = []

        def also(mission: Mission) -> Callable[[], None]:
            made.append(mission.id)
            return self._record(mission, goal)

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

    def _record(self, mission: Mission, goal: Goal) -> Callable[[], None]:
        """A quest whose mission is about to be saved; returns what is saved with that."""
        definition = mission.definition
        quest = Quest(
            id=mission.id,
            name=definition.name,
            command=definition.command,
            cwd=definition.cwd,
            provider=definition.provider,
            created_at=mission.created_at,
            check=goal.check,
            retries=goal.retries,
            ritual=goal.ritual,
        )
        self._keep(quest)
        return lambda: self._quest_table.save(store.row(quest))

    def check_name(self, name: str | None, request: str | None) -> None:
        """Refuse a name that a quest has: it keeps it while it is checked, when its mission has ended.

        Args:
            name: As wanted.
            request: The key of the request: one that began the quest itself may be repeated.

        Raises:
            OvermindError: `name_taken`.
        """
        for quest in self.live.values() if name is not None else ():
            if quest.name == name and not self._is_of(quest, request):
                raise OvermindError(
                    "name_taken", f"The name {name!r} is taken by quest {quest.id}. Choose another one."
                )

    def _is_of(self, quest: Quest, request: str | None) -> bool:
        """Whether it is the quest that an earlier try of the same request began."""
        earlier = None if request is None else self._missions.by_request(request)
        return earlier is not None and earlier.id == quest.id

    def _announce(self, quest_id: str) -> None:
        """It has begun."""
        if quest_id in self.live:
            self._record_event(self.live[quest_id])

    def _drop(self, quest_id: str) -> None:
        """Its mission never came to be."""
        quest = self.live.pop(quest_id, None)
        self._hold_daemon()
        if quest is not None:
            self._journal.save(lambda: self._quest_table.remove([quest_id]))

    def on_change(self, change: MissionChanged) -> None:
        """A state of a mission was saved."""
        self.changed(change.saved)

    def changed(self, mission: Mission) -> None:
        """A mission has changed: the work of a quest, or its check."""
        quest_id = mission.id if mission.id in self.live else self._checks.get(mission.id)
        if quest_id is not None and not mission.is_live:
            asyncio.get_running_loop().call_soon(self.consider, quest_id)

    async def cancel(self, quest: Quest) -> Quest:
        """End it, its work and its check; returns when nothing of them lives."""
        if not quest.cancelling:
            self._put(replace(quest, cancelling=True))
        await self._journal.saved()
        self.consider(quest.id)
        return await self.end_of(quest.id)

    async def end_of(self, quest_id: str) -> Quest:
        """Wait until the quest has ended; at once when it has.

        Raises:
            OvermindError: `gone`, it is not known.
        """
        if quest_id not in self.live:
            quest = self.get(quest_id)
            if quest is None:
                raise OvermindError("gone", f"Quest {quest_id} has been removed.")
            return quest
        waiter: asyncio.Future[Quest] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(quest_id, []).append(waiter)
        return await waiter

    def consider(self, quest_id: str) -> None:
        """Decide what comes next for a quest, and do it."""
        quest = self.live.get(quest_id)
        if quest is None or quest_id in self._acting or self._phase.handing_over:
            return
        work = self._registry.get(quest.id)
        check = None if quest.check_id is None else self._registry.get(quest.check_id)
        step = next_step(quest, work, check, stopped=self._was_stopped(work) or self._was_stopped(check))
        if self._phase.closing and not isinstance(
            step, Finish | KeepWaiting
        ):  # the daemon leaves, or doesn't after all
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self.consider, quest_id)
        else:
            self._do(quest, work, step)

    def _do(self, quest: Quest, work: Mission | None, step: Step) -> None:
        match step:
            case Finish():
                self._end(quest, work, step)
            case RetryWork(left) if work is not None:
                self._again(quest, work, left)
            case StartCheck(attempt) if work is not None:
                self._act(quest, self._check(quest, work, attempt))
            case StopWork():
                self._act(quest, self._stop(quest))
            case _:
                pass

    def _was_stopped(self, mission: Mission | None) -> bool:
        """Whether a person ended its newest run: a program that ends well when it is asked to has exit code 0, too."""
        if mission is None or mission.is_live:
            return False
        row = self._run_table.latest(mission.id)
        by_hand = row is not None and row.number == mission.run and run_of(row).reason == Cause.STOP
        return by_hand or mission.reason == "restart_cancelled"

    # acting

    def _act(self, quest: Quest, work: Any) -> None:  # noqa: ANN401 - a coroutine without a result
        self._acting.add(quest.id)
        self._tasks.start(self._acted(quest.id, work))

    async def _acted(self, quest_id: str, work: Any) -> None:  # noqa: ANN401 - same
        """Do it, then look again: something may have happened meanwhile."""
        try:
            await work
        except HandingOver:
            return  # the next supervisor finds it as it was
        except StoreError:
            await asyncio.sleep(RETRY_SECONDS)
        finally:
            self._acting.discard(quest_id)
        self.consider(quest_id)

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
            begun = await self._missions.start_child(spec, also=self._linked(quest, attempt))
        except OvermindError as error:
            if self._phase.closing:
                return
            _log.info("the check of quest %s could not start: %s", quest.id, error.message)
            self._end(self.live[quest.id], work, Finish(QuestStatus.FAILED, error.code, 1))
            return
        self._put_check(quest.id, begun.mission.id, attempt)

    def _linked(self, quest: Quest, attempt: int) -> Callable[[Mission], Callable[[], None]]:
        """Have the quest know its check in the commit that makes it."""

        def link(mission: Mission) -> Callable[[], None]:
            linked = replace(self.live[quest.id], check_id=mission.id, checked=attempt, attempts=attempt)
            self._checks[mission.id] = quest.id
            return lambda: self._quest_table.save(store.row(linked))

        return link

    def _put_check(self, quest_id: str, check_id: str, attempt: int) -> None:
        quest = self.live.get(quest_id)
        if quest is not None and quest.check_id != check_id:
            self._checks.pop(quest.check_id or "", None)
            self._put(replace(quest, check_id=check_id, checked=attempt, attempts=attempt))

    async def _stop(self, quest: Quest) -> None:
        try:
            await self._missions.end(
                find(self._registry, quest.id, live_first=True), Cause.STOP, cascade=True, grace=None
            )
        except OvermindError as error:
            _log.info("quest %s: %s", quest.id, error.message)

    def _again(self, quest: Quest, work: Mission, left: int) -> None:
        """Start the work once more: the mission's own policy goes on with the retries that are left."""
        holder = self._registry.index.holder(work.definition.name)
        if holder is not None:
            self._end(quest, work, Finish(QuestStatus.FAILED, "name_taken", 1))
            return
        policy = work.definition.restart
        fewer = replace(policy, when=Restart.ON_FAILURE if left else Restart.NEVER, max_restarts=left or 1)
        with self._journal.together():
            self._put(replace(quest, attempts=work.restart_count + 2))
            self._registry.apply(replace(work, definition=replace(work.definition, restart=fewer)), StartAsked())

    def _end(self, quest: Quest, work: Mission | None, end: Finish) -> None:
        attempts = quest.attempts if work is None else work.restart_count + 1
        over = replace(
            quest,
            status=end.status,
            reason=end.reason,
            exit_code=end.exit_code,
            attempts=attempts,
            ended_at=self._clock.wall(),
        )
        self.live.pop(quest.id, None)
        self._checks.pop(quest.check_id or "", None)
        self._record_event(over)
        self._journal.save(lambda: self._save_end(over), lambda: self._over(over), urgent=True)

    def _save_end(self, over: Quest) -> None:
        self._quest_table.save(store.row(over))
        self._ends += 1
        if self._ends % _TRIM_EVERY == 1:  # with the first one, too: a supervisor may see few of them end
            self._quest_table.trim(KEPT)

    def _over(self, quest: Quest) -> None:
        self._hold_daemon()
        for waiter in self._waiters.pop(quest.id, ()):
            if not waiter.done():
                waiter.set_result(quest)
        self._bus.publish(QuestEnded(quest))

    # keeping

    def _keep(self, quest: Quest) -> None:
        self.live[quest.id] = quest
        self._hold_daemon()
        if quest.check_id is not None:
            self._checks[quest.check_id] = quest.id

    def _hold_daemon(self) -> None:
        """Between the work and its check nothing may run: whoever follows us goes on all the same."""
        self._line.hold("quests", on=bool(self.live))

    def _put(self, quest: Quest) -> None:
        self._keep(quest)
        row = store.row(quest)
        self._journal.save(lambda: self._quest_table.save(row))

    def _record_event(self, quest: Quest) -> None:
        """Record an event about it."""
        event = QuestChanged(mission=quest.id, name=quest.name, status=quest.status.value)
        if not quest.runs:
            event = msgspec.structs.replace(event, reason=quest.reason, exit_code=quest.exit_code)
        self._events.record(event)
