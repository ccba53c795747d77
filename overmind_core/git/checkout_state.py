"""The state of a checkout at a moment, and what has changed in it since, by whomever.

Neither the checkout nor its repository has a trace of it: objects that the repository lacks, such as files that are not
committed, lie in a folder of ours. What was committed then is read from the repository, as long as that has it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from typing import NamedTuple

from overmind_core.git.changes import (
    MAX_FILES,
    ChangedFile,
    CommitLine,
    StagedCopy,
    WorktreeChanges,
    commits_between,
    exclude,
    object_variables,
    stage_all,
    staged_changes,
    throwaway_objects,
    too_large,
)
from overmind_core.git.layout import top_of
from overmind_core.git.look import look_at
from overmind_core.git.repository import resolve
from overmind_core.git.run import Git, GitFailed

MOST_KEPT = 64 << 20
"""Bytes of files that are not committed, and that are kept of one state."""
MOST_LARGE = 100
"""Files that are too large to be kept, of which size and time are."""
_CUT = "The output is truncated."


class CheckoutState(NamedTuple):
    """All that a checkout had at a moment but what git ignores. Paths are relative to the top."""

    tree: str
    """The hash of git's tree."""
    head: str | None
    """The commit that was checked out; None: there was none yet."""
    large: Mapping[str, str]
    """Files that are not in the tree, as they were too large → a mark that changes with them."""


def take_state(git: Git, folder: str, objects: str) -> CheckoutState:
    """Return the state of the checkout that `folder` is in.

    Args:
        git: For whoever asks.
        folder: Any of the checkout.
        objects: Folder for what the repository lacks; made, or with that of earlier states.

    Raises:
        GitFailed: there is no repository, it is too much, or git refused.
        GitMissing: there is no git.
        OSError: the folder can't be made.
    """
    top = top_of(git, folder)
    look = look_at(git, top)
    os.makedirs(objects, mode=0o700, exist_ok=True)
    variables = object_variables(git, top, objects)
    with tempfile.TemporaryDirectory(prefix="overmind-state-", ignore_cleanup_errors=True) as scratch:
        staged = stage_all(git, top, look, variables, os.path.join(scratch, "index"), most=MOST_KEPT)
        if len(staged.large) > MOST_LARGE:
            raise GitFailed(("add",), None, f"{top} has {len(staged.large)} large uncommitted files")
        tree = git.run(top, "write-tree", variables=staged.variables).out.strip()
    return CheckoutState(tree, look.head, {path: _mark(top, path) for path in staged.large})


def changes_since(git: Git, folder: str, state: CheckoutState, objects: str) -> WorktreeChanges:
    """Return what the checkout around `folder` has that a state of it had not, committed or not.

    Args:
        git: For whoever asks.
        folder: Any of the checkout.
        state: Of `take_state`.
        objects: The same folder as then.

    Raises:
        GitFailed: there is no repository, something of the state is gone, or git refused.
        GitMissing: there is no git.
    """
    top = top_of(git, folder)
    look = look_at(git, top)
    with throwaway_objects(git, top, objects) as (variables, scratch):
        staged = stage_all(git, top, look, variables, os.path.join(scratch, "index"), without=state.large)
        _stage_ignored_since(git, top, staged, state.tree)
        unread = sorted({*staged.large, *state.large})
        only = [":(top)", *map(exclude, unread)] if unread else []
        output = os.path.join(scratch, "diff")
        files, text, whole = staged_changes(git, top, staged, state.tree, output, *only)
    large = [path for path in unread if _mark(top, path) != state.large.get(path)]
    files += [_large_file(top, path, staged) for path in large]
    commits = () if state.head in {None, look.head} else _commits(git, top, state.head or "")
    cut = [] if whole and len(files) <= MAX_FILES else [_CUT]
    return WorktreeChanges(
        top=top,
        branch=look.branch,
        since=state.head or state.tree,
        commits=commits,
        files=tuple(files[:MAX_FILES]),
        diff=text,
        cut=" ".join([*too_large(large), *staged.notes, *cut]),
    )


def _stage_ignored_since(git: Git, top: str, staged: StagedCopy, tree: str) -> None:
    """Stage what a state had and git ignores since then: it is not gone."""
    words = ("diff", "--cached", "--name-only", "--diff-filter=D", "--no-renames", "--no-relative", "-z", tree)
    gone = git.run(top, *words, variables=staged.variables).out.split("\0")
    there = [path for path in gone if path and path not in staged.large and _is_file(os.path.join(top, path))]
    if there:
        add = ("-c", "core.splitIndex=false", "update-index", "--add", "-z", "--stdin")
        git.run(top, *add, expected=(0, 1, 128), variables=staged.variables, text="\0".join(there))


def _is_file(path: str) -> bool:
    return os.path.islink(path) or os.path.isfile(path)


def _commits(git: Git, top: str, head: str) -> tuple[CommitLine, ...]:
    """What was committed since; nothing where the commit of that time is gone."""
    return commits_between(git, top, head) if resolve(git, top, head) is not None else ()


def _mark(top: str, path: str) -> str:
    """The size and time of a file; "" where it is gone."""
    try:
        status = os.lstat(os.path.join(top, path))
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"


def _large_file(top: str, path: str, staged: StagedCopy) -> ChangedFile:
    status = "D" if not _mark(top, path) else "?" if path in staged.unknown else "M"
    return ChangedFile(path, None, status, 0, 0, binary=True)
