"""A Cortex on a socket, until a signal or `end`."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Any

import uvicorn

from overmind_core.cortex import database, schema
from overmind_core.cortex.connections import LimitedConnection
from overmind_core.cortex.server import Cortex

_GRACE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Prepared:
    """The database of a server that is about to start."""

    schema: int
    pgvector: str | None


def prepare(conninfo: str) -> Prepared:
    """Bring the database to today's schema.

    Raises:
        SchemaNewer: a later version of the program has made it.
    """
    with database.connect(conninfo) as connection:
        found = schema.migrate(connection)
        return Prepared(found, schema.pgvector_version(connection))


class _Server(uvicorn.Server):
    """A server that waits no longer for who speaks no TLS than for who sends no header."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; uvicorn itself would leave a handshake a minute."""
        await self.lifespan.startup()
        config, loop = self.config, asyncio.get_running_loop()
        kind: Any = config.http_protocol_class
        seconds = kind.header_seconds if config.ssl else None

        def connection() -> LimitedConnection:
            made: LimitedConnection = kind(config=config, server_state=self.server_state, app_state=self.lifespan.state)
            return made

        self.servers = [
            await loop.create_server(
                connection, sock=one, ssl=config.ssl, backlog=config.backlog, ssl_handshake_timeout=seconds
            )
            for one in sockets or ()
        ]
        self.started = True


class Service:
    """A server that runs until it is told to end.

    Args:
        cortex: What it answers.
        listening: Its socket; it is closed with the service.
        certificate: Files of a certificate and its key; without them it speaks plain HTTP.
        connections: The class of its connections.
    """

    def __init__(
        self,
        cortex: Cortex,
        listening: socket.socket,
        *,
        certificate: tuple[str, str] | None = None,
        connections: type[LimitedConnection] = LimitedConnection,
    ) -> None:
        self._cortex = cortex
        self._listening = listening
        cert, key = certificate or (None, None)
        self._server = _Server(
            uvicorn.Config(
                cortex.application(),
                http=connections,
                ws="none",
                loop="asyncio",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ssl_certfile=cert,
                ssl_keyfile=key,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )

    def run(self) -> None:
        """Serve until a signal, or `end`."""
        try:
            self._server.run([self._listening])
        finally:
            self._listening.close()
            self._cortex.close()

    def end(self) -> None:
        """Have `run` return, from any thread."""
        self._server.should_exit = True
