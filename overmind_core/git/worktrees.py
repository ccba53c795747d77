"""Worktrees of missions: made whole or not at all, and recognised. Their status and removal are files of their own.

Paths are absolute. A worktree that was finished carries a mark in git's own folder for it: one that was killed on the
way is never taken for a whole one.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import NamedTuple

from overmind_core.git.branches import NamesTaken, create_branch
from overmind_core.git.filtered_checkout import check_out
from overmind_core.git.ignored import ignored
from overmind_core.git.layout import folders_of, git_folders
from overmind_core.git.repository import HEADS, Checkout, Repository, checkouts, resolve
from overmind_core.git.run import Git, GitFailed
from overmind_core.git.status import Dirty, Unmerged
from overmind_core.git.submodules import check_out_submodules
from overmind_core.git.worktree_base import find_base
from overmind_core.git.worktree_removal import (
    claimed_branch,
    message,
    prune_admin_folders,
    record_claim,
    remove,
)

__all__ = [
    "Dirty",
    "NewWorktree",
    "Unmerged",
    "add",
    "again",
    "exclude",
    "exclude_paths",
    "holds",
    "listed",
    "new_links",
    "remove",
]

IGNORED = b".overmind/worktrees/"
_ONCE_IGNORED = b".overmind/"
"""What was written in its place earlier: it hid what is a person's own in that folder, too."""
_HIDING = frozenset({IGNORED, b"/" + IGNORED, _ONCE_IGNORED, b"/" + _ONCE_IGNORED})
"""A person's own may hide more."""
LARGEST_EXCLUDE = 64 << 20
"""Bytes; git itself reads no larger one."""
_EXCLUDING = Lock()
"""Held while an exclude file is read and replaced: several worktrees may be made at once."""
_SPECIAL = re.compile(r"[\\*?\[]| (?= *$)")
"""The characters with a meaning in a pattern of git's. Source: gitignore(5)."""
FOLDER = os.path.join(".overmind", "worktrees")
WHOLE = "overmind"
"""File in git's folder for a worktree, with the branch that it was made for: it is finished."""


class NewWorktree(NamedTuple):
    """A worktree that was made."""

    branch: str
    base: str
    """Name of the branch that it begins at, or the commit where that has no name."""
    base_commit: str
    fetched: str
    """What came of the fetch, for people; "" without one."""
    notes: tuple[str, ...] = ()
    """What it has not, and why: lines for people."""


def exclude(common: str) -> None:
    """Have git ignore `.overmind/worktrees/` in all checkouts of a repository; nothing when it does.

    A line of ours that hides all of `.overmind/` is replaced in its place, where the file can be written.

    Raises:
        GitFailed: the worktrees are not hidden, and the file can't be written, or is none.
    """
    path = _exclude_file(common)
    is_hidden = False
    try:
        with _EXCLUDING:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            text, mode = _read(path)
            after = with_worktrees_excluded(text)
            is_hidden = not after.startswith(text)  # it is only to be hidden more narrowly
            if after != text:
                _replace(path, after, mode)
    except OSError as error:
        if not is_hidden:
            raise GitFailed(("worktree", "add"), None, f"{path} can't be written: {error.strerror}") from None


def new_links(git: Git, source: str, path: str, names: Iterable[str]) -> list[str]:
    """Return those links of a worktree that git takes for new files, though it ignores what they lead to.

    A pattern such as `node_modules/` means folders alone.

    Args:
        git: For the mission.
        source: Top of the person's checkout.
        path: The worktree's.
        names: Relative to both.
    """
    found = [name for name in names if os.path.islink(os.path.join(path, name))]
    return sorted(ignored(git, source, found) - ignored(git, path, found))


def exclude_paths(common: str, names: Iterable[str]) -> None:
    """Have git ignore these in all checkouts of a repository, be they folders, files or links; nothing is added twice.

    Args:
        common: Git's common folder.
        names: Relative to the top of a checkout. One with a line's end can't be ignored.

    Raises:
        GitFailed: the file can't be written, or is none.
    """
    wanted = [os.fsencode("/" + _SPECIAL.sub(r"\\\g<0>", name)) for name in names if "\n" not in name]
    if not wanted:
        return
    path = _exclude_file(common)
    try:
        with _EXCLUDING:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            text, mode = _read(path)
            known = set(map(_rule, text.split(b"\n")))
            if lines := b"".join(rule + b"\n" for rule in wanted if rule not in known):
                _replace(path, text + (b"\n" if text and not text.endswith(b"\n") else b"") + lines, mode)
    except OSError as error:
        raise GitFailed(("worktree", "add"), None, f"{path} can't be written: {error.strerror}") from None


def _exclude_file(common: str) -> str:
    return os.path.realpath(os.path.join(common, "info", "exclude"))


def with_worktrees_excluded(text: bytes) -> bytes:
    """Return an exclude file's bytes with our line in it; every other line, and each line's end, is as it was."""
    lines = re.findall(rb"[^\n]*\n|[^\n]+", text)  # at line feeds alone, as git does
    rules = {_rule(line).rstrip(b" ") for line in lines}
    if _ONCE_IGNORED not in map(_rule, lines):
        if not rules.isdisjoint(_HIDING):
            return text
        return text + (b"\n" if text and not text.endswith(b"\n") else b"") + IGNORED + b"\n"
    is_there = IGNORED in rules
    kept: list[bytes] = []
    for line in lines:
        if _rule(line) != _ONCE_IGNORED:
            kept.append(line)
        elif not is_there:
            kept.append(IGNORED + line.removeprefix(_ONCE_IGNORED))
            is_there = True
    return b"".join(kept)


def _rule(line: bytes) -> bytes:
    return line.removesuffix(b"\n").removesuffix(b"\r")


