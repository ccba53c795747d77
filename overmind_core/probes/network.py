"""Probes of the network: whether somebody takes connections at an address, and whether a URL is served.

A URL gets one GET of our own, of which only the status is read; certificates are not looked at. At a port of this
machine the mission itself has to answer, not somebody else who was faster: `ownership`. TLS is loaded with the first
URL that asks for it: a supervisor starts without, which saves time and 4 MB.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import re
import socket
from asyncio import sslproto
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.text.address import LOCAL, Address, parse_address
from overmind_core.probes.ownership import LOOPBACK, problem_at
from overmind_core.probes.poll import Hopeless, Tell, Watched, polled

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence


ATTEMPT = 2.0
"""Seconds in which one address has to take the connection."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def until_listening(watched: Watched, target: str, tell: Tell) -> None:
    """Return when a connection to `target` (port, host:port or [IPv6]:port) is taken; nothing is said over it."""
    await polled(lambda: listening_problem(watched, target), tell)


async def listening_problem(watched: Watched, target: str) -> str:
    """Look once; return why it is not so, "" when it is.

    Raises:
        Hopeless: that is no address.
    """
    try:
        address = parse_address(target)
    except ValueError as error:
        raise Hopeless(str(error)) from None
    return await _try_connect(watched, address)


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


async def _try_connect(watched: Watched, address: Address) -> str:
    try:
        _, writer = await connect(address)
    except OSError as error:
        return f"nothing listens on {address} ({reason(error)})"
    try:
        return await problem_at(watched, address, writer)
    finally:
        writer.close()


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


def any_certificate() -> ssl.SSLContext:
    """Return what takes whatever certificate the other side shows."""
    import ssl  # noqa: PLC0415 - the reason why this file is there

    _teach_asyncio()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _teach_asyncio() -> None:
    """It was loaded without TLS. What its transports need to know of that is all in this one module."""
    if getattr(sslproto, "ssl", None) is None:
        importlib.reload(sslproto)


ANSWER = 5.0
"""Seconds until the status has to be there."""
REST, REST_SECONDS = 64 * 1024, 0.5
"""Of the answer's rest so many bytes are taken, and so long: a server doesn't like to be hung up on."""
READY = range(200, 400)
"""A redirection is an answer too; it isn't followed."""
PORTS = {"http": 80, "https": 443}
_STATUS_LINE = re.compile(rb"HTTP/\d\.\d (\d{3})\b")
_AS_THEY_ARE = "!#$%&'()*+,/:;=?@[]~"


class Request(NamedTuple):
    """What is sent where."""

    address: Address
    tls: bool
    data: bytes


def request_of(url: str) -> Request:
    """What to ask for.

    Raises:
        ValueError: it is no URL of a web server.
    """
    from urllib.parse import quote, urlsplit  # noqa: PLC0415 - half a megabyte, for those who have such a probe

    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError(f"{url!r} is not a URL such as http://localhost:8080/health")
    path = quote(parts.path or "/", safe=_AS_THEY_ARE)
    query = f"?{quote(parts.query, safe=_AS_THEY_ARE)}" if parts.query else ""
    host = quote(parts.netloc.rpartition("@")[2], safe=_AS_THEY_ARE)
    lines = (f"GET {path}{query} HTTP/1.1", f"Host: {host}", "User-Agent: overmind", "Accept: */*", "Connection: close")
    address = Address(parts.hostname, parts.port or PORTS[parts.scheme])
    return Request(address, parts.scheme == "https", "".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii"))


async def until_served(watched: Watched, target: str, tell: Tell) -> None:
    """Return when a GET of the URL `target` is answered with 2xx or 3xx."""
    await polled(lambda: served_problem(watched, target), tell)


async def served_problem(watched: Watched, target: str) -> str:
    """Look once; return why it is not so, "" when it is.

    Raises:
        Hopeless: that is no URL of a web server.
    """
    try:
        request = request_of(target)
    except ValueError as error:
        raise Hopeless(str(error)) from None
    return await _request_once(watched, target, request)


async def _request_once(watched: Watched, url: str, request: Request) -> str:
    try:
        reader, writer = await connect(request.address, any_certificate() if request.tls else None)
    except OSError as error:
        return f"{url} does not answer ({reason(error)})"
    try:
        if wrong := await problem_at(watched, request.address, writer):
            return wrong
        status = await _status(request, reader, writer)
    except OSError as error:
        return f"{url} does not answer ({reason(error)})"
    finally:
        writer.transport.abort()
    if status is None:
        return f"{url} does not speak HTTP"
    return "" if status in READY else f"{url} answers with {status}"


async def _status(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int | None:
    """The status of the answer; None when it is no HTTP."""
    try:
        writer.write(request.data)
        async with asyncio.timeout(ANSWER):
            line = await reader.readuntil(b"\n")
        await _discard_rest(reader)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None
    found = _STATUS_LINE.match(line)
    return None if found is None else int(found[1])


async def _discard_rest(reader: asyncio.StreamReader) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        async with asyncio.timeout(REST_SECONDS):
            await reader.readexactly(REST)
