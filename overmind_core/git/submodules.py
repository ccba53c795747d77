"""A worktree's submodules: those that the person has checked out are checked out, the others stay empty.

A copy from the person's checkout needs no network, and has what was never pushed. It knows its true origin afterwards.
A commit that the checkout has not is fetched. One that can't be had stays empty: the work may well go on without it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from overmind_core.git.layout import git_folders
from overmind_core.git.look import look_at, look_at_index
from overmind_core.git.repository import Repository
from overmind_core.git.run import Git, GitFailed, retry_while_locked
from overmind_core.git.worktree_base import FETCH_SECONDS

NOT_THERE = (0, 1)
IN_WORKTREE = ("--file", ".gitmodules")
SOME = 1000
"""Commits of a submodule that are looked for elsewhere: the newest."""
NAMED = 10
"""Submodules in one line, at most."""
REPOSITORIES = "repositories"
"""Folder of a home, as `Home.repositories` has it."""


class _Submodule(NamedTuple):
    name: str
    path: str
    """Relative to the checkout that it is in."""
    commit: str


def check_out_submodules(git: Git, path: str, repository: Repository) -> list[str]:
    """Check out the submodules of the worktree at `path` that the person has, and theirs.

    Returns:
        What stays empty, and why: lines for people.

    Raises:
        GitFailed: the disk is full, or a signal ended git. One that can't be had is no failure.
        GitMissing: there is no git.
    """
    return list(_check_out_level(git, path, "", _persons_checkouts(git, repository), repository.common))


def submodule_notes(git: Git, repository: Repository) -> list[str]:
    """Return which submodules a new worktree would not have from this checkout: lines for people. Asks no network.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    return list(_explain_level(git, repository.top, "", _persons_checkouts(git, repository), repository.common))


def _persons_checkouts(git: Git, repository: Repository) -> list[str]:
    """Checkouts in which a person has decided which submodules there are; none: each one is tried.

    Nobody works in a checkout that the home keeps of what others have sent.
    """
    tops = dict.fromkeys(top for top in (repository.top, repository.main) if top is not None)
    own = os.path.join(os.path.realpath(git.home), REPOSITORIES) if git.home else ""
    return [top for top in tops if top != repository.common and (not own or not top.startswith(f"{own}/"))]


def unpushed_submodules(git: Git, path: str) -> list[str]:
    """Return the paths of submodules of a worktree with commits that neither their origin nor the person has.

    Raises:
        GitFailed: there is no worktree.
        GitMissing: there is no git.
    """
    if not os.path.isfile(os.path.join(path, ".gitmodules")):
        return []
    return list(_unpushed_submodules(git, path, *git_folders(git, path)))


def uncommitted_submodules(git: Git, path: str) -> list[str]:
    """Return the paths of submodules of a worktree with files that are not committed in them.

    A commit in the worktree has only the commits of its submodules: it leaves such files out.

    Raises:
        GitFailed: git refused.
        GitMissing: there is none.
    """
    checked_out = [one.path for one in _submodules(git, path) if os.path.lexists(os.path.join(path, one.path, ".git"))]
    return [inside for inside in checked_out if look_at(git, os.path.join(path, inside)).changed]


def _unpushed_submodules(git: Git, path: str, own: str, persons: str) -> Iterator[str]:
    for submodule in _submodules(git, path):
        mine, theirs = (os.path.join(folder, "modules", submodule.name) for folder in (own, persons))
        inside = os.path.join(path, submodule.path)
        if mine == theirs or not os.path.isdir(mine) or not os.path.lexists(os.path.join(inside, ".git")):
            continue
        which = ("HEAD", "--branches", "--not", "--remotes", "--")
        commits = git.run(mine, f"--git-dir={mine}", "rev-list", f"--max-count={SOME}", *which).out
        known = os.path.isdir(theirs) and not _missing(git, theirs, commits)
        if commits and not known:
            yield submodule.path
        yield from (f"{submodule.path}/{deeper}" for deeper in _unpushed_submodules(git, inside, mine, theirs))


def _missing(git: Git, folder: str, commits: str) -> bool:
    answer = git.run(folder, f"--git-dir={folder}", "cat-file", "--batch-check", text=commits)
    return any(line.endswith(" missing") for line in answer.out.splitlines())


class _Plan(NamedTuple):
    """Where each submodule of a checkout comes from."""

    copied: list[tuple[_Submodule, str]]
    """From git's folder of the person's."""
    fetched: list[_Submodule]
    left: list[_Submodule]
    """The person has them not, either."""


def _plan(git: Git, path: str, checkouts: Sequence[str], common: str) -> _Plan:
    plan = _Plan([], [], [])
    for submodule in _submodules(git, path):
        places = [os.path.join(top, submodule.path) for top in checkouts]
        if checkouts and not any(os.path.lexists(os.path.join(place, ".git")) for place in places):
            plan.left.append(submodule)
        elif (source := _source(git, submodule, places, common)) is not None:
            plan.copied.append((submodule, source))
        else:
            plan.fetched.append(submodule)
    return plan


