"""Submodules in worktrees: they come without a network, and their work is work."""

from __future__ import annotations

import os

import pytest

from overmind_core.git.repository import find_repository
from overmind_core.git.status import worktree_status
from overmind_core.git.submodules import submodule_notes, uncommitted_submodules
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
    return add(repo.git, repo.seen, repo.worktree(), ["overmind/api"], None, False)


def made_path(repo):
    made(repo)
    return repo.worktree()


def test_submodules_come_from_the_persons_checkout_without_a_network(outer, lib):
    os.rename(lib.path, f"{lib.path}-away")
    before = outer("config", "--list", "--local")
    path = made_path(outer)
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
    path = made_path(outer)
    assert outer.git(f"{path}/libs/ü", "rev-parse", "HEAD") == commit


def put_away(outer, lib, tmp_path):
    outer("submodule", "deinit", "-q", "--all")


def put_away_with_its_repository(outer, lib, tmp_path):
    outer("submodule", "deinit", "-q", "--all")
    os.rename(f"{outer.path}/.git/modules", tmp_path / "modules")


def not_active(outer, lib, tmp_path):
    outer("config", "submodule.active", "elsewhere")
    put_away_with_its_repository(outer, lib, tmp_path)


def never_fetched(outer, lib, tmp_path):
    outer("update-index", "--add", "--cacheinfo", f"160000,{outer('rev-parse', 'HEAD')},libs/windows")
    outer("config", "--file", ".gitmodules", "submodule.windows.path", "libs/windows")
    outer("config", "--file", ".gitmodules", "submodule.windows.url", "D:/GIT/windows/")
    outer("add", ".gitmodules")
    outer("commit", "-qm", "with one that nobody here has")


