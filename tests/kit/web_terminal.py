"""A page's end of a mission's terminal, without a browser."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from overmind_core.terminal.screen import Screen

PATIENCE = 30.0
"""Seconds for anything to happen on a busy machine."""


class WebTerminal:
    """A page's end of `/tty`: draws with our emulator, and acknowledges what it has drawn.

    Attributes:
        socket: The connection.
        screen: As the page would show it.
        items: All that was said as text.
        received: Bytes of the terminal that came.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self.socket = connection
        self.screen = Screen(80, 24)
        self.items: list[dict[str, Any]] = []
        self.exit: int | None = None
        self.received = 0
        self.acknowledges = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def step(self, timeout: float = PATIENCE) -> object:
        """Take one message. Raises TimeoutError; ConnectionClosed."""
        message = self.socket.recv(timeout)
        if isinstance(message, str):
            item = json.loads(message)
            self.items.append(item)
            return item
        kind, data = message[0], message[1:]
        if kind == 1:
            self.received += len(data)
            self._draw(data)
            if self.acknowledges:
                with suppress(ConnectionClosed):  # what was sent before the end can still be read
                    self.say({"ack": self.received})
        elif kind == 2:
            columns, rows = int.from_bytes(data[:2]), int.from_bytes(data[2:])
            self.screen.resize(columns, rows)
        else:
            self.exit = int.from_bytes(data, signed=True)
        return message

    def _draw(self, data: bytes) -> None:
        if data.startswith(b"\x1bc"):
            self.screen = Screen(self.screen.columns, self.screen.rows)
            data = data[2:]
        self.screen.feed(data)

    def say(self, message: Mapping[str, object]) -> None:
        """Send a text message."""
        self.socket.send(json.dumps(message))

    def type(self, data: bytes | str) -> None:
        """Send what was typed."""
        self.socket.send(data.encode() if isinstance(data, str) else data)

    def until(self, text: str) -> WebTerminal:
        """Take messages until the screen has this."""
        while text not in self.text:
            self.step()
        return self

    def item(self, kind: str) -> dict[str, Any]:
        """Take messages until such an item comes, and return it."""
        while True:
            got = self.step()
            if isinstance(got, dict) and got["type"] == kind:
                return got

    def end_code(self) -> int | None:
        """Take messages until the server closes the socket; return the code that it gives."""
        with suppress(ConnectionClosed):
            while True:
                self.step()
        return self.socket.protocol.close_code

    @property
    def text(self) -> str:
        """What the screen has."""
        return self.screen.text()
