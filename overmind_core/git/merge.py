"""Committing, merging and pushing a branch beside everybody's checkouts.

A commit is made as the worktree's person would: hooks run, and git finds the author. A merge happens in a scratch
worktree that is checked out at the target without its name; the target itself is moved in one step at the end, or not
at all. A branch is pushed to where it belongs.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from overmind_core.domain.checkout_collisions import Collisions, TargetUse, collisions
from overmind_core.domain.git_operations import GitOperation, unfinished
from overmind_core.domain.landing import MergeWay
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.git import repository
from overmind_core.git.checkout_edits import changes_between, edits_of
from overmind_core.git.conflict_marks import committed_marks, conflicting, unresolved
from overmind_core.git.filtered_checkout import check_out
from overmind_core.git.layout import git_folders, top_of
from overmind_core.git.look import IndexLook, WorktreeLook, look_at, look_at_index
from overmind_core.git.nested import nested_repositories
from overmind_core.git.operation import operation_of
from overmind_core.git.run import Git, GitAnswer, GitFailed, retry_while_locked
from overmind_core.git.submodules import check_out_submodules
from overmind_core.git.worktree_removal import remove


class NothingToCommit(Exception):
    """The worktree is as it was committed last."""


class Unresolved(Exception):
    """Something stands half done in the worktree: what is there can't be committed as it is.

    Attributes:
        paths: Files with unresolved conflicts; none: there is only an operation that commits by itself.
        operation: What was begun; None: nothing that git knows of.
    """

    def __init__(self, paths: tuple[str, ...], operation: GitOperation | None = None) -> None:
        super().__init__(paths, operation)
        self.paths = paths
        self.operation = operation

    def sentence(self, name: str, folder: str) -> str:
        """The same for people. `name`: of the mission; `folder`: its worktree."""
        return unfinished(self.operation, name, to_wire(folder), tuple(map(to_wire, self.paths)))


class NestedRepositories(Exception):
    """Git would keep a bare hash of another repository's commit. Its argument: the paths."""


class CommitMade(NamedTuple):
    """What was committed; `files`: how many changed."""

    commit: str
    subject: str
    files: int


def commit(
    git: Git, folder: str, message: str, look: WorktreeLook | None = None, index: IndexLook | None = None
) -> CommitMade:
    """Commit all that is in the worktree around `folder`, but what git ignores.

    Args:
        git: For the mission.
        folder: Any of the worktree.
        message: Of the commit.
        look: What git's status says of it, for who has just looked.
        index: What git's index says, same.

    Raises:
        NothingToCommit: there is nothing.
        Unresolved: files have conflicts, or a rebase is under way.
        NestedRepositories: folders are repositories of their own, and no submodules.
        GitFailed: git, or a hook, refused; what was to be committed is staged.
        GitMissing: there is none.
    """
    top = top_of(git, folder)
    look = look_at(git, top) if look is None else look
    operation = operation_of(git, top)
    if look.conflicting or (operation is not None and operation.commits_elsewhere):
        raise Unresolved(tuple(sorted(look.conflicting)), operation)
    if nested := nested_repositories(git, top, look, look_at_index(git, top) if index is None else index):
        raise NestedRepositories(nested)
    retry_while_locked(lambda: _add_all(git, top))
    changed = git(top, "diff", "--cached", "--no-ext-diff", "--name-only", "-z").count("\0")
    if not changed and git.run(top, "rev-parse", "--verify", "--quiet", "MERGE_HEAD", expected=(0, 1)).code:
        raise NothingToCommit
    retry_while_locked(lambda: git.run(top, *_NO_UPKEEP, "commit", "--quiet", "-F", "-", text=message))
    commit_, subject = git(top, "log", "-1", "--no-show-signature", "--format=%H %s").split(" ", 1)
    return CommitMade(commit_, subject, changed)


def stage_all(git: Git, folder: str) -> None:
    """Stage everything in the worktree around a folder, conflicting files as they are.

    Raises:
        GitFailed: git refused.
    """
    top = top_of(git, folder)
    retry_while_locked(lambda: _add_all(git, top))


