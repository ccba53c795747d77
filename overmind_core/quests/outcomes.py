"""Outcomes of attempts of queued quests: completed, another attempt later, failed for good, or cancelled.

Each outcome is one commit: the quest, its event, and the question to a person if there is one.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.engine_questions import UNDOES_LANDED, EngineNeed
from overmind_core.domain.landing import list_text
from overmind_core.domain.missions.reasons import RETRIES_SPENT, not_owned_text, sentence
from overmind_core.domain.quests import briefing
from overmind_core.domain.quests.attempt import (
    attempt_ended,
    in_review,
    was_shown_to_person,
    with_conflict,
    with_denied,
    work_exit,
)
from overmind_core.domain.quests.classes import (
    CHECK_FAILED,
    CONFLICT_LEFT,
    CONFLICTS,
    NO_CHANGE,
    UNFIT_TO_LAND,
    VERIFY_FAILED,
    WORK_LOST,
    Requeue,
    after_failure,
    class_of,
    is_nobodys_fault,
    is_redone,
    requeued,
)
from overmind_core.domain.quests.life import DISK_FULL, left_conflict, no_verdict, waits_for_target
from overmind_core.domain.quests.quest import DroppedChange, Quest, QuestPhase, QuestStatus, UndoingLanding
from overmind_core.domain.quests.resolution import beyond_allowed, dropped_lines, dropped_sentence
from overmind_core.domain.quests.shared_folder import newest_state, review_lines, shown_state, with_shown
from overmind_core.domain.replacing import replace
from overmind_core.errors import OvermindError
from overmind_core.logs.run_output import ending, newest
from overmind_core.quests import question_subjects
from overmind_core.quests.full_disk import had_no_room

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.quests.quest import FolderState, QueueState
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.registry import Registry
    from overmind_core.quests.ports import AgentWork, Asker, Lander
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home

TAIL = 16 * 1024
"""Bytes, from the end of what failed, that the next attempt gets."""
MOST_LINES = 400
"""Lines of changes in a question."""
UNCHANGED = "Nothing was changed or committed."
"""What the next attempt is told of one that left nothing to land."""
FENCED = "fenced"
"""Code of a landing that came too late: another hive may have the work."""
WORK_AT_FAULT = UNFIT_TO_LAND | {CONFLICTS, VERIFY_FAILED, WORK_LOST}
"""Codes of a failed landing that the next attempt can fix; with all others the target branch is at fault."""

NO_WORK = frozenset({"not_found", "not_running"})
"""Codes of a landing of which neither the mission nor what it had of its own is known any more."""


class AttemptOutcomes:
    """Records outcomes. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        quests: QuestRegistry,
        journal: Journal,
        clock: Clock,
        settings: Settings,
        registry: Registry,
        agents: AgentWork,
        asker: Asker,
        lander: Lander,
        home: Home,
    ) -> None:
        self._quests = quests
        self._journal = journal
        self._clock = clock
        self._settings = settings
        self._registry = registry
        self._agents = agents
        self._asker = asker
        self._lander = lander
        self._home = home
        self.on_end: Callable[[Quest], None] = _no_one
        """Called with a quest whose newest attempt is over, in the commit that saves that."""

    def completed(self, quest: Quest) -> None:
        """Record that the work is done; of a queued quest, as a person has landed it by hand."""
        queue = quest.queue
        assert queue is not None
        runs = quest.status is not QuestStatus.QUEUED
        if runs:
            queue = self._ended(quest, None, 0)
        queue = replace(queue, free=0, failure=None, waits_for=None)
        over = self._over(quest, QuestStatus.COMPLETED, None, 0, queue)
        with self._journal.together():
            self._end(over)
            if runs:
                self.on_end(over)

    def cancelled(self, quest: Quest, reason: str | None = None, exit_code: int | None = None) -> None:
        """Record that somebody has ended it; a person may give it another round.

        Args:
            quest: As it stands.
            reason: None: its own command has cancelled it.
            exit_code: Of what was stopped or had failed; None: nothing, so its attempt has that of its work.
        """
        queue = quest.queue
        assert queue is not None
        runs = quest.status is not QuestStatus.QUEUED
        if runs:
            code = work_exit(quest, self._registry.get(quest.id)) if exit_code is None else exit_code
            queue = self._ended(quest, None, code)
        over = self._over(quest, QuestStatus.CANCELLED, reason, exit_code or None, queue)
        if runs:  # by this moment its attempt is known to be the one that ended with it
            over = replace(over, ended_at=queue.tries[-1].ended_at)
        with self._journal.together():
            self._end(over)
            if runs:
                self.on_end(over)

    async def fail_of(self, quest: Quest, mission: Mission | None, phase: QuestPhase) -> None:
        """Record that the attempt has failed because of a mission: the work, its check or its review."""
        beside = None if phase is QuestPhase.WORK else CHECK_FAILED
        failure = "gone" if mission is None else class_of(mission, beside)
        if (
            mission is not None
            and phase is QuestPhase.CHECK
            and failure == CHECK_FAILED
            and await had_no_room(mission, self._home)
        ):
            self._wait_for_room(quest.id)
            return
        tail = "" if mission is None else await self.tail(mission)
        current = self._quests.live.get(quest.id)
        if current is None or mission is None:
            if current is not None:
                self._fail_for_good(current, failure, "gone", "", None)
            return
        limited = replace(current, limit=mission.limit)
        self.failed(limited, failure, feedback=tail, exit_code=mission.shell_exit, resume_at=mission.resume_at)

    def _wait_for_room(self, quest_id: str) -> None:
        """Record that a check has failed for want of room, which is not the work's fault: it is run again."""
        quest = self._quests.live.get(quest_id)
        if quest is None:
            return
        if quest.cancelling:
            self.cancelled(quest)
            return
        with self._journal.together():
            waiting = replace(quest, reason=DISK_FULL)
            self._quests.put(waiting)
            self._quests.record(waiting, why=DISK_FULL)

    async def tail(self, mission: Mission) -> str:
        """The end of the output of a mission's newest run."""
        return await asyncio.to_thread(ending, newest(self._home.logs, mission), TAIL)

    def failed(
        self,
        quest: Quest,
        failure: str,
        *,
        feedback: str,
        notes: Sequence[str] = (),
        words: str = "",
        exit_code: int | None = None,
        resume_at: float | None = None,
        uncounted: bool = False,
    ) -> None:
        """Record that an attempt has failed: another one follows, or the quest is over.

        Args:
            quest: As it stands.
            failure: The class.
            feedback: For the next attempt: the output of what failed, which is quoted.
            notes: For the next attempt: lines of our own.
            words: For the next attempt: a person's own.
            exit_code: Of what failed, where it has one.
            resume_at: Before this time, in seconds since the epoch, another attempt would fail, too.
            uncounted: Whether another attempt follows in any case, for which no retry is used up.
        """
        queue = quest.queue
        assert queue is not None
        if quest.cancelling:  # a person is cancelling it
            self.cancelled(quest, exit_code=exit_code)
            return
        now = self._clock.wall()
        backoff, redone = self._backoff(quest), is_redone(quest)
        then = after_failure(failure, queue, quest.retries, now, resume_at=resume_at, backoff=backoff, redone=redone)
        if uncounted:
            then = Requeue(now, counts=False)
        if not isinstance(then, Requeue):
            self._fail_for_good(quest, failure, then.reason, feedback, exit_code, notes=notes, words=words)
            return
        ended = self._ended(quest, failure, exit_code)
        recorded = _feedback(ended, failure, feedback, notes, words, limit=quest.limit)
        again = replace(
            requeued(failure, ended, then),
            not_before=then.at,
            pause=then.at - now,
            able_at=then.at,
            feedback=recorded,
        )
        waiting = replace(quest, status=QuestStatus.QUEUED, queue=again, exit_code=None, reason=None)
        with self._journal.together():
            self._quests.put(waiting)
            self._quests.record(waiting)
            self.on_end(waiting)

    def _backoff(self, quest: Quest) -> float:
        """Seconds before its second attempt."""
        work = self._registry.get(quest.id)
        return self._settings.queue.backoff if work is None else work.definition.restart.backoff

    def _fail_for_good(
        self,
        quest: Quest,
        failure: str,
        reason: str,
        feedback: str,
        exit_code: int | None,
        *,
        notes: Sequence[str] = (),
        words: str = "",
    ) -> None:
        queue = self._ended(quest, failure, exit_code)
        recorded = _feedback(queue, failure, feedback, notes, words, limit=quest.limit)
        queue = replace(queue, failure=failure, spent=queue.spent + 1, feedback=recorded)
        over = self._over(quest, QuestStatus.FAILED, reason, 1 if exit_code is None else exit_code, queue)
        summary = f"{over.name} has failed: {left_conflict(over) or _why(over, failure)}"
        with self._journal.together():
            self._end(over)
            self.on_end(over)
            if queue.post is None:  # of a post the swarm is told, where people try it again
                worktree = self._lander.worktree(quest.id)
                folder = question_subjects.checked_in(self._registry, over, worktree)
                shown = question_subjects.stuck(over, folder, worktree, "\n".join((*notes, feedback)))
                self._asker.ask(over, EngineNeed.STUCK, summary, shown)

    async def changed_since_shown(self, quest: Quest) -> tuple[str, ...]:
        """The files that are not as they were shown to its reviewer; () where nobody knows that."""
        shown = shown_state(quest)
        return () if shown is None else await self._lander.changed_since(quest.id, shown)

    async def check_shown(self, quest: Quest) -> None:
        """See that its work is as it was shown to the person who is about to accept it; else show it again.

        Where it can't land, as in the middle of a person's rebase, its question stays open, unless its folder is gone.

        Raises:
            OvermindError: `changed`, it is not, or can't land; `git_failed`, nobody can tell.
        """
        lands = quest.goal is not None and quest.goal.into is not None
        _, unfit = await self._fitness(quest) if lands else (None, None)
        changed, worktree = await self.changed_since_shown(quest), self._lander.worktree(quest.id)
        is_gone = worktree is not None and not await asyncio.to_thread(os.path.isdir, worktree)
        if not _is_at(self._quests.live.get(quest.id), quest):
            return  # another answer was faster
        if unfit is not None and not (changed and is_gone):
            raise OvermindError("changed", f"Its review stays open: it can't land as it is. {unfit.message}")
        if changed:
            asks = await self.ask_review(quest.id, changed)
            now = (
                "It is shown again: overmind inbox"
                if asks
                else f"It is not asked about any more. See: overmind why {quest.name}"
            )
            raise OvermindError("changed", f"{_changed_sentence(changed)} {now}")

    async def _fitness(self, quest: Quest) -> tuple[FolderState | None, OvermindError | None]:
        """How its work is now, None where nobody can tell, and why that can't land, None where it can."""
        goal = quest.goal
        assert goal is not None
        try:
            state = await self._lander.work_state(quest.id, goal.into)
        except OvermindError as error:
            return await self._lander.work_state(quest.id), error
        lacks_change = goal.into is not None and not goal.allow_empty and await self._lander.is_unchanged(quest.id)
        return state, OvermindError(NO_CHANGE, UNCHANGED) if lacks_change else None

    async def ask_review(
        self, quest_id: str, changed: Sequence[str] | None = (), refusal: OvermindError | None = None
    ) -> bool:
        """Ask a person to review the work, and return whether there is any; it shows its changes, or else its output.

        Work that can't land fails its attempt, unless a reviewer was shown it before: somebody is at it since.

        Args:
            quest_id: Whose work.
            changed: Files that have changed since it was shown to a reviewer, where it was: the question is asked
                again. None: nobody can tell.
            refusal: Of its landing, for what it was then.
        """
        known = self._quests.live.get(quest_id)
        if known is None or known.goal is None:
            return False
        into = known.goal.into
        state, unfit = await self._fitness(known)  # before it is shown: what is written meanwhile has changed
        if unfit is not None and (state is None or shown_state(known) is None):
            self._refused_unasked(quest_id, known, unfit.code, unfit.message)
            return False
        unfit = unfit or refusal
        changes = await self._lander.shown_changes(quest_id, newest_state(known))
        shown = changes.text
        work = self._registry.get(quest_id)
        if not shown and work is not None:
            shown = await self.tail(work)
        not_owned = await self._not_owned(quest_id)
        quest = self._quests.live.get(quest_id)
        if quest is None or quest.goal is None or quest.cancelling or not _is_at(quest, known):
            return False
        waiting = with_shown(in_review(quest), state, by_person=True)
        unread = no_verdict(waiting)
        why = [f"{unread[:1].upper()}{unread[1:]}"] if unread else []
        head = [
            quest.goal.title,
            *why,
            *([_changed_sentence(changed)] if changed else [] if changed is not None else [MAY_HAVE_CHANGED]),
            *([] if unfit is None else [f"It can't land as it was found. {unfit.message}"]),
            *([UNKNOWN_STATE] if state is None and self._lander.worktree(quest_id) is not None else []),
            *([] if into is None else [f"To land on {into}."]),
            *review_lines(quest, changes),
        ]
        head += [f"{not_owned_text(not_owned)}. It owns {', '.join(quest.goal.owns)}."] if not_owned else []
        text = shown.splitlines()
        more = [f"See all of it with: overmind changes {quest.name}"] if len(text) > MOST_LINES else []
        lines = [*head, *text[:MOST_LINES], *more]
        with self._journal.together():
            if changed:
                self._asker.withdraw(quest_id)
            self._quests.put(waiting)
            self._quests.record(waiting)
            summary = f"Review the work of {quest.name}: {quest.goal.title}"
            subject = {"lines": lines, "into": into, **question_subjects.of_command(quest)}
            self._asker.ask(waiting, EngineNeed.REVIEW, summary, subject)
        return True

    def _refused_unasked(self, quest_id: str, known: Quest, failure: str, text: str) -> None:
        """Record that work can't land, about which nobody is asked, or no more; `known`: as it stood before."""
        quest = self._quests.live.get(quest_id)
        if quest is None or not _is_at(quest, known):
            return
        with self._journal.together():
            self._asker.withdraw(quest_id)
            self.failed(quest, failure, feedback=text)

    async def _not_owned(self, quest_id: str) -> tuple[str, ...]:
        """The files that a quest has changed in its worktree and that are not its own."""
        quest = self._quests.live.get(quest_id)
        owns = () if quest is None or quest.goal is None else quest.goal.owns
        if not owns or self._lander.worktree(quest_id) is None:
            return ()
        return await self._lander.not_owned(quest_id, owns, None)

    def left_unmerged(self, quest: Quest) -> None:
        """Complete a quest whose landing was refused, as a person wants: its branch and its worktree stay."""
        failure = quest.reason or "git_failed"
        ended = self._ended(quest, failure, None)
        queue = replace(ended, failure=failure, spent=ended.spent + 1)
        over = self._over(quest, QuestStatus.FAILED, failure, 1, queue)
        with self._journal.together():
            self._end(over)
            self.on_end(over)

    def keep_landed(self, quest: Quest, words: str) -> None:
        """Record that a person wants what its landing would undo to stay: the next attempt of an agent is told of it.

        There is one also where no retry is left for it: it was asked for. A command would do the same again.
        """
        queue = _queue(quest)
        notes = (f"{dropped_sentence(queue.dropped)} Keep what had landed, beside the change of this quest.",)
        lines = "\n".join(dropped_lines(queue.dropped))
        if quest.provider == RAW:
            told = _feedback(queue, UNDOES_LANDED, lines, notes, words)
            self.left_unmerged(replace(quest, queue=replace(queue, feedback=told)))
            return
        queue = replace(with_denied(queue), dropped=(), refused=None, allowed=None)
        again = replace(quest, queue=queue)
        is_granted = queue.spent >= quest.retries
        self.failed(again, UNDOES_LANDED, feedback=lines, notes=notes, words=words, uncounted=is_granted)

    async def not_landed(self, quest_id: str, error: OvermindError) -> None:
        """Record that its work could not land: the next attempt fixes the work, or a person the target branch."""
        quest = self._quests.live.get(quest_id)
        if quest is None or quest.goal is None or quest.goal.into is None:
            return
        if quest.cancelling:
            self.cancelled(quest)
            return
        verification = self._verification(error)
        if verification is not None and is_nobodys_fault(verification):
            await self.fail_of(quest, verification, QuestPhase.LANDING)
            return
        if error.code in NO_WORK:
            self._fail_for_good(quest, "gone", "gone", "", None)
            return
        if error.code in WORK_AT_FAULT:
            await self._unlanded_work(quest, error, verification)
            return
        dropped, refused = _dropped(error), _undoing(quest, error)
        with self._journal.together():
            queue = replace(_queue(quest), dropped=dropped, refused=refused)
            waiting = replace(quest, reason=error.code, queue=queue)
            self._quests.put(waiting)
            # It is ended as soon as the swarm says so, or when its lease is seen to be over; or it is asked about
            # together with all others that are to land there.
            if error.code == FENCED or waits_for_target(waiting):
                return
            summary = f"{quest.name} can't land on {quest.goal.into}: {beyond_allowed(waiting)}{error.message}"
            worktree = self._lander.worktree(quest_id)
            subject = {"into": quest.goal.into, **question_subjects.refused_landing(waiting, worktree)}
            self._asker.ask(waiting, EngineNeed.MERGE, summary, subject)

    async def _unlanded_work(self, quest: Quest, error: OvermindError, verification: Mission | None) -> None:
        """Record that its work could not land, and is at fault; `verification`: of the merged work, if that failed."""
        if error.code in UNFIT_TO_LAND and was_shown_to_person(quest):  # it was fit then, and they are at it since
            await self.ask_review(quest.id, refusal=error)
            return
        feedback = await self._landing_feedback(quest, error)
        if (current := self._quests.live.get(quest.id)) is not None:
            code = None if verification is None else verification.shell_exit
            met = _with_verification(_with_conflict(current, error), verification)
            is_free = error.code == CONFLICTS and _was_allowed(current)
            self.failed(met, error.code, feedback=feedback, exit_code=code, uncounted=is_free)

    async def _landing_feedback(self, quest: Quest, error: OvermindError) -> str:
        """The feedback of a landing that failed because of the work."""
        assert quest.goal is not None
        into = quest.goal.into or ""
        if error.code == CONFLICTS:
            return f"{error.message}\n\n{await self._lander.conflict_sides(quest.id, into)}"
        mission = self._verification(error)
        return error.message if mission is None else f"{error.message}\n\n{await self.tail(mission)}"

    def _verification(self, error: OvermindError) -> Mission | None:
        """The mission that verified the merged work, and failed or was lost."""
        mission = error.fields.get("mission")
        return self._registry.get(mission) if error.code == VERIFY_FAILED and isinstance(mission, str) else None

    def _ended(self, quest: Quest, failure: str | None, exit_code: int | None) -> QueueState:
        work = self._registry.get(quest.id)
        known = {} if work is None else self._agents.conversations([work])
        conversation = known.get(quest.id)
        cost = None if conversation is None or conversation.unpriced else conversation.cost
        elsewhere = _queue(quest).elsewhere
        if elsewhere is not None:
            cost = elsewhere.cost or None
        begun = work is not None and work.run >= _queue(quest).tries[-1].run
        now = self._clock.wall()
        return attempt_ended(quest, now, failure=failure, exit_code=exit_code, cost=cost, begun=begun,
                             is_estimated=conversation is not None and conversation.estimated)  # fmt: skip

    def _over(
        self, quest: Quest, status: QuestStatus, reason: str | None, exit_code: int | None, queue: QueueState
    ) -> Quest:
        """The quest as it has ended just now."""
        return replace(
            quest,
            status=status,
            reason=reason,
            exit_code=exit_code,
            queue=queue,
            cancelling=False,
            ended_at=self._clock.wall(),
        )

    def _end(self, over: Quest) -> None:
        with self._journal.together():
            self._asker.withdraw(over.id)
            self._quests.end(over)


