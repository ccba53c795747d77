"""The status of a mission's worktree: what was done in it, and whether that is anywhere else too. Changes nothing.

Work may be in a branch though its commits are not: it was rebased, picked or squashed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from overmind_core.domain.git_operations import GitOperation
from overmind_core.domain.isolation.keep import KeepRules
from overmind_core.git.ignored_files import NONE, IgnoredFiles, ignored_files
from overmind_core.git.layout import worktree_of
from overmind_core.git.look import IndexLook, WorktreeLook, look_at, look_at_index
from overmind_core.git.nested import bare_gitlinks
from overmind_core.git.operation import operation_of
from overmind_core.git.repository import HEADS, is_ancestor, resolve, resolve_all
from overmind_core.git.run import Git, GitFailed
from overmind_core.git.submodules import unpushed_submodules
from overmind_core.git.unsaved import (
    hidden_changes,
    left_commits,
    unsaved_repositories,
    unsaved_submodules,
)
from overmind_core.git.worktree_base import REMOTES

SECONDS = 60.0
"""A comparison that takes longer counts as a difference: then nothing is removed."""
FAR = 2000
"""Commits beyond which a branch is not searched: each costs about a millisecond."""
NOBODY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "overmind"), ("EMAIL", "overmind@localhost"), ("DATE", "1000000000 +0000"))
}
"""Always the same, so that the same question makes the same object."""


def is_landed(git: Git, folder: str, tip: str, target: str, *, fork: str | None = None) -> bool:
    """Whether `target` has all that was done up to the commit `tip`. When in doubt it has not.

    Args:
        git: For the mission.
        folder: Any of the repository.
        tip: Commit.
        target: Commit.
        fork: Where both went apart, for who knows it; `target` where they have nothing in common.

    Raises:
        GitMissing: there is no git.
    """
    try:
        return _is_landed(git, folder, tip, target, fork)
    except GitFailed:
        return False


def _is_landed(git: Git, folder: str, tip: str, target: str, fork: str | None) -> bool:
    fork = fork or git.run(folder, "merge-base", target, tip, expected=(0, 1)).out.strip()
    if not fork or fork == target:
        return fork == tip
    touched = _paths(git, folder, fork, tip)
    if not touched:
        return False  # what was done and undone again is in no other place
    if touched.isdisjoint(_paths(git, folder, tip, target)):
        return True
    if int(git(folder, "rev-list", "--count", f"--max-count={FAR}", f"{fork}..{target}")) >= FAR:
        return False
    return _is_cherry_picked(git, folder, tip, target) or _is_squashed(git, folder, tip, target, fork)


def _paths(git: Git, folder: str, one: str, other: str) -> set[str]:
    """Paths whose content is not the same."""
    out = git.run(folder, "diff-tree", "-r", "-z", "--name-only", "--no-renames", one, other, seconds=SECONDS).out
    return {path for path in out.split("\0") if path}


def _is_cherry_picked(git: Git, folder: str, tip: str, target: str) -> bool:
    """Whether each commit is there as another one. A merge may hold work of its own, which this does not see."""
    if git(folder, "rev-list", "--max-count=1", "--merges", tip, f"^{target}"):
        return False
    return _cherry(git, folder, tip, target)


def _is_squashed(git: Git, folder: str, tip: str, target: str, fork: str) -> bool:
    """Whether all together are there as one commit. The object that is made for the question is garbage to git."""
    words = ("commit-tree", "--no-gpg-sign", f"{tip}^{{tree}}", "-p", fork, "-m", "all of it as one")
    one = git.run(folder, *words, variables=NOBODY).out.strip()
    return _cherry(git, folder, one, target)


def _cherry(git: Git, folder: str, tip: str, target: str) -> bool:
    lines = git(folder, "cherry", target, tip, seconds=SECONDS).splitlines()
    return bool(lines) and all(line.startswith("- ") for line in lines)


COMMITS = 100
"""At most so many are named."""
COUNTED, LARGE = 1000, 1 << 20
"""New files whose lines are counted at most, and bytes from which one has none: it is a glance at a worktree."""

Commit = tuple[str, str]
"""Hash and subject."""


class RemovalRefused(Exception):
    """Removing would lose work: nothing was done.

    Attributes:
        files: Uncommitted and untracked ones, or those that git ignores.
        commits: Those that are nowhere else, at most `COMMITS`.
    """

    kind = "uncommitted"

    def __init__(self, path: str, files: tuple[str, ...], commits: tuple[Commit, ...]) -> None:
        self.path = path
        self.files = files
        self.commits = commits
        message = f"{len(files)} {self.kind} files and {len(commits)} commits that exist nowhere else"
        super().__init__(f"{path} has {message}")


class Dirty(RemovalRefused):
    """There is uncommitted work; perhaps commits too."""


class Unmerged(RemovalRefused):
    """There are commits that are in no other branch."""


class IgnoredWork(RemovalRefused):
    """There are files that git ignores and an agent made."""

    kind = "ignored"


@dataclass(frozen=True, slots=True)
class WorktreeStatus:
    """A worktree at one moment."""

    head: str | None
    branch: str | None
    ahead: int
    """Commits that the base does not have."""
    behind: int
    files: int
    """Changed since the merge base, uncommitted and untracked ones included."""
    insertions: int
    deletions: int
    dirty: tuple[str, ...]
    """Uncommitted and untracked files, and submodules, relative to the top."""
    merged: bool
    """Nothing of its commits is lost with it: the base has them, or what they changed, or `elsewhere` does."""
    commits: tuple[Commit, ...]
    """Those that the base does not have, newest first, at most `COMMITS`."""
    ignored: IgnoredFiles = NONE
    """Files that git ignores and an agent made; none unless they were asked for."""
    operation: GitOperation | None = None
    """What stands half done there."""
    elsewhere: tuple[str, ...] = ()
    """Other branches that have all its commits, and those of remotes, where the base has not got that work."""
    baseless: bool = False
    """The base is gone: of what the work began at, those commits count as its own that no other branch has."""


def worktree_status(
    git: Git,
    path: str,
    base: str | None,
    base_commit: str,
    *,
    keep: KeepRules | None = None,
    own: str | None = None,
    passing: Collection[str] = (),
) -> WorktreeStatus:
    """Return how the worktree at `path` stands against its base as that is now.

    Args:
        git: For the mission.
        path: Top of the worktree.
        base: What it began at; None when that has no name.
        base_commit: The commit that it began at, for when the base is gone.
        keep: To look for all that is lost with the worktree: files that git ignores, as far as these rules keep them,
            and nested repositories with unsaved work. That walks through all of it.
        own: The branch that goes with the worktree, whatever is checked out in it.
        passing: Other branches here that keep nothing for good; a base among them counts as gone.

    Raises:
        GitFailed: there is no worktree, or a broken one.
        GitMissing: there is no git.
    """
    _check_there(path)
    look = look_at(git, path, ignored=keep is not None)
    index = look_at_index(git, path)
    dirty = uncommitted_files(git, path, look, index)
    if keep is not None:
        dirty = with_hidden_work(git, path, dirty, index)
    ignored = ignored_files(git, path, keep, look) if keep is not None else NONE
    head, branch, operation = look.head, look.branch, operation_of(git, path)
    if head is None:
        none = WorktreeStatus(None, branch, 0, 0, len(dirty), 0, 0, dirty, merged=True, commits=(), ignored=ignored)
        return replace(none, operation=operation)
    now, began = resolve_all(git, path, base or "", base_commit)
    now = None if base in passing else now
    tip = now or base_commit
    common, behind, ahead = _apart(git, path, tip, head, base_commit)
    files, insertions, deletions = _figures(git, path, common, look)
    tips = [head, *left_commits(git, path)]
    ours = [branch] if branch else []
    if own not in {None, branch} and not git(path, "for-each-ref", "--format=%(worktreepath)", f"{HEADS}{own}"):
        ours.append(own)  # nobody else has it checked out, so that it goes
    is_gone = bool(base) and now is None  # then nothing says that what it began at is kept
    target, since = None if base in passing else base, None if is_gone else began
    lost = unmerged_commits(git, path, tips, ours=ours, base=target, began=since, passing=passing)
    return WorktreeStatus(
        head=head,
        branch=branch,
        ahead=max(ahead, len(lost)) if is_gone else ahead,
        behind=behind,
        files=files,
        insertions=insertions,
        deletions=deletions,
        dirty=dirty,
        merged=not lost,
        commits=lost if is_gone and lost else _log(git, path, [*tips, f"^{tip}"]) if ahead or len(tips) > 1 else (),
        ignored=ignored,
        operation=operation,
        elsewhere=_elsewhere(git, path, head, ours=ours, base=target, passing=passing) if ahead and not lost else (),
        baseless=is_gone,
    )


def _elsewhere(
    git: Git, path: str, head: str, *, ours: Sequence[str], base: str | None, passing: Collection[str]
) -> tuple[str, ...]:
    """The other branches that have a commit, those here before those of remotes; none where it has landed."""
    found = git(path, "for-each-ref", f"--contains={head}", "--format=%(refname)", HEADS, REMOTES).split()
    here = [name.removeprefix(HEADS) for name in found if name.startswith(HEADS)]
    there = [name.removeprefix(REMOTES) for name in found if name.startswith(REMOTES)]
    names = [name for name in here if name not in ours and name not in passing]
    names += [name for name in there if not name.endswith(("/HEAD", *(f"/{one}" for one in ours)))]
    is_there = bool(names) and any(is_landed(git, path, head, target) for target in _targets(git, path, base))
    return () if is_there else tuple(names)


def line_counts(git: Git, path: str, base: str | None, base_commit: str) -> tuple[int, int]:
    """Return the lines that the worktree at `path` added and removed since it went apart from its base.

    As `insertions` and `deletions` of `worktree_status`, with less to ask of git: uncommitted and new files count.

    Args:
        git: For the mission.
        path: Top of the worktree.
        base: What it began at; None when that has no name.
        base_commit: The commit that it began at, for when the base is gone.

    Raises:
        GitFailed: there is no worktree, or a broken one.
        GitMissing: there is no git.
    """
    _check_there(path)
    look = look_at(git, path)
    if look.head is None:
        return 0, 0
    now, _ = resolve_all(git, path, base or "", base_commit)
    common, _, _ = _apart(git, path, now or base_commit, look.head, base_commit)
    _, added, removed = _figures(git, path, common, look)
    return added, removed


def _apart(git: Git, path: str, tip: str, head: str, otherwise: str) -> tuple[str, int, int]:
    """The commit from which two went apart, and how many commits each has since."""
    if tip == head:
        return head, 0, 0
    words = ("rev-list", "--left-right", "--count", f"{tip}...{head}")
    behind, ahead = (int(count) for count in git(path, *words).split())
    if not (behind and ahead):  # one has all of the other
        return head if behind else tip, behind, ahead
    return git.run(path, "merge-base", tip, head, expected=(0, 1)).out.strip() or otherwise, behind, ahead


def is_untouched(git: Git, path: str, base: str | None, base_commit: str) -> bool:
    """Whether nothing was done in the worktree at `path`, as far as git's status and names tell.

    What they do not tell is for whoever removes it: see `overmind_core.git.worktree_removal`.

    Args:
        git: For the mission.
        path: Top of the worktree.
        base: What it began at; None when that has no name.
        base_commit: The commit that it began at, for when the base is gone.

    Raises:
        GitFailed: there is no worktree, or a broken one.
        GitMissing: there is no git.
    """
    _check_there(path)
    look = look_at(git, path)
    if look.changed or look.head in {None, base_commit}:
        return not look.changed
    tip = (resolve(git, path, base) if base else None) or base_commit
    return look.head == tip or is_ancestor(git, path, look.head, tip)


def _check_there(path: str) -> None:
    if worktree_of(path) is None:  # git would look at what is around, or at another repository
        raise GitFailed(("status",), None, f"{path} is no longer a worktree")


def uncommitted_files(git: Git, path: str, look: WorktreeLook, index: IndexLook) -> tuple[str, ...]:
    """Return the uncommitted and untracked files of a worktree, and its submodules with work, relative to its top.

    A submodule has work when it is changed, and when it has commits that neither its origin nor the person has. A
    nested repository is never committed: git keeps the hash of its commit alone.

    Args:
        git: For the mission.
        path: Top of the worktree.
        look: What git's status says of it.
        index: What git's index says.

    Raises:
        GitFailed: there is no worktree.
        GitMissing: there is no git.
    """
    return tuple(dict.fromkeys([*look.changed, *unpushed_submodules(git, path), *bare_gitlinks(git, path, index)]))


def with_hidden_work(git: Git, path: str, uncommitted: Sequence[str], index: IndexLook) -> tuple[str, ...]:
    """Return what is lost with a worktree: its uncommitted files, and nested repositories with work of their own.

    Uncommitted are also changes of files that git was told to overlook.

    Args:
        git: For the mission.
        path: Top of the worktree.
        uncommitted: Its uncommitted files.
        index: What git's index says.

    Raises:
        GitFailed: there is no worktree.
        GitMissing: there is no git.
    """
    found = [*uncommitted, *hidden_changes(git, path, index)]
    known = {file.rstrip("/") for file in found}
    inside = [*unsaved_repositories(git, path), *unsaved_submodules(git, path)]
    return tuple(dict.fromkeys([*found, *(folder for folder in inside if folder not in known)]))


def unmerged_commits(
    git: Git,
    folder: str,
    tips: Sequence[str],
    *,
    ours: Sequence[str],
    base: str | None,
    began: str | None,
    passing: Collection[str] = (),
) -> tuple[Commit, ...]:
    """Return the commits of `tips` that are lost with our branches, newest first, at most `COMMITS`.

    What the base has as other commits (rebased, squashed) is not lost.

    Args:
        git: For the mission.
        folder: Any of the repository.
        tips: Commits.
        ours: Branches that are about to go; the same names at a remote are ours too.
        base: What the work is to go into; None when that has no name.
        began: The commit that the work began at, which is there and kept; None: nobody knows one.
        passing: Other branches here that keep nothing.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    others = [f"--exclude={name}" for name in (*ours, *passing)] + ["--branches"]
    others += [f"--exclude=*/{name}" for name in ours] + ["--remotes"]
    since = [f"^{began}"] if began else []
    left: dict[str, str] = {}
    for tip in dict.fromkeys(tips):
        commits = _log(git, folder, [tip, *since, "--not", *others]) if tip != began else ()
        if commits and not any(is_landed(git, folder, tip, target) for target in _targets(git, folder, base)):
            left.update(commits)
    return tuple(left.items())[:COMMITS]


