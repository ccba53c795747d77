"""The repositories of a home whose work comes from elsewhere: a bare one for each, and a checkout beside it.

The bare one gets what is pushed or fetched, and has the branches of the missions. The checkout is what a mission is
started in: its worktree is made there as in any other project. It stays where it is, so that a trusted `.overmind.yml`
stays trusted, and what git ignores there (such as `.env`) can be put there once by the account's owner.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from tempfile import mkdtemp

from overmind_core.domain.sent_work import is_repository_name
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError
from overmind_core.git.run import Git, GitFailed, GitMissing

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, NoReturn

    from overmind_core.system.paths import Home

_FORMATS = frozenset({"sha1", "sha256"})
_HASH_LENGTHS = frozenset({40, 64})
_SETTINGS = ("-c", "core.hooksPath=/dev/null", "-c", "receive.shallowUpdate=true", "-c", "gc.autoDetach=false",
             "-c", "maintenance.autoDetach=false")  # fmt: skip
"""No hook of the account runs for what is sent; a shallow clone can be sent; nothing goes on behind the connection."""


class HomeRepository:
    """One repository of those.

    Args:
        home: Whose.
        wish: A channel's first line: `repository`, and `format` where it may have to be made. As hostile as it comes.

    Raises:
        OvermindError: `invalid`, it names none.
    """

    def __init__(self, home: Home, wish: Mapping[str, Any]) -> None:
        name, kind = wish.get("repository"), wish.get("format", "sha1")
        if not isinstance(name, str) or not is_repository_name(name):
            raise OvermindError("invalid", "A repository's name has lower-case letters, digits and -, at most 64.")
        if kind not in _FORMATS:
            raise OvermindError("invalid", "The format of a repository is sha1 or sha256.")
        self._format = kind
        self._folder = home.repositories
        self._bare = os.path.join(self._folder, f"{name}.git")
        self.checkout = os.path.join(self._folder, name)
        """Path of its checkout, be there one or none."""
        self._git = Git(os.environ, home=home.root)

    @property
    def bare(self) -> str:
        """Path of the bare one, be it there or not."""
        return self._bare

    def prepare(self, *, make: bool) -> None:
        """See that it is there; `make`: make it, empty, where it is not.

        Raises:
            OvermindError: `not_found`, it is not there; `git_failed`, it can't be made.
        """
        if shutil.which("git") is None:
            raise OvermindError("git_failed", "git is not installed there, or not on the PATH of overmind gate.")
        if os.path.isdir(self._bare):
            return
        if not make:
            raise OvermindError("not_found", f"There is no repository {os.path.basename(self.checkout)} there.")
        fresh = ""
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            fresh = mkdtemp(prefix=".new-", dir=self._folder)
            words = ("init", "--quiet", "--bare", "--template=", f"--object-format={self._format}")
            self._run(self._folder, *words, fresh)
            os.rename(fresh, self._bare)
        except OSError as error:
            if not os.path.isdir(self._bare):  # else another gate was faster
                raise OvermindError("git_failed", f"{self._bare} can't be made: {error.strerror}.") from None
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def become(self, service: str, *, reads: int, writes: int) -> NoReturn:
        """Turn this process into git's own service for it.

        Args:
            service: `receive-pack` or `upload-pack`.
            reads: The descriptor from which git reads.
            writes: The one to which it writes.
        """
        os.dup2(reads, 0)
        os.dup2(writes, 1)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"):
            if name in os.environ:
                kept[name] = os.environ[name]
        os.execvpe("git", ["git", *_SETTINGS, service, self._bare], kept)  # noqa: S606 - no shell, as everywhere

    def check_out(self, commit: object) -> None:
        """Have the checkout be at a commit; files that git does not know stay.

        Raises:
            OvermindError: `invalid`, that is none; `git_failed`.
        """
        if not isinstance(commit, str) or len(commit) not in _HASH_LENGTHS or set(commit) - set("0123456789abcdef"):
            raise OvermindError("invalid", "A commit is given by its whole hash.")
        self.prepare(make=False)
        with self._lock():
            if os.path.lexists(os.path.join(self.checkout, ".git")):
                self._run(self.checkout, "checkout", "--quiet", "--force", "--detach", commit)
                return
            self._run(self._bare, "worktree", "prune")  # of one whose folder was deleted
            self._run(self._bare, "worktree", "add", "--quiet", "--force", "--detach", self.checkout, commit)

    def _run(self, folder: str, *words: str) -> None:
        try:
            self._git(folder, *_SETTINGS, *words)
        except GitFailed as error:
            raise OvermindError("git_failed", f"Git refused: {to_wire(error.reason)}.") from None
        except GitMissing:
            raise OvermindError("git_failed", "git is not installed there.") from None

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Two gates check out one after the other."""
        with open(os.path.join(self._bare, "overmind.lock"), "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
