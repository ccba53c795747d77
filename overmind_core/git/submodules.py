"""Submodules of a new worktree: from the person's checkout where that has them, else from where they come from.

A copy from the person's checkout needs no network, and has what was never pushed. It knows its true origin afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from overmind_core.git.locks import patiently
from overmind_core.git.repository import Repository, common_folder
from overmind_core.git.run import Git, GitFailed

LINK = "160000"
"""Mode of a submodule in git's index."""
NOT_THERE = (0, 1)
SOME = 1000
"""Commits of a submodule that are looked for elsewhere: the newest."""


class _Submodule(NamedTuple):
    name: str
    path: str
    """Relative to the checkout that it is in."""
    commit: str


def check_out(git: Git, path: str, repository: Repository) -> None:
    """Check out the submodules of the worktree at `path`, and theirs.

    Raises:
        GitFailed: one can't be had.
        GitMissing: there is no git.
    """
    checkouts = dict.fromkeys(top for top in (repository.top, repository.main) if top is not None)
    _check_out(git, path, list(checkouts), repository.common)


def only_here(git: Git, path: str) -> list[str]:
    """Return the paths of submodules of a worktree with commits that neither their origin nor the person has.

    Raises:
        GitFailed: there is no worktree.
        GitMissing: there is no git.
    """
    if not os.path.isfile(os.path.join(path, ".gitmodules")):
        return []
    own = os.path.realpath(git.ask(path, "rev-parse", "--absolute-git-dir").out.removesuffix("\n"))
    return list(_only_here(git, path, own, common_folder(git, path)))


def _only_here(git: Git, path: str, own: str, persons: str) -> Iterator[str]:
    for submodule in _submodules(git, path):
        mine, theirs = (os.path.join(folder, "modules", submodule.name) for folder in (own, persons))
        inside = os.path.join(path, submodule.path)
        if mine == theirs or not os.path.isdir(mine) or not os.path.lexists(os.path.join(inside, ".git")):
            continue
        which = ("HEAD", "--branches", "--not", "--remotes", "--")
        commits = git.ask(mine, f"--git-dir={mine}", "rev-list", f"--max-count={SOME}", *which).out
        known = os.path.isdir(theirs) and not _missing(git, theirs, commits)
        if commits and not known:
            yield submodule.path
        yield from (f"{submodule.path}/{deeper}" for deeper in _only_here(git, inside, mine, theirs))


def _missing(git: Git, folder: str, commits: str) -> bool:
    answer = git.ask(folder, f"--git-dir={folder}", "cat-file", "--batch-check", text=commits)
    return any(line.endswith(" missing") for line in answer.out.splitlines())


def _check_out(git: Git, path: str, checkouts: Sequence[str], common: str) -> None:
    for submodule in _submodules(git, path):
        source = _source(git, submodule, checkouts, common)
        if source is None:
            words = ("submodule", "update", "--init", "--recursive", "--quiet", "--", submodule.path)
            _ask(git, path, submodule, words)
            continue
        # Git does not copy submodules from this machine unless it is told to: this once, and from here alone.
        allowed = ("-c", "protocol.file.allow=always", "-c", f"submodule.{submodule.name}.url={source}")
        _ask(git, path, submodule, (*allowed, "submodule", "update", "--init", "--quiet", "--", submodule.path))
        inside = os.path.join(path, submodule.path)
        _set_origin(git, inside, source)
        _check_out(git, inside, [os.path.join(top, submodule.path) for top in checkouts], source)


def _ask(git: Git, path: str, submodule: _Submodule, words: tuple[str, ...]) -> None:
    try:
        patiently(lambda: git(path, *words))
    except GitFailed as error:
        raise GitFailed(words, error.code, f"submodule {submodule.path}: {error.reason}") from None


def _submodules(git: Git, path: str) -> list[_Submodule]:
    """Those that are to be checked out: named in .gitmodules, and not switched off by the person."""
    if not os.path.isfile(os.path.join(path, ".gitmodules")):
        return []
    names = _settings(git, path, ("--file", ".gitmodules"), "path")
    off = _settings(git, path, ("--file", ".gitmodules"), "update") | _settings(git, path, (), "update")
    found = []
    for entry in git(path, "ls-files", "--stage", "-z").split("\0"):
        facts, _, where = entry.partition("\t")
        mode, _, rest = facts.partition(" ")
        if mode != LINK:
            continue
        name = next((name for name, value in names.items() if value.rstrip("/") == where), None)
        if name is not None and off.get(name) != "none":
            found.append(_Submodule(name, where, rest.partition(" ")[0]))
    return found


def _settings(git: Git, path: str, where: tuple[str, ...], key: str) -> dict[str, str]:
    """One setting of each submodule, by the submodule's name."""
    pattern = rf"^submodule\..*\.{key}$"
    out = git.ask(path, "config", *where, "-z", "--get-regexp", pattern, expected=NOT_THERE).out
    rows = (row.partition("\n") for row in out.split("\0") if row)
    return {name.removeprefix("submodule.").removesuffix(f".{key}"): value for name, _, value in rows}


def _source(git: Git, submodule: _Submodule, checkouts: Sequence[str], common: str) -> str | None:
    """Git's folder of a submodule that the person has, with the commit that is wanted; None: it comes from afar."""
    if "=" in submodule.name or "\n" in submodule.name:  # can't be said on a command line
        return None
    places = [os.path.join(top, submodule.path) for top in checkouts]
    folders = [place for place in places if os.path.lexists(os.path.join(place, ".git"))]
    for folder in [*folders, os.path.join(common, "modules", submodule.name)]:
        if not os.path.isdir(folder):
            continue
        try:
            own = os.path.realpath(git(folder, "rev-parse", "--absolute-git-dir"))
            where = f"--git-dir={own}"
            git(own, where, "cat-file", "-e", f"{submodule.commit}^{{commit}}")
            if git(own, where, "rev-parse", "--is-shallow-repository") == "false":  # such a one can't be copied whole
                return own
        except GitFailed:
            continue
    return None


def _set_origin(git: Git, folder: str, source: str) -> None:
    """Have a copy know where the submodule comes from, instead of the person's checkout."""
    told = git.ask(source, f"--git-dir={source}", "config", "remote.origin.url", expected=NOT_THERE).out
    if told.strip():
        git(folder, "config", "remote.origin.url", told.removesuffix("\n"))
