"""An attempt of a queued quest: what comes next, from its lease until its work has landed. Pure.

An attempt goes through the phases work, check, reviewing, landing, of which each quest has its own. What is decided
follows from what is saved alone, so the next supervisor goes on where this one was ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.missions.mission import Mission, Status
from overmind_core.domain.quests.checked_work import checked_work
from overmind_core.domain.quests.classes import command_of, spent_for_good
from overmind_core.domain.quests.life import is_done, is_refused, waits_for_room
from overmind_core.domain.quests.quest import (
    PERSON,
    Attempt,
    ConflictingFile,
    FolderState,
    MetConflict,
    Quest,
    QuestPhase,
    QuestStatus,
    QueueState,
    UndoingLanding,
)
from overmind_core.domain.replacing import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_CONFLICTS = 8
"""Conflicts of its work that a quest knows: the first, which tells where the work began, and the newest."""


class StartWork(NamedTuple):
    """The run of this attempt has not begun."""


class KeepWaiting(NamedTuple):
    """Something is under way, or a person has to decide."""


class StopWork(NamedTuple):
    """Stop what runs for it: somebody has cancelled it."""


class GatherOutputs(NamedTuple):
    """The work has ended well: see whether it has left what it had to."""


class StartCheck(NamedTuple):
    """See whether it is done."""


class CompareChecked(NamedTuple):
    """The check has passed: see whether the files are still those that it was about."""

    state: FolderState
    """State of the worktree as the check began."""


class StartReview(NamedTuple):
    """Have a provider look at its work."""


class JudgeReview(NamedTuple):
    """The reviewing agent has ended: see what it says."""


class AskReview(NamedTuple):
    """Ask a person whether its work is good."""


class Land(NamedTuple):
    """Commit, verify and merge what is in its worktree."""


class Complete(NamedTuple):
    """It is done."""


class Cancel(NamedTuple):
    """It was stopped, or killed, by somebody."""

    reason: str | None
    exit_code: int | None
    """Of what was stopped or had failed in this attempt; None: nothing of it."""


class Fail(NamedTuple):
    """The attempt has failed."""

    mission: Mission | None
    """Whose end tells why; None: it is gone."""
    phase: QuestPhase


AttemptStep = (
    StartWork | KeepWaiting | StopWork | GatherOutputs | StartCheck | CompareChecked | StartReview | JudgeReview
    | AskReview | Land | Complete | Cancel | Fail
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AttemptMissions:
    """The missions of a quest as they are; None: removed, or never there."""

    work: Mission | None
    check: Mission | None = None
    review: Mission | None = None
    stopped: bool = False
    """Somebody has stopped the newest run of one of them."""


def next_attempt_step(quest: Quest, missions: AttemptMissions) -> AttemptStep:
    """What to do about a queued quest whose attempt is under way."""
    queue = _queue(quest)
    live = [one for one in (missions.work, missions.check, missions.review) if one is not None and one.is_live]
    if live:
        ending = quest.cancelling and any(one.status is not Status.STOPPING for one in live)
        return StopWork() if ending else KeepWaiting()
    killed = [one for one in (missions.work, missions.check, missions.review) if _killed(one)]
    if quest.cancelling:
        return Cancel(None, _stopped_code(quest, missions))
    if quest.status is QuestStatus.REVIEW:
        return KeepWaiting()
    attempt = queue.tries[-1]
    begun = missions.work is not None and missions.work.run >= attempt.run
    if queue.phase is QuestPhase.WORK and not begun:
        return StartWork()
    if missions.stopped or killed:
        return Cancel("killed" if killed else "stopped", _stopped_code(quest, missions))
    return _PHASES[queue.phase](quest, missions)


def _stopped_code(quest: Quest, missions: AttemptMissions) -> int | None:
    """The exit code of what was stopped, or had failed, in the newest attempt; those of earlier ones are not its."""
    is_checked = quest.checked >= len(_queue(quest).tries)
    return work_exit(quest, missions.work) or (_code(missions.check) if is_checked else 0) or None


def work_exit(quest: Quest, work: Mission | None) -> int | None:
    """The exit code of the work of the newest attempt; None: it has none."""
    if work is None or work.run < _queue(quest).tries[-1].run:
        return None
    return work.shell_exit if work.exit_code is not None else work.shell_exit or None


def _work(quest: Quest, missions: AttemptMissions) -> AttemptStep:
    if missions.work is None or _code(missions.work):
        return Fail(missions.work, QuestPhase.WORK)
    goal = quest.goal
    assert goal is not None
    return GatherOutputs() if goal.outputs else after(quest, QuestPhase.WORK)


def _check(quest: Quest, missions: AttemptMissions) -> AttemptStep:
    if missions.work is None:
        return Fail(None, QuestPhase.CHECK)
    if waits_for_room(quest):
        return KeepWaiting()
    if quest.check_id is None or quest.checked < len(_queue(quest).tries):
        return StartCheck()
    if missions.check is None or _code(missions.check):
        return Fail(missions.check, QuestPhase.CHECK)
    work = checked_work(quest)
    return after(quest, QuestPhase.CHECK) if work is None else CompareChecked(work.state)


def _reviewing(quest: Quest, missions: AttemptMissions) -> AttemptStep:
    if missions.work is None:
        return Fail(None, QuestPhase.REVIEWING)
    return StartReview() if _queue(quest).review_id is None else JudgeReview()


def _landing(quest: Quest, missions: AttemptMissions) -> AttemptStep:
    del missions  # a worktree may outlive its mission
    return KeepWaiting() if is_refused(quest) else Land()


_PHASES = {
    QuestPhase.WORK: _work,
    QuestPhase.CHECK: _check,
    QuestPhase.REVIEWING: _reviewing,
    QuestPhase.LANDING: _landing,
}


def after(quest: Quest, phase: QuestPhase) -> AttemptStep:
    """What follows a phase that went well; a quest has only the phases that it wants."""
    goal = quest.goal
    assert goal is not None
    if _queue(quest).elsewhere is not None:
        return Complete()  # it was checked, reviewed and landed there
    if phase is QuestPhase.WORK and quest.check is not None:
        return StartCheck()
    if phase in {QuestPhase.WORK, QuestPhase.CHECK} and goal.review is not None:
        return AskReview() if goal.review == PERSON else StartReview()
    if phase is not QuestPhase.LANDING and goal.into is not None:
        return Land()
    return Complete()


def goes_on_in_folder(quest: Quest | None) -> bool:
    """Whether a program follows in the folder of its work once that has ended: its check, or the agent that reviews.

    Until then its services run and its ports are held. A person who reviews may take days, and what is merged is
    verified in another folder: neither has them.
    """
    if quest is None or quest.status is not QuestStatus.RUNNING:
        return False
    if quest.queue is None:
        return quest.check is not None
    if quest.queue.phase is QuestPhase.WORK:
        return isinstance(after(quest, QuestPhase.WORK), StartCheck | StartReview)
    return quest.queue.phase is not QuestPhase.LANDING


def leased(quest: Quest, run: int, now: float) -> Quest:
    """The quest with another attempt, which is run `run` of its mission; `now` in seconds since the epoch."""
    queue = with_denied(_queue(quest))
    tries = (*queue.tries, Attempt(len(queue.tries) + 1, run, now))
    return replace(
        quest,
        status=QuestStatus.RUNNING,
        reason=None,
        exit_code=None,
        attempts=len(tries),
        limit=None,
        ended_at=None,
        queue=replace(queue, phase=QuestPhase.WORK, tries=tries, review_id=None, steer=""),
    )


def in_phase(quest: Quest, phase: QuestPhase) -> Quest:
    """The quest in this phase of its attempt."""
    return replace(quest, status=QuestStatus.RUNNING, queue=replace(_queue(quest), phase=phase))


def in_review(quest: Quest) -> Quest:
    """The quest as it waits for a person's verdict."""
    queue = replace(_queue(quest), phase=QuestPhase.REVIEWING)
    return replace(quest, status=QuestStatus.REVIEW, queue=queue)


