"""The tables of outcomes and lessons. Reads any time, changes inside of a transaction."""

# ruff: noqa: S608 -- every statement is put together from constants of this file

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.replacing import replace
from overmind_core.domain.watching.learning import AttemptOutcome, Lesson, LessonState
from overmind_core.kernel.codec import Codec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.kernel.database import Database

RECORD = Codec(Lesson)
LOOKED_AT = 200
"""How many outcomes, the newest of a kind, an estimate is made from."""
_FIELDS = "at, quest, attempt, type, provider, model, spec, class, cost_usd, seconds"
_SAVE_OUTCOME = f"INSERT OR IGNORE INTO outcomes ({_FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class OutcomeTable:
    """The outcomes of attempts, one row each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, one: AttemptOutcome) -> None:
        """Add an outcome; one that is there already stays as it is."""
        row = (
            one.at, one.quest, one.attempt, one.type, one.provider, one.model or None, one.spec or None, one.failure,
            one.cost_usd, one.seconds,
        )  # fmt: skip
        self._database.write(_SAVE_OUTCOME, row)

    def newest(self, limit: int) -> list[AttemptOutcome]:
        """Return the newest ones, oldest first."""
        rows = self._database.read(f"SELECT {_FIELDS} FROM outcomes ORDER BY id DESC LIMIT ?", (limit,))
        return [_outcome(row) for row in reversed(rows)]

    def passed(self, type: str, provider: str) -> list[AttemptOutcome]:  # noqa: A002 - the field's name
        """Return the newest successful ones of this type and provider."""
        sql = f"""SELECT {_FIELDS} FROM outcomes WHERE type = ? AND provider = ? AND class IS NULL
            ORDER BY id DESC LIMIT ?"""
        return [_outcome(row) for row in self._database.read(sql, (type, provider, LOOKED_AT))]

    def providers(self, enough: int) -> frozenset[str]:
        """Return the providers with at least so many successful attempts."""
        sql = "SELECT provider FROM outcomes WHERE class IS NULL GROUP BY provider HAVING count(*) >= ?"
        return frozenset(str(row[0]) for row in self._database.read(sql, (enough,)))

    def remove(self, quests: Sequence[str]) -> None:
        """Delete the outcomes of these quests."""
        self._database.write_many("DELETE FROM outcomes WHERE quest = ?", ((quest,) for quest in quests))

    def trim(self, keep: int) -> None:
        """Forget all but the newest `keep`."""
        self._database.write("DELETE FROM outcomes WHERE id <= (SELECT max(id) FROM outcomes) - ?", (keep,))


def _outcome(row: Sequence[object]) -> AttemptOutcome:
    at, quest, attempt, kind, provider, model, spec, failure, cost, seconds = row
    assert isinstance(at, float)
    assert isinstance(attempt, int)
    assert isinstance(seconds, float)
    assert cost is None or isinstance(cost, float)
    return AttemptOutcome(
        str(quest),
        attempt,
        at,
        type=str(kind),
        provider=str(provider),
        model=str(model or ""),
        spec=str(spec or ""),
        failure=None if failure is None else str(failure),
        cost_usd=cost,
        seconds=seconds,
    )


class LessonRow(NamedTuple):
    """One row."""

    id: int
    repository: str
    state: str
    helped: int
    hurt: int
    record: str

    @property
    def lesson(self) -> Lesson:
        """The lesson, with its number."""
        return replace(RECORD.decode(self.record), number=self.id)


def lesson_row(lesson: Lesson) -> LessonRow:
    """The row of a lesson that has its number."""
    record = RECORD.encode(lesson)
    return LessonRow(lesson.number, lesson.repository, lesson.state.value, lesson.helped, lesson.hurt, record)


_COLUMNS = ", ".join(LessonRow._fields)
_SELECT = f"SELECT {_COLUMNS} FROM lessons"
_SAVE = f"""INSERT INTO lessons ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, helped = excluded.helped, hurt = excluded.hurt,
    record = excluded.record"""
_TRIM = """DELETE FROM lessons WHERE state != ? AND id <= (SELECT max(id) FROM lessons) - ?"""


class LessonTable:
    """The lessons of a home."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, row: LessonRow) -> None:
        """Insert a lesson, or replace it."""
        self._database.write(_SAVE, row)

    def get(self, number: int) -> LessonRow | None:
        """Return the lesson with this number."""
        return next(iter(self._read("id = ?", (number,))), None)

    def of(self, repository: str) -> list[LessonRow]:
        """Return those of a repository, oldest first."""
        return self._read("repository = ?", (repository,))

    def accepted(self, repository: str) -> list[LessonRow]:
        """Return those of a repository that a person has accepted, oldest first."""
        return self._read("repository = ? AND state = ?", (repository, LessonState.ACCEPTED.value))

    def remove(self, lessons: Sequence[int]) -> None:
        """Forget these."""
        self._database.write_many("DELETE FROM lessons WHERE id = ?", ((number,) for number in lessons))

    def every(self) -> list[LessonRow]:
        """Return all, oldest first."""
        return self._read("1", ())

    def newest(self) -> int:
        """Return the highest number that was ever given."""
        row = self._database.read_one("SELECT seq FROM sqlite_sequence WHERE name = 'lessons'")
        return 0 if row is None else int(row[0])

    def trim(self, keep: int) -> None:
        """Forget those that are not accepted, but for the newest `keep`."""
        self._database.write(_TRIM, (LessonState.ACCEPTED.value, keep))

    def _read(self, condition: str, values: Sequence[str | int]) -> list[LessonRow]:
        return [LessonRow(*row) for row in self._database.read(f"{_SELECT} WHERE {condition} ORDER BY id", values)]
