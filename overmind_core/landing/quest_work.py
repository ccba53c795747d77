"""The work of a quest as git has it: committed as far as it may land, its conflicts shown, a branch to land on.

Blocks: runs git. Texts are the system's, but for those that people read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import count, islice
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.git_operations import GitOperation
from overmind_core.domain.landing import UNCOMMITTED, BegunMerge, LeftWork, commits_text, count_text, list_text
from overmind_core.domain.quests.quest import FolderState
from overmind_core.domain.quests.shared_folder import Basis, ShownChanges, unknown_start
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.git import conflict_marks, merge, repository
from overmind_core.git.branches import NamesTaken, create_branch, made_with
from overmind_core.git.changes import ChangedFile, names_between, work_history, worktree_changes
from overmind_core.git.checkout_state import CheckoutState, changes_since, take_state
from overmind_core.git.look import look_at, look_at_index
from overmind_core.git.merge_tree import ConflictSides, conflict_sides
from overmind_core.git.operation import operation_of
from overmind_core.git.run import Git, GitFailed, GitMissing
from overmind_core.landing import preview
from overmind_core.landing.fitness import (
    fit_work,
    has_folder,
    refuse_half_done,
    refuse_left,
    refuse_left_out,
    refuse_marks,
    unfit,
)
from overmind_core.system.remove_tree import remove_tree

if TYPE_CHECKING:
    from overmind_core.domain.quests.quest import LandedWork
    from overmind_core.git.changes import WorktreeChanges
    from overmind_core.git.look import IndexLook, WorktreeLook
    from overmind_core.landing.locations import WorkLocation

MOST_ASIDE = 3
"""Names that are looked at for the branch with the work of an attempt."""


def commit(place: WorkLocation, into: str, message: str) -> str | None:
    """Commit what is not committed in a worktree, if anything, and return the commit that may land.

    Args:
        place: The worktree; where it was deleted, its branch alone is looked at.
        into: The branch on which the work is to land.
        message: Of the commit.

    Raises:
        OvermindError: `output_invalid` with `files`: it can't land as it is; `conflict_left`, same: conflicts are left.
        GitFailed: git, or a hook, refused.
        GitMissing: there is none.
    """
    found = fit_work(place, into)
    if found is not None:
        if found[0].changed:
            _commit(place, message, *found)
        refuse_left_out(place, *found)
    tip = repository.resolve(place.git, place.source, repository.HEADS + (place.branch or ""))
    refuse_marks(place, into)
    return tip


def _commit(place: WorkLocation, message: str, look: WorktreeLook, index: IndexLook) -> None:
    try:
        if look.conflicting:
            _resolve(place, look)
            look, index = look_at(place.git, place.folder), look_at_index(place.git, place.folder)
        with suppress(merge.NothingToCommit):
            merge.commit(place.git, place.folder, message, look, index)
    except merge.Unresolved as error:
        raise unfit(error.sentence(place.name, place.folder), error.paths) from None
    except merge.NestedRepositories as error:
        raise unfit(preview.nested(place, error.args[0]).message, error.args[0]) from None


def finish_merge(place: WorkLocation) -> None:
    """Commit a merge that stands half done in a worktree, and whose conflicts an agent has resolved in the files.

    Raises:
        OvermindError: `output_invalid` or `conflict_left` with `files`: it is not done yet.
        GitFailed: git, or a hook, refused.
        GitMissing: there is none.
    """
    git, folder, message = place.git, place.folder, f"Merge into {from_wire(place.name)}"
    if has_folder(place) and operation_of(git, folder) is GitOperation.MERGE:
        _commit(place, message, look_at(git, folder), look_at_index(git, folder))


def _resolve(place: WorkLocation, look: WorktreeLook) -> None:
    """Tell git of the conflicts that an agent has resolved in the files.

    Raises:
        OvermindError: `conflict_left` with `files`: it has not resolved all of them.
        Unresolved: a rebase is under way.
    """
    operation = operation_of(place.git, place.folder)
    if operation is not None and operation.commits_elsewhere:
        raise merge.Unresolved(look.conflicting, operation)
    refuse_left(place)
    merge.stage_all(place.git, place.folder)


def is_unchanged(place: WorkLocation) -> bool:
    """Whether a branch has the files that it began with, and nothing in its worktree differs from those.

    Commits without a change, or of which one undoes the other, change nothing.

    Raises:
        OvermindError: `gone`: its folder is no worktree any more.
        GitFailed: git refused.
        GitMissing: there is none.
    """
    if place.base_commit is None or place.branch is None:
        return False
    tip = repository.resolve(place.git, place.source, repository.HEADS + place.branch)
    if tip is None or not repository.same_files(place.git, place.source, place.base_commit, tip):
        return False
    return not place.has_folder() or not look_at(place.git, place.folder).changed


def is_on(place: WorkLocation, into: str) -> bool:
    """Tell whether `into` has all commits of a mission's branch, and that branch has some.

    Raises:
        GitFailed: git refused.
        GitMissing: there is none.
    """
    git, source = place.git, place.source
    tip, target = repository.resolve_all(git, source, repository.HEADS + (place.branch or ""), repository.HEADS + into)
    if tip is None or target is None or place.base_commit is None:
        return False
    return not repository.same_files(git, source, place.base_commit, tip) and repository.is_ancestor(
        git, source, tip, target
    )


def begin_merge(place: WorkLocation, target: str) -> BegunMerge:
    """Merge a commit into the worktree, for an agent to finish; one that was begun before is left as it is.

    Raises:
        GitFailed: git refused.
        GitMissing: there is none.
    """
    found = merge.begin(place.git, place.folder, target)
    own, landed = repository.resolve_all(place.git, place.folder, "HEAD", "MERGE_HEAD")
    marked = () if found else conflict_marks.committed_marks(place.git, place.folder, "HEAD", target)
    return BegunMerge(landed or target, own or "", tuple(map(to_wire, found)), tuple(map(to_wire, marked)))


def begin_anew(place: WorkLocation, target: str, attempt: int) -> LeftWork | None:
    """Keep work whose conflicts nobody has resolved on a branch of its own, and have its worktree begin at a commit.

    Whatever stands in the worktree is kept: what makes the work may not make it twice. Called again, it returns the
    same branch.

    Args:
        place: The worktree.
        target: The commit.
        attempt: The number of the attempt that has left the conflicts.

    Returns:
        The work that was left; None: there were no conflicts, and nothing is done.

    Raises:
        OvermindError: `output_invalid`: the branch can't be created.
        GitFailed: git refused.
        GitMissing: there is none.
    """
    git, folder = place.git, place.folder
    left = merge.conflicts_left(git, folder, target)
    wanted, mark, known = _aside(place, attempt)
    if not left:
        return LeftWork(to_wire(known[0]), ()) if known else None
    text = f"Left by attempt {attempt} of {from_wire(place.name)}, with conflicts"
    kept = _keep_aside(place, merge.commit_of_all(git, folder, text), wanted, mark, known)
    merge.begin_at(git, folder, target)
    return LeftWork(to_wire(kept), tuple(map(to_wire, left)))


def set_aside(place: WorkLocation, target: str, attempt: int) -> str | None:
    """Have a worktree begin at a commit, and keep the work of an attempt on a branch of its own.

    Changes that were not committed are committed to it first. Called again, it returns the same branch.

    Args:
        place: The worktree.
        target: The commit.
        attempt: The number of the attempt.

    Returns:
        The branch; None: the commit has all of the work.

    Raises:
        OvermindError: `output_invalid`: the worktree is in the middle of something, or has another branch.
        GitFailed: git, or a hook, refused; the work is as it was, or committed.
        GitMissing: there is none.
    """
    git, branch = place.git, place.branch or ""
    wanted, mark, known = _aside(place, attempt)
    look = look_at(git, place.folder)
    refuse_half_done(place, look)
    if look.branch != branch:
        found = to_wire(look.branch or (look.head or "")[:12])
        raise unfit(f"The worktree of {place.name} has {found} checked out. Check out {to_wire(branch)} there.", ())
    if look.changed:
        _commit(place, f"Left by attempt {attempt} of {from_wire(place.name)}", look, look_at_index(git, place.folder))
    tip = repository.resolve(git, place.folder, repository.HEADS + branch) or ""
    if repository.is_ancestor(git, place.folder, tip, target):
        kept = known[0] if known else None
    else:
        kept = _keep_aside(place, tip, wanted, mark, known)
    merge.begin_at(git, place.folder, target)
    return kept


def _aside(place: WorkLocation, attempt: int) -> tuple[str, str, list[str]]:
    """The branch for the work of an attempt, what its log begins with, and such branches that there are."""
    wanted, mark = f"{place.branch or ''}-attempt-{attempt}", f"overmind: attempt {attempt} of {place.mission}"
    names = islice(_names(wanted), MOST_ASIDE)
    return wanted, mark, [one for one in names if made_with(place.git, place.source, one, mark)]


def _keep_aside(place: WorkLocation, commit: str, wanted: str, mark: str, known: Sequence[str]) -> str:
    """The branch that has this commit; one is created where none does."""
    git, source = place.git, place.source
    same = [one for one in known if repository.resolve(git, source, repository.HEADS + one) == commit]
    try:
        return same[0] if same else create_branch(git, source, _names(wanted), commit, mark)
    except NamesTaken as error:
        raise _not_created(wanted, error) from None


def ensure_branch(place: WorkLocation, base: str) -> str:
    """Return the branch of an owner, which is created unless it is there; see `QuestLanding.ensure_branch`.

    Raises:
        GitFailed: there is no such base, or git refused.
        GitMissing: there is none.
    """
    git, source, wanted = place.git, place.source, place.branch or ""
    message = f"overmind: begun for {place.mission}"
    for name in _names(wanted):
        if repository.resolve(git, source, repository.HEADS + name) is None:
            break
        if made_with(git, source, name, message):
            return name
    commit_ = repository.resolve(git, source, base)
    if commit_ is None:
        raise GitFailed(("branch", wanted), None, f"there is no branch or commit {base!r} in {source}")
    try:
        return create_branch(git, source, _names(wanted), commit_, message)
    except NamesTaken as error:
        raise _not_created(wanted, error) from None


def _not_created(branch: str, error: NamesTaken) -> GitFailed:
    return GitFailed(("branch", branch), None, f"the branch {branch} can't be created: {error.problem}")


def _names(wanted: str) -> Iterator[str]:
    yield wanted
    yield from (f"{wanted}-{number}" for number in count(2))


def folder_state(place: WorkLocation, objects: str) -> FolderState:
    """Return the state of a folder that others work in too, or why nobody knows it.

    Args:
        place: The folder.
        objects: Folder for what its repository lacks of that; gone again where it has nothing.
    """
    is_new = not os.path.lexists(objects)
    try:
        place.has_folder()  # or a person's checkout would be looked at in its place
        state = take_state(place.git, place.folder, objects)
    except OvermindError as error:
        problem = error.message.rstrip(".")
    except GitFailed as error:
        is_none = error.reason.startswith(repository.NO_REPOSITORY)
        problem = "there was no git repository" if is_none else to_wire(error.reason).rstrip(".")
    except GitMissing:
        problem = "there was no git on PATH"
    except OSError as error:
        problem = error.strerror or type(error).__name__
    else:
        return FolderState(state.tree, state.head, {to_wire(path): mark for path, mark in state.large.items()})
    if is_new:
        with suppress(OSError):
            remove_tree(objects)
    return FolderState(problem=problem)


def changed_since(place: WorkLocation, state: FolderState, objects: str) -> tuple[str, ...]:
    """Return the files (wire form) that are not as they were in a state of the same folder, committed or not.

    What lands are its commits: where it has others than then, its branch is named, but for one that has what was there
    and was not committed. Where the folder is gone there is only what was committed: it is named itself, unless that is
    all of its state.

    Raises:
        GitFailed: git refused, or something of the state is gone.
        GitMissing: there is none.
        OvermindError: `gone`, the folder is no worktree any more.
    """
    git = place.git
    history = (f"the history of {to_wire(place.branch or 'HEAD')}",)
    if not place.has_folder():
        commit = repository.resolve(git, place.source, repository.HEADS + (place.branch or ""))
        if commit is None:
            return ()
        tree = git(place.source, "rev-parse", f"{commit}^{{tree}}").strip()
        if tree != state.tree:
            return (to_wire(place.folder),)
        return () if _is_next(git, place.source, commit, state) else history
    found = changes_since(git, place.folder, _known(state), objects).files
    if found or place.branch is None:  # in a folder that others share nothing lands
        return tuple(to_wire(one.path) for one in found)
    look = look_at(git, place.folder)
    if look.head == state.head or (not look.changed and _is_next(git, place.folder, look.head or "HEAD", state)):
        return ()
    return history


def _is_next(git: Git, folder: str, commit: str, state: FolderState) -> bool:
    """Return whether a commit is that of a state, or the one of what was not committed then, if anything was not."""
    tip, *parents = git(folder, "rev-list", "--parents", "-n", "1", commit, "--").split()
    if tip == state.head:
        return True
    return parents == [state.head] and not repository.same_files(git, folder, parents[0], tip)


def _known(state: FolderState) -> CheckoutState:
    large = {from_wire(path): mark for path, mark in state.large.items()}
    return CheckoutState(state.tree or "", state.head, large)


class ComparedChanges(NamedTuple):
    """The changes of a mission, and what they are compared with."""

    found: WorktreeChanges
    basis: Basis
    problem: str = ""
    """Why it is not the start of the attempt; "" where it is, and for a worktree. A sentence."""


def compared_changes(place: WorkLocation, state: FolderState | None, objects: str) -> ComparedChanges:
    """Return what a mission has changed and not landed; in a shared folder, what has changed there.

    Args:
        place: Of the mission.
        state: How its folder was as its attempt began, see `folder_state`.
        objects: The same folder as for that.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    if place.branch is not None:
        return ComparedChanges(_unlanded(place), Basis.WORKTREE)
    problem = "" if state is None else state.problem
    if state is not None and state.tree is not None:
        try:
            return ComparedChanges(changes_since(place.git, place.folder, _known(state), objects), Basis.START)
        except GitFailed as error:  # what was committed then is gone, or git refuses whatever is asked
            problem = to_wire(error.reason).rstrip(".")
    said = unknown_start(problem) if problem else ""
    return ComparedChanges(worktree_changes(place.git, place.folder), Basis.COMMIT, said)


