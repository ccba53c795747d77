"""A database for tests that speaks Redis' protocol and knows the commands of the shop.

`python3 -m tests.stand_in --port 6379` serves it.
"""

from __future__ import annotations

import argparse
import socketserver
from collections.abc import Callable
from threading import Lock
from typing import Any

from shop.redis import answer


class Database:
    """What is kept, in memory."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}
        self._lock = Lock()

    def __call__(self, *words: str) -> Any:  # noqa: ANN401 - as Redis
        """Do one command."""
        name, *arguments = words
        work: dict[str, Callable[..., Any]] = {
            "PING": lambda: "PONG",
            "INCR": self._incr,
            "HINCRBY": self._hincrby,
            "HGETALL": lambda key: [str(one) for pair in self._kept.get(key, {}).items() for one in pair],
            "KEYS": lambda _pattern: sorted(self._kept),
        }
        with self._lock:
            return work[name](*arguments)

    def _incr(self, key: str) -> int:
        self._kept[key] = self._kept.get(key, 0) + 1
        return int(self._kept[key])

    def _hincrby(self, key: str, field: str, by: str) -> int:
        table = self._kept.setdefault(key, {})
        table[field] = table.get(field, 0) + int(by)
        return int(table[field])


def serving(port: int = 0) -> socketserver.ThreadingTCPServer:
    """A server with a database of its own; `port` 0 takes any that is free."""
    database = Database()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.peek(1):  # type: ignore[attr-defined]
                words = answer(self.rfile)  # a command looks like a list of texts
                assert isinstance(words, list)
                try:
                    self.wfile.write(_written(database(*map(str, words))))
                except KeyError as unknown:
                    self.wfile.write(f"-ERR unknown command {unknown}\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    return Server(("127.0.0.1", port), Handler)


def _written(value: object) -> bytes:
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, list):
        return b"*%d\r\n" % len(value) + b"".join(map(_written, value))
    data = str(value).encode()
    return b"$%d\r\n%s\r\n" % (len(data), data)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    print(f"database at :{port}", flush=True)
    serving(port).serve_forever()
