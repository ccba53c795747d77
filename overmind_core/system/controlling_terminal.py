"""The terminal that another process sits at: opened by its device, and used only while that process may.

Linux only. The kernel tells which terminal controls a process, whether the process is stopped, and which group is in
the terminal's foreground; nothing that the process says about itself is believed. The description is our own, so that
nobody can make it wait.
"""

from __future__ import annotations

import os
import sys

IS_SUPPORTED = sys.platform == "linux"
READ = 1 << 12
"""Bytes asked of a terminal at once: it holds no more (n_tty)."""
_PSEUDO_TERMINAL_MAJOR = 136
"""Unix98 slaves, whose minor number is their name. Source: admin-guide/devices.txt of Linux."""
_RECORD = 1 << 9
"""Bytes that hold the first eight fields of a process' record."""
_STOPPED_OR_DEAD = frozenset((b"T", b"t", b"X", b"x", b"Z"))


class ControllingTerminal:
    """The terminal of process `pid`, opened for reading and writing.

    Args:
        pid: Whose.
        identity: Device and inode by which the process itself knows the terminal (`identity_of`).

    Raises:
        BlockingIOError: the process is stopped, or not in the foreground of its terminal.
        OSError: there is no such process or terminal, it is another one than `identity`, or the process sees another
            file system than we do.
    """

    __slots__ = ("_device", "_fd", "_record")

    def __init__(self, pid: int, identity: tuple[int, int]) -> None:
        self._fd = -1
        self._record = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._device = self._state()[4]
            self._fd = self._open(pid, identity)
        except BaseException:
            self.close()
            raise

    def fileno(self) -> int:
        """The terminal's descriptor; -1 once it is closed."""
        return self._fd

    def is_in_foreground(self) -> bool:
        """Whether the process lives, is not stopped, and is in the foreground of this terminal still."""
        try:
            state, _, group, _, device, foreground = self._state()
        except OSError:
            return False
        return group == foreground and device == self._device and state not in _STOPPED_OR_DEAD

    def read(self) -> bytes:
        """Return what was typed; nothing at its end. Raises OSError: the terminal is gone, or nothing was typed."""
        return os.read(self._fd, READ)

    def write(self, data: bytes) -> int:
        """Return how many bytes the terminal has taken. Raises OSError: it is gone, or takes none now."""
        return os.write(self._fd, data)

    def close(self) -> None:
        """Let go of it; again is harmless."""
        fds = (self._fd, self._record)
        self._fd = self._record = -1
        for fd in fds:
            if fd >= 0:
                os.close(fd)

    def _open(self, pid: int, identity: tuple[int, int]) -> int:
        """Open the terminal that is the process' own, after all that speaks against it. Raises OSError."""
        number = int(self._device) & 0xFFFFFFFF
        major, minor = number >> 8 & 0xFFF, number & 0xFF | number >> 12 & 0xFFF00
        if major != _PSEUDO_TERMINAL_MAJOR:
            raise PermissionError("the process sits at no pseudo-terminal")
        if not self.is_in_foreground():
            raise BlockingIOError("the process is not in the foreground of its terminal")
        # Another mount namespace may have other terminals with the same numbers.
        if _mounts_of(pid) != _mounts_of(os.getpid()):
            raise PermissionError("the process has another file system")
        fd = os.open(f"/dev/pts/{minor}", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        if os.fstat(fd).st_rdev != os.makedev(major, minor) or identity_of(fd) != identity or not os.isatty(fd):
            os.close(fd)
            raise PermissionError("the terminal is another one")
        return fd

    def _state(self) -> list[bytes]:
        """State, parent, group, session, terminal, its foreground group. Source: proc_pid_stat(5).

        Raises:
            OSError: the process is gone.
        """
        fields = os.pread(self._record, _RECORD, 0).rpartition(b") ")[2].split(b" ", 6)[:6]
        if len(fields) < 6:  # noqa: PLR2004 -- as many as are named above
            raise ProcessLookupError("the process has no record")
        return fields


def identity_of(fd: int) -> tuple[int, int]:
    """Return device and inode by which a terminal is told from those of the same name elsewhere. Raises OSError."""
    status = os.fstat(fd)
    return status.st_dev, status.st_ino


def _mounts_of(pid: int) -> tuple[str, str]:
    """Name what a process sees of the file system: its mount namespace and its root. Raises OSError."""
    return os.readlink(f"/proc/{pid}/ns/mnt"), os.readlink(f"/proc/{pid}/root")
