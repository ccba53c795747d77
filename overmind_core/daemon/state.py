"""All that is known of one home: every table, over one database."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Self

from overmind_core.agents.store import Agents, Budgets, Costs, Cursors, Inputs, Messages, Questions
from overmind_core.isolation.store import Isolations, Ports, Trusted
from overmind_core.kernel.database import Database, Meta
from overmind_core.kernel.event_log import Events
from overmind_core.landing.store import Landings
from overmind_core.missions.store import Environments, Missions, Runs, Seen
from overmind_core.plans.store import Plans
from overmind_core.quests.store import Quests
from overmind_core.schedules.store import Rituals


class State:
    """The tables of a database, for the thread that opened it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.missions = Missions(database)
        self.runs = Runs(database)
        self.events = Events(database)
        self.environments = Environments(database)
        self.cursors = Cursors(database)
        self.meta = Meta(database)
        self.agents = Agents(database)
        self.messages = Messages(database)
        self.questions = Questions(database)
        self.inputs = Inputs(database)
        self.budgets = Budgets(database)
        self.costs = Costs(database)
        self.seen = Seen(database)
        self.plans = Plans(database)
        self.quests = Quests(database)
        self.rituals = Rituals(database)
        self.isolations = Isolations(database)
        self.ports = Ports(database)
        self.trusted = Trusted(database)
        self.landings = Landings(database)

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
