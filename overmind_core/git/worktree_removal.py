"""The removal of a mission's worktree and its branch, however much or little of them is there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from overmind_core.domain.isolation.keep import KeepRules
from overmind_core.git.branches import made_with
from overmind_core.git.ignored_files import NONE, IgnoredFiles, ignored_files
from overmind_core.git.layout import common_of, worktree_of
from overmind_core.git.look import look_at, look_at_index
from overmind_core.git.repository import HEADS, find_repository, resolve, resolve_all
from overmind_core.git.run import MARK, SECONDS, Git, GitFailed, retry_while_locked
from overmind_core.git.status import (
    Dirty,
    IgnoredWork,
    RemovalRefused,
    Unmerged,
    uncommitted_files,
    unmerged_commits,
    with_hidden_work,
)
from overmind_core.git.unsaved import left_commits

CLAIM = ".branch"
"""Ends the name of the file beside a worktree that says which branch is about to be made for it."""
GONE = ".removed"
"""Ends the name of a worktree that is being deleted."""

_NOT_DELETED = re.compile(r"checked out at|used by worktree at|branch '.*' not found", re.DOTALL)
"""Git says the first two also of a branch that is being rebased somewhere."""


_LOCK = "locked"
"""File in git's folder for a worktree, with the reason why it is to stay. Source: gitrepository-layout(5)."""
_BEING_MADE = "initializing"
"""The reason that git itself writes there while it makes a worktree. Source: git's builtin/worktree.c."""


class Locked(RemovalRefused):
    """Somebody locked the worktree, so that it stays."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, (), ())
        message = f" ({reason})" if reason else ""
        self.args = (f"{path} is locked{message}; unlock it with: git worktree unlock {path}",)


class RemovedWorktree(NamedTuple):
    """What was taken away: what was there, that is."""

    worktree: bool
    branch: str | None
    ignored: tuple[str, ...] = ()
    """Files that git ignores and an agent made, which the rules did not keep."""


def record_claim(path: str, branch: str) -> None:
    """Write down that `branch` is about to be made for the worktree at `path`.

    Raises:
        GitFailed: that can't be written.
    """
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + CLAIM, "wb") as file:
            file.write(os.fsencode(branch))
    except OSError as error:
        raise GitFailed(("worktree", "add"), None, f"{path} can't be created: {error.strerror}") from None


def claimed_branch(git: Git, folder: str, path: str) -> str | None:
    """Return the branch that was made for the worktree at `path`, also when making it was interrupted; None: none was.

    Args:
        git: For the mission.
        folder: Any of the repository.
        path: The worktree's.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    try:
        with open(path + CLAIM, "rb") as file:
            name = os.fsdecode(file.read())
    except OSError:
        return None
    if not name:
        return None
    # It was about to be made: that it is ours, and not another's of that name, its log alone says.
    return name if made_with(git, folder, name, message(path)) else None


def message(path: str) -> str:
    """Return what the log of a branch begins with that was made for the worktree at `path`."""
    return f"overmind: begun for {os.path.basename(path)}"


def remove(
    git: Git,
    folder: str,
    path: str,
    branch: str | None,
    *,
    force: bool,
    base: str | None = None,
    base_commit: str | None = None,
    keep: KeepRules | None = None,
) -> RemovedWorktree:
    """Take a worktree away, and its branch; nothing when both are gone.

    Args:
        git: For the mission.
        folder: Git's common folder, or the person's checkout.
        path: The worktree's.
        branch: Deleted with it, unless somebody else has it checked out; None leaves it.
        force: Whether work that is nowhere else goes too.
        base: What it began at, for work that was merged as other commits; see `state`.
        base_commit: Same.
        keep: The rules for files that git ignores; None keeps none of them.

    Raises:
        Dirty: there is uncommitted work, and no `force`.
        IgnoredWork: there are files that git ignores and `keep` keeps, and no `force`.
        Unmerged: there are commits that exist nowhere else, and no `force`.
        Locked: somebody locked it, and no `force`.
        GitFailed: something can't be deleted; it may be called again.
        GitMissing: there is no git.
    """
    common = _common(git, folder)
    if common is None:
        return RemovedWorktree(_delete(git, path, ()), None)  # with the repository its branches are gone
    ignored = NONE
    if not force:
        ignored, has_tip = _refuse(git, common, path, branch, base=base, base_commit=base_commit, keep=keep)
        _refuse_locked(common, path)
        branch = branch if has_tip else None
    elif branch is not None:
        git(common, "rev-parse", "--git-dir")  # where no git can delete the branch, the folder stays, too
    there = _delete(git, path, _admin_folders(common, path))
    gone = _delete_branch(git, common, branch) if branch is not None else None
    with suppress(OSError):
        os.unlink(path + CLAIM)
    return RemovedWorktree(there, gone, ignored.dropped)


def prune_admin_folders(git: Git, common: str, path: str) -> None:
    """Take away what git knows of a worktree at `path`, which is gone. Other worktrees' are left, locked or broken.

    Raises:
        GitFailed: it can't be deleted.
    """
    _delete_trees(git, *_admin_folders(common, path))


