"""The tables of quests: goals and results, kept after the missions are removed."""

# ruff: noqa: S608 -- every statement is put together from constants of this file

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from overmind_core.domain.agents.agent import Agent
from overmind_core.domain.missions.mission import Definition
from overmind_core.domain.missions.references import SHORTEST_PREFIX, Candidate
from overmind_core.domain.quests.quest import Quest
from overmind_core.kernel.codec import Codec
from overmind_core.kernel.database import Database, Row
from overmind_core.missions.spec import Environment, MissionSpec


class QuestRow(NamedTuple):
    """One row. Times are seconds since the epoch; `record` is JSON that only the supervisor reads."""

    id: str
    name: str
    live: bool
    status: str
    created_at: float
    ended_at: float | None
    record: str
    spec: str | None = None
    """Id of its spec."""


class QuestStanding(NamedTuple):
    """The columns of a quest, without its record."""

    id: str
    name: str
    status: str


class SpecCost(NamedTuple):
    """The cost of all attempts of a spec's quests."""

    spec: str
    dollars: float | None
    """None: no cost is known."""
    unknown: int
    """Number of ended attempts of agents whose cost is unknown."""
    estimated: int
    """Number of attempts of whose cost a part is at a person's prices."""


_COLUMNS = ", ".join(QuestRow._fields)
_SELECT = f"SELECT {_COLUMNS} FROM quests"
# Nearly every change is one of these two. Each index with a column that an UPDATE names is written again, though the
# value is the same.
_SAVE_LIVE = "UPDATE quests SET status = ?, record = ? WHERE id = ? AND name = ? AND spec IS ? AND live = 1"
_SAVE_END = """UPDATE quests SET live = ?, status = ?, ended_at = ?, record = ?
    WHERE id = ? AND name = ? AND spec IS ?"""
# No REPLACE: that would delete the row first, and with it what refers to it.
_SAVE = f"""INSERT INTO quests ({_COLUMNS}) VALUES ({", ".join("?" * len(QuestRow._fields))})
    ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in QuestRow._fields[1:])}"""
_NEWEST = f"""{_SELECT} WHERE (?1 IS NULL OR status IN (SELECT value FROM json_each(?1)))
    AND (?3 IS NULL OR spec = ?3)
    ORDER BY created_at DESC, id DESC LIMIT ?2"""
_TRIM = """DELETE FROM quests WHERE live = 0
    AND id NOT IN (SELECT id FROM quests WHERE live = 0 ORDER BY ended_at DESC, id DESC LIMIT ?)
    AND id NOT IN (SELECT need FROM quest_needs JOIN quests AS waiting ON waiting.id = quest WHERE waiting.live = 1)
    AND id NOT IN (SELECT about_id FROM questions WHERE state = 'open')
    AND (spec IS NULL OR spec NOT IN (SELECT id FROM specs WHERE archived = 0))"""


_SPEC_COSTS = """SELECT spec, sum(json_extract(attempt.value, '$.cost_usd')),
        sum(json_extract(attempt.value, '$.cost_usd') IS NULL AND json_extract(attempt.value, '$.ended_at') IS NOT NULL
            AND json_extract(record, '$.provider') != 'raw'),
        total(json_extract(attempt.value, '$.is_estimated'))
    FROM quests, json_each(record, '$.queue.tries') AS attempt WHERE spec IS NOT NULL GROUP BY spec"""


class QuestTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, quest: QuestRow) -> None:
        """Insert one that is new; a repeat replaces it."""
        self._database.write(_SAVE, quest)

    def save(self, quest: QuestRow) -> None:
        """Insert or replace."""
        q = quest
        if q.live:
            saved = self._database.write(_SAVE_LIVE, (q.status, q.record, q.id, q.name, q.spec))
        else:
            saved = self._database.write(_SAVE_END, (q.live, q.status, q.ended_at, q.record, q.id, q.name, q.spec))
        if not saved:  # it is new, has another name, or lives again
            self.add(quest)

    def get(self, quest: str) -> QuestRow | None:
        """Return the quest with this id."""
        row = self._database.read_one(f"{_SELECT} WHERE id = ?", (quest,))
        return None if row is None else _quest(row)

    def by_ids(self, quests: Sequence[str]) -> list[QuestRow]:
        """Return the quests with these ids; unknown ids are left out."""
        sql = f"{_SELECT} WHERE id IN (SELECT value FROM json_each(?))"
        return [_quest(row) for row in self._database.read(sql, (json.dumps(quests),))]

    def of_spec(self, spec: str) -> list[QuestRow]:
        """Return those of a spec, oldest first."""
        return [
            _quest(row) for row in self._database.read(f"{_SELECT} WHERE spec = ? ORDER BY created_at, id", (spec,))
        ]

    def standing_of_spec(self, spec: str) -> list[QuestStanding]:
        """Return the columns of a spec's quests, oldest first, without the records, which take long to read."""
        sql = "SELECT id, name, status FROM quests WHERE spec = ? ORDER BY created_at, id"
        return [QuestStanding._make(row) for row in self._database.read(sql, (spec,))]

    def costs_of_specs(self) -> list[SpecCost]:
        """Return what the attempts of each spec's quests have cost."""
        return [SpecCost._make(row) for row in self._database.read(_SPEC_COSTS)]

    def live(self) -> list[QuestRow]:
        """Return the unfinished quests, oldest first."""
        return [_quest(row) for row in self._database.read(f"{_SELECT} WHERE live = 1 ORDER BY created_at, id")]

    def newest(self, limit: int, *, statuses: Sequence[str] = (), spec: str | None = None) -> list[QuestRow]:
        """Return the newest, oldest of them first; no `statuses` means any, and no `spec`, an id, of any or none."""
        rows = self._database.read(_NEWEST, (json.dumps(statuses) if statuses else None, limit, spec))
        return [_quest(row) for row in reversed(rows)]

    def candidates(self, text: str) -> list[Candidate]:
        """Return the quests that `text` may name; `references.resolve` decides."""
        last = f"{text}g" if len(text) >= SHORTEST_PREFIX else text  # 'g' follows every hex digit
        rows = self._database.read(
            "SELECT id, name, live, ended_at FROM quests WHERE name = ?1 OR (id >= ?1 AND id <= ?2)", (text, last)
        )
        return [Candidate(id_, name, bool(live), ended_at) for id_, name, live, ended_at in rows]

    def remove(self, quests: Sequence[str]) -> None:
        """Delete these quests."""
        self._database.write_many("DELETE FROM quests WHERE id = ?", ((quest,) for quest in quests))

    def trim(self, keep: int) -> None:
        """Delete ended quests, except the newest `keep`, and any that is needed, asked about or of an active spec."""
        self._database.write(_TRIM, (keep,))


