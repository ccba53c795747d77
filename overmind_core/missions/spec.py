"""A mission that is to be started: everything that is known before it has an id. Values only, all checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.replacing import replace

if TYPE_CHECKING:
    from overmind_core.domain.agents.agent import Agent
    from overmind_core.domain.agents.conversation import Conversation, ForkPoint
    from overmind_core.domain.events import MissionEvent
    from overmind_core.domain.missions.mission import Definition, Mission


class Environment(NamedTuple):
    """What the caller sent: its own environment, and what it set for this mission alone. Wire form."""

    inherited: dict[str, str]
    chosen: dict[str, str]

    @property
    def both(self) -> dict[str, str]:
        """What was chosen wins."""
        return {**self.inherited, **self.chosen}


class Fork(NamedTuple):
    """A conversation that begins as a copy of that of another mission, in a copy of its work where that is isolated."""

    point: ForkPoint
    source: Conversation
    """As it stood when the copy was asked for."""
    event: MissionEvent
    """What the log begins with."""


class Adoption(NamedTuple):
    """A conversation that a person has led with an agent's program, and that a mission goes on with."""

    session: str
    """Its id in the program."""
    cost: float | None
    """US dollars as its program has counted them; None: nobody knows."""
    event: MissionEvent
    """What the log begins with."""


@dataclass(frozen=True, slots=True)
class MissionSpec:
    """What `Missions.start` is given."""

    definition: Definition
    """Its name is empty where one is to be generated; `parent` is the id of a mission, or None."""
    environment: Environment
    agent: Agent | None = None
    """None for a plain program."""
    isolate: bool | None = None
    """A worktree, ports and services of its own; None: where the project has a file that says so."""
    base: str | None = None
    """The branch that its worktree begins at; None: the project's, else what is checked out. Not where it has none."""
    request: str | None = None
    """A key of the caller's choice: a repeat with the same key starts nothing, and answers the same mission."""
    origin: Mission | Fork | Adoption | None = None
    """A mission that has ended, with whose conversation its agent goes on; what its conversation begins as a copy of;
    one that a person has led. None: it begins one."""
    leased_until: float | None = None
    """The end of its lease, in seconds of the boot clock; None: it has none."""

    def placed(self, name: str, parent: str | None) -> MissionSpec:
        """The same under this name, as a child of this mission."""
        return replace(self, definition=replace(self.definition, name=name, parent=parent))
