"""Running git: argument lists only, nobody asked for anything, no time without a limit, and patience with held locks.

Paths and texts are the system's (`os.fsdecode`): a name that is no UTF-8 survives the way there and back. Git's lock
files are held for moments by somebody who works beside us, or for ever by one that was killed.
"""

from __future__ import annotations

import errno
import os
import re
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import IO, NamedTuple, TypeVar

from overmind_core.git import absent_filters
from overmind_core.system.marked_program import start_own
from overmind_core.system.run_mark import OWN_VARIABLE

SECONDS = 600.0
"""How long one git may take, unless said otherwise: a fetch or a checkout of a large repository."""
MARK = OWN_VARIABLE
"""Variable in the environment of each git, and of the hooks that it runs: for which mission it is."""
HOME = "OVERMIND_HOME"
"""Variable with the supervisor's home: what a hook asks for, it asks of nobody else."""
_GIT = ("git", "-c", "core.quotepath=false", "-c", "core.pager=cat", "-c", "advice.detachedHead=false",
        "-c", "core.fsmonitor=false")  # fmt: skip
_ACTS = frozenset({"branch", "checkout", "commit", "fetch", "merge", "push", "rebase", "submodule", "update-ref",
                   "worktree"})  # fmt: skip
"""Commands that do what a person would do there: with the hooks and the access that the person has. Others only look,
and whoever wrote the repository's settings is no reason to run a program."""
_LOOKS = ("-c", "core.hooksPath=/dev/null", "-c", "credential.helper=")
_NO_LOCKS = {"GIT_OPTIONAL_LOCKS": "0"}
"""A look never takes the index from under whoever works there."""
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Errors by which a file system says that it is full."""
_LOOKUPS = frozenset({"check-ref-format", "rev-parse", "show-ref", "symbolic-ref"})
"""Looks that run no program: no hook, no filter, and with `_NO_FETCH` nothing that would bring a missing object. Such a
git need not be kept from raising its limits: setting those takes a program that costs as much as the git."""
_NO_FETCH = {"GIT_ALLOW_PROTOCOL": "none"}
"""Source: git(1); a list of the only protocols, whatever the settings of the repository say."""
_AS_MADE = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_GRAFT_FILE": f"{os.devnull}/none"}
"""Commits are as they were made, be there others that stand for them here, or other parents: those are what lands.
Source: git-replace(1), gitrepository-layout(5); of a file that is there git would say that it is out of use."""
WORKTREES = "/.overmind/worktrees"
"""Where in a checkout the worktrees of missions are."""
UMASK = 0o022
"""Where nobody says another one."""
_OK = frozenset({0})


_FILTER = re.compile(r"\b(?:clean|smudge) filter .* failed$")
"""Source: git's convert.c."""


_CAUSE = re.compile(
    r"(?:not found|No such file or directory|[Pp]ermission denied.*|not executable|Exec format error|"
    r"Could not resolve (?:host|hostname) .*|Host key verification failed.*|"
    r"Connection (?:refused|timed out|closed.*|reset.*))$"
)
"""Ends of lines in which the shell, ssh or another program that git ran says why it failed."""


_PROGRESS = re.compile(
    r"Preparing worktree|Cloning into|Switched to|HEAD is now|Previous HEAD|Updating |From |To |Auto-merging|CONFLICT|"
    r"Submodule |Already |Note:|hint:|warning:|remote:|Enumerating |Counting |Compressing |Writing |Receiving |Unpack"
)
"""Beginnings of lines in which git says what it does."""


class GitMissing(Exception):
    """There is no git on PATH."""


