"""All that is known of one home: every table, over one database."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Self

from overmind_core.agents.store import (
    AgentStore,
    AgentTable,
    BudgetTable,
    CostTable,
    CursorTable,
    InputTable,
    MessageTable,
    QuestionTable,
)
from overmind_core.isolation.store import IsolationTable, PortTable, TrustTable
from overmind_core.kernel.database import Database, MetaTable
from overmind_core.kernel.event_log import EventTable
from overmind_core.landing.store import LandingTable
from overmind_core.missions.store import EnvironmentTable, MissionTable, RunTable, SeenTable
from overmind_core.plans.store import PlanTable
from overmind_core.quests.store import NeedTable, QuestTable, WorkTable
from overmind_core.schedules.store import RitualTable
from overmind_core.specs.store import SpecPhaseTable, SpecTable

if TYPE_CHECKING:
    from overmind_core.learning.outbox import Outbox
    from overmind_core.learning.store import OutcomeTable
    from overmind_core.reports.store import ReportTable


class State:
    """The tables of a database, for the thread that opened it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.missions = MissionTable(database)
        self.runs = RunTable(database)
        self.events = EventTable(database)
        self.environments = EnvironmentTable(database)
        self.cursors = CursorTable(database)
        self.meta = MetaTable(database)
        self.agents = AgentTable(database)
        self.messages = MessageTable(database)
        self.questions = QuestionTable(database)
        self.inputs = InputTable(database)
        self.budgets = BudgetTable(database)
        self.costs = CostTable(database)
        self.seen = SeenTable(database)
        self.plans = PlanTable(database)
        self.quests = QuestTable(database)
        self.quest_needs = NeedTable(database)
        self.quest_work = WorkTable(database)
        self.specs = SpecTable(database)
        self.spec_phases = SpecPhaseTable(database)
        self.rituals = RitualTable(database)
        self.isolations = IsolationTable(database)
        self.ports = PortTable(database)
        self.trusted = TrustTable(database)
        self.landings = LandingTable(database)

    @cached_property
    def reports(self) -> ReportTable:
        """Those tables that most daemons never look at are made when they are asked for."""
        from overmind_core.reports.store import ReportTable  # noqa: PLC0415 - for those who report

        return ReportTable(self.database)

    @cached_property
    def outcomes(self) -> OutcomeTable:
        """How attempts went."""
        from overmind_core.learning.store import OutcomeTable  # noqa: PLC0415 - for those who have quests

        return OutcomeTable(self.database)

    @cached_property
    def outbox(self) -> Outbox:
        """Lessons and votes that wait for memory."""
        from overmind_core.learning.outbox import Outbox  # noqa: PLC0415 - same

        return Outbox(self.database)

    @property
    def has_outbox(self) -> bool:
        """Whether anything is in there; asked at each start, so nothing is made for it."""
        return bool(self.database.read("SELECT 1 FROM lessons UNION ALL SELECT 1 FROM attempt_votes LIMIT 1"))

    @property
    def agent_store(self) -> AgentStore:
        """All tables of agents."""
        return AgentStore(
            self.agents, self.messages, self.questions, self.inputs, self.cursors, self.costs, self.budgets
        )

    @classmethod
    def open(cls, path: str) -> Self:
        """Open the database at `path`; errors as of `Database.open`."""
        return cls(Database.open(path))

    def transaction(self) -> AbstractContextManager[None]:
        """Return the block in which all changes have to be made: see `Database.transaction`."""
        return self.database.transaction()

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()
