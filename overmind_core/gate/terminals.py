"""The stream of a terminal: a gate has the keeper serve it on the gate's own descriptors, or relays it."""

from __future__ import annotations

import os
import stat
import sys
from _socket import SCM_RIGHTS, SOL_SOCKET

from overmind_core.client.connection import ANSWER_LIMIT
from overmind_core.errors import OvermindError
from overmind_core.system import unixsocket
from overmind_core.system.paths import read_socket_address
from overmind_core.wire import gate
from overmind_core.wire.keeper import PIPES

TYPE_CHECKING = False

if TYPE_CHECKING:
    from _socket import socket

    from overmind_core.system.paths import Home

_CHUNK = 1 << 16
_SHORT = 1 << 12
"""Bytes that a socket without anything in it takes at once."""


def connect_keeper(home: Home) -> socket:
    """Return a connection to the keeper of a home, with the time limit for an answer.

    Raises:
        OvermindError: `gone`.
    """
    try:
        return unixsocket.connect(read_socket_address(home.keeper_socket, home.keeper_socket_pointer), ANSWER_LIMIT)
    except OSError:
        raise OvermindError("gone", "The keeper of the terminal is not there any more.") from None


def serve_on(reads: int, writes: int, keeper: socket, line: bytes, typed: bytes) -> bool:
    """Have the keeper serve a stream on these descriptors until it ends; False: it takes none, and was asked nothing.

    Args:
        reads: What the other side's bytes come on.
        writes: What it is answered on.
        keeper: A connection on which nothing was asked.
        line: The request for the stream, without its end.
        typed: What has come behind that.

    Raises:
        TimeoutError: the keeper does not answer.
        ConnectionError: it has left.
    """
    whole = b"%b\n%b" % (line, typed)
    if len(whole) > _SHORT or not (_is_pipe(reads) and _is_pipe(writes)) or not _takes_pipes(keeper):
        return False
    rights = b"".join(number.to_bytes(4, sys.byteorder) for number in (reads, writes))
    sent = keeper.sendmsg([whole], [(SOL_SOCKET, SCM_RIGHTS, rights)])
    keeper.sendall(whole[sent:])
    keeper.settimeout(None)
    try:
        while keeper.recv(_CHUNK):
            pass
    finally:
        for descriptor in (reads, writes):  # whoever has them, too, had them like that
            os.set_blocking(descriptor, True)
    return True


def answer_to(keeper: socket, line: bytes) -> tuple[bool, bytes]:
    """Ask the keeper for a stream; return whether there is one, and what it has sent so far.

    Raises:
        ConnectionError: it has left.
    """
    keeper.settimeout(None)
    keeper.sendall(line + b"\n")
    answer, behind = _line_of(keeper)
    return _is_ok(answer), b"%b\n%b" % (answer, behind)


def _takes_pipes(keeper: socket) -> bool:
    """Whether it takes descriptors; one that is older, or full, refuses."""
    keeper.sendall(gate.line({"op": PIPES, "n": 0}))
    return _is_ok(_line_of(keeper)[0])


def _is_pipe(descriptor: int) -> bool:
    """Whether one can wait for it: a pipe or a socket."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _line_of(keeper: socket) -> tuple[bytes, bytes]:
    """Return the keeper's next line, and what has come behind it. Raises ConnectionError: it has left."""
    received = b""
    while b"\n" not in received:
        data = keeper.recv(_CHUNK)
        if not data:
            raise ConnectionResetError("the keeper has left")
        received += data
    line, _, behind = received.partition(b"\n")
    return line, behind


def _is_ok(answer: bytes) -> bool:
    try:
        return "ok" in gate.message_of(answer)
    except ValueError:
        return False
