"""A person at a terminal that answers as real ones do, with `overmind attach` on it: keys in, a screen out."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from overmind_core.terminal.screen import Screen
from tests.kit import fork_server
from tests.kit.forked_process import ForkedProcess
from tests.kit.overmind import PROGRAM, Overmind

LIMIT = 30.0
"""Seconds that any wait may take."""
DRAWN = 2
"""Frames that have ended once it is attached: what stood there before is put right, then the mission's screen drawn."""
SIZE = (100, 30)
"""Columns and rows."""


class Attached:
    """`overmind attach <words>` as a session's leader on a terminal of its own.

    Args:
        om: In whose world.
        words: Arguments of the command.
        size: Columns and rows of the terminal.
        program: Another program than `overmind attach`.
        shell: What a shell does to the files first, such as "</dev/null".

    Attributes:
        screen: What stands on the terminal.
        seen: Every byte that was written to it.
    """

    def __init__(
        self,
        om: Overmind,
        *words: str,
        size: tuple[int, int] = SIZE,
        program: Sequence[str] = (*PROGRAM, "attach"),
        shell: str = "",
    ) -> None:
        self._master, self._slave = os.openpty()
        self.screen = Screen(*size)
        self.screen.on_reply = self.type
        self.seen = bytearray()
        self.resize(*size)
        self.before = self.settings()
        how: Any = {"env": om.environment, "cwd": om.home, "start_new_session": True}
        self.process: subprocess.Popen[Any]
        if not shell and [*program[: len(PROGRAM)]] == PROGRAM and fork_server.serves(om.environment, b""):
            how |= dict.fromkeys(("stdin", "stdout", "stderr"), self._slave)
            self.process = ForkedProcess([*program, *words], **how)
            return
        # A leader of a session without a terminal gets the first one that it opens.
        begin = ["/bin/sh", "-c", f'exec "$@" <>"$0" >&0 2>&1 {shell}', os.ttyname(self._slave)]
        self.process = subprocess.Popen([*begin, *program, *words], **how)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        self.hang_up()

    def type(self, keys: bytes) -> None:
        """Press keys."""
        while keys:
            if select.select([self._master], [self._master], [], LIMIT)[1]:
                keys = keys[os.write(self._master, keys) :]
            else:
                self._take()

    def type_pieces(self, *pieces: bytes) -> None:
        """Press keys that come in pieces, as over a network: each only when the program has read the one before."""
        for piece in pieces:
            self.type(piece)
            self.until(lambda: not self.has_unread(), "it is read")

    def resize(self, columns: int, rows: int) -> None:
        """Draw the window larger or smaller."""
        self.screen.resize(columns, rows)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def settings(self) -> list[Any]:
        """How the terminal treats keys and output."""
        return termios.tcgetattr(self._slave)

    def make_cooked(self) -> None:
        """Set the terminal as a shell does that comes to the foreground."""
        termios.tcsetattr(self._slave, termios.TCSANOW, self.before)

    def until(self, holds: Callable[[], object], what: str = "", *, limit: float = LIMIT) -> None:
        """Look at the screen until `holds`, for `limit` seconds."""
        deadline = time.monotonic() + limit
        while not holds():
            left = deadline - time.monotonic()
            assert left > 0, f"{what or holds} did not come true on:\n{self.text()}\nseen: {bytes(self.seen[-300:])!r}"
            if select.select([self._master], [], [], min(left, 0.05))[0]:
                self._take()

    def shows(self, text: str) -> None:
        """Wait until `text` stands on the screen."""
        self.until(lambda: text in self.text(), f"{text!r}")

    def press_away(self, dialog: str, keys: bytes) -> None:
        """Press keys until a dialog is gone: some drop those that come in the moment in which they are drawn."""
        self.shows(dialog)
        while dialog in self.text():
            self.type(keys)
            with contextlib.suppress(AssertionError):
                self.until(lambda: dialog not in self.text(), limit=2.0)

    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(self.screen.lines()).rstrip()

    def joined(self) -> None:
        """Wait until the mission's terminal is here."""
        self.until(lambda: self.seen.count(b"\x1b[?2026l") >= DRAWN, "it is attached")

    def end(self) -> int:
        """Look until the program has ended; return its exit status, negative for a signal."""
        self.until(lambda: self.process.poll() is not None, "it has ended")
        while select.select([self._master], [], [], 0)[0]:
            self._take()
        return self.process.returncode

    def signal(self, number: int) -> None:
        """Send a signal to the program."""
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """End it as brutally as can be."""
        self.signal(signal.SIGKILL)
        self.process.wait()

    def is_lent(self, keeper: int) -> bool:
        """Whether the process `keeper` has the terminal open, as it does while that is lent to it."""
        own, files = os.ttyname(self._slave), f"/proc/{keeper}/fd"
        return any(_link(f"{files}/{fd}") == own for fd in os.listdir(files))

    def has_unread(self) -> bool:
        """Whether there are keys that nobody has read."""
        return bool(select.select([self._slave], [], [], 0)[0])

    def unread(self) -> bytes:
        """Take the keys that nobody has read."""
        keys = b""
        while self.has_unread():
            keys += os.read(self._slave, 1 << 12)
        return keys

    def hang_up(self) -> None:
        """Close the terminal; again is harmless."""
        for fd in (self._slave, self._master):
            if fd >= 0:
                os.close(fd)
        self._master = self._slave = -1

    def _take(self) -> None:
        data = os.read(self._master, 1 << 16)
        self.seen += data
        self.screen.feed(data)


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except FileNotFoundError:  # closed meanwhile
        return ""
