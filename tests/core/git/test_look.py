"""One look tells of a worktree what git tells of it one by one, whatever its files and branches are called."""

from __future__ import annotations

import os

import pytest

from overmind_core.git.look import Gitlink, look_at, look_at_index
from overmind_core.git.repository import branch_of, resolve
from overmind_core.git.status import is_untouched
from overmind_core.git.worktrees import add

ODD = ("a b", " x ", "line\nend", 'quo"te', "ü", os.fsdecode(b"\xff"), "1 .M N... 1 1 1 1 1 z", "? q", "-r", "R a -> b")
"""Names of files that could be taken for something else."""


def test_files_of_all_kinds_are_told_by_their_names_as_they_are(repo):
    for number, name in enumerate(ODD):
        repo.write(f"kept/{name}", f"{number}\n")
        repo.write(f"gone/{name}", f"{number}\n")
    repo.commit(".gitignore", "hidden/\n*.log\n")
    for name in ODD:
        repo.write(f"kept/{name}", "other\n")
        repo.write(f"hidden/{name}")
        repo.write(f"new/{name}")
        repo.write(f"new/{name}.log")
        os.unlink(f"{repo.path}/gone/{name}")
    repo.write("staged")
    repo("add", "staged")
    look = look_at(repo.git, repo.path, ignored=True)
    changed = {*(f"kept/{name}" for name in ODD), *(f"gone/{name}" for name in ODD), "staged"}
    assert set(look.tracked) == changed
    assert set(look.unstaged) == changed - {"staged"}
    assert set(look.new) == {f"new/{name}" for name in ODD}
    assert set(look.ignored) == {"hidden/", *(f"new/{name}.log" for name in ODD)}
    assert set(look.changed) == {*look.tracked, *look.new}
    assert look.conflicting == ()
    assert look_at(repo.git, repo.path).ignored == ()


def test_a_file_that_was_moved_is_one_that_is_gone_and_a_new_one(repo):
    repo.commit("old", "text\n" * 9)
    repo("mv", "old", "new")
    assert set(look_at(repo.git, repo.path).tracked) == {"old", "new"}


def test_conflicts(repo):
    repo("checkout", "-q", "-b", "other")
    repo.commit("a", "theirs\n")
    repo("checkout", "-q", "main")
    repo.commit("a", "ours\n")
    repo.git.run(repo.path, "merge", "--quiet", "other", expected=(1,))
    look = look_at(repo.git, repo.path)
    assert look.conflicting == look.tracked == look.unstaged == ("a",)


@pytest.mark.parametrize("branch", ["main", "(detached)", "refs/heads/main", "(initial)", "ü", "a/b"])
def test_the_branch_is_told_by_its_name_and_no_branch_is_none(repo, branch):
    if branch != "main":
        repo("checkout", "-q", "-b", branch)
    look = look_at(repo.git, repo.path)
    assert (look.branch, look.head) == (branch, repo("rev-parse", "HEAD"))
    repo("checkout", "-q", "--detach")
    assert look_at(repo.git, repo.path)[:2] == (look.head, None)


def test_without_commits_and_with_something_else_than_a_branch_checked_out(repo, tmp_path):
    repo("init", "-q", str(tmp_path / "new"))
    assert look_at(repo.git, str(tmp_path / "new"))[:2] == (None, "main")
    repo("update-ref", "refs/own/name", "HEAD")
    repo("symbolic-ref", "HEAD", "refs/own/name")
    look = look_at(repo.git, repo.path)
    assert (look.head, look.branch) == (resolve(repo.git, repo.path, "HEAD"), branch_of(repo.git, repo.path))
    assert look.branch is None


def test_what_the_index_tells(repo):
    names = ("bold", "skipped", "plain", *ODD)
    for name in names:
        repo.write(name)
    head = repo.commit("last")
    repo("update-index", "--assume-unchanged", "bold", ODD[2])
    repo("update-index", "--skip-worktree", "skipped", ODD[3])
    repo("update-index", "--add", "--cacheinfo", f"160000,{head},deep/a b")
    found = look_at_index(repo.git, repo.path)
    assert found.gitlinks == (Gitlink("deep/a b", head),)
    assert set(found.overlooked) == {"bold", "skipped", ODD[2], ODD[3]}


def test_a_worktree_is_untouched_until_something_is_done_in_it(repo):
    began = repo("rev-parse", "HEAD")
    add(repo.git, repo.seen, repo.worktree(), ["overmind/api"], None, False)
    path = repo.worktree()
    assert is_untouched(repo.git, path, "main", began)
    repo.commit("elsewhere")
    assert is_untouched(repo.git, path, "main", began)
    assert is_untouched(repo.git, path, "gone", began)
    repo.write("new", at=path)
    assert not is_untouched(repo.git, path, "main", began)
    repo.commit("new", at=path)
    assert not is_untouched(repo.git, path, "main", began)
    repo("merge", "--quiet", "overmind/api")
    assert is_untouched(repo.git, path, "main", began)
    assert not is_untouched(repo.git, path, None, began)
