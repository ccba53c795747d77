"""The tables of agents: what each is, its messages, questions and inputs, how far it was read, and what it cost.

An input is saved with the decision to send it, until the keeper has taken it: the keeper applies each number of a run
once, so repeating what is still here after a crash sends nothing twice. A cursor is saved with the events that came of
what was read: one transaction for both makes each line of an agent count exactly once, also across a crash. Costs stay
when their agent is removed.
"""

# ruff: noqa: S608 -- every statement is put together from constants of this file

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from overmind_core.domain.agents.agent import Agent
from overmind_core.domain.agents.agent_events import Asked, Decision
from overmind_core.domain.agents.conversation import Conversation
from overmind_core.kernel.codec import Codec
from overmind_core.kernel.database import Database, Row

STATE = Codec(Conversation)
DEFINITION = Codec(Agent)


class AgentRow(NamedTuple):
    """One row. `state` and `definition` are JSON that only the supervisor reads."""

    mission: str
    state: str
    definition: str


class AgentTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, agent: AgentRow) -> None:
        """Add an agent; its mission is there already."""
        self._database.write("INSERT INTO agents (mission, state, definition) VALUES (?, ?, ?)", agent)

    def save(self, mission: str, state: str) -> None:
        """Store how its conversation stands."""
        self._database.write("UPDATE agents SET state = ? WHERE mission = ?", (state, mission))

    def define(self, mission: str, definition: str) -> None:
        """Store what it is to be from now on."""
        self._database.write("UPDATE agents SET definition = ? WHERE mission = ?", (definition, mission))

    def get(self, mission: str) -> AgentRow | None:
        """Return the agent of a mission; None when the mission is a plain program."""
        row = self._database.read_one("SELECT mission, state, definition FROM agents WHERE mission = ?", (mission,))
        return AgentRow._make(row) if row else None

    def live(self) -> list[str]:
        """Return the missions that are agents and live."""
        sql = "SELECT agents.mission FROM agents JOIN missions ON missions.id = agents.mission WHERE missions.live = 1"
        return [mission for (mission,) in self._database.read(sql)]

    def unsettled(self) -> list[str]:
        """Return the missions that have ended although messages for them or questions of theirs are open."""
        sql = """
            SELECT id FROM missions WHERE live = 0 AND (
                id IN (SELECT mission FROM messages WHERE state IN ('queued', 'delivered'))
                OR id IN (SELECT mission FROM questions WHERE state = 'open')
            )
        """
        return [mission for (mission,) in self._database.read(sql)]

    def states_of(self, missions: Sequence[str]) -> dict[str, str]:
        """Return the states of those of `missions` that are agents, by mission."""
        sql = "SELECT mission, state FROM agents WHERE mission IN (SELECT value FROM json_each(?))"
        return dict(self._database.read(sql, (json.dumps(missions),)))

    def save_result(self, mission: str, raw: str) -> None:
        """Store the last result in place of the one before."""
        self._database.write("INSERT OR REPLACE INTO results (mission, raw) VALUES (?, ?)", (mission, raw))

    def result(self, mission: str) -> str | None:
        """Return the last result, as JSON."""
        row = self._database.read_one("SELECT raw FROM results WHERE mission = ?", (mission,))
        return None if row is None else str(row[0])


QUEUED, DELIVERED, ANSWERED, FAILED, CANCELLED = "queued", "delivered", "answered", "failed", "cancelled"
OPEN = (QUEUED, DELIVERED)


class MessageRow(NamedTuple):
    """One row. Times are seconds since the epoch; `answer` is JSON; `sender`: the mission or client, if any."""

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


_MESSAGE_COLUMNS = ", ".join(MessageRow._fields)
_SELECT_MESSAGE = f"SELECT {_MESSAGE_COLUMNS} FROM messages"
_SAVE = "UPDATE messages SET state = ?, delivered_at = ?, ended_at = ?, resent = ?, answer = ? WHERE id = ?"


class MessageTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, message: MessageRow) -> None:
        """Add a message.

        Raises:
            Conflict: its id or request is there already.
        """
        self._database.insert(
            f"INSERT INTO messages ({_MESSAGE_COLUMNS}) VALUES ({', '.join('?' * len(message))})", message
        )

    def save(self, message: MessageRow) -> None:
        """Store everything that can change."""
        m = message
        self._database.write(_SAVE, (m.state, m.delivered_at, m.ended_at, m.resent, m.answer, m.id))

    def get(self, message: int) -> MessageRow | None:
        """Return the message with this number."""
        return _one(self._database.read(f"{_SELECT_MESSAGE} WHERE id = ?", (message,)))

    def by_request(self, request: str) -> MessageRow | None:
        """Return the message that an earlier try of the same request has made."""
        return _one(self._database.read(f"{_SELECT_MESSAGE} WHERE request = ?", (request,)))

    def of(self, mission: str) -> list[MessageRow]:
        """Return all messages of a mission, oldest first."""
        return [
            _message(row) for row in self._database.read(f"{_SELECT_MESSAGE} WHERE mission = ? ORDER BY id", (mission,))
        ]

    def open(self, mission: str) -> list[MessageRow]:
        """Return those that are queued or delivered, oldest first."""
        sql = f"{_SELECT_MESSAGE} WHERE mission = ? AND state IN (SELECT value FROM json_each(?)) ORDER BY id"
        return [_message(row) for row in self._database.read(sql, (mission, json.dumps(OPEN)))]

    def newest(self) -> int:
        """Return the highest number that was ever given."""
        row = self._database.read_one("SELECT seq FROM sqlite_sequence WHERE name = 'messages'")
        return 0 if row is None else int(row[0])


def _one(rows: Iterable[Row]) -> MessageRow | None:
    return next((_message(row) for row in rows), None)


def _message(row: Row) -> MessageRow:
    message = MessageRow._make(row)
    return message._replace(resent=bool(message.resent))


QUESTION_OPEN, QUESTION_ANSWERED, WITHDRAWN = "open", "answered", "withdrawn"
ABOUT_MISSION = "mission"
"""The kind of subject of all that agents ask."""


@dataclass(frozen=True, slots=True)
class EngineAsked:
    """What the engine asks, as it is stored; its subject's kind and id are columns. See `EngineQuestion`."""

    need: str
    name: str = ""
    key: str = ""
    part: str = ""
    summary: str = ""
    subject: Mapping[str, Any] = field(default_factory=dict)
    ends_with: str = ""


ASKED = Codec(Asked)
ENGINE_ASKED = Codec(EngineAsked)
DECISION = Codec(Decision)


class QuestionRow(NamedTuple):
    """One row. `asked` and `decision` are JSON; `by` tells who answered.

    `mission` and `run` are of the agent that asks, None where the engine does; `about` and `about_id` are of what it is
    about, of an agent's question its mission.
    """

    id: int
    mission: str | None
    run: str | None
    about: str
    about_id: str
    state: str
    asked_at: float
    answered_at: float | None
    by: str | None
    decision: str | None
    asked: str


_QUESTION_COLUMNS = ", ".join(QuestionRow._fields)
_SELECT_QUESTION = f"SELECT {_QUESTION_COLUMNS} FROM questions"


class QuestionTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, question: QuestionRow) -> None:
        """Add a question."""
        marks = ", ".join("?" * len(question))
        self._database.insert(f"INSERT INTO questions ({_QUESTION_COLUMNS}) VALUES ({marks})", question)

    def reword(self, question: int, asked: str) -> None:
        """Store what an open question says from now on."""
        self._database.write("UPDATE questions SET asked = ? WHERE id = ? AND state = 'open'", (asked, question))

    def note(self, question: int, by: str, decision: str) -> None:
        """Store what somebody wants to answer; it stays open."""
        self._database.write(
            "UPDATE questions SET by = ?, decision = ? WHERE id = ? AND state = 'open'", (by, decision, question)
        )

    def close(self, question: int, state: str, at: float, by: str | None = None, decision: str | None = None) -> None:
        """Store that it is answered or withdrawn; the first word counts."""
        self._database.write(
            "UPDATE questions SET state = ?, answered_at = ?, by = ?, decision = ? WHERE id = ? AND state = 'open'",
            (state, at, by, decision, question),
        )

    def get(self, question: int) -> QuestionRow | None:
        """Return the question with this number."""
        row = self._database.read_one(f"{_SELECT_QUESTION} WHERE id = ?", (question,))
        return QuestionRow._make(row) if row else None

    def open(self, mission: str | None = None) -> list[QuestionRow]:
        """Return what nobody has answered, asked by one mission or by anybody, oldest first."""
        sql = f"{_SELECT_QUESTION} WHERE state = 'open' AND (?1 IS NULL OR mission = ?1) ORDER BY asked_at, id"
        return [QuestionRow._make(row) for row in self._database.read(sql, (mission,))]

    def about(self, about_id: str) -> list[QuestionRow]:
        """Return what nobody has answered about one subject, oldest first."""
        sql = f"{_SELECT_QUESTION} WHERE about_id = ? AND state = 'open' ORDER BY asked_at, id"
        return [QuestionRow._make(row) for row in self._database.read(sql, (about_id,))]

    def newest_about(self, about_ids: Collection[str]) -> QuestionRow | None:
        """Return what was last asked about one of these subjects, answered or not."""
        marks = ", ".join("?" * len(about_ids))
        sql = f"{_SELECT_QUESTION} WHERE about_id IN ({marks}) ORDER BY id DESC LIMIT 1"
        row = self._database.read_one(sql, tuple(about_ids))
        return QuestionRow._make(row) if row else None

    def every_about(self, about_ids: Collection[str]) -> list[QuestionRow]:
        """Return all that was asked about these subjects, answered or not, the newest first."""
        marks = ", ".join("?" * len(about_ids))
        sql = f"{_SELECT_QUESTION} WHERE about_id IN ({marks}) ORDER BY id DESC"
        return [QuestionRow._make(row) for row in self._database.read(sql, tuple(about_ids))]

    def asked_about(self) -> set[str]:
        """Return the ids of all subjects about which something is open, whoever asks."""
        return {row[0] for row in self._database.read("SELECT DISTINCT about_id FROM questions WHERE state = 'open'")}

    def trim(self, *, keep: int) -> int:
        """Forget what the engine asked and is not open, beyond the newest `keep` numbers; return how many.

        What an agent asked goes with its mission.
        """
        return self._database.write(
            "DELETE FROM questions WHERE mission IS NULL AND state != 'open' AND id <= ?", (self.newest() - keep,)
        )

    def newest(self) -> int:
        """Return the highest number that was ever given."""
        row = self._database.read_one("SELECT seq FROM sqlite_sequence WHERE name = 'questions'")
        return 0 if row is None else int(row[0])


class InputTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, run: str, seq: int, data: bytes, message: int | None = None) -> None:
        """Keep what is to be sent, and the number of the message that it types."""
        sql = "INSERT OR IGNORE INTO inputs (run, seq, data, message) VALUES (?, ?, ?, ?)"
        self._database.write(sql, (run, seq, data, message))

    def insert_notes(self, run: str, seq: int) -> None:
        """Keep that the notes of the run are to be sent: their text stays in their file, where a purge reaches it."""
        self._database.write("INSERT OR IGNORE INTO inputs (run, seq, data, notes) VALUES (?, ?, x'', 1)", (run, seq))

    def taken(self, run: str, seq: int) -> None:
        """Forget what the keeper has: everything up to `seq`."""
        self._database.write("DELETE FROM inputs WHERE run = ? AND seq <= ?", (run, seq))

    def after(self, run: str, seq: int) -> list[tuple[int, bytes | None]]:
        """Return what a keeper that has `seq` must still be given, in order; None: the notes of the run."""
        sql = "SELECT seq, data, notes FROM inputs WHERE run = ? AND seq > ? ORDER BY seq"
        rows = self._database.read(sql, (run, seq))
        return [(number, None if notes else bytes(data)) for number, data, notes in rows]

    def messages(self) -> list[tuple[str, int, int]]:
        """Return the inputs that type a message: run, number, and the message, in order."""
        rows = self._database.read("SELECT run, seq, message FROM inputs WHERE message IS NOT NULL ORDER BY run, seq")
        return [(run, seq, message) for run, seq, message in rows]


