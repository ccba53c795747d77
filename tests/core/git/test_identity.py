"""Which repository a folder is of."""

from __future__ import annotations

import os

from overmind_core.domain.memory.repository import KnownBy, RepositoryName
from overmind_core.git.identity import identity
from overmind_core.git.run import Git
from tests.core.git.test_number_of_gits import Counted


def name(repo, folder=None):
    return identity(repo.git, folder or repo.path).repository.name


def test_worktrees_clones_and_subfolders_are_one_repository_and_another_remote_is_another(repo, tmp_path):
    repo("remote", "add", "origin", "git@github.com:Team/shop.git")
    repo("remote", "add", "fork", "git@github.com:ada/shop.git")
    repo("worktree", "add", "-q", repo.worktree(), "-b", "other")
    os.makedirs(f"{repo.worktree()}/deep/er")
    repo("clone", "-q", "--bare", repo.path, str(tmp_path / "bare.git"))
    bare = str(tmp_path / "bare.git")
    assert identity(repo.git, bare).repository.by is KnownBy.ROOT  # its remote is a path
    repo.git(bare, "remote", "set-url", "origin", "https://x:y@github.com/team/shop/")
    seen = {name(repo, folder) for folder in (repo.path, repo.worktree(), f"{repo.worktree()}/deep/er", bare)}
    assert seen == {"github.com/team/shop"}
    here, there = identity(repo.git, repo.path), identity(repo.git, f"{repo.worktree()}/deep")
    assert (here.place, here.top, there.top) == (there.place, repo.path, repo.worktree())
    repo("remote", "set-url", "origin", "https://github.com/ada/shop")
    assert name(repo) == "github.com/ada/shop"


def test_without_a_remote_the_first_commit_tells_and_stays_when_there_are_more(repo, make_repo):
    first = repo("rev-list", "--max-parents=0", "HEAD")
    known = identity(repo.git, repo.path)
    assert known.repository == (f"root:{first}", KnownBy.ROOT)
    repo.commit("more")
    repo.write("new")
    repo("stash", "--include-untracked")  # a commit without parents of its own
    assert identity(repo.git, repo.path) == known
    repo("remote", "add", "origin", "/srv/git/shop.git")
    assert identity(repo.git, repo.path) == known
    repo("remote", "set-url", "origin", "git@host:shop")
    assert identity(repo.git, repo.path) == known._replace(repository=RepositoryName("host/shop", KnownBy.URL))


def test_a_shallow_clone_without_a_url_and_what_has_no_commit_are_known_by_their_path(repo, tmp_path):
    repo.commit("more")
    shallow, empty = str(tmp_path / "shallow"), str(tmp_path / "empty")
    repo("clone", "-q", "--depth", "1", f"file://{repo.path}", shallow)
    repo("init", "-q", empty)
    os.mkdir(f"{empty}/sub")
    for folder, top in ((shallow, shallow), (empty, empty), (f"{empty}/sub", empty)):
        found = identity(repo.git, folder)
        assert (found.repository, found.top) == ((os.path.realpath(top), KnownBy.PATH), os.path.realpath(top))


def test_a_submodule_is_a_repository_of_its_own(repo, make_repo):
    inner = make_repo("inner")
    repo("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.path, "lib")
    repo.git(f"{repo.path}/lib", "remote", "set-url", "origin", "git@host:lib.git")
    repo("remote", "add", "origin", "git@host:shop.git")
    found = identity(repo.git, f"{repo.path}/lib")
    assert (found.repository.name, found.top) == ("host/lib", f"{repo.path}/lib")
    assert name(repo) == "host/shop"


def test_a_folder_without_git_and_one_that_git_refuses_are_known_by_their_path(repo, tmp_path):
    link = tmp_path / "link"
    plain = tmp_path / "plain"
    plain.mkdir()
    link.symlink_to(plain)
    expected = (str(plain.resolve()), KnownBy.PATH)
    assert identity(repo.git, str(link)).repository == expected
    nowhere = Git({"PATH": str(plain)})
    assert identity(nowhere, str(plain)).repository == expected
    assert identity(nowhere, repo.path).repository == (repo.path, KnownBy.PATH)
    repo("config", "remote.origin.url", "git@host:shop")
    with open(f"{repo.path}/.git/config", "a", encoding="utf-8") as file:
        file.write("[broken\n")
    assert identity(repo.git, repo.path).repository == (repo.path, KnownBy.PATH)


def test_one_git_is_run_where_there_is_a_remote_or_no_git(repo, tmp_path):
    git = Counted(repo.git.environ)
    plain = tmp_path / "plain"
    plain.mkdir()
    identity(git, str(plain))
    repo("remote", "add", "origin", "git@host:shop.git")
    identity(git, repo.path)
    assert git.words == ["rev-parse", "config"]
    repo("remote", "remove", "origin")
    identity(git, repo.path)
    assert git.words[2:] == ["config", "rev-list"]
