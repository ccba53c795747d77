"""The gate before every route and socket: Host, then Origin, then where a request comes from, then who sends it.

`judge` decides all that needs no daemon, purely. A header that decides something may be there once at most: two
programs on the way could else read a different one each.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from overmind_core.errors import OvermindError
from overmind_web.server.address import Address
from overmind_web.server.credentials import Credentials, Secrets, Visitor
from overmind_web.server.protocol import BrowserConnection
from overmind_web.server.status import http_status

KEY_HEADER = b"x-overmind-key"
SUBPROTOCOL = "overmind.1"
KEY_PREFIX = "key."
"""Of the subprotocol that carries a key."""
SHELL = "/"
LOGIN = "/login"
STATIC = "/s/"
MOST_PER_VISITOR = 64
"""Sockets and requests of one login at once."""
MOST_COOKIES = 4
"""Cookies of our name that are tried: servers on other ports of this host can set some, too."""
SINGLE = (
    b"host", b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest", b"authorization", b"cookie",
    KEY_HEADER, b"sec-websocket-protocol", b"content-type", b"transfer-encoding", b"content-length",
)  # fmt: skip
_SAFE = frozenset({"GET", "HEAD"})
_BEARER = b"bearer "

POLICY = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("script", "style", "img", "connect", "manifest")),
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""On every answer."""
_NOT_KEPT = (b"cache-control", b"no-store")


class Refusal(NamedTuple):
    """Why a request goes no further."""

    error: str
    message: str


class Entry(NamedTuple):
    """A request that may go on, once whoever sends it is known."""

    path: str
    """Without the prefix of a proxy; "": the prefix alone, without its slash."""
    open: bool
    """It needs no login."""
    candidates: tuple[Secrets, ...]
    """What it shows, to be tried in this order."""


def cookie_name(address: Address, host: str) -> str:
    """Return the name of our cookie at `host`: servers on other ports of it have others."""
    return f"overmind_{address.port(host)}"


def judge(
    address: Address, *, socket: bool, method: str, path: str, headers: Iterable[tuple[bytes, bytes]]
) -> Entry | Refusal:
    """Decide whether a request comes from a page of this server, or from a script with a token.

    Args:
        address: Ours.
        socket: It is a websocket.
        method: Of the request, in upper case.
        path: Decoded.
        headers: Names in lower case.
    """
    found: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        found.setdefault(name, []).append(value)
    refusal = _judge_host(address, found.get(b"host", []))
    if refusal is not None:
        return refusal
    doubled = next((name for name in SINGLE if len(found.get(name, ())) > 1), None)
    if doubled is not None:
        return Refusal("forbidden", f"The request has more than one header {doubled.decode()}.")
    single = {name: values[0] for name, values in found.items()}
    host = single[b"host"].decode("latin-1")
    inner = address.inner_path(path)
    shell = inner is None or inner == SHELL
    token = _bearer(single)
    refusal = _judge_origin(address, host, single, needed=(socket or method not in _SAFE) and token is None)
    refusal = refusal or _judge_site(single, shell=shell and not socket and method in _SAFE)
    if refusal is not None:
        return refusal
    inner = inner or ""
    is_open = not socket and (
        (method in _SAFE and (inner in {"", SHELL} or inner.startswith(STATIC)))
        or (method == "POST" and inner == LOGIN)
    )
    return Entry(inner, is_open, _candidates(cookie_name(address, host), single, token, socket=socket))


def _judge_host(address: Address, hosts: list[bytes]) -> Refusal | None:
    if len(hosts) != 1:
        return Refusal("misdirected", f"The request names {'no' if not hosts else 'more than one'} Host.")
    host = hosts[0].decode("latin-1")
    if address.is_host(host):
        return None
    return Refusal(
        "misdirected",
        f"The request is for Host {host[:100]!r}, and this server answers at {address.url}."
        " Start it with --public-url if it has another address; a proxy has to pass the browser's Host on.",
    )


def _judge_origin(address: Address, host: str, single: Mapping[bytes, bytes], *, needed: bool) -> Refusal | None:
    origin = single.get(b"origin")
    if origin is None:
        return Refusal("forbidden", "The request names no Origin.") if needed else None
    if address.is_origin(origin.decode("latin-1"), host):
        return None
    return Refusal("forbidden", f"Pages of Origin {origin[:100].decode('latin-1')!r} have no access.")


def _judge_site(single: Mapping[bytes, bytes], *, shell: bool) -> Refusal | None:
    """Refuse what a page elsewhere had the browser send, but for a link to the shell that was followed."""
    site = single.get(b"sec-fetch-site", b"none")
    if site in {b"none", b"same-origin"}:
        return None
    followed = single.get(b"sec-fetch-mode") == b"navigate" and single.get(b"sec-fetch-dest") == b"document"
    if shell and followed:
        return None
    return Refusal("forbidden", "A page elsewhere has sent this request.")