_SELECT_CURSOR = "SELECT run, out, err, state FROM cursors"
_SAVE_CURSOR = """INSERT INTO cursors (run, out, err, state) VALUES (?, ?, ?, ?)
    ON CONFLICT (run) DO UPDATE SET out = excluded.out, err = excluded.err, state = excluded.state"""


class CursorRow(NamedTuple):
    """One row. `out` and `err` are offsets in bytes; `state` is what the parser has to remember, as JSON."""

    run: str
    out: int
    err: int
    state: str


class CursorTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, cursor: CursorRow) -> None:
        """Store a cursor in place of the one before.

        Raises:
            Conflict: its run doesn't exist.
        """
        self._database.write(_SAVE_CURSOR, cursor)

    def get(self, run: str) -> CursorRow | None:
        """Return the cursor of a run."""
        row = self._database.read_one(f"{_SELECT_CURSOR} WHERE run = ?", (run,))
        return CursorRow._make(row) if row else None

    def all(self) -> list[CursorRow]:
        """Return every cursor, by run."""
        return [CursorRow._make(row) for row in self._database.read(f"{_SELECT_CURSOR} ORDER BY run")]

    def remove(self, run: str) -> None:
        """Forget the cursor of a run."""
        self._database.write("DELETE FROM cursors WHERE run = ?", (run,))


class CostRow(NamedTuple):
    """One turn. `at` in seconds since the epoch, `labels` JSON, `usd` US dollars, then tokens and model turns.

    Of one that is not `priced` nobody knows what it has cost; a part of an `estimated` one is at a person's prices.
    """

    at: float
    mission: str
    name: str
    labels: str
    usd: float
    input: int
    output: int
    turns: int
    priced: bool = True
    estimated: bool = False


_COST_COLUMNS = ", ".join(CostRow._fields)


class CostTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, cost: CostRow) -> None:
        """Add what a turn cost."""
        self._database.insert(f"INSERT INTO costs ({_COST_COLUMNS}) VALUES ({', '.join('?' * len(cost))})", cost)

    def since(self, wall: float) -> list[CostRow]:
        """Return every turn from then on, oldest first."""
        sql = f"SELECT {_COST_COLUMNS} FROM costs WHERE at >= ? ORDER BY at, id"
        return [CostRow._make(row) for row in self._database.read(sql, (wall,))]


class BudgetRow(NamedTuple):
    """The cost of a mission and everything below it, and its tokens.

    `warned`, `warned_tokens`: somebody was notified that little is left; `estimated`: a part of `usd` is at a person's
    prices; `partial`: a part of what it cost is unknown.
    """

    mission: str
    usd: float = 0.0
    warned: bool = False
    tokens: int = 0
    warned_tokens: bool = False
    estimated: bool = False
    partial: bool = False


_BUDGET_COLUMNS = ", ".join(BudgetRow._fields)
_SAVE_BUDGET = (
    f"INSERT INTO budgets ({_BUDGET_COLUMNS}) VALUES ({', '.join('?' * len(BudgetRow._fields))}) "
    f"ON CONFLICT (mission) DO UPDATE SET {', '.join(f'{one} = excluded.{one}' for one in BudgetRow._fields[1:])}"
)


class BudgetTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, budget: BudgetRow) -> None:
        """Insert or replace."""
        self._database.write(_SAVE_BUDGET, budget)

    def get(self, mission: str) -> BudgetRow | None:
        """Return what was saved of that mission; None when its tree has spent nothing."""
        row = self._database.read_one(f"SELECT {_BUDGET_COLUMNS} FROM budgets WHERE mission = ?", (mission,))
        if row is None:
            return None
        name, usd, warned, tokens, *told = row
        return BudgetRow(name, usd, bool(warned), tokens, *map(bool, told))


class AgentStore(NamedTuple):
    """All tables of this file."""

    agents: AgentTable
    messages: MessageTable
    questions: QuestionTable
    inputs: InputTable
    cursors: CursorTable
    costs: CostTable
    budgets: BudgetTable
