"""Questions of agents: numbered and stored from when they are asked until they are answered or withdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.agents.store import ASKED, DECISION, QUESTION_ANSWERED, QUESTION_OPEN, WITHDRAWN, QuestionRow

if TYPE_CHECKING:
    from overmind_core.agents.store import QuestionTable
    from overmind_core.domain.agents.agent_events import Asked, Decision
    from overmind_core.kernel.journal import Journal
    from overmind_core.system.machine import Clock


class Questions:
    """The questions of all agents."""

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
        """Store a question that is open, with this turn's commit."""
        at, text = self._clock.wall(), ASKED.encode(asked)
        row = QuestionRow(number, mission_id, run, QUESTION_OPEN, at, None, None, None, text)
        self._journal.save(lambda: self._table.insert(row))

    def close(self, number: int, decision: Decision | None, by: str | None) -> None:
        """Store how it was answered and by whom; `by`: None when it was withdrawn."""
        state = WITHDRAWN if by is None else QUESTION_ANSWERED
        text = None if decision is None else DECISION.encode(decision)
        at = self._clock.wall()
        self._journal.save(lambda: self._table.close(number, state, at, by, text))

    def get(self, number: int) -> QuestionRow | None:
        """How a question stands."""
        self._journal.flush()
        return self._table.get(number)

    def open(self, mission_id: str | None = None) -> list[QuestionRow]:
        """Those that nobody has answered, oldest first: of one mission, or of all."""
        self._journal.flush()
        return self._table.open(mission_id)
