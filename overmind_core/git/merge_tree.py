"""Merges without a checkout: the tree that one would give, the paths that conflict, and what each side changed in them.

No name and no index is touched. What is only looked at goes into objects that are thrown away: also the uncommitted
files of a worktree, which take part as if they were committed. Git before 2.38 can't do any of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
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
_SIDES = re.compile(r"^<{7,} [^\n]*\n(.*?)^>{7,} ", re.MULTILINE | re.DOTALL)
"""Both sides of a conflict, between git's marks."""
_LARGE = 256 << 10
"""Bytes of a file that is not read for them."""


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


def conflicts_of_steps(
    git: Git, source: str, steps: Sequence[tuple[str, str]], *, commit: str
) -> list[frozenset[str]] | None:
    """Return, for each step of a branch, the paths in which it is a part of what conflicts; None: git can't tell.

    It is where both sides of the conflict, as they are marked in the file, are other ones after it than before it.

    Args:
        git: For the look.
        source: Any folder of the repository.
        steps: Of the branch, each from one commit to another.
        commit: The work that is to be merged into it.

    Raises:
        GitFailed: git refused.
        GitMissing: there is no git.
    """
    with throwaway_objects(git, source) as (objects, _):
        known: dict[str, Mapping[str, frozenset[str]]] = {}
        marks: dict[str, frozenset[str]] = {}
        for target in dict.fromkeys(one for step in steps for one in step):
            found = _marked(git, source, target, commit, objects=objects, marks=marks)
            if found is None:
                return None
            known[target] = found
    return [
        frozenset(path for path, sides in known[after].items() if sides != known[before].get(path))
        for before, after in steps
    ]


def _marked(
    git: Git, source: str, target: str, commit: str, *, objects: Mapping[str, str], marks: dict[str, frozenset[str]]
) -> Mapping[str, frozenset[str]] | None:
    """Path → both sides of each conflict, or the versions of what has no marks, or is large; None: git can't tell.

    `marks`: the sides in each file that was read, by its hash; those that are read now are put there.
    """
    words = (*PLAIN, "-c", "merge.conflictStyle=merge", "merge-tree", "--write-tree", "--no-messages", "-z")
    expected = (0, _CONFLICTS, *UNKNOWN_OPTION)
    answer = git.run(source, *words, target, commit, expected=expected, variables=objects)
    tree, *entries = answer.out.split("\0")
    if answer.code in UNKNOWN_OPTION or not tree:
        return None
    versions: dict[str, set[str]] = {}
    for facts, path in (entry.split("\t", 1) for entry in entries if entry):
        versions.setdefault(path, set()).add(facts)
    files = _files(git, source, tree, tuple(versions), objects)
    fresh = tuple(dict.fromkeys(file for file in files.values() if file not in marks))
    marks |= {file: frozenset(_SIDES.findall(text)) for file, text in _texts(git, source, fresh, objects)}
    return {path: marks.get(files.get(path, ""), frozenset()) or frozenset(facts) for path, facts in versions.items()}


def _files(git: Git, source: str, tree: str, paths: Sequence[str], objects: Mapping[str, str]) -> dict[str, str]:
    """Path → the hash of each of these that is a file in a tree, and is not large."""
    if not paths:
        return {}
    asked = [f":(top,literal){path}" for path in paths]
    listed = git.run(source, "ls-tree", "-z", "--long", "--full-tree", tree, "--", *asked, variables=objects).out
    entries = (entry.split("\t", 1) for entry in listed.split("\0") if entry)
    found = ((path, *facts.split()[1:]) for facts, path in entries)
    return {path: name for path, kind, name, size in found if kind == "blob" and int(size) <= _LARGE}


def _texts(git: Git, source: str, files: Sequence[str], objects: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each of these hashes of files, with its text; all are read by one git."""
    if not files:
        return
    asked = "".join(f"{file}\n" for file in files)
    answer = os.fsencode(git.run(source, "cat-file", "--batch", text=asked, variables=objects).out)
    end = 0
    for file in files:
        begin = answer.index(b"\n", end) + 1
        size = int(answer[end:begin].split()[2])
        yield file, os.fsdecode(answer[begin : begin + size])
        end = begin + size + 1


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
