"""Committing everything: with hooks, beside an agent that uses git itself, and never markers of a conflict."""

from __future__ import annotations

import os
import threading

import pytest

from overmind_core.domain.git_operations import GitOperation
from overmind_core.git import run
from overmind_core.git.merge import NothingToCommit, Unresolved, commit
from overmind_core.git.run import Git, GitFailed
from tests.kit.repositories import Repository


@pytest.fixture
def repository(tmp_path):
    made = Repository(str(tmp_path / "shop"))
    made.commit("first", {"a": "1\n", "b": "1\n", ".gitignore": "*.log\n"})
    return made


@pytest.fixture
def git(repository):
    return Git(repository.environ)


def hook(repository, name, script):
    repository.write({f".git/hooks/{name}": f"#!/bin/sh\n{script}\n"})
    os.chmod(repository.path(".git/hooks", name), 0o755)


def test_everything_but_what_is_ignored_is_committed_as_it_was_said(repository, git):
    repository.write({"sub/new": "n\n", "a": "2\n", "x.log": ""})
    os.unlink(repository.path("b"))
    done = commit(git, repository.path("sub"), "# Subject: ünï\n\n-m body")
    assert (done.commit, done.subject, done.files) == (repository.git("rev-parse", "HEAD"), "# Subject: ünï", 3)
    assert repository.git("log", "-1", "--format=%B|%an") == "# Subject: ünï\n\n-m body\n|Ada"
    assert repository.git("status", "--porcelain") == ""
    with pytest.raises(NothingToCommit):
        commit(git, repository.folder, "again")


def test_the_first_commit_of_all(tmp_path, git):
    fresh = Repository(str(tmp_path / "fresh"))
    fresh.write({"a": "1\n"})
    assert commit(git, fresh.folder, "first")[1:] == ("first", 1)


def test_a_hook_that_refuses_is_heard(repository, git):
    hook(repository, "pre-commit", "echo 'two problems:'; echo 'line 1' >&2; exit 1")
    repository.write({"a": "2\n"})
    with pytest.raises(GitFailed) as refused:
        commit(git, repository.folder, "no")
    assert refused.value.output == "two problems:\nline 1"


def test_another_git_in_the_worktree_is_waited_for(repository, git, monkeypatch):
    repository.write({"a": "2\n", ".git/index.lock": ""})
    monkeypatch.setattr(run, "LOCK_LIMIT", 0.0)
    with pytest.raises(GitFailed, match=r"index\.lock"):
        commit(git, repository.folder, "too soon")
    monkeypatch.setattr(run, "LOCK_LIMIT", 30.0)
    other = threading.Timer(0.05, os.unlink, [repository.path(".git/index.lock")])
    other.start()
    assert commit(git, repository.folder, "patient").subject == "patient"
    other.join()


def test_a_merge_is_committed_once_its_conflicts_are_resolved(repository, git):
    repository.git("checkout", "-q", "-b", "other")
    repository.commit("theirs", {"a": "theirs\n"})
    repository.git("checkout", "-q", "main")
    repository.commit("ours", {"a": "ours\n"})
    with pytest.raises(AssertionError, match="CONFLICT"):
        repository.git("merge", "other")
    with pytest.raises(Unresolved) as conflicts:
        commit(git, repository.folder, "markers")
    assert (conflicts.value.paths, conflicts.value.operation) == (("a",), GitOperation.MERGE)
    repository.write({"a": "ours\n"})
    repository.git("add", "a")
    assert commit(git, repository.folder, "merged").files == 0  # the tree is ours, the commit has two parents
    assert len(repository.git("log", "-1", "--format=%P").split()) == 2


@pytest.mark.parametrize(
    ("operation", "words", "is_resolved"),
    [
        (GitOperation.REBASE, ("rebase", "other"), False),
        (GitOperation.REBASE, ("rebase", "other"), True),
        (GitOperation.CHERRY_PICK, ("cherry-pick", "other"), False),
        (GitOperation.REVERT, ("revert", "--no-edit", "HEAD~1"), False),
        (GitOperation.BISECT, ("bisect", "start", "HEAD", "HEAD~1"), True),
        (None, ("stash", "pop"), False),
    ],
)
def test_what_stands_half_done_is_called_what_it_is_and_nothing_is_committed(
    repository, git, operation, words, is_resolved
):
    repository.git("checkout", "-q", "-b", "other")
    repository.commit("theirs", {"a": "theirs\n"})
    repository.git("checkout", "-q", "main")
    if operation is None:
        repository.write({"a": "stashed\n"})
        repository.git("stash", "-q")
    repository.commit("ours", {"a": "ours\n"})
    repository.commit("again", {"a": "again\n"})
    if operation is GitOperation.BISECT:
        repository.git(*words)
    else:
        with pytest.raises(AssertionError):
            repository.git(*words)
    if is_resolved:
        repository.write({"a": "both\n"})
        repository.git("add", "a")
    head = repository.git("rev-parse", "HEAD")
    with pytest.raises(Unresolved) as refused:
        commit(git, repository.folder, "markers")
    assert (refused.value.operation, refused.value.paths) == (operation, () if is_resolved else ("a",))
    said = refused.value.sentence("red", repository.folder)
    for command in () if operation is None else operation.ways_out(repository.folder):
        assert command in said
    assert repository.git("rev-parse", "HEAD") == head


def test_work_outside_a_sparse_checkout_is_committed_and_what_it_leaves_out_stays(repository, git):
    repository.commit("folders", {"in/a": "1\n", "out/b": "1\n"})
    repository.git("sparse-checkout", "set", "in")
    assert not os.path.exists(repository.path("out"))
    repository.write({"out/new": "2\n", "in/a": "2\n"})
    assert commit(git, repository.folder, "both").files == 2
    assert repository.git("ls-tree", "-r", "--name-only", "HEAD", "in", "out").split() == ["in/a", "out/b", "out/new"]
