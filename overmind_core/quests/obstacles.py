"""What is in the way of queued quests, but for their time and their turn: what they need, and who holds them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from overmind_core.domain.quests.needs import Needs, are_met, met_at
from overmind_core.domain.quests.score import Rank, Score, score_of, urgency_of
from overmind_core.domain.quests.why import first_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from overmind_core.domain.admission import Wait, WaitCode
    from overmind_core.domain.quests.quest import Quest
    from overmind_core.quests.registry import QuestRegistry


class Money(Protocol):
    """Budgets, as far as they keep quests from starting."""

    def hold(self, quest: Quest) -> Wait | None:
        """Why a quest may not start now; None: there is money for it."""

    def admits(self, quest: Quest) -> bool:
        """Whether there is money for a quest whose turn has come; where only a person can change that, one is asked."""

    def postponed(self) -> Collection[str]:
        """The quests that were refused, which are to be looked at again: a slot is free."""


class _Endless:
    """There are no budgets."""

    def hold(self, _quest: Quest) -> Wait | None:
        return None

    def admits(self, _quest: Quest) -> bool:
        return True

    def postponed(self) -> Collection[str]:
        return ()


class Obstacles:
    """Used from the loop's thread only."""

    def __init__(self, quests: QuestRegistry) -> None:
        self._quests = quests
        self.holds: list[Callable[[Quest], Wait | None]] = []
        """Features that may hold a quest back, each by its own reason."""
        self.money: Money = _Endless()

    def may_start(self, quest: Quest) -> bool:
        """Whether nothing but its time and its turn is in its way."""
        return are_met(quest, self._quests.get) and self._held(quest) is None

    def of(self, quest: Quest, needs: Needs) -> Wait | None:
        """Why it can't start whatever is free; None: nothing but its time and its turn is in its way."""
        return needs.wait(quest) or self._held(quest) or self.money.hold(quest)

    def code(self, quest: Quest, needs: Needs) -> WaitCode | None:
        """The code of that reason, as far as money is none; nothing is put into words."""
        code = needs.code(quest)
        if code is None and (held := self._held(quest)) is not None:
            code = held.code
        return code

    def needs(self, now: float) -> Needs:
        """What stands in the way of all of them at `now`, for one look."""
        return Needs(self._quests.get, now)

    def rank(self, quest: Quest, now: float) -> Rank:
        """Its place in the order of the queue: the lower, the sooner."""
        return urgency_of(quest, self._dependants(quest), met_at(quest, self._quests.get)).rank(now)

    def score(self, quest: Quest, now: float) -> Score:
        """The parts of its score."""
        return score_of(quest, self._dependants(quest), met_at(quest, self._quests.get), now)

    def _dependants(self, quest: Quest) -> int:
        return len(self._quests.dependants(quest.id))

    def _held(self, quest: Quest) -> Wait | None:
        found = None
        for hold in self.holds:  # of each of ten thousand quests
            one = hold(quest)
            if one is not None:
                found = first_of((found, one))
        return found
