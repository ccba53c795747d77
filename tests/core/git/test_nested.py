"""A repository inside a worktree is never thrown away, and never becomes a bare hash in a commit of ours."""

from __future__ import annotations

import os

import pytest

from overmind_core.domain.isolation.keep import KeepRules
from overmind_core.git.look import look_at, look_at_index
from overmind_core.git.merge import NestedRepositories, commit
from overmind_core.git.nested import added_gitlinks, nested_repositories
from overmind_core.git.status import uncommitted_files, worktree_status
from overmind_core.git.unsaved import unsaved_repositories
from overmind_core.git.worktrees import Dirty, add, remove


@pytest.fixture
def path(repo):
    add(repo.git, repo.seen, repo.worktree(), ["overmind/api"], None, False)
    return repo.worktree()


def create(repo, folder, *, commits=True):
    os.makedirs(folder)
    repo.git(folder, "init", "--quiet")
    if commits:
        repo.commit("own.txt", at=folder)
    return folder


def clone(repo, folder, *options):
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    repo.git(repo.path, "clone", "--quiet", *options, f"file://{repo.path}", folder)
    return folder


def ignore(repo, path, name):
    repo.commit(".gitignore", f"{name}\n", at=path)


def looked(repo, path):
    return repo.git, path, look_at(repo.git, path), look_at_index(repo.git, path)


def discard(repo):
    return remove(repo.git, repo.seen.common, repo.worktree(), "overmind/api", force=False, base="main")


@pytest.mark.parametrize("commits", [True, False])
def test_a_nested_repository_is_not_committed(repo, path, commits):
    create(repo, f"{path}/deep/äpp", commits=commits)
    repo.write("deep/äpp/more.txt", at=path)
    assert nested_repositories(*looked(repo, path)) == ("deep/äpp",)
    with pytest.raises(NestedRepositories) as refused:
        commit(repo.git, path, "all")
    assert refused.value.args[0] == ("deep/äpp",)
    assert repo.git(path, "status", "--porcelain") == "?? deep/"


def test_what_git_has_as_a_bare_hash_is_lost_work(repo, path):
    create(repo, f"{path}/app")
    repo.git(path, "add", "app")
    repo.git(path, "commit", "--quiet", "--message", "a bare gitlink")
    assert repo.git(path, "status", "--porcelain") == ""
    assert uncommitted_files(*looked(repo, path)) == ("app",)
    repo("merge", "--quiet", "overmind/api")
    with pytest.raises(Dirty) as refused:
        discard(repo)
    assert refused.value.files == ("app",)
    assert os.path.isfile(f"{path}/app/own.txt")


def test_a_bare_hash_that_a_branch_brings_is_named_and_a_submodule_is_not(repo, path):
    began = repo("rev-parse", "main")
    create(repo, f"{path}/app")
    create(repo, f"{path}/lib")
    repo.git(path, "add", "app", "lib")
    repo.write(".gitmodules", '[submodule "lib"]\npath = lib\nurl = ../lib\n', at=path)
    repo.git(path, "add", ".gitmodules")
    repo.git(path, "commit", "--quiet", "--message", "both")
    assert added_gitlinks(repo.git, path, began, "HEAD") == ("app",)
    assert added_gitlinks(repo.git, path, "HEAD", "HEAD") == ()
    repo.git(path, "rm", "--quiet", "--cached", ".gitmodules")
    repo.git(path, "commit", "--quiet", "--message", "no longer named")
    assert added_gitlinks(repo.git, path, began, "HEAD") == ("app", "lib")


def test_work_in_an_ignored_repository_is_named_and_stays(repo, path):
    ignore(repo, path, "vendor")
    create(repo, f"{path}/vendor/one")
    repo("merge", "--quiet", "overmind/api")
    assert worktree_status(repo.git, path, "main", "main").dirty == ()
    assert worktree_status(repo.git, path, "main", "main", keep=KeepRules(0)).dirty == ("vendor/one",)
    with pytest.raises(Dirty) as refused:
        discard(repo)
    assert refused.value.files == ("vendor/one",)


def test_an_ignored_clone_without_work_goes(repo, path):
    ignore(repo, path, "vendor")
    repo("merge", "--quiet", "overmind/api")
    repo("tag", "v1", "main~1")
    clone(repo, f"{path}/vendor/plain")
    clone(repo, f"{path}/vendor/shallow", "--depth=1")
    clone(repo, f"{path}/vendor/tag", "--depth=1", "--branch=v1")
    os.makedirs(f"{path}/vendor/empty/.git")
    assert unsaved_repositories(repo.git, path) == ()
    assert discard(repo).worktree


CHANGES = {
    "commit": lambda repo, folder: repo.commit("new.txt", at=folder),
    "branch": lambda repo, folder: (
        repo.git(folder, "checkout", "--quiet", "-b", "side"),
        repo.commit("new.txt", at=folder),
        repo.git(folder, "checkout", "--quiet", "main"),
    ),
    "file": lambda repo, folder: repo.write("new.txt", at=folder),
    "stash": lambda repo, folder: (
        repo.write("first.txt", "other\n", at=folder),
        repo.git(folder, "stash", "--quiet"),
    ),
    "no remote": lambda repo, folder: repo.git(folder, "remote", "remove", "origin"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_work_in_an_ignored_clone_stays(repo, path, change):
    ignore(repo, path, "vendor")
    CHANGES[change](repo, clone(repo, f"{path}/vendor/one"))
    assert unsaved_repositories(repo.git, path) == ("vendor/one",)


def test_another_worktree_inside_is_work_where_no_branch_has_it(repo, path):
    ignore(repo, path, "trees")
    repo.git(path, "worktree", "add", "--quiet", "-b", "side", "trees/side")
    repo.commit("new.txt", at=f"{path}/trees/side")
    assert unsaved_repositories(repo.git, path) == (), "the branch has it"
    repo.git(f"{path}/trees/side", "checkout", "--quiet", "--detach")
    repo.commit("newer.txt", at=f"{path}/trees/side")
    assert unsaved_repositories(repo.git, path) == ("trees/side",)


def test_a_repository_that_git_can_not_read_stays(repo, path):
    ignore(repo, path, "vendor")
    folder = create(repo, f"{path}/vendor/one")
    with open(f"{folder}/.git/HEAD", "w", encoding="utf-8") as file:
        file.write("garbage")
    assert unsaved_repositories(repo.git, path) == ("vendor/one",)
