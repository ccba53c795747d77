"""Whether a URL is served: one GET of our own, of which only the status is read.

As probes do elsewhere, it asks whether something answers, not who: certificates are not looked at.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import NamedTuple

from overmind_core.domain.plan.address import Address
from overmind_core.supervisor.plans.listening import connect, reason
from overmind_core.supervisor.plans.looking import Hopeless, Tell, Watched, polled
from overmind_core.supervisor.plans.tls import any_certificate

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
        raise ValueError(f"{url!r} is no URL such as http://localhost:8080/health")
    path = quote(parts.path or "/", safe=_AS_THEY_ARE)
    query = f"?{quote(parts.query, safe=_AS_THEY_ARE)}" if parts.query else ""
    host = quote(parts.netloc.rpartition("@")[2], safe=_AS_THEY_ARE)
    lines = (f"GET {path}{query} HTTP/1.1", f"Host: {host}", "User-Agent: overmind", "Accept: */*", "Connection: close")
    address = Address(parts.hostname, parts.port or PORTS[parts.scheme])
    return Request(address, parts.scheme == "https", "".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii"))


async def until_served(watched: Watched, target: str, tell: Tell) -> None:
    """Return when a GET of the URL `target` is answered with 2xx or 3xx."""
    del watched
    try:
        request = request_of(target)
    except ValueError as error:
        raise Hopeless(str(error)) from None
    await polled(lambda: _look(target, request), tell)


async def _look(url: str, request: Request) -> str:
    try:
        status = await _status(request)
    except OSError as error:
        return f"{url} does not answer ({reason(error)})"
    if status is None:
        return f"what answers at {url} does not speak HTTP"
    return "" if status in READY else f"{url} answers with {status}"


async def _status(request: Request) -> int | None:
    """The status of the answer; None when it is no HTTP."""
    reader, writer = await connect(request.address, any_certificate() if request.tls else None)
    try:
        writer.write(request.data)
        async with asyncio.timeout(ANSWER):
            line = await reader.readuntil(b"\n")
        await _take_rest(reader)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None
    finally:
        writer.transport.abort()
    found = _STATUS_LINE.match(line)
    return None if found is None else int(found[1])


async def _take_rest(reader: asyncio.StreamReader) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        async with asyncio.timeout(REST_SECONDS):
            await reader.readexactly(REST)
