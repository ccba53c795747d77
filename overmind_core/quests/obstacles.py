"""Obstacles of queued quests other than time and turn: unmet needs, and features that hold quests back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from overmind_core.domain.quests.needs import Needs, are_met, met_at
from overmind_core.domain.quests.score import Rank, Score, Urgency, score_of, urgency_of
from overmind_core.domain.quests.why import first_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from overmind_core.domain.admission import Wait, WaitCode
    from overmind_core.domain.quests.quest import Quest
    from overmind_core.quests.registry import QuestRegistry


class Money(Protocol):
    """A port: budgets that may keep quests from starting."""

    def hold(self, quest: Quest) -> Wait | None:
        """Why a budget holds a quest back; None: none does."""

    def admits(self, quest: Quest) -> bool:
        """Whether the budgets allow a quest whose turn has come; if only a person can change that, one is asked."""

    def postponed(self) -> Collection[str]:
        """Return, and forget, the quests that were refused: a slot is free, so they may be tried again."""


class _Endless:
    """No budgets: everything is allowed."""

    def hold(self, _quest: Quest) -> Wait | None:
        return None

    def admits(self, _quest: Quest) -> bool:
        return True

    def postponed(self) -> Collection[str]:
        return ()


class Obstacles:
    """Finds obstacles. Used from the event loop's thread only."""

    def __init__(self, quests: QuestRegistry) -> None:
        self._quests = quests
        self.holds: list[Callable[[Quest], Wait | None]] = []
        """Functions of features that may hold a quest back: each returns its reason, or None."""
        self.money: Money = _Endless()

    def may_start(self, quest: Quest) -> bool:
        """Whether a quest has no obstacle other than time and turn."""
        return are_met(quest, self._quests.get) and self._held(quest) is None

    def of(self, quest: Quest, needs: Needs) -> Wait | None:
        """The obstacle of a quest; None: it waits for nothing but its time and its turn."""
        return needs.wait(quest) or self._held(quest) or self.money.hold(quest)

    def code(self, quest: Quest, needs: Needs) -> WaitCode | None:
        """The code of that obstacle, without budgets; the text is not made, which is faster."""
        code = needs.code(quest)
        if code is None and (held := self._held(quest)) is not None:
            code = held.code
        return code

    def needs(self, now: float) -> Needs:
        """The unmet needs of all quests at `now`; good for one look."""
        return Needs(self._quests.get, now)

    def urgency(self, quest: Quest) -> Urgency:
        """What its place in the order of the queue follows from, at whatever time."""
        return urgency_of(quest, self._dependants(quest), met_at(quest, self._quests.get))

    def rank(self, quest: Quest, now: float) -> Rank:
        """Its place in the order of the queue: the lower, the sooner."""
        return self.urgency(quest).rank(now)

    def score(self, quest: Quest, now: float) -> Score:
        """The parts of its score."""
        return score_of(quest, self._dependants(quest), met_at(quest, self._quests.get), now)

    def _dependants(self, quest: Quest) -> int:
        return len(self._quests.dependants(quest.id))

    def _held(self, quest: Quest) -> Wait | None:
        found = None
        for hold in self.holds:  # called for each of ten thousand quests
            one = hold(quest)
            if one is not None:
                found = first_of((found, one))
        return found