def _targets(git: Git, folder: str, base: str | None) -> list[str]:
    """What the base stands for now, here and at its remotes."""
    if not base:
        return []
    here = resolve(git, folder, base)
    pattern = f"refs/remotes/*/{base}"
    there = git(folder, "for-each-ref", "--format=%(objectname)", pattern).split() if _plain(base) else []
    return list(dict.fromkeys([*([here] if here else []), *there]))


def _plain(name: str) -> bool:
    return not any(letter in name for letter in "*?[\\\0")


def folder_size(path: str) -> int:
    """Return how many bytes a folder takes on its disk, following no link; what can't be read counts nothing."""
    total = 0
    met: set[tuple[int, int]] = set()
    waiting = [path]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    facts = entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif facts.st_nlink > 1 and (facts.st_dev, facts.st_ino) in met:
                        continue  # another name of a file that was counted
                    met.add((facts.st_dev, facts.st_ino))
                    total += facts.st_blocks * 512
    return total


def _log(git: Git, folder: str, which: list[str]) -> tuple[Commit, ...]:
    words = ("log", "-z", "--no-show-signature", f"--max-count={COMMITS}", "--format=%H %s")
    out = git(folder, *words, *which, "--")
    entries = (entry.partition(" ") for entry in out.split("\0") if entry)
    return tuple((commit, subject) for commit, _, subject in entries)


def _figures(git: Git, path: str, since: str, look: WorktreeLook) -> tuple[int, int, int]:
    """Files, insertions and deletions since a commit."""
    if since == look.head and not look.changed:
        return 0, 0, 0
    out = git.run(path, "diff", "--numstat", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", since).out
    rows = [entry.split("\t", 2) for entry in out.split("\0") if entry]
    new = look.new
    added, removed = (sum(int(row[column]) for row in rows if row[column] != "-") for column in (0, 1))
    return len(rows) + len(new), added + sum(_lines(os.path.join(path, name)) for name in new[:COUNTED]), removed


def _lines(path: str) -> int:
    """Lines of a new file, as git counts them; 0 for one that is not text, or large."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return 0
        with open(path, "rb") as file:
            text = file.read(LARGE)
    except OSError:
        return 0
    if len(text) == LARGE or b"\0" in text:
        return 0
    return text.count(b"\n") + (text[-1:] not in {b"\n", b""})
