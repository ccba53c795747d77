"""The runs that the keeper holds: each with its process, its terminal or pipes, and its log.

What a run writes is in the log before the next read; a log that can't be written stops the reading, so that the agent
waits instead of losing bytes.
"""

from __future__ import annotations

import errno
import os
import time

from overmind_core.keeper.input import Stdin
from overmind_core.keeper.loop import READ, WRITE
from overmind_core.keeper.viewers import RunViewers
from overmind_core.logs.layout import ERR, OUT, split_run
from overmind_core.wire.keeper import DISK_FULL, LOG_ERROR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from overmind_core.keeper.loop import Loop
    from overmind_core.logs.writer import RunLogWriter
    from overmind_core.system.spawn import SpawnedProcess

    class RunObserver(Protocol):
        """Is called when something happens to a run."""

        loop: Loop

        def on_output(self, run: KeptRun) -> None:
            """The run has written."""

        def on_log_state(self, run: KeptRun) -> None:
            """The log of the run can't be written, or can again."""

        def on_queries(self, run: KeptRun) -> None:
            """The terminal in memory owes the run an answer."""

        def on_hangup(self, run: KeptRun) -> None:
            """Nobody has the terminal of the run open, though its root lives."""

        def on_closed_output(self, run: KeptRun) -> None:
            """Nobody has a pipe of the run open, though its root was not reaped yet."""


_READ_SIZE = 65536
_BUFFER = bytearray(_READ_SIZE)
"""One for all: what is read is written to the log before the next read."""
_VIEW = memoryview(_BUFFER)
_READ_TARGETS = [_BUFFER]
DRAIN_LIMIT = 1 << 20
"""Bytes read of one stream when its process has ended: more than a terminal or an unprivileged pipe can hold
(pipe(7), pipe-max-size), so all that the process wrote is in, though something else may go on writing for ever."""
_DISK_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


class RunExit:
    """How and when a root process ended."""

    __slots__ = ("code", "end", "err", "left", "mono", "out")

    def __init__(self, code: int, *, end: float, mono: float) -> None:
        """`code`: negative for a signal; `end` in seconds since the epoch, `mono` of this boot."""
        self.code = code
        self.end = end
        self.mono = mono
        self.out = self.err = 0
        """Bytes of each stream that were in the log then."""
        self.left = True
        """Whether something of the run may still live."""


class OutputSource:
    """One stream of a run, as a source of the loop."""

    __slots__ = ("_run", "fd", "stream")

    def __init__(self, run: KeptRun, fd: int, stream: int) -> None:
        self._run = run
        self.fd = fd
        self.stream = stream

    def ready(self, events: int) -> None:
        """One read, and for a terminal the writes that wait."""
        if events & READ:
            self._run.read(self)
        if events & WRITE:
            self._run.stdin.flush()

    def failed(self) -> None:
        """Reading failed in an unforeseen way."""
        self._run.on_log_error(OSError(errno.EIO, "internal failure"))


class InputSource:
    """The pipe to the standard input of a run, as a source of the loop."""

    __slots__ = ("_stdin",)

    def __init__(self, stdin: Stdin) -> None:
        self._stdin = stdin

    def ready(self, _events: int) -> None:
        """The agent has made room."""
        self._stdin.flush()

    def failed(self) -> None:
        """Give the pipe up."""
        self._stdin.close()


