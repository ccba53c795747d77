"""Where other hives find the code of a folder: a remote that has it."""

from __future__ import annotations

import os
from typing import NamedTuple

from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.git.repository import HEADS, branch_of, find_repository, is_ancestor, resolve
from overmind_core.git.run import Git, GitFailed, GitMissing

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from overmind_core.cli.context import Context
    from overmind_core.git.repository import Repository

_FETCHED = 200
"""Branches of a remote, unknown here, in which a commit is looked for."""
_SHORT = 7


class Remote(NamedTuple):
    """A remote of a repository."""

    name: str
    """As it is called here."""
    url: str


def source_around(cwd: str, context: Context, targets: Sequence[str] = ()) -> dict[str, str] | None:
    """Return where other hives find the code around a folder; None: it is in no repository.

    Args:
        cwd: The folder.
        context: Of the command.
        targets: Branches, in wire form, on which its work is to land.

    Raises:
        OvermindError: `not_pushed`, they can't, or a target is not there; `git_failed`.
    """
    git = Git(os.environ, home=context.home.root)
    folder = os.fsencode(cwd).decode(errors="surrogateescape")
    try:
        repository = find_repository(git, folder)
        if repository is None:
            return None
        return _source(git, repository, targets)
    except GitFailed as error:
        raise OvermindError("git_failed", f"Git refused: {to_wire(error.reason)}.") from None
    except GitMissing:
        return None


def check_branch(folder: str, branch: str, context: Context) -> None:
    """Check that other hives find a branch as it is here, of the repository around a folder; both in wire form.

    Raises:
        OvermindError: `not_pushed`; `git_failed`.
    """
    git = Git(os.environ, home=context.home.root)
    try:
        repository = find_repository(git, from_wire(folder))
        commit = None if repository is None else resolve(git, repository.top, HEADS + from_wire(branch))
        if repository is not None and commit is not None:
            check_pushed(git, repository.top, remote_of(git, repository.top), commit)
    except GitFailed as error:
        raise OvermindError("git_failed", f"Git refused: {to_wire(error.reason)}.") from None
    except GitMissing:
        raise OvermindError("git_failed", "git is not installed here.") from None


def _source(git: Git, repository: Repository, targets: Sequence[str]) -> dict[str, str]:
    top, commit = repository.top, repository.head
    if commit is None:
        raise OvermindError("invalid", f"{to_wire(top)} has no commits yet: there is nothing to work on. Commit first.")
    remote = remote_of(git, top)
    check_pushed(git, top, remote, commit, targets)
    return {"remote": to_wire(remote.url), "commit": commit, "inside": to_wire(repository.subfolder)}


def remote_of(git: Git, top: str) -> Remote:
    """Return the remote from which other hives fetch a repository.

    Raises:
        OvermindError: `not_pushed`, there is none.
        GitFailed: git refuses.
    """
    name = _remote_of(git, top)
    if name is None:
        message = f"{to_wire(top)} has no remote, from which other hives could fetch it"
        raise OvermindError("not_pushed", f"{message}. Add one and push, or name a hive: -H NAME")
    url = git(top, "remote", "get-url", name)
    if ":" not in url.partition("/")[0]:  # a path: git counts it from the top
        url = os.path.normpath(os.path.join(top, url))
    return Remote(name, url)


def check_pushed(git: Git, top: str, remote: Remote, commit: str, targets: Sequence[str] = ()) -> None:
    """Check that a remote has a commit, and branches on which work is to land, in wire form.

    Raises:
        OvermindError: `not_pushed`.
        GitFailed: it can't be reached.
    """
    name, url = remote
    heads = [line.split("\t", 1) for line in git(top, "ls-remote", "--heads", "--", name).splitlines()]
    branches = {to_wire(ref) for _, ref in heads}
    for target in targets:
        if HEADS + target not in branches:
            message = f"There is no branch {target!r} on {to_wire(name)} to land on"
            raise OvermindError("not_pushed", f"{message}. Push it: git push {to_wire(name)} {target}")
    if not _has(git, top, url, dict(heads), commit):
        short = commit[:_SHORT]
        raise OvermindError("not_pushed", f"{short} is not on {to_wire(name)}. Push it, or name a hive: -H NAME")


def _remote_of(git: Git, top: str) -> str | None:
    """The remote of the branch that is checked out, else `origin`, else the only one."""
    names = git(top, "remote").split()
    branch = branch_of(git, top)
    if branch is not None:
        own = git.run(top, "config", "--get", f"branch.{branch}.remote", expected=(0, 1)).out.strip()
        if own in names:
            return own
    return "origin" if "origin" in names else names[0] if len(names) == 1 else None


def _has(git: Git, top: str, url: str, heads: Mapping[str, str], commit: str) -> bool:
    """Whether a branch of a remote has a commit; `heads`: by the hashes of its branches the name of one there."""
    known = [head for head in heads if not _lacks(git, top, head)]
    if any(is_ancestor(git, top, commit, head) for head in known):
        return True
    new = [head for head in heads if head not in known][:_FETCHED]
    if not new:
        return False
    words = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance")
    git.run(top, *words, "--", url, *(heads[head] for head in new if heads[head].startswith(HEADS)))
    return any(is_ancestor(git, top, commit, head) for head in new)


def _lacks(git: Git, top: str, commit: str) -> bool:
    return git.run(top, "cat-file", "-e", f"{commit}^{{commit}}", expected=(0, 1, 128)).code != 0
