"""What missions ask of the features above them: the measured calls, and no more.

A feature that runs a kind of mission is its `Runner`; the one that gets a mission's own folder, ports, services ready
is the `Preparer`. Missions know neither agents nor plans nor isolation: the composition root hands these in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from overmind_core.domain.agents.agent import Agent
    from overmind_core.domain.agents.agent_events import Verdict
    from overmind_core.domain.agents.conversation import Conversation
    from overmind_core.domain.missions.mission import Definition, Mission
    from overmind_core.providers.base import Launch

    Write = Callable[[], None]


class Runner(Protocol):
    """Agents: what a mission has beside its process."""

    def create(self, mission: Mission, agent: Agent) -> Write:
        """A new agent; what is returned stores it, in the commit of its mission."""

    def drop(self, mission_id: str) -> None:
        """It never came to be."""

    def denied(self, missions: Iterable[str]) -> tuple[str, ...]:
        """The rules that deny something to any of these agents: what they start inherits them."""

    def ready(self, mission: Mission) -> Mission:
        """The mission as its next run shall be."""

    def launch(self, mission: Mission) -> Launch | None:
        """How its program is started; None for a plain program."""

    def adopted(self, mission: Mission, row: Mapping[str, Any]) -> None:
        """The keeper holds its run, which an earlier supervisor began."""

    def ended(self, mission: Mission, row: Mapping[str, Any]) -> Verdict | None:
        """Its run has ended; what that means where the exit code does not tell."""

    def conversations(self, missions: Sequence[Mission]) -> dict[str, Conversation]:
        """How the conversations of these missions stand, by mission; plain programs have none."""


class PlanRunner(Protocol):
    """Plans: missions without a process of their own."""

    def begin(self, mission: Mission) -> None:
        """Begin to run it."""

    def is_live(self, mission_id: str | None) -> bool:
        """Whether this is a plan that runs."""

    def name_of(self, mission_id: str) -> str:
        """The name of the blueprint of a plan that runs."""


class Preparation(Protocol):
    """What was decided about a new mission that gets things of its own."""

    @property
    def note(self) -> str:
        """What the person is told about it; empty for nothing."""

    @property
    def has_worktree(self) -> bool:
        """Whether its folder is still to be made."""

    def folder(self, mission_id: str) -> str:
        """Where the mission then runs."""


class Preparer(Protocol):
    """Isolation: gets a mission's own folder, ports and services ready before it starts, and takes them down."""

    def drives(self, mission: Mission) -> bool:
        """Whether it is being prepared: the keeper knows nothing of it yet."""

    def prepare(self, mission_id: str) -> None:
        """Begin, or go on."""

    def setup(self, mission: Mission) -> Definition:
        """What the run that sets the mission's project up is."""

    def environment(self, mission_id: str) -> Mapping[str, str]:
        """The variables of what is its own."""

    def services_of(self, mission_id: str) -> Collection[str]:
        """The child missions that are its services."""

    def shown(self, mission_id: str) -> Mapping[str, Any] | None:
        """What the API tells of it."""

    def step(self, mission_id: str) -> str | None:
        """The step at which its preparation is."""

    async def calm(self, missions: Iterable[str]) -> None:
        """Wait until nothing is being taken down any more for these."""

    async def release(self, missions: Sequence[str]) -> None:
        """The missions are about to be removed: let go of what was theirs."""


class Budget(Protocol):
    """What agents have cost."""

    def spent(self, parent: str) -> tuple[Mission, float] | None:
        """The mission above whose limit is reached, and what its tree has cost in US dollars; None: none is."""

    def total(self, mission_id: str) -> float:
        """What the tree of a mission has cost, in US dollars."""