def _queue(quest: Quest) -> QueueState:
    assert quest.queue is not None
    return quest.queue


def _is_at(quest: Quest | None, known: Quest) -> bool:
    """Whether a quest is still where it was known to be: nobody has decided about that attempt meanwhile."""
    return quest is not None and (quest.status, quest.attempts) == (known.status, known.attempts)


def _with_conflict(quest: Quest, error: OvermindError) -> Quest:
    """The quest with the conflict that its landing has met, if that is why it was refused."""
    landed, own = error.fields.get("before"), error.fields.get("tip")
    if error.code != CONFLICTS or not isinstance(landed, str) or not isinstance(own, str):
        return quest
    listed: Any = error.fields["files"]
    return with_conflict(quest, landed, own, [one["path"] for one in listed])


def _with_verification(quest: Quest, verification: Mission | None) -> Quest:
    """The quest with the folder in which its merged work was verified, and the limit of that, if it has failed."""
    if verification is None:
        return quest
    queue = replace(_queue(quest), verified_in=verification.definition.cwd)
    return replace(quest, limit=verification.limit, queue=queue)


def _was_allowed(quest: Quest) -> bool:
    """Whether a person has let the work of this very attempt land, which something has kept from it since."""
    queue = _queue(quest)
    return queue.allowed is not None and queue.allowed.attempt == len(queue.tries)


