"""One look at a worktree: what git's status and its index say of it, each asked of one git and for all who look."""

from __future__ import annotations

from typing import NamedTuple

from overmind_core.git.repository import branch_of
from overmind_core.git.run import Git

LINK = "160000"
"""Mode of a submodule in git's index."""
_STATUS = ("status", "--porcelain=v2", "--branch", "--no-ahead-behind", "-z", "--no-renames")
_ALL = ("--untracked-files=all", "--ignore-submodules=none")
_KNOWN = ("--untracked-files=no", "--ignore-submodules=dirty")
_FIELDS = {"1": 9, "u": 11}
"""How many fields an entry of a tracked file has, by its first one; the path is the last. Source: git-status(1)."""
_ONLY_WITHIN = (".M S", ".T S")
"""How an entry of a submodule goes on whose staged commit is the committed one. Source: git-status(1)."""
_NO_COMMIT = "(initial)"
_NOT_PLAIN = ("(", "refs/")
"""How the name of a branch begins that may be none: `(detached)`, `(null)`, what is no branch by its whole name."""


class WorktreeLook(NamedTuple):
    """The result of `git status` in a worktree. Paths are relative to the top."""

    head: str | None
    """The commit that is checked out; None when there are no commits yet."""
    branch: str | None
    """None for a commit without a name."""
    tracked: tuple[str, ...]
    """Files of which git knows and that are changed, added or removed, and submodules with changes in them."""
    conflicting: tuple[str, ...]
    """Those of them whose conflicts are not resolved."""
    unstaged: tuple[str, ...]
    """Those of them that are not as git's index has them."""
    new: tuple[str, ...]
    """Files that git does not know; `folder/` for a repository of its own."""
    ignored: tuple[str, ...] = ()
    """What git ignores, if that was asked for; folders end with `/`."""
    within: tuple[str, ...] = ()
    """Submodules among the tracked ones that are staged as they are committed: only their folder differs."""

    @property
    def changed(self) -> tuple[str, ...]:
        """What a commit of all that is there would have."""
        return (*self.tracked, *self.new)


class Gitlink(NamedTuple):
    """A commit of another repository in git's index; `path` is relative to the top."""

    path: str
    commit: str


class IndexLook(NamedTuple):
    """The entries of git's index that need care."""

    gitlinks: tuple[Gitlink, ...]
    """Commits of other repositories, submodules or not."""
    overlooked: tuple[str, ...]
    """Files of which git was told to overlook the changes."""


def look_at(git: Git, path: str, *, ignored: bool = False, untracked: bool = True) -> WorktreeLook:
    """Return what git's status says of the worktree around `path`; nothing there is written.

    Args:
        git: For whoever looks.
        path: A folder of the worktree.
        ignored: Whether to tell what git ignores.
        untracked: Whether to tell what git does not know, and what is changed inside of submodules, which takes longer.

    Raises:
        GitFailed: there is no worktree.
        GitMissing: there is no git.
    """
    which = _ALL if untracked else _KNOWN
    out = git.run(path, *_STATUS, *which, *(("--ignored=matching",) if ignored else ())).out
    head = branch = None
    found: dict[str, list[str]] = {"1": [], "u": [], "?": [], "!": []}
    unstaged: list[str] = []
    within: list[str] = []
    for entry in out.split("\0"):
        kind, _, rest = entry.partition(" ")
        if kind == "#":
            word, _, value = rest.partition(" ")
            if word == "branch.oid":
                head = None if value == _NO_COMMIT else value
            elif word == "branch.head":
                branch = branch_of(git, path) if value.startswith(_NOT_PLAIN) else value
        elif kind in found:
            name = entry.split(" ", _FIELDS[kind] - 1)[-1] if kind in _FIELDS else rest
            found[kind].append(name)
            if kind in _FIELDS and rest[1] != ".":
                unstaged.append(name)
                if rest.startswith(_ONLY_WITHIN):
                    within.append(name)
    tracked, conflicting, new, hidden = (tuple(names) for names in found.values())
    known = (*tracked, *conflicting)
    return WorktreeLook(head, branch, known, conflicting, tuple(unstaged), new, hidden, tuple(within))


def look_at_index(git: Git, path: str) -> IndexLook:
    """Return what git's index for the worktree at `path` says beside which files there are.

    Raises:
        GitFailed: there is no worktree.
        GitMissing: there is no git.
    """
    links: list[Gitlink] = []
    overlooked: list[str] = []
    for entry in git.run(path, "ls-files", "--stage", "-v", "-z").out.split("\0"):
        sign, mode = entry[:1], entry[2:8]
        if mode == LINK:
            facts, _, where = entry.partition("\t")
            links.append(Gitlink(where, facts.split(" ")[2]))
        if sign == "S" or sign.islower():
            overlooked.append(entry.partition("\t")[2])
    return IndexLook(tuple(links), tuple(overlooked))
