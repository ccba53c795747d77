"""The keeper's server: accepts clients of our own user and dispatches their requests.

A client is the supervisor once it has said hello, a viewer once its ticket was taken; anybody may ask for the status.
What a run has started is no supervisor: it would type into other runs' terminals as a person does.
"""

from __future__ import annotations

import json
import os

from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.keeper.connection import ClientConnection
from overmind_core.keeper.input import RequestRefused
from overmind_core.keeper.loop import READ
from overmind_core.keeper.operations import LARGEST_SIZE, OPERATIONS
from overmind_core.keeper.viewers import MAY_WRITE, Viewer
from overmind_core.system.controlling_terminal import IS_SUPPORTED
from overmind_core.system.lock import holder_pid
from overmind_core.system.run_mark import NO_MARK, mark_of, unmarked_limit
from overmind_core.system.unixsocket import peer
from overmind_core.version import VERSION
from overmind_core.wire.framing import TOO_LONG, LineBuffer
from overmind_core.wire.keeper import (
    ERROR_BUSY,
    ERROR_FORBIDDEN,
    ERROR_HELLO_FIRST,
    ERROR_INVALID,
    ERROR_PROTOCOL,
    ERROR_TICKET,
    ERROR_TOO_LARGE,
    ERROR_UNKNOWN_OP,
    HELLO,
    LINE_LIMIT,
    PIPES,
    PROTOCOL,
    PURGE,
    SPAWN,
    STATUS,
    STREAM,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from typing import Any

    from overmind_core.keeper.failover import Failover
    from overmind_core.keeper.keeper import Keeper
    from overmind_core.keeper.spawn_queue import SpawnQueue
    from overmind_core.keeper.viewer_terminal import LentTerminals, Terminal

MANY_GENERATIONS = 64
ACCEPT_PAUSE = 0.2
"""Seconds without `accept` when no descriptor is left: the listener would be ready for ever."""


class Listener:
    """The listening socket; makes a session of each client."""

    __slots__ = ("_failover", "_keeper", "_socket", "_spawn_queue", "_supervisor_lock")

    def __init__(
        self,
        keeper: Keeper,
        spawn_queue: SpawnQueue,
        failover: Failover,
        listening: socket.socket,
        *,
        supervisor_lock: str,
    ) -> None:
        """`supervisor_lock`: who holds it may say hello, wherever it was started."""
        listening.setblocking(False)
        self._supervisor_lock = supervisor_lock
        self._keeper = keeper
        self._spawn_queue = spawn_queue
        self._failover = failover
        self._socket = listening
        self._listen()

    def ready(self, _events: int) -> None:
        """Accept one client."""
        try:
            accepted, _ = self._socket.accept()
        except BlockingIOError:
            return
        except OSError:
            self.failed()
            return
        pid = _peer_of_ours(accepted)
        if pid is None:
            accepted.close()
            return
        connection = ClientConnection(self._keeper.loop, accepted)
        client = ClientProcess(pid)
        session = ClientSession(self._keeper, self._spawn_queue, self._failover, connection, client)
        session.may_supervise = lambda: not client.is_inside() or holder_pid(self._supervisor_lock) == pid

    def failed(self) -> None:
        """Wait a little before the next try."""
        self._keeper.loop.forget(self._socket.fileno())
        self._keeper.loop.later(ACCEPT_PAUSE, self._listen)

    def _listen(self) -> None:
        self._keeper.loop.watch(self._socket.fileno(), READ, self)


class ClientSession:
    """One client's requests, line by line, until a ticket turns its connection into a view."""

    __slots__ = (
        "_client", "_connection", "_failover", "_is_gate", "_is_supervisor", "_is_view", "_keeper", "_lines",
        "_spawn_queue", "may_supervise",
    )  # fmt: skip

    def __init__(
        self,
        keeper: Keeper,
        spawn_queue: SpawnQueue,
        failover: Failover,
        connection: ClientConnection,
        client: ClientProcess,
    ) -> None:
        self._keeper = keeper
        self._spawn_queue = spawn_queue
        self._failover = failover
        self._connection = connection
        self._client = client
        self._lines = LineBuffer(LINE_LIMIT)
        self._is_gate = False
        """It relays for somebody who may view a run, and nothing else."""
        self._is_supervisor = False
        self._is_view = False
        self.may_supervise: Callable[[], bool] = _nobody
        """Asked once, when the client says hello."""
        connection.on_data = self._on_data

    def _on_data(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            if not self._connection.is_open or self._is_view:
                return
            request = _request(line)
            if request is None:
                self._reject(line)
                return
            number = request.get("n", 0)
            self._keeper.answer(self._connection, number, self._dispatch, request)
        self._keeper.stop_if_done()

    def _reject(self, line: bytes) -> None:
        """Refuse a line that is no request, and close the connection."""
        code, message = (ERROR_TOO_LARGE, "line too long") if line == TOO_LONG else (ERROR_INVALID, "not a request")
        self._connection.send_json({"n": 0, "error": code, "message": message})
        self._connection.end()

    def _dispatch(self, request: Mapping[str, Any]) -> dict[str, object] | None:
        op = request.get("op")
        if op == PIPES:
            return self._expect_pipes()
        if self._is_gate and op != STREAM:
            raise RequestRefused(ERROR_FORBIDDEN, "a gate may ask for a stream alone")
        if op == HELLO:
            return self._hello(request)
        if op == STREAM:
            self._stream(request)
            return None
        if not self._is_supervisor and op != STATUS:
            raise RequestRefused(ERROR_HELLO_FIRST, "expected hello first")
        number = request.get("n", 0)
        if op == SPAWN:
            self._spawn_queue.put(self._connection, number, request)
            return None
        if op == PURGE:
            self._keeper.purge(self._connection, number, request)
            return None
        operation = OPERATIONS.get(op) if isinstance(op, str) else None
        if operation is None:
            raise RequestRefused(ERROR_UNKNOWN_OP, f"unknown operation {op!r}")
        return operation(self._keeper, request)

    def _hello(self, request: Mapping[str, Any]) -> dict[str, object]:
        if request.get("protocol") != PROTOCOL:
            raise RequestRefused(ERROR_PROTOCOL, f"this keeper speaks protocol {PROTOCOL}", protocol=PROTOCOL)
        if not self.may_supervise():
            raise RequestRefused(ERROR_FORBIDDEN, "a process inside a mission can't be the supervisor")
        daemon = request.get("daemon") or {}
        kill_after = request.get("kill_after")
        keeper = self._keeper
        self._failover.on_hello(
            int(request.get("pid") or 0),
            argv=[from_wire(str(text)) for text in daemon.get("argv", ())],
            env={from_wire(str(name)): from_wire(str(value)) for name, value in daemon.get("env", {}).items()},
            kill_after=None if kill_after is None else float(kill_after),
            is_transient=bool(request.get("transient")),
        )
        self._is_supervisor = True
        keeper.attach_supervisor(self._connection)
        return {
            "protocol": PROTOCOL,
            "version": VERSION,
            "pid": os.getpid(),
            "boot": keeper.boot,
            "started": keeper.started,
            "runs": len(keeper.runs),
            "leases": {run.id: run.lease for run in keeper.leases},
        }

    def _expect_pipes(self) -> dict[str, object]:
        if self._is_supervisor or self._is_gate:
            raise RequestRefused(ERROR_INVALID, "only a new connection can become a gate's")
        self._is_gate = True
        try:
            self._connection.expect_pipes(self._keeper.lent_pipes)
        except BlockingIOError as error:
            raise RequestRefused(ERROR_BUSY, str(error)) from None
        return {}

    def _stream(self, request: Mapping[str, Any]) -> None:
        """From here on the connection carries frames."""
        if self._is_supervisor:
            raise RequestRefused(ERROR_INVALID, "a supervisor's connection can't become a view")
        size = _size(request)
        taken = self._keeper.tickets.take(str(request["ticket"]))
        run = self._keeper.runs.get(taken[0]) if taken is not None else None
        if taken is None or run is None:
            raise RequestRefused(ERROR_TICKET, "this ticket is unknown, used or expired")
        self._is_view = True
        may_write = taken[1] == MAY_WRITE
        may_lend = {"terminal": True} if may_write and IS_SUPPORTED and not self._is_gate else {}
        self._connection.send_json({"n": request.get("n", 0), "ok": {"run": run.id, **may_lend}})
        access = ClientTerminal(self._keeper.lent_terminals, self._client) if may_lend else None
        run.viewers.join(Viewer(run, self._connection, may_write=may_write, size=size, access=access))


class ClientProcess:
    """The process that has opened a connection, and whether it is inside a mission."""

    __slots__ = ("_is_inside", "pid")

    def __init__(self, pid: int) -> None:
        """Look at its mark at once: later it may be gone, its pid somebody else's, and the connection anybody's."""
        self.pid = pid
        self._is_inside: bool | None = True if _is_marked(pid) or _is_gone(pid) else None
        """None before anybody has looked at its parents."""

    def is_inside(self) -> bool:
        """Whether it is, or was, inside a mission."""
        if self._is_inside is None:
            self._is_inside = is_inside(self.pid)
        return self._is_inside


class ClientTerminal:
    """The way to the terminal that a client's process sits at, unless that process is inside a mission.

    What it writes to the terminal of a mission would be that mission's output, and come back to be written again.
    """

    __slots__ = ("_client", "_lent")

    def __init__(self, lent: LentTerminals, client: ClientProcess) -> None:
        self._lent = lent
        self._client = client

    def open(self, identity: tuple[int, int]) -> Terminal:
        """Open it, if it has this device and inode. Raises OSError."""
        if self._client.is_inside():
            raise PermissionError("a process inside a mission can't lend a terminal")
        return self._lent.open(self._client.pid, identity)

    def close(self, terminal: Terminal) -> None:
        """Close it."""
        self._lent.close(terminal)


def _peer_of_ours(accepted: socket.socket) -> int | None:
    """The pid of a client of our own user; None for anybody else."""
    try:
        client = peer(accepted)
    except OSError:
        return None
    return client.pid if client.uid == os.geteuid() else None


def is_inside(pid: int) -> bool:
    """Whether a process wears the mark of a run or of a supervisor, or is below us, who start nothing but runs.

    So is one that is gone, or that we can't see: it may have left its connection to anybody.
    """
    if _is_marked(pid) or _is_gone(pid):
        return True
    for _ in range(MANY_GENERATIONS):
        if pid == os.getpid():
            return True
        pid = _parent_of(pid)
        if pid <= 1:
            return False
    return False


def _is_marked(pid: int) -> bool:
    return NO_MARK < mark_of(pid) < unmarked_limit()


def _is_gone(pid: int) -> bool:
    """Whether no process has this pid; 0 stands for one of another pid namespace."""
    if pid <= 0:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # a set-uid program
        pass
    return False


def _parent_of(pid: int) -> int:
    """Its parent; 0 when it is gone, or where the system doesn't say. Source: proc_pid_stat(5)."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return int(file.read(4096).rpartition(b")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def _nobody() -> bool:
    return False


def _size(request: Mapping[str, Any]) -> tuple[int, int] | None:
    """The terminal in front of a viewer, if it says one."""
    columns, rows = int(request.get("columns") or 0), int(request.get("rows") or 0)
    return (columns, rows) if 0 < columns <= LARGEST_SIZE and 0 < rows <= LARGEST_SIZE else None


def _request(line: bytes) -> dict[str, Any] | None:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return request if isinstance(request, dict) else None
