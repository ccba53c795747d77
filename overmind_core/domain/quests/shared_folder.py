"""A quest in a folder that others use too: when its state is recorded, and what is said of its changes. Pure.

Such a folder may hold a person's own edits, and work of other quests. What the review of an attempt shows is therefore
compared with the folder's state as the attempt began.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.replacing import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.domain.quests.quest import Attempt, FolderState, Quest


class Basis(StrEnum):
    """The state with which changes are compared."""

    WORKTREE = "worktree"
    """That at which its own worktree began."""
    START = "start"
    """That of a shared folder as the attempt began."""
    COMMIT = "commit"
    """The last commit in a shared folder, as the one at the start is not known."""
    NO_REPOSITORY = "no_repository"
    """None: nothing is compared where there is no git repository."""
    UNKNOWN = "unknown"
    """None: git can't say."""


class ShownChanges(NamedTuple):
    """The changes of a quest's work, as they are shown to its reviewer."""

    text: str
    """The files, then the diff; "" where there are none, or nobody can tell. Wire form."""
    basis: Basis
    notes: tuple[str, ...] = ()
    """Sentences: why this is not all, or why nobody can tell."""


_SENTENCES: Mapping[Basis, tuple[str, str]] = {
    Basis.WORKTREE: ("", ""),
    Basis.START: (
        "Its folder is shared: this is what changed since attempt {attempt} began.",
        "Its folder is shared: nothing changed since attempt {attempt} began.",
    ),
    Basis.COMMIT: (
        "Its folder is shared: this is all that is not committed there.",
        "Its folder is shared: nothing is uncommitted there.",
    ),
    Basis.NO_REPOSITORY: ("Its folder is in no git repository, so its changes can't be shown.",) * 2,
    Basis.UNKNOWN: ("Its changes can't be shown.",) * 2,
}
"""What is said above the changes, and where there are none."""


def is_compared(quest: Quest) -> bool:
    """Whether a review is to compare with the state at the start of an attempt, unless that has its own worktree."""
    goal, queue = quest.goal, quest.queue
    if goal is None or queue is None:
        return False
    return goal.review is not None and goal.into is None and queue.elsewhere is None


def newest_state(quest: Quest | None) -> FolderState | None:
    """The state of its folder as the newest attempt of a quest began; None: it was not recorded."""
    attempt = None if quest is None else _newest(quest)
    return None if attempt is None else attempt.folder


def with_state(quest: Quest, state: FolderState) -> Quest:
    """The quest with this state at the start of its newest attempt."""
    queue = quest.queue
    assert queue is not None
    *earlier, newest = queue.tries
    return replace(quest, queue=replace(queue, tries=(*earlier, replace(newest, folder=state))))


def with_shown(quest: Quest, state: FolderState | None, *, by_person: bool = False) -> Quest:
    """The quest whose newest attempt was shown to a reviewer, be it a person, in this state; None: nobody knows it."""
    queue = quest.queue
    assert queue is not None
    *earlier, newest = queue.tries
    return replace(quest, queue=replace(queue, tries=(*earlier, replace(newest, shown=state, by_person=by_person))))


def shown_state(quest: Quest | None) -> FolderState | None:
    """The state in which the newest attempt of a quest was shown to its reviewer; None: nobody knows."""
    attempt = None if quest is None else _newest(quest)
    return None if attempt is None else attempt.shown


def sentence(basis: Basis, attempt: int, *, is_empty: bool) -> str:
    """What is said above the changes of an attempt, or in their place; "" for a worktree of its own."""
    return _SENTENCES[basis][is_empty].format(attempt=attempt)


def review_sentence(quest: Quest, shown: ShownChanges) -> str:
    """What is said above the changes of a quest's newest attempt; "" for a worktree of its own."""
    return sentence(shown.basis, _number(quest), is_empty=not shown.text and not shown.notes)


def review_lines(quest: Quest, shown: ShownChanges) -> list[str]:
    """What a person reads above the changes of a quest's newest attempt."""
    said = review_sentence(quest, shown)
    lines = [said] if said else []
    if shown.basis is Basis.START and _has_changed_before(quest):
        lines.append(f"Changes from before attempt {_number(quest)}, earlier attempts included, are not shown.")
    return [*lines, *shown.notes]


def compared_with(quest: Quest | None, basis: Basis, *, is_empty: bool) -> tuple[str, str]:
    """The basis of a mission's changes, in words where it is no commit, and the sentence about it.

    In a folder that others use, too, nobody knows by whom a change is, so that each one there is said to be no more
    than in the folder.

    Args:
        quest: None: it is no quest's.
        basis: What it was compared with.
        is_empty: There are no changes.
    """
    if quest is None or newest_state(quest) is None:
        return "", "" if is_empty else sentence(basis, 1, is_empty=False)
    number = _number(quest)
    base = f"the start of attempt {number}" if basis is Basis.START else ""
    return base, sentence(basis, number, is_empty=is_empty)


def unknown_start(problem: str) -> str:
    """Why changes are not compared with the start of an attempt, as a sentence."""
    return f"Its state at the start of the attempt is not known: {problem}."


def _number(quest: Quest) -> int:
    newest = _newest(quest)
    return 1 if newest is None else newest.number


def _newest(quest: Quest) -> Attempt | None:
    return None if quest.queue is None or not quest.queue.tries else quest.queue.tries[-1]


def _has_changed_before(quest: Quest) -> bool:
    """Whether the folder was different as the first attempt began."""
    tries = () if quest.queue is None else quest.queue.tries
    trees = {None if one.folder is None else one.folder.tree for one in tries if one.run}
    return len(trees) > 1
