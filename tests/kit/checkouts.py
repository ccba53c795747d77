"""Real repositories for tests, apart from the machine's own settings of git."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

from overmind_core.git.repository import Repository, find_repository
from overmind_core.git.run import Git

SETTINGS = """[user]
name = Ada
email = ada@example.invalid
[init]
defaultBranch = main
[gc]
auto = 0
[maintenance]
auto = false
"""


@dataclass(frozen=True)
class Repo:
    """A repository with one commit on `main`, and the git for it."""

    path: str
    git: Git

    def __call__(self, *words: str) -> str:
        """Run git in it."""
        return self.git(self.path, *words)

    def write(self, name: str, text: str = "text\n", *, at: str = "") -> None:
        """Write a file of the repository, or of the checkout `at`."""
        path = os.path.join(at or self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def commit(self, name: str, text: str = "text\n", *, at: str = "") -> str:
        """Commit one file; return the commit."""
        where = at or self.path
        self.write(name, text, at=where)
        self.git(where, "add", "--all")
        self.git(where, "commit", "--quiet", "--message", f"change {name}")
        return self.git(where, "rev-parse", "HEAD")

    @property
    def seen(self) -> Repository:
        """What is found there."""
        found = find_repository(self.git, self.path)
        assert found is not None
        return found

    def worktree(self, name: str = "abc") -> str:
        """Where a mission's worktree goes."""
        return os.path.join(self.path, ".overmind", "worktrees", name)


def world(home: str, **variables: str) -> dict[str, str]:
    """Return an environment in which git has these settings and no others."""
    settings = os.path.join(home, "settings-of-git")
    with open(settings, "w", encoding="utf-8") as file:
        file.write(SETTINGS)
    return {
        **os.environ,
        "HOME": home,
        "GIT_CONFIG_GLOBAL": settings,
        "GIT_CONFIG_NOSYSTEM": "1",
        **variables,
    }


def create(path: str, git: Git) -> Repo:
    """Create a repository with one commit."""
    os.makedirs(path)
    git(path, "init", "--quiet", "--template=")
    repo = Repo(path, git)
    repo.commit("first.txt")
    return repo


def copy(template: Repo, path: str, git: Git) -> Repo:
    """Return a copy, which is much faster than a new one."""
    shutil.copytree(template.path, path, symlinks=True)
    return Repo(path, git)
