"""A Cortex on a port of this machine, and requests to it."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from overmind_core.cortex import database, tokens
from overmind_core.cortex.connections import LimitedConnection
from overmind_core.cortex.server import Cortex
from overmind_core.cortex.serving import Service, prepare
from overmind_core.cortex.tokens import Role
from overmind_core.system.tcp import listen


@dataclass
class RunningCortex:
    """A server that answers."""

    conninfo: str
    port: int

    def token(self, name: str, role: str = "write", colony: str = "shop", lifetime: timedelta | None = None) -> str:
        """Make a token."""
        with database.connect(self.conninfo) as connection:
            return tokens.new_token(connection, name, Role(role), colony, lifetime=lifetime)[0]

    def revoke(self, name: str) -> None:
        """Remove a token."""
        with database.connect(self.conninfo) as connection:
            assert tokens.revoke_token(connection, name)

    def connect(self, *, timeout: float = 20) -> socket.socket:
        """Return a plain connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def ask(
        self, token: str | None, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Send a request; return the status and what the answer holds."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
            told = {"Authorization": f"Bearer {token}"} if token is not None else {}
            connection.request("GET" if body is None else "POST", path, data, {**told, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def push(self, token: str, versions: object = (), votes: object = (), **more: object) -> tuple[int, Any]:
        """Send versions and votes."""
        return self.ask(token, "/v1/push", {"versions": versions, "votes": votes, **more})

    def pull(self, token: str, after: int = 0, chain: str = "", limit: int = 500) -> tuple[int, Any]:
        """Read what comes after a place."""
        return self.ask(token, f"/v1/pull?after={after}&chain={chain}&limit={limit}")

    def pull_all(self, token: str) -> dict[str, list[Any]]:
        """Read all versions and votes, page by page."""
        found: dict[str, list[Any]] = {"versions": [], "votes": []}
        page: dict[str, Any] = {"next": 0, "chain": "", "more": True}
        while page["more"]:
            status, page = self.pull(token, page["next"], page["chain"])
            assert status == 200, page
            for kind, entries in found.items():
                entries.extend(page[kind])
        return found


def make_certificate(cert: str, key: str) -> None:
    """Write the files of a certificate for `localhost` that signs itself."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", key, "-out", cert, "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip


class ImpatientConnection(LimitedConnection):
    """One that waits less long for a header, so that a test does."""

    header_seconds = 0.5
    most = 8


@contextmanager
def running(
    conninfo: str,
    *,
    connections: type[LimitedConnection] = LimitedConnection,
    certificate: tuple[str, str] | None = None,
    port: int = 0,
    **settings: Any,
) -> Iterator[RunningCortex]:
    """Serve a database, on a free port where none is named; `settings` as those of `Cortex`."""
    prepare(conninfo)
    listening = listen("127.0.0.1", port)
    port = listening.getsockname()[1]
    service = Service(Cortex(conninfo, **settings), listening, certificate=certificate, connections=connections)
    thread = threading.Thread(target=service.run, name="cortex")
    thread.start()
    try:
        yield RunningCortex(conninfo, port)
    finally:
        service.end()
        thread.join(20)
        assert not thread.is_alive()
