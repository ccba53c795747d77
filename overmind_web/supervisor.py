"""The daemon, as the web server asks it: calls side by side on one connection, each stream on one of its own.

The connection is made again for ever. A call whose connection was lost is repeated where its operation may be, and
ends in `daemon_lost` where it may not.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from overmind_core.client.client import FAILOVER_LIMIT, answer_result
from overmind_core.client.connection import ANSWER_LIMIT
from overmind_core.client.daemon import connect_or_start
from overmind_core.domain.operations import OPERATIONS
from overmind_core.errors import OvermindError
from overmind_core.system import unixsocket
from overmind_core.system.lock import holder_pid
from overmind_core.system.paths import Home, read_socket_address
from overmind_core.version import VERSION

Args = Mapping[str, Any]
Answer = dict[str, Any]

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds between two attempts to connect; they double."""
ITEMS_AHEAD = 256
"""Items of a stream that are read before its reader takes them."""
_ENDED = "The connection to the daemon was lost. Agents run on."
_LOST = "The connection to the daemon was lost before it answered. Check the result with: overmind ps"
_NOT_RESTORED = (
    f"The connection to the daemon was lost and not restored within {ANSWER_LIMIT:.0f} s. See: overmind status"
)
_GREETING = 0

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Connection(asyncio.Protocol):
    """One connected socket: requests by number, and their answers.

    A stream's answers are kept in order for its one reader; while it is behind, the socket is not read.
    """

    def __init__(self) -> None:
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done once the connection has ended."""
        self._transport: asyncio.Transport | None = None
        self._unread = bytearray()
        self._searched = 0
        self._answers: dict[int, asyncio.Future[Answer]] = {}
        self._stream: asyncio.Queue[Answer | None] | None = None
        self._last_number = _GREETING

    @property
    def is_closing(self) -> bool:
        """Whether it is over, though `lost` may not be done yet: nothing can be asked of it."""
        return self._transport is None or self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail whatever waits for an answer."""
        del exc
        if not self.lost.done():
            self.lost.set_result(None)
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError("the daemon closed the connection"))
        self._answers.clear()
        if self._stream is not None:
            self._stream.put_nowait(None)

    def data_received(self, data: bytes) -> None:
        """Take in lines of JSON."""
        self._unread += data
        while (end := self._unread.find(b"\n", self._searched)) >= 0:
            line = bytes(self._unread[:end])
            del self._unread[: end + 1]
            self._searched = 0
            self._take(line)
        self._searched = len(self._unread)

    def _take(self, line: bytes) -> None:
        try:
            answer = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            answer = None
        if not isinstance(answer, dict):
            self.close()
            return
        if self._stream is not None:
            self._stream.put_nowait(answer)
            if self._stream.qsize() >= ITEMS_AHEAD and self._transport is not None:
                self._transport.pause_reading()
            return
        number = answer.get("id")
        waiting = self._answers.pop(number, None) if isinstance(number, int) else None
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def _send(self, command: str, args: Args, by: str | None) -> int:
        if self._transport is None or self.is_closing:
            raise ConnectionResetError("the connection to the daemon is closed")
        number = self._last_number
        self._last_number += 1
        request = {"cmd": command, "args": args, "id": number}
        if by is not None:
            request["by"] = by
        try:
            line = _encode(request)
        except UnicodeEncodeError:
            raise OvermindError("invalid", "The request holds text that is not valid UTF-8.") from None
        self._transport.write(line + b"\n")
        return number

    async def ask(self, command: str, args: Args, by: str | None = None) -> Any:  # noqa: ANN401  (an answer is any JSON)
        """Send a request and return its answer.

        Raises:
            ConnectionError: the connection ended first.
            OvermindError: the daemon said no.
        """
        number = self._send(command, args, by)
        waiting: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answers[number] = waiting
        try:
            return answer_result(await waiting)
        finally:
            self._answers.pop(number, None)

    async def follow(self, command: str, args: Args, by: str | None = None) -> AsyncGenerator[tuple[str, Any], None]:
        """Yield each line of a stream as (kind, content), `end` included; the connection serves nothing else.

        A request that is no stream yields its `ok` alone.

        Raises:
            ConnectionError: the connection ended first.
            OvermindError: the daemon said no.
        """
        self._stream = asyncio.Queue()
        self._send(command, args, by)
        while True:
            answer = await self._stream.get()
            if answer is None:
                raise ConnectionResetError("the daemon closed the connection")
            if self._stream.empty() and self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()
            if "error" in answer:
                answer_result(answer)
            for kind in ("ok", "item", "end"):
                if kind in answer:
                    yield kind, answer[kind]
            if "end" in answer:
                return

    def close(self) -> None:
        """End the connection; the daemon ends its streams."""
        if self._transport is not None:
            self._transport.abort()


async def connect(home: Home) -> Connection:
    """Return a connection to the daemon of `home`.

    Raises:
        OSError: nobody listens.
        OvermindError: `forbidden`, another user's process listens there.
    """
    loop = asyncio.get_running_loop()
    address = read_socket_address(home.socket, home.socket_pointer)
    transport, connection = await loop.create_unix_connection(Connection, address)
    uid = unixsocket.peer(transport.get_extra_info("socket")).uid
    if uid != os.getuid():
        transport.abort()
        raise OvermindError("forbidden", f"{address} belongs to another user (uid {uid}).")
    return connection


