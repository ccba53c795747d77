"""A daemon that says what a test tells it to, on a real socket, to try the client's patience."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any, Self

from overmind_core.system.paths import Home
from overmind_core.system.unixsocket import listen

Json = dict[str, Any]
Answer = Callable[[Json], Iterable[Json] | None]
"""From a request to the lines to send (without its id); None closes the connection instead."""


class FakeDaemon:
    """Listens at a home until the `with` block ends; answers `hello` itself.

    Args:
        home: Where.
        answer: What to say to each other request.
        version: What `hello` is told; None: `hello` is never answered.

    Attributes:
        requests: All that came, but `hello`.
        greetings: How many `hello` came.
    """

    def __init__(self, home: Home, answer: Answer, *, version: str | None = "0.1.0") -> None:
        self.requests: list[Json] = []
        self.greetings = 0
        self._answer = answer
        self._version = version
        os.makedirs(home.root, mode=0o700, exist_ok=True)
        self._server = listen(home.socket)
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._threads[0].join()  # from here on nobody is accepted any more
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                self._connections.append(connection)
                self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as lines:
            for line in lines:
                request = json.loads(line)
                answers = self._respond(request)
                if answers is None:
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                for answer in answers:
                    connection.sendall(json.dumps({"id": request["id"], **answer}).encode() + b"\n")

    def _respond(self, request: Json) -> Iterable[Json] | None:
        if request["cmd"] != "hello":
            self.requests.append(request)
            return self._answer(request)
        self.greetings += 1
        return [] if self._version is None else [{"ok": {"version": self._version, "pid": os.getpid()}}]
