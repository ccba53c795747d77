"""Where a branch is pushed to, and what git says when it is not."""

from __future__ import annotations

import pytest

from overmind_core.git.merge import NoRemote, push, remote_for
from overmind_core.git.run import Git, GitFailed
from tests.kit.repositories import Repository


@pytest.fixture
def repository(tmp_path):
    made = Repository(str(tmp_path / "shop"))
    made.commit("first", {"a": "1\n"})
    made.git("branch", "overmind/red")
    return made


def remotes(repository, *names):
    for name in names:
        repository.git("init", "-q", "--bare", f"../{name}.git")
        repository.git("remote", "add", name, f"../{name}.git")


@pytest.mark.parametrize(
    ("names", "settings", "expected"),
    [
        (["origin", "fork"], {}, "origin"),
        (["fork"], {}, "fork"),
        (["origin", "fork"], {"branch.overmind/red.remote": "fork"}, "fork"),
        (["origin", "fork"], {"branch.overmind/red.remote": ".", "branch.main.remote": "fork"}, "fork"),
        (["origin", "fork"], {"branch.main.pushRemote": "fork", "branch.main.remote": "origin"}, "fork"),
        (["origin", "fork"], {"remote.pushDefault": "fork"}, "fork"),
    ],
)
def test_where_a_branch_goes(repository, names, settings, expected):
    remotes(repository, *names)
    for key, value in settings.items():
        repository.git("config", key, value)
    assert remote_for(Git(repository.environ), repository.folder, "overmind/red", "main") == expected


@pytest.mark.parametrize("names", [[], ["one", "two"]])
def test_where_nothing_says_where_it_is_asked(repository, names):
    remotes(repository, *names)
    with pytest.raises(NoRemote) as asked:
        remote_for(Git(repository.environ), repository.folder, "overmind/red", None)
    assert asked.value.args == (names,)


def test_a_branch_arrives_and_is_never_forced(repository):
    git = Git(repository.environ)
    remotes(repository, "origin")
    there = ["--git-dir", repository.path("..", "origin.git"), "rev-parse", "overmind/red"]
    assert push(git, repository.folder, "overmind/red", "origin").commit == repository.git(*there)
    repository.git("checkout", "-q", "overmind/red")
    repository.git("commit", "-q", "--amend", "-m", "another past")
    for remote, said in (("origin", "rejected"), ("--mirror", "not the name of a remote"), ("nosuch", "nosuch")):
        with pytest.raises(GitFailed) as refused:
            push(git, repository.folder, "overmind/red", remote)
        assert said in refused.value.output
