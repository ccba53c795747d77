"""The addresses of the web server: which Host and Origin it answers to, and under which path. Pure.

A host is written as in the header: a name or address and, where it is not the scheme's own, the port. Names are
compared in lower case, whole: nothing that merely begins or ends like one counts.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from overmind_core.domain.web_address import PUBLIC_URL_RULE, is_loopback, is_public_url

DEFAULT_PORT = 7600
SCHEME_PORTS = {"http": 80, "https": 443}
THIS_MACHINE = ("127.0.0.1", "localhost", "[::1]")
"""Names under which a browser on this machine reaches it."""
WILDCARDS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - refused where no public URL names the host
_FORWARDED = re.compile(r"(?:127\.0\.0\.1|localhost)(?::[1-9][0-9]{0,4})?")
"""What a browser sends that reaches a socket through `ssh -L`: any port."""


class Address(NamedTuple):
    """Where browsers find the server."""

    scheme: str
    """`http` or `https`, as browsers see it."""
    hosts: frozenset[str]
    """Every Host that counts; empty: `localhost` or `127.0.0.1` with any port, of a forwarded Unix socket."""
    url: str
    """Where a person opens it, without a slash at its end."""
    path: str = ""
    """Before all paths, as `/om`; without a slash at its end."""

    @property
    def secure(self) -> bool:
        """Whether cookies may be kept for https alone."""
        return self.scheme == "https"

    def is_host(self, host: str) -> bool:
        """Whether a Host names this server."""
        host = host.lower()
        return host in self.hosts if self.hosts else _FORWARDED.fullmatch(host) is not None

    def is_origin(self, origin: str, host: str) -> bool:
        """Whether an Origin is that of the pages at `host`, which is this server's."""
        return origin == f"{self.scheme}://{host.lower()}"

    def port(self, host: str) -> int:
        """Return the port in a Host, else the scheme's own."""
        _, colon, port = host.rpartition(":")
        return int(port) if colon and port.isdigit() else SCHEME_PORTS[self.scheme]

    def inner_path(self, path: str) -> str | None:
        """Return the path of a request without the prefix, which a proxy may have taken away; None: it has no slash."""
        if self.path and path == self.path:
            return None
        if self.path and path.startswith(self.path + "/"):
            return path[len(self.path) :]
        return path


def listening(host: str, port: int, *, secure: bool) -> Address:
    """Return the address of a server that browsers reach where it listens.

    Args:
        host: The name or address that it listens on; one of this machine alone counts under all its names.
        port: Of it.
        secure: It speaks TLS.

    Raises:
        ValueError: it listens on every address, and so has none; says what to do.
    """
    if host in WILDCARDS:
        raise ValueError(f"browsers cannot open {host}; name the address with --public-url")
    scheme = "https" if secure else "http"
    name = f"[{host}]" if ":" in host else host.lower()
    names = {name, *THIS_MACHINE} if is_loopback(host) else {name}
    hosts = frozenset(_host(one, port, scheme) for one in names)
    return Address(scheme, hosts, f"{scheme}://{_host(name, port, scheme)}")


def forwarded(port: int = DEFAULT_PORT) -> Address:
    """Return the address of a Unix socket that is reached through a forwarded port, `port` for example."""
    return Address("http", frozenset(), f"http://localhost:{port}")


def public(url: str) -> Address:
    """Return the address that a proxy in front of the server has.

    Raises:
        ValueError: it is no such URL; says why.
    """
    if not is_public_url(url):
        raise ValueError(PUBLIC_URL_RULE)
    parts = urlsplit(url)
    host = parts.netloc.lower()
    name, colon, port = host.rpartition(":")
    if colon and port.isdigit() and int(port) == SCHEME_PORTS[parts.scheme]:
        host = name
    path = parts.path.rstrip("/")
    return Address(parts.scheme, frozenset({host}), f"{parts.scheme}://{host}{path}", path)


def _host(name: str, port: int, scheme: str) -> str:
    return name if port == SCHEME_PORTS[scheme] else f"{name}:{port}"
