"""What quests of the queue ask of features beside and above them: the composition root hands these in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from overmind_core.domain.agents.agent import Agent
    from overmind_core.domain.agents.conversation import Conversation
    from overmind_core.domain.engine_questions import EngineNeed
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.quests.quest import LandedWork, Quest
    from overmind_core.domain.watching.learning import Lesson


class AgentWork(Protocol):
    """Agents, as far as a quest changes what one is told."""

    def agent(self, mission_id: str) -> Agent | None:
        """What the agent is to be; None for a plain program."""

    def redefine(self, mission_id: str, agent: Agent) -> None:
        """Have it be this from its next run on."""

    def conversations(self, missions: Sequence[Mission]) -> dict[str, Conversation]:
        """How the conversations of these missions stand, by mission."""


class LandingRequest(NamedTuple):
    """What is to land, and how. Texts in wire form."""

    mission: str
    into: str
    message: str
    """Its first line is the title."""
    verify: str | None
    request: str
    """A repeat with the same key answers what came of the first."""


class Lander(Protocol):
    """Landing: brings the work of a mission to a branch."""

    async def land(self, request: LandingRequest) -> LandedWork | None:
        """Commit, verify and merge it; None when there was nothing to land. Then its worktree and branch go.

        Raises:
            OvermindError: `output_invalid`, `conflicts`, `verify_failed`: the work is at fault. `dirty`, `busy`,
                `git_failed` and others: its target is. Nothing has landed.
        """

    def landed(self, request: str) -> LandedWork | None:
        """Where work has landed that was asked to with this key; None: it has not."""

    async def changes_text(self, mission: str) -> str:
        """What a mission has changed and not landed yet, as text for whoever reviews it; "" where nobody can tell."""

    async def conflict_sides(self, mission: str, into: str) -> str:
        """Both sides of each conflict, as text for whoever resolves them."""


class Asker(Protocol):
    """The inbox, as far as quests ask people."""

    def ask(self, quest: Quest, need: EngineNeed, summary: str, subject: Mapping[str, object]) -> int:
        """Ask about a quest; the same question that is open has the same number."""

    def withdraw(self, quest_id: str) -> None:
        """Withdraw what is asked about its attempts."""

    def asked_about(self) -> Collection[str]:
        """Ids of the quests, and of missions, about which a question is open."""


class Teacher(Protocol):
    """Lessons, as far as attempts are shown them."""

    async def shown(self, quest: Quest) -> tuple[Lesson, ...]:
        """The lessons for the next attempt of a quest."""


class Repositories(Protocol):
    """Isolation, as far as quests ask where a folder belongs."""

    async def repository_around(self, cwd: str) -> str | None:
        """Git's common folder of the repository that a folder is in; None when it is in none. Wire form."""


class SpecInput(NamedTuple):
    """What an attempt of a spec's quest gets beside what all get."""

    spec: str
    """The slug of its spec."""
    phase: str | None
    """The phase that it is."""
    task: str | None
    """The id of the task that it is."""
    documents: Mapping[str, bytes]
    """Of its spec, by file name."""
    partial: Mapping[str, bytes]
    """What an attempt before has handed in, or what is to be done again, by file name."""
    schema: bytes | None
    """JSON schema of the document that it has to hand in."""


class OutputProblem(NamedTuple):
    """Why what the work has handed in is no good."""

    failure: str
    """A class: `output_missing`, `output_invalid`."""
    text: str = ""
    """What is quoted to the next attempt."""
    notes: tuple[str, ...] = ()
    """Lines of our own that the next attempt is told."""


class Judgement(NamedTuple):
    """What was found of a document that had to be handed in."""

    problem: OutputProblem | None
    """None: it is good."""


class SpecWork(Protocol):
    """Specs, as far as the attempts of their quests need them."""

    async def given(self, quest: Quest) -> SpecInput | None:
        """What its newest attempt gets, which is about to begin; None: it belongs to no spec.

        Raises:
            OvermindError: a document can't be read.
        """

    async def judge(self, quest: Quest) -> Judgement | None:
        """Take up the document that its newest attempt has handed in; None: it had to hand in none.

        One that is good is in the folder of its spec then. Asked again after a crash, it does nothing twice.
        """
