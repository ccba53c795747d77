"""All that is known of one home: every table, over one database."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Self

from overmind_core.store.cursors import Cursors
from overmind_core.store.database import Database
from overmind_core.store.environments import Environments
from overmind_core.store.events import Events
from overmind_core.store.meta import Meta
from overmind_core.store.missions import Missions
from overmind_core.store.runs import Runs


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
