"""The execution of targets: each has a session of its own, and its output is in a file until it ends.

Lanes run side by side in one thread, which looks after them. A terminal is not needed, and no lane ends another: a
target that cannot be started, or whose output has no room on the disk, has failed, and its lane goes on.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from scripts.landing.targets import Target

POLL_SECONDS = 0.1
HEARTBEAT_SECONDS = 60.0
"""Nobody waits longer than this without a line."""
ENDING = ((signal.SIGINT, 30.0), (signal.SIGTERM, 10.0), (signal.SIGKILL, 2.0))
"""Signals that end a target, with the seconds it gets for each: pytest ends its homes for an interrupt alone."""
NOT_STARTED = 127
"""Exit status of a target that could not be started, as a shell has it."""
PRIVATE = ("TESTS", "ARGS", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")
"""Variables of whoever started the landing that would change a target."""
_TAIL_BYTES = 4_096
_PERCENT = re.compile(rb"\[ *(\d+%)\]")


class Interrupted(Exception):
    """A signal asks the landing to end; nothing that it started runs any more."""


class Interrupts:
    """The signals that ask the landing to end; one more, and what is asked to end gets no more time."""

    def __init__(self) -> None:
        self.number = 0
        """The number of the first; 0: none came."""
        self.count = 0

    def listen(self) -> None:
        """Receive them from now on. A signal that our parent ignores is still ignored, but by us alone."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            ignored = signal.getsignal(number) is signal.SIG_IGN
            signal.signal(number, (lambda *_: None) if ignored else self._receive)

    def _receive(self, number: int, frame: object) -> None:
        del frame
        self.number = self.number or number
        self.count += 1

    def check(self) -> None:
        """Look for one.

        Raises:
            Interrupted: one came.
        """
        if self.number:
            raise Interrupted(f"{signal.Signals(self.number).name} came")


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a target."""

    target: Target
    words: tuple[str, ...] = ()
    """Variables for make, such as `TESTS=tests/core/test_it.py`."""
    environment: tuple[tuple[str, str], ...] = ()
    report: str = ""
    """Path of the report that pytest writes; empty: it writes none."""
    again: bool = False
    """The second try."""

    @property
    def title(self) -> str:
        """The target as people read it."""
        return f"make {self.target.name}{' again' * self.again}"


@dataclass(frozen=True, slots=True)
class Ended:
    """A run of a target that has ended."""

    job: Job
    code: int
    """Exit status; 128 and its number after a signal."""
    seconds: float
    cpu_seconds: float
    """Processor time of its processes, except of those that nobody waited for."""
    output: str
    """Path of a file, which is missing when it could not be made."""


class _Running:
    """A run of a target. Its process leads a group, and a session: ctrl-c reaches us alone."""

    def __init__(self, job: Job, output: str) -> None:
        self.job = job
        self._output = output
        self._since = time.monotonic()
        self._ended: Ended | None = None
        with open(output, "wb") as file:
            self._process = subprocess.Popen(
                ["make", job.target.name, *job.words],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={name: value for name, value in os.environ.items() if name not in PRIVATE} | dict(job.environment),
                start_new_session=True,
            )

    def poll(self) -> Ended | None:
        """Return how it ended, or None while it runs."""
        if not self._ended:
            pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
            if pid:
                code = self._process.returncode = os.waitstatus_to_exitcode(status)
                self._ended = Ended(
                    self.job,
                    code=128 - code if code < 0 else code,
                    seconds=time.monotonic() - self._since,
                    cpu_seconds=usage.ru_utime + usage.ru_stime,
                    output=self._output,
                )
        return self._ended

    def signal(self, number: int) -> bool:
        """Send a signal to all of its group; false: nobody is left of it."""
        self.poll()
        try:
            os.killpg(self._process.pid, number)
        except OSError:
            return False
        return True

    def describe(self) -> str:
        """Return its name, its age, and how far its tests are."""
        percents = _PERCENT.findall(read_tail(self._output))
        done = f" ({percents[-1].decode()} of its tests)" if percents else ""
        return f"{self.job.title} for {write_duration(time.monotonic() - self._since)}{done}"


class Executor:
    """Executes lanes of jobs.

    Args:
        folder: For the output; it exists.
        say: Shows a line at once.
        on_end: Hears of each job that has ended.
        interrupts: Looked at all the time.
    """

    def __init__(
        self,
        folder: str,
        *,
        say: Callable[[str], None],
        on_end: Callable[[Ended], None],
        interrupts: Interrupts,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._folder = folder
        self._say = say
        self._on_end = on_end
        self._interrupts = interrupts
        self._heartbeat_seconds = heartbeat_seconds
        self._begun = self._heard = time.monotonic()
        self._started = 0
        self._running: list[_Running | None] = []

    def execute(self, lanes: Iterable[Sequence[Job]]) -> list[Ended]:
        """Run all jobs of all lanes, and return them as they ended.

        Raises:
            Interrupted: a signal came.
        """
        waiting = [deque(lane) for lane in lanes]
        self._running = [None] * len(waiting)
        ended: list[Ended] = []
        try:
            while any(self._running) or any(waiting):
                for lane, jobs in enumerate(waiting):
                    if end := self._advance(lane, jobs):
                        self._heard = time.monotonic()
                        self._on_end(end)
                        ended.append(end)
                self._interrupts.check()
                self._beat()
                time.sleep(POLL_SECONDS)
        except Interrupted:
            for unfinished in self._end():
                self._on_end(unfinished)
            raise
        finally:
            self._end()
        return ended

    def _advance(self, lane: int, jobs: deque[Job]) -> Ended | None:
        """Start the next job of an idle lane, or look after its running one; return one that has ended."""
        if running := self._running[lane]:
            if end := running.poll():
                self._running[lane] = None
            return end
        if not jobs:
            return None
        job = jobs.popleft()
        self._started += 1
        output = os.path.join(self._folder, f"{self._started}-{job.target.name}.txt")
        try:
            self._running[lane] = _Running(job, output)
        except OSError as error:
            self._say(f"{job.title} could not be started: {error}")
            return Ended(job, NOT_STARTED, 0.0, 0.0, output)
        return None

    def _beat(self) -> None:
        now = time.monotonic()
        running = [one.describe() for one in self._running if one and now - self._heard >= self._heartbeat_seconds]
        if running:
            self._heard = now
            self._say(f"After {write_duration(now - self._begun)}: {', '.join(running)}")

    def _end(self) -> list[Ended]:
        """End what still runs, with all of its group, and return it."""
        ending = [running for running in self._running if running]
        self._running = []
        left = ending
        for number, seconds in ENDING:
            left = [running for running in left if running.signal(number)]
            deadline = time.monotonic() + seconds
            count = self._interrupts.count
            while left and time.monotonic() < deadline and self._interrupts.count == count:
                time.sleep(POLL_SECONDS)
                left = [running for running in left if running.signal(0)]
        return [ended for running in ending if (ended := running.poll())]


def read_tail(path: str) -> bytes:
    """Return the end of a file; nothing when it is missing."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
        return file.read()
    return b""


def write_duration(seconds: float) -> str:
    """Return such as `9 s` or `3 min 20 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
