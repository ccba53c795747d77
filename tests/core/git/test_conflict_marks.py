"""Marks of conflicts that were committed, and texts that are about such marks."""

from __future__ import annotations

import pytest

from overmind_core.git.conflict_marks import committed_marks

MARKED = "<<<<<<< {ours}\none\n=======\ntwo\n>>>>>>> {theirs}\n"


@pytest.fixture
def both(repo):
    """`main`, and `work` that left it behind a commit of its own; here `work` is checked out."""
    repo.commit("old", "1\n" * 200)
    repo.commit("about", MARKED.format(ours="HEAD", theirs="main"))
    repo("checkout", "-q", "-b", "work")
    return repo


def found(repo):
    return committed_marks(repo.git, repo.path, "work", "main")


@pytest.mark.parametrize(
    "text",
    [
        MARKED.format(ours="HEAD", theirs="main"),
        MARKED.format(ours="Updated upstream", theirs="Stashed changes"),
        MARKED.format(ours="ours", theirs="theirs").replace("\n", "\r\n"),
        MARKED.format(ours="HEAD", theirs="main").replace("<<<<<<<", "<" * 12).replace(">>>>>>>", ">" * 12),
        "1\n>>>>>>> main\n",
    ],
)
def test_marks_in_a_file_that_was_there_are_found(both, text):
    both.commit("old", text)
    assert found(both) == ("old",)


def test_marks_in_a_file_that_was_renamed_are_found_by_its_new_name(both):
    both("mv", "old", "new ä")
    both.commit("new ä", "1\n" * 200 + MARKED.format(ours="HEAD", theirs="main"))
    assert found(both) == ("new ä",)


def test_marks_in_a_new_file_are_found_where_they_name_a_commit_of_the_work(both):
    other = both("rev-parse", "main")
    both.commit("new", MARKED.format(ours="HEAD", theirs=other))
    both.commit("strange", MARKED.format(ours="HEAD", theirs="0" * 40))
    assert found(both) == ("new",)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("about", MARKED.format(ours="HEAD", theirs="other")),
        ("about", "no more\n"),
        ("new", MARKED.format(ours="HEAD", theirs="main")),
        ("old", "a <<<<<<< b\n=======\n    >>>>>>> c\n"),
        ("old", "\0" + MARKED.format(ours="HEAD", theirs="main")),
    ],
)
def test_what_was_there_or_is_no_conflict_is_not_found(both, path, text):
    both.commit(path, text)
    assert found(both) == ()


def test_what_the_other_side_brings_is_not_of_the_work(both):
    both("checkout", "-q", "main")
    both.commit("old", MARKED.format(ours="HEAD", theirs="main"))
    both("checkout", "-q", "work")
    both.commit("mine", "1\n")
    assert found(both) == ()
    both("merge", "-q", "main")
    assert found(both) == ()


def test_branches_with_nothing_in_common_have_none(both):
    both("checkout", "-q", "--orphan", "work2")
    both.commit("old", MARKED.format(ours="HEAD", theirs="main"))
    assert committed_marks(both.git, both.path, "work2", "main") == ()
