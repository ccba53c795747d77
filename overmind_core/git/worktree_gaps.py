"""Gaps of a worktree: filters whose program is missing, so that git can't fill it; hooks that git ignores there."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from typing import NamedTuple

from overmind_core.git.absent_filters import NAME, is_there
from overmind_core.git.run import Git

_KEYS = r"^filter\..*\.(process|smudge|required)$"
_SHELL = re.compile(r"[$`;&|<>(){}*?~=\n]")
"""In a command whose program only the shell can tell."""
_NOT_THERE = (0, 1)
_REFUSED = (0, 128, 129)
_YES = frozenset({"true", "yes", "on", "1", ""})
"""Source: git-config(1), boolean values; a name alone is true."""


def absent_filters(git: Git, top: str) -> dict[str, str]:
    """Return the filters that the checkout at `top` may use, each with its program, which the caller's PATH has not.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    found = {}
    for name, settings in _filters(git, top).items():
        # With a process, git never asks the other one; without it a checkout fails at times, be it required or not.
        program = _missing_program(git, top, settings.get("process", "") or settings.get("smudge", ""))
        if program is not None and NAME.fullmatch(name):
            found[name] = program
    return found


class FilterGap(NamedTuple):
    """A filter that files of a checkout need, and whose program is not there."""

    name: str
    program: str
    text: str
    """For people: which files, which filter, which program, and what comes of it."""
    files: tuple[str, ...]
    """Relative to the top."""


def filter_gaps(git: Git, top: str, absent: Mapping[str, str]) -> list[FilterGap]:
    """Return those of `absent_filters` that files in the checkout at `top` need.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    found = []
    known = _filters(git, top) if absent else {}
    for name, program in absent.items():
        answer = git.run(top, "ls-files", "-z", "--", f":(top,attr:filter={name})", expected=_REFUSED)
        files = answer.out.split("\0")[:-1]
        if files:
            more = f" and {len(files) - 1} more" if len(files) > 1 else ""
            needs = f"{files[0]}{more}: git's filter {name} needs {program}, which is not on PATH"
            text = f"{needs}: such files stay as committed{_refusal(known.get(name, {}))}"
            found.append(FilterGap(name, program, text, tuple(files)))
    return found


def _refusal(settings: Mapping[str, str]) -> str:
    """How the agent's own git takes it, which knows of nothing that is switched off."""
    if settings.get("required", "false").lower() in _YES:
        return ", and the agent's own git refuses to add or check out any"
    return ", and the agent's own git may refuse to add or check out any" if settings.get("process") else ""


def _filters(git: Git, top: str) -> dict[str, dict[str, str]]:
    """Filter → its settings; of several values the last one counts."""
    filters: dict[str, dict[str, str]] = {}
    for row in git.run(top, "config", "-z", "--get-regexp", _KEYS, expected=_NOT_THERE).out.split("\0")[:-1]:
        full, _, value = row.partition("\n")
        name, _, key = full.removeprefix("filter.").rpartition(".")
        filters.setdefault(name, {})[key] = value
    return filters


def _missing_program(git: Git, top: str, command: str) -> str | None:
    """The program of a command, if it is not there; None also where only the shell can tell."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if not words or _SHELL.search(words[0]):
        return None
    program = "git-lfs" if words[:2] == ["git", "lfs"] else words[0]
    if "/" in program:
        return None if is_there(program, top, "") else program
    own = git(top, "--exec-path")  # git looks there first
    path = os.pathsep.join([own, git.environ.get("PATH", os.defpath)])
    return None if is_there(program, top, path) else program


def untracked_hooks(git: Git, top: str) -> str | None:
    """Return the folder of the hooks that run in the checkout at `top` and would not in a new one; None: all would.

    That is a relative `core.hooksPath` with programs that are not committed. Relative to the top, as git has it.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    folder = hooks_folder(git, top)
    if folder is None or not has_hooks(os.path.join(top, folder)):
        return None
    return None if git.run(top, "ls-files", "-z", "--", f":(top,literal){folder}").out else folder


def lost_hooks(git: Git, source: str, worktree: str) -> str | None:
    """Return the folder of the hooks that run in the checkout `source` and not in `worktree`; None: all run there.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    folder = hooks_folder(git, worktree)
    if folder is None or has_hooks(os.path.join(worktree, folder)) or not has_hooks(os.path.join(source, folder)):
        return None
    return folder


def hooks_folder(git: Git, top: str) -> str | None:
    """Return where git looks for hooks, if that is relative to the checkout; None: it is the same for all of them.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    found = git.run(top, "config", "-z", "--get-all", "core.hooksPath", expected=_NOT_THERE).out.split("\0")[:-1]
    told = found[:-1]  # the last one is ours: what only looks runs no hook
    if not told or told[-1].startswith("~") or os.path.isabs(told[-1]):
        return None
    folder = os.path.normpath(told[-1])
    return None if folder == os.curdir or folder.startswith("..") else folder


def has_hooks(folder: str) -> bool:
    """Whether there are programs in a folder that can be hooks."""
    try:
        with os.scandir(folder) as entries:
            return any(os.access(one.path, os.X_OK) and one.is_file() and "." not in one.name for one in entries)
    except OSError:
        return False
