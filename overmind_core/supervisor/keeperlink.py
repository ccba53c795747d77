"""The supervisor's line to its keeper: pipelined requests, notices, and the news that it is gone."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.wire.lines import LineBuffer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROTOCOL_VERSIONS = (1, 1)
"""Oldest and newest keeper protocol that this supervisor speaks."""
MAX_ANSWER = 256 * 1024 * 1024
_log = logging.getLogger(__name__)


class KeeperGone(Exception):
    """The connection ended before the answer came."""


class KeeperRefused(Exception):
    """The keeper answered with an error."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__(f"{answer.get('error')}: {answer.get('message', '')}")
        self.code = str(answer.get("error"))
        self.message = str(answer.get("message", ""))
        self.answer = answer


class KeeperLink(asyncio.Protocol):
    """One connection to one keeper; made anew for the next keeper."""

    def __init__(self, on_notice: Callable[[dict[str, Any]], None], on_lost: Callable[[], None]) -> None:
        self._on_notice = on_notice
        self._on_lost = on_lost
        self._lines = LineBuffer(MAX_ANSWER)
        self._pending: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._next = 0
        self._outgoing: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._encoder = msgspec.json.Encoder()
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The line is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody who waits will get an answer."""
        del exc
        announce = not self.closed
        self.closed = True
        pending, self._pending = self._pending, {}
        for future in pending.values():
            if not future.done():
                future.set_exception(KeeperGone())
                future.exception()  # whoever waits sees it; nobody else has to
        if announce:
            self._on_lost()

    def data_received(self, data: bytes) -> None:
        """Hand answers to those who wait, and notices on."""
        for line in self._lines.feed(data):
            self._receive(msgspec.json.decode(line))

    def ask(self, op: str, **fields: object) -> asyncio.Future[dict[str, Any]]:
        """Send a request; the future holds the `ok` part of the answer, KeeperRefused or KeeperGone."""
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        if self.closed or self._transport is None:
            future.set_exception(KeeperGone())
            future.exception()
            return future
        self._next += 1
        self._pending[self._next] = future
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._send)
        self._outgoing.append(self._encoder.encode({"op": op, "n": self._next, **fields}))
        return future

    def close(self) -> None:
        """End the connection from our side; nobody is told that the keeper is lost."""
        self.closed = True
        if self._transport is not None:
            self._send()
            self._transport.close()

    def _send(self) -> None:
        if self._outgoing and self._transport is not None:
            lines, self._outgoing = self._outgoing, []
            self._transport.write(b"\n".join(lines) + b"\n")

    def _receive(self, message: dict[str, Any]) -> None:
        if "notice" in message:
            self._on_notice(message)
            return
        future = self._pending.pop(message.get("n", -1), None)
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(KeeperRefused(message))
            future.exception()
        else:
            future.set_result(message.get("ok") or {})
