"""A program: keeps one gate open between the commands that use it, and lends it to one at a time. See `kept_gates`.

It runs as a file of its own, without the rest of Overmind. Its standard files are what it has from the command that
began it: the socket on which it listens, the gate's, and a file that says whose gate that is.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time

_LEAVE_LIMIT = 1.0
"""Seconds for the gate's command to end by itself, once its channel is closed."""
_SEND_LIMIT = 5.0
"""Seconds for a borrower to take what it has asked for."""
_LONGEST = 1 << 17


def hold(listener: socket.socket, gate: socket.socket, greeting: bytes, seconds: float, path: str) -> None:
    """Lend the gate until it ends, or nobody has wanted it for `seconds`, or a borrower has not left it in order.

    While one had it, another holder may have come to be found at `path`: then nobody wants this one any more.
    """
    own = os.stat(path).st_ino
    borrower: socket.socket | None = None
    until = time.monotonic() + seconds
    while True:
        wait = None if borrower is not None else max(until - time.monotonic(), 0.0)
        ready = select.select([listener, gate if borrower is None else borrower], [], [], wait)[0]
        if not ready or gate in ready:
            return
        if borrower in ready:
            with contextlib.closing(borrower) as leaving:
                if not _is_in_order(leaving):
                    return
            if not is_at(path, own):
                return
            borrower, until = None, time.monotonic() + seconds
        if listener in ready:
            connected = listener.accept()[0]
            if borrower is not None or not _lend(connected, gate, greeting):
                connected.close()
            else:
                borrower = connected


def is_at(path: str, number: int) -> bool:
    """Whether the file at a path is the one with this number."""
    try:
        return os.stat(path).st_ino == number
    except OSError:
        return False


def _is_in_order(borrower: socket.socket) -> bool:
    """Whether the one who leaves has said that nothing is on its way: without a word, nobody knows."""
    try:
        return len(borrower.recv(1)) > 0
    except OSError:
        return False


def _lend(borrower: socket.socket, gate: socket.socket, greeting: bytes) -> bool:
    """Whether it has the gate now, and may use it even if it leaves before it has all of the greeting."""
    borrower.settimeout(_SEND_LIMIT)
    try:
        sent = socket.send_fds(borrower, [greeting], [gate.fileno()])
    except OSError:
        return False
    with contextlib.suppress(OSError):
        borrower.sendall(greeting[sent:])
    return True


def _end(pid: int, command: int) -> None:
    """See the gate's command, which is no child of ours, to its end; it leads a process group."""
    if command >= 0 and not select.select([command], [], [], _LEAVE_LIMIT)[0]:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _process(pid: int) -> int:
    """Return a descriptor of a process; -1: it has ended, or the system has no such thing."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return -1


def main() -> None:
    """Hold the gate, and leave nothing behind."""
    path, seconds = sys.argv[1], float(sys.argv[2])
    pid, _, greeting = os.pread(2, _LONGEST, 0).partition(b" ")
    command = _process(int(pid))
    listener, gate = socket.socket(fileno=0), socket.socket(fileno=1)
    own = os.stat(path).st_ino
    try:
        hold(listener, gate, greeting, seconds, path)
    finally:
        if is_at(path, own):
            os.unlink(path)
        listener.close()
        gate.close()
        _end(int(pid), command)


if __name__ == "__main__":
    main()
