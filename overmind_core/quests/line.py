"""The queued quests in line at one moment; why one waits is worked out only for those that are shown."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from overmind_core.domain.admission import Wait, WaitCode, Waiter, ready
from overmind_core.domain.quests.why import PAUSED, attempt_text, first_of
from overmind_core.domain.text.moment import format_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from overmind_core.domain.admission import Limits
    from overmind_core.domain.quests.quest import Quest
    from overmind_core.quests.obstacles import Obstacles


class Line:
    """Good for one answer: it looks at quests, and at what is in their way, when it is asked.

    Args:
        quests: Those that are queued.
        obstacles: What is in their way.
        now: The moment, in seconds since the epoch; may be another time than it is.
        paused: Whether the queue is.
        waiter: A quest as it asks for its turn; of a rank that is given.
        limits: What bounds all of them together; asked for after the waiters.
    """

    def __init__(
        self,
        quests: Iterable[Quest],
        obstacles: Obstacles,
        now: float,
        *,
        paused: bool,
        waiter: Callable[[Quest, tuple[int, ...]], Waiter],
        limits: Callable[[], Limits],
    ) -> None:
        rank = obstacles.rank
        self.quests = [one for _, one in sorted((rank(one, now), one) for one in quests)]
        """In the order of their starts."""
        self._obstacles = obstacles
        self._needs = obstacles.needs(now)
        self._now = now
        self._paused = paused
        self._waiter = waiter
        self._limits = limits

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Where each stands, from 1, by id."""
        return {one.id: number for number, one in enumerate(self.quests, 1)}

    def code(self, quest: Quest) -> WaitCode | None:
        """Why a quest waits, as far as others or a person keep it back; None: it waits for time, money or its turn."""
        if self._paused:
            return self._needs.code(quest) or WaitCode.HELD
        return self._obstacles.code(quest, self._needs)

    def waits(self, quests: Collection[Quest]) -> dict[str, Wait]:
        """Why each of these waits, by id; those that start now are left out.

        It follows from them and from those who come before them and could start.
        """
        positions = self.positions
        wanted = {one.id: self._wanting(one, positions[one.id]) for one in quests if one.id in positions}
        able = [one.rank[0] for one in wanted.values() if one.blocked is None and one.not_before <= self._now]
        before = enumerate(self.quests[: max(able, default=0)], 1)
        others = [self._waiter(one, (at,)) for at, one in before if one.id not in wanted and self._is_able(one)]
        everybody = [*wanted.values(), *others]
        found = ready(everybody, self._now, self._limits(), time_text=self._time_text).waiting
        return {id_: found[waiter.name] for id_, waiter in wanted.items() if waiter.name in found}

    def _wanting(self, quest: Quest, position: int) -> Waiter:
        """With all that is in its way, in words."""
        assert quest.queue is not None
        blocked = self._obstacles.of(quest, self._needs)
        if self._paused:
            blocked = first_of((blocked, PAUSED))
        text = attempt_text(quest) if quest.queue.tries else ""
        waiter = self._waiter(quest, (position,))
        return waiter._replace(blocked=blocked, not_before=quest.queue.not_before, attempt=text)

    def _time_text(self, wall: float) -> str:
        return format_clock(wall, self._now)

    def _is_able(self, quest: Quest) -> bool:
        """Whether nothing but its turn is in its way."""
        assert quest.queue is not None
        if self._paused or quest.queue.not_before > self._now:
            return False
        return self._obstacles.may_start(quest) and self._obstacles.money.hold(quest) is None
