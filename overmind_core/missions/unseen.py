"""What happened to missions since somebody last looked: finished turns, ends, restarts, questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.agents.events import ConversationLost, MessageFailed, QuestionAsked, TurnFinished
from overmind_core.domain.missions.events import MissionCrashed, MissionKilled, MissionStopped, RunRestarted

if TYPE_CHECKING:
    from overmind_core.domain.events import Event
    from overmind_core.kernel.event_log import EventTable
    from overmind_core.missions.store import SeenTable

NEWSWORTHY = (
    QuestionAsked, MissionCrashed, MissionKilled, RunRestarted, MissionStopped, TurnFinished, ConversationLost,
    MessageFailed,
)  # fmt: skip
"""Types of events that are worth a look."""


class Unseen:
    """Event numbers by mission: the newest that is worth a look, and the newest that was looked at."""

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}
        self._lost: dict[str, int] = {}
        """The newest loss of its conversation."""
        self._seen: dict[str, int] = {}
        self._seen_at: dict[str, float] = {}

    def load(self, events: EventTable, seen_table: SeenTable) -> None:
        """Read what the store knows."""
        self._newest = events.newest_of(NEWSWORTHY)
        self._lost = events.newest_of((ConversationLost,))
        seen = seen_table.all()
        self._seen = {mission: seq for mission, (seq, _) in seen.items()}
        self._seen_at = {mission: at for mission, (_, at) in seen.items()}

    def on_news(self, event: Event) -> None:
        """An event that is worth a look was saved."""
        assert event.mission is not None
        assert event.seq is not None
        self._newest[event.mission] = event.seq
        if isinstance(event, ConversationLost):
            self._lost[event.mission] = event.seq

    def saw(self, mission: str, seq: int, at: float) -> None:
        """Somebody looked when `seq` was the newest event, `at` seconds since the epoch."""
        self._seen[mission] = max(seq, self._seen.get(mission, 0))
        self._seen_at[mission] = max(at, self._seen_at.get(mission, 0.0))

    def seen_at(self, mission: str) -> float | None:
        """When somebody looked last, in seconds since the epoch; None: nobody has."""
        return self._seen_at.get(mission)

    def forget(self, mission: str) -> None:
        """The mission was removed."""
        self._newest.pop(mission, None)
        self._lost.pop(mission, None)
        self._seen.pop(mission, None)
        self._seen_at.pop(mission, None)

    def is_new(self, mission: str) -> bool:
        """Whether something happened to it that nobody has looked at."""
        return self._newest.get(mission, 0) > self._seen.get(mission, 0)

    def has_lost_conversation(self, mission: str) -> bool:
        """Whether its agent has begun a new conversation in place of a lost one, and nobody has looked since."""
        return self._lost.get(mission, 0) > self._seen.get(mission, 0)
