"""The score of a queued quest: what decides whose turn it is among equally urgent ones. Pure.

    score = 0.45 priority + 0.20 age + 0.15 deadline + 0.15 blocking + 0.05 retries

Near its deadline, and past it, a quarter more; after two hours of waiting at least 0.6 + 0.1 of that: waiting wins over
rank, never over critical. Each part is from 0 to 1 before it is weighed.

Only age and deadline change with time. `Urgency` has the rest of it added up, so that to rank thousands again is to add
two numbers to each; it holds until its quest, or the number of those that need it, changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.quests.quest import Goal, Priority, QueueState
from overmind_core.domain.text.decimals import shortest_decimal
from overmind_core.domain.text.duration import format_uptime

if TYPE_CHECKING:
    from overmind_core.domain.quests.quest import Quest

AGED = 3600.0
"""Seconds of waiting after which `age` no longer grows."""
NEAR = 900.0
"""Seconds before a deadline at which it begins to count."""
NEAR_FACTOR = 1.25
LONG = 7200.0
"""Seconds of waiting after which a quest gets a minimum score."""
MOST_DEPENDANTS = 10
"""Most dependants that count."""
WEIGHTS: Mapping[Priority, float] = {
    Priority.CRITICAL: 0.45 * 1.0,
    Priority.HIGH: 0.45 * 0.75,
    Priority.MEDIUM: 0.45 * 0.5,
    Priority.LOW: 0.45 * 0.25,
}
_AGE, _DEADLINE, _BLOCKING, _RETRIES = 0.20, 0.15, 0.15, 0.05
_LONG_LEAST, _LONG_SHARE = 0.6, 0.1
_NEVER = float("inf")

Rank = tuple[bool, float, float, str]
"""Less urgent than critical, minus its score, since when it could run, its id: the lower, the sooner."""


class Score(NamedTuple):
    """The parts of a score, weighed."""

    priority: float
    age: float
    deadline: float
    blocking: float
    retries: float
    factor: float = 1.0
    floor: float | None = None
    """The least that it scores; None: it has not waited for long."""

    @property
    def total(self) -> float:
        """From 0.1 to 1.25."""
        total = self._weighed * self.factor
        return total if self.floor is None else max(total, self.floor)

    @property
    def _weighed(self) -> float:
        # In the order of `Urgency`, so that both come to the very same number.
        return self.priority + self.blocking + self.retries + self.age + self.deadline


class Urgency(NamedTuple):
    """The part of a quest's rank that does not change with time."""

    id: str
    is_critical: bool
    fixed: float
    """Its parts priority, blocking and retries."""
    able_at: float
    """Since when it could run, seconds since the epoch; infinite while it could not."""
    deadline_at: float
    """Infinite: none."""

    def rank(self, now: float) -> Rank:
        """Its place in the order of the queue at `now`: ranks compare as tuples do, the lowest starts first."""
        _, is_critical, total, able_at, deadline_at = self
        waited = now - able_at
        if waited > 0.0:
            total += _AGE * (waited / AGED if waited < AGED else 1.0)
        slack = deadline_at - now
        if slack <= NEAR:
            total = (total + _DEADLINE * (1.0 - slack / NEAR if slack > 0.0 else 1.0)) * NEAR_FACTOR
        if waited >= LONG:
            floor = _LONG_LEAST + _LONG_SHARE * total
            total = max(total, floor)
        return not is_critical, -total, able_at, self.id


def urgency_of(quest: Quest, dependants: int, needs_met_at: float | None) -> Urgency:
    """Return the part of a queued quest's rank that does not change with time.

    Args:
        quest: One of the queue.
        dependants: Unfinished quests that need it directly.
        needs_met_at: When the last thing ended that it needs, see `able_since`.
    """
    goal, queue = quest.goal or Goal(), quest.queue or QueueState()
    able_at = able_since(quest, needs_met_at)
    return Urgency(
        quest.id,
        goal.priority is Priority.CRITICAL,
        WEIGHTS[goal.priority] + _blocking(dependants) + _retries(quest, queue),
        _NEVER if able_at is None else able_at,
        _NEVER if goal.deadline_at is None else goal.deadline_at,
    )


def score_of(quest: Quest, dependants: int, needs_met_at: float | None, now: float) -> Score:
    """Return the parts of a queued quest's score at `now`; arguments as of `urgency_of`."""
    goal, queue = quest.goal or Goal(), quest.queue or QueueState()
    able_at = able_since(quest, needs_met_at)
    waited = 0.0 if able_at is None else max(0.0, now - able_at)
    slack = _NEVER if goal.deadline_at is None else goal.deadline_at - now
    score = Score(
        priority=WEIGHTS[goal.priority],
        age=_AGE * (waited / AGED if waited < AGED else 1.0),
        deadline=_DEADLINE * (1.0 - slack / NEAR if slack > 0.0 else 1.0) if slack <= NEAR else 0.0,
        blocking=_blocking(dependants),
        retries=_retries(quest, queue),
        factor=NEAR_FACTOR if slack <= NEAR else 1.0,
    )
    return score._replace(floor=_LONG_LEAST + _LONG_SHARE * score.total) if waited >= LONG else score


def able_since(quest: Quest, needs_met_at: float | None) -> float | None:
    """Return since when nothing but its turn, a person or money has been in its way; None: something else is.

    That is when its round began, its last need ended, or the time passed before which its next attempt must not begin.

    Args:
        quest: One of the queue.
        needs_met_at: When the last thing ended that it needs; 0: it needs nothing, None: it has not ended.
    """
    if needs_met_at is None:
        return None
    queue = quest.queue or QueueState()
    began = quest.created_at if queue.able_at is None else queue.able_at
    return max(began, needs_met_at, queue.not_before)


def _blocking(dependants: int) -> float:
    return _BLOCKING * min(dependants / MOST_DEPENDANTS, 1.0) if dependants else 0.0


def _retries(quest: Quest, queue: QueueState) -> float:
    return _RETRIES * max(0.0, 1.0 - queue.spent / max(quest.retries, 1)) if queue.spent else _RETRIES


# as people read it


def score_text(score: Score) -> str:
    """Return a score with its parts: `score 0.6475 = 0.225 priority + 0.2 age + …, 0.6475 after 2h`."""
    named = zip(Score._fields, score[:5], strict=False)
    parts = " + ".join(f"{_number(value)} {name}" for name, value in named)
    near = "" if score.factor == 1.0 else f", × {_number(score.factor)} near its deadline"
    total = score.total
    long = f", {_number(total)} after {format_uptime(LONG)}" if total == score.floor else ""
    return f"score {_number(total)} = {parts}{near}{long}"


def _number(value: float) -> str:
    """Seven places, so that the parts add up."""
    return shortest_decimal(value, 7)
