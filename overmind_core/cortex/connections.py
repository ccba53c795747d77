"""Connections of HTTP with limits: how many there are, how long a header may take, and how long all of it.

A connection serves one request. uvicorn knows no limit of time for a header; but it takes the class of its connections
as an argument, so that this one says when what it was sent is too slow.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from asyncio import TimerHandle, Transport

MOST = 64
"""At once."""
HEADER_SECONDS = 10.0
WHOLE_SECONDS = 120.0
"""From the first byte to the last one of the answer: whoever does not read it holds a place no longer."""
_LONGEST_HEADER = 16_384
"""Bytes."""
_END_OF_HEADER = b"\r\n\r\n"
_BUSY_BODY = b'{"error":"busy","message":"Too many connections. Try again in 5 seconds."}'
_BUSY = (
    b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nconnection: close\r\nretry-after: 5\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(_BUSY_BODY), _BUSY_BODY)
)


class LimitedConnection(H11Protocol):
    """A connection of one request."""

    header_seconds = HEADER_SECONDS
    most = MOST

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override] # as in the base class
        """Take it, or refuse it when there are enough."""
        super().connection_made(transport)
        self._header: bytearray | None = bytearray()
        self._timers: list[TimerHandle] = []
        if len(self.connections) > self.most:
            transport.write(_BUSY)
            transport.close()
            return
        loop = asyncio.get_running_loop()
        self._timers = [
            loop.call_later(self.header_seconds, self._close_without_header),
            loop.call_later(WHOLE_SECONDS, transport.abort),
        ]

    def data_received(self, data: bytes) -> None:
        """Take bytes, and see when the header has ended."""
        if self._header is not None:
            self._header += data[:_LONGEST_HEADER]
            if _END_OF_HEADER in self._header or len(self._header) > _LONGEST_HEADER:  # the latter is refused below
                self._header = None
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """End it."""
        for timer in self._timers:
            timer.cancel()
        super().connection_lost(exc)

    def _close_without_header(self) -> None:
        if self._header is not None:
            self.transport.abort()
