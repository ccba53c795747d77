"""What is said of landed work, whose changes meet, and what a clean-up keeps."""

from __future__ import annotations

import pytest

from overmind_core.domain.landing import (
    PERSON,
    ChangeAuthor,
    Landed,
    MergeWay,
    RemovalCandidate,
    change_authors,
    commit_message,
    commits_text,
    conflicts_text,
    why_kept,
)
from tests.kit.cases import tabled

RED, BLUE, OLD = ChangeAuthor("aaaa1111", "red"), ChangeAuthor("bbbb2222", "blue"), ChangeAuthor("cccc3333", "old")
LANDED = [Landed(OLD, frozenset("o")), Landed(BLUE, frozenset("bc")), Landed(BLUE, frozenset("d"))]


@tabled(
    ("commits", "expected"),
    [
        ("b", [RED, BLUE]),
        ("bd", [RED, BLUE]),
        ("co", [RED, OLD, BLUE]),
        ("bx", [RED, BLUE, PERSON]),
        ("x", [RED, PERSON]),
        ("", [RED, PERSON]),
    ],
)
def test_whoever_changed_the_file_on_the_target_is_named_and_what_nobody_landed_is_the_persons(commits, expected):
    assert change_authors(RED, commits, LANDED) == expected


def test_a_mission_that_landed_once_may_conflict_with_itself():
    assert change_authors(BLUE, "b", LANDED) == [BLUE, PERSON]


@pytest.mark.parametrize(
    ("way", "subjects", "expected"),
    [
        (MergeWay.MERGE, ["two", "one"], "Merge overmind/red into main\n\n* one\n* two\n\nMission: red\n"),
        (MergeWay.SQUASH, ["two", "one"], "Squash overmind/red into main\n\n* one\n* two\n\nMission: red\n"),
        (MergeWay.SQUASH, ["only"], "only\n\nMission: red\n"),
    ],
)
def test_a_commit_on_the_target_says_whose_work_it_is(way, subjects, expected):
    assert commit_message(way, "overmind/red", "main", "red", subjects) == expected


def test_a_message_does_not_grow_without_end():
    said = commit_message(MergeWay.MERGE, "overmind/red", "main", "red", [str(number) for number in range(100)])
    assert said.splitlines()[2:4] == ["* 80 more before", "* 19"]
    assert said.splitlines()[-3] == "* 0"


@tabled(
    ("standing", "kept", "forced"),
    [
        (RemovalCandidate(live=False), "", ""),
        (RemovalCandidate(live=True), "its mission is live", "its mission is live"),
        (RemovalCandidate(live=False, uncommitted=["a"]), "1 uncommitted file", ""),
        (RemovalCandidate(live=False, unmerged=["x", "y"]), "2 unmerged commits", ""),
        (
            RemovalCandidate(live=False, uncommitted=["a", "b"], unmerged=["x"]),
            "2 uncommitted files and 1 unmerged commit",
            "",
        ),
        (
            RemovalCandidate(live=False, uncommitted=["a"], unmerged=["x"], ignored=["b"]),
            "1 uncommitted file, 1 unmerged commit and 1 ignored file",
            "",
        ),
        (RemovalCandidate(live=False, problem="it is gone"), "its contents can't be read: it is gone", ""),
    ],
)
def test_a_clean_up_keeps_what_is_live_or_would_be_lost(standing, kept, forced):
    assert (why_kept(standing, force=False), why_kept(standing, force=True)) == (kept, forced)


def test_what_nobody_can_read_may_be_work():
    assert RemovalCandidate(live=False).loss == ""
    assert RemovalCandidate(live=False, problem="it is gone").loss == "work that nobody can read"


def test_many_conflicts_are_named_in_part():
    told = conflicts_text({f"f{number}": [RED, BLUE] for number in range(7)})
    assert told.startswith("f0 (red, blue), f1 (red, blue)")
    assert told.endswith("f4 (red, blue) and 2 more")


@tabled(
    ("commits", "passing", "undone", "expected"),
    [
        (["1 a"], [], [], []),
        (["2 b", "1 a"], [], [], ["2 commits land as made: 2 b, 1 a."]),
        (["2 b", "1 a"], [], ["f"], ["2 commits land as made, with what one undoes of another in f: 2 b, 1 a."]),
        (
            ["2 b", "1 a"], [".env"], [],
            [
                "Its commits also change .env, and undo that again.",
                "2 commits land as made, with what one undoes of another: 2 b, 1 a.",
            ],
        ),
    ],
)  # fmt: skip
def test_commits_undo_something_of_each_other_only_where_that_is_said(commits, passing, undone, expected):
    assert list(commits_text(commits, passing, undone)) == expected
