"""What listens at a socket in an engine's place, and answers what a test says."""

from __future__ import annotations

import json
import os
import socketserver
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

VERSION = {"ApiVersion": "1.41", "Version": "20.10", "MinAPIVersion": "1.12"}
Answer = tuple[int, object]
"""Status, and what becomes JSON; None closes the connection without a word."""


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Daemon threads: one that a test lets hang is not waited for."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is no news."""


class FakeEngine:
    """Answers each request by `answer(method, path)`."""

    def __init__(self, path: str, answer: Callable[[str, str], Answer | None]) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def respond(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                said = answer(self.command, self.path)
                self.close_connection = True
                if said is None:
                    return
                status, value = said
                body = value if isinstance(value, bytes) else json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = respond  # noqa: N815  the names that http.server calls

            def log_message(self, *words: object) -> None:
                """Say nothing."""

        self.path = path
        self.url = f"unix://{path}"
        self._server = Server(path, Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop, and leave no socket."""
        if os.path.exists(self.path):
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            os.unlink(self.path)
