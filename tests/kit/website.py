"""The web server of a home: a process of its own, somebody logged in, and sockets without a browser."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from overmind_core.terminal.screen import Screen
from tests.kit.overmind import Overmind

PATIENCE = 30.0
"""Seconds for anything to happen on a busy machine."""


class Website:
    """`python -m overmind_web` of a home; a context manager that ends it.

    Attributes:
        port: Where it listens.
        cookie: Of the login, as a header has it.
        key: Its other secret.
        name: Whose login it is.
    """

    def __init__(self, om: Overmind, *, port: int = 0) -> None:
        self._om = om
        self.process = self._start(port)
        assert self.process.stdout is not None
        link = urlsplit(self.process.stdout.readline().strip())
        assert link.port is not None
        self.port = link.port
        self.cookie, self.key, self.name = self._log_in(link.fragment.removeprefix("link="))

    def _start(self, port: int) -> subprocess.Popen[str]:
        words = [sys.executable, "-P", "-m", "overmind_web", "--port", str(port)]
        return subprocess.Popen(words, env=self._om.environment, stdout=subprocess.PIPE, text=True)

    def _log_in(self, link: str) -> tuple[str, str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        body = json.dumps({"link": link})
        headers = {"Content-Type": "application/json", "Origin": self.origin}
        connection.request("POST", "/login", body, headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
        login = json.loads(answer.read())
        connection.close()
        return cookie, login["key"], login["name"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()

    @property
    def origin(self) -> str:
        """Where browsers find it."""
        return f"http://127.0.0.1:{self.port}"

    def socket(self, path: str, query: Mapping[str, object] | None = None) -> AbstractContextManager[Connection]:
        """A socket with this login, once it is entered."""
        address = f"ws://127.0.0.1:{self.port}/{path}" + (f"?{urlencode(query)}" if query else "")
        return connect(
            address,
            origin=self.origin,  # type: ignore[arg-type]
            subprotocols=["overmind.1", f"key.{self.key}"],  # type: ignore[list-item]
            additional_headers={"Cookie": self.cookie},
            compression=None,
            max_size=None,
            proxy=None,
        )

    def terminal(self, mission: str, mode: str = "look", **query: object) -> WebTerminal:
        """One mission's terminal."""
        return WebTerminal(self.socket("tty", {"id": mission, "mode": mode, **query}))

    def tab(self) -> WebTab:
        """One tab, greeted."""
        return WebTab(self.socket("ws"))

    def memory(self) -> int:
        """Resident bytes of the server."""
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class WebTerminal:
    """A page's end of `/tty`: draws with our emulator, and acknowledges what it has drawn.

    Attributes:
        screen: As the page would show it.
        items: All that was said as text.
        received: Bytes of the terminal that came.
    """

    socket: Connection

    def __init__(self, opening: AbstractContextManager[Connection]) -> None:
        self._opening = opening
        self.screen = Screen(80, 24)
        self.items: list[dict[str, Any]] = []
        self.exit: int | None = None
        self.received = 0
        self.acknowledges = True

    def __enter__(self) -> Self:
        self.socket = self._opening.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opening.__exit__(kind, error, trace)

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


class WebTab:
    """A page's end of `/ws`."""

    socket: Connection

    def __init__(self, opening: AbstractContextManager[Connection]) -> None:
        self._opening = opening

    def __enter__(self) -> Self:
        self.socket = self._opening.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opening.__exit__(kind, error, trace)

    def say(self, **message: object) -> None:
        """Send a message."""
        self.socket.send(json.dumps(message))

    def messages(self, pane: int) -> Iterator[dict[str, Any]]:
        """What comes for a pane."""
        while True:
            message = json.loads(self.socket.recv(PATIENCE))
            if message["t"] == "ping":
                self.say(t="pong")
            if message.get("p") == pane:
                yield message

    def next(self, pane: int, *kinds: str) -> dict[str, Any]:
        """The next message for a pane that is one of these."""
        return next(message for message in self.messages(pane) if message["t"] in kinds)
