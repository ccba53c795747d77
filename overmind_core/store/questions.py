"""The table of questions: what agents asked of people, who or which rule answered, and how."""

# ruff: noqa: S608 -- every statement is put together from constants of this file

from __future__ import annotations

from typing import NamedTuple

from overmind_core.store.database import Database

OPEN, ANSWERED, WITHDRAWN = "open", "answered", "withdrawn"


class Question(NamedTuple):
    """One row. `asked` and `decision` are JSON; `by` tells who answered."""

    id: int
    mission: str
    run: str
    state: str
    asked_at: float
    answered_at: float | None
    by: str | None
    decision: str | None
    asked: str


_COLUMNS = ", ".join(Question._fields)
_SELECT = f"SELECT {_COLUMNS} FROM questions"


class Questions:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, question: Question) -> None:
        """Add a question."""
        marks = ", ".join("?" * len(question))
        self._database.insert(f"INSERT INTO questions ({_COLUMNS}) VALUES ({marks})", question)

    def close(self, question: int, state: str, at: float, by: str | None = None, decision: str | None = None) -> None:
        """Store that it is answered or withdrawn; the first word counts."""
        self._database.write(
            "UPDATE questions SET state = ?, answered_at = ?, by = ?, decision = ? WHERE id = ? AND state = 'open'",
            (state, at, by, decision, question),
        )

    def get(self, question: int) -> Question | None:
        """Return the question with this number."""
        row = self._database.read_one(f"{_SELECT} WHERE id = ?", (question,))
        return Question._make(row) if row else None

    def open(self, mission: str | None = None) -> list[Question]:
        """Return what nobody has answered, of one mission or of all, oldest first."""
        sql = f"{_SELECT} WHERE state = 'open' AND (?1 IS NULL OR mission = ?1) ORDER BY asked_at, id"
        return [Question._make(row) for row in self._database.read(sql, (mission,))]

    def newest(self) -> int:
        """Return the highest number that was ever given."""
        row = self._database.read_one("SELECT seq FROM sqlite_sequence WHERE name = 'questions'")
        return 0 if row is None else int(row[0])
