"""Merges without a checkout: the tree that one would give, the paths that conflict, and what each side changed in them.

No name and no index is touched. What is only looked at goes into objects that are thrown away: also the uncommitted
files of a worktree, which take part as if they were committed. Git before 2.38 can't do any of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from overmind_core.git.changes import diff_between, merge_base, stage_all, throwaway_objects
from overmind_core.git.look import look_at
from overmind_core.git.merge import PLAIN, UNKNOWN_OPTION, AlreadyMerged, MergeConflicts
from overmind_core.git.repository import resolve
from overmind_core.git.run import Git, GitFailed
from overmind_core.git.status import NOBODY

_MERGE_TREE = (*PLAIN, "merge-tree", "--write-tree", "--name-only", "--no-messages", "-z")
_CONFLICTS = 1
"""Git's status for a merge with conflicts."""


class MergeSide(NamedTuple):
    """What takes part in a merge that is only looked at."""

    revision: str
    """A branch or a commit; of a worktree always what it has checked out."""
    worktree: str | None = None
    """Top of a worktree whose uncommitted files take part, new ones too; None: commits alone."""


class ConflictSides(NamedTuple):
    """What both sides have changed in one file since they went apart, as diffs, cut at the end."""

    path: str
    target: str
    own: str


def merged_tree(git: Git, source: str, *, commit: str, target: str) -> str | None:
    """Return the tree that a merge would give, without a checkout; None: this git can't tell.

    Raises:
        AlreadyMerged: the target is no other for it.
        MergeConflicts: see there.
        GitFailed: git refused.
    """
    answer = git.run(source, *_MERGE_TREE, target, commit, expected=(0, _CONFLICTS, *UNKNOWN_OPTION))
    tree, *paths = answer.out.split("\0")
    if answer.code in UNKNOWN_OPTION or not tree:
        return None
    if answer.code == _CONFLICTS:
        raise MergeConflicts(_sorted(paths))
    if tree == git(source, "rev-parse", f"{target}^{{tree}}"):
        raise AlreadyMerged
    return tree


def conflicting_paths(git: Git, source: str, one: MergeSide, other: MergeSide) -> tuple[str, ...] | None:
    """Return the paths that would conflict if both were merged now, sorted; None: git can't tell.

    Args:
        git: For the look.
        source: Any folder of the repository that both belong to.
        one: A side.
        other: The other one.

    Raises:
        GitFailed: there is no such branch or worktree.
        GitMissing: there is no git.
    """
    with throwaway_objects(git, source) as (objects, scratch):
        sides = [
            _commit_of(git, source, side, objects, os.path.join(scratch, f"index-{number}"))
            for number, side in enumerate((one, other))
        ]
        answer = git.run(source, *_MERGE_TREE, *sides, expected=(0, _CONFLICTS, *UNKNOWN_OPTION), variables=objects)
    tree, *paths = answer.out.split("\0")
    if answer.code in UNKNOWN_OPTION or not tree:
        return None
    return _sorted(paths) if answer.code == _CONFLICTS else ()


def conflict_sides(git: Git, source: str, *, commit: str, target: str, most: int) -> tuple[ConflictSides, ...]:
    """Return what both sides changed in each path that conflicts; nothing where none does, or git can't tell.

    Args:
        git: For the look.
        source: Any folder of the repository.
        commit: The work that is to be merged.
        target: The branch or commit that is to get it.
        most: Bytes of each diff; it ends with a whole line.

    Raises:
        GitFailed: there is no such commit.
        GitMissing: there is no git.
    """
    paths = conflicting_paths(git, source, MergeSide(target), MergeSide(commit)) or ()
    since = merge_base(git, source, target, commit) if paths else ""
    return tuple(
        ConflictSides(
            path,
            diff_between(git, source, since, target, path, most=most)[0],
            diff_between(git, source, since, commit, path, most=most)[0],
        )
        for path in paths
    )


def _commit_of(git: Git, source: str, side: MergeSide, objects: Mapping[str, str], index: str) -> str:
    """A commit of all that takes part, which may be one of the objects that are thrown away."""
    look = None if side.worktree is None else look_at(git, side.worktree)
    head = resolve(git, source, side.revision) if look is None else look.head
    if head is None:
        raise GitFailed(("merge-tree",), None, f"no branch or commit {side.revision!r} in {source}")
    if side.worktree is None or look is None or not look.changed:
        return head
    variables = stage_all(git, side.worktree, look, objects, index).variables
    tree = git.run(side.worktree, "write-tree", variables=variables).out.strip()
    words = ("commit-tree", "--no-gpg-sign", tree, "-p", head, "-m", "all that is in the worktree")
    return git.run(side.worktree, *words, variables={**objects, **NOBODY}).out.strip()


def _sorted(paths: list[str]) -> tuple[str, ...]:
    return tuple(sorted({path for path in paths if path}))