class GitFailed(Exception):
    """Git refused.

    Attributes:
        code: Its exit status; negative for a signal; None when it took too long.
        output: What it wrote to standard error, or else to standard output; what is made of that for people.
        said: The same as git wrote it.
    """

    def __init__(self, words: tuple[str, ...], code: int | None, output: str, *, said: str | None = None) -> None:
        self.words = words
        self.code = code
        self.output = output.strip()
        self.said = self.output if said is None else said
        super().__init__(f"git {' '.join(words)}: {self.reason}")

    @property
    def is_disk_full(self) -> bool:
        """Whether there was no room for what it had to write."""
        return any(os.strerror(number) in self.output for number in NO_ROOM)

    @property
    def was_ended(self) -> bool:
        """Whether a signal ended it."""
        return self.code is not None and self.code < 0

    @property
    def reason(self) -> str:
        """One line for people."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith(("fatal:", "error:"))]
        chosen = [*errors, *lines][:1]
        if errors and (cause := _cause(lines, errors)) is not None:
            chosen.insert(0, cause)
        if errors and _FILTER.search(errors[-1]) and errors[-1] not in chosen:
            chosen.insert(0, errors[-1])  # it names the file and the filter, the first one only the program
        plain = (one.removeprefix("fatal: ").removeprefix("error: ") for one in chosen)
        return ": ".join(plain) or f"it exited with {self.code}"


def _cause(lines: Sequence[str], errors: Sequence[str]) -> str | None:
    """What a program that git ran had to say: the rest only follows from it. Git may be the quicker one of the two."""
    others = [line for line in lines if line not in errors and not _PROGRESS.match(line)]
    before = lines[: lines.index(errors[0])]
    return next((line for line in others if line in before or _CAUSE.search(line)), None)


class GitAnswer(NamedTuple):
    """How a git ended, and what it wrote. `code` is one of those that were expected."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Git:
    """Git in a caller's environment."""

    environ: Mapping[str, str]
    """The caller's environment: PATH, HOME, agents of ssh. Variables GIT_* are left out: they speak of the caller's
    own repository."""
    mission: str = ""
    """For whom it is; see `MARK`."""
    umask: int = UMASK
    """Of the files that it makes; our own is for what belongs to the home."""
    home: str = ""
    """Path of the supervisor's home; "" leaves the caller's."""
    limit: float = SECONDS
    """How long each git may take, where a call says nothing else."""
    filters_off: tuple[str, ...] = ()
    """Filters that it does without, beside those that are switched off in the worktree where it runs."""

    def __call__(self, folder: str, *words: str, seconds: float | None = None) -> str:
        """Return what git writes, without the last line's end.

        Raises:
            GitFailed: it does not end with 0, or takes more than `seconds`.
            GitMissing: there is none.
        """
        return self.run(folder, *words, seconds=seconds).out.rstrip("\n")

    def run(
        self,
        folder: str,
        *words: str,
        expected: Collection[int] = _OK,
        seconds: float | None = None,
        variables: Mapping[str, str] | None = None,
        text: str | None = None,
        kept: tuple[int, ...] = (),
    ) -> GitAnswer:
        """Run git in `folder`.

        Args:
            folder: Where.
            words: The command and its arguments.
            expected: Exit statuses that are an answer.
            seconds: How long it may take; `limit` by default.
            variables: On top of the environment, such as GIT_INDEX_FILE.
            text: For its standard input.
            kept: Descriptors that it inherits, under the same numbers.

        Raises:
            GitFailed: it ends with something else, or takes longer.
            GitMissing: there is none.
        """
        from tempfile import TemporaryFile  # noqa: PLC0415 - a supervisor without isolated missions never needs it

        # No pipes: a hook may leave a process behind that holds them open for as long as it lives.
        try:
            with (
                nullcontext() if text is None else TemporaryFile() as given,
                TemporaryFile() as out,
                TemporaryFile() as err,
            ):
                if given is not None and text is not None:
                    given.write(os.fsencode(text))
                    given.seek(0)
                most = self.limit if seconds is None else seconds
                code = self._run(words, folder, (given or subprocess.DEVNULL, out, err), variables or {}, most, kept)
                answer = GitAnswer(code, _written(out), _written(err))
        except OSError as error:
            raise GitFailed(words, None, f"no temporary file can be written: {error.strerror}") from None
        if answer.code not in expected:
            raise GitFailed(words, answer.code, answer.err if answer.err.strip() else answer.out)
        return answer

    def _run(  # noqa: PLR0917 (none of them has a default)
        self,
        words: tuple[str, ...],
        folder: str,
        files: tuple[IO[bytes] | int, IO[bytes], IO[bytes]],
        variables: Mapping[str, str],
        seconds: float,
        kept: tuple[int, ...],
    ) -> int:
        acts = command_of(words) in _ACTS
        runs_nothing = _runs_nothing(words)
        off = () if runs_nothing else (*self.filters_off, *absent_filters.switched_off(folder, self.environ))
        try:
            process = (subprocess.Popen if runs_nothing else start_own)(
                [*_GIT, *(() if acts else _LOOKS), *absent_filters.settings(off), *words],
                cwd=folder,
                env={
                    **self._environ(),
                    **_ceiling(folder),
                    **({} if acts else _NO_LOCKS),
                    **variables,
                    **(_NO_FETCH if runs_nothing else {}),
                },
                stdin=files[0],
                stdout=files[1],
                stderr=files[2],
                start_new_session=True,
                umask=self.umask,
                pass_fds=kept,
            )
        except FileNotFoundError as error:
            if error.filename == folder or not os.path.isdir(folder):
                raise GitFailed(words, None, f"the folder {folder} does not exist") from None
            raise GitMissing from None
        except OSError as error:
            raise GitFailed(words, None, str(error)) from None
        code, is_late = _wait(process, seconds)
        if is_late and code == -signal.SIGKILL:
            raise GitFailed(words, None, f"git {command_of(words)} took more than {seconds:g} s")
        return code

    def _environ(self) -> dict[str, str]:
        kept = {name: value for name, value in self.environ.items() if not name.startswith(("GIT_", "OVERMIND_"))}
        for name in ("GIT_SSH", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL",
                     "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM",
                     "GIT_CONFIG_NOSYSTEM", "GIT_LFS_SKIP_SMUDGE"):  # fmt: skip
            if name in self.environ:
                kept[name] = self.environ[name]
        home = self.home or self.environ.get(HOME, "")
        if home:
            kept[HOME] = home
        # What git says is recognised in places: English, whatever languages the person prefers.
        spoken = {"LANGUAGE": "", "LC_ALL": "C.UTF-8"}
        return {
            **kept,
            **spoken,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_EDITOR": "true",
            "GIT_SEQUENCE_EDITOR": "true",
            **_AS_MADE,
            MARK: self.mission,
        }


