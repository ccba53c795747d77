"""The table of quests: what was to be done and how that ended, also after its mission is removed."""

# ruff: noqa: S608 -- every statement is put together from constants of this file

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from overmind_core.domain.missions.references import SHORTEST_PREFIX, Candidate
from overmind_core.domain.quests import Quest
from overmind_core.kernel.codec import Codec
from overmind_core.kernel.database import Database, Row


class QuestRow(NamedTuple):
    """One row. Times are seconds since the epoch; `record` is JSON that only the supervisor reads."""

    id: str
    name: str
    live: bool
    status: str
    created_at: float
    ended_at: float | None
    record: str


_COLUMNS = ", ".join(QuestRow._fields)
_SELECT = f"SELECT {_COLUMNS} FROM quests"
_SAVE = f"INSERT OR REPLACE INTO quests ({_COLUMNS}) VALUES ({', '.join('?' * len(QuestRow._fields))})"
_NEWEST = f"""{_SELECT} WHERE (?1 IS NULL OR status IN (SELECT value FROM json_each(?1)))
    ORDER BY created_at DESC, id DESC LIMIT ?2"""
_TRIM = """DELETE FROM quests WHERE live = 0 AND id NOT IN
    (SELECT id FROM quests WHERE live = 0 ORDER BY ended_at DESC, id DESC LIMIT ?)"""


class QuestTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, quest: QuestRow) -> None:
        """Insert or replace."""
        self._database.write(_SAVE, quest)

    def get(self, quest: str) -> QuestRow | None:
        """Return the quest with this id."""
        row = self._database.read_one(f"{_SELECT} WHERE id = ?", (quest,))
        return None if row is None else _quest(row)

    def live(self) -> list[QuestRow]:
        """Return those that run, oldest first."""
        return [_quest(row) for row in self._database.read(f"{_SELECT} WHERE live = 1 ORDER BY created_at, id")]

    def newest(self, limit: int, *, statuses: Sequence[str] = ()) -> list[QuestRow]:
        """Return the newest, oldest of them first; no `statuses` means any."""
        rows = self._database.read(_NEWEST, (json.dumps(statuses) if statuses else None, limit))
        return [_quest(row) for row in reversed(rows)]

    def candidates(self, text: str) -> list[Candidate]:
        """Return whatever `text` could mean, for `references.resolve` to decide."""
        last = f"{text}g" if len(text) >= SHORTEST_PREFIX else text  # 'g' follows every hex digit
        rows = self._database.read(
            "SELECT id, name, live, ended_at FROM quests WHERE name = ?1 OR (id >= ?1 AND id <= ?2)", (text, last)
        )
        return [Candidate(id_, name, bool(live), ended_at) for id_, name, live, ended_at in rows]

    def remove(self, quests: Sequence[str]) -> None:
        """Forget these."""
        self._database.write_many("DELETE FROM quests WHERE id = ?", ((quest,) for quest in quests))

    def trim(self, keep: int) -> None:
        """Forget the ended ones but the newest `keep`."""
        self._database.write(_TRIM, (keep,))


def _quest(row: Row) -> QuestRow:
    id_, name, live, *rest = row
    return QuestRow(id_, name, bool(live), *rest)


RECORD = Codec(Quest)


def row(quest: Quest) -> QuestRow:
    """As it is stored."""
    return QuestRow(
        id=quest.id,
        name=quest.name,
        live=quest.runs,
        status=quest.status.value,
        created_at=quest.created_at,
        ended_at=quest.ended_at,
        record=RECORD.encode(quest),
    )


def quest(stored: QuestRow) -> Quest:
    """What `row` made of one."""
    return RECORD.decode(stored.record)
