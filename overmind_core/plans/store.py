"""The tables of plans: what each is, and where its agents stand."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from typing import NamedTuple

from overmind_core.domain.missions.outcome import Outcome
from overmind_core.domain.plans.blueprint import Blueprint
from overmind_core.domain.plans.progress import ACTIVE, AgentProgress, AgentStage, outcome_of
from overmind_core.kernel.codec import Codec
from overmind_core.kernel.database import Database

BLUEPRINT = Codec(Blueprint)
NODE = Codec(AgentProgress)


class PlanRow(NamedTuple):
    """One row; `mission` is the plan's own. `blueprint` is JSON that only the daemon reads."""

    mission: str
    file: str
    blueprint: str


class Outline(NamedTuple):
    """How a plan stands: of how many agents, and how many of them at each stage; of the others nothing is known yet."""

    mission: str
    file: str
    total: int
    stages: Mapping[str, int]
    outcomes: Mapping[Outcome, int]
    """How many of them have ended how."""


class PlanTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, plan: PlanRow) -> None:
        """Add a plan; its mission is there already."""
        self._database.write("INSERT INTO plans (mission, file, blueprint) VALUES (?, ?, ?)", plan)

    def save(self, plan: PlanRow) -> None:
        """Store what it is to be from now on."""
        self._database.write(
            "UPDATE plans SET file = ?, blueprint = ? WHERE mission = ?", (plan.file, plan.blueprint, plan.mission)
        )

    def get(self, mission: str) -> PlanRow | None:
        """Return the plan of a mission; None when it is none."""
        row = self._database.read_one("SELECT mission, file, blueprint FROM plans WHERE mission = ?", (mission,))
        return PlanRow._make(row) if row else None

    def outlines(self) -> list[Outline]:
        """Return how all plans stand, newest first."""
        stages: dict[str, Counter[str]] = defaultdict(Counter)
        outcomes: dict[str, Counter[Outcome]] = defaultdict(Counter)
        # By the blueprint's agents: those that it has no longer keep their rows. CROSS JOIN keeps SQLite from going
        # through the blueprint for each of the rows.
        sql = """SELECT plan_nodes.mission, json_extract(plan_nodes.state, '$.stage'),
                json_extract(plan_nodes.state, '$.reason'), json_extract(plan_nodes.state, '$.stopped'), count(*)
            FROM plans CROSS JOIN json_each(plans.blueprint, '$.agents') AS agent
            CROSS JOIN plan_nodes ON plan_nodes.mission = plans.mission
                AND plan_nodes.name = json_extract(agent.value, '$.name')
            GROUP BY 1, 2, 3, 4"""
        for mission, stage, reason, stopped, count in self._database.read(sql):
            stages[mission][stage] += count
            outcome = outcome_of(AgentProgress(AgentStage(stage), reason=reason, stopped=stopped))
            if outcome is not None:
                outcomes[mission][outcome] += count
        sql = """SELECT mission, file, json_array_length(blueprint, '$.agents') FROM plans
            JOIN missions ON missions.id = plans.mission ORDER BY missions.created_at DESC, missions.id DESC"""
        return [
            Outline(mission, file, total, stages[mission], outcomes[mission])
            for mission, file, total in self._database.read(sql)
        ]

    def named(self, name: str) -> list[tuple[str, str]]:
        """Return mission and file of each plan of this name, newest first."""
        sql = """SELECT plans.mission, plans.file FROM plans JOIN missions ON missions.id = plans.mission
            WHERE missions.name = ? ORDER BY missions.created_at DESC, missions.id DESC"""
        return [(str(mission), str(file)) for mission, file in self._database.read(sql, (name,))]

    def nodes(self, mission: str) -> dict[str, str]:
        """Return where each agent of a plan stands, as JSON, by its name."""
        return dict(self._database.read("SELECT name, state FROM plan_nodes WHERE mission = ?", (mission,)))

    def active_nodes_of_ended(self) -> list[tuple[str, float, str, str]]:
        """Return the agents of ended plans that count as active: the plan, its end, the name, and as JSON the rest."""
        sql = """SELECT plan_nodes.mission, missions.ended_at, plan_nodes.name, plan_nodes.state
            FROM plans CROSS JOIN missions ON missions.id = plans.mission AND missions.live = 0
            CROSS JOIN plan_nodes ON plan_nodes.mission = plans.mission
            WHERE json_extract(plan_nodes.state, '$.stage') IN (SELECT value FROM json_each(?))"""
        rows = self._database.read(sql, (json.dumps(sorted(ACTIVE)),))
        return [(str(plan), float(ended_at or 0.0), str(name), str(state)) for plan, ended_at, name, state in rows]

    def failed_nodes(self, missions: Collection[str]) -> list[str]:
        """Return where those agents of some plans stand, as JSON, of which any attempt has failed."""
        sql = """SELECT state FROM plan_nodes WHERE mission IN (SELECT value FROM json_each(?))
            AND (json_extract(state, '$.stage') = 'failed' OR json_array_length(state, '$.tried') > 0)"""
        return [str(state) for (state,) in self._database.read(sql, (json.dumps(sorted(missions)),))]

    def failed_without_a_word(self, missions: Collection[str]) -> list[tuple[str, str, str]]:
        """Return the agents of some plans that failed though no mission says why: the plan, the name, as JSON the rest.

        They had none; or somebody has stopped or killed it, and nothing else has failed. In the order of the blueprint,
        and none that it has no longer, that was a post, or was kept from an earlier run.
        """
        sql = """SELECT plan_nodes.mission, plan_nodes.name, plan_nodes.state
            FROM plans CROSS JOIN json_each(plans.blueprint, '$.agents') AS agent
            CROSS JOIN plan_nodes ON plan_nodes.mission = plans.mission
                AND plan_nodes.name = json_extract(agent.value, '$.name')
            WHERE plans.mission IN (SELECT value FROM json_each(?))
                AND json_extract(plan_nodes.state, '$.stage') = 'failed'
                AND json_extract(plan_nodes.state, '$.post') IS NULL
                AND (json_extract(plan_nodes.state, '$.mission') IS NULL
                    OR NOT EXISTS (SELECT 1 FROM plan_nodes AS other WHERE other.mission = plans.mission
                        AND json_extract(other.state, '$.stage') = 'failed'
                        AND NOT coalesce(json_extract(other.state, '$.kept'), 0)
                        AND coalesce(json_extract(other.state, '$.reason'), '') NOT IN ('stopped', 'killed')))
                AND NOT coalesce(json_extract(plan_nodes.state, '$.kept'), 0)
            ORDER BY plans.mission, agent.key"""
        rows = self._database.read(sql, (json.dumps(sorted(missions)),))
        return [(str(mission), str(name), str(state)) for mission, name, state in rows]

    def save_node(self, mission: str, name: str, state: str) -> None:
        """Store where one agent stands."""
        sql = """INSERT INTO plan_nodes (mission, name, state) VALUES (?, ?, ?)
            ON CONFLICT (mission, name) DO UPDATE SET state = excluded.state"""
        self._database.write(sql, (mission, name, state))
