"""A person at a terminal: the command line on a PTY, typed at and looked at."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from ptyprocess import PtyProcess

from tests.kit.overmind import PROGRAM, Overmind
from tests.kit.waiting import eventually

LIMIT = 30.0
"""Seconds that any wait may take."""


class Terminal:
    """`overmind <words>` on a terminal of 100x30, in the world of `overmind`.

    Args:
        overmind: Whose environment and home.
        words: Arguments of the command line.
        shell: What a shell does to the files, such as ">out" or "</dev/null", before it becomes the program.
        program: Another program than `overmind`, with its first arguments.
        env: Added to the environment; None as a value takes the variable away.

    Attributes:
        shown: All that came so far, as the program wrote it but for CRLF, which is LF.
    """

    def __init__(
        self,
        overmind: Overmind,
        *words: str,
        shell: str = "",
        program: Sequence[str] = PROGRAM,
        env: Mapping[str, str | None] | None = None,
    ) -> None:
        world = {**overmind.environment, **(env or {})}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # forks while other threads of the test runner wait
            self._process = PtyProcess.spawn(
                ["/bin/sh", "-c", f'exec "$@" {shell}', "sh", *program, *words],
                cwd=overmind.home,
                env={name: value for name, value in world.items() if value is not None},
                dimensions=(30, 100),
            )
        self.shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.close(force=True)

    def type(self, text: str) -> None:
        """Press these keys; `\\x03` is ctrl-c."""
        self._process.write(text.encode())

    def expect(self, pattern: str) -> re.Match[str]:
        """Read until what is shown holds `pattern`."""
        deadline = time.monotonic() + LIMIT
        while (found := re.search(pattern, self.shown)) is None:
            assert time.monotonic() < deadline, f"{pattern!r} did not appear in {self.shown!r}"
            assert self._read(), f"ended without {pattern!r}: {self.shown!r}"
        return found

    def end(self) -> int:
        """Read to the end and return the exit status, negative for a signal."""
        while self._read():
            pass
        eventually(lambda: not self._process.isalive(), what="the program has ended")
        return int(self._process.exitstatus) if self._process.signalstatus is None else -self._process.signalstatus

    def _read(self) -> bool:
        try:
            data = self._process.read(1 << 16)
        except EOFError:
            return False
        self.shown += data.decode(errors="replace").replace("\r\n", "\n")
        return True
