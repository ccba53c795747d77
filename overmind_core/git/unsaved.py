"""Work that goes with a worktree and that git's status of it does not show.

Commits that no name leads to; changes of files that git was told to overlook; repositories inside the worktree, also in
folders that git ignores; and its submodules' repositories, which git keeps in its own folder for the worktree.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress

from overmind_core.git.layout import GIT, git_folders
from overmind_core.git.look import IndexLook, look_at_index
from overmind_core.git.repository import resolve, resolve_all
from overmind_core.git.run import Git, GitFailed

_LEFT = re.compile(r"checkout: moving from ([0-9a-f]{40,64}) to ")
"""Of a branch git names the branch."""
_CLONED = re.compile(r"^([0-9a-f]{40,64}) clone: from ")
_SET_ASIDE = ("rebase-merge/autostash", "rebase-apply/autostash", "MERGE_AUTOSTASH")
"""Files in git's folder of a worktree, each with a commit of what was not committed before a rebase or merge began.
Source: git's sequencer.c, builtin/merge.c."""
_OWN_NAMES = "refs/worktree"
"""Names that one worktree alone has, and that go with it. Source: gitrepository-layout(5)."""
_BARE = (("HEAD",), ("objects", "refs"))
"""Files and folders by which git knows a repository's own folder. Source: git's setup.c, is_git_directory."""
_MODULES = "modules"
SOME = 1000
"""Commits of a submodule that are looked for elsewhere: the newest."""


def left_commits(git: Git, path: str) -> tuple[str, ...]:
    """Return the commits that a worktree holds without a branch: no name may lead to them.

    They were checked out and left; or a rebase, a merge or a name of this worktree alone has them.

    Raises:
        GitFailed: there is no worktree.
        GitMissing: there is no git.
    """
    own = git_folders(git, path).own
    answer = git.run(path, "reflog", "show", "--format=%gs", "HEAD", "--", expected=(0, 128))
    found = [*_LEFT.findall(answer.out), *_set_aside(own)]
    if os.path.isdir(os.path.join(own, _OWN_NAMES)):
        found += git(path, "for-each-ref", "--format=%(objectname)", _OWN_NAMES).split()
    known = list(dict.fromkeys(found))
    return tuple(commit for commit, there in zip(known, resolve_all(git, path, *known), strict=True) if there)


def _set_aside(own: str) -> Iterator[str]:
    for name in _SET_ASIDE:
        with suppress(OSError), open(os.path.join(own, name), encoding="ascii", errors="replace") as file:
            yield file.read(100).strip()


def hidden_changes(git: Git, path: str, index: IndexLook) -> tuple[str, ...]:
    """Return the changed files that git was told to overlook, relative to the top: its status leaves them out.

    An agent tells it so with `git update-index --assume-unchanged` or `--skip-worktree`. A file that is not there is no
    change: a sparse checkout leaves out most of them.

    Args:
        git: For the mission.
        path: The top of the worktree.
        index: What git's index for it says.

    Raises:
        GitFailed: there is no worktree.
        GitMissing: there is no git.
    """
    there = {file for file in index.overlooked if os.path.lexists(os.path.join(path, file))}
    if not there:
        return ()
    known = os.path.join(path, git.run(path, "rev-parse", "--git-path", "index").out.removesuffix("\n"))
    try:
        with tempfile.TemporaryDirectory(prefix="overmind-index-", ignore_cleanup_errors=True) as scratch:
            copied = os.path.join(scratch, "index")
            shutil.copy2(known, copied)
            out = _status_of_all(git, path, copied, "\0".join(there))
    except OSError as error:
        raise GitFailed(("ls-files",), None, f"{known} can't be copied: {error.strerror}") from None
    return tuple(sorted({entry[3:] for entry in out.split("\0") if entry} & there))


def _status_of_all(git: Git, path: str, index: str, overlooked: str) -> str:
    """What a status says with a copy of the index in which nothing is to be overlooked."""
    variables = {"GIT_INDEX_FILE": index}
    for flag in ("--no-assume-unchanged", "--no-skip-worktree"):
        words = ("-c", "core.splitIndex=false", "update-index", flag, "-z", "--stdin")
        git.run(path, *words, variables=variables, text=overlooked)
    words = ("status", "--porcelain", "-z", "--untracked-files=no", "--ignore-submodules=all", "--no-renames")
    return git.run(path, *words, variables=variables).out


def unsaved_repositories(git: Git, path: str) -> tuple[str, ...]:
    """Return the folders of nested repositories with work that is nowhere else, relative to the top, sorted.

    That is what is not committed, and commits that no remote has. Looks into ignored folders too. A repository that
    git can't read counts as work, and so does a folder that nobody may read: git takes it for empty.

    Raises:
        GitMissing: there is no git.
    """
    top = os.path.realpath(path)
    closed: list[str] = []
    found = [inside for inside in _below(path, closed) if _has_work(git, os.path.join(path, inside), top)]
    return tuple(sorted([*found, *closed]))


def _below(top: str, closed: list[str]) -> Iterator[str]:
    """Folders below `top` with a `.git` of their own, and bare repositories; links are not followed.

    What can't be read is added to `closed`.
    """

    def refused(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):  # that one went meanwhile
            closed.append(os.path.relpath(error.filename, top))

    for folder, folders, files in os.walk(top, onerror=refused):
        if folder != top and (GIT in folders or GIT in files):
            yield os.path.relpath(folder, top)
        elif folder != top and _is_bare(folders, files):
            yield os.path.relpath(folder, top)
            folders.clear()
        with suppress(ValueError):
            folders.remove(GIT)