def _add_all(git: Git, top: str) -> None:
    """Stage everything, also what lies outside a sparse checkout."""
    words = ("config", "--type=bool", "--get", "core.sparseCheckout")
    has_patterns = os.path.lexists(os.path.join(git_folders(git, top).own, _SPARSE))
    sparse = has_patterns and git.run(top, *words, expected=(0, 1)).out.strip() == "true"
    # Before git 2.34 there is no such option, and no need of it.
    if not sparse or git.run(top, "add", "-A", "--sparse", expected=(0, *UNKNOWN_OPTION[1:])).code:
        git(top, "add", "-A")


_SPARSE = os.path.join("info", "sparse-checkout")
"""In git's folder for a worktree; without it all of it is checked out. Source: gitrepository-layout(5)."""


def begin(git: Git, folder: str, commit: str) -> tuple[str, ...]:
    """Merge a commit into the branch of a worktree, as far as git can, and return the files that conflict.

    Without one the merge is committed. With one the files have both sides between marks, and the merge stays begun
    until somebody commits. One that was begun before is left as it is.

    Raises:
        GitFailed: git refused, as where files are not committed.
        GitMissing: there is none.
    """
    top = top_of(git, folder)
    if git.run(top, "rev-parse", "--verify", "--quiet", "MERGE_HEAD", expected=(0, 1)).code == 0:
        return conflicting(git, top)
    words = ("merge", "--no-ff", "--no-edit", "--no-stat", commit)
    answer = git.run(top, *PLAIN, *_MARKED, *words, expected=(0, 1))
    found = conflicting(git, top) if answer.code else ()
    if answer.code and not found:
        raise _refused(words, answer)
    return found


def conflicts_left(git: Git, folder: str, target: str) -> tuple[str, ...]:
    """Return the files of a worktree with conflicts that nobody has resolved, also such as were committed.

    Raises:
        GitFailed: git refused.
        GitMissing: there is none.
    """
    top = top_of(git, folder)
    return unresolved(git, top) or committed_marks(git, top, "HEAD", target)


def commit_of_all(git: Git, folder: str, message: str) -> str:
    """Return a commit, on top of its newest, of all that is in a worktree, conflicts too; nothing there changes.

    Files that git ignores are not in it.

    Raises:
        GitFailed: git refused.
        GitMissing: there is none.
    """
    top = top_of(git, folder)
    tree = tree_of_all(git, top)
    own, before = repository.resolve_all(git, top, "HEAD", "HEAD^{tree}")
    assert own is not None
    return own if tree == before else git.run(top, "commit-tree", tree, "-p", own, "-m", message).out.strip()


def tree_of_all(git: Git, top: str) -> str:
    """Return a tree of all that is in a worktree but what git ignores, conflicts too; nothing there changes.

    Raises:
        GitFailed: git refused.
        GitMissing: there is none.
    """
    with tempfile.TemporaryDirectory(prefix="overmind-index-", ignore_cleanup_errors=True) as scratch:
        index = os.path.join(scratch, "index")
        shutil.copy2(os.path.join(git_folders(git, top).own, "index"), index)
        variables = {"GIT_INDEX_FILE": index}
        git.run(top, *_NOT_INSIDE, "add", "-A", "--", ":(top)", variables=variables)
        return git.run(top, "write-tree", variables=variables).out.strip()


def restore_files(git: Git, top: str, tree: str) -> None:
    """Have a worktree without changes hold the files of a tree, as changes that are not committed.

    Raises:
        GitFailed: git refused.
        GitMissing: there is none.
    """
    git.run(top, *_NOT_INSIDE, "restore", f"--source={tree}", "--worktree", "--", ":(top)")


def begin_at(git: Git, folder: str, commit: str) -> None:
    """Bring a worktree to a commit, and the branch that it has checked out. Files that git does not know stay.

    Raises:
        GitFailed: git refused.
        GitMissing: there is none.
    """
    git.run(folder, *PLAIN, *_NOT_INSIDE, "reset", "--hard", "--quiet", commit)


PLAIN = ("-c", "rerere.enabled=false", "-c", "merge.autoStash=false", "-c", "rebase.autoStash=false",
         "-c", "rebase.updateRefs=false", "-c", "rebase.autoSquash=false", "-c", "merge.verbosity=2")  # fmt: skip
