"""A quest in a folder that others use too: which of them are compared with its state, and what is said of that."""

from __future__ import annotations

from typing import Any

from overmind_core.domain.quests.quest import Attempt, FolderState, Goal, Quest, QueueState, SwarmWork
from overmind_core.domain.quests.shared_folder import (
    Basis,
    ShownChanges,
    compared_with,
    is_compared,
    newest_state,
    review_lines,
    review_sentence,
    sentence,
    unknown_start,
    with_state,
)
from tests.kit.cases import tabled

AT = FolderState("tree 1", "commit")
LATER = FolderState("tree 2", "commit")
NONE = FolderState(problem="git add took more than 10 s")


def quest(*states: FolderState | None, **goal: Any) -> Quest:
    tries = tuple(Attempt(number, number, 1.0, folder=state) for number, state in enumerate(states, 1))
    return bare(goal=Goal(review="person", **goal), queue=QueueState(tries=tries))


def bare(**fields: Any) -> Quest:
    return Quest("a1", "work", "true", "/", "raw", 1.0, **fields)


@tabled(
    ("one", "compared"),
    [
        (quest(), True),
        (quest(into="main"), False),
        (bare(goal=Goal(), queue=QueueState()), False),
        (bare(goal=Goal(review="claude"), queue=QueueState()), True),
        (bare(goal=Goal(review="person"),
               queue=QueueState(elsewhere=SwarmWork())), False),
        (bare(), False),
    ],
)  # fmt: skip
def test_a_state_is_recorded_for_those_alone_whose_review_compares_with_it(one, compared):
    assert is_compared(one) is compared


SHARED = "Its folder is shared: "
SECOND = f"{SHARED}this is what changed since attempt 2 began."
SENTENCES = [
    (Basis.WORKTREE, False, ""),
    (Basis.WORKTREE, True, ""),
    (Basis.START, False, SECOND),
    (Basis.START, True, f"{SHARED}nothing changed since attempt 2 began."),
    (Basis.COMMIT, False, f"{SHARED}this is all that is not committed there."),
    (Basis.COMMIT, True, f"{SHARED}nothing is uncommitted there."),
    (Basis.NO_REPOSITORY, True, "Its folder is in no git repository, so its changes can't be shown."),
    (Basis.UNKNOWN, True, "Its changes can't be shown."),
    (Basis.UNKNOWN, False, "Its changes can't be shown."),
]


@tabled(("basis", "is_empty", "said"), SENTENCES)
def test_the_sentence_says_with_what_it_is_compared(basis, is_empty, said):
    assert sentence(basis, 2, is_empty=is_empty) == said


def test_each_basis_has_its_sentence():
    assert {basis for basis, _, _ in SENTENCES} == set(Basis)


BEFORE = "Changes from before attempt 2, earlier attempts included, are not shown."


@tabled(
    ("states", "shown", "lines"),
    [
        ([AT], ShownChanges("M a", Basis.START), [f"{SHARED}this is what changed since attempt 1 began."]),
        ([AT, AT], ShownChanges("", Basis.START), [f"{SHARED}nothing changed since attempt 2 began."]),
        ([AT, LATER], ShownChanges("M a", Basis.START), [SECOND, BEFORE]),
        ([NONE, LATER], ShownChanges("", Basis.START), [f"{SHARED}nothing changed since attempt 2 began.", BEFORE]),
        ([AT, NONE], ShownChanges("M a", Basis.COMMIT, (unknown_start(NONE.problem),)), [
            f"{SHARED}this is all that is not committed there.",
            "Its state at the start of the attempt is not known: git add took more than 10 s.",
        ]),
        ([AT], ShownChanges("", Basis.START, ("Some files can't be read: a.",)), [
            f"{SHARED}this is what changed since attempt 1 began.", "Some files can't be read: a.",
        ]),
        ([None], ShownChanges("M a", Basis.WORKTREE, ("Too large to show: b.",)), ["Too large to show: b."]),
        ([None], ShownChanges("M a", Basis.WORKTREE), []),
        ([None, None], ShownChanges("M a", Basis.COMMIT), [f"{SHARED}this is all that is not committed there."]),
    ],
)  # fmt: skip
def test_a_person_reads_above_the_changes_what_they_are_of(states, shown, lines):
    one = quest(*states)
    assert review_lines(one, shown) == lines
    assert review_sentence(one, shown) == (lines[0] if shown.basis is not Basis.WORKTREE else "")


def test_an_attempt_that_never_began_has_changed_nothing():
    tries = (Attempt(1, 0, 1.0), Attempt(2, 1, 1.0, folder=AT))
    one = bare(goal=Goal(review="person"), queue=QueueState(tries=tries))
    assert review_lines(one, ShownChanges("", Basis.START)) == [f"{SHARED}nothing changed since attempt 2 began."]


def test_the_newest_attempt_has_the_state():
    one = with_state(quest(AT, None), LATER)
    assert one.queue is not None
    assert [attempt.folder for attempt in one.queue.tries] == [AT, LATER]
    assert newest_state(one) == LATER
    assert (newest_state(None), newest_state(quest())) == (None, None)


@tabled(
    ("one", "basis", "answer"),
    [
        (None, Basis.WORKTREE, ("", "")),
        (None, Basis.COMMIT, ("", f"{SHARED}this is all that is not committed there.")),
        (quest(None), Basis.COMMIT, ("", f"{SHARED}this is all that is not committed there.")),
        (quest(AT, LATER), Basis.START, ("the start of attempt 2", SECOND)),
        (quest(NONE), Basis.COMMIT, ("", f"{SHARED}this is all that is not committed there.")),
    ],
)  # fmt: skip
def test_changes_in_a_folder_are_said_to_be_no_more_than_that(one, basis, answer):
    assert compared_with(one, basis, is_empty=False) == answer


def test_nothing_is_said_of_a_folder_without_changes():
    assert compared_with(None, Basis.COMMIT, is_empty=True) == ("", "")
