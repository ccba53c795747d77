"""Pushing a branch to where it belongs."""

from __future__ import annotations

from typing import NamedTuple

from overmind_core.git.run import Git, GitFailed

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
        found = git.ask(folder, "config", "--get", key, expected=(0, 1)).out.rstrip("\n")
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
        raise GitFailed(("push", remote), None, f"{remote} is the name of no remote")
    commit = git(folder, "rev-parse", "--verify", f"refs/heads/{branch}")
    git(folder, "push", "--quiet", remote, f"refs/heads/{branch}:refs/heads/{branch}")
    return Pushed(remote, commit)