"""Before the command: nothing but the scratch worktree is written, and nothing is remembered for another time."""
_MARKED = ("-c", "merge.conflictStyle=merge", "-c", f"core.hooksPath={os.devnull}")
"""Same: conflicts are marked as every agent knows them, and no hook judges what nobody has finished."""
_NO_UPKEEP = ("-c", "maintenance.auto=false")
"""Same: another git looks whether the repository is to be packed, which the merge of the work does, too."""
_NOT_INSIDE = ("-c", "submodule.recurse=false")
"""Same: the folders of submodules are the person's alone."""
_REBASES = ("rebase-merge/head-name", "rebase-apply/head-name")
"""In the folder of a worktree, while a rebase is under way there: the branch that it is about."""
UNKNOWN_OPTION = (128, 129)
"""What git ends with when it does not know an option."""
_AT_ONCE = 200
"""Paths that one git is asked about."""


class MergeConflicts(Exception):
    """Both sides changed the same. Its argument: the paths."""


class AlreadyMerged(Exception):
    """The target has all of it already."""


class TargetMoved(Exception):
    """The target is another commit by now."""


class TargetInUse(Exception):
    """The target can't be moved now.

    Attributes:
        folder: The checkout where it is in use.
        operation: What stands half done there; None: files are in the way, or it is missing.
        found: Those files: a person's, which are nowhere else.
        missing: The checkout is not there, and locked: it may be on a disk that is not mounted.
    """

    def __init__(
        self,
        folder: str,
        *,
        operation: GitOperation | None = None,
        found: Collisions | None = None,
        missing: bool = False,
    ) -> None:
        super().__init__(folder, operation, found, missing)
        self.folder = folder
        self.operation = operation
        self.found = found or Collisions()
        self.missing = missing

    def use(self, branch: str) -> TargetUse:
        """The same for people. `branch`: the target."""
        found = Collisions(*(tuple(map(to_wire, paths)) for paths in self.found))
        return TargetUse(to_wire(branch), to_wire(self.folder), self.operation, found, self.missing)


@dataclass(frozen=True, slots=True)
class TargetBranch:
    """A branch, where it stands, and where it is checked out."""

    branch: str
    commit: str
    folder: str | None
    """None: nowhere. One that is locked may not be there."""
    detached: tuple[str, ...] = ()
    """Checkouts of commits without a name: in one of them it may be being rebased."""


def target_of(git: Git, source: str, branch: str) -> TargetBranch | None:
    """Return the branch; None when there is none of that name.

    Raises:
        GitFailed: there is no repository.
    """
    if "\0" in branch:
        return None
    known = repository.checkouts(git, source)
    here = next((one for one in known if one.branch == branch), None)
    commit = None if here is None else here.head
    if commit is None:
        words = ("show-ref", "--verify", "--hash", f"{repository.HEADS}{branch}")
        commit = git.run(source, *words, expected=(0, 1, 128)).out.strip()
    if not commit:
        return None
    folder = here.path if here is not None and (here.is_locked or os.path.isdir(here.path)) else None
    return TargetBranch(branch, commit, folder, tuple(one.path for one in known if one.branch is None))


def check_free(git: Git, target: TargetBranch, after: str, *, before: str | None = None) -> None:
    """See that the target may be moved to a commit, where it is checked out now.

    Args:
        git: For whoever lands.
        target: It.
        after: The commit, or its tree.
        before: What the changes begin at, where `after` has only the work itself; the target by default.

    Raises:
        TargetInUse: what would change there meets uncommitted files, something stands half done, or it is not there.
        GitFailed: git can't tell.
    """
    folder = target.folder
    if folder is None:
        for path in target.detached:
            if os.path.isdir(path) and _rebased(git, path) == target.branch:
                raise TargetInUse(path, operation=GitOperation.REBASE)
        return
    if not os.path.isdir(folder):
        raise TargetInUse(folder, missing=True)
    operation = operation_of(git, folder)
    if operation not in {None, GitOperation.BISECT}:
        raise TargetInUse(folder, operation=operation)
    changes = changes_between(git, folder, before or target.commit, after)
    found = collisions(changes, edits_of(git, folder, changes))
    if any(found):
        raise TargetInUse(folder, found=found)


