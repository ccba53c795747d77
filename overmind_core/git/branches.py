"""New branches: the first name that is free, and how one that we made is known again.

What a branch's log begins with says who made it and for what: nobody else writes that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice

from overmind_core.git.repository import HEAD, HEADS
from overmind_core.git.run import Git, GitFailed, retry_while_locked

NAMES = 1000
"""So many names for a branch are tried."""
_NO_NAME = re.compile(r"refusing to update ref with bad name")
"""Source: git's refs.c, ref_transaction_update."""
_EXISTS = re.compile(r"reference already exists|exists; cannot create")
_BLOCKED = re.compile(r"'refs/heads/(?P<name>[^']+)' exists; cannot create")
"""A branch can't be above another, such as `a` and `a/b`."""
_MOVED = re.compile(
    r"(?:merge|pull|fetch)\b[^()]*: (?:[Ff]ast-forward|forced-update|storing head|updating HEAD)"
    r"|initial pull$|push$|am --abort$"
    r"|(?:cherry-pick|revert|am): fast-forward$"
    r"|(?:reset|checkout|clone): |branch: (?:Created|Reset) |Branch: (?:renamed|copied) "
    r"|(?:rebase|pull)\b[^()]*\((?:start|abort|reset|skip)\): "
    r"|(?:rebase|pull)\b[^()]*\([a-z]+\): fast-forward$"
    r"|(?:rebase|pull)\b[^()]*\(?finish(?:\)|ed): returning to "
    r"|(?:rebase|pull)\b[^()]*: (?:checkout \S+|aborting|updating HEAD)$"
    r"|overmind: (?:begun for|attempt) "
)
"""Begins a line of a log by which a branch, or a HEAD, only got to a commit that had been made before.

Source: git's sequencer.c and branch.c, and builtin/ of merge.c, rebase.c, fetch.c, reset.c, checkout.c.
"""
_ONTO = re.compile(r"(?:rebase|pull)\b[^()]*\(?finish(?:\)|ed): \S+ onto (?P<commit>[0-9a-f]+)$")
"""The last line of a rebase; where it names the commit itself, all that was there had been made before."""


class NamesTaken(Exception):
    """None of the names is free. Its argument: the branches in their way.

    Attributes:
        above: The one among them that is the folder of a name: it makes every name below it impossible; None: none is.
    """

    def __init__(self, taken: tuple[str, ...], above: str | None = None) -> None:
        super().__init__(taken)
        self.above = above

    @property
    def problem(self) -> str:
        """What is in the way, and how to get it out of it; without the latter where another name helps."""
        if self.above is not None:
            way = f"rename that branch with: git branch -m {self.above} NAME"
            return f"a branch is called {self.above}, so git can make none below {self.above}/: {way}"
        taken = self.args[0]
        return f"{', '.join(taken[:3])} already {'exists' if len(taken) == 1 else 'exist'}"


def create_branch(
    git: Git,
    folder: str,
    names: Iterable[str],
    commit: str,
    message: str,
    *,
    before: Callable[[str], object] | None = None,
) -> str:
    """Create the first branch that is free, and return its name: git lets one alone of several at once create it.

    Args:
        git: For the branch.
        folder: Any of the repository.
        names: The best first.
        commit: What it begins at.
        message: What its log begins with; see `made_with`.
        before: Called with each name that is about to be tried.

    Raises:
        NamesTaken: see there.
        GitFailed: git refused, or one of the names is none.
        GitMissing: there is no git.
    """
    taken: list[str] = []
    blocked: set[str] = set()
    for name in islice(names, NAMES):
        if any(name.startswith(f"{prefix}/") for prefix in blocked):
            continue
        if name.startswith("-") or name == HEAD:
            raise _no_name(name)
        if before is not None:
            before(name)
        words = ("update-ref", "--create-reflog", "-m", message, HEADS + name, commit, "")
        try:
            retry_while_locked(partial(git, folder, *words))
        except GitFailed as error:
            if _NO_NAME.search(error.output) is not None:
                raise _no_name(name) from None
            if _EXISTS.search(error.output) is None:
                raise
            other = _BLOCKED.search(error.output)
            taken.append(other["name"] if other else name)
            if other and name.startswith(f"{other['name']}/"):
                blocked.add(other["name"])
        else:
            return name
    raise NamesTaken(tuple(dict.fromkeys(taken)), min(blocked, default=None))


def made_with(git: Git, folder: str, name: str, message: str) -> bool:
    """Whether there is a branch of this name whose log begins with `message`.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    answer = git.run(folder, "reflog", "show", "--format=%gs", HEADS + name, "--", expected=(0, 128))
    return answer.code == 0 and answer.out.rstrip("\n").rpartition("\n")[2] == message


def began_at(git: Git, folder: str, name: str) -> str | None:
    """Return the commit at which a branch began, as its log says; None: it has no log, or there is no such branch.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    answer = git.run(folder, "reflog", "show", "--format=%H", HEADS + name, "--", expected=(0, 128))
    return answer.out.rstrip("\n").rpartition("\n")[2] or None if answer.code == 0 else None


def commits_made(git: Git, folder: str, name: str) -> frozenset[str]:
    """Return the commits that were made on a branch, or in the worktree of a HEAD, as its log says; none: it has none.

    What it was only moved to, as by a fast-forward or a reset, is not among them; what Overmind has landed there is,
    and what any other tool has put there: it need not say how it does so, nor anything at all.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    words = ("reflog", "show", "--no-show-signature", "--format=%H %gs", name, "--")
    answer = git.run(folder, *words, expected=(0, 128))
    lines = [line.partition(" ") for line in answer.out.split("\n") if line]
    if lines and not lines[-1][2]:  # a HEAD of a new worktree: git itself says nothing there
        lines.pop()
    return frozenset(commit for commit, _, said in lines if not _is_move(commit, said))


def _is_move(commit: str, said: str) -> bool:
    onto = _ONTO.match(said)
    return _MOVED.match(said) is not None or (onto is not None and onto["commit"] == commit)


def _no_name(name: str) -> GitFailed:
    return GitFailed(("branch", name), None, f"{name!r} can't be the name of a branch")
