"""The watchdog of leases: a child of the keeper that ends leased runs when that was killed, or stands still.

Another machine may begin a leased run once its lease has ended, whatever has become of this machine's supervisor and
keeper. So the keeper forks a process that knows of each leased run how its processes are told, and until when it may
live. It acts when the keeper has ended (all leased runs have lost their terminals then) and when a lease has been over
for `GRACE` seconds without a word from the keeper. It is forked with the first lease, again whenever it ends, and lives
as long as the keeper; a copy of the keeper's memory, it needs next to none of its own. Where all runs are to end with
their supervisor, it knows all of them, with leases that last for ever.

It isn't the parent of what it ends, so it looks at all processes of the machine: for the mark of a run, or for an
environment that names mission and home in a process without any mark. It keeps the locks of the marks, so that no
keeper that comes after gives a number to a new run meanwhile.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from contextlib import suppress

from overmind_core.keeper.boot_timer import BootTimer
from overmind_core.keeper.loop import READ, WRITE, Loop, report
from overmind_core.keeper.tree_ends import PATIENCE, children_of, environment_of
from overmind_core.system.lock import holder_pid
from overmind_core.system.machine import boottime
from overmind_core.system.run_mark import is_of_another, mark_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from collections.abc import Set as AbstractSet

    from overmind_core.keeper.run import KeptRun
    from overmind_core.system.paths import Home

IS_SUPPORTED = sys.platform.startswith("linux")
"""Without /proc and marks nothing of a dead keeper's runs can be told from anything else."""
GRACE = 0.5
"""Seconds that the keeper has for ending a run whose lease is over, before the watchdog does."""
RETRY = 1.0
"""Seconds until another watchdog is forked in place of one that has ended."""
PAUSE = 0.01
"""Seconds between two looks while something of a run is found."""
LONG_PAUSE = 1.0
"""The same for what won't die, such as a process that waits for a disk."""
QUIET_LOOKS = 3
"""Looks in a row that must find nothing."""
_PIECE = 1 << 16


class LeaseWatchdog:
    """The keeper's end: tells a watchdog of each lease, and replaces one that has ended."""

    __slots__ = ("_buffer", "_home", "_kept", "_known", "_loop", "_pid", "_registered", "_socket")

    def __init__(
        self,
        loop: Loop,
        home: Home,
        *,
        registered: dict[int, KeptRun | None],
        kept: Callable[[], Collection[int]] = tuple,
    ) -> None:
        """Fork nothing yet.

        Args:
            loop: The keeper's.
            home: What the keeper serves.
            registered: The pids that the keeper has started and not reaped; the watchdog's is put there.
            kept: The descriptors whose locks the watchdog holds, too.
        """
        self._loop = loop
        self._home = home
        self._registered = registered
        self._kept = kept
        self._known: dict[str, tuple[str, int, float]] = {}
        self._socket: socket.socket | None = None
        self._buffer = bytearray()
        self._pid = 0

    def tell(self, run: str, mission: str, mark: int, until: float | None) -> None:
        """A run may live until this moment of the boot clock; None: it is no longer leased, or nothing of it lives.

        A run that is told before it is spawned can't be missed.
        """
        if until is None:
            if self._known.pop(run, None) is None:
                return
        else:
            self._known[run] = (mission, mark, until)
        if self._socket is None:
            if until is not None and not self._pid:
                self._start()
            return
        self._buffer += _line(run, mission, mark, until)
        self.ready(WRITE)

    def ready(self, events: int) -> None:
        """The watchdog takes more, or has ended."""
        connection = self._socket
        if connection is None:
            return
        try:
            if events & READ and not connection.recv(_PIECE):
                raise ConnectionResetError
            while self._buffer:
                del self._buffer[: connection.send(self._buffer)]
        except BlockingIOError:
            pass
        except OSError:
            self.failed()
            return
        self._loop.watch(connection.fileno(), READ | (WRITE if self._buffer else 0), self)

    def failed(self) -> None:
        """Do without this watchdog; another one comes soon."""
        if self._socket is not None:
            self._loop.forget(self._socket.fileno())
            self._socket.close()
            self._socket = None
            self._loop.later(RETRY, self._start_again)

    def _start_again(self) -> None:
        self._pid = 0
        if self._known:
            self._start()

    def _start(self) -> None:
        """Fork a watchdog that knows all leases; where that fails, try again."""
        if not IS_SUPPORTED:
            return
        ours, its = socket.socketpair()
        try:
            self._pid = os.fork()
        except OSError:
            report()
            its.close()
            self._socket = ours
            self.failed()
            return
        if not self._pid:
            _run_and_exit(its.detach(), self._home, {2, *self._kept()}, self._known)
        its.close()
        ours.setblocking(False)
        self._registered[self._pid] = None
        self._socket = ours
        self._buffer.clear()  # the copy of us knows all of it, even if we are killed before we can tell it anything
        self._loop.watch(ours.fileno(), READ, self)


def _line(run: str, mission: str, mark: int, until: float | None) -> bytes:
    return json.dumps([run, mission, mark, until]).encode() + b"\n"


# the watchdog's own process