def _rebased(git: Git, folder: str) -> str | None:
    own = git_folders(git, folder).own
    for name in _REBASES:
        with suppress(OSError), open(os.path.join(own, name), "rb") as file:
            return os.fsdecode(file.read()).strip().removeprefix(repository.HEADS)
    return None


def open_scratch(git: Git, source: str, path: str, commit: str) -> None:
    """Make a scratch worktree, in the place of one that was left there.

    Raises:
        GitFailed: git refused; most likely a full disk.
    """
    close_scratch(git, source, path)
    check_out(git, source, path, "--detach", path, commit)
    if (
        os.path.lexists(os.path.join(path, ".gitmodules"))
        and (found := repository.find_repository(git, source)) is not None
    ):
        check_out_submodules(git, path, found)


def close_scratch(git: Git, source: str, path: str) -> None:
    """Remove a scratch worktree, however much of it is there.

    Raises:
        GitFailed: something can't be deleted.
    """
    remove(git, source, path, None, force=True)


def integrate(
    git: Git, scratch: str, way: MergeWay, *, commit: str, target: str, message: str, own_wins: bool = False
) -> str:
    """Bring `commit` and all before it together with `target`, in the scratch worktree; return the commit made of both.

    Args:
        git: For the merge.
        scratch: The worktree, with `target` checked out.
        way: How.
        commit: The work.
        target: What it is to be on top of.
        message: Of the commit that is made.
        own_wins: Whether the work's own side counts where a file's content conflicts; for `MergeWay.MERGE` alone.

    Raises:
        AlreadyMerged: the target is no other for it.
        MergeConflicts: see there.
        GitFailed: git, or a hook, refused.
    """
    match way:
        case MergeWay.MERGE:
            how = ("-X", "theirs") if own_wins else ()
            _try(git, scratch, ("merge", "--no-ff", "--no-edit", "--no-stat", *how, "-m", message, commit), "--abort")
        case MergeWay.SQUASH:
            _try(git, scratch, ("merge", "--squash", "--ff", "--no-stat", commit), None)
            if git.run(scratch, "diff", "--cached", "--quiet", "--no-ext-diff", expected=(0, 1)).code == 0:
                raise AlreadyMerged
            git.run(scratch, *PLAIN, "commit", "--quiet", "-F", "-", text=message)
        case MergeWay.REBASE:
            # A hook that fails after it is no failure of a checkout.
            words = ("checkout", "--quiet", "--detach", commit)
            answer = git.run(scratch, *words, expected=(0, 1))
            if answer.code and git(scratch, "rev-parse", "HEAD") != commit:
                raise _refused(words, answer)
            _try(git, scratch, ("rebase", "--quiet", "--empty=drop", target), "--abort")
    after, own, others = git(scratch, "rev-parse", "HEAD", "HEAD^{tree}", f"{target}^{{tree}}").split()
    if after == target or own == others:
        raise AlreadyMerged
    return after


def _try(git: Git, scratch: str, words: tuple[str, ...], way_back: str | None) -> None:
    answer = git.run(scratch, *PLAIN, *words, expected=(0, 1))
    if answer.code == 0:
        return
    paths = conflicting(git, scratch)
    if way_back is not None:
        with suppress(GitFailed):
            git(scratch, words[0], way_back)
    if paths:
        raise MergeConflicts(paths)
    raise _refused(words, answer)


def _refused(words: tuple[str, ...], answer: GitAnswer) -> GitFailed:
    return GitFailed(words, answer.code, answer.err if answer.err.strip() else answer.out)


