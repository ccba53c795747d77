"""The outbox of learning: lessons and votes that wait until memory has them.

A row is saved in the commit that ends an attempt, and deleted once memory has it. Whoever is killed in between finds it
again, and memory knows what it has taken in. Reads any time, changes inside of a transaction.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from overmind_core.domain.replacing import replace
from overmind_core.domain.watching.learning import AttemptVote, Lesson, LessonState
from overmind_core.kernel.codec import Codec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from overmind_core.kernel.database import Database

RECORD = Codec(Lesson)
_log = logging.getLogger(__name__)
_SAVE = """INSERT INTO lessons (id, repository, state, helped, hurt, record) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET record = excluded.record"""


class Outbox:
    """What waits for memory, of one home."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.unfinished: set[int] = set()
        """Numbers of lessons whose files are still looked for: memory takes them in once these are known."""

    def save(self, lesson: Lesson) -> None:
        """Insert a lesson that has its number, or replace it."""
        row = (lesson.number, lesson.repository, lesson.state, lesson.helped, lesson.hurt, RECORD.encode(lesson))
        self._database.write(_SAVE, row)

    def get(self, number: int) -> Lesson | None:
        """Return the lesson with this number."""
        rows = self._database.read("SELECT id, record FROM lessons WHERE id = ?", (number,))
        return next(iter(_lessons(rows)), None)

    def lessons(self) -> list[Lesson]:
        """Return all lessons, those first that a person has accepted, oldest first."""
        rows = self._database.read(
            "SELECT id, record FROM lessons ORDER BY state <> ?, id", (LessonState.ACCEPTED.value,)
        )
        return _lessons(rows)

    def newest(self) -> int:
        """Return the highest number of a lesson that was ever given."""
        row = self._database.read_one("SELECT seq FROM sqlite_sequence WHERE name = 'lessons'")
        return 0 if row is None else int(row[0])

    def trim(self, keep: int) -> None:
        """Forget the lessons that are not accepted, and the votes, but for the newest `keep`."""
        self._database.write(
            "DELETE FROM lessons WHERE state <> ? AND id <= (SELECT max(id) FROM lessons) - ?",
            (LessonState.ACCEPTED.value, keep),
        )
        self._database.write(
            "DELETE FROM attempt_votes WHERE at < (SELECT at FROM attempt_votes ORDER BY at DESC LIMIT 1 OFFSET ?)",
            (keep,),
        )

    def vote(self, vote: AttemptVote) -> None:
        """Add a vote."""
        sql = "INSERT OR IGNORE INTO attempt_votes (mission, attempt, run, helped, at) VALUES (?, ?, ?, ?, ?)"
        self._database.write(sql, vote)

    def votes(self) -> list[AttemptVote]:
        """Return all votes, oldest first."""
        rows = self._database.read("SELECT mission, attempt, run, helped, at FROM attempt_votes ORDER BY at, mission")
        return [AttemptVote(mission, attempt, run, bool(helped), at) for mission, attempt, run, helped, at in rows]

    def remove_lessons(self, numbers: Iterable[int]) -> None:
        """Delete these lessons."""
        self._database.write_many("DELETE FROM lessons WHERE id = ?", ((number,) for number in numbers))

    def remove_votes(self, votes: Iterable[AttemptVote]) -> None:
        """Delete these votes."""
        sql = "DELETE FROM attempt_votes WHERE mission = ? AND attempt = ?"
        self._database.write_many(sql, ((vote.mission, vote.attempt) for vote in votes))


def _lessons(rows: Sequence[Sequence[str | int]]) -> list[Lesson]:
    """Those that can be read; the others stay, and hold nobody up."""
    found = []
    for number, record in rows:
        try:
            found.append(replace(RECORD.decode(str(record)), number=int(number)))
        except msgspec.MsgspecError as error:
            _log.warning("lesson %s can't be read: %s", number, error)
    return found
