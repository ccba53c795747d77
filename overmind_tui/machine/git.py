"""What changed in a folder, as git tells it. It runs git, so it is for a thread.

Nothing that the folder's configuration names is run, no lock is taken, and neither time nor size is without a limit.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

SECONDS = 10.0
"""How long one git may take."""
MOST = 2_000_000
"""Bytes of a diff that are read."""
COMMITS = 20
_GIT = ("git", "-c", "core.pager=cat", "-c", "core.fsmonitor=false", "-c", "core.quotepath=false",
        "--no-optional-locks", "--literal-pathspecs")  # fmt: skip
_DIFF = ("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames", "--submodule=short")


class NoGit(Exception):
    """Git can't say anything of the folder; the sentence says why."""


class Changes(NamedTuple):
    """Raw answers of git.

    Attributes:
        branch: What is checked out; "" when it has no name.
        commits: Hash and subject of those that were made since a time, the newest first.
        status: `status --porcelain=v1 -z`.
        diff: Of all that is tracked, against the last commit.
        cut: Why the diff is not whole; "" when it is.
    """

    branch: str
    commits: tuple[str, ...]
    status: str
    diff: str
    cut: str


def changes(folder: str, environ: Mapping[str, str], *, since: str | None) -> Changes:
    """What changed below a folder.

    Args:
        folder: Where.
        environ: In which git is looked for.
        since: RFC 3339; commits made after that are listed, too.

    Raises:
        NoGit: there is no folder, no git, no repository, or no answer.
    """
    ask = _Asker(folder, environ)
    ask("rev-parse", "--is-inside-work-tree")
    branch = ask("branch", "--show-current").strip()
    has_commits = ask.succeeds("rev-parse", "--verify", "--quiet", "HEAD")
    commits = ask("log", "--no-color", "--format=%h %s", f"--max-count={COMMITS}", f"--since={since}", "--", ".") \
        if has_commits and since else ""  # fmt: skip
    status = ask("status", "--porcelain=v1", "-z", "--untracked-files=normal", "--", ".")
    against = "HEAD" if has_commits else ask("hash-object", "-t", "tree", os.devnull).strip()
    diff, cut = ask.limited(*_DIFF, against, "--", ".")
    return Changes(branch, tuple(commits.splitlines()), status, diff, cut)


class _Asker:
    """Runs git in a folder."""

    def __init__(self, folder: str, environ: Mapping[str, str]) -> None:
        self._folder = folder
        kept = {name: value for name, value in environ.items() if not name.startswith("GIT_")}
        self._environ = {**kept, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}
        if not os.path.isdir(folder):
            raise NoGit(f"the folder {folder} is not there")

    def __call__(self, *words: str) -> str:
        """What git says, which has to be little.

        Raises:
            NoGit: it fails.
        """
        return self.limited(*words)[0]

    def succeeds(self, *words: str) -> bool:
        """Whether git ends well."""
        return not self._run(words)[2]

    def limited(self, *words: str) -> tuple[str, str]:
        """What git says, as far as it is not too much, and why there is no more of it."""
        said, cut, code, errors = self._run(words)
        if code and not cut:
            raise NoGit(self._explained(errors.strip().partition("\n")[0] or f"git ended with {code}"))
        return said, cut

    def _explained(self, error: str) -> str:
        return f"{self._folder} is in no git repository" if "not a git repository" in error else error

    def _run(self, words: Sequence[str]) -> tuple[str, str, int, str]:
        """Output, why it was cut, exit status, errors."""
        try:
            process = subprocess.Popen(
                [*_GIT, *words], cwd=self._folder, env=self._environ, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise NoGit("git is not on PATH" if error.filename == "git" else str(error)) from None
        late = threading.Timer(SECONDS, process.kill)
        late.start()
        with process:
            assert process.stdout is not None
            assert process.stderr is not None
            said = process.stdout.read(MOST)
            long = len(said) == MOST
            if long:
                process.kill()
            errors = process.stderr.read(MOST)
        in_time = late.is_alive()
        late.cancel()
        late.join()
        cut = (
            f"more than {MOST // 1_000_000} MB" if long else ("" if in_time else f"git took more than {SECONDS:.0f} s")
        )
        return said.decode(errors="replace"), cut, process.returncode, errors.decode(errors="replace")
