"""Who of a mission lives, without asking the product: a lock that everything inherits.

`flock` belongs to an open file, which all children share whatever session, parent or environment they have. As long as
one of them lives somebody holds the lock; once it can be had, nobody does. That also proves the end of a chain of
processes that fork and exit faster than any list of processes can be read.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import shlex
import signal

from tests.kit.waiting import eventually

FD = 9
_NUMBERS = itertools.count(os.getpid() % 10_000 * 1_000)


class InheritedLock:
    """One lock file, and one word among the arguments of what is started: `sleep <word>`.

    Attributes:
        word: Seconds that something may sleep: a minute and a fraction that nobody else has.
        path: The lock file.
    """

    def __init__(self, folder: str) -> None:
        self.word = f"60.{next(_NUMBERS):08d}"
        self.path = os.path.join(folder, f"lock-{self.word}")

    def wrap(self, script: str) -> str:
        """Return the shell script with the lock around it, and with the word for each `@`."""
        return f"exec {FD}>>{shlex.quote(self.path)}; flock -s {FD}; {script.replace('@', self.word)}"

    def held(self) -> bool:
        """Whether anything lives that the script started, or the script itself."""
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(file)

    def living(self) -> set[int]:
        """Return the pids whose command has the word for an argument."""
        return {pid for pid in _pids() if self.word.encode() in _read(f"/proc/{pid}/cmdline").split(b"\0")}

    def holders(self) -> set[int]:
        """Return the pids that hold the lock, as far as a look can tell."""
        return {pid for pid in _pids() if _target(f"/proc/{pid}/fd/{FD}") == self.path}

    def grown(self, count: int) -> set[int]:
        """Wait until that many have the word, and return their pids."""
        eventually(lambda: self.held() and len(self.living()) >= count, what=f"{count} processes with {self.word}")
        return self.living()

    def free(self) -> None:
        """Kill whoever is left."""
        eventually(self._kill, timeout=25.0, what=f"nobody holds {self.path}")

    def _kill(self) -> bool:
        left = self.living() | self.holders()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left and not self.held()


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _read(path: str) -> bytes:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read()
    return b""


def _target(path: str) -> str:
    with contextlib.suppress(OSError):
        return os.readlink(path)
    return ""
