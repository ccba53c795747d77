"""What a worktree has beyond a commit, seen without touching anything in it."""

from __future__ import annotations

import os
import subprocess

import pytest

from overmind_core.git import changes as module
from overmind_core.git.changes import commits_between, names_between, work_history, worktree_changes
from overmind_core.git.run import Git, GitFailed
from tests.kit.repositories import Repository


@pytest.fixture
def repository(tmp_path):
    return Repository(str(tmp_path / "shop: a"))


@pytest.fixture
def git(repository):
    return Git(repository.environ)


def statuses(found):
    return {one.path: one.status for one in found.files}


def test_all_kinds_of_changes_are_seen_and_nothing_is_touched(repository, git):
    repository.commit("first", {"kept": "a\n", "gone": "b\n", "old name": "long\n" * 9, "turned": "c\n", "own": "1\n"})
    repository.git("branch", "agent")
    repository.commit("on main meanwhile", {"own": "other\n"})
    worktree = repository.worktree("agent")
    worktree.commit("by the agent", {"kept": "a\nb\n"})
    worktree.write({"ignored.log": "x", "new \x1b[31m": "y\n", "bin": b"\0\1", ".gitignore": "*.log\n"})
    os.unlink(worktree.path("gone"))
    os.unlink(worktree.path("turned"))
    os.symlink("kept", worktree.path("turned"))
    worktree.git("mv", "old name", "höher")
    before = repository.traces(), worktree.git("status", "--porcelain")

    found = worktree_changes(git, worktree.folder, "main")

    assert statuses(found) == {
        ".gitignore": "?", "bin": "?", "gone": "D", "höher": "R", "kept": "M", "new \x1b[31m": "?", "turned": "T",
    }  # fmt: skip
    moved = next(one for one in found.files if one.status == "R")
    assert (moved.old_path, moved.added, moved.removed) == ("old name", 0, 0)
    assert [(one.added, one.removed) for one in found.files if one.path == "kept"] == [(1, 0)]
    assert [one.path for one in found.files if one.binary] == ["bin"]
    assert ([one.subject for one in found.commits], found.branch, found.cut) == (["by the agent"], "agent", "")
    assert found.since == repository.git("rev-parse", "main~1")
    assert "+++ b/höher" not in found.diff  # nothing in it changed
    assert "rename from old name\nrename to höher\n" in found.diff
    assert "\x1b" not in found.diff, "git quotes names that a terminal would act on"
    assert (repository.traces(), worktree.git("status", "--porcelain")) == before


def test_a_file_is_seen_that_was_changed_within_the_second_of_its_checkout(repository, git):
    long_ago = (1_000_000_000, 1_000_000_000)
    repository.git("config", "core.trustctime", "false")
    repository.commit("first", {"file": "line 1\n"})
    os.utime(repository.path("file"), long_ago)
    repository.git("add", "file")
    with open(repository.path("file"), "r+") as file:
        file.write("line 2\n")
    os.utime(repository.path("file"), long_ago)
    os.utime(repository.path(".git/index"), long_ago)
    assert statuses(worktree_changes(git, repository.folder, None)) == {"file": "M"}


def test_without_a_base_it_is_what_is_not_committed_also_before_the_first_commit(repository, git):
    repository.write({"a": "1\n"})
    found = worktree_changes(git, repository.folder)
    assert (statuses(found), found.commits, found.branch) == ({"a": "?"}, (), "main")
    repository.commit("first", {})
    assert worktree_changes(git, repository.folder).files == ()
    repository.write({"sub/b": "2\n"})
    repository.git("add", "sub/b")
    assert statuses(worktree_changes(git, repository.path("sub"))) == {"sub/b": "A"}


def test_settings_of_the_person_do_not_change_what_is_read(repository, git):
    repository.commit("first", {"a": "1\n", ".gitattributes": "a diff=loud\n"})
    for name, value in {
        "diff.noprefix": "true", "diff.external": "false", "color.ui": "always", "diff.loud.textconv": "false",
        "diff.renames": "false", "core.splitIndex": "true", "core.safecrlf": "true", "diff.relative": "true",
    }.items():  # fmt: skip
        repository.git("config", name, value)
    repository.write({"a": "1\r\n2\n"})
    assert "--- a/a\n+++ b/a\n@@ -1 +1,2 @@\n-1\n+1\r\n+2\n" in worktree_changes(git, repository.folder).diff


def test_what_is_locked_empty_or_unreadable_stops_nothing(repository, git):
    repository.commit("first", {"a": "1\n"})
    repository.write({".git/index.lock": "", "a": "2\n"})
    os.mkdir(repository.path("empty"))
    subprocess.run(["git", "init", "-q", "nested"], cwd=repository.folder, env=repository.environ, check=True)
    found = worktree_changes(git, repository.folder)
    assert statuses(found) == {"a": "M"}
    assert "nested" in found.cut


