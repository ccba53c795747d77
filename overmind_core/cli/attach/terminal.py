"""The person's own terminal: raw while somebody is attached, and as it was before on every way out.

Written to through a description of its own, so that a terminal that takes nothing stops neither keys nor signals.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import struct
import termios
import time
import tty

from overmind_core.cli.attach.leftovers import Leftovers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

IN, OUT = 0, 1
LARGEST = 4096
"""Columns or rows."""
READ = 1 << 16
WRITE = 1 << 14
"""Bytes offered to the terminal at once."""
WAITING_LIMIT = 1 << 18
"""Bytes that wait for the terminal from which on no more are taken for it."""
PATIENCE = 1.0
"""Seconds that the terminal gets for what is to be shown at the end."""


class Terminal:
    """Use as a context: inside, every key comes as it is sent."""

    def __init__(self) -> None:
        self._saved = termios.tcgetattr(IN)
        self._leftovers = Leftovers()
        self._waiting = bytearray()
        self._own = -1
        self.out = OUT
        """What to wait for before `flush`."""
        self.lost = False
        """The terminal is gone."""

    @staticmethod
    def here() -> bool:
        """Whether a person can see and type here."""
        return os.isatty(IN) and os.isatty(OUT)

    def __enter__(self) -> Self:
        self._open()
        self.make_raw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._say_last(self._leftovers.undo() + b"\r\n\x1b[J")
        finally:
            if self._own >= 0:
                os.close(self._own)
            with contextlib.suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(IN, termios.TCSAFLUSH, self._saved)

    def make_raw(self) -> None:
        """Let every key through; also after somebody else has changed that."""
        try:
            tty.setraw(IN, termios.TCSADRAIN)
        except termios.error:
            self.lost = True

    def size(self) -> tuple[int, int]:
        """Columns and rows; 80x24 where the terminal doesn't know."""
        try:
            rows, columns = struct.unpack("HHHH", fcntl.ioctl(OUT, termios.TIOCGWINSZ, bytes(8)))[:2]
        except OSError:
            columns, rows = 0, 0
        return min(columns or 80, LARGEST), min(rows or 24, LARGEST)

    def read(self) -> bytes:
        """What was typed; nothing when the terminal is gone."""
        try:
            data = os.read(IN, READ)
        except OSError:
            data = b""
        self.lost = self.lost or not data
        return data

    def write(self, data: bytes) -> None:
        """Show `data` behind what waits."""
        self._leftovers.see(data)
        if self._waiting:
            self._waiting += data
            return
        try:
            written = os.write(self.out, data[:WRITE])
        except BlockingIOError:
            written = 0
        except OSError:
            self.lost = True
            return
        if written < len(data):
            self._waiting += data[written:]
            self.flush()

    def flush(self) -> None:
        """Give the terminal what it takes now."""
        try:
            while self._waiting and not self.lost:
                del self._waiting[: os.write(self.out, self._waiting[:WRITE])]
        except BlockingIOError:
            return
        except OSError:
            self.lost = True

    @property
    def behind(self) -> bool:
        """Whether something waits to be shown."""
        return bool(self._waiting) and not self.lost

    @property
    def full(self) -> bool:
        """Whether so much waits that no more should be taken."""
        return len(self._waiting) > WAITING_LIMIT

    @property
    def alternate(self) -> bool:
        """Whether a program shows the alternate screen."""
        return bool(self._leftovers.alternate)

    def clear(self) -> None:
        """Forget what waits, undo what the last program set, and have a blank screen without losing what stood here."""
        self._waiting.clear()
        _, rows = self.size()
        self.write(self._leftovers.undo() + b"\x1b[%d;1H" % rows + b"\n" * rows + b"\x1b[H")

    def _open(self) -> None:
        """Have a description of the terminal that never makes us wait and that nobody shares."""
        try:
            self._own = os.open(os.ttyname(OUT), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
            self.out = self._own
        except OSError:
            self.out = OUT

    def _say_last(self, data: bytes) -> None:
        """Show what waits and `data`; of a terminal that has not taken that in time only `data` is asked."""
        self._waiting += data
        poll = select.poll()
        poll.register(self.out, select.POLLOUT)
        until = time.monotonic() + PATIENCE
        self.flush()
        while self.behind and (left := until - time.monotonic()) > 0:
            poll.poll(left * 1000)
            self.flush()
        if self.behind:
            self._waiting = bytearray(data)
            self.flush()