def land(git: Git, source: str, target: TargetBranch, after: str, reason: str) -> None:
    """Move the target from where it stood to `after`, which has all of it: forward in its checkout, or by its name.

    Raises:
        TargetMoved: it is another commit by now.
        TargetInUse: see there; git itself looks as well, just before it writes.
        GitFailed: git refused. In all cases nothing was changed.
    """
    now = target_of(git, source, target.branch)
    if now is None or now.commit != target.commit:
        raise TargetMoved
    check_free(git, now, after)
    words: tuple[str, ...]
    if now.folder is None:
        words = ("update-ref", "-m", reason, f"{repository.HEADS}{now.branch}", after, now.commit)
    else:
        # Git would overwrite files that it ignores, without a word: a person's .env is nowhere else.
        words = (*PLAIN, *_NO_UPKEEP, *_NOT_INSIDE, "merge", "--ff-only", "--no-overwrite-ignore", "--no-stat",
                 "--quiet", after)  # fmt: skip
    try:
        retry_while_locked(lambda: git.run(now.folder or source, *words, variables={"GIT_REFLOG_ACTION": reason}))
    except GitFailed as error:
        later = target_of(git, source, target.branch)
        if later is None or later.commit not in {target.commit, after}:
            raise TargetMoved from None
        if now.folder is not None and any(found := _overwritten_files(error.output)):
            raise TargetInUse(now.folder, found=found) from None
        if later.commit != after:  # else a hook complained about what is done
            raise


_LOOSE = ("untracked working tree files would be", "would lose untracked files in")
_EDITED = ("Your local changes to the following files",)


def _overwritten_files(output: str) -> Collisions:
    """The files that a merge would have overwritten. Source: git's unpack-trees.c."""
    edited: list[str] = []
    loose: list[str] = []
    current: list[str] = []
    for line in output.splitlines():
        if line.startswith("\t"):
            current.append(line.strip())
        elif any(words in line for words in _LOOSE):
            current = loose
        elif any(words in line for words in _EDITED):
            current = edited
    return Collisions(tuple(edited), tuple(loose))


def commits_between(git: Git, folder: str, since: str, until: str) -> frozenset[str]:
    """Return the commits that `until` has and `since` has not."""
    return frozenset(git(folder, "rev-list", f"{since}..{until}", "--").split())


def commits_of(git: Git, folder: str, since: str, until: str, paths: Sequence[str]) -> dict[str, set[str]]:
    """Return which of these commits changed each of the paths, relative to the top; a merge by itself changes none."""
    found: dict[str, set[str]] = {path: set() for path in paths}
    words = ("log", "-z", "--no-show-signature", "--no-renames", "--name-only", "--format=%x01%H", f"{since}..{until}")
    for first in range(0, len(paths), _AT_ONCE):
        asked = [f":(top,literal){path}" for path in paths[first : first + _AT_ONCE]]
        commit = ""
        for word in git(folder, *words, "--", *asked).split("\0"):
            if word.startswith("\x01"):
                commit = word[1:]
            elif (path := word.removeprefix("\n")) in found:
                found[path].add(commit)
    return found


_HERE = "."
"""The remote of a branch that follows one of the same repository."""
_ORIGIN = "origin"


class NoRemote(Exception):
    """It is not clear to where. Its argument: the remotes that there are."""


class Pushed(NamedTuple):
    """Which commit the branch of the remote is now."""

    remote: str
    commit: str


def remote_for(git: Git, folder: str, branch: str, base: str | None) -> str:
    """Return the remote to which the branch goes: its own, its base's, `origin`, or the only one.

    Raises:
        NoRemote: there is none, or several of which none is meant.
    """
    keys = [f"branch.{branch}.pushRemote", "remote.pushDefault", f"branch.{branch}.remote"]
    keys += [] if base is None else [f"branch.{base}.pushRemote", f"branch.{base}.remote"]
    for key in keys:
        found = git.run(folder, "config", "--get", key, expected=(0, 1)).out.rstrip("\n")
        if found and found != _HERE:
            return found
    known = git(folder, "remote").split()
    if _ORIGIN in known:
        return _ORIGIN
    if len(known) != 1:
        raise NoRemote(known)
    return known[0]


def push(git: Git, folder: str, branch: str, remote: str) -> Pushed:
    """Push the branch under its own name; never with force, and nobody is asked for a password.

    Raises:
        GitFailed: git, a hook or the other side refused, or `remote` looks like an option.
        GitMissing: there is none.
    """
    if remote.startswith("-"):
        raise GitFailed(("push", remote), None, f"{remote} is not the name of a remote")
    commit = git(folder, "rev-parse", "--verify", f"refs/heads/{branch}")
    git(folder, "push", "--quiet", remote, f"refs/heads/{branch}:refs/heads/{branch}")
    return Pushed(remote, commit)
