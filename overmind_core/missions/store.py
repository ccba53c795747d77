"""The tables of missions: their definitions and states, their runs, their environments, and what people have seen.

A run is one OS process; a mission that was restarted has several. Environments are secrets, so they live here and in no
event, export or other answer; they are deleted with their mission, and overwritten in the file (`secure_delete`). What
people have seen is the event of each mission up to which somebody has looked.
"""

# ruff: noqa: S608 -- every statement is put together from constants of this file

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from overmind_core.domain.missions.mission import Kind
from overmind_core.domain.missions.references import SHORTEST_PREFIX, Candidate
from overmind_core.kernel.database import Database, Row


class MissionRow(NamedTuple):
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


_SELECT = f"SELECT {', '.join(MissionRow._fields)} FROM missions"
_ORDER = "ORDER BY created_at, id"
_INSERT = f"INSERT INTO missions ({', '.join(MissionRow._fields)}) VALUES ({', '.join('?' * len(MissionRow._fields))})"
_SAVE = "UPDATE missions SET name = ?, live = ?, hidden = ?, status = ?, ended_at = ?, record = ? WHERE id = ?"
# Nearly every change is one of these two. Each index with a column that an UPDATE names is written again, though the
# value is the same.
_SAVE_LIVE = "UPDATE missions SET status = ?, record = ? WHERE id = ? AND name = ? AND live = 1"
_SAVE_END = """UPDATE missions SET live = ?, hidden = ?, status = ?, ended_at = ?, record = ?
    WHERE id = ? AND name = ?"""
_CHOSEN = f"""{_SELECT} WHERE (?1 IS NULL OR status IN (SELECT value FROM json_each(?1))) AND (?2 OR hidden = 0)
    AND (?3 IS NULL OR parent = ?3) {_ORDER}"""
_RECENT = f"""WITH listed AS (SELECT id, type FROM missions WHERE live = 1 OR id IN (SELECT id FROM missions
        WHERE live = 0 AND hidden = 0 ORDER BY ended_at DESC, id DESC LIMIT ?)
        OR id IN (SELECT value FROM json_each(?)))
    {_SELECT} WHERE id IN (SELECT id FROM listed)
    OR (hidden = 1 AND parent IN (SELECT id FROM listed WHERE type = '{Kind.BLUEPRINT}')) {_ORDER}"""
# 'g' follows every hex digit: the range holds each id that begins with the text, and the index serves it.
_CANDIDATES = "SELECT id, name, live, ended_at FROM missions WHERE name = ?1 OR (id >= ?1 AND id <= ?2)"


class BegunMission(NamedTuple):
    """A mission, and what it was begun by."""

    id: str
    parent: str | None
    request: str | None


class MissionTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, mission: MissionRow) -> None:
        """Add a mission.

        Raises:
            Conflict: its id, its request, or its name among the live ones is there already.
        """
        self._database.insert(_INSERT, mission)

    def save(self, mission: MissionRow) -> None:
        """Store everything that can change; id, parent, type, provider, request and created_at can't.

        Raises:
            Conflict: it is live and another live one has its name.
        """
        m = mission
        if m.live:
            saved = self._database.write(_SAVE_LIVE, (m.status, m.record, m.id, m.name))
        else:
            saved = self._database.write(_SAVE_END, (m.live, m.hidden, m.status, m.ended_at, m.record, m.id, m.name))
        if not saved:  # it has another name, or lives again
            self._database.write(_SAVE, (m.name, m.live, m.hidden, m.status, m.ended_at, m.record, m.id))

    def get(self, mission: str) -> MissionRow | None:
        """Return the mission with this id."""
        return _one(self._database.read(f"{_SELECT} WHERE id = ?", (mission,)))

    def by_request(self, request: str) -> MissionRow | None:
        """Return the mission that an earlier try of the same request has made."""
        return _one(self._database.read(f"{_SELECT} WHERE request = ?", (request,)))

    def by_ids(self, missions: Iterable[str]) -> list[MissionRow]:
        """Return those of `missions` that exist, oldest first."""
        return self._all(f"{_SELECT} WHERE id IN (SELECT value FROM json_each(?)) {_ORDER}", json.dumps(list(missions)))

    def live(self) -> list[MissionRow]:
        """Return the live ones, oldest first."""
        return self._all(f"{_SELECT} WHERE live = 1 {_ORDER}")

    def all(
        self, *, statuses: Sequence[str] = (), include_hidden: bool = False, parent: str | None = None
    ) -> list[MissionRow]:
        """Return the missions, oldest first; no `statuses` means any."""
        return self._all(_CHOSEN, json.dumps(statuses) if statuses else None, include_hidden, parent)

    def recent(self, finished: int, *, also: Sequence[str]) -> list[MissionRow]:
        """Return the live ones, at most so many finished ones, and those with these ids, oldest first.

        With a plan come its agents that are hidden.
        """
        return self._all(_RECENT, finished, json.dumps(also))

    def children(self, mission: str) -> list[MissionRow]:
        """Return the missions that `mission` has started, oldest first."""
        return self._all(f"{_SELECT} WHERE parent = ? {_ORDER}", mission)

    def finished_before(self, wall: float) -> list[MissionRow]:
        """Return the finished missions that ended before `wall`, oldest end first."""
        return self._all(f"{_SELECT} WHERE live = 0 AND ended_at < ? ORDER BY ended_at, id", wall)

    def oldest_finished(self, limit: int) -> list[MissionRow]:
        """Return at most `limit` finished missions, oldest end first."""
        return self._all(f"{_SELECT} WHERE live = 0 ORDER BY ended_at, id LIMIT ?", limit)

    def parents(self) -> dict[str, str | None]:
        """Return the parent of each mission, by id, oldest mission first."""
        return dict(self._database.read(f"SELECT id, parent FROM missions {_ORDER}"))

    def parents_below(self, missions: Collection[str]) -> dict[str, str | None]:
        """Return the same of the children of these missions alone."""
        below = "parent IN (SELECT value FROM json_each(?))"
        return dict(
            self._database.read(f"SELECT id, parent FROM missions WHERE {below} {_ORDER}", (json.dumps([*missions]),))
        )

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

    def killed_otherwise(self, causes: Collection[str]) -> list[MissionRow]:
        """Return the missions with the status `killed` of which no record says that one of these causes ended them."""
        sql = f"""{_SELECT} WHERE live = 0 AND status = 'killed' AND coalesce(json_extract(record, '$.ended_by'), '')
            NOT IN (SELECT value FROM json_each(?)) {_ORDER}"""
        return self._all(sql, json.dumps([*causes]))

    def with_survivors(self) -> list[MissionRow]:
        """Return the ended missions of which some process could not be ended, oldest first."""
        return self._all(f"{_SELECT} WHERE live = 0 AND json_array_length(record, '$.survivors') > 0 {_ORDER}")

    def crashed_by(self, reason: str) -> list[BegunMission]:
        """Return the crashed missions with this reason that nobody has hidden, oldest first."""
        chosen = f"SELECT {', '.join(BegunMission._fields)} FROM missions"
        sql = f"{chosen} WHERE status = 'crashed' AND hidden = 0 AND json_extract(record, '$.reason') = ? {_ORDER}"
        return [BegunMission(*row) for row in self._database.read(sql, (reason,))]

    def remove(self, missions: Iterable[str]) -> None:
        """Delete missions with their runs, environments and cursors. Their events stay: see `events`."""
        self._database.write_many("DELETE FROM missions WHERE id = ?", ((mission,) for mission in missions))

    def _all(self, sql: str, *values: str | float | None) -> list[MissionRow]:
        return [_mission(row) for row in self._database.read(sql, values)]


def _one(rows: list[Row]) -> MissionRow | None:
    return _mission(rows[0]) if rows else None


def _mission(row: Row) -> MissionRow:
    id_, name, live, hidden, *rest = row
    return MissionRow(id_, name, bool(live), bool(hidden), *rest)


class RunRow(NamedTuple):
    """One row. Times are seconds since the epoch; `state` is JSON that only the supervisor reads."""

    id: str
    """`<mission>.<number>`."""
    mission: str
    number: int
    """From 1."""
    started_at: float | None
    """None while the process is still to be started."""
    ended_at: float | None
    swept: bool
    """Whether nothing of its process tree is left."""
    state: str


