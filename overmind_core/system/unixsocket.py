"""Unix stream sockets that only their owner may use.

On the command line's start-up path: a client needs `_socket` alone, which costs a third of `socket`.
"""

from __future__ import annotations

import _socket
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

BACKLOG = 512
"""Connections that may wait for `accept`; the system may cap it."""
BINDING_SUFFIX = "~"
"""One byte, so that the longest path that `paths.socket_address` returns still fits."""

SOL_LOCAL = 0
LOCAL_PEERCRED = 1
LOCAL_PEERPID = 2
XUCRED_SIZE = 76
"""Bytes: version, uid, groups. Source: sys/un.h and sys/ucred.h of macOS."""
UCRED_SIZE = 12
"""Bytes: pid, uid, gid. Source: unix(7)."""


class Peer:
    """The process at the other end of a connection, as the kernel knows it."""

    __slots__ = ("pid", "uid")

    def __init__(self, pid: int, uid: int) -> None:
        self.pid = pid
        self.uid = uid

    def __repr__(self) -> str:
        """Show both fields."""
        return f"Peer(pid={self.pid}, uid={self.uid})"


def listen(path: str) -> socket.socket:
    """Return a listening socket at `path`, mode 0600, that replaces a stale one in a single step.

    Whoever calls holds the lock that says that no other process listens there.
    """
    import socket  # noqa: PLC0415 -- servers only

    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _bind_private(server, path)
    except BaseException:
        server.close()
        raise
    return server


def _bind_private(server: socket.socket, path: str) -> None:
    fresh = path + BINDING_SUFFIX
    if os.path.lexists(fresh):
        os.unlink(fresh)
    before = os.umask(0o177)
    try:
        server.bind(fresh)
    finally:
        os.umask(before)
    server.listen(BACKLOG)
    # Listening already when the name appears: a client never meets a socket that refuses.
    os.rename(fresh, path)


def is_hung_up(fd: int) -> bool:
    """Tell whether the other side has closed its socket, not only its writing half. Source: poll(2), POLLHUP."""
    import select  # noqa: PLC0415 -- servers only

    look = select.poll()
    look.register(fd, 0)
    return any(event & (select.POLLHUP | select.POLLERR) for _, event in look.poll(0))


def connect(path: str, timeout: float) -> _socket.socket:
    """Return a connection to `path`; `timeout` in seconds holds for each later operation too.

    Raises:
        FileNotFoundError: nobody has ever listened there.
        ConnectionRefusedError: whoever listened is gone.
        TimeoutError: the server has more waiting connections than it accepts.
    """
    client = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    client.settimeout(timeout)
    try:
        client.connect(path)
    except BlockingIOError:
        # With a time limit set, Linux says EAGAIN at once when the backlog is full.
        client.close()
        raise TimeoutError(path) from None
    except BaseException:
        client.close()
        raise
    return client


def hang_up(connection: _socket.socket) -> None:
    """End a connection, from any thread: whoever reads from it meets its end. Harmless when it has ended."""
    try:  # noqa: SIM105  (start-up: contextlib costs each command)
        connection.shutdown(_socket.SHUT_RDWR)
    except OSError:
        pass


def peer(connection: _socket.socket) -> Peer:
    """Return the process that opened `connection`; its pid may have ended since.

    Source: unix(7), SO_PEERCRED; on macOS LOCAL_PEERCRED and LOCAL_PEERPID.
    """
    if sys.platform == "darwin":
        credentials = connection.getsockopt(SOL_LOCAL, LOCAL_PEERCRED, XUCRED_SIZE)
        return Peer(connection.getsockopt(SOL_LOCAL, LOCAL_PEERPID), _word(credentials, 1))
    credentials = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, UCRED_SIZE)
    return Peer(_word(credentials, 0), _word(credentials, 1))


def _word(record: bytes, index: int) -> int:
    """Return the 32-bit word number `index`; `struct` would cost half a millisecond of each start."""
    return int.from_bytes(record[4 * index : 4 * index + 4], sys.byteorder)