def _check_out_level(git: Git, path: str, within: str, checkouts: Sequence[str], common: str) -> Iterator[str]:
    """`within`: the path of this checkout in the worktree, with a slash behind it; "" for the worktree itself."""
    plan = _plan(git, path, checkouts, common)
    if plan.left:
        yield _left(plan.left, within)
    for submodule, source in [*plan.copied, *((one, None) for one in plan.fetched)]:
        try:
            _update(git, path, submodule, source)
        except GitFailed as error:
            if error.was_ended or error.is_disk_full:
                raise
            yield f"submodule {within}{submodule.path} can't be had and stays empty: {error.reason}"
            continue
        inside = os.path.join(path, submodule.path)
        if source is not None:
            _set_origin(git, inside, source)
        deeper = source or os.path.join(common, "modules", submodule.name)
        tops = [os.path.join(top, submodule.path) for top in checkouts]
        yield from _check_out_level(git, inside, f"{within}{submodule.path}/", tops, deeper)


def _explain_level(git: Git, path: str, within: str, checkouts: Sequence[str], common: str) -> Iterator[str]:
    plan = _plan(git, path, checkouts, common)
    if plan.left:
        yield _left(plan.left, within)
    for submodule in plan.fetched:
        yield f"submodule {within}{submodule.path}: its commit is not in this checkout, so it is fetched"
    for submodule, source in plan.copied:
        inside = os.path.join(path, submodule.path)
        if os.path.lexists(os.path.join(inside, ".git")):
            tops = [os.path.join(top, submodule.path) for top in checkouts]
            yield from _explain_level(git, inside, f"{within}{submodule.path}/", tops, source)


def _left(left: Sequence[_Submodule], within: str) -> str:
    names = ", ".join(f"{within}{one.path}" for one in left[:NAMED])
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    one, stay = ("submodule", "stays") if len(left) == 1 else ("submodules", "stay")
    return f"{one} {names}{more} {stay} empty, as in your checkout"


def _update(git: Git, path: str, submodule: _Submodule, source: str | None) -> None:
    words: tuple[str, ...] = ("submodule", "update", "--init", "--quiet", "--", submodule.path)
    if source is not None:
        # Git does not copy submodules from this machine unless it is told to: this once, and from here alone. With an
        # address and the word that it is wanted, git writes neither into the person's settings.
        wanted = ("-c", f"submodule.{submodule.name}.url={source}", "-c", f"submodule.{submodule.name}.active=true")
        words = ("-c", "protocol.file.allow=always", *wanted, *words)
    retry_while_locked(lambda: git(path, *words, seconds=FETCH_SECONDS))


def _submodules(git: Git, path: str) -> list[_Submodule]:
    """Those that are to be checked out: named in .gitmodules, and not switched off by the person."""
    if not os.path.isfile(os.path.join(path, ".gitmodules")):
        return []
    names = {where.rstrip("/"): name for name, where in _settings(git, path, IN_WORKTREE, "path").items()}
    off = _settings(git, path, IN_WORKTREE, "update") | _settings(git, path, (), "update")
    links = ((names.get(link.path), link) for link in look_at_index(git, path).gitlinks)
    return [
        _Submodule(name, link.path, link.commit) for name, link in links if name is not None and off.get(name) != "none"
    ]


def submodule_paths(git: Git, folder: str, commit: str | None = None) -> frozenset[str]:
    """Return the paths that .gitmodules names, in the worktree at `folder` or in a commit.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    if commit is None and not os.path.isfile(os.path.join(folder, ".gitmodules")):
        return frozenset()
    if commit is not None and git.run(folder, "cat-file", "-e", f"{commit}:.gitmodules", expected=(0, 1, 128)).code:
        return frozenset()
    where = IN_WORKTREE if commit is None else ("--blob", f"{commit}:.gitmodules")
    return frozenset(path.rstrip("/") for path in _settings(git, folder, where, "path").values())


def _settings(git: Git, path: str, where: tuple[str, ...], key: str) -> dict[str, str]:
    """One setting of each submodule, by the submodule's name."""
    pattern = rf"^submodule\..*\.{key}$"
    out = git.run(path, "config", *where, "-z", "--get-regexp", pattern, expected=NOT_THERE).out
    rows = (row.partition("\n") for row in out.split("\0") if row)
    return {name.removeprefix("submodule.").removesuffix(f".{key}"): value for name, _, value in rows}


def _source(git: Git, submodule: _Submodule, places: Sequence[str], common: str) -> str | None:
    """Git's folder of a submodule that the person has, with the commit that is wanted; None: it comes from afar.

    `places`: where it would be checked out in the person's checkouts.
    """
    if "=" in submodule.name or "\n" in submodule.name:  # can't be said on a command line
        return None
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
    configured = git.run(source, f"--git-dir={source}", "config", "remote.origin.url", expected=NOT_THERE).out
    if configured.strip():
        git(folder, "config", "remote.origin.url", configured.removesuffix("\n"))
