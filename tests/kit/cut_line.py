"""A line between a browser and its server that can be cut, deafened, hung up and mended while connections are open."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

PIECE = 1 << 16
"""Bytes that are passed on at once."""


class Line:
    """Passes TCP connections on to a port of this machine; a context manager.

    Attributes:
        port: Where it listens on 127.0.0.1.
        server: Port to which it leads; 0: nowhere yet.
    """

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.server = 0
        self._calls: list[_Call] = []
        self._is_cut = self._is_deaf = False
        self._accepting = threading.Thread(target=self._accept)

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._accepting.join()
        self.hang_up()

    def cut(self) -> None:
        """Lose everything from now on, without a word: as a phone that sleeps, or a cable that is pulled.

        What was open before stays open to both ends, and nothing passes it again even after `mend`.
        """
        self._is_cut = True
        for call in self._calls:
            call.lost = True

    def deafen(self) -> None:
        """Lose what the server answers; what it is asked still arrives."""
        self._is_deaf = True
        for call in self._calls:
            call.deaf = True

    def mend(self) -> None:
        """New connections pass again."""
        self._is_cut = self._is_deaf = False

    def hang_up(self) -> None:
        """End what is open at both ends."""
        calls, self._calls = self._calls, []
        for call in calls:
            call.end()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:  # it was closed
                return
            self._calls.append(_Call(client, 0 if self._is_cut else self.server, deaf=self._is_deaf))


class _Call:
    """One connection. Without a server, what is said goes nowhere."""

    def __init__(self, client: socket.socket, server: int, *, deaf: bool) -> None:
        self.lost = not server
        self.deaf = deaf
        self._ends = [client]
        if server:
            try:
                self._ends.append(socket.create_connection(("127.0.0.1", server)))
            except OSError:  # it is gone
                client.close()
                return
        self._threads = [threading.Thread(target=self._pass, args=(one,)) for one in range(len(self._ends))]
        for thread in self._threads:
            thread.start()

    def _pass(self, source: int) -> None:
        """Pass on what comes from the client (0) or the server (1), and then its end."""
        with contextlib.suppress(OSError):
            while data := self._ends[source].recv(PIECE):
                if not (self.lost or (self.deaf and source == 1)):
                    self._ends[1 - source].sendall(data)
        if not (self.lost or (self.deaf and source == 1)):
            with contextlib.suppress(OSError):
                self._ends[1 - source].shutdown(socket.SHUT_WR)

    def end(self) -> None:
        """End it at both ends."""
        for one in self._ends:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in getattr(self, "_threads", ()):
            thread.join()
        for one in self._ends:
            one.close()