def _run_and_exit(fd: int, home: Home, kept: Collection[int], known: Mapping[str, tuple[str, int, float]]) -> None:
    """Be the watchdog until the keeper is gone and with it all that was leased; never returns to the keeper's code."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()  # whoever ends the keeper's group means the keeper
        _close_all_but({fd, *kept})
        loop = Loop()
        _Watchdog(loop, socket.socket(fileno=fd), home, known)
        loop.run()
        code = 0
    except BaseException:  # noqa: BLE001 -- whatever it is, this copy of the keeper must not go on as one
        report()
    finally:
        os._exit(code)


def _close_all_but(kept: Collection[int]) -> None:
    """Close what belongs to the keeper: its locks, its terminals, which must hang up with it, and its connections."""
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd not in kept:
            with suppress(OSError):
                os.close(fd)


class _Lease:
    """What tells the processes of a leased run, and until when they may live."""

    __slots__ = ("mark", "name", "until")

    def __init__(self, mission: str, mark: int, until: float) -> None:
        self.name = f"OVERMIND_MISSION_ID={mission}".encode()
        self.mark = mark
        self.until = until


class _Watchdog:
    """Knows the leases, and ends what they were given to."""

    def __init__(
        self, loop: Loop, connection: socket.socket, home: Home, known: Mapping[str, tuple[str, int, float]]
    ) -> None:
        self._loop = loop
        self._connection = connection
        self._home = home
        self._told = bytearray()
        self._leases = {run: _Lease(*lease) for run, lease in known.items()}
        self._timer = BootTimer(loop, self._on_due)
        self._keeper_lives = True
        self._keeper = os.getppid()
        connection.setblocking(False)
        loop.watch(connection.fileno(), READ, self)
        self._set_timer()

    def ready(self, _events: int) -> None:
        """The keeper has told something, or is gone."""
        try:
            piece = self._connection.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self.failed()
            return
        self._told += piece
        *lines, rest = self._told.split(b"\n")
        self._told = bytearray(rest)
        for line in lines:
            run, mission, mark, until = json.loads(line)
            if until is None:
                self._leases.pop(run, None)
            else:
                self._leases[run] = _Lease(mission, mark, until)
        self._set_timer()

    def failed(self) -> None:
        """The keeper is gone: nobody reads what its runs write, and nobody ends them any more."""
        self._keeper_lives = False
        self._loop.forget(self._connection.fileno())
        self._timer.set(None)
        self._end(dict(self._leases))

    def _set_timer(self) -> None:
        self._timer.set(min((lease.until for lease in self._leases.values()), default=None))

    def _on_due(self) -> None:
        """A lease has ended. What the keeper has told meanwhile comes first, and the keeper ends its runs itself."""
        self._loop.later(GRACE, self._look)

    def _look(self) -> None:
        if not self._keeper_lives:
            return
        now = boottime() - GRACE
        over = {run: lease for run, lease in self._leases.items() if lease.until <= now}
        for run in over:
            del self._leases[run]
        self._set_timer()
        if over:
            self._end(over)

    def _end(self, leases: dict[str, _Lease], began: float | None = None, quiet: int = 0) -> None:
        """End all that these runs have started, and look again until nothing of it is found; then leave, if alone."""
        began = self._loop.mono if began is None else began
        quiet = 0 if leases and end_processes_of(leases.values(), self._home, spared={self._keeper}) else quiet + 1
        if leases and quiet < QUIET_LOOKS:
            pause = PAUSE if self._loop.mono - began < PATIENCE else LONG_PAUSE
            self._loop.later(pause, lambda: self._end(leases, began, quiet))
        elif not self._keeper_lives:
            self._loop.stop()


def end_processes_of(leases: Collection[_Lease], home: Home, *, spared: Collection[int]) -> bool:
    """Kill every process of the runs with these leases, wherever it is; return whether one was found that lived.

    Args:
        leases: Of the runs.
        home: Theirs. Its supervisor and keeper are spared.
        spared: Pids that are no run's either.
    """
    marks = {lease.mark for lease in leases if lease.mark}
    names = {lease.name for lease in leases}
    at_home = b"OVERMIND_HOME=" + os.fsencode(home.root)
    left_alone = {os.getpid(), *spared, holder_pid(home.supervisor_lock), holder_pid(home.keeper_lock)}
    found = False
    for pid in [int(name) for name in os.listdir("/proc") if name.isdigit()]:
        if pid not in left_alone and _is_of(pid, marks, names, at_home):
            found |= _end_tree(pid, left_alone)
    return found


def _is_of(pid: int, marks: Collection[int], names: AbstractSet[bytes], at_home: bytes) -> bool:
    """Whether the process is of one of these runs. A mark that is another run's says no, whatever it was started by."""
    mark = mark_of(pid)
    if mark in marks:
        environment = environment_of(pid)
        return at_home in environment or not any(one.startswith(b"OVERMIND_HOME=") for one in environment)
    if is_of_another(mark):
        return False
    environment = environment_of(pid)
    return at_home in environment and not names.isdisjoint(environment)


def _end_tree(pid: int, left_alone: Collection[int | None]) -> bool:
    """Stop the process, end what is below it, and kill it; return whether it lived.

    As long as it stands still its children stay its own, so their pids can't be anybody else's.
    """
    lived = not _is_dead(pid)
    with suppress(OSError):
        os.kill(pid, signal.SIGSTOP)
    for child in children_of(pid):
        if child not in left_alone:
            lived |= _end_tree(child, left_alone)
    with suppress(OSError):
        os.kill(pid, signal.SIGKILL)
    return lived


def _is_dead(pid: int) -> bool:
    """Whether it is gone, or waits to be reaped: of a keeper that stands still, for ever."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            state = file.read().rpartition(b") ")[2][:1]
        return state in {b"X", b"Z"} and len(os.listdir(f"/proc/{pid}/task")) <= 1
    except OSError:
        return True
