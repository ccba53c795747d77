"""The queue of runs to start: a few per turn, so that a burst of them never holds up a keystroke's echo.

The answers of a burst leave in batches.
"""

from __future__ import annotations

import errno
import math
import os
import sys
import time
from collections import deque

from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.keeper.input import RequestRefused
from overmind_core.keeper.leases import lease_moment
from overmind_core.keeper.run import FILES_ON_PIPES, KeptRun
from overmind_core.logs.layout import LIMIT, SEGMENT, SEGMENTS, split_run
from overmind_core.logs.writer import RunLogWriter
from overmind_core.system.spawn import (
    AUTO,
    POSIX_SPAWN,
    PTYPROCESS,
    STDIN_NULL,
    STDIN_PIPE,
    STDIN_TTY,
    STEP_TERMINAL,
    SpawnError,
    SpawnPlan,
    spawn,
)
from overmind_core.wire.keeper import (
    ERROR_FENCED,
    ERROR_INVALID,
    ERROR_NO_TERMINALS,
    ERROR_SPAWN_FAILED,
    ERROR_TOO_MANY,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from overmind_core.keeper.connection import ClientConnection
    from overmind_core.keeper.keeper import Keeper

PER_TURN = 4
ANSWERS_TOGETHER = 0.01
"""Seconds that the answers of a burst wait for more of them: each batch costs the supervisor a commit and a wake-up."""
_METHODS = frozenset((AUTO, POSIX_SPAWN, PTYPROCESS))
_NANOSECONDS_PER_TICK = 10**9 // os.sysconf("SC_CLK_TCK") if sys.platform == "linux" else 0
_STDINS = frozenset((STDIN_NULL, STDIN_TTY, STDIN_PIPE))


class SpawnQueue:
    """Spawn requests that wait, and the work that starts them."""

    __slots__ = ("_held", "_held_since", "_keeper", "_limits", "_logs", "_queue")

    def __init__(self, keeper: Keeper, *, logs: str, limits: tuple[int, int], own_limit: int) -> None:
        """`limits`: RLIMIT_NOFILE that children get; `own_limit`: how many descriptors the keeper may open."""
        self._keeper = keeper
        self._logs = logs
        self._limits = (*limits, own_limit)
        self._queue: deque[tuple[ClientConnection, int, Mapping[str, Any]]] = deque()
        self._held: set[ClientConnection] = set()
        """Those whose answers wait for more of them."""
        self._held_since = 0.0

    def put(self, connection: ClientConnection, number: int, request: Mapping[str, Any]) -> None:
        """Queue one spawn request; it is answered on `connection` when it is done."""
        self._queue.append((connection, number, request))

    def work(self) -> float | None:
        """Do a few; the rest at once after the next turn's events."""
        if not self._held:
            self._held_since = self._keeper.loop.mono
        for _ in range(min(PER_TURN, len(self._queue))):
            connection, number, request = self._queue.popleft()
            # Whoever asked and left asks again, if it still wants to: a run id makes that safe.
            if connection.is_open:
                connection.cork()
                self._held.add(connection)
                self._keeper.answer(connection, number, self._start, request)
        if not self._queue or self._keeper.loop.mono - self._held_since >= ANSWERS_TOGETHER:
            while self._held:
                self._held.pop().uncork()
        return 0.0 if self._queue else None

    def _start(self, request: Mapping[str, Any]) -> dict[str, object]:
        keeper = self._keeper
        lease = lease_moment(request.get("lease"))
        run = keeper.runs.get(request["run"])
        if run is None:
            split_run(request["run"])
            if keeper.leases.has_ended(lease):
                raise RequestRefused(ERROR_FENCED, f"the lease of {request['run']} ended before its start")
            if keeper.runs.files + FILES_ON_PIPES >= self._limits[2]:
                raise RequestRefused(ERROR_TOO_MANY, f"{len(keeper.runs)} runs have reached the limit of open files")
            run = self._new(request, lease)
            keeper.runs.add(run)
        if lease is not None:
            keeper.leases.set({run: lease})
        return {
            "run": run.id,
            "pid": run.pid,
            "ticks": run.ticks,
            "mark": run.mark,
            "started": run.started,
            "mono": run.mono,
        }

    def _new(self, request: Mapping[str, Any], lease: float | None) -> KeptRun:
        keeper = self._keeper
        plan = _plan(request, self._limits[:2])
        plan.mark = keeper.marks.take()
        mission = split_run(request["run"])[0]
        until = math.inf if lease is None and keeper.ends_all else lease
        keeper.leases.expect(request["run"], mission, plan.mark, until)
        tick = _ticks_now()
        try:
            spawned = spawn(plan, _method(request))
        except SpawnError as error:
            keeper.leases.expect(request["run"], mission, plan.mark, None)
            keeper.marks.give_back(plan.mark)
            raise _refusal(error, plan) from None
        limit = int(request.get("log_limit", LIMIT))
        segment = min(int(request.get("segment", SEGMENT)), limit // SEGMENTS)
        log = RunLogWriter(self._logs, request["run"], limit=limit, segment=segment, held=keeper.runs.held_cursors)
        hold = bool(request.get("hold", False))
        # It started in between; only when that was at the turn of a tick must the system be asked.
        ticks = tick if tick == _ticks_now() else _start_ticks(spawned.pid)
        return KeptRun(keeper, request["run"], spawned, log, tty=plan.tty, mark=plan.mark, ticks=ticks, hold=hold)


def _method(request: Mapping[str, Any]) -> str:
    method = request.get("method", AUTO)
    if method not in _METHODS:
        raise RequestRefused(ERROR_INVALID, f"unknown way to spawn: {method!r}")
    return str(method)


def _plan(request: Mapping[str, Any], nofile: tuple[int, ...]) -> SpawnPlan:
    """Raises KeyError, TypeError or ValueError for a request of the wrong shape."""
    stdin = request.get("stdin", STDIN_NULL)
    tty = bool(request.get("tty", True))
    if stdin not in _STDINS or (stdin == STDIN_TTY and not tty):
        raise RequestRefused(ERROR_INVALID, f"standard input can't be {stdin!r} here")
    return SpawnPlan(
        program=_bytes(request["program"]),
        argv=[_bytes(text) for text in request["argv"]],
        env=_environment(request.get("env", {})),
        cwd=_bytes(request["cwd"]),
        umask=int(request.get("umask", 0o022)),
        tty=tty,
        stdin=stdin,
        columns=int(request.get("columns", 80)),
        rows=int(request.get("rows", 24)),
        nofile=(nofile[0], nofile[1]),
    )


def _environment(env: Mapping[str, str]) -> Mapping[str, str] | Mapping[bytes, bytes]:
    """As the system wants it; nearly every one is plain ASCII, which the system's calls turn into bytes themselves."""
    if "".join(env).isascii() and "".join(env.values()).isascii():
        return env
    return {_bytes(name): _bytes(value) for name, value in env.items()}


def _bytes(text: str) -> bytes:
    return text.encode() if text.isascii() else os.fsencode(from_wire(text))


def _refusal(error: SpawnError, plan: SpawnPlan) -> RequestRefused:
    number = error.errno or 0
    if number in {errno.EMFILE, errno.ENFILE}:
        return RequestRefused(ERROR_TOO_MANY, "the limit of open files is reached", errno=number, step=error.step)
    if error.step == STEP_TERMINAL and number in {errno.ENOSPC, errno.ENOENT, errno.EAGAIN}:
        return RequestRefused(ERROR_NO_TERMINALS, "the machine has no free terminals", errno=number, step=error.step)
    subject = to_wire(os.fsdecode(plan.cwd if error.step == "cwd" else plan.program))
    message = f"{subject}: {os.strerror(number)}"
    return RequestRefused(ERROR_SPAWN_FAILED, message, errno=number, step=error.step)


def _ticks_now() -> int:
    """Now, in clock ticks since the boot; 0 where processes' start times don't count like that. Source: proc(5)."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // _NANOSECONDS_PER_TICK if _NANOSECONDS_PER_TICK else 0


def _start_ticks(pid: int) -> int:
    """When `pid` started, in clock ticks since the boot; 0 where the system doesn't say. Source: proc_pid_stat(5).

    Of a process in the middle of its exec the kernel answers late: 0.4 ms, as much as the whole spawn.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return int(file.read(4096).rpartition(b")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0
