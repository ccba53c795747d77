"""What missions ask of the features above them: the measured calls, and no more.

A feature that runs a kind of mission is its `Runner`; the one that gets a mission's own folder, ports, services ready
is the `Preparer`. Missions know neither agents nor plans nor isolation: the composition root hands these in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

    from overmind_core.domain.agents.agent import Agent
    from overmind_core.domain.agents.agent_events import RunVerdict
    from overmind_core.domain.agents.conversation import Conversation
    from overmind_core.domain.memory.giving import GivenNotes
    from overmind_core.domain.missions.mission import Definition, Mission
    from overmind_core.domain.missions.standing import WorkStanding
    from overmind_core.domain.missions.tree import SpentLimit, SpentTree, TreeCost
    from overmind_core.missions.answer_types import ChangedLines, IsolationSummary, MissionNotes
    from overmind_core.missions.spec import Adoption, Fork, MissionSpec
    from overmind_core.providers.base import Launch

    Write = Callable[[], None]


class Runner(Protocol):
    """Agents: what a mission has beside its process."""

    def create(self, mission: Mission, agent: Agent, origin: Mission | Fork | Adoption | None) -> Write:
        """A new agent; what is returned stores it, in the commit of its mission.

        `origin`: as of `MissionSpec`.
        """

    def drop(self, mission_id: str) -> None:
        """It never came to be."""

    def denied(self, missions: Iterable[str]) -> tuple[str, ...]:
        """The rules that deny something to any of these agents: what they start inherits them."""

    def ready(self, mission: Mission) -> Mission:
        """The mission as its next run shall be."""

    def spent(self, mission: Mission) -> SpentLimit | None:
        """The limit that is used up, so that it may not run again until a person raises it; None: it may."""

    def check_alone(self, mission: Mission) -> None:
        """See that no other mission leads the conversation with which one that has ended would go on.

        Raises:
            OvermindError: `busy`.
        """

    def brief(self, mission: Mission) -> Awaitable[GivenNotes | None] | None:
        """What its newest run is to know from its beginning, once it was asked for; None: it is to know nothing."""

    def never_begun(self, mission_id: str, run: int) -> None:
        """A run for which it was asked what it is to know has not begun, and never will."""

    def notes_of(self, mission: Mission) -> Awaitable[MissionNotes | None] | None:
        """What it was given of the notes, and has written; None: it was to be given nothing."""

    def launch(self, mission: Mission, notes: str | None, environ: Mapping[str, str]) -> Launch | None:
        """How its program is started, with these notes and this environment; None for a plain program."""

    def adopted(self, mission: Mission, row: Mapping[str, Any]) -> None:
        """The keeper holds its run, which an earlier supervisor began."""

    def ended(self, mission: Mission, row: Mapping[str, Any]) -> RunVerdict | None:
        """Its run has ended; what that means where the exit code does not tell."""

    def own_rules(self, mission: Mission) -> tuple[str, ...]:
        """The rules of ours by which the agent uses the folders of its quest, and the notes, unasked."""

    def conversations(self, missions: Sequence[Mission]) -> dict[str, Conversation]:
        """How the conversations of these missions stand, by mission; plain programs have none."""


class PlanRunner(Protocol):
    """Plans: missions without a process of their own."""

    def begin(self, mission: Mission) -> None:
        """Begin to run it."""

    async def check_restart(self, mission: Mission, environ: Mapping[str, str]) -> None:
        """Look whether its agents could begin, before it is ended and begins anew.

        Raises:
            OvermindError: what `apply` would say of them: `untrusted_project`, `provider_missing` and the like.
        """

    def name_of(self, mission_id: str | None) -> str | None:
        """The name of the blueprint of a plan that runs; None for every other mission."""

    def file_of(self, mission_id: str | None) -> str | None:
        """The path of the blueprint of a plan that runs; None for every other mission, and where there is no file."""


class MissionKeeper(Protocol):
    """Quests: missions whose records and logs are needed after their end, and which nobody else starts again."""

    def kept_for(self, mission_id: str, parent: str | None) -> str | None:
        """Why an ended mission can't be removed yet, as a sentence that says what to do; None: it can."""

    def goes_on(self, mission_id: str) -> str | None:
        """A sentence that says so, and how to end it, where the work of a quest has ended and that one has not."""

    def is_queued(self, mission_id: str | None) -> bool:
        """Whether the queue still starts this mission."""

    def checked_at_once(self, missions: Sequence[str]) -> Collection[str]:
        """Those of these missions that began at once as quests with a check, without which nobody starts them again."""

    def runs_by_itself(self, mission: Mission) -> str | None:
        """Why nobody starts a mission again by hand, as a sentence that says what to do; None: they may."""


