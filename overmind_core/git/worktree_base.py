"""The base of a mission's branch: what is checked out, a base, what its remote has by now; and a worktree's submodules.

A submodule comes from the person's checkout where that has it, else from where it comes from. A copy from the person's
checkout needs no network, and has what was never pushed. It knows its true origin afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from overmind_core.git.layout import git_folders
from overmind_core.git.look import look_at, look_at_index
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
        raise GitFailed(words, error.code, f"{remote} can't be fetched: {error.reason}: {advice}") from None


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


NOT_THERE = (0, 1)
IN_WORKTREE = ("--file", ".gitmodules")
SOME = 1000
"""Commits of a submodule that are looked for elsewhere: the newest."""


class _Submodule(NamedTuple):
    name: str
    path: str
    """Relative to the checkout that it is in."""
    commit: str


def check_out_submodules(git: Git, path: str, repository: Repository) -> None:
    """Check out the submodules of the worktree at `path`, and theirs.

    Raises:
        GitFailed: one can't be had.
        GitMissing: there is no git.
    """
    checkouts = dict.fromkeys(top for top in (repository.top, repository.main) if top is not None)
    _check_out_level(git, path, list(checkouts), repository.common)


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


def _check_out_level(git: Git, path: str, checkouts: Sequence[str], common: str) -> None:
    for submodule in _submodules(git, path):
        source = _source(git, submodule, checkouts, common)
        if source is None:
            words = ("submodule", "update", "--init", "--recursive", "--quiet", "--", submodule.path)
            _update(git, path, submodule, words)
            continue
        # Git does not copy submodules from this machine unless it is told to: this once, and from here alone.
        allowed = ("-c", "protocol.file.allow=always", "-c", f"submodule.{submodule.name}.url={source}")
        _update(git, path, submodule, (*allowed, "submodule", "update", "--init", "--quiet", "--", submodule.path))
        inside = os.path.join(path, submodule.path)
        _set_origin(git, inside, source)
        _check_out_level(git, inside, [os.path.join(top, submodule.path) for top in checkouts], source)


def _update(git: Git, path: str, submodule: _Submodule, words: tuple[str, ...]) -> None:
    try:
        retry_while_locked(lambda: git(path, *words))
    except GitFailed as error:
        raise GitFailed(words, error.code, f"submodule {submodule.path}: {error.reason}") from None


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
    configured = git.run(source, f"--git-dir={source}", "config", "remote.origin.url", expected=NOT_THERE).out
    if configured.strip():
        git(folder, "config", "remote.origin.url", configured.removesuffix("\n"))
