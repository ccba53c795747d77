"""The uncommitted files of a checkout that a landing may meet: looked for where the landing changes something."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress

from overmind_core.domain.checkout_collisions import CheckoutEdits, PathChange, PathKind
from overmind_core.git.look import LINK, look_at, look_at_index
from overmind_core.git.run import Git
from overmind_core.git.unsaved import hidden_changes

MOST_INSIDE = 1000
"""Files of a folder that stands where a new file comes: more of them change nothing."""
_NOTHING = "000000"
"""Mode of a path that a commit has not. Source: git-diff-tree(1), raw output format."""


def changes_between(git: Git, folder: str, before: str, after: str) -> tuple[PathChange, ...]:
    """Return the paths in which two commits differ.

    Raises:
        GitFailed: there is no such commit.
        GitMissing: there is no git.
    """
    words = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", before, after)
    entries = git.run(folder, *words).out.split("\0")
    return tuple(
        PathChange(path, _kind(about[1:7]), _kind(about[8:14]))
        for about, path in zip(entries[::2], entries[1::2], strict=False)
    )


def _kind(mode: str) -> PathKind:
    if mode == _NOTHING:
        return PathKind.NOTHING
    return PathKind.SUBMODULE if mode == LINK else PathKind.FILE


def edits_of(git: Git, top: str, changes: Sequence[PathChange]) -> CheckoutEdits:
    """Return the uncommitted files of the checkout at `top`; those that git does not know only where a change is.

    Raises:
        GitFailed: there is no checkout.
        GitMissing: there is no git.
    """
    look = look_at(git, top, untracked=False)
    within = frozenset(look.within)
    edited = [path for path in look.tracked if path not in within]
    edited += hidden_changes(git, top, look_at_index(git, top))
    known = {one.path for one in changes if one.before is PathKind.FILE} | set(edited)
    loose = {path for one in changes if one.brings for path in _at(top, one) if path not in known}
    loose |= set(_replaced_submodules(top, changes))
    return CheckoutEdits(edited, look.within, loose, look.conflicting)


def _at(top: str, change: PathChange) -> Iterator[str]:
    """The files that are where something new comes: there, in a folder there, or in place of a folder above."""
    here = ""
    for name in change.path.split("/"):
        here = f"{here}/{name}" if here else name
        try:
            mode = os.lstat(os.path.join(top, here)).st_mode
        except OSError:
            return
        if not stat.S_ISDIR(mode):
            yield here
            return
    yield from _inside(top, change.path)


def _inside(top: str, folder: str) -> Iterator[str]:
    number = 0
    for found, folders, files in os.walk(os.path.join(top, folder)):
        links = [name for name in folders if os.path.islink(os.path.join(found, name))]
        for name in (*files, *links):
            yield os.path.relpath(os.path.join(found, name), top)
            number += 1
            if number >= MOST_INSIDE:
                return


def _replaced_submodules(top: str, changes: Sequence[PathChange]) -> Iterator[str]:
    """Submodules whose place something else takes while their folder is not empty: git would not ask about it."""
    new = [one.path for one in changes if one.brings]
    for one in changes:
        if one.before is PathKind.SUBMODULE and one.after is not PathKind.SUBMODULE:
            is_replaced = any(f"{path}/".startswith(f"{one.path}/") for path in new)
            with suppress(OSError):
                if is_replaced and os.listdir(os.path.join(top, one.path)):
                    yield one.path
