"""The attempts of queued quests: each is driven from its lease to its end, whoever dies meanwhile.

What a quest's missions report leads to `next_attempt_step`, which decides from what is saved; what is begun for it has
a request key, so the next supervisor goes on where this one was ended, and begins nothing twice.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, assert_never

from overmind_core.domain.landing import list_text
from overmind_core.domain.missions.facts import EndAsked
from overmind_core.domain.missions.mission import Cause, Mission
from overmind_core.domain.missions.outcome import was_stopped
from overmind_core.domain.quests import attempt as steps
from overmind_core.domain.quests.attempt import AttemptMissions, in_phase, next_attempt_step
from overmind_core.domain.quests.checked_work import with_check_passed
from overmind_core.domain.quests.classes import BLOCKED, INTERNAL, UNFIT_TO_LAND, is_nobodys_fault
from overmind_core.domain.quests.hand_landing import AfterHandLanding, after_hand_landing
from overmind_core.domain.quests.life import is_done, is_refused, lands_on
from overmind_core.domain.quests.quest import LandedWork, Quest, QuestPhase, QuestStatus, QueueState
from overmind_core.domain.replacing import replace
from overmind_core.errors import OvermindError
from overmind_core.kernel.actor import handed_on
from overmind_core.kernel.api_server import HandingOver
from overmind_core.kernel.database import StoreError
from overmind_core.missions.lookup import find
from overmind_core.quests.full_disk import FullDisk
from overmind_core.quests.target_waits import TargetWaits

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from overmind_core.domain.quests.quest import FolderState, LandedWork
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.changes import MissionChanged
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.quests.attempt_work import AttemptWork
    from overmind_core.quests.look_ahead import Beginning
    from overmind_core.quests.outcomes import AttemptOutcomes
    from overmind_core.quests.ports import Asker, Lander
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home

    Then = Callable[[], None] | None
    Act = Coroutine[Any, Any, Then]
    """What is done for a quest; it returns what follows, None: look again."""

BLOCK_SECONDS = 0.5
"""From the answer to a report that blocks until the work is ended which has reported it: the answer is read first."""
RETRY_SECONDS = 1.0
"""Pause before a step that could not be saved is tried again, as on a full disk."""
CHANGED = "changed"
"""Code of a landing whose work is not what was shown to its reviewer: it is shown again."""
_log = logging.getLogger(__name__)


class Attempts:
    """Drives the attempts of queued quests. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        quests: QuestRegistry,
        journal: Journal,
        clock: Clock,
        phase: Phase,
        tasks: Tasks,
        registry: Registry,
        missions: Missions,
        work: Callable[[], AttemptWork],
        outcomes: Callable[[], AttemptOutcomes],
        lander: Lander,
        asker: Asker,
        home: Home,
    ) -> None:
        self._quests = quests
        self._journal = journal
        self._clock = clock
        self._phase = phase
        self._tasks = tasks
        self._registry = registry
        self._missions = missions
        self._work = work
        self._outcomes = outcomes
        self._lander = lander
        self._asker = asker
        self._full_disk = FullDisk(
            quests=quests,
            registry=registry,
            journal=journal,
            phase=phase,
            tasks=tasks,
            home=home,
            go_on=self.consider,
        )
        self.targets = TargetWaits(
            quests=quests,
            journal=journal,
            phase=phase,
            tasks=tasks,
            asker=asker,
            lander=lander,
            landing=lambda quest: self._work().landing(quest),
            go_on=self.consider,
        )
        """Those that wait for the checkout of their target."""
        self._acting: set[str] = set()
        """Quests for which something is being begun, judged or ended."""
        self._landings: dict[str, asyncio.Task[None]] = {}
        """Those of them that land."""
        self._beside: dict[str, str] = {}
        """Mission that checks or reviews → its quest."""

    def load(self) -> None:
        """Know the missions of those that are under way."""
        for quest in self._quests.live.values():
            self._know(quest)

    def resume(self) -> None:
        """Go on with quests that an earlier daemon had left unfinished."""
        self.targets.resume()
        for quest in list(self._quests.live.values()):
            if quest.queue is not None and quest.status is not QuestStatus.QUEUED:
                self.consider(quest.id)
                if quest.queue.blocked == len(quest.queue.tries):
                    self._end_soon(quest.id, quest.queue.blocked)  # the daemon that was about to has died

    def lease(self, quest: Quest) -> None:
        """Its turn has come: it has a slot from now on, and its work is begun."""
        work = self._registry.get(quest.id) if steps.has_run(quest) else None
        known = self._work().known(quest) if work is None else None
        self._put(steps.leased(quest, 1 if work is None else work.run + 1, self._clock.wall()))
        self._act(quest.id, self._begin(quest.id, is_new=work is None, known=known))

    def look_ahead(self, count: int, quests: Iterable[Quest]) -> None:
        """So many are queued, of which these may begin soon: what can be done for them is done while nobody waits."""
        self._work().look_ahead(count, quests)

    def on_unsaved_end(self, mission: Mission) -> None:
        """A mission has ended, which is not saved yet: what follows at once is saved with it."""
        quest_id = self._quest_of(mission)
        if quest_id is not None:
            self._journal.decide(lambda: self.consider(quest_id))

    def on_change(self, change: MissionChanged) -> None:
        """A state of a mission was saved: of the work of a quest, of its check or review."""
        mission = change.saved
        quest_id = self._quest_of(mission)
        if quest_id is not None and not mission.is_live:
            asyncio.get_running_loop().call_soon(self.consider, quest_id)

    def cancel(self, quest: Quest) -> None:
        """End it: what runs is stopped, and what is queued never begins."""
        if quest.status is QuestStatus.QUEUED:
            self._outcomes().cancelled(quest)
            return
        self._quests.put(replace(quest, cancelling=True))
        if (landing := self._landings.get(quest.id)) is not None:
            landing.cancel()  # what has landed by then has landed
        else:
            self.consider(quest.id)

    def is_open(self, quest: Quest) -> bool:
        """Whether it has failed, and a person has not decided yet what follows."""
        return quest.status is QuestStatus.FAILED and quest.id in self._asker.asked_about()

    def settle(self, quest: Quest) -> None:
        """A person leaves a failed quest at that."""
        self._asker.withdraw(quest.id)

    def landed_by_hand(self, quest_id: str, landed: LandedWork) -> None:
        """A person has landed work, which is being saved: whatever follows for its quest is saved with that."""
        quest = self._quests.get(quest_id)
        if quest is None or quest.queue is None:
            return
        then = after_hand_landing(quest, landed.branch)
        if then is AfterHandLanding.NOTHING:
            return
        earlier = quest.queue.landed
        is_elsewhere = earlier is not None and lands_on(quest, earlier.branch) and not lands_on(quest, landed.branch)
        known = replace(quest, queue=replace(quest.queue, landed=earlier if is_elsewhere else landed))
        if then is AfterHandLanding.NOTE:
            self._quests.put(known)
            return
        with self._journal.together():
            self.settle(quest)
            match then:
                case AfterHandLanding.SETTLE:
                    self._quests.amend(known)
                case AfterHandLanding.ACCEPT:
                    self.reviewed(known, good=True, text="")
                case AfterHandLanding.LAND_AGAIN:
                    self.land_again(known)
                case AfterHandLanding.COMPLETE:
                    self._outcomes().completed(known)
                case _:
                    assert_never(then)

    def reviewed(self, quest: Quest, *, good: bool, text: str, notes: Sequence[str] = ()) -> None:
        """A person has judged its work; `notes`: sentences of ours beside theirs."""
        if quest.status is not QuestStatus.REVIEW:
            return
        if good:
            self._go_on(in_phase(quest, QuestPhase.REVIEWING))
        else:
            self._outcomes().failed(quest, "review_denied", feedback=text, notes=notes)

    async def check_shown(self, quest: Quest) -> None:
        """See that its work is as it was shown to the person who is about to accept it; else it is shown again.

        Raises:
            OvermindError: `changed`, it is not, or can't land; `git_failed`, nobody can tell.
        """
        await self._outcomes().check_shown(quest)

    def land_again(self, quest: Quest) -> None:
        """Its target has refused it; a person says that it is to be tried again, or to land whatever that undoes."""
        if is_refused(quest) and quest.queue is not None:
            queue = quest.queue
            if queue.dropped:
                queue = replace(queue, dropped=(), refused=None, allowed=queue.refused)
            self._quests.put(replace(quest, reason=None, queue=queue))
            self.consider(quest.id)

    def keep_landed(self, quest: Quest, words: str) -> None:
        """It would undo what has landed; a person says that its next attempt is to keep that."""
        if is_refused(quest):
            self._outcomes().keep_landed(quest, words)

    def left_unmerged(self, quest: Quest) -> None:
        """Its target has refused it; a person says that it is to be left at that."""
        if is_refused(quest):
            self._outcomes().left_unmerged(quest)

    def block(self, quest_id: str, need: str) -> None:
        """Its work can't go on without another quest: it needs that now, and its attempt ends and does not count."""
        quest = self._quests.live.get(quest_id)
        if quest is None or quest.goal is None or quest.queue is None or need in quest.goal.needs or need == quest_id:
            return
        kept = quest.goal.needs
        if quest.goal.needs_min:  # enough of them have completed: the others are not needed
            kept = tuple(one for one in kept if self._is_done(one))
        self._end_attempt(replace(quest, goal=replace(quest.goal, needs=(*kept, need), needs_min=0)), quest.queue)

    def wait_for(self, quest_id: str, question: int) -> None:
        """Its work can't go on without the answer to a question: its attempt ends and does not count."""
        if (quest := self._quests.live.get(quest_id)) is not None and quest.queue is not None:
            self._end_attempt(quest, replace(quest.queue, waits_for=question))

    def answered(self, quest_id: str, words: str) -> None:
        """The question that it waits for was answered: its next attempt reads that."""
        quest = self._quests.live.get(quest_id)
        if quest is None or quest.queue is None or quest.queue.waits_for is None:
            return
        from overmind_core.domain.quests.briefing import with_words  # noqa: PLC0415 - for those who ask

        feedback = with_words(quest.queue.feedback, words)
        self._quests.put(replace(quest, queue=replace(quest.queue, waits_for=None, feedback=feedback)))

    def _is_done(self, quest_id: str) -> bool:
        quest = self._quests.get(quest_id)
        return quest is not None and is_done(quest)

    def _end_attempt(self, quest: Quest, queue: QueueState) -> None:
        """Save the quest with what it can't go on without; its newest attempt ends."""
        attempt = len(queue.tries)
        self._quests.put(replace(quest, queue=replace(queue, blocked=attempt)))
        self._end_soon(quest.id, attempt)

    def _end_soon(self, quest_id: str, attempt: int) -> None:
        asyncio.get_running_loop().call_later(BLOCK_SECONDS, self._end_blocked, quest_id, attempt)

    def _end_blocked(self, quest_id: str, attempt: int) -> None:
        work, quest = self._registry.live.get(quest_id), self._quests.live.get(quest_id)
        if work is not None and quest is not None and quest.queue is not None and len(quest.queue.tries) == attempt:
            text = "--- stopped: it needs what it has reported ---"
            ended = EndAsked(Cause.LIMIT, work.definition.grace, text, BLOCKED)
            self._registry.apply_if_legal(work, ended, urgent=True)

    # deciding

    def consider(self, quest_id: str) -> None:
        """Decide what comes next for a quest, and do it."""
        try:
            self._take_step(quest_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, a person is asked about it
            self._on_error(quest_id, error)

    def _take_step(self, quest_id: str) -> None:
        quest = self._quests.live.get(quest_id)
        if quest is None or quest.queue is None or quest.status is QuestStatus.QUEUED or quest_id in self._acting:
            return
        if self._phase.handing_over or (quest_id in self._registry.live and not quest.cancelling):
            return  # its work goes on, as after each start
        missions = self._missions_of(quest)
        step = next_attempt_step(quest, missions)
        if self._phase.closing and not isinstance(step, steps.KeepWaiting | steps.Complete | steps.Cancel):
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self.consider, quest_id)
            return
        self._do(quest, missions, step)

    def _do(self, quest: Quest, missions: AttemptMissions, step: steps.AttemptStep) -> None:  # noqa: C901, PLR0912 - one case per step
        match step:
            case steps.KeepWaiting():
                self._full_disk.wait(quest)
                self.targets.wait(quest)
            case steps.StartWork():
                self._act(quest.id, self._begin(quest.id))
            case steps.StopWork():
                self._act(quest.id, handed_on(self._stop(quest)))
            case steps.GatherOutputs():
                self._act(quest.id, self._gather(quest))
            case steps.StartCheck():
                self._start_beside(quest, missions, QuestPhase.CHECK)
            case steps.CompareChecked(state):
                self._act(quest.id, self._compare_checked(quest.id, state))
            case steps.StartReview():
                self._start_beside(quest, missions, QuestPhase.REVIEWING)
            case steps.JudgeReview():
                self._act(quest.id, self._judge(quest, missions))
            case steps.AskReview():
                self._act(quest.id, self._ask_review(quest.id))
            case steps.Land():
                self._begin_landing(quest)
            case steps.Complete():
                self._outcomes().completed(quest)
            case steps.Cancel(reason, code):
                self._outcomes().cancelled(quest, reason, code)
            case steps.Fail(mission, phase):
                self._act(quest.id, self._outcomes().fail_of(quest, mission, phase))

    def _go_on(self, quest: Quest, missions: AttemptMissions | None = None) -> None:
        """A phase went well."""
        assert quest.queue is not None
        known = missions or self._missions_of(quest)
        self._do(quest, known, steps.after(quest, quest.queue.phase))

    def _missions_of(self, quest: Quest) -> AttemptMissions:
        queue = quest.queue
        assert queue is not None
        work = self._registry.get(quest.id)
        checks = quest.check_id is not None and quest.checked == len(queue.tries)
        check = self._registry.get(quest.check_id) if checks and quest.check_id is not None else None
        review = None if queue.review_id is None else self._registry.get(queue.review_id)
        begun = work is not None and work.run >= queue.tries[-1].run
        stopped = any(was_stopped(one) for one in (work if begun else None, check, review))
        return AttemptMissions(work, check, review, stopped)

    def _quest_of(self, mission: Mission) -> str | None:
        quest = self._quests.live.get(mission.id)
        if quest is not None:
            return quest.id if quest.queue is not None else None
        return self._beside.get(mission.id)

    # acting

    def _act(self, quest_id: str, work: Act) -> asyncio.Task[None]:
        self._acting.add(quest_id)
        return self._tasks.start(self._acted(quest_id, work))

    async def _acted(self, quest_id: str, work: Act) -> None:
        """Do it, then what follows, or look again: something may have happened meanwhile."""
        then: Then = partial(self.consider, quest_id)
        try:
            then = await work or then
        except HandingOver:
            then = None  # the next daemon decides again
        except StoreError:
            await asyncio.sleep(RETRY_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever it is, a person is asked about it
            then = partial(self._on_error, quest_id, error)
        finally:
            self._acting.discard(quest_id)
            self._landings.pop(quest_id, None)
        if then is None:
            return
        try:
            then()
        except Exception as error:  # noqa: BLE001 - likewise
            self._on_error(quest_id, error)

    def _on_error(self, quest_id: str, error: Exception) -> None:
        """A bug kept the quest from going on: its attempt fails, and a person is asked.

        While something of it runs it goes on with that: its end leads to the next step. The next daemon takes the step
        that this one could not.
        """
        quest = self._quests.live.get(quest_id)
        _log.error("quest %s could not go on", quest_id if quest is None else quest.name, exc_info=error)
        if quest is None or quest.queue is None or quest.status is QuestStatus.QUEUED or self._phase.closing:
            return
        missions = self._missions_of(quest)
        if any(one is not None and one.is_live for one in (missions.work, missions.check, missions.review)):
            return
        note = f"It could not go on: {type(error).__name__}: {error}. See daemon.log"
        self._outcomes().failed(quest, INTERNAL, feedback="", notes=(note,))

    async def _begin(self, quest_id: str, *, is_new: bool = False, known: Beginning | None = None) -> Then:
        quest = self._quests.live.get(quest_id)
        if quest is None or quest.cancelling:
            return None
        try:
            await self._work().begin(quest, is_new=is_new, known=known)
        except OvermindError as error:
            self._refused(quest_id, error, QuestPhase.WORK)
        return None

    def _refused(self, quest_id: str, error: OvermindError, phase: QuestPhase) -> None:
        """Something of an attempt could not be started, or its work can't land, so that nobody reviews it."""
        from overmind_core.domain.quests.briefing import with_start_refusal  # noqa: PLC0415 - few daemons need it

        quest = self._quests.live.get(quest_id)
        if self._phase.closing or quest is None:
            return
        _log.info("quest %s: its %s could not start: %s", quest_id, phase.value, error.message)
        said = error.message if error.code in UNFIT_TO_LAND else with_start_refusal(phase, error.message)
        self._outcomes().failed(quest, error.code, feedback=said)

    def _start_beside(self, quest: Quest, missions: AttemptMissions, phase: QuestPhase) -> None:
        """Start the check, or the review, of an attempt."""
        if missions.work is None:
            return
        begun = in_phase(quest, phase)
        if begun != quest:
            self._put(begun)
        self._act(quest.id, self._beside_work(begun, missions.work, phase))

    async def _beside_work(self, quest: Quest, work: Mission, phase: QuestPhase) -> Then:
        start = self._work().check if phase is QuestPhase.CHECK else self._work().review
        try:
            mission = await start(quest, work, self._linked(quest.id, phase))
        except OvermindError as error:
            self._refused(quest.id, error, phase)
            return None
        if (current := self._quests.live.get(quest.id)) is not None:
            self._link(current, mission.id, phase)
        return None

    def _linked(self, quest_id: str, phase: QuestPhase) -> Callable[[Mission], Callable[[], None]]:
        """Record the mission in its quest, in the commit that creates the mission."""

        def link(mission: Mission) -> Callable[[], None]:
            self._beside[mission.id] = quest_id
            return self._quests.writing(_linked_to(self._quests.live[quest_id], mission.id, phase))

        return link

    def _link(self, quest: Quest, mission_id: str, phase: QuestPhase) -> None:
        linked = _linked_to(quest, mission_id, phase)
        self._beside[mission_id] = quest.id
        if linked != quest:
            self._quests.put(linked)

    async def _gather(self, quest: Quest) -> Then:
        problem = await self._work().output_problem(quest)
        current = self._quests.live.get(quest.id)
        if current is None:
            return None
        if problem is None:
            return partial(self._go_on, current)
        return partial(self._outcomes().failed, current, problem.failure, feedback=problem.text, notes=problem.notes)

    async def _compare_checked(self, quest_id: str, before: FolderState) -> Then:
        """Go on with what its check has passed; where that was of other files than those there now, it runs again."""
        state = await self._lander.work_state(quest_id)  # before it is compared: what is written meanwhile has changed
        changed: tuple[str, ...] = ()
        try:
            changed = await self._lander.changed_since(quest_id, before)
        except OvermindError as error:
            _log.info("the files of %s can't be compared with those that were checked: %s", quest_id, error.message)
            state = None
        current = self._quests.live.get(quest_id)
        if current is None or current.cancelling:
            return None
        if state is None:  # its landing will say so
            return partial(self._go_on, current)
        passed = with_check_passed(current, changed, state)
        again = passed.checked < current.checked
        with self._journal.together():
            self._quests.put(passed)
            if again:
                self._quests.record(passed, why=f"{list_text(changed)} changed while its check ran")
        return None if again else partial(self._go_on, passed)

    async def _judge(self, quest: Quest, missions: AttemptMissions) -> Then:
        """What a reviewing agent has decided; what can't be read is a person's to decide."""
        review = missions.review
        if review is not None and is_nobodys_fault(review):
            await self._outcomes().fail_of(quest, review, QuestPhase.REVIEWING)
            return None
        verdict = None if review is None or review.shell_exit else await self._work().verdict(quest)
        current = self._quests.live.get(quest.id)
        if current is None:
            return None
        if verdict is None:
            if review is not None and current.queue is not None:
                self._quests.put(replace(current, queue=replace(current.queue, undecided=review.id)))
            return await self._ask_review(quest.id)
        denied = partial(self._outcomes().failed, current, "review_denied", feedback=verdict.feedback)
        return await self._passed(current) if verdict.passes else denied

    async def _passed(self, reviewed: Quest) -> Then:
        """Go on with work that a reviewing agent has passed; where it may be other work by now, a person decides."""
        changed: tuple[str, ...] | None = None
        try:
            changed = await self._outcomes().changed_since_shown(reviewed)
        except OvermindError as error:
            _log.info("the work of %s can't be compared with what was reviewed: %s", reviewed.id, error.message)
        current = self._quests.live.get(reviewed.id)
        if current is None or current.cancelling or (changed is None and self._phase.closing):
            return None
        return partial(self._go_on, current) if changed == () else await self._ask_review(current.id, changed)

    async def _ask_review(self, quest_id: str, changed: Sequence[str] | None = ()) -> Then:
        await self._outcomes().ask_review(quest_id, changed)
        return None

    def _begin_landing(self, quest: Quest) -> None:
        if quest.queue is None or quest.queue.phase is not QuestPhase.LANDING or not quest.runs:
            self._put(in_phase(quest, QuestPhase.LANDING))
        self._act(quest.id, self._land(quest.id))

    async def _land(self, quest_id: str) -> Then:
        quest, task = self._quests.live.get(quest_id), asyncio.current_task()
        assert task is not None
        if quest is None or quest.goal is None or quest.cancelling:
            return None
        wish = self._work().landing(quest)
        # It can be broken off while it lands: not before it has begun, nor while its end is recorded, for then nobody
        # would look at the quest again.
        self._landings[quest_id] = task
        try:
            landed = await self._with_not_owned(quest, await self._lander.land(wish))
        except OvermindError as error:
            del self._landings[quest_id]
            if not self._phase.closing:
                if error.code == CHANGED:
                    await self._ask_review(quest_id, error.fields["files"])  # type: ignore[arg-type] # a list of texts
                else:
                    await self._outcomes().not_landed(quest_id, error)
                self.targets.report(quest_id, error)
            return None
        except asyncio.CancelledError:
            if not self._is_cancelling(quest_id) or self._phase.closing:
                raise
            landed = self._lander.landed(wish.request)
            if landed is None:
                return None  # a look tells that it is cancelled
        current = self._quests.live.get(quest_id)
        if current is not None and current.queue is not None:
            queue = replace(current.queue, landed=landed or current.queue.landed)
            self._outcomes().completed(replace(current, queue=queue))
        return None

    async def _with_not_owned(self, quest: Quest, landed: LandedWork | None) -> LandedWork | None:
        """Name the files that have landed and that are not the quest's own."""
        if landed is None or quest.goal is None or not quest.goal.owns:
            return landed
        return replace(landed, not_owned=await self._lander.not_owned(quest.id, quest.goal.owns, landed))

    def _is_cancelling(self, quest_id: str) -> bool:
        quest = self._quests.live.get(quest_id)
        return quest is not None and quest.cancelling

    async def _stop(self, quest: Quest) -> Then:
        try:
            work = find(self._registry, quest.id, live_first=True)
            await self._missions.end(work, Cause.STOP, cascade=True, grace=None)
        except OvermindError as error:
            _log.info("quest %s: %s", quest.id, error.message)
        return None

    # keeping

    def _put(self, quest: Quest) -> None:
        self._know(quest)
        self._quests.put(quest)
        self._quests.record(quest)

    def _know(self, quest: Quest) -> None:
        if quest.queue is None:
            return
        for mission_id in (quest.check_id, quest.queue.review_id):
            if mission_id is not None:
                self._beside[mission_id] = quest.id


def _linked_to(quest: Quest, mission_id: str, phase: QuestPhase) -> Quest:
    assert quest.queue is not None
    if phase is QuestPhase.CHECK:
        return replace(quest, check_id=mission_id, checked=len(quest.queue.tries))
    return replace(quest, queue=replace(quest.queue, review_id=mission_id))
