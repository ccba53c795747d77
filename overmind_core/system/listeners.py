"""Listeners: which processes hold a TCP port of this machine open.

Only processes that this user may look into are found: who listens as somebody else, such as a container engine's proxy,
is not. Source: proc_pid_net(5), proc_pid_fd(5).
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

_LISTENING = "0A"
_TABLES = ((socket.AF_INET, "/proc/net/tcp"), (socket.AF_INET6, "/proc/net/tcp6"))
_ANY = frozenset({"0.0.0.0", "::"})  # noqa: S104 - looked for, not bound
_MAPPED = "::ffff:"
"""An IPv4 address as a socket of the other family shows it."""


class ListeningSocket(NamedTuple):
    """A socket that takes connections. `host`: a numeric address; `inode`: which socket it is."""

    host: str
    port: int
    inode: str


class Listener(NamedTuple):
    """A process that holds such a socket open."""

    pid: int
    name: str


def listening(host: str, port: int) -> Collection[ListeningSocket] | None:
    """The sockets that take what is sent to a numeric address; None where the machine doesn't tell."""
    if sys.platform != "linux":
        return None
    host = host.removeprefix(_MAPPED)
    found = [one for one in _sockets() if one.port == port and one.host in {host, *_ANY}]
    # Of a socket bound to the very address and one bound to all of them, the first gets the connection.
    return [one for one in found if one.host == host] or found


def listeners(host: str, port: int, likely: Iterable[int] = ()) -> Collection[Listener] | None:
    """The processes of ours that hold it open; None where the machine doesn't tell. Blocks: for a worker thread.

    Args:
        host: A numeric address.
        port: The port.
        likely: These processes are looked at first, and alone when one of them holds it.
    """
    if sys.platform != "linux":
        return _portable(host, port)
    sockets = {f"socket:[{one.inode}]" for one in listening(host, port) or ()}
    if not sockets:
        return []
    first = set(likely)
    found = list(_holders(sockets, first))
    return found or list(_holders(sockets, {int(one) for one in os.listdir("/proc") if one.isdigit()} - first))


def _sockets() -> Iterator[ListeningSocket]:
    for family, path in _TABLES:
        with suppress(OSError), open(path, encoding="ascii") as table:
            next(table, None)
            for line in table:
                _, local, _, state, *_, inode = line.split(None, 10)[:10]
                if state == _LISTENING:
                    address, _, port = local.partition(":")
                    yield ListeningSocket(_host(family, address), int(port, 16), inode)


def _host(family: int, written: str) -> str:
    """The address as people write it; the kernel shows words of 32 bits in the machine's order of bytes."""
    words = (written[at : at + 8] for at in range(0, len(written), 8))
    packed = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    return socket.inet_ntop(family, packed).removeprefix(_MAPPED)


def _holders(sockets: Collection[str], pids: Iterable[int]) -> Iterator[Listener]:
    for pid in pids:
        if _holds(pid, sockets):
            yield Listener(pid, _name(pid))


def _holds(pid: int, sockets: Collection[str]) -> bool:
    try:
        files = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    for file in files:
        with suppress(OSError):
            if os.readlink(f"/proc/{pid}/fd/{file}") in sockets:
                return True
    return False


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().rstrip("\n")
    except OSError:
        return "a process"


def _portable(host: str, port: int) -> Collection[Listener] | None:
    """Where there is no /proc: what psutil knows."""
    import psutil  # noqa: PLC0415 - not on Linux

    found, restricted = [], False
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            sockets = process.net_connections("tcp")
            restricted = True
            if any(
                one.status == psutil.CONN_LISTEN and one.laddr.port == port and one.laddr.ip in {host, "", "*", *_ANY}
                for one in sockets
            ):
                found.append(Listener(process.pid, process.name()))
    return found if restricted else None
