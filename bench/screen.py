"""A terminal of 120x40 that we own: a program in it, keys to it, and when something stands on it."""

from __future__ import annotations

import contextlib
import os
import random
import re
import select
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence

from ptyprocess import PtyProcess

SIZE = (40, 120)
"""Rows, columns."""
PATIENCE = 60.0
CHUNK = 1 << 16
KEPT = 4096
"""Bytes before a piece of output that may belong to what is looked for."""
WORLD = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}


class Screen:
    """One program; it ends with `end`."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        world = {**environment, **WORLD}
        self.began = time.perf_counter()
        self._process = PtyProcess.spawn(list(argv), env=world, dimensions=SIZE)
        self._fd: int = self._process.fd

    @property
    def pid(self) -> int:
        """The program's."""
        return int(self._process.pid)

    def until(self, wanted: bytes) -> tuple[float, bytes]:
        """When something that the pattern matches had been written from now on (perf_counter), and its last group.

        Raises:
            TimeoutError: it was not.
        """
        shown = b""
        deadline = time.perf_counter() + PATIENCE
        while time.perf_counter() < deadline:
            if select.select([self._fd], [], [], 1.0)[0]:
                shown = shown[-KEPT:] + os.read(self._fd, CHUNK)
                if found := re.search(wanted, shown):
                    return time.perf_counter(), found[found.lastindex or 0]
        raise TimeoutError(f"{wanted!r} was never on the screen")

    def watch(self, seconds: float) -> bytes:
        """Return what is written for a while."""
        shown = bytearray()
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            if select.select([self._fd], [], [], left)[0]:
                shown += os.read(self._fd, CHUNK)
        return bytes(shown)

    def press(self, keys: bytes) -> None:
        """Type these."""
        os.write(self._fd, keys)

    def answer(self, key: bytes, wanted: bytes) -> tuple[float, bytes]:
        """Seconds from a key to what it puts on the screen, and that."""
        began = time.perf_counter()
        os.write(self._fd, key)
        at, found = self.until(wanted)
        return at - began, found

    def end(self) -> None:
        """End the program at once: its home is somebody else's."""
        self._process.close(force=True)


@contextlib.contextmanager
def screen(argv: Sequence[str], environment: Mapping[str, str]) -> Iterator[Screen]:
    """A program on a screen for a while."""
    shown = Screen(argv, environment)
    try:
        yield shown
    finally:
        shown.end()


def first_frame(argv: Sequence[str], environment: Mapping[str, str], wanted: bytes) -> float:
    """Seconds from the start of a program until `wanted` is on its screen."""
    with screen(argv, environment) as shown:
        return shown.until(wanted)[0] - shown.began


def gap() -> float:
    """Seconds between two keys of a person in a hurry; never in step with anything that ticks."""
    return random.uniform(0.05, 0.15)


def p50_p95(values: Sequence[float]) -> tuple[float, float]:
    """The middle value, and the one that 95 % stay below."""
    return statistics.median(values), statistics.quantiles(values, n=20)[-1]