def _refuse(
    git: Git, common: str, path: str, branch: str | None, *, base: str | None, base_commit: str | None,
    keep: KeepRules | None,
) -> tuple[IgnoredFiles, bool]:  # fmt: skip
    """Refuse to lose work; return the files that git ignores and that may go, and whether the branch has a commit."""
    files, ours, ignored = _left_over(path), [branch] if branch else [], NONE
    tips: list[str] = []
    tip = began = None
    if files and worktree_of(path) == common:  # without its link to that, git would see what is around
        look, index = look_at(git, path, ignored=keep is not None), look_at_index(git, path)
        files = with_hidden_work(git, path, uncommitted_files(git, path, look, index), index)
        tips = [*([look.head] if look.head else []), *left_commits(git, path)]
        ours += [look.branch] if look.branch else []
        if keep is not None:
            ignored = ignored_files(git, path, keep, look)
        if look.branch == branch and look.head == base_commit:  # both are there, and the same
            tip = began = look.head
    if tip is None:
        tip, began = resolve_all(git, common, HEADS + branch if branch else "", base_commit or "")
    tips = [*([tip] if tip else []), *tips]
    if base and not _is_there(git, common, base):
        began = None  # what it began at may be kept by this branch alone
    commits = unmerged_commits(git, common, tips, ours=ours, base=base, began=began)
    if files:
        raise Dirty(path, files, commits)
    if commits:
        raise Unmerged(path, files, commits)
    if ignored.kept:
        raise IgnoredWork(path, ignored.kept, ())
    return ignored, tip is not None


def _is_there(git: Git, common: str, base: str) -> bool:
    """True while a base stands for something; of most branches a file tells that, without a git."""
    return os.path.isfile(os.path.join(common, HEADS + base)) or resolve(git, common, base) is not None


def _refuse_locked(common: str, path: str) -> None:
    for admin in _admin_folders(common, path) if os.path.lexists(path) else ():
        with suppress(FileNotFoundError), open(os.path.join(admin, _LOCK), "rb") as file:
            reason = os.fsdecode(file.read(200)).strip()
            if reason != _BEING_MADE:
                raise Locked(path, reason)


def _common(git: Git, folder: str) -> str | None:
    """Git's common folder; None when the repository is gone, also when its place is within another one now."""
    if not os.path.isdir(folder):
        return None
    known = common_of(folder)
    if known is not None:
        return known
    found = find_repository(git, folder)
    return found.common if found is not None and os.path.realpath(folder) in {found.common, found.top} else None


def _left_over(path: str) -> tuple[str, ...]:
    """What is at `path`, for when git can't say what of it is work."""
    try:
        return tuple(sorted(os.listdir(path)))
    except OSError:
        return ()


def _admin_folders(common: str, path: str) -> list[str]:
    """Git's own folders for the worktree at `path`; one that does not say for which is taken by its name."""
    found = []
    home = os.path.join(common, "worktrees")
    wanted = os.path.realpath(os.path.dirname(path)), os.path.basename(path)
    for name in os.listdir(home) if os.path.isdir(home) else []:
        try:
            with open(os.path.join(home, name, "gitdir"), "rb") as file:
                recorded = os.fsdecode(file.read()).removesuffix("\n")
        except OSError:
            recorded = ""
        of = os.path.dirname(os.path.join(home, name, recorded)) if recorded else ""
        if (os.path.realpath(os.path.dirname(of)), os.path.basename(of)) == wanted if of else name == wanted[1]:
            found.append(os.path.join(home, name))
    return found


def _delete(git: Git, path: str, admins: Sequence[str]) -> bool:
    """Delete a worktree, then git's own folders for it; whether it was there."""
    there = os.path.lexists(path)
    if there:
        _delete_trees(git, path + GONE)
        # Out of its place at once: what is half deleted is never taken for a worktree with changes.
        os.rename(path, path + GONE)
    _delete_trees(git, path + GONE, *admins)
    return there


def _delete_trees(git: Git, *paths: str) -> None:
    """Delete these with everything in them, in this order, following no link. These programs manage any depth."""
    environ = {**os.environ, MARK: git.mission}
    left = [path for path in paths if os.path.lexists(path)]
    output = b""
    for words in (["rm", "-rf", "--"], ["chmod", "-R", "u+rwX", "--"], ["rm", "-rf", "--"]):
        if not left:
            return
        done = subprocess.run(
            [*words, *left], env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=SECONDS
        )
        output = done.stderr or output
        left = [path for path in left if os.path.lexists(path)]
    if left:
        raise GitFailed(("worktree", "remove"), None, os.fsdecode(output) or f"{left[0]} can't be deleted")


def _delete_branch(git: Git, common: str, branch: str) -> str | None:
    """The branch, once it is deleted; None: there is none, or somebody has it checked out."""
    try:
        retry_while_locked(lambda: git(common, "branch", "--quiet", "-D", "--", branch))
    except GitFailed as error:
        if _NOT_DELETED.search(error.output) is None:
            raise
        return None
    return branch
