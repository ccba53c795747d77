"""The table of agents: what each is to be, how its conversation stands, and its last result."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from overmind_core.store.database import Database


class Agent(NamedTuple):
    """One row. `state` and `definition` are JSON that only the supervisor reads."""

    mission: str
    state: str
    definition: str


class Agents:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, agent: Agent) -> None:
        """Add an agent; its mission is there already."""
        self._database.write("INSERT INTO agents (mission, state, definition) VALUES (?, ?, ?)", agent)

    def save(self, mission: str, state: str) -> None:
        """Store how its conversation stands."""
        self._database.write("UPDATE agents SET state = ? WHERE mission = ?", (state, mission))

    def define(self, mission: str, definition: str) -> None:
        """Store what it is to be from now on."""
        self._database.write("UPDATE agents SET definition = ? WHERE mission = ?", (definition, mission))

    def get(self, mission: str) -> Agent | None:
        """Return the agent of a mission; None when the mission is a plain program."""
        row = self._database.read_one("SELECT mission, state, definition FROM agents WHERE mission = ?", (mission,))
        return Agent._make(row) if row else None

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
