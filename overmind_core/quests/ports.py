"""Ports: what quests of the queue ask of other features. The daemon's composition root passes the implementations."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from overmind_core.domain.agents.agent import Agent
    from overmind_core.domain.agents.conversation import Conversation
    from overmind_core.domain.engine_questions import EngineNeed
    from overmind_core.domain.landing import BegunMerge, LeftWork, RemoteTarget
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.quests.quest import FolderState, LandedWork, MetConflict, Quest, UndoingLanding
    from overmind_core.domain.quests.shared_folder import ShownChanges
    from overmind_core.errors import OvermindError
    from overmind_core.missions.spec import Environment


class AgentWork(Protocol):
    """Agents: reads and changes the definition of a mission's agent."""

    def agent(self, mission_id: str) -> Agent | None:
        """The definition of a mission's agent; None: a plain program."""

    def redefine(self, mission_id: str, agent: Agent) -> None:
        """Use this definition from the next run on."""

    def conversations(self, missions: Sequence[Mission]) -> dict[str, Conversation]:
        """The conversations of these missions, by mission."""


class LandingRequest(NamedTuple):
    """A landing: what lands, and how. Texts in wire form."""

    mission: str
    into: str
    message: str
    """Its first line is the title."""
    verify: str | None
    request: str
    """A repeat with the same key returns the result of the first."""
    remote: RemoteTarget | None = None
    """Where the branch is; None: here."""
    allow_empty: bool = False
    """Whether it is fine when nothing was changed."""
    met: tuple[MetConflict, ...] = ()
    """Conflicts that it has met before: what had landed then must not be undone."""
    allowed: UndoingLanding | None = None
    """What a person lets it undo all the same."""
    denied: tuple[UndoingLanding, ...] = ()
    """Earlier landings of it: what one of them would have undone must not be undone by this one."""
    shown: FolderState | None = None
    """How its worktree was as it was shown to its reviewer, and nothing else lands; None: to nobody."""
    checked: FolderState | None = None
    """How it was as it passed its check; of anything else that runs on the merged work. None: nobody knows."""
    check: str | None = None
    """The command that checks."""


class Lander(Protocol):
    """Landing: brings the work of a mission to a branch."""

    async def land(self, request: LandingRequest) -> LandedWork | None:
        """Commit, verify and merge it; None when there was nothing to land. Then its worktree and branch go.

        Raises:
            OvermindError: nothing has landed. `no_change`, `output_invalid`, `conflicts`, `verify_failed`, `work_lost`:
                the next attempt can mend that. `undoes_landed`: a person decides. `dirty`, `busy`, `git_failed` and
                others: its target is at fault.
        """

    async def until_free(
        self,
        request: LandingRequest,
        report: Callable[[OvermindError], object],
        pause: Callable[[float], Awaitable[object]],
    ) -> None:
        """Return once nothing in the checkout of its target is in its way.

        `report` gets what is, each time that this was found out; `pause` waits for so many seconds between looks.

        Raises:
            OvermindError: nobody can tell.
        """

    def landed(self, request: str) -> LandedWork | None:
        """Where the landing with this request key has landed; None: it has not."""

    def worktree(self, mission: str) -> str | None:
        """The folder of its worktree; None: it has none."""

    async def is_unchanged(self, mission: str) -> bool:
        """Whether it has changed nothing in its worktree and committed nothing; False where none can tell."""

    async def shown_changes(self, mission: str, state: FolderState | None) -> ShownChanges:
        """The changes of a mission that have not landed, as text for a reviewer.

        `state`: how its folder was as its attempt began, where that is shared and somebody knows.
        """

    async def work_state(self, mission: str, into: str | None = None) -> FolderState | None:
        """How a mission's worktree, or the folder that it shares, is now; None: nobody can tell.

        `into`: the branch on which it is to land.

        Raises:
            OvermindError: `output_invalid`, `conflict_left`: it can't land there as it is.
        """

    async def changed_since(self, mission: str, state: FolderState) -> tuple[str, ...]:
        """The files of that folder that are not as they were then, committed or not. Wire form.

        Raises:
            OvermindError: `git_failed`, nobody can tell.
        """

    async def folder_state(
        self, mission: str, folder: str, environment: Environment, *, isolated: bool
    ) -> FolderState | None:
        """How a folder is in which a mission is about to work; None: it gets a worktree of its own. Wire form.

        Raises:
            OvermindError: its project can't be read.
        """

    async def not_owned(self, mission: str, owns: tuple[str, ...], landed: LandedWork | None) -> tuple[str, ...]:
        """The files among what has landed, or else among what is to, that no pattern names; () where none can tell."""

    async def is_on(self, mission: str, into: str) -> bool:
        """Whether a branch has all that it has committed, be it nothing of ours that has brought it there."""

    async def conflict_sides(self, mission: str, into: str) -> str:
        """Both sides of each conflict, as text for the agent that resolves them."""

    async def begin_merge(self, mission: str, into: str, remote: RemoteTarget | None) -> BegunMerge:
        """Merge the branch on which the work is to land into its worktree.

        Raises:
            OvermindError: nothing was begun.
        """

    async def begin_anew(self, mission: str, into: str, remote: RemoteTarget | None, attempt: int) -> LeftWork | None:
        """Bring a worktree in which conflicts were left to the branch on which it lands; None: there are none.

        The work of that attempt is kept on a branch.

        Raises:
            OvermindError: nothing was begun.
        """

    async def set_aside(self, mission: str, into: str, remote: RemoteTarget | None, attempt: int) -> str | None:
        """Bring a worktree to the branch on which its work lands, keep that of an attempt on another one, return that.

        None: nothing of the work is missing on the target.

        Raises:
            OvermindError: the worktree has the work still.
        """


