"""What would conflict, told without a checkout: of branches and of worktrees as they are, and nothing is left of it."""

from __future__ import annotations

import itertools
import os

import pytest

from overmind_core.git import merge_tree as module
from overmind_core.git.merge_tree import MergeSide, conflict_sides, conflicting_paths, conflicts_of_steps
from overmind_core.git.run import GitAnswer, GitFailed

LINES = "".join(f"{number}\n" for number in range(20))


class Pair:
    """Two worktrees of one repository, on branches of their own that begin at the same commit."""

    def __init__(self, repo):
        self.repo = repo
        repo.commit("a", LINES)
        repo.commit("b", LINES)
        self.folders = [repo.worktree(name) for name in ("one", "two")]
        for name, folder in zip(("one", "two"), self.folders, strict=True):
            repo("worktree", "add", "-q", "-b", name, folder)

    def write(self, number, name, text):
        self.repo.write(name, text, at=self.folders[number])

    def commit(self, number, name, text):
        self.repo.commit(name, text, at=self.folders[number])

    def of_branches(self):
        return conflicting_paths(self.repo.git, self.repo.path, MergeSide("one"), MergeSide("two"))

    def of_worktrees(self):
        sides = [MergeSide("HEAD", folder) for folder in self.folders]
        found = conflicting_paths(self.repo.git, self.repo.path, sides[0], sides[1])
        assert conflicting_paths(self.repo.git, self.repo.path, sides[1], sides[0]) == found
        return found

    def traces(self):
        """Every file of git's own: names, indices, objects."""
        found = {}
        for folder, _, names in os.walk(os.path.join(self.repo.path, ".git")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    found[os.path.join(folder, name)] = file.read()
        return found


@pytest.fixture
def pair(repo):
    return Pair(repo)


def test_what_is_committed_and_what_is_not_conflicts_and_nothing_is_left_of_the_look(pair):
    pair.commit(0, "a", LINES.replace("3\n", "three\n", 1))
    pair.write(0, "b", LINES.replace("5\n", "five\n", 1))
    pair.commit(1, "b", LINES.replace("17\n", "seventeen\n", 1))
    pair.write(1, "a", LINES.replace("3\n", "III\n", 1))
    before = pair.traces()
    assert pair.of_branches() == ()
    assert pair.of_worktrees() == ("a",)
    assert pair.traces() == before
    pair.write(1, "b", LINES.replace("5\n", "V\n", 1))
    assert pair.of_worktrees() == ("a", "b")


NAME = os.fsdecode(b"new \xff\n.txt")


def test_files_that_git_does_not_know_take_part_and_those_that_it_ignores_do_not(pair):
    for number, text in enumerate(("one\n", "two\n")):
        pair.write(number, NAME, text)
        pair.write(number, "same", "same\n")
        pair.write(number, ".gitignore", "*.log\n")
        pair.write(number, "x.log", text)
    assert pair.of_worktrees() == (NAME,)


def test_a_file_that_one_removes_and_the_other_changes_conflicts(pair):
    os.unlink(os.path.join(pair.folders[0], "a"))
    pair.write(1, "a", "changed\n")
    assert pair.of_worktrees() == ("a",)


def test_a_worktree_conflicts_with_a_branch_too(pair):
    pair.write(0, "a", "one\n")
    pair.commit(1, "a", "two\n")
    mixed = MergeSide("HEAD", pair.folders[0]), MergeSide("two")
    assert conflicting_paths(pair.repo.git, pair.repo.path, *mixed) == ("a",)


def test_a_branch_that_is_not_there_and_a_folder_that_is_gone_are_refused(pair):
    with pytest.raises(GitFailed, match="no branch or commit 'nowhere'"):
        conflicting_paths(pair.repo.git, pair.repo.path, MergeSide("nowhere"), MergeSide("two"))
    gone = MergeSide("HEAD", pair.repo.worktree("gone"))
    with pytest.raises(GitFailed, match="does not exist"):
        conflicting_paths(pair.repo.git, pair.repo.path, gone, MergeSide("two"))


@pytest.mark.parametrize("code", [128, 129])
def test_nothing_is_said_where_git_can_not_tell(pair, monkeypatch, code):
    run = type(pair.repo.git).run

    def old(self, folder, *words, **how):
        return GitAnswer(code, "", "usage") if "merge-tree" in words else run(self, folder, *words, **how)

    monkeypatch.setattr(type(pair.repo.git), "run", old)
    assert pair.of_branches() is None
    assert conflict_sides(pair.repo.git, pair.repo.path, commit="one", target="two", most=1000) == ()
    assert conflicts_of_steps(pair.repo.git, pair.repo.path, [("one", "one")], commit="two") is None


def test_histories_without_a_common_commit_can_not_be_told(pair):
    pair.repo("checkout", "-q", "--orphan", "other")
    pair.repo.commit("a", "other\n")
    assert conflicting_paths(pair.repo.git, pair.repo.path, MergeSide("one"), MergeSide("other")) is None


def test_both_sides_of_each_conflict_are_shown_and_cut_at_whole_lines(pair):
    pair.commit(0, "a", LINES.replace("3\n", "three\n", 1))
    pair.commit(0, "b", "one\n" * 1000)
    pair.commit(1, "a", LINES.replace("3\n", "III\n", 1))
    pair.commit(1, "b", "two\n" * 1000)
    found = conflict_sides(pair.repo.git, pair.repo.path, commit="one", target="two", most=1000)
    assert [one.path for one in found] == ["a", "b"]
    assert ("-3\n+III\n" in found[0].target, "-3\n+three\n" in found[0].own) == (True, True)
    assert all(len(diff) <= 1000 and diff.endswith("\n") for diff in found[1][1:])


def test_of_the_steps_of_a_branch_those_whose_lines_meet_the_work_are_told(pair):
    steps = [pair.repo("rev-parse", "one")]
    for old, new in (("19\n", "19\nappended\n"), ("3\n", "three\n"), ("11\n", "eleven\n"), ("4\n", "four\n")):
        with open(os.path.join(pair.folders[0], "a"), encoding="utf-8") as file:
            text = file.read()
        pair.commit(0, "a", f"\n{text}".replace(f"\n{old}", f"\n{new}", 1)[1:])
        steps.append(pair.repo("rev-parse", "one"))
    pair.commit(1, "a", LINES.replace("3\n4\n", "III\nIV\n", 1))
    before = pair.traces()
    found = conflicts_of_steps(pair.repo.git, pair.repo.path, list(itertools.pairwise(steps)), commit="two")
    assert found == [frozenset(), {"a"}, frozenset(), {"a"}]
    assert pair.traces() == before


def test_who_changes_a_file_that_the_work_removes_or_that_is_no_text_takes_part(pair):
    pair.commit(0, "a", "\0one")
    pair.commit(1, "a", "\0two")
    os.unlink(os.path.join(pair.folders[1], "b"))
    pair.commit(0, "b", LINES + "more\n")
    pair.commit(1, "c", "new\n")
    steps = [("one~2", "one~1"), ("one~1", "one")]
    assert conflicts_of_steps(pair.repo.git, pair.repo.path, steps, commit="two") == [frozenset("a"), frozenset("b")]


def test_no_git_is_run_for_each_file_that_conflicts(pair, monkeypatch):
    steps, asked = [pair.repo("rev-parse", "one")], []
    names = ["a", "b", ":c [1]", "d/e", os.fsdecode(b"\xff\n")]
    for number, side in ((0, "three\n"), (1, "III\n"), (0, "drei\n")):
        for name in names:
            pair.write(number, name, LINES.replace("3\n", side, 1) + "end")
        pair.commit(number, "last", f"{side}")
        steps.append(pair.repo("rev-parse", "one"))
    run = type(pair.repo.git).run

    def counted(self, folder, *words, **how):
        asked.append(words)
        return run(self, folder, *words, **how)

    monkeypatch.setattr(type(pair.repo.git), "run", counted)
    found = conflicts_of_steps(pair.repo.git, pair.repo.path, list(itertools.pairwise(steps)), commit="two")
    assert found == [{*names, "last"}, frozenset(), {*names, "last"}]
    assert len([words for words in asked if "rev-parse" not in words]) <= 3 * 3


def test_a_file_that_is_large_is_not_read(pair, monkeypatch):
    pair.commit(0, "a", LINES.replace("3\n", "three\n", 1))
    pair.commit(0, "a", LINES.replace("3\n", "three\n", 1) + "more\n")
    pair.commit(1, "a", LINES.replace("3\n", "III\n", 1))
    steps = [("one~1", "one")]
    assert conflicts_of_steps(pair.repo.git, pair.repo.path, steps, commit="two") == [frozenset()]
    monkeypatch.setattr(module, "_LARGE", 10)
    assert conflicts_of_steps(pair.repo.git, pair.repo.path, steps, commit="two") == [frozenset("a")]
