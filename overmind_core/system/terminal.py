"""A terminal device, as its master side sees and sets it: size, line editing, end of input."""

from __future__ import annotations

import fcntl
import struct
import termios

_IUTF8 = 0x4000
"""termios(3), on Linux and macOS alike; the module names it from Python 3.13 on."""
_SIZE = struct.Struct("HHHH")


def resize(fd: int, *, columns: int, rows: int) -> None:
    """Set the terminal's size, in character cells.

    The kernel then sends SIGWINCH to the foreground process group when the size has changed.

    Raises:
        OSError: `fd` is no terminal any more.

    Source: ioctl_tty(2), TIOCSWINSZ (rows come first).
    """
    fcntl.ioctl(fd, termios.TIOCSWINSZ, _SIZE.pack(rows, columns, 0, 0))


def size(fd: int) -> tuple[int, int]:
    """Columns and rows of the terminal. Raises OSError: `fd` is none any more."""
    rows, columns, _, _ = _SIZE.unpack(fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(_SIZE.size)))
    return columns, rows


def prepare(fd: int, *, columns: int, rows: int) -> None:
    """Give a new terminal its size, and let its line editing know UTF-8."""
    resize(fd, columns=columns, rows=rows)
    modes = termios.tcgetattr(fd)
    modes[0] |= _IUTF8
    termios.tcsetattr(fd, termios.TCSANOW, modes)


def is_canonical(fd: int) -> bool:
    """Whether input is taken line by line (ICANON), so that a line over 4,095 bytes would lose bytes.

    Raises:
        termios.error: `fd` is no terminal any more.
    """
    return bool(termios.tcgetattr(fd)[3] & termios.ICANON)


def end_of_file(fd: int) -> bytes:
    """The character that means end of input on this terminal (VEOF, usually ctrl-d). Raises termios.error."""
    character = termios.tcgetattr(fd)[6][termios.VEOF]
    return character if isinstance(character, bytes) else bytes([character])