def _ceiling(folder: str) -> dict[str, str]:
    """Have a git in a mission's worktree look no further up: where that has lost its link, a person's checkout is next.

    Source: git(1), GIT_CEILING_DIRECTORIES.
    """
    checkout, found, _ = f"{folder}/".rpartition(f"{WORKTREES}/")
    return {"GIT_CEILING_DIRECTORIES": f"{checkout}{WORKTREES}"} if found else {}


def command_of(words: Sequence[str]) -> str:
    """The command among the words after `git`: what comes before it are options, `-c` with the setting after it."""
    rest = iter(words)
    for word in rest:
        if word == "-c":
            next(rest, "")
        elif not word.startswith("-"):
            return word
    return ""


def _wait(process: subprocess.Popen[bytes], seconds: float) -> tuple[int, bool]:
    """Wait for a program's end; its exit status, and whether it took too long and was killed with all it started."""
    # With a limit of its own, `wait` would sleep between two looks, for longer than most of these take.
    try:
        end = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # no such thing here, or no file descriptor left
        return _wait_in_threads(process, seconds)
    try:
        poll = select.poll()
        poll.register(end, select.POLLIN)
        is_late = not poll.poll(seconds * 1000)
    finally:
        os.close(end)
    if is_late:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return process.wait(), is_late


def _wait_in_threads(process: subprocess.Popen[bytes], seconds: float) -> tuple[int, bool]:
    is_late = threading.Event()
    limit = threading.Timer(seconds, _kill, [process, is_late])
    limit.start()
    code = process.wait()
    limit.cancel()
    return code, is_late.is_set()


def _kill(process: subprocess.Popen[bytes], is_late: threading.Event) -> None:
    is_late.set()  # first: whoever waits for the process may go on before this thread does
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _runs_nothing(words: Sequence[str]) -> bool:
    """Whether git runs no other program for these; a tree may have to be fetched first, a branch's commit never."""
    return words[0] in _LOOKUPS and not any("^{tree}" in word for word in words)


def _written(file: IO[bytes]) -> str:
    file.seek(0)
    return os.fsdecode(file.read())


LOCK_LIMIT = 8.0
"""Seconds for which a lock that somebody holds is waited for."""
_FIRST, _LONGEST = 0.02, 0.3
"""Seconds between two attempts."""
_HELD = (
    re.compile(r"[Uu]nable to create '(?P<lock>.*?\.lock)': File exists", re.DOTALL),
    re.compile(r"could not lock (?:config )?file (?P<file>.*?): File exists", re.DOTALL),
)
_PASSING = (
    re.compile(r"failed to read .*commondir"),  # a worktree that is being added at this moment
    re.compile(r"bad object worktrees/"),  # the same
    re.compile(r"[Ii]nvalid path '.*/worktrees/[^/']+': No such file"),  # one that is being removed
    re.compile(r"could not create leading directories"),
    re.compile(r"cannot lock ref .*(?:unable to resolve reference|but expected|No such file)", re.DOTALL),
    re.compile(r"could not lock config file"),
    re.compile(r"cannot update ref .*: "),
)

Result = TypeVar("Result")


def held_lock(output: str) -> str | None:
    """Return the lock file that git's output names as held; None when it names none."""
    for pattern in _HELD:
        found = pattern.search(output)
        if found is not None:
            names = found.groupdict()
            return names.get("lock") or f"{names['file']}.lock"
    return None


def retry_while_locked(attempt: Callable[[], Result], *, seconds: float | None = None) -> Result:
    """Return what `attempt` does, which is made again as long as another git is in its way.

    Args:
        attempt: Leaves nothing behind when it fails.
        seconds: How long; `LOCK_LIMIT` by default.

    Raises:
        GitFailed: of the attempt; a lock that stays held is named, with what to do.
        GitMissing: there is no git.
    """
    until = time.monotonic() + (LOCK_LIMIT if seconds is None else seconds)
    pause = _FIRST
    while True:
        try:
            return attempt()
        except GitFailed as error:
            lock = held_lock(error.output)
            if lock is None and not any(pattern.search(error.output) for pattern in _PASSING):
                raise
            if time.monotonic() >= until:
                raise _stuck(error, lock) from None
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST)


def _stuck(error: GitFailed, lock: str | None) -> GitFailed:
    if lock is None:
        return error
    output = (
        f"fatal: {lock} is held by another git, or was left by one that was killed: "
        "wait for it, or remove the file if no git is running, then try again"
    )
    return GitFailed(error.words, error.code, output, said=error.said)
