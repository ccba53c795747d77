"""An agent's program on a terminal, as a person meets it: keys in, our own emulator's screen out."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import time
import warnings
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from ptyprocess import PtyProcess

from overmind_core.terminal.screen import Screen
from tests.kit.waiting import eventually

LIMIT = 30.0
"""Seconds that any wait may take."""
LARGEST_WRITE = 1024
"""Bytes that a terminal takes at once for certain, when it takes any."""


class AgentScreen:
    """One process on a terminal.

    Args:
        argv: Its command line.
        environment: Its whole environment.
        cwd: Where it runs.
        size: Columns and rows.

    Attributes:
        output: Every byte so far.
    """

    def __init__(
        self, argv: Sequence[str], environment: Mapping[str, str], cwd: str, size: tuple[int, int] = (80, 24)
    ) -> None:
        self._screen = Screen(*size)
        self.output = b""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # forks while other threads of the test runner wait
            self._process = PtyProcess.spawn(list(argv), cwd=cwd, env=dict(environment), dimensions=(size[1], size[0]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.kill()
        self.hang_up()
        eventually(lambda: not self._process.isalive(), what="the program has ended")

    @property
    def pid(self) -> int:
        """Of the program."""
        return int(self._process.pid)

    @property
    def titles(self) -> list[str]:
        """What the window was called, oldest first."""
        return [title.decode() for title in re.findall(rb"\x1b\]0;(.*?)\x07", self.output)]

    def type(self, keys: str) -> None:
        """Press keys, as fast as they are taken; what comes meanwhile is read, or both sides would wait."""
        data, fd = keys.encode(), self._process.fd
        while data:
            readable, writable, _ = select.select([fd], [fd], [], LIMIT)
            assert readable or writable, f"takes no keys:\n{self.text()}"
            if readable:
                assert self._read(0.0), f"ended while it was typed at:\n{self.text()}"
            if writable:
                data = data[os.write(fd, data[:LARGEST_WRITE]) :]

    def paste(self, text: str) -> None:
        """Paste a text."""
        self.type(f"\x1b[200~{text}\x1b[201~")

    def say(self, text: str) -> None:
        """Paste a text and press Enter, in one write."""
        self.type(f"\x1b[200~{text}\x1b[201~\r")

    def hang_up(self) -> None:
        """Take the terminal away from under it."""
        self._process.fileobj.close()

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def text(self) -> str:
        """What is on the screen, without blanks at the ends of lines."""
        return self._screen.text()

    def until(self, pattern: str, *, gone: str = "") -> str:
        """Read until the screen holds `pattern`, and not `gone`; return the screen."""
        deadline = time.monotonic() + LIMIT
        while not re.search(pattern, self.text()) or (gone and re.search(gone, self.text())):
            assert time.monotonic() < deadline, f"{pattern!r} is not on the screen:\n{self.text()}"
            assert self._read(deadline), f"ended without {pattern!r}:\n{self.text()}"
        return self.text()

    def until_ready(self) -> str:
        """Read until the prompt is drawn and takes an Enter."""
        return self.until(r"for shortcuts|shift\+tab to cycle")

    def until_title(self, wanted: str) -> None:
        """Read until the window is called so."""
        deadline = time.monotonic() + LIMIT
        while self.titles[-1:] != [wanted]:
            assert time.monotonic() < deadline, f"the titles are {self.titles}"
            assert self._read(deadline), f"ended with the titles {self.titles}"

    def settle(self, seconds: float) -> str:
        """Read for so long, where nothing is to happen; return the screen."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._read(deadline)
        return self.text()

    def end(self) -> int:
        """Read to the end and return the exit status, negative for a signal."""
        deadline = time.monotonic() + LIMIT
        while self._read(deadline):
            assert time.monotonic() < deadline, f"does not end:\n{self.text()}"
        eventually(lambda: not self._process.isalive(), what="the program has ended")
        return int(self._process.exitstatus) if self._process.signalstatus is None else -self._process.signalstatus

    def _read(self, deadline: float) -> bool:
        if not select.select([self._process.fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return True
        try:
            data = self._process.read(1 << 16)
        except EOFError:
            return False
        self.output += data
        self._screen.feed(data)
        return True
