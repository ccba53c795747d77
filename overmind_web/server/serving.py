"""Listening, until told to end: what `uvicorn.Server` does, with limits, without its ticking and its own signals."""

from __future__ import annotations

import asyncio
import errno
import logging
import math
import resource
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.server import ServerState

from overmind_core.errors import OvermindError
from overmind_core.system import tcp
from overmind_web.server.protocol import (
    MOST_STRANGERS,
    REQUEST_SECONDS,
    BrowserConnection,
    BrowserSocket,
    Strangers,
)

BACKLOG = 1024
"""Connections that wait to be taken."""
TOGETHER = 16
"""Connections that are taken in one turn of the loop: thousands at once would keep all others waiting."""
MESSAGE_BYTES = 1 << 20
"""Of one message of a websocket."""
END_SECONDS = 1.0
"""For requests and sockets to end by themselves."""
CANCELLED_SECONDS = 0.5
"""For those that did not, once they are cancelled."""
FILES = 8_192
"""Descriptors that are enough: strangers have 256, and each login 64 connections."""
STRANGERS_SHARE = 2
"""Strangers have at most one descriptor in so many."""
REFUSED_SECONDS = 60.0
"""Between two lines of the log about connections for which no descriptor is left."""


def raise_file_limit() -> None:
    """Allow as many descriptors as the system lets us, up to `FILES`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at a name or address.

    Raises:
        OvermindError: `busy`, another program has the port; `invalid`, the host is none of this machine.
    """
    try:
        return tcp.listen(host, port, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"Port {port} of {host} is taken by another program. Choose another one with --port"
            raise OvermindError("busy", message) from None
        if error.errno in {errno.EACCES, errno.EPERM}:
            message = f"Port {port} is not open to you. Choose one above 1023 with --port"
            raise OvermindError("forbidden", message) from None
        raise OvermindError("invalid", f"{host} port {port} can't be listened at: {error.strerror or error}.") from None


def tls(cert: str, key: str) -> ssl.SSLContext:
    """Return what speaks TLS with this certificate.

    Raises:
        OvermindError: `invalid`, the files can't be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key)
    except OSError as error:  # also what TLS itself refuses
        reason = (error.reason or "no PEM") if isinstance(error, ssl.SSLError) else error.strerror
        raise OvermindError("invalid", f"The certificate or its key can't be used: {reason}.") from None
    return context


_NO_FAULTS = (
    "ASGI callable returned without completing handshake", "Invalid HTTP request received", "Unsupported upgrade",
)  # fmt: skip


class _Faults(logging.Filter):
    """Drops what uvicorn takes for a fault: refused sockets, what strangers send, and the end of ours at our end."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info is not None and record.exc_info[0] is asyncio.CancelledError:
            return False
        return not record.getMessage().startswith(_NO_FAULTS)


class _Refusals(logging.Filter):
    """Tells now and then, in a line, of connections for which no descriptor is left; asyncio tells of each try."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: monotonic seconds."""
        super().__init__()
        self._clock = clock
        self._last = -math.inf

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.getMessage().startswith("socket.accept() out of system resource"):
            return True
        now = self._clock()
        if now - self._last < REFUSED_SECONDS:
            return False
        self._last = now
        error = record.exc_info[1] if record.exc_info else None
        record.msg, record.args = "connections wait: %s", (getattr(error, "strerror", None) or "no resources are left",)
        record.exc_info = None
        return True


def most_strangers(files: int) -> int:
    """How many strangers there may be, with so many descriptors for all."""
    return MOST_STRANGERS if files == resource.RLIM_INFINITY else min(MOST_STRANGERS, files // STRANGERS_SHARE)


class WebServer:
    """Listening sockets and their connections.

    Args:
        app: What answers.
        sockets: They listen already; closed at the end.
        context: Speaks TLS; None: plain HTTP.
    """

    def __init__(
        self, app: ASGIApp, sockets: Sequence[socket.socket], *, context: ssl.SSLContext | None = None
    ) -> None:
        self._sockets = sockets
        self._context = context
        self._state = ServerState()
        self._strangers = Strangers(most_strangers(resource.getrlimit(resource.RLIMIT_NOFILE)[0]))
        self._servers: list[asyncio.Server] = []
        self._config = Config(
            app,
            http=BrowserConnection,
            ws=BrowserSocket,
            ws_max_size=MESSAGE_BYTES,
            ws_ping_interval=None,
            ws_per_message_deflate=False,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
        )

    async def start(self) -> None:
        """Take connections."""
        self._config.load()
        logging.getLogger("uvicorn.error").addFilter(_Faults())
        logging.getLogger("asyncio").addFilter(_Refusals())
        loop = asyncio.get_running_loop()
        seconds = REQUEST_SECONDS if self._context else None
        self._servers = [
            await loop.create_server(
                self._connection, sock=one, ssl=self._context, backlog=TOGETHER, ssl_handshake_timeout=seconds
            )
            for one in self._sockets
        ]
        for one in self._sockets:
            one.listen(BACKLOG)  # asyncio takes one number for both

    def _connection(self) -> BrowserConnection:
        return BrowserConnection(self._config, self._state, {}, self._strangers)

    async def stop(self) -> None:
        """Take no more connections, and end those that there are."""
        for server in self._servers:
            server.close()
        for connection in tuple(self._state.connections):
            connection.shutdown()
        tasks = tuple(self._state.tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=END_SECONDS)
        left = tuple(self._state.tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=CANCELLED_SECONDS)
        for connection in tuple(self._state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
