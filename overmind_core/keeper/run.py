"""One run: its process, its terminal or pipes, and its log.

Every run that the keeper holds: by id, by pid, and in the order in which they last changed.
"""

from __future__ import annotations

import errno
import os

from overmind_core.keeper.input import Stdin
from overmind_core.keeper.loop import READ, WRITE
from overmind_core.keeper.viewers import Audience
from overmind_core.logs.layout import ERR, OUT, split_run
from overmind_core.wire.keeper import DISK_FULL, LOG_ERROR

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from overmind_core.keeper.loop import Loop
    from overmind_core.logs.writer import RunLog
    from overmind_core.system.spawn import Spawned

    class Household(Protocol):
        """Whom a child tells what happened to it."""

        loop: Loop

        def grown(self, child: Child) -> None:
            """It wrote something."""

        def troubled(self, child: Child) -> None:
            """Its log can't be written, or can again."""

        def hushed(self, child: Child) -> None:
            """Its terminal is closed by everybody, though the process lives."""


_CHUNK = 65536
_BUFFER = bytearray(_CHUNK)
"""One for all: what is read is written to the log before the next read."""
_VIEW = memoryview(_BUFFER)
_TARGET = [_BUFFER]
DRAIN_LIMIT = 1 << 20
"""Bytes read of one stream when its process has ended: more than a terminal or an unprivileged pipe can hold
(pipe(7), pipe-max-size), so all that the process wrote is in, though something else may go on writing for ever."""
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


class Exit:
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


class Output:
    """One stream of one child, as the loop sees it."""

    __slots__ = ("_child", "fd", "stream")

    def __init__(self, child: Child, fd: int, stream: int) -> None:
        self._child = child
        self.fd = fd
        self.stream = stream

    def ready(self, events: int) -> None:
        """One read, and for a terminal the writes that wait."""
        if events & READ:
            self._child.read(self)
        if events & WRITE:
            self._child.stdin.flush()

    def failed(self) -> None:
        """Reading broke in a way that nobody foresaw."""
        self._child.suffer(OSError(errno.EIO, "internal failure"))


class Inlet:
    """The pipe to a child's standard input, as the loop sees it."""

    __slots__ = ("_stdin",)

    def __init__(self, stdin: Stdin) -> None:
        self._stdin = stdin

    def ready(self, _events: int) -> None:
        """The agent has made room."""
        self._stdin.flush()

    def failed(self) -> None:
        """Give the pipe up."""
        self._stdin.close()


