"""The table of messages: what people and agents sent to agents, and what became of it."""

# ruff: noqa: S608 -- every statement is put together from constants of this file

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from overmind_core.store.database import Database, Row

QUEUED, DELIVERED, ANSWERED, FAILED, CANCELLED = "queued", "delivered", "answered", "failed", "cancelled"
OPEN = (QUEUED, DELIVERED)


class Message(NamedTuple):
    """One row. Times are seconds since the epoch; `answer` is JSON; `sender` is the mission that sent it, if any."""

    id: int
    mission: str
    state: str
    sender: str | None
    request: str | None
    created_at: float
    delivered_at: float | None
    ended_at: float | None
    resent: bool
    answer: str | None
    text: str


_COLUMNS = ", ".join(Message._fields)
_SELECT = f"SELECT {_COLUMNS} FROM messages"
_SAVE = "UPDATE messages SET state = ?, delivered_at = ?, ended_at = ?, resent = ?, answer = ? WHERE id = ?"


class Messages:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, message: Message) -> None:
        """Add a message.

        Raises:
            Conflict: its id or request is there already.
        """
        self._database.insert(f"INSERT INTO messages ({_COLUMNS}) VALUES ({', '.join('?' * len(message))})", message)

    def save(self, message: Message) -> None:
        """Store everything that can change."""
        m = message
        self._database.write(_SAVE, (m.state, m.delivered_at, m.ended_at, m.resent, m.answer, m.id))

    def get(self, message: int) -> Message | None:
        """Return the message with this number."""
        return _one(self._database.read(f"{_SELECT} WHERE id = ?", (message,)))

    def by_request(self, request: str) -> Message | None:
        """Return the message that an earlier try of the same request has made."""
        return _one(self._database.read(f"{_SELECT} WHERE request = ?", (request,)))

    def of(self, mission: str) -> list[Message]:
        """Return all messages of a mission, oldest first."""
        return [_message(row) for row in self._database.read(f"{_SELECT} WHERE mission = ? ORDER BY id", (mission,))]

    def open(self, mission: str) -> list[Message]:
        """Return those that are queued or delivered, oldest first."""
        sql = f"{_SELECT} WHERE mission = ? AND state IN (SELECT value FROM json_each(?)) ORDER BY id"
        return [_message(row) for row in self._database.read(sql, (mission, json.dumps(OPEN)))]

    def newest(self) -> int:
        """Return the highest number that was ever given."""
        row = self._database.read_one("SELECT seq FROM sqlite_sequence WHERE name = 'messages'")
        return 0 if row is None else int(row[0])


def _one(rows: Iterable[Row]) -> Message | None:
    return next((_message(row) for row in rows), None)


def _message(row: Row) -> Message:
    message = Message._make(row)
    return message._replace(resent=bool(message.resent))