def _dropped(error: OvermindError) -> tuple[DroppedChange, ...]:
    """What its landing would have undone."""
    found: Any = error.fields.get("dropped") or ()
    return tuple(DroppedChange(one["path"], one["text"], tuple(one["lines"])) for one in found)


def _undoing(quest: Quest, error: OvermindError) -> UndoingLanding | None:
    """The landing that was refused, if that is for what it would have undone."""
    before, after = error.fields.get("before"), error.fields.get("after")
    if error.code != UNDOES_LANDED or not isinstance(before, str) or not isinstance(after, str):
        return None
    paths = tuple(one.path for one in _dropped(error))
    return UndoingLanding(before, after, len(_queue(quest).tries), paths)


_PRINTED = {
    CHECK_FAILED: "the check",
    VERIFY_FAILED: "the verification",
    CONFLICTS: "git",
    CONFLICT_LEFT: "git",
    UNDOES_LANDED: "the landed work",
}
"""Class of a failure → whose output is quoted; of other classes that of the work."""


UNKNOWN_STATE = "Nobody can tell whether this work changes before you accept it: its state could not be recorded."
"""Above work in a worktree of which no state is kept, as on a full disk."""


MAY_HAVE_CHANGED = "Nobody can tell whether this work is still as its reviewer has accepted it."
"""Above work that an agent has accepted, and that can't be compared with what it is now."""


def _changed_sentence(changed: Sequence[str]) -> str:
    """Return the sentence for a reviewer about files that are not as they were shown."""
    return f"{list_text(changed)} {'has' if len(changed) == 1 else 'have'} changed since this work was shown."


_SAID = frozenset({"review_denied"})
"""Classes of which a person or a reviewer tells why."""


def _feedback(
    queue: QueueState,
    failure: str,
    text: str,
    notes: Sequence[str] = (),
    words: str = "",
    *,
    limit: float | None = None,
) -> str:
    """What the next attempt is told."""
    attempt = len(queue.tries)
    if failure in _SAID:
        return briefing.feedback(failure, attempt=attempt, notes=notes, words=text)
    quotations = [briefing.Quotation(_PRINTED.get(failure, f"attempt {attempt}"), text)]
    return briefing.feedback(
        failure,
        attempt=attempt,
        notes=notes,
        quotations=quotations,
        words=words,
        steer=queue.steer,
        limit=limit,
    )


def _why(quest: Quest, failure: str) -> str:
    return sentence(failure if quest.reason in {failure, RETRIES_SPENT} else quest.reason, quest.limit)


def _no_one(_quest: Quest) -> None:
    return
