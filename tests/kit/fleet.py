"""Twenty missions that write numbered lines, and the proof that each line arrived once and each exit is true."""

from __future__ import annotations

import itertools
import signal
import sys
from typing import Any, NamedTuple

from tests.kit.overmind import Overmind
from tests.kit.raw_socket import RawSocket

WRITER = """
import os, sys, time
stop, limit, code, step = sys.argv[1], *map(int, sys.argv[2:])
number = 0
while number < limit and not os.path.exists(stop):
    number += 1
    os.write(2 if number % 5 == 0 else 1, b"line %d\\n" % number)
    time.sleep(number * step % 17 / 500)
os.write(1, b"end %d\\n" % number)
if 128 < code < 160:
    os.kill(os.getpid(), code - 128)
sys.exit(code)
"""
"""Arguments: a file that ends it, the most lines, its exit code, how it dawdles (0 to 32 ms between lines)."""
FOR_EVER = 10**9


class Writer(NamedTuple):
    """One mission of the fleet. `limit`: lines after which it ends by itself; `code`: as a shell shows it."""

    id: str
    pid: int
    limit: int
    code: int
    tty: bool


class Fleet:
    """Half of them end by themselves while the test goes on, the others at `end`; every third has pipes."""

    def __init__(self, om: Overmind, *, count: int = 20, shortest: int = 60) -> None:
        self.om = om
        self._stop = om.path("fleet.stop")
        with RawSocket.connect(om.home) as api:
            self.writers = [_start(api, om, self._stop, number, shortest) for number in range(count)]

    @property
    def ids(self) -> list[str]:
        """All missions, in the order of their start."""
        return [writer.id for writer in self.writers]

    def end(self) -> None:
        """Let each write its last line."""
        with open(self._stop, "w"):
            pass

    def assert_runs_on(self) -> None:
        """Nobody has another process than at first, nobody was started twice."""
        with RawSocket.connect(self.om.home) as api:
            for writer in self.writers:
                info = api.ok("info", id=writer.id)
                assert len(info["runs"]) == 1, info
                assert info["restart_count"] == 0, info
                if info["status"] == "running":
                    assert info["os_pid"] == writer.pid, info
                else:
                    _assert_true_end(writer, info)

    def assert_unharmed(self) -> None:
        """After `end`: every line of everybody is in its log once and in order, and every exit code is true."""
        for writer in self.writers:
            _assert_true_end(writer, self.om.wait_status(writer.id, "stopped", "crashed", "killed"))
            written = _last_line(writer, self._log(writer, "--stdout"))
            for stream in ("--stdout",) if writer.tty else ("--stdout", "--stderr"):
                assert self._log(writer, stream) == self.text(writer, written, stream), writer

    def text(self, writer: Writer, written: int, stream: str = "--stdout") -> str:
        """What the log of one stream must be once the writer has written so many lines."""
        lines = [
            f"line {one}\n" for one in range(1, written + 1) if writer.tty or _is_error(one) == (stream != "--stdout")
        ]
        return "".join(lines) + (f"end {written}\n" if stream == "--stdout" else "")

    def _log(self, writer: Writer, stream: str) -> str:
        return self.om.raw("logs", writer.id, "--raw", stream).replace(b"\r\n", b"\n").decode()


def _last_line(writer: Writer, log: str) -> int:
    """How many lines there were, as the last one says."""
    *_, last = log.splitlines() or [""]
    assert last.startswith("end "), f"the end is missing: {writer} {last!r}"
    number = int(last.removeprefix("end "))
    assert 0 < number <= writer.limit, writer
    return number


def _is_error(line: int) -> bool:
    return line % 5 == 0


def _start(api: RawSocket, om: Overmind, stop: str, number: int, shortest: int) -> Writer:
    limit = shortest * (number + 1) if number % 2 else FOR_EVER
    code = _CODES[number % len(_CODES)]
    tty = number % 3 > 0
    argv = [sys.executable, "-I", "-S", "-c", WRITER, stop, str(limit), str(code), str(number + 5)]
    started = api.ok("run", command=argv, cwd=om.home, env=om.environment, tty=tty, name=f"writer-{number}")
    pid = api.ok("info", id=started["id"])["os_pid"]
    assert pid, f"writer {number} has ended already"
    return Writer(started["id"], pid, limit, code, tty)


def _assert_true_end(writer: Writer, info: dict[str, Any]) -> None:
    assert info["exit_code"] == writer.code, info
    assert info["status"] == ("crashed" if writer.code else "stopped"), info
    assert info["runs"][0]["exit_code"] == writer.code, info


_CODES = list(itertools.chain(range(12), (42, 77, 126, 128, 255, 128 + signal.SIGKILL, 128 + signal.SIGTERM)))
