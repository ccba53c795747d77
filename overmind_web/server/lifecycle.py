"""The life of the web server's process: its one lock, where it listens, what it prints, and its clean end."""

from __future__ import annotations

import os
import socket
import ssl
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import msgspec

from overmind_core.client.client import Client
from overmind_core.domain.web_access import link_address
from overmind_core.errors import OvermindError, UsageError
from overmind_core.system import unixsocket
from overmind_core.system.browser import open_link
from overmind_core.system.paths import LONGEST_SOCKET_PATH, Home, HomeUnsafe, ensure_home
from overmind_core.system.web_server import WebServer, lock_web_server, read_web_server, write_web_server
from overmind_web.server import address as addresses
from overmind_web.server.address import Address
from overmind_web.server.serving import listen, tls

TOLD_SECONDS = 5.0
"""How long the server that was faster gets to say where it is."""
_PAUSE = 0.02


class Wishes(NamedTuple):
    """What the command line asks for."""

    port: int
    host: str
    socket: bool
    cert: str | None
    key: str | None
    public_url: str | None


class Place(NamedTuple):
    """Where the server listens, and where browsers find it."""

    listening: socket.socket
    address: Address
    context: ssl.SSLContext | None
    url: str
    """Where this machine reaches it."""
    path: str | None
    """Of its Unix socket."""


class AlreadyServed(Exception):
    """Another process serves this home."""


@contextmanager
def only_server(home: Home) -> Iterator[None]:
    """Be the one web server of a home while in the block.

    Raises:
        AlreadyServed: there is one.
        OvermindError: the home can't be used.
    """
    try:
        ensure_home(home)
        lock = lock_web_server(home)
    except HomeUnsafe as error:
        raise OvermindError("forbidden", f"{error}.") from None
    except OSError as error:
        raise OvermindError("forbidden", f"{home.root} can't be written: {error.strerror}.") from None
    if lock is None:
        raise AlreadyServed
    try:
        yield
    finally:
        for path in (home.web_server, home.web_opening):
            with suppress(OSError):
                os.unlink(path)
        lock.release()


def await_other(home: Home) -> WebServer:
    """Return the server that was faster, once it says where it is.

    Raises:
        OvermindError: `busy`, it says nothing.
    """
    deadline = time.monotonic() + TOLD_SECONDS
    while (found := read_web_server(home)) is None:
        if time.monotonic() >= deadline:
            raise OvermindError("busy", "Another web server starts for this home. Try again.")
        time.sleep(_PAUSE)
    return found


def take_place(home: Home, wishes: Wishes) -> Place:
    """Listen where it is asked for.

    Raises:
        OvermindError: that can't be done; `busy`, the port is taken.
    """
    public = _public(wishes.public_url)
    if wishes.socket:
        path = home.web_socket
        if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
            message = f"{path} is too long for a socket. Use a home with a shorter path, or a port."
            raise OvermindError("invalid", message)
        address = public or addresses.forwarded(wishes.port)
        return Place(unixsocket.listen(path), address, None, addresses.forwarded(wishes.port).url, path)
    context = tls(wishes.cert, wishes.key) if wishes.cert and wishes.key else None
    if public is None:
        _own_address(wishes, wishes.port)
    listening = listen(wishes.host, wishes.port)
    port = listening.getsockname()[1]
    host = "127.0.0.1" if wishes.host in addresses.WILDCARDS else wishes.host
    url = addresses.listening(host, port, secure=context is not None).url
    return Place(listening, public or _own_address(wishes, port), context, url, None)


def _public(url: str | None) -> Address | None:
    try:
        return addresses.public(url) if url else None
    except ValueError as error:
        raise UsageError(f"--public-url {url}: {error}.") from None


def _own_address(wishes: Wishes, port: int) -> Address:
    try:
        return addresses.listening(wishes.host, port, secure=wishes.cert is not None)
    except ValueError as error:
        raise UsageError(f"--host: {error}.") from None


def announce(home: Home, place: Place, public_url: str | None) -> None:
    """Say in web.json where the server is."""
    public = None if public_url is None else place.address.url
    write_web_server(home, WebServer(os.getpid(), time.time(), place.url, place.path, public))


def new_link(client: Client, address: Address, *, read_only: bool) -> dict[str, Any]:
    """Make a link; return what is told of it: its `url`, and how long it counts.

    Raises:
        OvermindError: the daemon makes none.
    """
    answer = client.call("web_link", {"name": None, "read_only": read_only, "lifetime": None})
    return {"url": link_address(address.url, answer.pop("link")), **answer}


def print_link(facts: Mapping[str, Any], place: Place, *, as_json: bool, scanned: bool) -> None:
    """Print the link: alone on the first line; then, for who scans it with a phone, its code."""
    if as_json:
        sys.stdout.write(msgspec.json.encode({**facts, "pid": os.getpid()}).decode() + "\n")
    else:
        sys.stdout.write(f"{facts['url']}\n")
        if scanned:
            sys.stdout.write(qr_code(str(facts["url"])))
    sys.stdout.flush()
    if not as_json and sys.stderr.isatty():
        sys.stderr.write("It works once, within 10 minutes. Another one: overmind web link. Stop with ctrl-c.\n")
        if place.path is not None:
            port = place.url.rpartition(":")[2]
            sys.stderr.write(f"Elsewhere, forward the socket first: ssh -L {port}:{place.path} THIS_MACHINE\n")


def qr_code(text: str) -> str:
    """Return the code of a text, two rows of it in one of the terminal's."""
    import io  # noqa: PLC0415 - for those who scan

    import segno  # noqa: PLC0415 - as above

    out = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(out, compact=True)
    return out.getvalue()


def leave_terminal() -> None:
    """Give standard output back, once all is printed: whoever started us in the background waits for its end."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)


def open_browser(home: Home, url: str) -> None:
    """Open the link in a browser; say so where there is none. Blocks for some browsers."""
    with suppress(OSError):
        if open_link(home, url):
            return
    sys.stderr.write("No browser was found. Open the link yourself.\n")
