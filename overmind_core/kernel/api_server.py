"""The server on overmind.sock: framing, limits, order of answers. What a request does is its row of `daemon/routes.py`.

Nothing that a client sends takes it down, and no client makes it hold much: a line is at most 16 MiB, unfinished
lines of all clients together at most `UNFINISHED_LIMIT`, and whoever doesn't read its answers is cut off.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import resource
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from overmind_core.errors import OvermindError
from overmind_core.kernel.database import DiskFull, StoreCorrupt, StoreError
from overmind_core.kernel.keeper_client import KeeperGone, KeeperRefused
from overmind_core.kernel.request import Args, Caller, Request
from overmind_core.system.installation import what_is_missing
from overmind_core.system.unixsocket import Peer, is_hung_up, peer
from overmind_core.wire.framing import MAX_LINE, TOO_LONG, LineBuffer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping

UNFINISHED_LIMIT = 8 * MAX_LINE
"""Bytes of requests that are not complete yet or not begun with, over all connections."""
UNREAD_LIMIT = 64 * 1024 * 1024
"""Bytes of answers that one client may leave unread before it is cut off."""
ANSWERS_AHEAD = 8 * 1024 * 1024
"""Bytes of answers that a client may leave unread before its next request is begun with."""
MOST_CLIENTS = 4096
RESERVED_FILES = 64
"""Descriptors that no client gets: without them nothing could be saved, stopped or even looked at."""
LEAST_FILES = RESERVED_FILES + 16
"""Descriptors without which no daemon begins: it would answer nobody, not even who wants it to leave."""
STREAM_AHEAD = 256 * 1024
"""Bytes that a stream writes ahead of its reader."""
RECEIVED = 64 * 1024
"""Bytes taken from one client at a time: the beginning of a burst is in work while its rest is read."""
HALF_CLOSED_LOOK = 5.0
"""Seconds between two looks at a client that has closed its side while a stream goes on: is it there at all?"""
GONE_PAUSE = 0.02
"""Seconds between two requests of a client that has gone, for those who are still here."""
MANY_REQUESTS = 512
"""Requests of one connection in work at once; more wait in the socket."""
MANY_AT_KEEPER = 64
"""Those of them that wait for the keeper: a start holds kilobytes until it is answered, and more of them at once are
not done sooner."""
_log = logging.getLogger(__name__)
_decode = msgspec.json.Decoder(Request).decode
_encode = msgspec.json.Encoder().encode


class Endpoint(NamedTuple):
    """One command: its arguments' type and what it does. A stream is an async generator: head first, then items.

    `handle` takes the arguments, the caller, and `Request.by`.
    """

    arguments: type[Args]
    handle: Callable[[Any, Caller, str | None], Awaitable[Any] | AsyncIterator[Any]]
    asks_keeper: bool = False
    """It waits for the keeper: see `Connection.answer_for_keeper`."""
    once: Callable[[str, str, bytes, Callable[[], Any]], Awaitable[Any]] | None = None
    """Does it at most once for a key: see `keyed_requests`. None: it may be repeated as it is, or has its own key."""


class HandingOver(Exception):
    """Another daemon is about to take over: it will answer the request when the client repeats it."""


class ConnectionLimits:
    """What all connections share: how many there may be, the unfinished bytes they hold, whether requests are taken.

    What arrives lies in `inbox` for a moment: the connection that it is for takes it over at once.
    """

    __slots__ = ("held", "inbox", "most", "shut")

    def __init__(self) -> None:
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.most = MOST_CLIENTS if files == resource.RLIM_INFINITY else min(MOST_CLIENTS, files - RESERVED_FILES)
        self.held = 0
        self.inbox = bytearray(RECEIVED)
        self.shut = False


class Connection(asyncio.BufferedProtocol):
    """One client."""

    def __init__(self, endpoints: Mapping[str, Endpoint], door: ConnectionLimits, register: set[Connection]) -> None:
        self._endpoints = endpoints
        self._door = door
        self._register = register
        self._lines = LineBuffer(MAX_LINE)
        self._held = 0
        self._waiting = 0
        self._transport: asyncio.Transport
        self._tasks: set[asyncio.Task[None]] = set()
        self._streams: set[asyncio.Task[None]] = set()
        self._asking: dict[asyncio.Task[None], object] = {}
        """What waits for the keeper → the id of its request."""
        self._in_order: asyncio.Task[None] | None = None
        self._outgoing: list[bytes] = []
        self._outgoing_size = 0
        self._room = asyncio.Event()
        self._room.set()
        self._alone = asyncio.Lock()
        """Once the client has gone: held by the one request that is begun with next."""
        self._closing = False
        self.caller = Caller(Peer(0, -1))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the client in, if it is the same user's."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.caller = Caller(peer(transport.get_extra_info("socket")))
        if self.caller.peer.uid != os.geteuid():
            transport.abort()
            return
        transport.set_write_buffer_limits(high=STREAM_AHEAD)
        self._register.add(self)
        if len(self._register) > self._door.most:
            self._answer(
                None, error=OvermindError("busy", f"The limit of {self._door.most} clients is reached. Try again.")
            )
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell it nothing more; what it asked to be done is brought to its end all the same."""
        del exc
        self._register.discard(self)
        self._hold(0)
        self._room.set()
        self._end_streams()

    def pause_writing(self) -> None:
        """It does not read as fast as a stream writes."""
        self._room.clear()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._room.set()

    def eof_received(self) -> bool:
        """Whoever asked and closed its side still gets its answers."""
        self._closing = True
        self._close_when_done()
        self._check_client()
        return True

    def _check_client(self) -> None:
        """Its end is reported only once: whether it went away altogether, then or later, has to be looked up."""
        if self._transport.is_closing():
            return
        if is_hung_up(self._transport.get_extra_info("socket").fileno()):
            self._end_streams()
        elif self._streams:
            asyncio.get_running_loop().call_later(HALF_CLOSED_LOOK, self._check_client)

    def _end_streams(self) -> None:
        for task in self._streams:
            task.cancel()

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where its bytes go."""
        del sizehint
        return self._door.inbox

    def buffer_updated(self, nbytes: int) -> None:
        """Take in what it asks."""
        if self._door.shut:
            self._transport.abort()
            return
        for line in self._lines.feed(bytes(memoryview(self._door.inbox)[:nbytes])):
            self._accept(line)
        self._hold(self._lines.size + self._waiting)
        if self._door.held > UNFINISHED_LIMIT and self._held:
            self._answer(None, error=OvermindError("busy", "Too many unfinished requests: this one was dropped."))
            self.close()
        many = len(self._tasks) > MANY_REQUESTS or len(self._asking) > MANY_AT_KEEPER
        if many or self._waiting > MAX_LINE:
            self._transport.pause_reading()

    def close(self) -> None:
        """Send what is written, then end the connection."""
        self._flush()
        self._transport.close()

    def _hold(self, size: int) -> None:
        self._door.held += size - self._held
        self._held = size

    def _accept(self, line: bytes) -> None:
        if line is TOO_LONG:
            limit = OvermindError("too_large", f"A request is limited to {MAX_LINE} bytes.")
            self._answer(None, error=limit)
            return
        if not line.strip():
            return
        try:
            request = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._answer(_id_of(line), error=OvermindError("invalid", f"Not a request: {error}"))
            return
        before = None if request.id is not None else self._in_order
        self._waiting += len(line)
        task = asyncio.get_running_loop().create_task(self._serve(request, before, len(line)))
        if request.id is None:
            self._in_order = task
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._streams.discard(task)
        self._asking.pop(task, None)
        if not task.cancelled() and task.exception() is not None:
            _log.error("a request failed", exc_info=task.exception())
        self._read_on()
        self._close_when_done()

    def _read_on(self) -> None:
        """Take in more requests, once few are in work."""
        few = len(self._tasks) <= MANY_REQUESTS and len(self._asking) <= MANY_AT_KEEPER // 2
        if few and self._waiting <= MAX_LINE and not self._transport.is_closing():
            self._transport.resume_reading()

    def _close_when_done(self) -> None:
        if self._closing and not self._tasks and not self._transport.is_closing():
            self.close()

    async def _serve(self, request: Request, before: asyncio.Task[None] | None, size: int) -> None:
        """Answer one request of `size` bytes."""
        await self._turn(before)
        self._waiting -= size
        self._hold(self._lines.size + self._waiting)
        try:
            endpoint = self._endpoints.get(request.cmd)
            if endpoint is None:
                raise OvermindError("unknown_command", f"Unknown command {request.cmd[:100]!r}.")  # noqa: TRY301
            result = self._handled(request, endpoint)
            if inspect.isasyncgen(result):
                if self._transport.is_closing():
                    return
                self._streams.add(asyncio.current_task())  # type: ignore[arg-type] # this runs in one
                await self._stream(request.id, result)
            elif endpoint.asks_keeper:
                await self._ask_keeper(request.id, result)  # type: ignore[arg-type] # a coroutine, as it streams nothing
            else:
                self._answer(request.id, ok=await result)  # type: ignore[misc] # same
        except HandingOver:
            self._transport.abort()
        except Exception as error:  # noqa: BLE001 - the boundary: every failure is this request's alone
            self._answer(request.id, error=_explain(error))

    def _handled(self, request: Request, endpoint: Endpoint) -> Awaitable[Any] | AsyncIterator[Any]:
        arguments = _arguments(request, endpoint.arguments)
        if request.request is None or endpoint.once is None:
            return endpoint.handle(arguments, self.caller, request.by)
        work = partial(endpoint.handle, arguments, self.caller, request.by)
        return endpoint.once(request.request, request.cmd, bytes(request.args), work)

    async def _ask_keeper(self, id_: object, result: Awaitable[Any]) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._asking[task] = id_
        try:
            answer = await result
        except Exception:
            if task in self._asking:
                raise
            return
        if task in self._asking:
            self._answer(id_, ok=answer)

    def answer_for_keeper(self, error: OvermindError) -> None:
        """The keeper does not answer: nobody shall wait for it without a word. What was asked for goes on."""
        asking, self._asking = self._asking, {}
        for id_ in asking.values():
            self._answer(id_, error=error)
        self._read_on()

    async def _turn(self, before: asyncio.Task[None] | None) -> None:
        """Wait for the request before, when nothing else tells the answers apart, and for a client that reads."""
        if before is not None and not before.done():
            await asyncio.wait([before])
        while self._transport.get_write_buffer_size() > ANSWERS_AHEAD:
            await self._room.wait()
        if self._transport.is_closing():  # all that waited for it to read may go on now
            async with self._alone:
                await asyncio.sleep(GONE_PAUSE)

    async def _stream(self, id_: object, items: AsyncGenerator[Any, Any]) -> None:
        first = True
        async with aclosing(items):
            async for item in items:
                await self._room.wait()
                self._write({"ok" if first else "item": item}, id_)
                first = False
        self._write({"end": {}}, id_)

    def _answer(self, id_: object, *, ok: object = None, error: OvermindError | None = None) -> None:
        if error is None:
            self._write({"ok": ok}, id_)
        else:
            self._write({"error": error.code, "message": error.message, **error.fields}, id_)

    def _write(self, message: dict[str, Any], id_: object) -> None:
        if self._transport.is_closing():
            return
        if id_ is not None:
            message["id"] = id_
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._flush)
        line = _encode(message)
        self._outgoing.append(line)
        self._outgoing_size += len(line)
        if self._outgoing_size > STREAM_AHEAD:
            self._flush()

    def _flush(self) -> None:
        """Send the answers of one turn together."""
        lines, self._outgoing, self._outgoing_size = self._outgoing, [], 0
        if not lines or self._transport.is_closing():
            return
        self._transport.write(b"\n".join(lines) + b"\n")
        if self._transport.get_write_buffer_size() > UNREAD_LIMIT:
            _log.warning("a client (pid %s) did not read its answers and was disconnected", self.caller.peer.pid)
            self._transport.abort()


def _id_of(line: bytes) -> object:
    """The id of a request that is wrong otherwise, so that a pipelining client can tell which."""
    try:
        return msgspec.json.decode(line, type=dict[str, Any]).get("id")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _arguments(request: Request, kind: type[Args]) -> Args:
    """The arguments of a request.

    Raises:
        OvermindError: `invalid`, they are no UTF-8, or lie too deep in each other.
        msgspec.DecodeError: they are others than those of its command.
    """
    try:
        return msgspec.json.decode(request.args, type=kind)
    except (UnicodeDecodeError, RecursionError) as error:
        raise OvermindError("invalid", f"Bad arguments: {error}") from None


def _explain(error: Exception) -> OvermindError:
    match error:
        case OvermindError():
            return error
        case msgspec.DecodeError():
            return OvermindError("invalid", f"Bad arguments: {error}")
        case DiskFull():
            return OvermindError(
                "disk_full", "The disk is full: the change can't be saved. Free some space and try again."
            )
        case StoreError():
            return OvermindError("internal", _store_failure(error))
        case KeeperGone() | KeeperRefused():
            return OvermindError("busy", "The keeper was replaced just now. Try again.")
        case _:
            return _explain_unexpected(error)


def _store_failure(error: StoreError) -> str:
    if isinstance(error, StoreCorrupt):
        return f"The state {error.path} is damaged ({error.detail}). Recover it with: overmind state recover"
    return f"The state can't be saved: {error}"


def _explain_unexpected(error: Exception) -> OvermindError:
    if isinstance(error, ImportError) and (missing := what_is_missing(error)) is not None:
        return OvermindError("invalid", missing)
    _log.error("a request failed", exc_info=error)
    return OvermindError("internal", f"{type(error).__name__}: {error}. See daemon.log")
