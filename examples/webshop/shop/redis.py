"""As much of a client of Redis as a shop needs.

Source: redis.io/docs/latest/develop/reference/protocol-spec (RESP2).
"""

from __future__ import annotations

import socket
from types import TracebackType
from typing import BinaryIO, Self

Reply = str | int | list["Reply"] | None


class RedisError(Exception):
    """The database said no."""


class Redis:
    """One connection."""

    def __init__(self, host: str, port: int, *, timeout: float = 5.0) -> None:
        self._socket = socket.create_connection((host, port), timeout)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        self._socket.close()

    def __call__(self, *words: str | int) -> Reply:
        """Give a command, return the answer."""
        self._socket.sendall(encoded(words))
        return answer(self._file)


def encoded(words: tuple[str | int, ...]) -> bytes:
    """A command as it is sent: a list of texts, each with its length in bytes."""
    parts = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def answer(file: BinaryIO) -> Reply:
    """Read one answer."""
    line = file.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("the database closed the connection")
    kind, text = line[:1], line[1:-2].decode()
    if kind == b"-":
        raise RedisError(text)
    if kind == b":":
        return int(text)
    if kind == b"$":
        return None if text == "-1" else file.read(int(text) + 2)[:-2].decode()
    if kind == b"*":
        return [answer(file) for _ in range(int(text))]
    return text
