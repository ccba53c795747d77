"""Submodules in worktrees: they come without a network, and their work is work."""

from __future__ import annotations

import os

import pytest

from overmind_core.git.run import GitFailed
from overmind_core.git.status import worktree_status
from overmind_core.git.worktree_base import uncommitted_submodules
from overmind_core.git.worktrees import Dirty, add, remove

ALLOWED = ("-c", "protocol.file.allow=always")


@pytest.fixture
def lib(make_repo):
    """`lib`, which has `deep` as a submodule of its own."""
    deep, lib = make_repo("deep"), make_repo("lib")
    lib(*ALLOWED, "submodule", "--quiet", "add", deep.path, "in ner")
    lib("commit", "-qm", "with inner")
    return lib


@pytest.fixture
def outer(repo, lib):
    """The person's checkout, with `lib` in it."""
    repo(*ALLOWED, "submodule", "--quiet", "add", "--name", "my lib", lib.path, "libs/ü")
    repo(*ALLOWED, "submodule", "--quiet", "update", "--init", "--recursive")
    repo("commit", "-qm", "with lib")
    return repo


def made(repo):
    add(repo.git, repo.seen, repo.worktree(), ["overmind/api"], None, False)
    return repo.worktree()


def test_submodules_come_from_the_persons_checkout_without_a_network(outer, lib):
    os.rename(lib.path, f"{lib.path}-away")
    before = outer("config", "--list", "--local")
    path = made(outer)
    assert os.path.isfile(f"{path}/libs/ü/in ner/first.txt")
    assert "-" not in outer.git(path, "submodule", "status", "--recursive")[:1]
    assert outer.git(f"{path}/libs/ü", "config", "remote.origin.url") == lib.path
    assert outer("config", "--list", "--local") == before
    assert outer.git(path, "status", "--porcelain") == ""


def test_a_commit_of_a_submodule_that_was_never_pushed_is_there(outer):
    inside = f"{outer.path}/libs/ü"
    outer.git(inside, "checkout", "-q", "--detach")
    commit = outer.commit("own.txt", at=inside)
    outer("commit", "-qam", "newer lib")
    path = made(outer)
    assert outer.git(f"{path}/libs/ü", "rev-parse", "HEAD") == commit


def test_a_submodule_that_the_person_has_not_comes_from_its_origin(outer, tmp_path):
    outer("submodule", "deinit", "-q", "--all")
    os.rename(f"{outer.path}/.git/modules", tmp_path / "away")
    outer("config", "protocol.file.allow", "always")
    settings = outer.git.environ["GIT_CONFIG_GLOBAL"]
    with open(settings, "a", encoding="utf-8") as file:
        file.write('[protocol "file"]\nallow = always\n')
    path = made(outer)
    assert os.path.isfile(f"{path}/libs/ü/in ner/first.txt")


def test_one_that_can_not_be_had_is_named_and_nothing_is_left(outer, lib, tmp_path):
    outer("submodule", "deinit", "-q", "--all")
    os.rename(f"{outer.path}/.git/modules", tmp_path / "away")
    os.rename(lib.path, f"{lib.path}-away")
    with pytest.raises(GitFailed, match="submodule libs/ü: "):
        made(outer)
    assert not os.path.exists(outer.worktree())
    assert not outer("branch", "--list", "overmind/*")


def test_one_that_the_person_switched_off_is_left_out(outer):
    outer("config", "submodule.my lib.update", "none")
    assert os.listdir(f"{made(outer)}/libs/ü") == []


def test_changes_in_a_submodule_are_work_and_force_removes_them(outer):
    began = outer("rev-parse", "HEAD")
    path = made(outer)
    outer.write("in ner/new.txt", at=f"{path}/libs/ü")
    assert worktree_status(outer.git, path, "main", began).dirty == ("libs/ü",)
    assert remove(outer.git, outer.path, path, "overmind/api", force=True) == (True, "overmind/api", ())
    assert os.path.isfile(f"{outer.path}/libs/ü/in ner/first.txt")
    assert outer("status", "--porcelain") == ""


@pytest.mark.parametrize("changed", ["new.txt", "first.txt", "in ner/new.txt"])
def test_files_that_are_not_committed_in_a_submodule_are_found(outer, changed):
    path = made(outer)
    assert uncommitted_submodules(outer.git, path) == []
    outer.write(changed, "2", at=f"{path}/libs/ü")
    assert uncommitted_submodules(outer.git, path) == ["libs/ü"]


def test_a_commit_of_a_submodule_is_nothing_that_is_not_committed_in_it(outer):
    path = made(outer)
    outer.commit("own.txt", at=f"{path}/libs/ü")
    assert uncommitted_submodules(outer.git, path) == []


def test_an_unchanged_one_goes_with_its_worktree(outer):
    path = made(outer)
    assert remove(outer.git, outer.path, path, "overmind/api", force=False) == (True, "overmind/api", ())
    assert outer("submodule", "status").startswith(" ")


@pytest.mark.parametrize("inner", ["libs/ü", "libs/ü/in ner"])
def test_commits_that_only_the_worktrees_submodule_has_are_work(outer, inner):
    path = made(outer)
    inside = f"{path}/{inner}"
    outer.git(inside, "checkout", "-q", "-b", "own")
    outer.commit("own.txt", at=inside)
    outer.git(inside, "checkout", "-q", "--detach", "HEAD~1")  # nothing shows in the worktree
    assert outer.git(path, "status", "--porcelain") == ""
    with pytest.raises(Dirty) as refused:
        remove(outer.git, outer.path, path, "overmind/api", force=False)
    assert refused.value.files == (inner,)