class KeptRun:
    """A run, from its spawn until nothing about it can change any more."""

    __slots__ = (
        "_input_fd",
        "_input_source",
        "_observer",
        "acked",
        "cursor",
        "exit",
        "fenced",
        "hold",
        "id",
        "last",
        "lease",
        "log",
        "mark",
        "mission",
        "mono",
        "next_notice",
        "notice_due",
        "number",
        "outputs",
        "pid",
        "released",
        "started",
        "stdin",
        "ticks",
        "trouble",
        "tty",
        "viewers",
        "watched",
    )  # fmt: skip

    def __init__(
        self,
        observer: RunObserver,
        run_id: str,
        spawned: SpawnedProcess,
        log: RunLogWriter,
        *,
        tty: bool,
        mark: int,
        ticks: int,
        hold: bool,
    ) -> None:
        self._observer = observer
        self.id = run_id
        self.mission, self.number = split_run(run_id)
        self.pid = spawned.pid
        self.ticks = ticks
        self.mark = mark
        self.tty = tty
        self.log = log
        self.started = observer.loop.wall
        self.mono = self.last = observer.loop.mono
        self.hold = hold
        self.cursor = (0, 0)
        """Offsets (out, err) that a parser has passed; meaningful with `hold`."""
        self.exit: RunExit | None = None
        self.lease: float | None = None
        """The moment of the boot clock at which its tree is ended; None: never. `RunLeases` sets it."""
        self.fenced = False
        """Whether its lease has ended."""
        self.acked = self.released = self.watched = False
        self.notice_due = False
        """Whether a `on_output` notice waits for its time."""
        self.next_notice = 0.0
        """When the next `on_output` notice may be sent (seconds of this boot)."""
        self.trouble: str | None = None
        self.viewers: RunViewers = RunViewers(self, observer.loop)
        self.outputs = [
            OutputSource(self, fd, stream) for fd, stream in ((spawned.out, OUT), (spawned.err, ERR)) if fd >= 0
        ]
        self._input_fd = spawned.stdin
        input_fd = spawned.stdin if spawned.stdin >= 0 or not tty else spawned.out
        self.stdin: Stdin = Stdin(input_fd, is_tty=tty and spawned.stdin < 0, changed=self.poll)
        self._input_source = InputSource(self.stdin)
        self.poll()

    @property
    def lives(self) -> bool:
        """Whether the root process was not reaped yet."""
        return self.exit is None

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come: acknowledged, and let go of or at its end."""
        if self.exit is None or not self.acked or self.trouble:
            return False
        return self.released or (not self.outputs and not self.exit.left)

    def poll(self) -> None:
        """Watch the descriptors for what this run waits for now."""
        reading = 0 if self.trouble else READ
        typing = WRITE if self.stdin.wants else 0
        for output in self.outputs:
            self._observer.loop.watch(output.fd, reading | (typing if self.stdin.is_tty else 0), output)
        if self._input_fd >= 0:
            if self.stdin.fd < 0:
                self._observer.loop.forget(self._input_fd)
                self._input_fd = -1
            else:
                self._observer.loop.watch(self._input_fd, typing, self._input_source)
        if not typing:
            self.viewers.resume()

    def read(self, output: OutputSource) -> int:
        """Move at most 64 KiB into the log; return how many bytes, 0 when there were none."""
        try:
            size = os.readv(output.fd, _READ_TARGETS)
        except BlockingIOError:
            return 0
        except OSError:
            # EIO: nobody has the terminal open.
            size = 0
        if not size:
            self._at_end(output)
            return 0
        self._append(output.stream, _VIEW[:size])
        return size

    def _append(self, stream: int, data: memoryview) -> None:
        observer = self._observer
        try:
            self.log.write(stream, data)
        except OSError as error:
            self.on_log_error(error)
        self.viewers.show(data)  # a person waits for it, and nobody for what follows
        if self.stdin.is_tty:
            self.viewers.read_queries(data)
        if not self.log.blocked:
            try:
                self.log.note_growth(stream, observer.loop.wall)
            except OSError as error:
                self.on_log_error(error)
        self.last = observer.loop.mono
        observer.on_output(self)

    def _at_end(self, output: OutputSource) -> None:
        """Nobody holds the other side.

        A pipe is at its end for ever; a terminal only when its root has ended, for a program may open it again, and
        closing our side would send it SIGHUP.
        """
        if self.tty and self.lives:
            self._observer.loop.forget(output.fd)
            self._observer.on_hangup(self)
        else:
            self._drop(output)
            if self.lives:
                self._observer.on_closed_output(self)

    def resume_reading(self) -> None:
        """Read again: somebody may have opened the terminal."""
        self.poll()

    def _drop(self, output: OutputSource) -> None:
        self.outputs.remove(output)
        if self.stdin.is_tty:
            self.stdin.close()
        self._observer.loop.forget(output.fd)
        self._observer.loop.prefer(output.fd, on=False)
        os.close(output.fd)

    def on_log_error(self, error: OSError) -> None:
        """The log can't be written: stop reading until it can."""
        self.trouble = DISK_FULL if error.errno in _DISK_FULL else LOG_ERROR
        self.poll()
        self._observer.on_log_state(self)

    def on_queries(self) -> None:
        """The terminal in memory owes the program an answer."""
        self._observer.on_queries(self)

    def retry(self) -> None:
        """Try to write again what was refused."""
        try:
            while self.log.blocked:
                self.log.retry(self._observer.loop.wall)
        except OSError:
            return
        self.trouble = None
        self.poll()
        if self.released:  # first what still lies in its pipes: once the observer hears that all is well, it forgets us
            self.release()
        if not self.trouble:
            self._observer.on_log_state(self)

    def on_exit(self, code: int) -> RunExit:
        """The root process was reaped: log all that it wrote, and record the moment.

        Not the turn's moment: who ends because another one has ended may be reaped in the same turn, but is later.
        """
        self.exit = RunExit(code, end=time.time(), mono=time.monotonic())
        for output in tuple(self.outputs):
            self._drain(output)
        try:
            self.log.record_end(self.exit.end)
        except OSError as error:
            self.on_log_error(error)
        self.exit.out, self.exit.err = self.log.offsets
        self.viewers.finish(code)
        return self.exit

    def _drain(self, output: OutputSource) -> None:
        drained = 0
        while not self.trouble and drained < DRAIN_LIMIT and (size := self.read(output)):
            drained += size

    def release(self) -> None:
        """Nothing of the run lives any more: log the rest and close everything, once the disk allows it."""
        self.released = True
        if self.trouble:
            return
        for output in tuple(self.outputs):
            self._drain(output)
        if not self.trouble:
            self.close()

    def close(self) -> None:
        """Close every descriptor, as it is."""
        for output in tuple(self.outputs):
            self._drop(output)
        self.stdin.close()
        self.log.close()


