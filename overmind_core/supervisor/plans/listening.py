"""Whether somebody takes connections at an address."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING

from overmind_core.domain.plan.address import LOCAL, Address, parse_address
from overmind_core.supervisor.plans.looking import Hopeless, Tell, Watched, polled

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

ATTEMPT = 2.0
"""Seconds in which one address has to take the connection."""
LOOPBACK = ("127.0.0.1", "::1")
"""What `localhost` means, whatever the machine's tables say."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def until_listening(watched: Watched, target: str, tell: Tell) -> None:
    """Return when a connection to `target` (port, host:port or [IPv6]:port) is taken; nothing is said over it."""
    del watched
    try:
        address = parse_address(target)
    except ValueError as error:
        raise Hopeless(str(error)) from None
    await polled(lambda: _look(address), tell)


async def connect(address: Address, tls: ssl.SSLContext | None = None) -> Streams:
    """Connect to the first of the host's addresses that takes it.

    Raises:
        OSError: none does; the error is of the first.
    """
    failure: OSError | None = None
    for host in await _hosts(address):
        try:
            return await _connect(host, address, tls)
        except OSError as error:
            failure = failure or error
    raise failure or ConnectionRefusedError


def reason(error: OSError) -> str:
    """Why it failed, in a few words."""
    if isinstance(error, socket.gaierror) or hasattr(error, "library"):  # an ssl.SSLError: seldom is that loaded
        return error.strerror or str(error)
    if error.errno:
        return os.strerror(error.errno)
    return "no answer" if isinstance(error, TimeoutError) else str(error) or type(error).__name__


async def _look(address: Address) -> str:
    try:
        _, writer = await connect(address)
    except OSError as error:
        return f"nothing listens at {address} ({reason(error)})"
    writer.close()
    return ""


async def _hosts(address: Address) -> Sequence[str]:
    if address.host == LOCAL:
        return LOOPBACK
    if ":" in address.host:
        return (address.host,)
    async with asyncio.timeout(ATTEMPT):
        rows = await asyncio.get_running_loop().getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


async def _connect(host: str, address: Address, tls: ssl.SSLContext | None) -> Streams:
    named = None if tls is None else address.host
    async with asyncio.timeout(ATTEMPT):
        reader, writer = await asyncio.open_connection(host, address.port, ssl=tls, server_hostname=named)
    ours, theirs = writer.get_extra_info("sockname"), writer.get_extra_info("peername")
    if ours[:2] == theirs[:2]:  # a free port that we came from is one that we may reach ourselves at (tcp(7))
        writer.transport.abort()
        raise ConnectionRefusedError
    return reader, writer