def shown_changes(place: WorkLocation, state: FolderState | None, objects: str) -> ShownChanges:
    """Return what `compared_changes` does as text, for its reviewer: the files, then the diff.

    At most `MOST_DIFF` bytes of UTF-8.
    """
    try:
        found, basis, problem = compared_changes(place, state, objects)
    except GitFailed as error:
        if error.reason.startswith(repository.NO_REPOSITORY):
            return ShownChanges("", Basis.NO_REPOSITORY)
        return ShownChanges("", Basis.UNKNOWN, (f"Git refused: {to_wire(error.reason).rstrip('.')}.",))
    except GitMissing:
        return ShownChanges("", Basis.UNKNOWN, ("There is no git on PATH.",))
    notes = (problem, to_wire(found.cut), *(_history(place, found) if basis is Basis.WORKTREE else ()))
    return ShownChanges(_text(found), basis, tuple(filter(None, notes)))


def _history(place: WorkLocation, found: WorktreeChanges) -> Iterator[str]:
    """Sentences about what lands with the commits of some work, and is no part of what all of them change together."""
    if not found.commits:
        return
    history = work_history(place.git, found.top, found.since)
    commits = [f"{one.hash[:_SHORT]} {to_wire(one.subject)[:_SUBJECT]}" for one in found.commits]
    passing, undone = ([to_wire(path) for path in paths] for paths in (history.passing, history.undone))
    yield from commits_text([*([UNCOMMITTED] if history.has_rest else ()), *commits], passing, undone)


