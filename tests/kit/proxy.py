"""A way from one hive to its swarm's database that is cut, stands still, is slow, or loses what a test names.

It listens on a socket of its own as a PostgreSQL does, and reads what is asked: so a test says which function's answer
gets lost, and is told what was asked in which order.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

SOCKET = ".s.PGSQL.5432"
PIECE = 1 << 16
"""Bytes that are passed on at once."""
REQUEST, ANSWER = "request", "answer"
"""What gets lost."""
_CALL = re.compile(rb'overmind\."?(\w+)"?\(')


class Proxy:
    """A context manager.

    Attributes:
        calls: The functions that were asked for, oldest first.
        lost: How often each was lost.
        refused: How many came while it was cut.
        delay: Seconds that each piece is held up, either way.
    """

    def __init__(self, server: str) -> None:
        """`server`: the folder of the server's socket."""
        self.calls: list[str] = []
        self.lost: Counter[str] = Counter()
        self.refused = 0
        self.delay = 0.0
        self._server = str(Path(server, SOCKET))
        self._folder = tempfile.mkdtemp(prefix="om-proxy-")
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(Path(self._folder, SOCKET)))
        self._listening.listen()
        self._all: list[_Line] = []
        self._losing: dict[str, tuple[str, int]] = {}
        self._lock = threading.Lock()
        self._flows = threading.Event()
        self._flows.set()
        self._is_cut = False
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._accepting.join()
        self._hang_up()
        self.thaw()
        for line in self._all:
            line.join()
        shutil.rmtree(self._folder)

    def through(self, url: str) -> str:
        """Return the URL of the same database by this way."""
        found, count = re.subn(r"host=[^&]+", f"host={quote(self._folder, safe='')}", url)
        assert count == 1, url
        return found

    def lead_to(self, server: str) -> None:
        """Lead to another server from now on, and hang up."""
        self._server = str(Path(server, SOCKET))
        self._hang_up()

    # what happens to it

    def cut(self) -> None:
        """Hang up, and refuse whoever comes."""
        self._is_cut = True
        self._hang_up()

    def mend(self) -> None:
        """Let those pass that come from now on."""
        self._is_cut = False

    def freeze(self) -> None:
        """Let nothing pass, without a word, until `thaw`: it arrives then."""
        self._flows.clear()

    def thaw(self) -> None:
        """Let all pass that was held up."""
        self._flows.set()

    def lose(self, what: str, function: str, times: int = 1) -> None:
        """Lose the next requests for a function, or their answers, and hang up each time."""
        with self._lock:
            self._losing[function] = (what, times)

    # for its lines

    def asked(self, function: str) -> str | None:
        """A function is asked for; return what gets lost of that."""
        with self._lock:
            self.calls.append(function)
            what, times = self._losing.get(function, ("", 0))
            if not times:
                return None
            self._losing[function] = (what, times - 1)
            self.lost[function] += 1
            return what

    def pass_on(self, target: socket.socket, data: bytes) -> None:
        """Send what has come, as soon as it may pass."""
        if self.delay:
            time.sleep(self.delay)  # this is what it is for
        self._flows.wait()
        target.sendall(data)

    def _hang_up(self) -> None:
        for line in self._all:
            line.end()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:  # it was closed
                return
            if self._is_cut:
                self.refused += 1
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self._server)
            except OSError:  # the server is away
                client.close()
                server.close()
                continue
            self._all.append(_Line(self, client, server))


class _Line:
    """One connection."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client, self._server = client, server
        self._loses_answers = False
        self._asked = _Asked()
        self._threads = [
            threading.Thread(target=self._ask, daemon=True),
            threading.Thread(target=self._answer, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """End it at both ends. What is held up is not waited for: it ends with `thaw`."""
        self._close()

    def join(self) -> None:
        """Wait until it has ended."""
        for thread in self._threads:
            thread.join()
        self._client.close()
        self._server.close()

    def _ask(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._client.recv(PIECE):
                lost = None
                for function in self._asked.read(data):
                    lost = self._proxy.asked(function) or lost
                if lost == REQUEST:
                    break
                self._loses_answers = self._loses_answers or lost == ANSWER
                self._proxy.pass_on(self._server, data)
        self._close()

    def _answer(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._server.recv(PIECE):
                if self._loses_answers:  # it was asked and done
                    break
                self._proxy.pass_on(self._client, data)
        self._close()

    def _close(self) -> None:
        for one in (self._client, self._server):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class _Asked:
    """Reads what a client asks: the messages of PostgreSQL's protocol, of which statements may be prepared."""

    def __init__(self) -> None:
        self._left = b""
        self._began = False
        self._prepared: dict[bytes, bytes] = {}

    def read(self, data: bytes) -> list[str]:
        """Return the functions that these bytes ask for."""
        self._left += data
        found = []
        while (message := self._next()) is not None:
            kind, body = message
            text = b""
            if kind == b"P":
                name, statement = body.split(b"\0", 2)[:2]
                self._prepared[name] = statement
            elif kind == b"B":
                text = self._prepared.get(body.split(b"\0", 2)[1], b"")
            elif kind == b"Q":
                text = body
            found += [one.decode() for one in _CALL.findall(text)]
        return found

    def _next(self) -> tuple[bytes, bytes] | None:
        head = 1 if self._began else 0
        if len(self._left) < head + 4:
            return None
        length = int.from_bytes(self._left[head : head + 4])
        if len(self._left) < head + length:
            return None
        kind, body = self._left[:head], self._left[head + 4 : head + length]
        self._left = self._left[head + length :]
        self._began = True
        return kind, body
