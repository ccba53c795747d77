"""What a repository is: where its checkout and its common folder are, and what its names stand for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from overmind_core.git.layout import asked_folders
from overmind_core.git.run import Git, GitFailed, retry_while_locked

NO_REPOSITORY = "not a git repository (or any"
"""How git begins to say that there is none; it says otherwise of a broken one."""
HEAD = "HEAD"
HEADS = "refs/heads/"
_HASH = re.compile(r"[0-9a-f]{40,64}")
_FATAL = 128
"""Git's status for what it refuses."""
_USAGE = 129
"""Git's status for an option that it does not know."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as it is seen from one folder."""

    top: str
    """Top of the checkout that the folder is in, without links; the repository itself where it is bare."""
    common: str
    """Git's common folder, absolute: the same for all worktrees."""
    main: str | None
    """Top of the person's main checkout; None where there is none."""
    subfolder: str
    """The folder, relative to `top`; "" for its top."""
    branch: str | None
    """What is checked out; None for a commit without a name."""
    head: str | None
    """The commit that is checked out; None when there are no commits yet."""
    asked: tuple[str, str] | None = None
    """The branch that was asked for, too, and its commit; None: it is not told, be there one or none."""


class Checkout(NamedTuple):
    """One checkout that a repository knows of."""

    path: str
    head: str | None
    branch: str | None
    is_locked: bool = False
    """Git keeps it though it may not be there, as on a disk that is not always mounted."""


def find_repository(git: Git, folder: str, *, branch: str | None = None) -> Repository | None:
    """Return the repository that `folder` is in; None when it is in none.

    Args:
        git: For whoever looks.
        folder: Any.
        branch: A branch of which the commit is told, too, where that takes no other git.

    Raises:
        GitFailed: git does not look into it: it is somebody else's, or broken.
        GitMissing: there is no git.
    """
    seen = None if branch is None or "\0" in branch else _seen_at_once(git, folder, branch)
    if seen is None or seen.asked is None:
        seen = _seen_at_once(git, folder)
    if seen is None:
        try:
            folders = asked_folders(git, folder)
        except GitFailed as error:
            if error.reason.startswith(NO_REPOSITORY):
                return None
            raise
        seen = _Seen(*folders, _top(git, folder), resolve(git, folder, HEAD), branch_of(git, folder))
    own, common, top, head, here, asked = seen
    main = _main(git, common, top) if own != common or top is None else top
    real = os.path.realpath(folder)
    if top is None:  # within git's own folder
        top = main or common
    inside = os.path.relpath(real, top) if real.startswith(f"{top}/") and not _within(real, common) else ""
    return Repository(top, common, main, inside, here, head, asked)


class _Seen(NamedTuple):
    own: str
    """Git's folder."""
    common: str
    top: str | None
    head: str | None
    branch: str | None
    asked: tuple[str, str] | None = None


def _seen_at_once(git: Git, folder: str, *branches: str) -> _Seen | None:
    """What one git tells of a checkout, and of at most one branch; None: it has to be asked for one by one.

    That is so without a checkout, without a commit, where there is no such branch, and where a name has a line's end.
    """
    names = (HEAD, *(HEADS + branch for branch in branches))
    places = ("--absolute-git-dir", "--git-common-dir", "--show-toplevel")
    words = (*places, *(f"{name}^{{commit}}" for name in names), "--symbolic-full-name", *names, "--")
    answer = git.run(folder, "rev-parse", *words, expected=(0, _FATAL))
    lines = answer.out.removesuffix("\n").split("\n")
    if answer.code or len(lines) != len(words) - 1 or lines[-1] != "--":
        return None
    own, common, top = lines[:3]
    commits, full = lines[3 : 3 + len(names)], lines[3 + len(names) : -1]
    return _Seen(
        os.path.realpath(own),
        os.path.realpath(os.path.join(folder, common)),
        os.path.realpath(top),
        commits[0],
        full[0].removeprefix(HEADS) if full[0].startswith(HEADS) else None,
        (branches[0], commits[1]) if branches and full[1] == names[1] else None,
    )


def branch_of(git: Git, folder: str) -> str | None:
    """Return the branch that is checked out in `folder`; None for a commit without a name.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    answer = git.run(folder, "symbolic-ref", "--quiet", "HEAD", expected=(0, 1))
    name = answer.out.removesuffix("\n")
    return name.removeprefix(HEADS) if name.startswith(HEADS) else None


def resolve(git: Git, folder: str, name: str) -> str | None:
    """Return the commit of a branch, tag or commit; a branch before a tag of the same name. None: there is none.

    What begins with `refs/heads/` is a branch, and nothing else.

    Raises:
        GitFailed: git can't be run there.
        GitMissing: there is no git.
    """
    return resolve_all(git, folder, name)[0]


def resolve_all(git: Git, folder: str, *names: str) -> list[str | None]:
    """Return the commits of several names, as `resolve` does of one; all are asked of one git.

    Raises:
        GitFailed: git can't be run there.
        GitMissing: there is no git.
    """
    asked = [full for name in names for full in _meanings(name)]
    known: dict[str, str] = {}
    if asked:
        words = ("cat-file", "--batch-check=%(objectname)")
        text = "".join(f"{full}^{{commit}}\n" for full in asked)
        answer = git.run(folder, *words, expected=(0, _FATAL), text=text)
        lines = answer.out.split("\n")
        if answer.code or len(lines) != len(asked) + 1:  # what is damaged ends it before the others are told
            lines = [_verified(git, folder, full) for full in asked]
        known = {full: line for full, line in zip(asked, lines, strict=False) if _HASH.fullmatch(line)}
    return [next((known[full] for full in _meanings(name) if full in known), None) for name in names]


def _meanings(name: str) -> tuple[str, ...]:
    """What a name may stand for, the first that is there; nothing for what can't be asked for."""
    if not name or "\0" in name or "\n" in name:
        return ()
    if name == HEAD or name.startswith(HEADS):
        return (name,)
    return (HEADS + name, *(() if name.startswith("-") else (name,)))


