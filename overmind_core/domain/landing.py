"""Landing a mission's work: commit messages, the authors of a conflict, and which worktrees may be removed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

SCRATCH = "merge-"
"""Begin of the name of a scratch worktree, before the mission's id."""
VERIFY = "verify"
"""Last part of the name of the mission that checks merged work."""
VERIFY_LIMIT = "30m"
"""How long the check may take, where nobody says otherwise."""
LEFT_MARKS = "left the marks of a conflict in "
"""What is said of work whose conflicts were committed as git has written them, before the files."""
MOST_SUBJECTS = 20
"""Commits that a message names."""
UNCOMMITTED = "the uncommitted rest"
"""The commit of the rest of some work, among those that have a hash and a subject."""
UNREADABLE = "work that nobody can read"
"""Said of what is lost with a worktree that is missing or broken: its branch may have commits, and its folder files."""


class MergeWay(StrEnum):
    """How work becomes part of the target."""

    MERGE = "merge"
    """A commit with two parents, also where none is needed: what belongs together stays together."""
    SQUASH = "squash"
    """One commit."""
    REBASE = "rebase"
    """Its commits, made anew on top of the target."""


class ChangeAuthor(NamedTuple):
    """The author of a change: a mission, or the person, who has no id."""

    id: str | None
    name: str


PERSON = ChangeAuthor(None, "your own commits")


class Landed(NamedTuple):
    """A mission's work that is part of the target, and its commits there."""

    side: ChangeAuthor
    commits: frozenset[str]


class KeptWork(NamedTuple):
    """Work of a mission that would be lost with its worktree."""

    folder: str
    """The worktree, in wire form."""
    uncommitted: bool = False
    unmerged: bool = False


class LeftWork(NamedTuple):
    """Work that was left in its worktree, as it could not be brought together with what had landed."""

    branch: str
    """The one that has it, in wire form."""
    conflicting: tuple[str, ...]
    """Paths of files with conflicts, in wire form; none where it was left by an earlier call."""


class BegunMerge(NamedTuple):
    """A branch merged into a worktree, for its agent to finish. Texts in wire form."""

    landed: str
    """The commit of the branch."""
    own: str
    """The commit of the work before."""
    conflicting: tuple[str, ...]
    """Paths of files with conflicts; none: the merge is committed."""
    marked: tuple[str, ...] = ()
    """Then paths of files that were committed with the marks of a conflict."""


class RemoteTarget(NamedTuple):
    """The branch of a remote on which work lands, instead of one here. Texts in wire form."""

    url: str
    quest: str
    """The id by which the landed commit names the quest: whoever lands looks for it first."""
    since: str
    """A commit of the remote that is older than the quest."""


def commit_message(way: MergeWay, branch: str, target: str, name: str, subjects: Sequence[str]) -> str:
    """Return the message of the commit on the target, where the person gave none.

    Args:
        way: How the work lands.
        branch: Its branch.
        target: The branch that gets it.
        name: The mission's.
        subjects: First lines of its commits, newest first.
    """
    lines = [f"* {subject}" for subject in reversed(subjects[:MOST_SUBJECTS])]
    if len(subjects) > MOST_SUBJECTS:
        lines.insert(0, f"* {len(subjects) - MOST_SUBJECTS} more before")
    if way is MergeWay.SQUASH and len(subjects) == 1:
        return f"{subjects[0]}\n\nMission: {name}\n"
    verb = "Squash" if way is MergeWay.SQUASH else "Merge"
    return "\n".join([f"{verb} {branch} into {target}", "", *lines, "", f"Mission: {name}", ""])


def change_authors(own: ChangeAuthor, commits: Collection[str], landed: Sequence[Landed]) -> list[ChangeAuthor]:
    """Return whose changes of a file meet: the mission's own, and those of whoever changed it on the target meanwhile.

    Args:
        own: The mission that is to land.
        commits: The target's commits that changed the file, since the two went apart.
        landed: What was landed on the target, oldest first.
    """
    left = set(commits)
    found = [own]
    for one in landed:
        if left & one.commits:
            left -= one.commits
            if one.side not in found:
                found.append(one.side)
    return found if len(found) > 1 and not left else [*found, PERSON]


@dataclass(frozen=True, slots=True)
class RemovalCandidate:
    """What a worktree stands for, when it is to be removed."""

    live: bool
    """Its mission may still run."""
    uncommitted: Sequence[str] = ()
    """Files."""
    unmerged: Sequence[str] = ()
    """Subjects of commits that exist nowhere else."""
    ignored: Sequence[str] = ()
    """Files that git ignores, and the work made or changed."""
    problem: str = ""
    """Why nobody can tell; "" when it is known."""

    @property
    def loss(self) -> str:
        """What would be lost, in words; "" when nothing would."""
        if self.problem:
            return UNREADABLE
        kinds = (
            (self.uncommitted, "uncommitted file"),
            (self.unmerged, "unmerged commit"),
            (self.ignored, "ignored file"),
        )
        *others, last = [count_text(len(found), what) for found, what in kinds if found] or [""]
        return f"{', '.join(others)} and {last}" if others else last


def why_kept(standing: RemovalCandidate, *, force: bool) -> str:
    """Return why a worktree is not removed by a clean-up; "" when it may be.

    Args:
        standing: What it stands for.
        force: Work may be lost.
    """
    if standing.live:
        return "its mission is live"
    if force:
        return ""
    return f"its contents can't be read: {standing.problem}" if standing.problem else standing.loss


def count_text(number: int, what: str) -> str:
    """Return `1 file`, `2 files`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def marks_text(name: str, files: Sequence[str], command: str) -> str:
    """The sentence about work that was committed with the marks of a conflict, and what can be done.

    `command`: it merges them.
    """
    return f"{name} {LEFT_MARKS}{list_text(files)}. Resolve and commit them, or merge them as they are: {command}"


def commits_text(commits: Sequence[str], passing: Sequence[str], undone: Sequence[str]) -> Iterator[str]:
    """Sentences about the commits of some work, which its reviewer is not shown one by one.

    Args:
        commits: All of them, for people.
        passing: Files that they change, and that are as before all the same.
        undone: Files that change, and in which one undoes something of another.
    """
    if passing:
        yield f"Its commits also change {list_text(passing)}, and undo that again."
    if passing or len(commits) > 1:
        within = f" in {list_text(undone)}" if undone else ""
        how = f", with what one undoes of another{within}" if passing or undone else ""
        land = "lands" if len(commits) == 1 else "land"
        yield f"{count_text(len(commits), 'commit')} {land} as made{how}: {list_text(commits)}."


def list_text(names: Sequence[str], most: int = 5) -> str:
    """Return some names, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def conflicts_text(conflicts: Mapping[str, Sequence[ChangeAuthor]]) -> str:
    """Return conflicts as a part of a sentence: each file with the authors of its changes."""
    return list_text([f"{path} ({', '.join(side.name for side in who)})" for path, who in conflicts.items()])
