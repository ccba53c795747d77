"""The table of missions: what was asked for, and how it stands."""

# ruff: noqa: S608 -- every statement is put together from constants of this file

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from overmind_core.domain.references import SHORTEST_PREFIX, Candidate
from overmind_core.store.database import Database, Row


class Mission(NamedTuple):
    """One row. Times are seconds since the epoch; `record` is JSON that only the supervisor reads."""

    id: str
    name: str
    live: bool
    hidden: bool
    parent: str | None
    type: str
    provider: str
    status: str
    request: str | None
    created_at: float
    ended_at: float | None
    record: str


_SELECT = f"SELECT {', '.join(Mission._fields)} FROM missions"
_ORDER = "ORDER BY created_at, id"
_INSERT = f"INSERT INTO missions ({', '.join(Mission._fields)}) VALUES ({', '.join('?' * len(Mission._fields))})"
_SAVE = "UPDATE missions SET name = ?, live = ?, hidden = ?, status = ?, ended_at = ?, record = ? WHERE id = ?"
_CHOSEN = f"""{_SELECT} WHERE (?1 IS NULL OR status IN (SELECT value FROM json_each(?1))) AND (?2 OR hidden = 0)
    AND (?3 IS NULL OR parent = ?3) {_ORDER}"""
# 'g' follows every hex digit: the range holds each id that begins with the text, and the index serves it.
_CANDIDATES = "SELECT id, name, live, ended_at FROM missions WHERE name = ?1 OR (id >= ?1 AND id <= ?2)"


class Missions:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, mission: Mission) -> None:
        """Add a mission.

        Raises:
            Conflict: its id, its request, or its name among the live ones is there already.
        """
        self._database.insert(_INSERT, mission)

    def save(self, mission: Mission) -> None:
        """Store everything that can change; id, parent, type, provider, request and created_at can't.

        Raises:
            Conflict: it is live and another live one has its name.
        """
        self.save_many((mission,))

    def save_many(self, missions: Iterable[Mission]) -> None:
        """`save` each of `missions`."""
        self._database.write_many(
            _SAVE, ((m.name, m.live, m.hidden, m.status, m.ended_at, m.record, m.id) for m in missions)
        )

    def get(self, mission: str) -> Mission | None:
        """Return the mission with this id."""
        return _one(self._database.read(f"{_SELECT} WHERE id = ?", (mission,)))

    def by_request(self, request: str) -> Mission | None:
        """Return the mission that an earlier try of the same request has made."""
        return _one(self._database.read(f"{_SELECT} WHERE request = ?", (request,)))

    def by_ids(self, missions: Iterable[str]) -> list[Mission]:
        """Return those of `missions` that exist, oldest first."""
        return self._all(f"{_SELECT} WHERE id IN (SELECT value FROM json_each(?)) {_ORDER}", json.dumps(list(missions)))

    def live(self) -> list[Mission]:
        """Return the live ones, oldest first."""
        return self._all(f"{_SELECT} WHERE live = 1 {_ORDER}")

    def all(
        self, *, statuses: Sequence[str] = (), include_hidden: bool = False, parent: str | None = None
    ) -> list[Mission]:
        """Return the missions, oldest first; no `statuses` means any."""
        return self._all(_CHOSEN, json.dumps(statuses) if statuses else None, include_hidden, parent)

    def children(self, mission: str) -> list[Mission]:
        """Return the missions that `mission` has started, oldest first."""
        return self._all(f"{_SELECT} WHERE parent = ? {_ORDER}", mission)

    def finished_before(self, wall: float) -> list[Mission]:
        """Return the finished missions that ended before `wall`, oldest end first."""
        return self._all(f"{_SELECT} WHERE live = 0 AND ended_at < ? ORDER BY ended_at, id", wall)

    def oldest_finished(self, limit: int) -> list[Mission]:
        """Return at most `limit` finished missions, oldest end first."""
        return self._all(f"{_SELECT} WHERE live = 0 ORDER BY ended_at, id LIMIT ?", limit)

    def parents(self) -> dict[str, str | None]:
        """Return the parent of each mission, by id, oldest mission first."""
        return dict(self._database.read(f"SELECT id, parent FROM missions {_ORDER}"))

    def candidates(self, text: str) -> list[Candidate]:
        """Return whatever `text` could mean, for `references.resolve` to decide."""
        last = f"{text}g" if len(text) >= SHORTEST_PREFIX else text
        rows = self._database.read(_CANDIDATES, (text, last))
        return [Candidate(id_, name, bool(live), ended_at) for id_, name, live, ended_at in rows]

    def below_any(self, name: str) -> list[str]:
        """Return the ids of the missions that are called `<something>/name`, oldest first."""
        sql = f"SELECT id FROM missions WHERE substr(name, -length(?1) - 1) = '/' || ?1 {_ORDER}"
        return [mission for (mission,) in self._database.read(sql, (name,))]

    def live_names(self) -> set[str]:
        """Return the names in use."""
        return {name for (name,) in self._database.read("SELECT name FROM missions WHERE live = 1")}

    def count_by_status(self) -> dict[str, int]:
        """Return how many missions have each status, hidden ones too."""
        return dict(self._database.read("SELECT status, count(*) FROM missions GROUP BY status"))

    def remove(self, missions: Iterable[str]) -> None:
        """Delete missions with their runs, environments and cursors. Their events stay: see `events`."""
        self._database.write_many("DELETE FROM missions WHERE id = ?", ((mission,) for mission in missions))

    def _all(self, sql: str, *values: str | float | None) -> list[Mission]:
        return [_mission(row) for row in self._database.read(sql, values)]


def _one(rows: list[Row]) -> Mission | None:
    return _mission(rows[0]) if rows else None


def _mission(row: Row) -> Mission:
    id_, name, live, hidden, *rest = row
    return Mission(id_, name, bool(live), bool(hidden), *rest)