def test_what_is_endless_is_cut_at_a_line_and_says_how_to_see_it(repository, git, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 400)
    repository.commit("first", {"a": ""})
    repository.write({"a": "line\n" * 1000})
    found = worktree_changes(git, repository.folder)
    assert (len(found.diff) <= 400, found.diff[-1], found.files[0].added) == (True, "\n", 1000)
    assert f"git -C '{repository.folder}' diff" in found.cut


def test_what_is_large_is_listed_and_not_read(repository, git, monkeypatch):
    monkeypatch.setattr(module, "LARGE", 100)
    monkeypatch.setattr(module, "MOST_READ", 150)
    repository.commit("first", {"data": "x", "a": "1\n"})
    repository.write({"a": "2\n", "data": "y" * 101, "sub/:new": "z" * 101, "b": "b" * 99, "c": "c" * 99})
    found = worktree_changes(git, repository.path("sub"))
    assert statuses(found) == {"a": "M", "b": "?", "c": "?", "data": "M", "sub/:new": "?"}
    assert [one.path for one in found.files if one.binary] == ["c", "data", "sub/:new"]
    assert found.cut == "Too large to show: c, data, sub/:new."
    assert "zzz" not in found.diff


def test_a_folder_that_is_no_repository_is_refused_by_git(tmp_path, repository, git):
    with pytest.raises(GitFailed, match="not a git repository"):
        worktree_changes(git, str(tmp_path))


HISTORIES = [
    # the files of each commit, those that are not committed, (is there such a rest, what is as before, what is undone)
    ([{"a": "1\n"}, {"b": "1\n"}], {}, (False, (), ())),
    ([{"a": "1\n"}, {"a": "1\n2\n"}], {"b": "1\n"}, (True, (), ())),
    ([{"a": "1\n"}, {"a": "2\n"}], {}, (False, (), ("a",))),
    ([{"a": "1\n"}], {"a": "2\n"}, (True, (), ("a",))),
    ([{"kept": "new\n"}], {"kept": "old\n", "b": "1\n"}, (True, ("kept",), ())),
    ([{"a": b"\0" + b"1"}, {"b": "1\n"}], {}, (False, (), ())),
    ([{"a": b"\0" + b"1"}], {"a": b"\0" + b"2"}, (True, (), ("a",))),
]


@pytest.mark.parametrize(("commits", "rest", "expected"), HISTORIES)
def test_it_is_known_what_commits_undo_of_each_other_and_what_is_not_committed_counts(
    repository, git, commits, rest, expected
):
    first = repository.commit("first", {"kept": "old\n"})
    for number, files in enumerate(commits):
        repository.commit(str(number), files)
    repository.write(rest)
    before = repository.traces()
    assert work_history(git, repository.folder, first) == expected
    assert repository.traces() == before


def test_a_merge_of_what_has_landed_undoes_nothing_and_what_it_adds_by_itself_is_seen(repository, git):
    repository.commit("first", {"a": "1\n"})
    repository.git("branch", "agent")
    landed = repository.commit("landed", {"a": "landed\n"})
    worktree = repository.worktree("agent")
    worktree.commit("own", {"a": "own\n"})
    subprocess.run(["git", "merge", "-q", landed], cwd=worktree.folder, env=worktree.environ, check=False)
    worktree.commit("both", {"a": "landed\nown\n", "secret": "1\n"})
    assert work_history(git, worktree.folder, landed) == (False, (), ())
    os.unlink(worktree.path("secret"))
    assert work_history(git, worktree.folder, landed) == (True, ("secret",), ())


AFTER_A_MERGE = [
    # the file after the merge, then as it is in the end, whether something of the merge is undone
    ("base\nown\nsecret\n", "base\nown\nmore\n", ("a",)),
    ("base\nown\nsecret\n", "base\nown\nsecret\nmore\n", ()),
    ("base\nown\n", "own\n", ()),
]


@pytest.mark.parametrize("is_committed", [True, False])
@pytest.mark.parametrize(("merged", "last", "undone"), AFTER_A_MERGE)
def test_what_is_removed_of_what_a_merge_has_added_by_itself_is_undone(
    repository, git, merged, last, undone, is_committed
):
    repository.commit("first", {"a": "base\n"})
    repository.git("branch", "agent")
    landed = repository.commit("landed", {"b": "1\n"})
    worktree = repository.worktree("agent")
    worktree.commit("own", {"a": "base\nown\n"})
    worktree.git("merge", "-q", "--no-commit", landed)
    worktree.commit("merged", {"a": merged})
    worktree.write({"a": last})
    if is_committed:
        worktree.commit("last", {})
    assert work_history(git, worktree.folder, landed) == (not is_committed, (), undone)


def test_commits_are_as_they_were_made_whatever_stands_for_them(repository, git):
    first = repository.commit("first", {"a": "1\n"})
    evil = repository.commit("evil", {"a": "evil\n"})
    good = repository.commit("good", {"a": "1\n", "b": "1\n"})
    repository.git("replace", "--graft", good, first)
    repository.git("replace", evil, first)
    repository.write({".git/info/grafts": f"{good} {first}\n"})
    assert [one.hash for one in commits_between(git, repository.folder, first)] == [good, evil]
    assert names_between(git, repository.folder, first, evil)
