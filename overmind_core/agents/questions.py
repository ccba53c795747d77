"""Questions: numbered and stored from when they are asked until they are answered or withdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.agents.store import (
    ABOUT_MISSION,
    ASKED,
    DECISION,
    QUESTION_ANSWERED,
    QUESTION_OPEN,
    WITHDRAWN,
    QuestionRow,
)
from overmind_core.domain.text.duration import format_uptime
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from overmind_core.agents.store import QuestionTable
    from overmind_core.domain.agents.agent_events import Asked, Decision
    from overmind_core.kernel.journal import Journal
    from overmind_core.system.machine import Clock


class Questions:
    """The questions of all agents, and the numbers and rows of all that is asked."""

    def __init__(self, journal: Journal, table: QuestionTable, clock: Clock) -> None:
        self._journal = journal
        self._table = table
        self._clock = clock
        self._newest = 0

    def load(self) -> None:
        """Go on behind the highest number that was ever given."""
        self._newest = self._table.newest()

    @property
    def upcoming(self) -> int:
        """The number of the next question."""
        return self._newest + 1

    def next_number(self) -> int:
        """A number that no question has had."""
        self._newest += 1
        return self._newest

    def insert(self, number: int, mission_id: str, run: str, asked: Asked) -> None:
        """Store an agent's question that is open, with this turn's commit."""
        at, text = self._clock.wall(), ASKED.encode(asked)
        self.put(
            QuestionRow(number, mission_id, run, ABOUT_MISSION, mission_id, QUESTION_OPEN, at, None, None, None, text)
        )

    def put(self, row: QuestionRow) -> None:
        """Store a question that is new, with this turn's commit."""
        self._journal.save(lambda: self._table.insert(row))

    def reword(self, number: int, asked: str) -> None:
        """Store what an open question says from now on, with this turn's commit."""
        self._journal.save(lambda: self._table.reword(number, asked))

    def close(
        self, number: int, decision: Decision | None, by: str | None, *, then: Callable[[], None] | None = None
    ) -> None:
        """Store how it was answered and by whom, and call `then` after that; `by`: None when it was withdrawn."""
        state = WITHDRAWN if by is None else QUESTION_ANSWERED
        text = None if decision is None else DECISION.encode(decision)
        at = self._clock.wall()
        self._journal.save(lambda: self._table.close(number, state, at, by, text), then)

    def get(self, number: int) -> QuestionRow | None:
        """How a question stands."""
        self._journal.flush()
        return self._table.get(number)

    def open(self, mission_id: str | None = None) -> list[QuestionRow]:
        """Those that nobody has answered, oldest first: asked by one mission, or by anybody."""
        self._journal.flush()
        return self._table.open(mission_id)

    def about(self, about_id: str) -> list[QuestionRow]:
        """Those about one subject that nobody has answered, oldest first, whoever asks."""
        self._journal.flush()
        return self._table.about(about_id)

    def newest_about(self, about_ids: Collection[str]) -> QuestionRow | None:
        """The newest question about these subjects, open or not; None: there was none."""
        self._journal.flush()
        return self._table.newest_about(about_ids)

    def every_about(self, about_ids: Collection[str]) -> list[QuestionRow]:
        """All questions about these subjects, open or not, the newest first."""
        self._journal.flush()
        return self._table.every_about(about_ids)

    def too_late(self, row: QuestionRow) -> OvermindError:
        """The refusal of an answer to this question, which is not open."""
        return too_late(row, self._clock.wall())

    def asked_about(self) -> set[str]:
        """Ids of all subjects about which something is open, whoever asks."""
        self._journal.flush()
        return self._table.asked_about()


def too_late(row: QuestionRow, now: float) -> OvermindError:
    """The refusal of an answer to a question that is not open; `now` in seconds since the epoch."""
    ago = "" if row.answered_at is None else f" {format_uptime(now - row.answered_at)} ago"
    at = None if row.answered_at is None else format_time(row.answered_at)
    if row.by is not None and row.state == QUESTION_ANSWERED:
        message = f"Question {row.id} was already answered by {row.by}{ago}."
        return OvermindError("not_found", message, by=row.by, answered_at=at)
    how = "withdrawn" if row.mission is None else "withdrawn, or answered in its own program,"
    message = f"Question {row.id} is closed: it was {how}{ago}".removesuffix(",")
    return OvermindError("not_found", f"{message}.", by=None, answered_at=at)
