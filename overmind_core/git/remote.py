"""Branches of a remote: fetched, looked through for work that has landed, and moved in one step. Blocks: runs git.

A remote is named by its URL, and its branches are kept below `REMOTE`: no setting of the repository is needed or used.
"""

from __future__ import annotations

from overmind_core.git.repository import HEADS, checked_out, is_ancestor, resolve
from overmind_core.git.run import Git, GitFailed

REMOTE = "refs/remotes/origin/"
TRAILER = "Overmind-Quest"
"""Of a commit that lands: whose work it is."""
_MOVING = ("cannot lock ref", "failed to update ref", "incorrect old value", "reference already exists")
"""How git there says that somebody else is moving the branch at this moment."""

_TRIES = 10
"""How often a ref here is set while others set it: one of them has done so each time."""
_SAID = "remote: "
"""How lines begin that the remote has said, as its hooks do."""


def fetch(git: Git, repository: str, url: str) -> None:
    """Get all branches of a remote. Several at once in one repository do not fail one another.

    Raises:
        GitFailed: it can't be reached or read.
        GitMissing: there is none.
    """
    words = ("fetch", "--quiet", "--no-tags", "--prune", "--no-write-fetch-head", "--no-auto-maintenance")
    _set(git, repository, *words, "--", url, f"+{HEADS}*:{REMOTE}*")


def tip_of(git: Git, repository: str, branch: str) -> str | None:
    """Return the commit of a branch as it was fetched; None: the remote has no such branch."""
    return resolve(git, repository, REMOTE + branch)


def take(git: Git, repository: str, branch: str) -> str | None:
    """Have the branch of that name here be as it was fetched; return its commit, None: the remote has none."""
    tip = tip_of(git, repository, branch)
    if tip is not None:
        git.run(repository, "update-ref", HEADS + branch, tip)
    return tip


def landed(git: Git, repository: str, branch: str, quest: str, *, since: str) -> str | None:
    """Return the commit of a fetched branch that has landed a quest's work; None: none has.

    Args:
        git: For whoever asks.
        repository: Where it was fetched to.
        branch: On which it was to land.
        quest: Id of the quest.
        since: A commit that is older than anything of it; what lies before is not looked at.
    """
    wanted = f"--grep=^{TRAILER}: {quest}$"
    found = git(repository, "log", "--max-count=1", "--format=%H", wanted, f"^{since}", REMOTE + branch, "--")
    return found or None


def push(git: Git, repository: str, url: str, branch: str, *, before: str, after: str) -> bool:
    """Move a branch of the remote from one commit to another; False: somebody else has moved it meanwhile.

    Raises:
        GitFailed: it can't be reached, or refuses.
        GitMissing: there is none.
    """
    name = HEADS + branch
    words = ("push", "--porcelain", "--no-follow-tags", f"--force-with-lease={name}:{before}")
    answer = git.run(repository, *words, "--", url, f"{after}:{name}", expected=(0, 1))
    if answer.code == 0:
        _set(git, repository, "update-ref", REMOTE + branch, after)
        return True
    refused = next((line for line in answer.out.splitlines() if line.startswith("!")), "")
    if any(word in refused for word in _MOVING) or _tip_there(git, repository, url, name) != before:
        return False
    said = [line.removeprefix(_SAID).strip() for line in answer.err.splitlines() if line.startswith(_SAID)]
    why = ": ".join([*filter(None, [refused.rpartition("\t")[2]]), *said[:1]])
    raise GitFailed(words[:1], answer.code, f"error: {why}" if why else answer.err)


class BranchesDiffer(Exception):
    """A branch here and the one of a remote each have commits that the other has not."""


def align(git: Git, repository: str, url: str, branch: str) -> str:
    """Have a branch here and the remote's branch of that name be at the same commit; return it.

    The one that is behind goes on to where the other one is; a missing one is made. A checkout of the branch goes on
    with it, unless there is work in the way.

    Raises:
        BranchesDiffer: as it says; nothing was moved.
        GitFailed: the remote can't be reached, or refuses; or neither has that branch.
        GitMissing: there is none.
    """
    name = HEADS + branch
    for left in reversed(range(_TRIES)):
        there = _tip_there(git, repository, url, name)
        here = resolve(git, repository, name) or ""
        if there == here and there:
            return there
        if there:
            git.run(repository, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", url, name)
        try:
            if not here or (there and is_ancestor(git, repository, here, there)):
                place = checked_out(git, repository, branch)
                if place is None:
                    git.run(repository, "update-ref", name, there, here or "0" * len(there))
                else:
                    git.run(place, "merge", "--quiet", "--ff-only", there)
                return there
            if there and not is_ancestor(git, repository, there, here):
                raise BranchesDiffer(branch)
            lease = f"--force-with-lease={name}:{there}"
            git.run(repository, "push", "--quiet", "--no-follow-tags", lease, "--", url, f"{here}:{name}")
        except GitFailed:
            moved = _tip_there(git, repository, url, name) != there or (resolve(git, repository, name) or "") != here
            if not moved or not left:
                raise
        else:
            return here
    raise AssertionError


def _set(git: Git, repository: str, *words: str) -> None:
    """Run what sets refs of the remote here; anew where somebody else has just set one of them."""
    for left in reversed(range(_TRIES)):
        try:
            git.run(repository, *words)
        except GitFailed as error:
            if not left or not any(word in error.output for word in _MOVING):
                raise
        else:
            return


def _tip_there(git: Git, repository: str, url: str, name: str) -> str:
    """The commit of a branch of the remote as it is now; "" where it has none."""
    return git.run(repository, "ls-remote", "--", url, name).out.partition("\t")[0]
