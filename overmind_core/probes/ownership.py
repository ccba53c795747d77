"""Ownership of a port: whether who listens there is the mission that is waited for, and not a stranger.

Asked of ports of this machine alone. A listener that is seen must belong to the mission; one that is not seen (a
container engine's proxy runs as root) is taken for the mission's, unless somebody listened there before it was started.
"""

from __future__ import annotations

import asyncio
import fnmatch
import socket
from collections.abc import Collection
from typing import TYPE_CHECKING

from overmind_core.domain.text.address import Address
from overmind_core.system import listeners
from overmind_core.system.listeners import Listener

if TYPE_CHECKING:
    from overmind_core.probes.poll import Watched

FORWARDERS = (
    "docker-proxy", "com.docker.*", "containerd*", "dockerd", "rootlesskit", "rootlessport", "slirp4netns", "pasta*",
    "passt*", "conmon", "podman", "systemd", "launchd",
)  # fmt: skip
"""Programs that take connections for others, as a shell glob of their names: who stands behind one is not seen."""
_LOOPBACK = ("127.", "::1", "::ffff:127.")


def problem(
    address: Address, found: Collection[Listener] | None, own: Collection[int] | None, *, occupied: bool
) -> str:
    """Why the listener is not to be taken for the mission's, as a clause; "" when it may be.

    Args:
        address: Where it answers.
        found: The processes that hold the port, as far as they can be seen.
        own: Those of the mission; None: they can't be known.
        occupied: Somebody listened there before the mission was started.
    """
    if own is not None and any(one.pid in own for one in found or ()):
        return ""
    seen = [one for one in found or () if not _is_forwarder(one.name)]
    if seen and own is not None:
        return f"{address} is held by {seen[0].name} (PID {seen[0].pid}), which it did not start"
    return f"another program was already listening on {address}" if occupied else ""


def _is_forwarder(name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in FORWARDERS)


async def problem_at(watched: Watched, address: Address, writer: asyncio.StreamWriter) -> str:
    """As `problem`, of what has just taken this connection; "" for another machine's port."""
    ours, theirs = writer.get_extra_info("sockname"), writer.get_extra_info("peername")
    if not theirs or not (theirs[0].startswith(_LOOPBACK) or ours[0] == theirs[0]):
        return ""
    own = await watched.observer.processes(watched.mission)
    found = await asyncio.to_thread(listeners.listeners, theirs[0], theirs[1], own or ())
    return problem(address, found, own, occupied=watched.occupied)


async def is_occupied(address: Address) -> bool:
    """Whether anybody listens at a port of this machine; False where nobody can tell."""
    return await asyncio.to_thread(_is_occupied, address)


def _is_occupied(address: Address) -> bool:
    hosts = LOOPBACK if address.host == "localhost" else (address.host,)
    return any(_is_ours(host) and listeners.listening(host, address.port) for host in hosts)


LOOPBACK = ("127.0.0.1", "::1")
"""What `localhost` means, whatever the machine's tables say."""


def _is_ours(host: str) -> bool:
    """Whether it is a numeric address of this machine: only such a one can be bound."""
    if host.startswith(_LOOPBACK):
        return True
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((host, 0))
    except (OSError, UnicodeError):
        return False
    return True