class Child:
    """A run from its spawn until it is forgotten."""

    __slots__ = (
        "_house", "_inlet", "_inlet_fd", "acked", "audience", "cursor", "exit", "hold", "last", "log", "mark",
        "mission", "mono", "number", "outputs", "pid", "released", "run", "started", "stdin", "ticks", "trouble", "tty",
        "watch_due", "watch_next", "watched",
    )  # fmt: skip

    def __init__(
        self, house: Household, run: str, spawned: Spawned, log: RunLog, *, tty: bool, mark: int, ticks: int, hold: bool
    ) -> None:
        self._house = house
        self.run = run
        self.mission, self.number = split_run(run)
        self.pid = spawned.pid
        self.ticks = ticks
        self.mark = mark
        self.tty = tty
        self.log = log
        self.started = house.loop.wall
        self.mono = self.last = house.loop.mono
        self.hold = hold
        self.cursor = (0, 0)
        """Offsets (out, err) that a parser has passed; meaningful with `hold`."""
        self.exit: Exit | None = None
        self.acked = self.released = self.watched = False
        self.watch_due = False
        """Whether a `grown` notice waits for its time."""
        self.watch_next = 0.0
        """When the next `grown` notice may be sent (seconds of this boot)."""
        self.trouble: str | None = None
        self.audience = Audience(self, house.loop)
        self.outputs = [Output(self, fd, stream) for fd, stream in ((spawned.out, OUT), (spawned.err, ERR)) if fd >= 0]
        self._inlet_fd = spawned.stdin
        through = spawned.stdin if spawned.stdin >= 0 or not tty else spawned.out
        self.stdin = Stdin(through, is_tty=tty and spawned.stdin < 0, changed=self.poll)
        self._inlet = Inlet(self.stdin)
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
        """Tell the loop what this run waits for now."""
        reading = 0 if self.trouble else READ
        typing = WRITE if self.stdin.wants else 0
        for output in self.outputs:
            self._house.loop.watch(output.fd, reading | (typing if self.stdin.is_tty else 0), output)
        if self._inlet_fd >= 0:
            if self.stdin.fd < 0:
                self._house.loop.forget(self._inlet_fd)
                self._inlet_fd = -1
            else:
                self._house.loop.watch(self._inlet_fd, typing, self._inlet)
        if not typing:
            self.audience.resume()

    def read(self, output: Output) -> int:
        """Move at most 64 KiB into the log; return how many bytes, 0 when there were none."""
        try:
            size = os.readv(output.fd, _TARGET)
        except BlockingIOError:
            return 0
        except OSError:
            # EIO: nobody has the terminal open.
            size = 0
        if not size:
            self._ended(output)
            return 0
        self._take(output.stream, _VIEW[:size])
        return size

    def _take(self, stream: int, data: memoryview) -> None:
        house = self._house
        try:
            self.log.append(stream, data, house.loop.wall)
        except OSError as error:
            self.suffer(error)
        self.last = house.loop.mono
        self.audience.show(data)
        house.grown(self)

    def _ended(self, output: Output) -> None:
        """Nobody holds the other side.

        A pipe is at its end for ever; a terminal only when its root has ended, for a program may open it again, and
        closing our side would send it SIGHUP.
        """
        if self.tty and self.lives:
            self._house.loop.forget(output.fd)
            self._house.hushed(self)
        else:
            self._drop(output)

    def listen_again(self) -> None:
        """Somebody may have opened the terminal again."""
        self.poll()

    def _drop(self, output: Output) -> None:
        self.outputs.remove(output)
        if self.stdin.is_tty:
            self.stdin.close()
        self._house.loop.forget(output.fd)
        self._house.loop.prefer(output.fd, on=False)
        os.close(output.fd)

    def suffer(self, error: OSError) -> None:
        """The log can't be written: stop reading until it can, so that the agent waits instead of losing bytes."""
        self.trouble = DISK_FULL if error.errno in _FULL else LOG_ERROR
        self.poll()
        self._house.troubled(self)

    def retry(self) -> None:
        """Try to write again what was refused."""
        try:
            while self.log.blocked:
                self.log.retry(self._house.loop.wall)
        except OSError:
            return
        self.trouble = None
        self.poll()
        if self.released:  # first what still lies in its pipes: once the house hears that all is well, it forgets us
            self.release()
        if not self.trouble:
            self._house.troubled(self)

    def ended(self, code: int) -> Exit:
        """The root process was reaped: take in all that it wrote, and note the moment."""
        loop = self._house.loop
        self.exit = Exit(code, end=loop.wall, mono=loop.mono)
        for output in tuple(self.outputs):
            self._drain(output)
        try:
            self.log.ended(loop.wall)
        except OSError as error:
            self.suffer(error)
        self.exit.out, self.exit.err = self.log.offsets
        self.audience.finish(code)
        return self.exit

    def _drain(self, output: Output) -> None:
        drained = 0
        while not self.trouble and drained < DRAIN_LIMIT and (size := self.read(output)):
            drained += size

    def release(self) -> None:
        """Nothing of the run lives any more: take in the rest and close everything, once the disk allows it."""
        self.released = True
        if self.trouble:
            return
        for output in tuple(self.outputs):
            self._drain(output)
        if not self.trouble:
            self.close()

    def close(self) -> None:
        """Let go of every descriptor, as it is."""
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


class Runs:
    """The collection; says nothing to anybody."""

    __slots__ = ("_by_id", "_changes", "by_pid", "files", "seq")

    def __init__(self) -> None:
        self._by_id: dict[str, Child] = {}
        self._changes: dict[str, tuple[int, Child]] = {}
        self.by_pid: dict[int, Child | None] = {}
        """Pids that were started here and not reaped yet; None for a daemon."""
        self.files = RESERVED_FILES
        """Descriptors that the runs may need in all."""
        self.seq = 0
        """Number of the newest change."""

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Child]:
        return iter(tuple(self._by_id.values()))

    def get(self, run: str) -> Child | None:
        """The run with this id, as long as it is held."""
        return self._by_id.get(run)

    def add(self, child: Child) -> None:
        """Hold a new run."""
        self._by_id[child.run] = child
        self.by_pid[child.pid] = child
        self.files += _files(child)
        self.touch(child)

    def remove(self, child: Child) -> None:
        """Hold a run no longer."""
        del self._by_id[child.run]
        del self._changes[child.run]
        self.files -= _files(child)

    def touch(self, child: Child) -> None:
        """`child` changed: move it to the end of the order."""
        changes = self._changes
        changes.pop(child.run, None)
        self.seq += 1
        changes[child.run] = (self.seq, child)

    def changed(self, since: int) -> list[Child]:
        """What changed after number `since`, newest first."""
        found = []
        for seq, child in reversed(self._changes.values()):
            if seq <= since:
                break
            found.append(child)
        return found

    @property
    def any_alive(self) -> bool:
        """Whether a root process lives."""
        return any(child is not None for child in self.by_pid.values())

    @property
    def any_unacknowledged(self) -> bool:
        """Whether an exit is known to us alone."""
        return any(not child.lives and not child.acked for child in self._by_id.values())

    def held_cursors(self, mission: str) -> dict[int, tuple[int, int]]:
        """Run number → offsets (out, err) which a parser of this mission has yet to pass."""
        return {child.number: child.cursor for child in self if child.hold and child.mission == mission}


def _files(child: Child) -> int:
    return FILES_ON_TERMINAL if child.tty else FILES_ON_PIPES
