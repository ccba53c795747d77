"""A client of the web server without a browser: raw requests, logins, and sockets."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from websockets.sync.client import ClientConnection, connect, unix_connect

from tests.kit.web_tab import Tab

PATIENCE = 20.0
"""Seconds for anything to happen on a busy machine."""
OURS = "ours"
"""Of the server, or of the session."""
Headers = dict[str, str | None]


class Answer(NamedTuple):
    """What came back to one request."""

    status: int
    headers: list[tuple[str, str]]
    """Names in lower case."""
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of a name."""
        return next((value for key, value in self.headers if key == name), None)

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Session(NamedTuple):
    """Somebody who is logged in."""

    cookie: str
    """`name=value`."""
    key: str
    name: str = ""

    def headers(self) -> Headers:
        """What its page sends."""
        return {"Cookie": self.cookie, "X-Overmind-Key": self.key}


class WebClient:
    """Requests to a web server.

    Args:
        url: Where it answers.
        address: The Unix socket on which it listens; None: the host and port of the URL.
    """

    def __init__(self, url: str, address: str | None = None) -> None:
        parts = urlsplit(url)
        self.host = parts.netloc
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.path = parts.path.rstrip("/")
        self._parts = parts
        self._address = address

    def connect(self) -> socket.socket:
        """A connected socket."""
        if self._address is not None:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(PATIENCE)
            connection.connect(self._address)
            return connection
        assert self._parts.hostname is not None
        plain = socket.create_connection((self._parts.hostname, self._parts.port or 80), PATIENCE)
        if self._parts.scheme == "http":
            return plain
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(plain)

    def raw(self, request: bytes) -> Answer:
        """Send bytes and return what was answered; status 0: the connection was closed without a word."""
        with self.connect() as connection:
            connection.sendall(request)
            return read_answer(connection, has_body=not request.startswith(b"HEAD "))

    def ask(
        self,
        method: str,
        path: str,
        headers: Headers | None = None,
        body: bytes | str = b"",
        *,
        more: Iterable[tuple[str, str]] = (),
    ) -> Answer:
        """Send a request. `headers` overrides Host and Origin, None leaves one out; `more` adds lines, also again."""
        data = body.encode() if isinstance(body, str) else body
        found: Headers = {"Host": self.host, "Origin": None if method == "GET" else self.origin}
        if data or method == "POST":
            found["Content-Length"] = str(len(data))
        found.update(headers or {})
        lines = [f"{name}: {value}" for name, value in found.items() if value is not None]
        lines += [f"{name}: {value}" for name, value in more]
        head = "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""])
        return self.raw(head.encode("latin-1") + data)

    def log_in(self, link: str) -> Session:
        """Use a link, as the page does."""
        answer = self.ask("POST", f"{self.path}/login", body=json.dumps({"link": link.partition("#link=")[2]}))
        assert answer.status == 200, answer
        cookie = answer.header("set-cookie")
        assert cookie is not None
        return Session(cookie.partition(";")[0], answer.json()["key"], answer.json()["name"])

    def socket(
        self,
        path: str,
        session: Session | None = None,
        *,
        origin: str | None = OURS,
        headers: Iterable[tuple[str, str]] = (),
        key: str | None = OURS,
        host: str | None = None,
    ) -> ClientConnection:
        """An open websocket. Raises `websockets.exceptions.InvalidStatus`."""
        words = ["overmind.1"]
        found = list(headers)
        if session is not None:
            found.append(("Cookie", session.cookie))
            key = session.key if key == OURS else key
        if key and key != OURS:
            words.append(f"key.{key}")
        scheme = "wss" if self._parts.scheme == "https" else "ws"
        opens = connect if self._address is None else partial(unix_connect, self._address)
        return opens(
            uri=f"{scheme}://{host or self.host}{self.path}{path}",
            sock=self.connect() if self._parts.scheme == "http" and self._address is None else None,
            origin=self.origin if origin == OURS else origin,  # type: ignore[arg-type]
            subprotocols=words,  # type: ignore[arg-type]
            additional_headers=found,
            compression=None,
            max_size=None,
            open_timeout=PATIENCE,
            close_timeout=2.0,
            proxy=None,
        )

    def tab(self, session: Session) -> Tab:
        """A page's socket, greeted."""
        return Tab(self.socket("/ws", session))


def read_answer(connection: socket.socket, *, has_body: bool = True) -> Answer:
    """Read one answer to its end."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            chunk = connection.recv(1 << 16)
        except ConnectionError:
            chunk = b""
        if not chunk:
            break
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    if not head:
        return Answer(0, [], b"")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    size = next((int(value) for name, value in headers if name == "content-length"), None)
    while has_body and (size is None or len(body) < size):
        chunk = connection.recv(1 << 16)
        if not chunk:
            break
        body += chunk
    return Answer(int(first.split()[1]), headers, body)