class MissionEdits(Protocol):
    """Quests: what an edit of a mission changes in its quest."""

    def redefine(
        self,
        mission: Mission,
        definition: Definition,
        agents: tuple[Agent | None, Agent | None] = (None, None),
        chosen: tuple[Mapping[str, str], Mapping[str, str]] | None = None,
    ) -> None:
        """Give the quest of a mission what the mission gets.

        Args:
            mission: As it stands.
            definition: The one that it gets.
            agents: Its agent before and after the edit.
            chosen: The variables that are set for it alone, before and after it; None: they stay.

        Raises:
            OvermindError: `name_taken`; `invalid` or `not_finished`, it can't have that; says what to do.
        """

    def way(self, mission_id: str) -> str:
        """A sentence with the command that changes what the next attempt of its quest runs; "" where none follows."""


class Standings(Protocol):
    """Quests and plans: how missions stand by the work that they are a part of."""

    def of(self, missions: Sequence[Mission]) -> Mapping[str, WorkStanding]:
        """How the ended ones stand, by id; a mission that stands as it says itself is not among them."""


class Preparation(Protocol):
    """What was decided about a new mission that gets things of its own."""

    @property
    def note(self) -> str:
        """A sentence for the person; empty for none."""

    @property
    def has_worktree(self) -> bool:
        """Whether its folder is still to be made."""

    def folder(self, mission_id: str) -> str:
        """Where the mission then runs."""


class Preparer(Protocol):
    """Isolation: gets a mission's own folder, ports and services ready before it starts, and takes them down."""

    async def has_file(self, folder: str) -> bool:
        """Whether the project that a folder is in says how its missions are isolated."""

    async def planned(self, spec: MissionSpec) -> Preparation | None:
        """How a mission is to be isolated; None when it is not to be."""

    async def record(self, planned: Any, mission: Mission) -> Write:  # noqa: ANN401 - what `planned` gave
        """Reserve what the mission is to have; what is returned saves it, in the commit of the mission."""

    def drop(self, mission: str) -> None:
        """Nothing came of the mission: it was never saved."""

    def begin(self, mission: str) -> None:
        """The mission and its record are saved: prepare it."""

    def prepare(self, mission: str) -> None:
        """The mission is to be started again, or its set-up is over."""

    def drives(self, mission: Mission) -> bool:
        """Whether its next step is the preparation's: no process of it can be there."""

    def setup(self, mission: Mission) -> Definition:
        """The definition of the run that sets the mission's project up."""

    def environment(self, mission_id: str) -> Mapping[str, str]:
        """What isolation adds to the environment of a mission."""

    def shared(self, definition: Definition) -> Mapping[str, str]:
        """What a mission that has nothing of its own has from the one in whose worktree it runs."""

    def services_of(self, mission: str) -> Collection[str]:
        """Ids of the missions that are services of this one."""

    def shown(self, mission: str) -> IsolationSummary | None:
        """What the API tells of a mission's isolation."""

    def changed_lines(self, mission: str) -> ChangedLines | None:
        """The lines that a mission has changed in a worktree of its own; None: nobody knows, or it has none."""

    def step_of(self, mission: str) -> str | None:
        """The step at which its preparation is, for people."""

    async def check(self, mission: str, *, force: bool) -> None:
        """Refuse to lose work, unless `force`.

        Raises:
            OvermindError: `not_isolated`; `dirty` or `unmerged`.
        """

    async def remove(self, mission: str, *, force: bool) -> None:
        """Remove everything that an ended mission has of its own; raises as `check` does."""

    async def calm(self, missions: Iterable[str]) -> None:
        """Wait until nothing of these ended missions runs any more: services, containers, preparations."""

    async def calm_all(self) -> None:
        """As `calm`, for every mission that has something of its own."""

    async def release(self, missions: Sequence[str]) -> list[str]:
        """These missions are removed: so is what they had of their own, but for work that would be lost.

        Returns:
            What was kept, and why, for people.
        """


class Budget(Protocol):
    """What agents have cost."""

    def spent(self, parent: str | None) -> tuple[Mission, SpentTree] | None:
        """The mission above whose limit is reached, and what its tree has used of it; None: none is."""

    def tree_cost(self, mission_id: str) -> TreeCost:
        """What the tree of a mission has cost."""
