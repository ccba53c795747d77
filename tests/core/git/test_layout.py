"""Git's folders of a checkout are told by its files as git tells them, and not at all where git would not take them."""

from __future__ import annotations

import os

import pytest

from overmind_core.git.layout import asked_folders, common_around, common_of, folders_of, git_folders, worktree_of
from overmind_core.git.run import Git, GitFailed


def same(repo, path):
    told = folders_of(path)
    assert told is not None
    assert told == asked_folders(repo.git, path)
    return told


def test_the_folders_of_a_checkout_and_of_its_worktrees(repo, tmp_path):
    assert same(repo, repo.path) == (f"{repo.path}/.git",) * 2
    repo("worktree", "add", "-q", "-b", "one", f"{repo.path}/one")
    assert same(repo, f"{repo.path}/one") == (f"{repo.path}/.git/worktrees/one", f"{repo.path}/.git")
    os.symlink(f"{repo.path}/one", tmp_path / "link")
    same(repo, str(tmp_path / "link"))


@pytest.mark.parametrize("name", ["line\nend\n", os.fsdecode(b"\xff\xfe"), " space "])
def test_paths_of_any_letters(repo, name):
    path = f"{repo.path}/{name}"
    repo("worktree", "add", "-q", "--detach", path)
    same(repo, path)


def test_a_folder_of_git_s_that_lies_elsewhere_and_links_of_old(repo, tmp_path):
    repo("init", "-q", f"--separate-git-dir={tmp_path}/far")
    same(repo, repo.path)
    os.unlink(f"{repo.path}/.git")
    os.symlink(tmp_path / "far", f"{repo.path}/.git")
    same(repo, repo.path)
    os.unlink(tmp_path / "far" / "HEAD")
    os.symlink("refs/heads/main", tmp_path / "far" / "HEAD")
    same(repo, repo.path)


def test_a_worktree_whose_paths_are_relative(repo):
    repo("worktree", "add", "-q", "--detach", f"{repo.path}/one")
    with open(f"{repo.path}/one/.git", "w", encoding="utf-8") as link:
        link.write("gitdir: ../.git/worktrees/one\n")
    same(repo, f"{repo.path}/one")


def test_a_checkout_without_commits_and_a_detached_one(repo, tmp_path):
    repo("init", "-q", str(tmp_path / "new"))
    same(repo, str(tmp_path / "new"))
    repo("checkout", "-q", "--detach")
    same(repo, repo.path)


def _emptied(path):
    os.rename(path, f"{path} away")
    os.mkdir(path)


def _piped(path):
    os.rename(path, f"{path} away")
    os.mkfifo(path)


def _led_nowhere(path):
    os.rename(path, f"{path} away")
    with open(path, "w", encoding="utf-8") as link:
        link.write("gitdir: /nowhere\n")


@pytest.mark.parametrize("damage", [_emptied, _piped, _led_nowhere])
def test_what_git_does_not_take_for_its_folder_is_none(repo, damage):
    damage(f"{repo.path}/.git")
    assert folders_of(repo.path) is None
    with pytest.raises(GitFailed):
        git_folders(repo.git, repo.path)


@pytest.mark.parametrize("part", ["HEAD", "objects", "refs"])
def test_a_folder_that_lacks_a_part_is_none(repo, part):
    os.rename(f"{repo.path}/.git/{part}", f"{repo.path}/.git/{part} away")
    assert folders_of(repo.path) is None


def test_no_git_is_run_for_a_checkout_and_one_for_a_folder_in_it(repo):
    os.mkdir(f"{repo.path}/sub")
    nowhere = Git({**repo.git.environ, "PATH": "/nowhere"})
    assert git_folders(nowhere, repo.path).common == f"{repo.path}/.git"
    assert folders_of(f"{repo.path}/sub") is None
    assert git_folders(repo.git, f"{repo.path}/sub") == git_folders(repo.git, repo.path)


def test_the_common_folder_is_told_of_itself_and_of_each_checkout(repo, tmp_path):
    repo("worktree", "add", "-q", "--detach", f"{repo.path}/one")
    common = f"{repo.path}/.git"
    assert {common_of(path) for path in (repo.path, f"{repo.path}/one", common)} == {common}
    assert common_of(str(tmp_path)) is common_of(f"{repo.path}/none") is None
    repo("init", "-q", "--bare", f"{tmp_path}/bare")
    assert common_of(f"{tmp_path}/bare") == f"{tmp_path}/bare"


def test_a_worktree_is_one_as_long_as_its_link_leads_to_its_repository(repo):
    one = f"{repo.path}/one"
    repo("worktree", "add", "-q", "--detach", one)
    os.makedirs(f"{one}/sub")
    assert worktree_of(one) == f"{repo.path}/.git"
    assert worktree_of(repo.path) is worktree_of(f"{one}/sub") is worktree_of(f"{repo.path}/none") is None
    os.rename(f"{one}/.git", f"{one}/link")
    assert worktree_of(one) is None, "without its link"
    os.mkdir(f"{one}/.git")
    assert worktree_of(one) is None, "git looks further up"
    os.rmdir(f"{one}/.git")
    repo.git(one, "init", "-q")
    assert worktree_of(one) is None, "it is a repository of its own"
    os.rename(f"{one}/.git", f"{one}/other")
    with open(f"{one}/.git", "w", encoding="utf-8") as link:
        link.write(f"gitdir: {repo.path}/.git\n")
    assert worktree_of(one) is None, "it has what the main checkout has"


def test_files_of_a_checkout_are_not_taken_for_git_s(repo):
    for name in ("HEAD", "objects/a", "refs/a"):
        repo.write(name, "ref: refs/heads/main\n")
    assert common_of(repo.path) == f"{repo.path}/.git"
    _emptied(f"{repo.path}/.git")
    assert common_of(repo.path) is None


def test_the_common_folder_is_told_of_any_folder_of_a_checkout(repo, tmp_path):
    repo("worktree", "add", "-q", "--detach", f"{repo.path}/one")
    for folder in ("a/b", "one/c", ".git/hooks"):
        os.makedirs(f"{repo.path}/{folder}", exist_ok=True)
    os.symlink(f"{repo.path}/one/c", tmp_path / "link")
    inside = [repo.path, f"{repo.path}/a/b", f"{repo.path}/one", f"{repo.path}/one/c", str(tmp_path / "link")]
    assert {common_around(path) for path in inside} == {f"{repo.path}/.git"}
    repo("init", "-q", "--bare", f"{repo.path}/bare")
    repo("init", "-q", f"{repo.path}/own")
    assert common_around(f"{repo.path}/own") == f"{repo.path}/own/.git"
    for asked in (f"{repo.path}/.git/hooks", f"{repo.path}/bare/refs", f"{repo.path}/none", str(tmp_path)):
        assert common_around(asked) is None, asked
    _emptied(f"{repo.path}/own/.git")  # git looks further up then
    assert common_around(f"{repo.path}/own") is None