def _text(found: WorktreeChanges) -> str:
    if not found.files:
        return ""
    named = [_line(one) for one in found.files[:_LISTED]]
    more = len(found.files) - len(named)
    rest = [f"… and {count_text(more, 'file')} more"] if more > 0 else []
    return _beginning("\n".join([*named, *rest, "", to_wire(found.diff)]), MOST_DIFF)


def changed_names(place: WorkLocation, landed: LandedWork | None) -> list[str]:
    """Return the paths of the files that have landed, or, if nothing has, of those that a mission has changed.

    Raises:
        GitFailed: git refused.
        GitMissing: there is none.
        OvermindError: `gone`, the folder is no worktree any more.
    """
    if landed is None:
        place.has_folder()  # or a person's checkout would be looked at in its place
        return [file.path for file in _unlanded(place).files]
    return [file.path for file in names_between(place.git, place.source, landed.before, landed.after)]


def _unlanded(place: WorkLocation) -> WorktreeChanges:
    base = place.base_commit
    if place.base is not None:
        base = repository.resolve(place.git, place.folder, place.base) or base
    return worktree_changes(place.git, place.folder, base)


def _line(file: ChangedFile) -> str:
    """One file as it will be once it is committed."""
    status = "A" if file.status == "?" else file.status
    return f"{status} {to_wire(file.path)} {'binary' if file.binary else f'+{file.added} -{file.removed}'}"