@pytest.mark.parametrize(
    ("without", "empty"),
    [
        (put_away, "libs/ü"),
        (put_away_with_its_repository, "libs/ü"),
        (not_active, "libs/ü"),
        (never_fetched, "libs/windows"),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_what_the_person_does_without_stays_empty_and_is_not_asked_for(outer, lib, tmp_path, without, empty):
    without(outer, lib, tmp_path)
    settings = outer("config", "--list", "--local")
    outer.git.environ["GIT_SSH"] = ssh = str(tmp_path / "ssh")
    marker = tmp_path / "asked"
    with open(ssh, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\ntouch '{marker}'\nexit 1\n")
    os.chmod(ssh, 0o700)
    line = f"submodule {empty} stays empty, as in your checkout"
    assert submodule_notes(outer.git, outer.seen) == [line]
    assert made(outer).notes == (line,)
    assert os.listdir(f"{outer.worktree()}/{empty}") == []
    assert os.path.isfile(f"{outer.worktree()}/libs/ü/in ner/first.txt") == (empty != "libs/ü")
    assert outer("config", "--list", "--local") == settings
    assert not marker.exists()


def test_many_of_them_are_one_line(outer):
    for number in range(12):
        outer("update-index", "--add", "--cacheinfo", f"160000,{outer('rev-parse', 'HEAD')},x/{number:02}")
        outer("config", "--file", ".gitmodules", f"submodule.{number}.path", f"x/{number:02}")
    outer("add", ".gitmodules")
    outer("commit", "-qm", "twelve")
    (line,) = made(outer).notes
    assert line.startswith("submodules x/00, x/01, ")
    assert line.endswith("x/09 and 2 more stay empty, as in your checkout")


def with_a_commit_from_elsewhere(outer, lib):
    """The person's checkout has the submodule, and not the commit that is wanted."""
    commit = lib.commit("new.txt")
    outer("update-index", "--cacheinfo", f"160000,{commit},libs/ü")
    outer("commit", "-qm", "newer lib")
    settings = outer.git.environ["GIT_CONFIG_GLOBAL"]
    with open(settings, "a", encoding="utf-8") as file:
        file.write('[protocol "file"]\nallow = always\n')


def test_a_commit_that_the_persons_copy_has_not_is_fetched(outer, lib):
    with_a_commit_from_elsewhere(outer, lib)
    assert submodule_notes(outer.git, outer.seen) == [
        "submodule libs/ü: its commit is not in this checkout, so it is fetched"
    ]
    assert made(outer).notes == ()
    assert os.path.isfile(f"{outer.worktree()}/libs/ü/new.txt")
    assert os.path.isfile(f"{outer.worktree()}/libs/ü/in ner/first.txt")


def test_one_that_can_not_be_had_is_named_with_what_git_said_and_stays_empty(outer, lib):
    with_a_commit_from_elsewhere(outer, lib)
    os.rename(lib.path, f"{lib.path}-away")
    (line,) = made(outer).notes
    assert line.startswith("submodule libs/ü can't be had and stays empty: ")
    assert lib.path in line
    assert os.listdir(f"{outer.worktree()}/libs/ü") == []
    assert outer.git(outer.worktree(), "status", "--porcelain") == ""


def test_where_nobody_has_a_checkout_each_is_tried(outer, lib, tmp_path):
    with_a_commit_from_elsewhere(outer, lib)
    bare = str(tmp_path / "bare.git")
    outer("clone", "-q", "--bare", outer.path, bare)
    found = find_repository(outer.git, bare)
    assert found is not None
    path = str(tmp_path / "worktree")
    assert add(outer.git, found, path, ["overmind/api"], None, False).notes == ()
    assert os.path.isfile(f"{path}/libs/ü/in ner/first.txt")


def test_one_that_the_person_switched_off_is_left_out(outer):
    outer("config", "submodule.my lib.update", "none")
    assert os.listdir(f"{made_path(outer)}/libs/ü") == []


def test_changes_in_a_submodule_are_work_and_force_removes_them(outer):
    began = outer("rev-parse", "HEAD")
    path = made_path(outer)
    outer.write("in ner/new.txt", at=f"{path}/libs/ü")
    assert worktree_status(outer.git, path, "main", began).dirty == ("libs/ü",)
    assert remove(outer.git, outer.path, path, "overmind/api", force=True) == (True, "overmind/api", ())
    assert os.path.isfile(f"{outer.path}/libs/ü/in ner/first.txt")
    assert outer("status", "--porcelain") == ""


@pytest.mark.parametrize("changed", ["new.txt", "first.txt", "in ner/new.txt"])
def test_files_that_are_not_committed_in_a_submodule_are_found(outer, changed):
    path = made_path(outer)
    assert uncommitted_submodules(outer.git, path) == []
    outer.write(changed, "2", at=f"{path}/libs/ü")
    assert uncommitted_submodules(outer.git, path) == ["libs/ü"]


def test_a_commit_of_a_submodule_is_nothing_that_is_not_committed_in_it(outer):
    path = made_path(outer)
    outer.commit("own.txt", at=f"{path}/libs/ü")
    assert uncommitted_submodules(outer.git, path) == []


def test_an_unchanged_one_goes_with_its_worktree(outer):
    path = made_path(outer)
    assert remove(outer.git, outer.path, path, "overmind/api", force=False) == (True, "overmind/api", ())
    assert outer("submodule", "status").startswith(" ")


@pytest.mark.parametrize("inner", ["libs/ü", "libs/ü/in ner"])
def test_commits_that_only_the_worktrees_submodule_has_are_work(outer, inner):
    path = made_path(outer)
    inside = f"{path}/{inner}"
    outer.git(inside, "checkout", "-q", "-b", "own")
    outer.commit("own.txt", at=inside)
    outer.git(inside, "checkout", "-q", "--detach", "HEAD~1")  # nothing shows in the worktree
    assert outer.git(path, "status", "--porcelain") == ""
    with pytest.raises(Dirty) as refused:
        remove(outer.git, outer.path, path, "overmind/api", force=False)
    assert refused.value.files == (inner,)
