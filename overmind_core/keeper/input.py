"""The input of a run: applied once per number, queued until the agent reads it."""

from __future__ import annotations

import os
import termios

from overmind_core.system import terminal
from overmind_core.wire.keeper import CANONICAL_LIMIT, ERROR_BUSY, ERROR_GONE, ERROR_TOO_LARGE, INPUT_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_PORTION = 65536
"""Bytes offered to the kernel at once."""
_LINE_ENDS = bytes.maketrans(b"\r\x04", b"\n\n")
"""Return becomes a newline (ICRNL), and the end-of-file character hands a line over as well."""
_LINE_END_BYTES = b"\n\r\x04"
_SHORT = 256
"""Bytes of a line up to which nobody asks how the terminal is set: each key comes this way."""
_PORTIONS = 16
"""Writes in one turn, so that one greedy reader doesn't hold the others up."""


class RequestRefused(Exception):
    """The client asked for what can't be done; `code` is one of the protocol's errors, `fields` go beside it."""

    def __init__(self, code: str, message: str, **fields: object) -> None:
        super().__init__(message)
        self.code = code
        self.fields = fields


class Stdin:
    """The way into one run: a terminal's master or a pipe; `fd` is -1 when there is no way (any more)."""

    __slots__ = ("_changed", "_closing", "_queue", "_tail", "_waits", "fd", "is_tty", "seq", "written")

    def __init__(self, fd: int, *, is_tty: bool, changed: Callable[[], None]) -> None:
        """`changed` is called when `wants` or `fd` may have changed."""
        self.fd = fd
        self.is_tty = is_tty
        self._changed = changed
        self._queue = bytearray()
        self._closing = False
        self._waits = False
        """Whether something waited when `changed` was called last."""
        self._tail = 0
        """Bytes since the last line end; in raw mode an upper limit."""
        self.seq = 0
        """The newest number that was applied."""
        self.written = 0
        """Bytes that the kernel has taken."""

    @property
    def wants(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._queue)

    @property
    def waiting(self) -> int:
        """Bytes that wait."""
        return len(self._queue)

    def write(self, seq: int, data: bytes) -> None:
        """Apply `data` once: a number that was applied before is ignored. Raises RequestRefused."""
        if seq > self.seq:
            self.type(data)
            self.seq = seq

    def type(self, data: bytes) -> None:
        """Apply unnumbered input. Raises RequestRefused; nothing of `data` was applied then."""
        if self.fd < 0 or self._closing:
            raise RequestRefused(ERROR_GONE, "the input of this run is no longer read")
        if len(self._queue) + len(data) > INPUT_LIMIT:
            raise RequestRefused(ERROR_BUSY, "the agent has not yet read its earlier input")
        if self.is_tty:
            self._measure(data)
        if not self._queue:  # as with each key: the kernel takes it at once
            try:
                wrote = os.write(self.fd, data)
            except OSError:
                wrote = 0  # it is met again, and told apart, by `flush`
            self.written += wrote
            if wrote == len(data):
                return
            data = data[wrote:]
        self._queue += data
        self.flush()

    def end(self) -> None:
        """Queue the end of the input: close the pipe, or type the terminal's end-of-file character."""
        if self.fd < 0 or self._closing:
            return
        if not self.is_tty:
            self._closing = True
            self.flush()
            return
        try:
            # In the middle of a line the first one only hands over what is there.
            self._queue += terminal.end_of_file(self.fd) * (2 if self._tail and terminal.is_canonical(self.fd) else 1)
        except termios.error:
            return
        self._tail = 0
        self.flush()

    def flush(self) -> None:
        """Write what the kernel takes now."""
        queue = self._queue
        try:
            for _ in range(_PORTIONS):
                if not queue or self.fd < 0:
                    break
                wrote = os.write(self.fd, queue if len(queue) <= _PORTION else bytes(queue[:_PORTION]))
                del queue[:wrote]
                self.written += wrote
        except BlockingIOError:
            pass
        except OSError:
            self._lose()
        if self._closing and not queue:
            self.close()
        if bool(queue) != self._waits:
            self._waits = not self._waits
            self._changed()

    def close(self) -> None:
        """Let go: of the pipe, which we own, or of the terminal, which `KeptRun` closes."""
        fd, self.fd = self.fd, -1
        self._queue.clear()
        if fd >= 0:
            self._changed()
            if not self.is_tty:
                os.close(fd)

    def _lose(self) -> None:
        """Nobody reads a pipe any more; a terminal may be opened again."""
        self._queue.clear()
        if not self.is_tty:
            self._closing = True

    def _measure(self, data: bytes) -> None:
        """Refuse a line that the kernel would cut, as it does in canonical mode without saying so (n_tty)."""
        if self._tail + len(data) <= _SHORT and data.translate(None, _LINE_END_BYTES) == data:  # a key
            self._tail += len(data)
            return
        lengths = [len(line) for line in data.translate(_LINE_ENDS).split(b"\n")]
        lengths[0] += self._tail
        longest = max(lengths)
        if longest > _SHORT and not self._is_canonical():
            self._tail = 0
            return
        if longest > CANONICAL_LIMIT:
            raise RequestRefused(ERROR_TOO_LARGE, f"the terminal accepts lines of at most {CANONICAL_LIMIT} bytes now")
        self._tail = lengths[-1]

    def _is_canonical(self) -> bool:
        try:
            return terminal.is_canonical(self.fd)
        except termios.error:
            return False