def was_shown_to_person(quest: Quest) -> bool:
    """True where a person was shown the newest attempt of a quest, and somebody knows in which state."""
    newest, reviewer = _queue(quest).tries[-1], None if quest.goal is None else quest.goal.review
    return newest.shown is not None and (newest.by_person or reviewer == PERSON)


def attempt_ended(
    quest: Quest,
    now: float,
    *,
    failure: str | None,
    exit_code: int | None,
    cost: float | None,
    begun: bool = True,
    is_estimated: bool = False,
) -> QueueState:
    """How it stands in the queue once its attempt is over.

    Args:
        quest: As it stood.
        now: Seconds since the epoch.
        failure: The class; None: it went well.
        exit_code: Of what failed, where it has one.
        cost: Of all its attempts, in US dollars; None: nobody knows.
        begun: Whether its run was ever there.
        is_estimated: Whether a part of `cost` is at a person's prices.
    """
    queue = _queue(quest)
    last = queue.tries[-1]
    earlier = [one.cost_usd for one in queue.tries[:-1]]
    own = None if cost is None else max(0.0, cost - sum(one or 0.0 for one in earlier))
    run = last.run if begun else 0
    command = command_of(quest, failure)
    ended = replace(last, run=run, ended_at=now, failure=failure, exit_code=exit_code, cost_usd=own, command=command,
                    is_estimated=is_estimated and own is not None)  # fmt: skip
    return replace(queue, tries=(*queue.tries[:-1], ended))