MOST_DIFF = 64 * 1024
"""Bytes of a text with the changes of a quest."""
_SHORT, _SUBJECT = 8, 100
"""Characters of a commit's hash and of its subject, in a list of several."""
_LISTED = 200
"""Files of which it says how much has changed."""
MOST_TEXT = 16 * 1024
"""Bytes of a text with both sides of conflicts."""
_NAMED = 2048
"""Bytes of it for the names of files of which nothing is shown."""
_SHOWN = 14
"""Files of which both sides are shown."""
_CUT = "[the rest is left out]\n"


def conflicts_text(place: WorkLocation, into: str) -> str:
    """Return both sides of each conflict of the work with a branch (wire form), at most `MOST_TEXT` bytes of UTF-8.

    Raises:
        GitFailed: there is no such branch.
        GitMissing: there is no git.
    """
    target = repository.HEADS + from_wire(into)
    own = repository.HEADS + (place.branch or "")
    found = conflict_sides(place.git, place.source, commit=own, target=target, most=MOST_TEXT)
    text, room = "", MOST_TEXT - _NAMED
    sides = [side for one in found[:_SHOWN] for side in _sides(one, into, place.name)]
    for number, side in enumerate(sides):
        text += _beginning(side, (room - len(text.encode())) // (len(sides) - number))
    rest = [to_wire(one.path) for one in found[_SHOWN:]]
    return text + (_beginning(f"=== conflicting, too: {list_text(rest, 20)}\n", _NAMED) if rest else "")


def _sides(one: ConflictSides, into: str, name: str) -> tuple[str, str]:
    path = to_wire(one.path)
    return (
        f"=== {path}: the changes on {into}\n{to_wire(one.target)}",
        f"=== {path}: the changes of {name}\n{to_wire(one.own)}",
    )


def _beginning(text: str, most: int) -> str:
    """The beginning of a text, at most so many bytes, as whole lines where it has any."""
    data = text.encode()
    if len(data) <= most:
        return text
    data = data[: most - len(_CUT) - 1]
    end = data.rfind(b"\n") + 1
    return data[: end or len(data)].decode(errors="ignore") + ("" if end else "\n") + _CUT