def _bearer(single: Mapping[bytes, bytes]) -> str | None:
    value = single.get(b"authorization")
    if value is None or value[: len(_BEARER)].lower() != _BEARER:
        return None
    return value[len(_BEARER) :].strip().decode("latin-1")


def _candidates(cookie: str, single: Mapping[bytes, bytes], token: str | None, *, socket: bool) -> tuple[Secrets, ...]:
    if token is not None:
        return (Secrets(token=token),)
    key = single.get(KEY_HEADER, b"").decode("latin-1")
    if socket:
        offered = single.get(b"sec-websocket-protocol", b"").decode("latin-1")
        words = [one.strip() for one in offered.split(",")]
        keys = [one.removeprefix(KEY_PREFIX) for one in words if one.startswith(KEY_PREFIX)]
        key = keys[0] if len(keys) == 1 else ""
    if not key:
        return ()
    text = single.get(b"cookie", b"").decode("latin-1")
    values = [
        value.strip() for name, _, value in (one.partition("=") for one in text.split(";")) if name.strip() == cookie
    ]
    return tuple(Secrets(session=value, key=key) for value in values[:MOST_COOKIES])


class Guard:
    """The ASGI application in front of all others.

    Args:
        app: Gets what may go on: its path without a proxy's prefix, and `scope["state"]["visitor"]` where somebody is
            logged in.
        address: Ours.
        credentials: Says who somebody is.
    """

    def __init__(self, app: ASGIApp, address: Address, credentials: Credentials) -> None:
        self._app = app
        self._address = address
        self._credentials = credentials
        self._inside: dict[str, int] = {}
        """Name of a login → its sockets and requests."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket, or refuse it."""
        answer = _with_headers(send)
        socket = scope["type"] == "websocket"
        entry = judge(
            self._address,
            socket=socket,
            method="GET" if socket else scope["method"],
            path=scope["path"],
            headers=scope["headers"],
        )
        if isinstance(entry, Refusal):
            await refuse(scope, answer, entry.error, entry.message)
            return
        if not entry.path and entry.open:
            location = self._address.path.encode() + b"/"
            await answer({"type": "http.response.start", "status": 308, "headers": [(b"location", location)]})
            await answer({"type": "http.response.body"})
            return
        scope["path"] = entry.path
        if entry.open:
            await self._app(scope, receive, answer)
            return
        try:
            visitor = await self._visitor(entry)
        except OvermindError as error:
            await refuse(scope, answer, error.code, error.message)
            return
        if visitor is None:
            await refuse(scope, answer, "unauthorized", "Log in first, with a link. Get one with: overmind web link")
            return
        await self._serve(visitor, scope, receive, answer)

    async def _visitor(self, entry: Entry) -> Visitor | None:
        for secrets in entry.candidates:
            visitor = await self._credentials.check(secrets)
            if visitor is not None and visitor.expires_at > time.time():
                return visitor
        return None

    async def _serve(self, visitor: Visitor, scope: Scope, receive: Receive, send: Send) -> None:
        connection = scope["state"].get(BrowserConnection.STATE)
        if isinstance(connection, BrowserConnection):
            connection.welcome()
        if self._inside.get(visitor.name, 0) >= MOST_PER_VISITOR:
            await refuse(scope, send, "busy", f"{visitor.name} has {MOST_PER_VISITOR} connections already.")
            return
        self._inside[visitor.name] = self._inside.get(visitor.name, 0) + 1
        scope["state"]["visitor"] = visitor
        try:
            await self._app(scope, receive, send)
        finally:
            self._inside[visitor.name] -= 1
            if not self._inside[visitor.name]:
                del self._inside[visitor.name]


def _with_headers(send: Send) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] in {"http.response.start", "websocket.http.response.start"}:
            given = list(message.get("headers", ()))
            names = {name.lower() for name, _ in given}
            added = [one for one in (*HEADERS, _NOT_KEPT) if one[0] not in names]
            message = {**message, "headers": [*given, *added]}
        await send(message)

    return answer


async def refuse(scope: Scope, send: Send, error: str, message: str) -> None:
    """Answer a request, or a socket that is not open yet, with an error; a socket gets a real status, too."""
    body = msgspec.json.encode({"error": error, "message": message})
    kind = "websocket.http.response" if scope["type"] == "websocket" else "http.response"
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": f"{kind}.start", "status": http_status(error), "headers": headers})
    await send({"type": f"{kind}.body", "body": body})
