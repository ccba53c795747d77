"""Running git: argument lists only, nobody asked for anything, no time without a limit.

Paths and texts are the system's (`os.fsdecode`): a name that is no UTF-8 survives the way there and back.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

SECONDS = 600.0
"""How long one git may take, unless said otherwise: a fetch or a checkout of a large repository."""
MARK = "OVERMIND_GIT_FOR"
"""Variable in the environment of each git, and of the hooks that it runs: for which mission it is."""
_GIT = ("git", "-c", "core.quotepath=false", "-c", "core.pager=cat", "-c", "advice.detachedHead=false")
_OK = frozenset({0})


class GitMissing(Exception):
    """There is no git on PATH."""


class GitFailed(Exception):
    """Git refused.

    Attributes:
        code: Its exit status; negative for a signal; None when it took too long.
        said: What it wrote to standard error, or else to standard output.
    """

    def __init__(self, words: tuple[str, ...], code: int | None, said: str) -> None:
        self.words = words
        self.code = code
        self.said = said.strip()
        super().__init__(f"git {' '.join(words)}: {self.reason}")

    @property
    def reason(self) -> str:
        """One line for people."""
        lines = [line.strip() for line in self.said.splitlines() if line.strip()]
        told = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[0] if lines else "")
        return told.removeprefix("fatal: ").removeprefix("error: ") or f"it ended with {self.code}"


class Answer(NamedTuple):
    """How a git ended, and what it wrote. `code` is one of those that were expected."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Git:
    """Git in a caller's world."""

    environ: Mapping[str, str]
    """The caller's environment: PATH, HOME, agents of ssh. Variables GIT_* are left out: they speak of the caller's
    own repository."""
    mission: str = ""
    """For whom it is; see `MARK`."""

    def __call__(self, folder: str, *words: str, seconds: float = SECONDS) -> str:
        """Return what git writes, without the last line's end.

        Raises:
            GitFailed: it does not end with 0, or takes more than `seconds`.
            GitMissing: there is none.
        """
        return self.ask(folder, *words, seconds=seconds).out.rstrip("\n")

    def ask(
        self,
        folder: str,
        *words: str,
        expected: Collection[int] = _OK,
        seconds: float = SECONDS,
        variables: Mapping[str, str] | None = None,
        text: str | None = None,
    ) -> Answer:
        """Run git in `folder`.

        Args:
            folder: Where.
            words: The command and its arguments.
            expected: Exit statuses that are an answer.
            seconds: How long it may take.
            variables: On top of the environment, such as GIT_INDEX_FILE.
            text: For its standard input.

        Raises:
            GitFailed: it ends with something else, or takes longer.
            GitMissing: there is none.
        """
        try:
            process = subprocess.Popen(
                [*_GIT, *words],
                cwd=folder,
                env={**self._environ(), **(variables or {})},
                stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            if error.filename == folder or not os.path.isdir(folder):
                raise GitFailed(words, None, f"the folder {folder} is not there") from None
            raise GitMissing from None
        except OSError as error:
            raise GitFailed(words, None, str(error)) from None
        try:
            out, err = process.communicate(None if text is None else os.fsencode(text), timeout=seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise GitFailed(words, None, f"git {words[0]} took more than {seconds:g} s") from None
        answer = Answer(process.returncode, os.fsdecode(out), os.fsdecode(err))
        if answer.code not in expected:
            raise GitFailed(words, answer.code, answer.err if answer.err.strip() else answer.out)
        return answer

    def _environ(self) -> dict[str, str]:
        kept = {name: value for name, value in self.environ.items() if not name.startswith(("GIT_", "OVERMIND_"))}
        for name in ("GIT_SSH", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL",
                     "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM",
                     "GIT_CONFIG_NOSYSTEM", "GIT_LFS_SKIP_SMUDGE"):  # fmt: skip
            if name in self.environ:
                kept[name] = self.environ[name]
        # What git says is recognised in places: English, whatever languages the person prefers.
        spoken = {"LANGUAGE": "", "LC_ALL": "C.UTF-8"}
        return {**kept, **spoken, "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true", MARK: self.mission}
