"""All quests that run: what reaches them, and what is done about it.

Whatever a quest's mission or check reports leads to `next_step`, which decides from what is saved; so the next
supervisor goes on where this one was ended, and starts nothing twice: a check has a request key, another try is saved
in one commit with the state from which it follows.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from overmind_core.domain.missions.facts import StartAsked
from overmind_core.domain.missions.mission import Cause, Mission, Restart
from overmind_core.domain.quests import (
    CHECK,
    Finish,
    Quest,
    QuestStatus,
    RetryWork,
    StartCheck,
    Step,
    StopWork,
    Wait,
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

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.daemon.app import Supervisor
    from overmind_core.missions.changes import MissionChanged

KEPT = 1000
"""Ended quests that are remembered."""
EVENT = "quest"
RETRY_SECONDS = 1.0
"""Pause before something is tried again that could not be saved (a full disk)."""
_TRIM_EVERY = 50
_log = logging.getLogger(__name__)


class Quests:
    """Used from the loop's thread only; `live` is to be read."""

    def __init__(self, core: Supervisor) -> None:
        self._core = core
        self.live: dict[str, Quest] = {}
        self.ended: Callable[[Quest], None] = lambda _quest: None
        """Is told of each end once it is saved."""
        self._checks: dict[str, str] = {}
        """Mission that checks → its quest."""
        self._acting: set[str] = set()
        """Quests for which something is being started or stopped."""
        self._waiters: dict[str, list[asyncio.Future[Quest]]] = {}
        self._ends = 0

    def load(self) -> None:
        """Bring what runs into memory."""
        for row in self._core.state.quests.live():
            self._keep(store.quest(row))

    def take_up(self) -> None:
        """Go on where the supervisor before was ended."""
        for quest in list(self.live):
            self.consider(quest)

    def get(self, quest_id: str) -> Quest | None:
        """The quest of this exact id, running or not."""
        if quest_id in self.live:
            return self.live[quest_id]
        self._core.ledger.flush()
        row = self._core.state.quests.get(quest_id)
        return None if row is None else store.quest(row)

    def begun(self, quest: Quest) -> Callable[[], None]:
        """A quest whose mission is about to be saved; returns what is saved with that."""
        self._keep(quest)
        return lambda: self._core.state.quests.save(store.row(quest))

    def announce(self, quest_id: str) -> None:
        """It has begun."""
        if quest_id in self.live:
            self._tell(self.live[quest_id])

    def dropped(self, quest_id: str) -> None:
        """Its mission never came to be."""
        quest = self.live.pop(quest_id, None)
        self._tell_need()
        if quest is not None:
            self._core.ledger.save(lambda: self._core.state.quests.remove([quest_id]))

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
        await self._core.ledger.saved()
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
                raise OvermindError("gone", f"Quest {quest_id} is no longer kept.")
            return quest
        waiter: asyncio.Future[Quest] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(quest_id, []).append(waiter)
        return await waiter

    def consider(self, quest_id: str) -> None:
        """Decide what comes next for a quest, and do it."""
        quest = self.live.get(quest_id)
        if quest is None or quest_id in self._acting or self._core.phase.handing_over:
            return
        work = self._core.book.get(quest.id)
        check = None if quest.check_id is None else self._core.book.get(quest.check_id)
        step = next_step(quest, work, check, stopped=self._was_stopped(work) or self._was_stopped(check))
        if self._core.phase.closing and not isinstance(step, Finish | Wait):  # the daemon leaves, or doesn't after all
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
        """Whether a person ended its newest run: a program that ends well when it is told to has exit code 0, too."""
        if mission is None or mission.is_live:
            return False
        row = self._core.state.runs.latest(mission.id)
        by_hand = row is not None and row.number == mission.run and run_of(row).reason == Cause.STOP
        return by_hand or mission.reason == "restart_cancelled"

    # acting

    def _act(self, quest: Quest, work: Any) -> None:  # noqa: ANN401 - a coroutine without a result
        self._acting.add(quest.id)
        self._core.background(self._acted(quest.id, work))

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
        world, made = self._core.environment(work.id), work.definition
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
            begun = await self._core.missions.start_child(spec, also=self._linked(quest, attempt))
        except OvermindError as error:
            if self._core.phase.closing:
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
            return lambda: self._core.state.quests.save(store.row(linked))

        return link

    def _put_check(self, quest_id: str, check_id: str, attempt: int) -> None:
        quest = self.live.get(quest_id)
        if quest is not None and quest.check_id != check_id:
            self._checks.pop(quest.check_id or "", None)
            self._put(replace(quest, check_id=check_id, checked=attempt, attempts=attempt))

    async def _stop(self, quest: Quest) -> None:
        try:
            await self._core.missions.end(
                find(self._core.book, quest.id, live_first=True), Cause.STOP, cascade=True, grace=None
            )
        except OvermindError as error:
            _log.info("quest %s: %s", quest.id, error.message)

    def _again(self, quest: Quest, work: Mission, left: int) -> None:
        """Start the work once more: the mission's own policy goes on with the retries that are left."""
        holder = self._core.book.roster.holder(work.definition.name)
        if holder is not None:
            self._end(quest, work, Finish(QuestStatus.FAILED, "name_taken", 1))
            return
        policy = work.definition.restart
        fewer = replace(policy, when=Restart.ON_FAILURE if left else Restart.NEVER, max_restarts=left or 1)
        with self._core.ledger.together():
            self._put(replace(quest, attempts=work.restart_count + 2))
            self._core.book.tell(replace(work, definition=replace(work.definition, restart=fewer)), StartAsked())

    def _end(self, quest: Quest, work: Mission | None, end: Finish) -> None:
        attempts = quest.attempts if work is None else work.restart_count + 1
        over = replace(
            quest,
            status=end.status,
            reason=end.reason,
            exit_code=end.exit_code,
            attempts=attempts,
            ended_at=self._core.clock.wall(),
        )
        self.live.pop(quest.id, None)
        self._checks.pop(quest.check_id or "", None)
        self._tell(over)
        self._core.ledger.save(lambda: self._save_end(over), lambda: self._over(over), urgent=True)

    def _save_end(self, over: Quest) -> None:
        self._core.state.quests.save(store.row(over))
        self._ends += 1
        if self._ends % _TRIM_EVERY == 0:
            self._core.state.quests.trim(KEPT)

    def _over(self, quest: Quest) -> None:
        self._tell_need()
        for waiter in self._waiters.pop(quest.id, ()):
            if not waiter.done():
                waiter.set_result(quest)
        self.ended(quest)

    # keeping

    def _keep(self, quest: Quest) -> None:
        self.live[quest.id] = quest
        self._tell_need()
        if quest.check_id is not None:
            self._checks[quest.check_id] = quest.id

    def _tell_need(self) -> None:
        """Between the work and its check nothing may run: whoever follows us goes on all the same."""
        self._core.custody.need("quests", on=bool(self.live))

    def _put(self, quest: Quest) -> None:
        self._keep(quest)
        row = store.row(quest)
        self._core.ledger.save(lambda: self._core.state.quests.save(row))

    def _tell(self, quest: Quest) -> None:
        """Record an event about it."""
        event = {"type": EVENT, "mission": quest.id, "name": quest.name, "status": quest.status.value}
        self._core.book.event(event | ({} if quest.runs else {"reason": quest.reason, "exit_code": quest.exit_code}))
