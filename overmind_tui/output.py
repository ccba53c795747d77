"""The way to the terminal: a thread that writes what it is given, and knows whether the terminal takes it.

Written to through a description of its own that never makes it wait, so that a terminal that takes nothing can still
be left.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from typing import IO

PIECE = 1 << 14
"""Bytes offered to the terminal at once."""
LAST_SECONDS = 1.0
"""How long the terminal may take nothing of what is to be shown at the end."""


class Output(threading.Thread):
    """As Textual's own writer, but frames never queue up: see `behind`.

    Args:
        file: The terminal as it was opened by who started us.
    """

    def __init__(self, file: IO[str]) -> None:
        super().__init__(daemon=True, name="terminal-output")
        self._file = file
        self._fd, self._own = _opened(file)
        self._unsent = bytearray()
        self._news = threading.Condition()
        self._ends_at: float | None = None

    @property
    def behind(self) -> bool:
        """Whether the terminal has not taken all that was written: no further frame is due."""
        return bool(self._unsent)

    def write(self, text: str) -> None:
        """Write behind what waits."""
        with self._news:
            self._unsent += text.encode("utf-8", "replace")
            self._news.notify()

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        """As the file is."""
        return self._file.isatty()

    def fileno(self) -> int:
        """The file's descriptor."""
        return self._file.fileno()

    def run(self) -> None:
        """Write until `stop`, or until the terminal is gone."""
        while self._wait():
            try:
                self._write_some()
            except BlockingIOError:
                self._until_writable()
            except OSError:  # the terminal is gone; who reads it notices
                with self._news:
                    self._unsent.clear()

    def stop(self) -> None:
        """Have the rest written, as far as the terminal takes it soon, and end."""
        with self._news:
            self._ends_at = time.monotonic() + LAST_SECONDS
            self._news.notify()
        if self.ident is not None:
            self.join()
        if self._own:
            with contextlib.suppress(OSError):
                os.close(self._fd)

    def _wait(self) -> bool:
        """Until there is something to write; whether to go on."""
        with self._news:
            while not self._unsent and self._ends_at is None:
                self._news.wait()
            return bool(self._unsent) and (self._ends_at is None or time.monotonic() < self._ends_at)

    def _write_some(self) -> None:
        written = os.write(self._fd, self._unsent[:PIECE])
        with self._news:
            del self._unsent[:written]
            if self._ends_at is not None:
                self._ends_at = time.monotonic() + LAST_SECONDS

    def _until_writable(self) -> None:
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        poll.poll(100)


def _opened(file: IO[str]) -> tuple[int, bool]:
    """A descriptor to write to, and whether it is ours alone."""
    try:
        return os.open(os.ttyname(file.fileno()), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC), True
    except OSError:
        return file.fileno(), False
