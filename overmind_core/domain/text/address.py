"""Where something listens, as people write it: `5432`, `db:5432`, `[::1]:5432`."""

from __future__ import annotations

import re
from typing import NamedTuple

LOCAL = "localhost"
"""Where nobody says otherwise: both families of it."""
_WRITTEN = re.compile(r"(?:(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:\[\]/]*)):)?([0-9]{1,5})")
_LAST_PORT = 65535


class Address(NamedTuple):
    """A TCP port of a host, which is a name or an IP address without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Return where `text` points.

    Raises:
        ValueError: nowhere; its text is for the person who wrote it.
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not an address: write a port, host:port or [IPv6 address]:port")
    port = int(found[3])
    if not 0 < port <= _LAST_PORT:
        raise ValueError(f"{port} is not a port: write 1 to {_LAST_PORT}")
    return Address(found[1] or found[2] or LOCAL, port)