def _is_bare(folders: Sequence[str], files: Sequence[str]) -> bool:
    needed_files, needed_folders = _BARE
    return set(needed_files) <= set(files) and set(needed_folders) <= set(folders)


def _has_work(git: Git, folder: str, top: str) -> bool:
    try:
        if not os.path.lexists(os.path.join(folder, GIT)):
            return _has_commits(git, folder, _own(git, folder, folder))
        if os.path.realpath(git(folder, "rev-parse", "--show-toplevel")) != os.path.realpath(folder):
            return _is_something(os.path.join(folder, GIT))  # no repository to git: damaged, or empty
        status = ("status", "--porcelain", "-z", "--untracked-files=normal", "--ignore-submodules=all")
        if git.run(folder, *status).out or hidden_changes(git, folder, look_at_index(git, folder)):
            return True
        own, common = git_folders(git, folder)
        goes = own == common and (common.startswith(f"{top}/") or os.path.isdir(os.path.join(folder, GIT)))
        return _has_commits(git, common, _own(git, folder, common) if goes else _head(git, folder))
    except GitFailed:
        return True


def _is_something(path: str) -> bool:
    try:
        return bool(os.listdir(path))
    except OSError:
        return True  # a link to nowhere, a pipe: nobody can tell


def _has_commits(git: Git, common: str, which: Sequence[str]) -> bool:
    words = (f"--git-dir={common}", "rev-list", "--max-count=1", *which, "--")
    return bool(git.run(common, *words).out)


def _head(git: Git, folder: str) -> list[str]:
    """Arguments of `git rev-list` for a worktree or submodule whose branches live elsewhere, and stay."""
    tips = _tips(git, folder)
    return [*tips, "--not", "--branches", "--remotes", "--tags"] if tips else ["--max-count=0", "--all"]


def _own(git: Git, folder: str, common: str) -> list[str]:
    """Arguments of `git rev-list` for a repository that goes with the worktree: all its commits that it did not get."""
    tips = _tips(git, folder)
    if not git(folder, "remote"):
        return [*tips, "--all"]
    # A clone of one tag or commit has no branch of its remote: it got what it began at, and where a shallow history
    # ends. Tags are no sign of that: an agent sets them, too.
    got = [*_cloned(git, folder), *_shallow(common)]
    return [*tips, "--branches", *_stash(git, folder), "--not", "--remotes", *got]


def _tips(git: Git, folder: str) -> list[str]:
    head = resolve(git, folder, "HEAD")
    return [*([head] if head is not None else []), *left_commits(git, folder)]


def _stash(git: Git, folder: str) -> list[str]:
    return git.run(folder, "rev-parse", "--verify", "--quiet", "refs/stash", expected=(0, 1)).out.split()


def _cloned(git: Git, folder: str) -> list[str]:
    """The commit that a clone began at, as the log of its HEAD has it."""
    answer = git.run(folder, "reflog", "show", "--format=%H %gs", "HEAD", "--", expected=(0, 128))
    found = _CLONED.match(answer.out.rstrip("\n").rpartition("\n")[2])
    return [found[1]] if found is not None else []


def _shallow(common: str) -> list[str]:
    with suppress(OSError), open(os.path.join(common, "shallow"), encoding="ascii") as file:
        return file.read().split()
    return []


def unsaved_submodules(git: Git, path: str) -> tuple[str, ...]:
    """Return the submodules of a worktree with commits that neither their origin nor the person has.

    Also of those that are no longer checked out, and commits that are stashed or were left. Each is named by its path
    relative to the top, or by its name where git knows no path for it.

    Raises:
        GitFailed: there is no worktree.
        GitMissing: there is no git.
    """
    own, persons = git_folders(git, path)
    if own == persons or not os.path.isdir(os.path.join(own, _MODULES)):
        return ()
    found = []
    for inside in _modules(own):
        module = os.path.join(own, inside)
        if _has_unsaved_commits(git, module, os.path.join(persons, inside)):
            found.append(_place(git, module, inside, path))
    return tuple(sorted(found))


def _modules(own: str) -> Iterator[str]:
    """The repositories of submodules below git's folder `own`, and of theirs, relative to it."""
    for folder, folders, files in os.walk(os.path.join(own, _MODULES)):
        if _is_bare(folders, files):
            yield os.path.relpath(folder, own)
            folders[:] = [name for name in folders if name == _MODULES]


def _has_unsaved_commits(git: Git, module: str, persons: str) -> bool:
    try:
        where = f"--git-dir={module}"
        tips = [*_tips(git, module), "--branches", *_stash(git, module)]
        words = ("rev-list", f"--max-count={SOME}", *tips, "--not", "--remotes", *_cloned(git, module), "--")
        commits = git.run(module, where, *words).out
        if not commits or not os.path.isdir(persons):
            return bool(commits)
        answer = git.run(persons, f"--git-dir={persons}", "cat-file", "--batch-check", text=commits)
    except GitFailed:
        return True
    return any(line.endswith(" missing") for line in answer.out.splitlines())


def _place(git: Git, module: str, inside: str, top: str) -> str:
    configured = git.run(module, f"--git-dir={module}", "config", "core.worktree", expected=(0, 1)).out.removesuffix(
        "\n"
    )
    where = os.path.realpath(os.path.join(module, configured)) if configured else ""
    if where.startswith(f"{os.path.realpath(top)}/"):
        return os.path.relpath(where, os.path.realpath(top))
    return "/".join(part for part in inside.split("/") if part != _MODULES)
