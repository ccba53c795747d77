"""All that is known of one home: every table, over one database."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Self

from overmind_core.store.agents import Agents
from overmind_core.store.budgets import Budgets
from overmind_core.store.costs import Costs
from overmind_core.store.cursors import Cursors
from overmind_core.store.database import Database
from overmind_core.store.environments import Environments
from overmind_core.store.events import Events
from overmind_core.store.inputs import Inputs
from overmind_core.store.isolations import Isolations
from overmind_core.store.landings import Landings
from overmind_core.store.messages import Messages
from overmind_core.store.meta import Meta
from overmind_core.store.missions import Missions
from overmind_core.store.plans import Plans
from overmind_core.store.ports import Ports
from overmind_core.store.questions import Questions
from overmind_core.store.quests import Quests
from overmind_core.store.rituals import Rituals
from overmind_core.store.runs import Runs
from overmind_core.store.seen import Seen
from overmind_core.store.trusted import Trusted


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
