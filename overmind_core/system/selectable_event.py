"""An event that a thread waits for beside what it reads."""

from __future__ import annotations

import contextlib
import socket
import threading
import weakref


class SelectableEvent(threading.Event):
    """A `threading.Event` whose `fileno` is readable while it is set.

    Clear it first, and then look at what it was set for: a `set` in between is not lost.
    """

    def __init__(self) -> None:
        super().__init__()
        self._read, self._write = socket.socketpair()  # no pipe: the number of a closed one may be another's
        self._read.setblocking(False)
        self._write.setblocking(False)
        self.close = weakref.finalize(self, _close, self._read, self._write)
        """Gives its descriptors back; done, too, when nobody has it any more."""

    def fileno(self) -> int:
        """Return the descriptor for a selector; -1 once it was closed."""
        return self._read.fileno()

    def set(self) -> None:
        """Wake who waits; closed, or full of wakings before, it needs no other."""
        super().set()
        with contextlib.suppress(OSError):
            self._write.send(b".")

    def clear(self) -> None:
        """Have the next wait last until the next `set`."""
        with contextlib.suppress(OSError):
            while self._read.recv(4096):
                pass
        super().clear()


def _close(*ends: socket.socket) -> None:
    for end in ends:
        end.close()
