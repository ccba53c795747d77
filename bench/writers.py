"""Processes that write known lines as fast as their terminal takes them, all from the same moment on."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import tempfile
import time
from collections.abc import Callable, Iterator

COLUMNS = 80
"""Bytes of a line with its newline."""
STILL = 1.0
"""Seconds without growth after which no more will come."""
LOOK_AGAIN = 0.001
"""Seconds between two looks at how much is stored."""

Stored = Callable[[], int]
"""How many bytes of what was put out are on the disk by now."""


class Writers:
    """A few writers: `commands` are theirs; start them, wait until they are `ready`, let them `go`."""

    def __init__(self, folder: str, count: int, size: int) -> None:
        """`size`: bytes that each of them writes."""
        self._gate = os.path.join(folder, "gate")
        self._reports = os.path.join(folder, "reports")
        for path in (self._gate, self._reports):
            os.mkfifo(path)
        # Open for both, so that reading waits for reports instead of ending when nobody has it open.
        self._inbox = os.fdopen(os.open(self._reports, os.O_RDWR), "rb", buffering=0)
        self.stored = 0
        """Bytes that were on the disk in the end, after `rate`."""
        self.commands: list[str] = []
        self.expected: list[tuple[int, str]] = []
        """Length and SHA-256 of what each puts out, as a terminal turns it: a carriage return before each newline."""
        for number in range(count):
            self._add(os.path.join(folder, f"lines-{number}"), number, size)

    def _add(self, path: str, number: int, size: int) -> None:
        lines = (f"writer {number} line {line} ".ljust(COLUMNS - 1, ".") for line in range(size // COLUMNS))
        text = "".join(f"{line}\n" for line in lines).encode()
        with open(path, "wb") as file:
            file.write(text)
        seen = text.replace(b"\n", b"\r\n")
        self.expected.append((len(seen), hashlib.sha256(seen).hexdigest()))
        gate, reports, data = map(shlex.quote, (self._gate, self._reports, path))
        self.commands.append(f"echo ready > {reports}; : < {gate}; cat {data}; echo done > {reports}")

    def wait_ready(self) -> None:
        """Wait until all of them stand at the gate."""
        self._hear(b"ready")

    @property
    def output(self) -> int:
        """Bytes that all of them put out."""
        return sum(length for length, _ in self.expected)

    def rate(self, begin: Callable[[], Stored]) -> float:
        """Start them by `begin` and let them go; bytes per second until all is written, and stored as far as it is."""
        stored = begin()
        self.wait_ready()
        began = time.perf_counter()
        gate = os.open(self._gate, os.O_RDWR)
        self._hear(b"done")
        ended = time.perf_counter()
        os.close(gate)
        self.stored = stored()
        while self.stored < self.output and time.perf_counter() - ended < STILL:
            time.sleep(LOOK_AGAIN)
            now = stored()
            if now > self.stored:
                self.stored, ended = now, time.perf_counter()
        return self.stored / (ended - began)

    def _hear(self, word: bytes) -> None:
        for _ in self.commands:
            said = b""
            while not said.endswith(b"\n"):
                said += self._inbox.read(1)
            if said.strip() != word:
                raise RuntimeError(f"a writer said {said!r} instead of {word!r}")

    def close(self) -> None:
        """Hear no more."""
        self._inbox.close()


@contextlib.contextmanager
def writers(folder: str, count: int, size: int) -> Iterator[Writers]:
    """Writers whose files are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="writers-", dir=folder) as inner:
        made = Writers(inner, count, size)
        try:
            yield made
        finally:
            made.close()
