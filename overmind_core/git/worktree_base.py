"""The base of a mission's branch: what is checked out, a base, what its remote has by now."""

from __future__ import annotations

from typing import NamedTuple

from overmind_core.git.repository import HEADS, Repository, resolve, resolve_all
from overmind_core.git.run import Git, GitFailed, retry_while_locked

FETCH_SECONDS = 300.0
"""How long a fetch may take."""
REMOTES = "refs/remotes/"


class BranchBase(NamedTuple):
    """What a branch begins at."""

    name: str
    """Of the branch, or the commit where that has no name."""
    commit: str
    note: str
    """What came of the fetch, for people; "" without one."""


class _Remote(NamedTuple):
    name: str
    upstream: str
    """The full name here of the base over there."""


def find_base(git: Git, repository: Repository, base: str | None, *, fetch: bool) -> BranchBase:
    """Return where to begin.

    Args:
        git: For the mission.
        repository: Seen from the person's checkout just now.
        base: A branch, tag or commit; None for what is checked out.
        fetch: Whether to ask the remote first, if there is one.

    Raises:
        GitFailed: there is no such base, no commit, or the remote can't be reached: with how to go on.
        GitMissing: there is no git.
    """
    wanted = base or repository.branch
    if wanted is None:
        return _detached(repository)
    if not fetch:
        here = _known(repository, base) or resolve(git, repository.top, wanted)
        if here is not None:
            return BranchBase(wanted, here, "")
    remote = _remote(git, repository.top, wanted)
    fetched = fetch and remote is not None
    if fetch and remote is not None:
        _fetch(git, repository.top, remote.name)
    here, there = resolve_all(git, repository.top, wanted, "" if remote is None else remote.upstream)
    if remote is None or there is None:
        if here is None:
            raise _nothing(repository, base)
        return BranchBase(wanted, here, f"fetched {remote.name}: it has no {wanted}" if remote else "")
    name = remote.upstream.removeprefix(REMOTES)
    if here is None:
        return BranchBase(name, there, f"fetched {remote.name}" if fetched else "")
    return _newer(git, repository.top, BranchBase(wanted, here, f"fetched {remote.name}"), BranchBase(name, there, ""))


def _known(repository: Repository, base: str | None) -> str | None:
    """The commit of the base, where it was found with the repository."""
    if base is None:
        return repository.head
    name, commit = repository.asked or ("", None)
    return commit if name == base else None


def is_branch(git: Git, folder: str, name: str) -> bool:
    """Whether there is a branch of this name, here or at a remote that was fetched.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    return "\0" not in name and any(_is(git, folder, prefix + name) for prefix in (HEADS, REMOTES))


def _detached(repository: Repository) -> BranchBase:
    if repository.head is None:
        raise _nothing(repository, None)
    return BranchBase(repository.head, repository.head, "")


def _nothing(repository: Repository, base: str | None) -> GitFailed:
    if base and repository.head is not None:
        return GitFailed(("rev-parse", base), None, f"no branch, tag or commit {base!r} in {repository.top}")
    reason = f"{repository.top} has no commits yet. Create one first: git commit --allow-empty -m 'first commit'"
    return GitFailed(("worktree", "add"), None, reason)


def _remote(git: Git, top: str, wanted: str) -> _Remote | None:
    """Where the base comes from: what the branch is set to, else `origin`, else the only one there is."""
    names = [name for name in git(top, "remote").split("\n") if name]
    if not names:
        return None
    full = next((name for name in names if wanted.startswith(f"{name}/") and not _is(git, top, HEADS + wanted)), None)
    if full is not None:
        return _Remote(full, REMOTES + wanted)
    configured = git.run(top, "config", f"branch.{wanted}.remote", expected=(0, 1)).out.removesuffix("\n")
    if configured in names:
        # The base may have another name over there.
        upstream = git.run(
            top, "rev-parse", "--quiet", "--symbolic-full-name", f"{HEADS}{wanted}@{{upstream}}", expected=(0, 1, 128)
        )
        name = upstream.out.removesuffix("\n")
        return _Remote(configured, name if name.startswith(REMOTES) else f"{REMOTES}{configured}/{wanted}")
    if configured == ".":
        return None
    chosen = "origin" if "origin" in names else names[0] if len(names) == 1 else None
    return None if chosen is None else _Remote(chosen, f"{REMOTES}{chosen}/{wanted}")


def _is(git: Git, top: str, full: str) -> bool:
    return git.run(top, "show-ref", "--verify", "--quiet", full, expected=(0, 1, 128)).code == 0


def _fetch(git: Git, top: str, remote: str) -> None:
    words = ("fetch", "--quiet", "--no-recurse-submodules", "--", remote)
    try:
        retry_while_locked(lambda: git(top, *words, seconds=FETCH_SECONDS))
    except GitFailed as error:
        advice = "check the network and your access, or set `fetch: false` in .overmind.yml to use the local state"
        message = f"{remote} can't be fetched: {error.reason}: {advice}"
        raise GitFailed(words, error.code, message, said=error.said) from None


def _newer(git: Git, top: str, here: BranchBase, there: BranchBase) -> BranchBase:
    """The one that has the other, here's when neither does; the branch that it is called by is here's."""
    if here.commit == there.commit:
        return here._replace(note=f"{here.note}: {here.name} is up to date")
    out = git(top, "rev-list", "--left-right", "--count", f"{here.commit}...{there.commit}")
    ahead, behind = (int(count) for count in out.split())
    if not ahead:
        commits = "1 commit" if behind == 1 else f"{behind} commits"
        note = f"{here.note}: started at {there.name}, which is {commits} ahead of {here.name}"
        return here._replace(commit=there.commit, note=note)
    if behind:
        return here._replace(note=f"{here.note}: {here.name} and {there.name} have diverged; started at {here.name}")
    return here._replace(note=f"{here.note}: {here.name} is ahead of {there.name}")