class NeedTable:
    """Which quest needs which, in both directions. Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, quest: str, needs: Sequence[str]) -> None:
        """Replace the needs of a quest."""
        self._database.write("DELETE FROM quest_needs WHERE quest = ?", (quest,))
        rows = ((quest, need) for need in needs)
        self._database.write_many("INSERT INTO quest_needs (quest, need) VALUES (?, ?)", rows)

    def dependants(self, need: str) -> list[str]:
        """Return the quests that need this one, ended ones too."""
        rows = self._database.read("SELECT quest FROM quest_needs WHERE need = ? ORDER BY quest", (need,))
        return [quest for (quest,) in rows]


SHARED = "env:"
"""Prefix of the owner of a shared environment; the digest of its content follows."""


@dataclass(frozen=True, slots=True)
class StoredWork:
    """The work of a quest: what its mission will run; stored until the mission exists."""

    definition: Definition
    agent: Agent | None = None
    isolate: bool | None = None
    base: str | None = None
    chosen: dict[str, str] = field(default_factory=dict)
    shared: str = ""
    """Owner of the environment in which it was added."""

    def spec(self, inherited: dict[str, str]) -> MissionSpec:
        """The spec with which the mission is started."""
        environment = Environment(inherited, self.chosen)
        return MissionSpec(self.definition, environment, self.agent, self.isolate, self.base)


WORK = Codec(StoredWork)


class WorkTable:
    """The work of quests and its environments. Reads any time, changes inside of a transaction.

    A caller's environment is stored once for all quests that share it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, owner: str, data: str) -> None:
        """Insert or replace."""
        sql = "INSERT INTO work_environments (owner, data) VALUES (?, ?) ON CONFLICT DO UPDATE SET data = excluded.data"
        self._database.write(sql, (owner, data))

    def get(self, owner: str) -> str | None:
        """Return the work of a quest."""
        row = self._database.read_one("SELECT data FROM work_environments WHERE owner = ?", (owner,))
        return None if row is None else str(row[0])

    def remove_unused(self) -> None:
        """Delete the work of completed and forgotten quests, and the environments that no work uses any more."""
        self._database.write(_FORGET_WORK)
        self._database.write(_FORGET_SHARED)


_FORGET_WORK = f"""DELETE FROM work_environments WHERE owner NOT LIKE '{SHARED}%'
    AND owner NOT IN (SELECT id FROM quests WHERE status <> 'completed') AND owner NOT IN (SELECT id FROM specs)"""
_FORGET_SHARED = f"""DELETE FROM work_environments WHERE owner LIKE '{SHARED}%' AND owner NOT IN
    (SELECT json_extract(data, '$.shared') FROM work_environments WHERE owner NOT LIKE '{SHARED}%')"""


def _quest(row: Row) -> QuestRow:
    id_, name, live, *rest = row
    return QuestRow(id_, name, bool(live), *rest)


RECORD = Codec(Quest)


def row(quest: Quest) -> QuestRow:
    """As it is stored."""
    return QuestRow(
        id=quest.id,
        name=quest.name,
        live=not quest.is_over,
        status=quest.status.value,
        created_at=quest.created_at,
        ended_at=quest.ended_at,
        record=RECORD.encode(quest),
        spec=None if quest.queue is None else quest.queue.spec,
    )


def quest(stored: QuestRow) -> Quest:
    """The quest of a row."""
    return RECORD.decode(stored.record)
