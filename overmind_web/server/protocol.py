"""Connections of browsers with deadlines and limits, which uvicorn has none of: slow, silent and endless ones end.

A connection is a stranger's until a request on it was somebody's who is logged in. Strangers are few: one more ends the
oldest. So whoever is logged in always finds room, and descriptors.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveEvent

REQUEST_SECONDS = 10.0
"""For a request to be whole, from the connection's beginning or from its own."""
STRANGER_SECONDS = 60.0
"""For a connection on which nobody logged in."""
MOST_STRANGERS = 256
HEADER_BYTES = 65_536
MOST_PIPELINED = 8
"""Requests of one connection that wait for an answer to the one before; browsers send none so."""
MOST_FRAGMENTS = 1_024
"""Of one message; empty ones cost memory, too."""
UNREAD_BYTES = 4 << 20
"""Of answers to pings, which wait for a client that reads nothing."""
READ_BYTES = 32 << 10
"""At once from one connection: what asyncio would read has thousands of small messages, and others wait for all."""
CLOSE_SECONDS = 5.0
"""For a client to read the end of a socket."""
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)  # fmt: skip


class Strangers:
    """Connections on which nobody is logged in, the oldest first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._connections: dict[BrowserConnection, None] = {}

    def add(self, connection: BrowserConnection) -> None:
        """Take one more; the oldest ends where there are too many."""
        self._connections[connection] = None
        while len(self._connections) > self._most:
            oldest = next(iter(self._connections))
            self.discard(oldest)
            oldest.transport.abort()

    def discard(self, connection: BrowserConnection) -> None:
        """It has ended, or is no stranger's any more."""
        self._connections.pop(connection, None)

    def __contains__(self, connection: object) -> bool:
        return connection in self._connections


class BrowserConnection(HttpToolsProtocol):
    """One connection of HTTP, until it becomes a websocket."""

    STATE = "overmind.connection"
    """Where a request finds its connection, in `scope["state"]`."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], strangers: Strangers
    ) -> None:
        super().__init__(config, server_state, app_state)
        self._strangers = strangers
        self._deadline: asyncio.TimerHandle | None = None
        self._lifetime: asyncio.TimerHandle | None = None
        self._header_size = 0
        self._in_header = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in the base class
        """Take the connection, as a stranger's."""
        super().connection_made(transport)
        transport.max_size = READ_BYTES  # type: ignore[attr-defined] # each transport of a socket has it
        self._set_deadline()
        self._lifetime = self.loop.call_later(STRANGER_SECONDS, self._end_stranger)
        self._strangers.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._forget()
        super().connection_lost(exc)

    def welcome(self) -> None:
        """Somebody is logged in on it: it may stay."""
        self._strangers.discard(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes, of a header only so many."""
        if self._in_header:
            self._header_size += len(data)
        super().data_received(data)
        if self._in_header and self._header_size > HEADER_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins."""
        if len(self.pipeline) >= MOST_PIPELINED:
            self.transport.abort()
            raise OverflowError("too many requests at once")  # the parser stops here
        super().on_message_begin()
        self._in_header = True
        self._header_size = 0
        self.scope["state"][self.STATE] = self
        if self._deadline is None:
            self._set_deadline()

    def on_headers_complete(self) -> None:
        """Its header is whole."""
        self._in_header = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """It is whole."""
        self._clear_deadline()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to a websocket; what is no text in its header would be an error of ours."""
        self._forget()
        if all(value.isascii() for name, value in self.scope["headers"] if name.startswith(b"sec-websocket-")):
            super().handle_websocket_upgrade()
        else:
            self.send_400_response("Invalid HTTP request received.")

    def _set_deadline(self) -> None:
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._end)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _forget(self) -> None:
        self._clear_deadline()
        if self._lifetime is not None:
            self._lifetime.cancel()
            self._lifetime = None
        self._strangers.discard(self)

    def _end(self) -> None:
        self._deadline = None
        self.transport.abort()

    def _end_stranger(self) -> None:
        if self in self._strangers:
            self.transport.abort()


class BrowserSocket(WebSocketsSansIOProtocol):
    """One websocket."""

    async def receive(self) -> ASGIReceiveEvent:
        """Return the next message; before it, whoever else waits has a turn, however many are there already."""
        await asyncio.sleep(0)
        return await super().receive()

    def handle_cont(self, event: Frame) -> None:
        """Take a fragment, of one message only so many."""
        if len(self.frames) >= MOST_FRAGMENTS:
            self.transport.abort()
            return
        super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answer a ping, while its sender reads."""
        if self.transport.get_write_buffer_size() > UNREAD_BYTES:
            self.transport.abort()
            return
        super().handle_ping()

    async def run_asgi(self) -> None:
        """Serve it; whoever does not read its end is not waited for."""
        await super().run_asgi()
        self.loop.call_later(CLOSE_SECONDS, self.transport.abort)