class Asker(Protocol):
    """The inbox: asks people about quests."""

    def ask(self, quest: Quest, need: EngineNeed, summary: str, subject: Mapping[str, object]) -> int:
        """Ask about a quest and return the number of the question; an open question is not asked twice."""

    def ask_about_target(self, into: str, folder: str, summary: str, subject: Mapping[str, object]) -> int:
        """Ask about a branch whose checkout is in the way, once for all that are to land there; return the number."""

    def withdraw_target(self, into: str, folder: str) -> None:
        """Withdraw that question."""

    def targets_asked_about(self) -> list[tuple[str, str]]:
        """Each such branch about which a question is open, with the folder of its checkout."""

    def withdraw(self, quest_id: str) -> None:
        """Withdraw the questions about a quest's attempts."""

    def asked_about(self) -> Collection[str]:
        """Ids of quests and missions with an open question."""


class Repositories(Protocol):
    """Repositories of folders."""

    async def repository_around(self, cwd: str) -> str | None:
        """Git's common folder of the repository that a folder is in, in wire form; None: it is in none."""


class SpecInput(NamedTuple):
    """What an attempt of a spec's quest gets to read in addition."""

    spec: str
    """The slug of its spec."""
    phase: str | None
    """The phase whose document it makes."""
    task: str | None
    """The id of the task that it does."""
    documents: Mapping[str, bytes]
    """The documents of its spec, by file name."""
    partial: Mapping[str, bytes]
    """The document of the attempt before, or the one to be improved, by file name."""
    schema: bytes | None
    """JSON schema of the document that it must hand in."""


class OutputProblem(NamedTuple):
    """Why the files that the work has handed in do not pass."""

    failure: str
    """A class: `output_missing`, `output_invalid`."""
    text: str = ""
    """Output that is quoted in the next attempt's feedback."""
    notes: tuple[str, ...] = ()
    """Lines of our own in the next attempt's feedback."""


class Judgement(NamedTuple):
    """The verdict on a document that was handed in."""

    problem: OutputProblem | None
    """None: it passes."""


class SpecWork(Protocol):
    """Specs: input for attempts of their quests, and verdicts on their documents."""

    async def given(self, quest: Quest) -> SpecInput | None:
        """What a quest's newest attempt gets, before it begins; None: the quest belongs to no spec.

        Raises:
            OvermindError: a document can't be read.
        """

    async def judge(self, quest: Quest) -> Judgement | None:
        """Check the document that a quest's newest attempt has handed in; None: it need not hand in one.

        A document that passes is written to the folder of its spec. Repeating the call after a crash is harmless.
        """
