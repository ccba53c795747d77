"""The API's socket without the product's client: lines of JSON, and bytes that are none."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

LONGEST = 107 if sys.platform == "linux" else 103
"""Bytes of a socket's path."""


def address(home: str, name: str = "overmind.sock") -> str:
    """Where the socket `name` of `home` is: in the home, or where its pointer file says."""
    try:
        with open(os.path.join(home, f"{name}.path")) as pointer:
            return pointer.read().strip()
    except FileNotFoundError:
        return os.path.join(home, name)


def listens(path: str) -> bool:
    """Whether a process accepts connections at `path`."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
        return True


class RawSocket:
    """One connection to a daemon."""

    by: str | None = None
    """In whose name it asks; None: says nothing of that."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = bytearray()

    @classmethod
    def connect(cls, home: str, *, name: str = "overmind.sock", timeout: float = 10.0, by: str | None = None) -> Self:
        """Connect to the daemon of `home`; `timeout` seconds hold for each later read too; `by`: in whose name.

        Raises:
            FileNotFoundError: no daemon has been there; another OSError: none is.
        """
        place = address(home, name)
        if len(os.fsencode(place)) > LONGEST:
            raise FileNotFoundError(place)  # a daemon would have named a shorter one
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        try:
            connection.connect(place)
        except OSError:
            connection.close()
            raise
        made = cls(connection)
        if by is not None:
            made.by = by
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def fileno(self) -> int:
        """What `select` waits for."""
        return self._connection.fileno()

    def close(self) -> None:
        """Go away, without a word."""
        self._connection.close()

    def send_bytes(self, data: bytes) -> None:
        """Send exactly `data`."""
        self._connection.sendall(data)

    def send(self, cmd: str, /, **args: Any) -> None:
        """Send one request and don't wait for its answer."""
        self.send_line({"cmd": cmd, "args": args} | ({} if self.by is None else {"by": self.by}))

    def send_line(self, message: Any) -> None:
        """Send one JSON value as a line."""
        self.send_bytes(json.dumps(message).encode() + b"\n")

    def read_line(self, timeout: float | None = None) -> Any:
        """Return the next JSON line.

        Args:
            timeout: Seconds for the whole line; None = as given to `connect` for each read.

        Raises:
            EOFError: the daemon closed the connection.
            TimeoutError: nothing complete came; what came is kept.
        """
        with self._limited(timeout) as deadline:
            while (end := self._received.find(b"\n")) < 0:
                self._receive(deadline)
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return json.loads(line)

    def request(self, cmd: str, /, **args: Any) -> Any:
        """Send a request and return the next line: `{"ok": …}` or `{"error": …}`."""
        self.send(cmd, **args)
        return self.read_line()

    def ok(self, cmd: str, /, **args: Any) -> Any:
        """Send a request that must succeed, and return what it answers."""
        answer = self.request(cmd, **args)
        assert "ok" in answer, answer
        return answer["ok"]

    def lines(self) -> Iterator[Any]:
        """Yield the lines that follow, until the daemon closes the connection."""
        with contextlib.suppress(EOFError):
            while True:
                yield self.read_line()

    def closed(self) -> bool:
        """Whether the daemon closed the connection, with nothing left to read; waits for either."""
        if not self._received:
            with contextlib.suppress(EOFError, ConnectionError):
                self._receive(None)
        return not self._received

    def _receive(self, deadline: float | None) -> None:
        if deadline is not None:
            self._connection.settimeout(max(0.001, deadline - time.monotonic()))
        data = self._connection.recv(1 << 16)
        if not data:
            raise EOFError
        self._received += data

    @contextlib.contextmanager
    def _limited(self, timeout: float | None) -> Iterator[float | None]:
        before = self._connection.gettimeout()
        try:
            yield None if timeout is None else time.monotonic() + timeout
        finally:
            self._connection.settimeout(before)
