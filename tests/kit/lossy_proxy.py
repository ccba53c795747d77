"""A way to a server on which requests and answers get lost, when a test says so."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

REQUEST, ANSWER, NOTHING = "request", "answer", "nothing"
"""What gets lost."""


@contextmanager
def lossy(port: int, lost: Callable[[], str] = lambda: NOTHING, *, heard: bytearray | None = None) -> Iterator[int]:
    """Pass connections on to a port of this machine; the port that listens.

    Args:
        port: Of the server.
        lost: What gets lost of the next connection.
        heard: Gets all bytes of both ways.
    """
    passed = bytearray() if heard is None else heard

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            what = lost()
            if what == REQUEST:
                return
            with socket.create_connection(("127.0.0.1", port)) as server:
                sending = threading.Thread(target=_copy, args=(self.request, server, passed))
                sending.start()
                answer = b"".join(iter(lambda: server.recv(1 << 16), b""))
                passed.extend(answer)
                if what == NOTHING:
                    self.request.sendall(answer)
                self.request.shutdown(socket.SHUT_RDWR)
                sending.join()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield listening.server_address[1]
        finally:
            listening.shutdown()
            thread.join()


def _copy(source: socket.socket, target: socket.socket, heard: bytearray) -> None:
    """Pass on what comes, until there is no more."""
    try:
        while data := source.recv(1 << 16):
            heard.extend(data)
            target.sendall(data)
    except OSError:  # the other side has gone
        return
