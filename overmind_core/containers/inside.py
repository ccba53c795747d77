"""A command inside of a container: its output is read with a limit of time, which the SDK does not know."""

from __future__ import annotations

import select
import time
from typing import Any

LONGEST_OUTPUT = 65536
"""Bytes that are kept of it."""
HEADER = 8
"""Bytes before each piece of output: which stream, three of nothing, its length (big-endian)."""
LATE = 124
"""The exit code of a command that did not end in time, as of timeout(1)."""


def run(client: Any, container: str, command: str, seconds: float) -> tuple[int, bytes]:
    """Run `command` with the container's `sh`; returns its exit code and its output.

    A command that takes longer than `seconds` is left behind, with `LATE`.
    """
    made = client.exec_create(container, ["sh", "-c", command])["Id"]
    stream = client.exec_start(made, socket=True)
    try:
        written, ended = _read(stream, seconds)
    finally:
        stream.close()
    if not ended:
        return LATE, written + b"(did not end within %g s)" % seconds
    return _exit_code(client, made), written


def _read(stream: Any, seconds: float) -> tuple[bytes, bool]:
    """What was written up to the end, and whether the end came in time."""
    deadline = time.monotonic() + seconds
    raw = bytearray()
    while (left := deadline - time.monotonic()) > 0:
        poll = select.poll()
        poll.register(stream.fileno(), select.POLLIN)
        if not poll.poll(left * 1000):
            break
        piece = stream.read(65536)
        if not piece:
            return _joined(raw), True
        if len(raw) < LONGEST_OUTPUT:
            raw += piece
    return _joined(raw), False


def _joined(raw: bytearray) -> bytes:
    """The output without the headers."""
    output, at = bytearray(), 0
    while at + HEADER <= len(raw):
        length = int.from_bytes(raw[at + 4 : at + HEADER], "big")
        output += raw[at + HEADER : at + HEADER + length]
        at += HEADER + length
    return bytes(output)


def _exit_code(client: Any, made: str) -> int:
    """Ask until the engine knows: it closes the output a moment before it has waited for the process."""
    for _ in range(50):
        seen = client.exec_inspect(made)
        if not seen["Running"] and seen["ExitCode"] is not None:
            return int(seen["ExitCode"])
        time.sleep(0.02)
    return LATE