class Supervisor:
    """The daemon of a home.

    Args:
        home: Whose daemon. It is started again by its keeper, or here where the keeper could not; a daemon that was
            shut down is not.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._connection: Connection | None = None
        self._reached = asyncio.Event()
        self._listeners: set[Callable[[bool], None]] = set()
        self._task: asyncio.Task[None] | None = None
        self.message = ""
        """Why there is no connection; "" while there is one."""
        self.daemon: Mapping[str, Any] = {}
        """What the daemon said of itself last: version, pid, home, api."""

    @property
    def up(self) -> bool:
        """Whether the daemon is connected."""
        return self._connection is not None

    def subscribe(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        """Call `listener` with `up` whenever that changes; return what ends this."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    @property
    def home(self) -> Home:
        """Whose daemon it is."""
        return self._home

    async def start(self) -> None:
        """Begin to connect, for ever; return after the first attempt."""
        if not await self._attempt():
            self._set_down("The daemon does not run. Start it with: overmind start")
        self._task = asyncio.get_running_loop().create_task(self._stay_connected())

    async def close(self) -> None:
        """Connect no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._connection is not None:
            self._connection.close()

    async def call(self, command: str, args: Args | None = None, *, by: str | None = None) -> Any:  # noqa: ANN401  (any JSON)
        """Send one request and return its answer.

        Args:
            command: Its name.
            args: Its arguments.
            by: In whose name, such as `web:phone`.

        Raises:
            OvermindError: the daemon said no; `daemon_not_running`, it is not there; `daemon_lost`, it was lost before
                it answered, and the request must not be repeated.
        """
        operation = OPERATIONS.get(command)
        repeated = False
        loop = asyncio.get_running_loop()
        deadline = loop.time() + ANSWER_LIMIT
        while True:
            connection = await self._connected(deadline - loop.time(), lost=repeated)
            try:
                return await connection.ask(command, args or {}, by)
            except ConnectionError:
                if operation is None or not operation.repeatable:
                    raise OvermindError("daemon_lost", _LOST) from None
                repeated = True
                deadline = loop.time() + ANSWER_LIMIT
            except OvermindError as error:
                if repeated and operation is not None and error.code in operation.already_done:
                    return {"id": (args or {}).get("id"), "name": None, "also": []}
                raise

    async def stream(
        self, command: str, args: Args | None = None, *, by: str | None = None
    ) -> AsyncGenerator[tuple[str, Any], None]:
        """Yield each line of a stream as (kind, content): `ok`, `item` …, `end`. Close the generator to end it early.

        Raises:
            OvermindError: the daemon said no, is not there, or was lost: `daemon_lost`.
        """
        await self._connected(ANSWER_LIMIT, lost=False)
        try:
            connection = await connect(self._home)
        except OSError:
            raise OvermindError("daemon_lost", _NOT_RESTORED) from None
        lines = connection.follow(command, args or {}, by)
        try:
            async for line in lines:
                yield line
        except ConnectionError:
            raise OvermindError("daemon_lost", _LOST) from None
        finally:
            await lines.aclose()
            connection.close()

    async def _connected(self, seconds: float, *, lost: bool) -> Connection:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                while (connection := self._connection) is None or connection.is_closing:
                    if connection is not None:
                        self._set_down(_ENDED)
                    await self._reached.wait()
                return connection
        except TimeoutError:
            raise OvermindError(
                "daemon_lost" if lost else "daemon_not_running", _NOT_RESTORED if lost else self.message or None
            ) from None

    async def _stay_connected(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection = self._connection
            if connection is not None:
                await connection.lost
                if self._connection is connection:
                    self._set_down(_ENDED)
            lost_at, pause = loop.time(), FIRST_PAUSE
            while not await self._attempt():
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                if loop.time() - lost_at > FAILOVER_LIMIT:
                    await asyncio.to_thread(self._have_keeper_served)

    async def _attempt(self) -> bool:
        """Try to connect."""
        try:
            connection = await connect(self._home)
        except OSError:
            return False
        except OvermindError as error:
            self._set_down(error.message)
            return False
        try:
            async with asyncio.timeout(ANSWER_LIMIT):
                self.daemon = await connection.ask("hello", {"version": VERSION})
        except (ConnectionError, TimeoutError, OvermindError):
            connection.close()
            return False
        except asyncio.CancelledError:
            connection.close()
            raise
        self._connection = connection
        self.message = ""
        self._reached.set()
        self._tell()
        return True

    def _have_keeper_served(self) -> None:
        """Start a daemon where a keeper with missions has had no other for too long. Blocks."""
        if holder_pid(self._home.keeper_lock) is None or holder_pid(self._home.supervisor_lock) is not None:
            return
        with suppress(OvermindError, OSError):
            connect_or_start(self._home, start=False)[0].close()

    def _set_down(self, message: str) -> None:
        self.message = message
        self._connection = None
        self._reached.clear()
        self._tell()

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener(self.up)
