"""Framing of the JSON sockets: bytes in, whole lines out, with a limit that a hostile line can't pass. No socket here.

overmind.sock carries newline-delimited JSON; its commands are those of cli.md with underscores. A request is
`{"cmd": …, "args": {…}, "id": …?}`. A command answers once, `{"ok": …}` or `{"error": code, "message": …}`; a stream
answers `{"ok": …}`, then `{"item": …}` lines, then `{"end": …}`. Each carries the id.
"""

from __future__ import annotations

TOO_LONG = b"\n"
"""Stands in the answer of `LineBuffer.feed` where a line passed the limit (no real line can hold a newline)."""


class LineBuffer:
    """Cuts a byte stream at newlines and holds at most `limit` bytes of an unfinished line."""

    __slots__ = ("_limit", "_parts", "_size", "_skipping")

    def __init__(self, limit: int) -> None:
        """`limit`: the longest line that is handed on, in bytes, without its newline."""
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._skipping = False

    @property
    def size(self) -> int:
        """Bytes held of a line that isn't complete yet."""
        return self._size

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that `data` completes, in order and without their newlines.

        A line over the limit shows up once as `TOO_LONG`, as soon as that is known; the rest of it is skipped.
        """
        pieces = data.split(b"\n")
        lines: list[bytes] = []
        for piece in pieces[:-1]:
            self._hold(piece, lines)
            self._finish(lines)
        self._hold(pieces[-1], lines)
        return lines

    def _hold(self, piece: bytes, lines: list[bytes]) -> None:
        if self._skipping or not piece:
            return
        if self._size + len(piece) > self._limit:
            self._drop()
            self._skipping = True
            lines.append(TOO_LONG)
            return
        self._parts.append(piece)
        self._size += len(piece)

    def _finish(self, lines: list[bytes]) -> None:
        if self._skipping:
            self._skipping = False
            return
        lines.append(self._parts[0] if len(self._parts) == 1 else b"".join(self._parts))
        self._drop()

    def _drop(self) -> None:
        self._parts = []
        self._size = 0


API_VERSION = 1
MAX_LINE = 16 * 1024 * 1024
"""Bytes of one request; longer ones are answered `too_large`."""
