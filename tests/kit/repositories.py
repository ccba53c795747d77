"""Git repositories for tests: small, alone in their world, with a fixed author."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from typing import Self

AUTHOR = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


class Repository:
    """A checkout; made, with a branch `main`, unless it is there."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.environ = {"PATH": os.environ["PATH"], "HOME": os.path.dirname(folder), "LC_ALL": "C.UTF-8", **AUTHOR}
        if not os.path.isdir(folder):
            os.makedirs(folder)
            self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        """Run git, which must succeed, and return what it printed."""
        finished = subprocess.run(
            ["git", *words], cwd=self.folder, env=self.environ, capture_output=True, encoding="utf-8", check=False
        )
        assert finished.returncode == 0, f"git {words}: {finished.stdout}{finished.stderr}"
        return finished.stdout.strip()

    def path(self, *names: str) -> str:
        """Return a path in the checkout."""
        return os.path.join(self.folder, *names)

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files; folders are made."""
        for name, content in files.items():
            os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
            with open(self.path(name), "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())

    def read(self, name: str) -> str:
        """Return a file's text."""
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def commit(self, message: str, files: Mapping[str, str | bytes]) -> str:
        """Write files and commit all there is; return the commit."""
        self.write(files)
        self.git("add", "-A")
        self.git("-c", "maintenance.auto=false", "commit", "-q", "--allow-empty", "-m", message)
        return self._newest() or self.git("rev-parse", "HEAD")

    def _newest(self) -> str:
        """The commit that is checked out, as git writes it down for a branch of the main worktree; "" elsewhere."""
        try:
            with open(self.path(".git", "HEAD"), encoding="utf-8") as head:
                branch = head.read().strip().removeprefix("ref: ")
            with open(self.path(".git", branch), encoding="utf-8") as commit:
                return commit.read().strip()
        except OSError:
            return ""

    def worktree(self, branch: str) -> Self:
        """Check a branch out beside this one, which is made if it is not there; return that."""
        folder = f"{self.folder} {branch.replace('/', '-')}"
        known = self.git("branch", "--list", branch)
        self.git("worktree", "add", "-q", folder, *((branch,) if known else ("-b", branch)))
        return type(self)(folder)

    def traces(self) -> dict[str, bytes]:
        """Every file that git keeps for this repository and its worktrees, to prove that nothing was touched."""
        found = {}
        for folder, _, names in os.walk(self.path(".git")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    found[os.path.join(folder, name)] = file.read()
        return found