FILES_ON_TERMINAL = 4
"""Descriptors of a run: terminal, log, index, and one to spare for an input pipe."""
FILES_ON_PIPES = 6
"""Three pipes, two logs, index."""
RESERVED_FILES = 64
"""Descriptors for everything else: clients, locks, journals."""


class KeptRuns:
    """All runs that are held: by id, by pid, and in the order in which they last changed."""

    __slots__ = ("_by_id", "_changes", "by_pid", "files", "seq")

    def __init__(self) -> None:
        self._by_id: dict[str, KeptRun] = {}
        self._changes: dict[str, tuple[int, KeptRun]] = {}
        self.by_pid: dict[int, KeptRun | None] = {}
        """Pids that were started here and not reaped yet; None for a daemon."""
        self.files = RESERVED_FILES
        """Descriptors that the runs may need in all."""
        self.seq = 0
        """Number of the newest change."""

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[KeptRun]:
        return iter(tuple(self._by_id.values()))

    def get(self, run: str) -> KeptRun | None:
        """The run with this id, as long as it is held."""
        return self._by_id.get(run)

    def add(self, run: KeptRun) -> None:
        """Hold a new run."""
        self._by_id[run.id] = run
        self.by_pid[run.pid] = run
        self.files += _files_of(run)
        self.touch(run)

    def remove(self, run: KeptRun) -> None:
        """Hold a run no longer."""
        del self._by_id[run.id]
        del self._changes[run.id]
        self.files -= _files_of(run)

    def touch(self, run: KeptRun) -> None:
        """`run` changed: move it to the end of the order."""
        changes = self._changes
        changes.pop(run.id, None)
        self.seq += 1
        changes[run.id] = (self.seq, run)

    def changed(self, since: int) -> list[KeptRun]:
        """What changed after number `since`, newest first."""
        found = []
        for seq, run in reversed(self._changes.values()):
            if seq <= since:
                break
            found.append(run)
        return found

    @property
    def any_alive(self) -> bool:
        """Whether a root process lives."""
        return any(run is not None for run in self.by_pid.values())

    @property
    def any_unacknowledged(self) -> bool:
        """Whether an exit is known to us alone."""
        return any(not run.lives and not run.acked for run in self._by_id.values())

    def held_cursors(self, mission: str) -> dict[int, tuple[int, int]]:
        """Run number → offsets (out, err) which a parser of this mission has yet to pass."""
        return {run.number: run.cursor for run in self if run.hold and run.mission == mission}


def _files_of(run: KeptRun) -> int:
    return FILES_ON_TERMINAL if run.tty else FILES_ON_PIPES