def _read(path: str) -> tuple[bytes, int]:
    """The bytes and the mode of a file, or those that a new one gets.

    Raises:
        OSError: it can't be read, is no file, or is too large.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # it may be a pipe
    except FileNotFoundError:
        return b"", 0o644
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "it is not a file")
        if facts.st_size > LARGEST_EXCLUDE:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        with open(handle, "rb", closefd=False) as file:
            return file.read(), facts.st_mode & 0o777
    finally:
        os.close(handle)


def _replace(path: str, text: bytes, mode: int) -> None:
    # Beside it, then renamed: somebody who reads it meanwhile, or a full disk, never sees half of it.
    import tempfile  # noqa: PLC0415 - a supervisor seldom needs it

    handle, beside = tempfile.mkstemp(prefix="exclude.", dir=os.path.dirname(path))
    try:
        with open(handle, "wb") as file:
            file.write(text)
            os.fchmod(file.fileno(), mode)
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise


def add(  # noqa: PLR0917 (none of them has a default)
    git: Git,
    repository: Repository,
    path: str,
    branches: Iterable[str],
    base: str | None,
    fetch: bool,  # noqa: FBT001 (a setting of the project, passed on)
) -> NewWorktree:
    """Make a worktree at `path` on a new branch. It leaves nothing when git refuses.

    What a git leaves that was ended by a signal, `remove` takes away later: whoever ended it would end our clean-up in
    the middle as well, and a branch of which only the log is gone is known as ours to nobody.

    Args:
        git: For the mission.
        repository: Seen from the person's checkout.
        path: Nothing is there yet.
        branches: Names for the branch, the first that is free is taken.
        base: What it begins at; None for what is checked out.
        fetch: Whether to fetch first when there is a remote, and to begin at the remote's state when that is ahead.

    Raises:
        GitFailed: with how to go on.
        GitMissing: there is no git.
    """
    if os.path.lexists(path):
        raise GitFailed(("worktree", "add"), None, f"{path} already exists")
    start = find_base(git, repository, base, fetch=fetch)
    exclude(repository.common)
    branch = None
    try:
        branch = _create(git, repository.common, path, branches, start.commit)
        notes = _finish(git, repository, path, branch)
    except GitFailed as error:
        if not error.was_ended:
            with suppress(GitFailed):
                branch = branch or claimed_branch(git, repository.common, path)
                remove(git, repository.common, path, branch, force=True)
        raise
    return NewWorktree(branch, start.name, start.commit, start.note, notes)


def again(git: Git, repository: Repository, path: str, branch: str) -> tuple[str, ...]:
    """Make the worktree of a branch anew whose folder was deleted by hand: its commits are in it, nothing else is.

    Args:
        git: For the mission.
        repository: Seen from the person's checkout.
        path: Nothing is there.
        branch: Made by `add`.

    Returns:
        What it has not, and why: lines for people.

    Raises:
        GitFailed: something is there, or the branch is gone, or checked out elsewhere. The branch is left in any case.
        GitMissing: there is no git.
    """
    if os.path.lexists(path):
        raise GitFailed(("worktree", "add"), None, f"{path} already exists")
    if resolve(git, repository.common, HEADS + branch) is None:
        raise GitFailed(("worktree", "add"), None, f"the branch {branch} is gone")
    exclude(repository.common)
    try:
        return _finish(git, repository, path, branch)
    except GitFailed as error:
        if not error.was_ended:
            with suppress(GitFailed):
                remove(git, repository.common, path, None, force=True)
        raise


def _finish(git: Git, repository: Repository, path: str, branch: str) -> tuple[str, ...]:
    """From a branch to a whole worktree of it; what that has not."""
    prune_admin_folders(git, repository.common, path)
    without, lines = check_out(git, repository.top, path, "--", path, branch)
    notes = check_out_submodules(without, path, repository)
    _mark(git, path, branch)
    return (*lines, *notes)


def _create(git: Git, common: str, path: str, branches: Iterable[str], commit: str) -> str:
    try:
        return create_branch(git, common, branches, commit, message(path), before=partial(record_claim, path))
    except NamesTaken as error:
        advice = ", or set another `branch:`" if error.above else ": rename the mission, or set another `branch:`"
        raise GitFailed(("branch",), None, f"its branch can't be created: {error.problem}{advice}") from None


def _mark(git: Git, path: str, branch: str) -> None:
    own = git_folders(git, path).own
    try:
        with open(os.path.join(own, WHOLE), "wb") as file:
            file.write(os.fsencode(branch))
    except OSError as error:
        raise GitFailed(("worktree", "add"), None, f"{own} can't be written: {error.strerror}") from None


def holds(git: Git, path: str, branch: str) -> bool:
    """Whether a whole worktree is there that was made for `branch`, whatever is checked out in it now.

    Raises:
        GitMissing: there is no git.
    """
    if not os.path.lexists(os.path.join(path, ".git")):
        return False
    try:
        with open(os.path.join(git_folders(git, path).own, WHOLE), "rb") as file:
            return file.read() == os.fsencode(branch)
    except (GitFailed, OSError):
        return False


def branch_mark(path: str) -> str | None:
    """Return the branch for which the worktree at `path` was made; None: no whole worktree of ours is there."""
    folders = folders_of(path) if os.path.lexists(os.path.join(path, ".git")) else None
    if folders is None:
        return None
    try:
        with open(os.path.join(folders.own, WHOLE), "rb") as file:
            return os.fsdecode(file.read()) or None
    except OSError:
        return None


def listed(git: Git, common: str) -> list[Checkout]:
    """Return the worktrees of missions that the repository knows of, be their folders there or not.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    return [one for one in checkouts(git, common) if os.path.dirname(one.path).endswith(f"/{FOLDER}")]
