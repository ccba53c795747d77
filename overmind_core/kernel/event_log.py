"""The event log: what happened, in one sequence that readers resume from.

Events of a removed mission stay until they are trimmed: a hole would look like a loss to a reader that resumes, and the
removal itself is one of them. They never hold an environment or output, so nothing private outlives its mission.

What readers get is what was stored: a type that nobody knows any more, or a field, is passed on as it is.
"""

# ruff: noqa: S608 -- every statement is put together from constants of this file

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from overmind_core.domain.events import type_of
from overmind_core.kernel.actor import actor

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from overmind_core.domain.events import Event
    from overmind_core.kernel.bus import Bus
    from overmind_core.kernel.database import Database
    from overmind_core.kernel.journal import Change, Journal
    from overmind_core.system.machine import Clock

KEPT = 100_000
"""Events; about 20 MB."""
TRIM_SLICE = 2_000
"""Events that one `trim` deletes at most: some milliseconds."""
SCANNED = 5_000
"""Events that one `scan` looks at: a few milliseconds."""
_encode = msgspec.json.Encoder().encode


class EventRow(NamedTuple):
    """One row. `at` is seconds since the epoch, `data` the JSON of an object."""

    seq: int
    """From 1, never used twice."""
    at: float
    type: str
    mission: str | None
    run: str | None
    data: str


_SELECT = "SELECT seq, at, type, mission, run, data FROM events WHERE"
_TYPES = "(?3 IS NULL OR type IN (SELECT value FROM json_each(?3)))"
_AFTER = f"{_SELECT} seq > ?1 AND {_TYPES} ORDER BY seq LIMIT ?2"
_BETWEEN = f"{_SELECT} seq > ?1 AND seq <= ?4 AND {_TYPES} ORDER BY seq LIMIT ?2"
_AFTER_OF = f"{_SELECT} mission IN (SELECT value FROM json_each(?4)) AND seq > ?1 AND {_TYPES} ORDER BY seq LIMIT ?2"


class EventTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, at: float, type_: str, data: str, *, mission: str | None = None, run: str | None = None) -> int:
        """Add an event; return its `seq`."""
        return self._database.insert(
            "INSERT INTO events (at, type, mission, run, data) VALUES (?, ?, ?, ?, ?)", (at, type_, mission, run, data)
        )

    def after(
        self,
        seq: int,
        limit: int,
        *,
        missions: Collection[str] | None = None,
        types: Collection[str] | None = None,
    ) -> list[EventRow]:
        """Return at most `limit` events that follow `seq`, oldest first; None means any mission or type."""
        wanted = None if types is None else json.dumps(list(types))
        if missions is None:
            rows = self._database.read(_AFTER, (seq, limit, wanted))
        else:
            rows = self._database.read(_AFTER_OF, (seq, limit, wanted, json.dumps(list(missions))))
        return [EventRow._make(row) for row in rows]

    def scan(self, seq: int, limit: int, types: Collection[str]) -> tuple[list[EventRow], int]:
        """Return at most `limit` events of these types that follow `seq`, and up to where it has looked.

        It looks at `SCANNED` events at most: a log without any event of these types keeps nobody waiting.
        """
        first = max(seq + 1, self.oldest())
        last = max(seq, min(first + SCANNED - 1, self.newest()))
        rows = self._database.read(_BETWEEN, (seq, limit, json.dumps(list(types)), last))
        found = [EventRow._make(row) for row in rows]
        return found, found[-1].seq if len(found) == limit else last

    def newest_of(self, kinds: Iterable[type[Event]]) -> dict[str, int]:
        """Return the highest number among events of these types, by mission."""
        sql = """SELECT mission, max(seq) FROM events
            WHERE mission IS NOT NULL AND type IN (SELECT value FROM json_each(?)) GROUP BY mission"""
        return dict(self._database.read(sql, (json.dumps([type_of(kind) for kind in kinds]),)))

    def has(self, type_: str, mission: str, run: str) -> bool:
        """Whether there is an event of this type about a run."""
        sql = "SELECT 1 FROM events WHERE mission = ? AND type = ? AND run = ? LIMIT 1"
        return self._database.read_one(sql, (mission, type_, run)) is not None

    def oldest(self) -> int:
        """Return the `seq` of the oldest event kept, 0 when there is none."""
        return self._edge("min")

    def newest(self) -> int:
        """Return the `seq` of the newest event, 0 when there is none."""
        return self._edge("max")

    def trim(self, *, keep: int = KEPT) -> int:
        """Delete some of the oldest events beyond the newest `keep`; return how many. Call again while it isn't 0."""
        last = min(self.newest() - keep, self.oldest() + TRIM_SLICE - 1)
        return self._database.write("DELETE FROM events WHERE seq <= ?", (last,))

    def _edge(self, function: str) -> int:
        return int(self._database.read(f"SELECT coalesce({function}(seq), 0) FROM events")[0][0])


class EventLog:
    """Records events: stored with this turn's commit, published after it. Used from the loop's thread."""

    def __init__(self, bus: Bus, journal: Journal, clock: Clock, table: EventTable) -> None:
        self._bus = bus
        self._journal = journal
        self._clock = clock
        self._table = table

    def has(self, kind: type[Event], mission: str, run: str) -> bool:
        """Whether an event of this type about a run is stored."""
        return self._table.has(type_of(kind), mission, run)

    def record(self, event: Event, *, run: str | None = None) -> Change:
        """Append an event, about a `run` when it is given; those who subscribed hear of it once it is saved."""
        at = self._clock.wall()
        if _names_actor(type(event)) and (who := actor()) is not None:
            event = msgspec.structs.replace(event, by=who)
        kind, data = type_of(type(event)), stored(event, at)
        numbers: list[int] = []

        def write() -> None:
            numbers[:] = [self._table.append(at, kind, data, mission=event.mission, run=run)]

        def after() -> None:
            self._bus.publish(msgspec.structs.replace(event, seq=numbers[0], at=at))

        return self._journal.save(write, after)


@cache
def _names_actor(kind: type[Event]) -> bool:
    """Whether its type leaves open who asked for it."""
    return any(field.name == "by" and not field.required for field in msgspec.structs.fields(kind))


def stored(event: Event, at: float) -> str:
    """The JSON of an event, as it is stored: when it was recorded has always stood last."""
    return f'{_encode(event)[:-1].decode()},"at":{at!r}}}'
