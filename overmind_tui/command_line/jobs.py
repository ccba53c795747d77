"""Jobs: command lines that run beside the screen. Output is kept, progress is shown, and they can be cancelled."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.system.run_mark import clear_own_mark_of
from overmind_core.view.prompt import Job

if TYPE_CHECKING:
    from overmind_core.system.paths import Home
    from overmind_tui.shell.world import World

    Found = list[dict[str, Any]]
    Background = Callable[[Callable[[], Callable[[], None] | None]], None]

PROGRAM = (sys.executable, "-P", "-m", "overmind_core.cli")
"""Our own command line."""

PROGRESS_AFTER = 1.0
"""Seconds after which somebody wants to know that it goes on."""
MOST = 1_000_000
"""Bytes that are kept of what a command line says: the newest."""
MOST_ROWS = 32_000_000
"""The same of one whose output is read as rows."""
ERROR = re.compile(r"^Error: \w+: ")
"""What a shell needs to see; here the sentence is red."""
_GRACE = 2.0
"""Seconds between asking it to end and ending it."""
_CHUNK = 65_536


class Outcome(NamedTuple):
    """What became of a job."""

    text: str
    code: int
    cancelled: bool = False
    errors: str = ""
    """The text of standard error, where that is kept apart."""


OnOutcome = Callable[[Outcome], None]


def failure(lines: Sequence[str], code: int) -> str:
    """Why a command line has failed: its error, else the first thing that it said."""
    errors = [line for line in lines if ERROR.match(line)]
    return ERROR.sub("", next(iter(errors or lines), f"exit {code}"))


class CommandJob:
    """Some command lines, one after the other. All but `cancel` is for a thread of its own.

    Args:
        name: What a person calls it.
        calls: The words of each, program first.
        folder: Where they run.
        environ: Their environment.
        most: Bytes that are kept of what they say.
        is_apart: Standard error is no part of what they say.
    """

    def __init__(
        self, name: str, calls: Sequence[Sequence[str]], folder: str, environ: Mapping[str, str], *, most: int = MOST,
        is_apart: bool = False,
    ) -> None:  # fmt: skip
        self.name = name
        self.began = time.monotonic()
        self.cancelled = False
        self._calls = calls
        self._folder = folder if os.path.isdir(folder) else "/"
        self._environ = environ
        self._most = most
        self._is_apart = is_apart
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def work(self) -> Outcome:
        """Run all; blocks."""
        output, errors, code = bytearray(), b"", 0
        with tempfile.TemporaryFile() as apart:  # a pipe that nobody reads would stop who fills it
            for argv in self._calls:
                try:
                    code = max(code, self._one(argv, output, apart.fileno() if self._is_apart else subprocess.STDOUT))
                except OSError as error:
                    output += f"{error}\n".encode()
                    code = 1
                if self.cancelled:
                    break
            if self._is_apart:
                apart.seek(0)
                errors = apart.read(_CHUNK)
        return Outcome(output.decode(errors="replace"), code, self.cancelled, errors.decode(errors="replace"))

    def _one(self, argv: Sequence[str], output: bytearray, errors: int) -> int:
        with self._lock:
            if self.cancelled:
                return 1
            process = self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, cwd=self._folder,
                env=dict(self._environ), start_new_session=True,
            )  # fmt: skip
            clear_own_mark_of(process.pid)  # we may be the supervisor: this one is the person's
        assert process.stdout is not None
        while chunk := os.read(process.stdout.fileno(), _CHUNK):
            output += chunk
            del output[: -self._most]
        process.stdout.close()
        return abs(process.wait())

    def cancel(self) -> None:
        """Have it end; by force when it doesn't."""
        with self._lock:
            self.cancelled = True
            process = self._process
        if process is not None and process.poll() is None:
            _signal(process, signal.SIGINT)
            timer = threading.Timer(_GRACE, _signal, (process, signal.SIGKILL))
            timer.daemon = True
            timer.start()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, number)


class Jobs:
    """All jobs that run now.

    Args:
        background: Does some work in a thread; what it answers is then called in the program's own.
        world: The folder and the environment of command lines.
        home: Which they are about.
    """

    def __init__(self, background: Background, world: World, home: Home) -> None:
        self._background = background
        self._world = world
        self._home = home
        self._running: list[CommandJob] = []

    def start(self, name: str, calls: Sequence[Sequence[str]], on_result: OnOutcome) -> None:
        """Run command lines in a thread; `on_result` gets their outcome in the program's own."""
        job = CommandJob(name, calls, self._world.folder, self._environ)

        def work() -> Callable[[], None]:
            outcome = job.work()
            return lambda: on_result(outcome)

        self._run(job, work)

    def read(
        self, argv: Sequence[str], shape: Callable[[Any], Found], on_result: Callable[[Found | str], None]
    ) -> CommandJob:  # fmt: skip
        """Run a command line that prints JSON, in a thread.

        Args:
            argv: Its words, program first.
            shape: Makes rows of the JSON, in the thread.
            on_result: Gets the rows in the program's own thread, or a sentence that says why there are none.
        """
        job = CommandJob(argv[len(PROGRAM)], [argv], self._world.folder, self._environ, most=MOST_ROWS, is_apart=True)

        def work() -> Callable[[], None]:
            found = _shaped(job.name, job.work(), shape)
            return lambda: on_result(found)

        self._run(job, work)
        return job

    @property
    def _environ(self) -> Mapping[str, str]:
        return {**self._world.environ, "OVERMIND_HOME": self._home.root}

    def _run(self, job: CommandJob, work: Callable[[], Callable[[], None]]) -> None:
        self._running.append(job)

        def whole() -> Callable[[], None]:
            tell = work()

            def ended() -> None:
                self._running.remove(job)
                tell()

            return ended

        self._background(whole)

    @property
    def long(self) -> list[Job]:
        """Those that have been going on for so long that it is to be said, the newest last."""
        now = time.monotonic()
        return [
            Job(job.name, "ending" if job.cancelled else "", now - job.began)
            for job in self._running
            if now - job.began >= PROGRESS_AFTER
        ]

    def cancel(self) -> bool:
        """End the newest of those that have shown their progress; whether there was any."""
        now = time.monotonic()
        running = [job for job in self._running if not job.cancelled and now - job.began >= PROGRESS_AFTER]
        if running:
            running[-1].cancel()
        return bool(running)

    def close(self) -> None:
        """Nobody is told any more: end them all."""
        for job in self._running:
            job.cancel()


def _shaped(name: str, outcome: Outcome, shape: Callable[[Any], Found]) -> Found | str:
    """The rows of a command line's JSON, or why there are none."""
    if outcome.cancelled:
        return f"{name}: cancelled"
    if outcome.code:
        return f"{name}: {failure(outcome.errors.strip().splitlines(), outcome.code)}"
    try:
        return shape(json.loads(outcome.text))
    except ValueError:
        return f"{name}: its answer can't be read, as it is too long or damaged"
