"""Quests as the API shows them: JSON-able, times in RFC 3339, absent things null."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from overmind_core.domain.agents.spending import source_of
from overmind_core.domain.missions.reasons import kept_limit
from overmind_core.domain.quests.attempt import began_at, can_retry, cost_of, is_overdue, tries_of
from overmind_core.domain.quests.classes import last_failure
from overmind_core.domain.quests.life import achievement, landed_by_hand, landed_conflicts
from overmind_core.domain.quests.quest import Quest, QuestPhase
from overmind_core.domain.quests.standing import landing_wait, outcome_of_quest
from overmind_core.domain.text.moment import format_time
from overmind_core.missions.answers import time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from overmind_core.domain.admission import Wait
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.quests.answer_types import (
        Landed,
        PriorityWord,
        QuestAttempt,
        QuestBrief,
        QuestDetails,
        QuestEnd,
        QuestInfo,
        QuestRow,
        WaitCode,
    )


def brief(quest: Quest) -> QuestBrief:
    """Id and name: the answer of commands that change a quest."""
    return {"id": quest.id, "name": quest.name}


def end(quest: Quest) -> QuestEnd:
    """How a quest ended: an item of `quest_wait`."""
    return {
        "id": quest.id,
        "name": quest.name,
        "status": quest.status,
        "reason": quest.reason,
        "exit_code": quest.exit_code,
        "class": None if quest.queue is None else quest.queue.failure,
        "outcome": outcome_of_quest(quest),
        "limit_seconds": kept_limit(last_failure(quest), quest.limit),
        "attempts": quest.attempts,
        "achieved": achievement(quest) or None,
        "aside": [] if quest.queue is None else list(quest.queue.aside),
    }


class InQueue(NamedTuple):
    """The place of a queued quest in line."""

    position: int
    """From 1."""
    wait: Wait | None
    """Why it does not start yet."""


def attempts_of(quest: Quest, work: Mission | None) -> int:
    """The attempts so far. Outside the queue they are the runs of its mission: `work`, until that is removed."""
    if quest.queue is None and work is not None and quest.runs:
        return work.restart_count + 1
    return quest.attempts


def info(quest: Quest, work: Mission | None, now: float) -> QuestInfo:
    """The fields that every quest has; `now`: seconds since the epoch; `work`: its mission, until that is removed."""
    until, began = now if quest.ended_at is None else quest.ended_at, began_at(quest)
    attempts = attempts_of(quest, work)
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
        "began_at": time(began),
        "ended_at": time(quest.ended_at),
        "duration_seconds": round(max(0.0, until - quest.created_at), 3),
        "lasted_seconds": None if began is None else round(max(0.0, until - began), 3),
    }


def _phase(quest: Quest, work: Mission | None) -> Literal["work", "check", "reviewing", "landing"] | None:
    """What a quest that runs is doing."""
    if not quest.runs:
        return None
    if quest.queue is not None:
        return _PHASES[quest.queue.phase]
    return "work" if work is None or work.is_live else "check"


_PHASES: dict[QuestPhase, Literal["work", "check", "reviewing", "landing"]] = {
    QuestPhase.WORK: "work",
    QuestPhase.CHECK: "check",
    QuestPhase.REVIEWING: "reviewing",
    QuestPhase.LANDING: "landing",
}


def row(
    quest: Quest,
    work: Mission | None,
    now: float,
    *,
    line: InQueue | None = None,
    score: float | None = None,
    name_of: Callable[[str], str] = str,
    spec: str | None = None,
    estimate: float | None = None,
    in_the_way: str = "",
) -> QuestRow:
    """A quest in a list.

    Args:
        quest: As it stands.
        work: Its mission, while that is there.
        now: Seconds since the epoch.
        line: Where it stands in the queue.
        score: With which.
        name_of: The name of the quest with an id.
        spec: The slug of its spec.
        estimate: How many seconds an attempt of it takes.
        in_the_way: What its landing waits for, as far as it was seen.
    """
    goal, queue = quest.goal, quest.queue
    if goal is None or queue is None:
        return {**info(quest, work, now), **_NO_QUEUE}
    wait = None if line is None else line.wait
    return {
        **info(quest, work, now),
        "title": goal.title,
        "priority": _word(goal.priority.value),
        "deadline_at": time(goal.deadline_at),
        "score": None if score is None else round(score, 6),
        "position": None if line is None else line.position,
        "code": None if wait is None else _code(wait),
        "why": (landing_wait(quest, in_the_way) or None) if wait is None else wait.text,
        "needs": [{"id": need, "name": name_of(need)} for need in goal.needs],
        "needs_min": goal.needs_min,
        "owns": list(goal.owns),
        "into": goal.into,
        "spec": spec,
        "group": goal.group,
        "round": queue.round,
        "tries": tries_of(quest),
        "estimate_seconds": estimate,
        "cost_usd": (usd := cost_of(queue.tries)),
        "cost_source": source_of(usd, is_estimated=any(one.is_estimated for one in queue.tries)),
        "cost_partial": usd is not None and any(one.ended_at and one.cost_usd is None for one in queue.tries),
        "landed": _landed(quest),
        "can_retry": can_retry(quest, has_mission=work is not None),
        "overdue": is_overdue(quest, now),
    }


_NO_QUEUE: QuestRow = {  # type: ignore[typeddict-item] # the rest of a row stands before it
    "title": None,
    "priority": None,
    "deadline_at": None,
    "score": None,
    "position": None,
    "code": None,
    "why": None,
    "needs": [],
    "needs_min": 0,
    "owns": [],
    "into": None,
    "spec": None,
    "group": None,
    "round": None,
    "tries": None,
    "estimate_seconds": None,
    "cost_usd": None,
    "cost_source": None,
    "cost_partial": False,
    "landed": None,
    "can_retry": False,
    "overdue": False,
}


def details(whole: QuestRow, quest: Quest, worktree: str | None) -> QuestDetails:
    """Everything known of one quest, from its row."""
    goal, queue = quest.goal, quest.queue
    return {
        **whole,
        "attempt_list": [] if queue is None else list(_attempts(quest)),
        "brief": None if goal is None else goal.brief,
        "outputs": [] if goal is None else list(goal.outputs),
        "review": None if goal is None else goal.review,
        "verify": None if goal is None else goal.verify,
        "worktree": worktree,
        "allow_empty": goal is not None and goal.allow_empty,
        "max_cost_usd": None if goal is None else goal.max_cost or None,
        "feedback": None if queue is None else queue.feedback or None,
    }


def _attempts(quest: Quest) -> Iterable[QuestAttempt]:
    assert quest.queue is not None
    for one in quest.queue.tries:
        yield {
            "attempt": one.number,
            "run": one.run,
            "class": one.failure,
            "exit_code": one.exit_code,
            "started_at": format_time(one.started_at),
            "ended_at": time(one.ended_at),
            "cost_usd": one.cost_usd,
            "cost_source": source_of(one.cost_usd, is_estimated=one.is_estimated),
        }


def _landed(quest: Quest) -> Landed | None:
    found = None if quest.queue is None else quest.queue.landed
    if found is None:
        return None
    return {
        "branch": found.branch,
        "before": found.before,
        "after": found.after,
        "conflicts": landed_conflicts(quest),
        "not_owned": list(found.not_owned),
        "by_hand": landed_by_hand(quest) is not None,
    }


def _word(priority: str) -> PriorityWord:
    return priority  # type: ignore[return-value] # the enumeration has these


def _code(wait: Wait) -> WaitCode:
    return wait.code.value