def _verified(git: Git, folder: str, full: str) -> str:
    words = ("rev-parse", "--quiet", "--verify", f"{full}^{{commit}}")
    return git.run(folder, *words, expected=(0, 1, _FATAL)).out.strip()


def same_files(git: Git, folder: str, commit: str, other: str) -> bool:
    """Whether two commits have the same files, whatever lies between them.

    Raises:
        GitFailed: one of them does not exist.
        GitMissing: there is no git.
    """
    if commit == other:
        return True
    tree, other_tree = git.run(folder, "rev-parse", f"{commit}^{{tree}}", f"{other}^{{tree}}").out.split()
    return tree == other_tree


def is_ancestor(git: Git, folder: str, commit: str, of: str) -> bool:
    """Whether `of` has `commit` and all before it.

    Raises:
        GitFailed: one of them does not exist.
        GitMissing: there is no git.
    """
    return git.run(folder, "merge-base", "--is-ancestor", commit, of, expected=(0, 1)).code == 0


def checked_out(git: Git, folder: str, branch: str) -> str | None:
    """Return the top of the worktree that has `branch` checked out; None when none has.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    return next((one.path for one in checkouts(git, folder) if one.branch == branch), None)


def check_out(git: Git, folder: str, path: str, *which: str) -> str:
    """Make a worktree at `path`; see `git worktree add` for `which`. Returns what git and its filters and hooks wrote.

    Raises:
        GitFailed: git refused, and left nothing.
    """

    def attempt() -> str:
        try:
            return git.run(folder, "worktree", "add", "--quiet", *which).err
        except GitFailed as error:
            # Git takes away what it could not finish. What is there was finished: a hook failed after it, which is no
            # failure of a checkout, and is none to later versions of git either.
            if error.code is None or error.was_ended or not os.path.lexists(os.path.join(path, ".git")):
                raise
            return error.said

    return retry_while_locked(attempt)


def checkouts(git: Git, folder: str) -> list[Checkout]:
    """Return all checkouts that the repository of `folder` knows of, the main one first, be they there or not.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    words = ("worktree", "list", "--porcelain")
    answer = retry_while_locked(lambda: git.run(folder, *words, "-z", expected=(0, _USAGE)))
    if answer.code == _USAGE:  # before git 2.36: a path with a line's end is not told from two lines
        answer = retry_while_locked(lambda: git.run(folder, *words))
        found = list(_entries(answer.out.split("\n")))
    else:
        found = list(_entries(answer.out.split("\0")))
    if found and not os.path.lexists(os.path.join(found[0].path, ".git")):
        found[0] = found[0]._replace(path=_main_checkout(git, folder) or found[0].path)
    return found


def _main_checkout(git: Git, folder: str) -> str | None:
    """Top of the main checkout, where git names its own folder instead: that lies elsewhere, or is a link."""
    own, common = asked_folders(git, folder)
    return _main(git, common, _top(git, folder) if own == common else None)


def _entries(lines: list[str]) -> Iterator[Checkout]:
    facts: dict[str, str] = {}
    for line in lines:
        word, _, rest = line.partition(" ")
        if word:
            facts[word] = rest
        elif facts:
            branch, head = facts.get("branch"), facts.get("HEAD", "")
            has_commit = head.strip("0") != ""  # a branch without one, too, may be checked out
            yield Checkout(
                facts["worktree"],
                head if has_commit else None,
                branch.removeprefix(HEADS) if branch else None,
                "locked" in facts,
            )
            facts = {}


def _top(git: Git, folder: str) -> str | None:
    """Top of the checkout; None within git's own folder, and where there is no checkout."""
    try:
        return os.path.realpath(git.run(folder, "rev-parse", "--show-toplevel").out.removesuffix("\n"))
    except GitFailed as error:
        if "work tree" in error.reason:
            return None
        raise


def _main(git: Git, common: str, top: str | None) -> str | None:
    """Top of the main checkout, seen from a worktree or from git's own folder."""
    where = f"--git-dir={common}"
    if git(common, where, "rev-parse", "--is-bare-repository") == "true":
        return None
    configured = git.run(common, where, "config", "core.worktree", expected=(0, 1)).out.removesuffix("\n")
    if configured:  # a submodule
        found = os.path.realpath(os.path.join(common, configured))
    elif os.path.basename(common) == ".git":
        found = os.path.dirname(common)
    else:
        return top  # its folder is elsewhere, and does not say of which checkout it is
    return found if os.path.isdir(found) else None


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
