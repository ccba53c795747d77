"""The types of answers about the work of missions: reviewed, landed, thrown away. Only annotations name them."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from overmind_core.domain.git_operations import GitOperation
from overmind_core.domain.missions.mission import Status
from overmind_core.domain.missions.outcome import Outcome
from overmind_core.domain.missions.standing import WorkState


class WorktreeInfo(TypedDict):
    """A worktree, with how it stands to its base; numbers are null where nobody can tell, see `problem`."""

    mission: str
    name: str
    status: Status | None
    """Null when the mission was removed."""
    outcome: Outcome | None
    """How the mission ended, or its quest, or its agent; null while it has not, and when it was removed."""
    quest_state: WorkState | None
    """How the quest, or the attempt of a plan's agent, stands whose ended mission it is, as in a list of missions."""
    source: str
    """The repository that it belongs to."""
    path: str | None
    branch: str | None
    base: str | None
    """Where its branch began; null: at a commit without a branch."""
    ahead: int | None
    """Commits that the base has not."""
    behind: int | None
    files: int | None
    """Files that were changed, committed or not."""
    insertions: int | None
    deletions: int | None
    dirty: bool | None
    """It has uncommitted changes."""
    operation: GitOperation | None
    """The operation of git's that is not finished there, such as a rebase."""
    merged: bool | None
    """Nothing of its commits is lost with it: the base has them, also as other commits, or `elsewhere` does."""
    elsewhere: list[str] | None
    """Other branches that have all its commits, where the base has not got that work; empty where it has."""
    ignored: int
    """Files that git ignores, for which it was kept when its mission ended."""
    ports: dict[str, int]
    """By service, `minio/9001` for a further port of `minio`; those that are held for it now."""
    containers: dict[str, str]
    """Service to running, healthy, exited and the like."""
    size_bytes: int | None
    """With `sizes`."""
    problem: str | None


class WorktreeList(TypedDict):
    """The worktrees of missions."""

    worktrees: list[WorktreeInfo]
    """In the order in which their missions began."""


class CommitInfo(TypedDict):
    """A commit."""

    hash: str
    subject: str


class FileChange(TypedDict):
    """The change of a file."""

    path: str
    old_path: str | None
    """Where it was, when it was moved."""
    status: str
    """A, M, D, R, T as git has it; ? for one that git does not know yet."""
    added: int
    """Lines; 0 for a binary file."""
    removed: int
    binary: bool


class MissionWork(TypedDict):
    """A mission whose work it is; also one that was removed."""

    mission: str
    name: str


class MissionChanges(MissionWork):
    """The changes of a mission."""

    path: str
    """Top of the worktree."""
    branch: str | None
    base: str
    """The commit it is compared with; `HEAD` for uncommitted changes; in words, the start of a quest's attempt."""
    merge_base: str
    """The commit at which both went apart."""
    commits: list[CommitInfo]
    """Newest first."""
    files: list[FileChange]
    diff: str
    """Of everything, committed or not."""
    cut: str
    """Why this is not all, and how to see the rest; empty when it is."""
    note: str
    """A sentence where the mission has no worktree of its own: that all changes in its folder are shown, by whomever,
    and of a quest since when they are, or why nobody knows; else empty."""


class CommittedWork(MissionWork):
    """A commit of everything in a mission's worktree."""

    commit: str
    subject: str
    files: int


class MergeStep(TypedDict):
    """The current step of the merge; `waiting`: for another merge in the same repository."""

    step: Literal["waiting", "verifying", "landing"]


class MergeTarget(TypedDict):
    """The merge itself has begun."""

    step: Literal["merging"]
    target: str
    """Name of the branch."""


class MergeCheck(TypedDict):
    """The check has begun."""

    verify: str
    """Id of its mission."""


class MergeResult(MissionWork):
    """The result; the last item."""

    ok: Literal[True]
    merged: bool
    """Not for a preview."""
    preview: bool
    target: str
    """Name of the branch."""
    before: str
    """The commit at which the target stood."""
    after: str | None
    """Where it stands now; null for a preview."""
    commits: list[CommitInfo]
    """Newest first."""
    files: list[FileChange]
    """The changes on the target."""
    uncommitted: list[str]
    """Files that are no part of it."""
    verify: str | None
    """Id of the mission that checked it."""
    refused: NotRequired[str]
    """Of a preview: why the merge itself would be refused, for work that is not committed, or as the target can't be
    moved now: sentences that say what helps."""
    runs: NotRequired[str]
    """The command that has to succeed on the merged work before it lands; a preview alone has it."""
    unreviewed: NotRequired[str]
    """Of a preview: why the merge would be refused all the same, as nobody has accepted the work, or that of another
    quest with commits in it: a sentence without its end."""


class ResolvingWork(MissionWork):
    """The result of a merge whose conflicts were handed to the mission's agent; the last item."""

    ok: Literal[True]
    merged: bool
    """Never: it is merged once the agent has finished, by another request."""
    target: str
    """Name of the branch."""
    resolving: list[str]
    """Files that conflict, in the mission's worktree."""
    message: int
    """Number of the message that the agent was sent."""
    restarted: bool
    """Its session had ended, and was started again."""
    waits_for: Literal["thaw", "terminal"] | None
    """Why the message waits: the agent is frozen, or a person has it in a terminal. Null: it does not, for these."""


MergeItem = MergeStep | MergeTarget | MergeCheck | MergeResult | ResolvingWork


class PushedBranch(MissionWork):
    """A branch that was pushed."""

    remote: str
    branch: str
    commit: str
    uncommitted: list[str]
    """Files that are no part of it."""


class DiscardedWork(MissionWork):
    """The resources a mission had for itself."""

    worktree: str | None
    branch: str | None
    containers: list[str]
    volumes: list[str]
    elsewhere: NotRequired[list[str]]
    """Other branches that have its commits, which have not landed; none where nobody has looked."""


class PrunedWork(DiscardedWork):
    """The resources that were removed, or would be."""

    lost: str
    """Work that was nowhere else; empty for none."""


class KeptWork(DiscardedWork):
    """The resources that are kept."""

    why: str


class PrunedWorktrees(TypedDict):
    """The worktrees of ended missions that were removed or kept."""

    removed: list[PrunedWork]
    kept: list[KeptWork]
    as_shown: dict[str, str]
    """Mission → a digest of the work in what was removed, or would be; see the argument."""