def was_cut_short(quest: Quest) -> bool:
    """Whether it was cancelled during an attempt."""
    tries = () if quest.queue is None else quest.queue.tries
    is_cancelled = quest.status is QuestStatus.CANCELLED
    return is_cancelled and bool(tries) and tries[-1].ended_at is not None and tries[-1].ended_at == quest.ended_at


def with_conflict(quest: Quest, landed: str, own: str, paths: Sequence[str]) -> Quest:
    """The quest with a conflict that its work has met; one that is known, or in no file, is none.

    Args:
        quest: As it stood.
        landed: The commit of the branch on which the work is to land.
        own: The commit of the work.
        paths: The files in which they conflict. Wire form.
    """
    queue = _queue(quest)
    known = {file.path for one in queue.met if (one.landed, one.own) == (landed, own) for file in one.files}
    if known.issuperset(paths):
        return quest
    met = (*queue.met, MetConflict(landed, own, tuple(map(ConflictingFile, paths))))
    if len(met) > MOST_CONFLICTS:
        met = (met[0], *met[1 - MOST_CONFLICTS :])
    return replace(quest, queue=replace(queue, met=met))


def with_denied(queue: QueueState) -> QueueState:
    """Return it with the landing among the denied ones that was refused for what it would undo, and never allowed."""
    if queue.refused is None or queue.refused in queue.denied:
        return queue
    return replace(queue, denied=(*queue.denied, queue.refused), allowed=None)


def undoing_before(queue: QueueState) -> UndoingLanding | None:
    """Return the landing that was refused for what it would undo, if no attempt has run since but the newest.

    Its work lacks what had landed already, so that newest attempt begins at its target. None: there is no such landing.
    """
    return _undoing_before(queue.refused, queue.tries[:-1])


def is_begun_at_target(quest: Quest) -> bool:
    """Return whether the next attempt of one that has ended would begin at its target; see `undoing_before`."""
    queue = quest.queue
    return quest.is_over and queue is not None and _undoing_before(queue.refused, queue.tries) is not None


def _undoing_before(refused: UndoingLanding | None, tries: Sequence[Attempt]) -> UndoingLanding | None:
    if refused is None or refused.attempt > len(tries) or any(one.run for one in tries[refused.attempt :]):
        return None
    return refused


def began_at(quest: Quest) -> float | None:
    """When its first attempt began, in seconds since the epoch; None: none has. Until then it was in the queue."""
    if quest.queue is None:
        return quest.created_at
    return quest.queue.tries[0].started_at if quest.queue.tries else None


def tries_of(quest: Quest) -> int:
    """How many attempts of this round count: also one that goes on, was cut short, or has done the work."""
    return spent_for_good(quest) + (was_cut_short(quest) or _is_newest_uncounted(quest))


def _is_newest_uncounted(quest: Quest) -> bool:
    """Whether the newest attempt is one that `spent` does not have: it goes on, or has done the work."""
    tries = () if quest.queue is None else quest.queue.tries
    if quest.status is QuestStatus.COMPLETED:
        return not tries or tries[-1].failure is None  # else a person has landed what had failed
    return quest.status in {QuestStatus.RUNNING, QuestStatus.REVIEW}


RETRIED = frozenset({QuestStatus.FAILED, QuestStatus.CANCELLED})
"""Statuses of which a person may give a quest another round of attempts."""


def is_gone(quest: Quest, *, has_mission: bool) -> bool:
    """Whether its mission was removed, so that no other attempt can follow those that ran in it."""
    return has_run(quest) and not has_mission


def can_retry(quest: Quest, *, has_mission: bool) -> bool:
    """Whether a person may give it another round of attempts, once its name is free; see `RETRIED`.

    Where one has landed its work by hand there is nothing left to do.
    """
    if not quest.is_queued or quest.status not in RETRIED or is_done(quest):
        return False
    return not is_gone(quest, has_mission=has_mission)


def is_overdue(quest: Quest, now: float) -> bool:
    """Whether it has not ended by its deadline; `now`: seconds since the epoch."""
    due = None if quest.goal is None else quest.goal.deadline_at
    return due is not None and now > due and not quest.is_over


def has_run(quest: Quest) -> bool:
    """Whether its mission was ever there."""
    return quest.queue is not None and any(one.run for one in quest.queue.tries)


def cost_of(tries: Iterable[Attempt]) -> float | None:
    """US dollars of these attempts; None: of none of them anybody knows."""
    known = [one.cost_usd for one in tries if one.cost_usd is not None]
    return sum(known) if known else None


def _queue(quest: Quest) -> QueueState:
    assert quest.queue is not None
    return quest.queue


def _code(mission: Mission | None) -> int:
    return 0 if mission is None else mission.shell_exit


def _killed(mission: Mission | None) -> bool:
    return mission is not None and mission.is_killed