_SELECT_RUN = f"SELECT {', '.join(RunRow._fields)} FROM runs"
_COLUMNS = ", ".join("max(number)" if field == "number" else field for field in RunRow._fields)
# SQLite takes the bare columns from the row that has the maximum. Source: sqlite.org/lang_select.html, bare columns.
_LATEST = f"SELECT {_COLUMNS} FROM runs WHERE mission IN (SELECT id FROM missions WHERE live = 1) GROUP BY mission"
_INSERT_RUN = f"INSERT INTO runs ({', '.join(RunRow._fields)}) VALUES ({', '.join('?' * len(RunRow._fields))})"
_SAVE_RUN = "UPDATE runs SET started_at = ?, ended_at = ?, swept = ?, state = ? WHERE id = ?"


class RunTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, run: RunRow) -> None:
        """Add a run.

        Raises:
            Conflict: it is there already, or its mission is not.
        """
        self._database.insert(_INSERT_RUN, run)

    def save(self, run: RunRow) -> None:
        """Store everything that can change: the times, `swept` and `state`."""
        self._database.write(_SAVE_RUN, (run.started_at, run.ended_at, run.swept, run.state, run.id))

    def get(self, run: str) -> RunRow | None:
        """Return the run with this id."""
        return _one_run(self._database.read(f"{_SELECT_RUN} WHERE id = ?", (run,)))

    def of(self, mission: str) -> list[RunRow]:
        """Return the runs of a mission, oldest first."""
        return [
            _run(row) for row in self._database.read(f"{_SELECT_RUN} WHERE mission = ? ORDER BY number", (mission,))
        ]

    def all(self) -> list[RunRow]:
        """Return the runs of all missions, by mission, oldest first."""
        return [_run(row) for row in self._database.read(f"{_SELECT_RUN} ORDER BY mission, number")]

    def latest(self, mission: str) -> RunRow | None:
        """Return the newest run of a mission."""
        return _one_run(
            self._database.read(f"{_SELECT_RUN} WHERE mission = ? ORDER BY number DESC LIMIT 1", (mission,))
        )

    def latest_of_live(self) -> list[RunRow]:
        """Return the newest run of each live mission that has one."""
        return [_run(row) for row in self._database.read(_LATEST)]

    def unfinished_or_unswept(self) -> list[RunRow]:
        """Return what a new supervisor has to look after, by mission and number."""
        rows = self._database.read(f"{_SELECT_RUN} WHERE ended_at IS NULL OR swept = 0 ORDER BY mission, number")
        return [_run(row) for row in rows]

    def remove_of(self, mission: str) -> None:
        """Delete all runs of a mission, with their cursors."""
        self._database.write("DELETE FROM runs WHERE mission = ?", (mission,))


def _one_run(rows: list[Row]) -> RunRow | None:
    return _run(rows[0]) if rows else None


def _run(row: Row) -> RunRow:
    id_, mission, number, started_at, ended_at, swept, state = row
    return RunRow(id_, mission, number, started_at, ended_at, bool(swept), state)


_SAVE_ENVIRONMENT = (
    "INSERT INTO environments (mission, data) VALUES (?, ?) ON CONFLICT (mission) DO UPDATE SET data = excluded.data"
)


class EnvironmentTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, mission: str, data: str) -> None:
        """Store the environment of a mission, as JSON that only the supervisor reads."""
        self._database.write(_SAVE_ENVIRONMENT, (mission, data))

    def get(self, mission: str) -> str | None:
        """Return what was saved for a mission."""
        row = self._database.read_one("SELECT data FROM environments WHERE mission = ?", (mission,))
        return row[0] if row else None

    def remove(self, mission: str) -> None:
        """Forget the environment of a mission."""
        self._database.write("DELETE FROM environments WHERE mission = ?", (mission,))


class SeenTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, mission: str, seq: int, at: float) -> None:
        """Somebody looked at the mission when `seq` was its newest event (`at`: seconds since the epoch)."""
        self._database.write(
            "INSERT INTO seen (mission, seq, at) VALUES (?, ?, ?) "
            "ON CONFLICT (mission) DO UPDATE SET seq = max(seq, excluded.seq), at = max(at, excluded.at)",
            (mission, seq, at),
        )

    def all(self) -> dict[str, tuple[int, float]]:
        """Return the newest event that was seen, and when, by mission."""
        return {mission: (seq, at) for mission, seq, at in self._database.read("SELECT mission, seq, at FROM seen")}
