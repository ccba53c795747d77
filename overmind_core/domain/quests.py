"""Quests: pieces of work with a definition of done, tried until that holds or their tries are used up. Pure.

`next_step` is asked whenever something about a quest has changed, also by the next supervisor after a crash: what it
answers follows from what is saved alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.missions.mission import Mission, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECK = "check"
"""What the mission that checks is called, below the quest's name."""


class QuestStatus(StrEnum):
    """How a quest stands; the closed set that every face shows."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


HAS_ENDED: Mapping[QuestStatus, str] = {
    QuestStatus.COMPLETED: "has already completed",
    QuestStatus.FAILED: "has already failed",
    QuestStatus.CANCELLED: "was already cancelled",
}
"""How a sentence says that a quest has ended."""


@dataclass(frozen=True, slots=True)
class Quest:
    """A quest. Its id and name are its mission's, which it survives."""

    id: str
    name: str
    command: str
    """One line for people."""
    cwd: str
    provider: str
    created_at: float
    """Seconds since the epoch, as all times here."""
    check: str | None = None
    """A shell command: the work is done when this exits 0."""
    retries: int = 0
    """How often it is tried again after it, or its check, has failed."""
    ritual: str | None = None
    """Name of the ritual that began it."""
    status: QuestStatus = QuestStatus.RUNNING
    reason: str | None = None
    exit_code: int | None = None
    """What waiting for it exits with; None while it runs."""
    attempts: int = 1
    ended_at: float | None = None
    check_id: str | None = None
    """The newest mission that checked."""
    checked: int = 0
    """The attempt that this one is about."""
    cancelling: bool = False
    """Somebody wants it to end; saved before anything is stopped."""

    @property
    def runs(self) -> bool:
        """Whether it goes on."""
        return self.status is QuestStatus.RUNNING


class KeepWaiting(NamedTuple):
    """Something is under way."""


class StopWork(NamedTuple):
    """Stop the work, and its check."""


class StartCheck(NamedTuple):
    """The work of this attempt has ended well: see whether it is done."""

    attempt: int


class RetryWork(NamedTuple):
    """Start the work once more, with so many further retries."""

    left: int


class Finish(NamedTuple):
    """It is over."""

    status: QuestStatus
    reason: str | None
    exit_code: int


Step = KeepWaiting | StopWork | StartCheck | RetryWork | Finish


def next_step(quest: Quest, work: Mission | None, check: Mission | None, *, stopped: bool) -> Step:
    """What to do about a quest that runs, given the missions as they are; None: removed, or never there.

    `stopped`: somebody has stopped the newest run of either.
    """
    live = [one for one in (work, check) if one is not None and one.is_live]
    if live:
        return (
            StopWork() if quest.cancelling and any(one.status is not Status.STOPPING for one in live) else KeepWaiting()
        )
    if quest.cancelling or stopped or _killed(work) or _killed(check):
        return Finish(QuestStatus.CANCELLED, _why_cancelled(quest, work, check), _code(work) or _code(check) or 1)
    if work is None:
        return Finish(QuestStatus.FAILED, "gone", 1)
    if _code(work):
        reason = "retries_spent" if work.reason == "restart_budget_spent" else work.reason
        return Finish(QuestStatus.FAILED, reason, _code(work))
    if quest.check is None:
        return Finish(QuestStatus.COMPLETED, None, 0)
    return _after_work(quest, work, check)


def _after_work(quest: Quest, work: Mission, check: Mission | None) -> Step:
    attempt = work.restart_count + 1
    if quest.check_id is None or quest.checked < attempt:
        return StartCheck(attempt)
    if check is not None and not _code(check):
        return Finish(QuestStatus.COMPLETED, None, 0)
    left = quest.retries - work.restart_count
    return RetryWork(left - 1) if left > 0 else Finish(QuestStatus.FAILED, "check_failed", _code(check) or 1)


def _code(mission: Mission | None) -> int:
    return 0 if mission is None else mission.shell_exit


def _killed(mission: Mission | None) -> bool:
    return mission is not None and mission.status is Status.KILLED


def _why_cancelled(quest: Quest, work: Mission | None, check: Mission | None) -> str | None:
    """Why it was cancelled, when not by its own command."""
    if quest.cancelling:
        return None
    return "killed" if _killed(work) or _killed(check) else "stopped"
