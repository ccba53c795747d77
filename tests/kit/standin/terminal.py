"""The terminal under the full-screen program: raw mode, modes on and off, pictures, keys."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios
import tty

from tests.kit.standin.keyboard import Key, Keyboard
from tests.kit.standin.screen_text import Picture

ESCAPE_DELAY = 0.05
"""Seconds after which an Escape is a key of its own."""
ENTER = b"\x1b7\x1b[r\x1b8\x1b[?25h\x1b[?2004h\x1b[?2031h\x1b[?1004h"
FULL_SCREEN = b"\x1b[?1049h\x1b[2J\x1b[H\x1b[?1000h\x1b[?1002h\x1b[?1003h\x1b[?1006h\x1b[?25l"
QUERIES = b"\x1b[>0q\x1b[?u\x1b]7501;?\x07\x1b[c"
LEAVE = (
    b"\x1b[?1006l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?25h\x1b[?1004l\x1b[?1049l\x1b[>4m\x1b[?2031l\x1b[?2004l"
    b"\x1b(B\x0f\x1b[?1016l\x1b[?7h\x1b7\x1b[r\x1b8\x1b]0;\x07"
)


class Terminal:
    """Stdin and stdout, which are a terminal."""

    def __init__(self) -> None:
        self._before = termios.tcgetattr(0)
        self._keyboard = Keyboard()
        self._full = False
        self._wake_read, self._wake_write = os.pipe()

    def enter(self) -> None:
        """Take the terminal."""
        tty.setraw(0, termios.TCSANOW)  # what was typed before is kept
        self.write(ENTER)

    def leave(self) -> None:
        """Give it back as it was."""
        self.write(LEAVE)
        termios.tcsetattr(0, termios.TCSANOW, self._before)

    def size(self) -> tuple[int, int]:
        """Return columns and rows; 80x24 where the terminal tells nothing."""
        rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(1, termios.TIOCGWINSZ, bytes(8)))
        return columns or 80, rows or 24

    def title(self, text: str) -> None:
        """Set the title of the window."""
        self.write(f"\x1b]0;{text}\x07".encode())

    def draw(self, picture: Picture) -> None:
        """Show a picture; the first one comes with the alternate screen, and with questions to the terminal."""
        first, self._full = not self._full, True
        lines = b"\r\n".join(b"\x1b[K" + line.encode() for line in picture.lines)
        self.write((FULL_SCREEN if first else b"") + b"\x1b[?25l\x1b[H" + lines)
        self.write(f"\x1b[{picture.row + 1};{picture.column + 1}H".encode() + (QUERIES if first else b""))

    def write(self, data: bytes) -> None:
        """Write all bytes."""
        while data:
            data = data[os.write(1, data) :]

    def wake(self) -> None:
        """Make `keys` return; from any thread."""
        os.write(self._wake_write, b".")

    def keys(self, timeout: float) -> list[Key]:
        """Return what was typed; nothing when woken, or after `timeout` seconds.

        Raises:
            EOFError: the terminal has gone.
        """
        if self._keyboard.waiting:
            ready = select.select([0], [], [], ESCAPE_DELAY)[0]
            return self._keyboard.feed(_read()) if ready else self._keyboard.flush()
        ready = select.select([0, self._wake_read], [], [], timeout)[0]
        if self._wake_read in ready:
            os.read(self._wake_read, 4096)
        return self._keyboard.feed(_read()) if 0 in ready else []


def _read() -> bytes:
    try:
        data = os.read(0, 1 << 16)
    except OSError:
        raise EOFError from None
    if not data:
        raise EOFError
    return data
