"""Which of many lines match, for a thread: an expression that may take for ever is searched by a process of its own.

A search holds the interpreter of all threads and can be interrupted in a main thread only. So that is where it runs:
its time budget ends it, and the end of what it reads ends the process.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence
from functools import partial

from overmind_core.log_pages import pattern as log_pattern
from overmind_core.log_pages.pattern import Pattern
from overmind_core.system import time_budget

SECONDS = 0.5
"""Of computing that the lines of one page may take."""
_PROGRAM = (sys.executable, "-P", "-m", "overmind_core.log_pages.line_filter")
Process = subprocess.Popen[bytes]


class LineFilter:
    """Judges lines by one pattern, which is given up when that takes too long. Close it."""

    def __init__(self, pattern: Pattern) -> None:
        self.pattern = pattern
        self._process: Process | None = None

    def which(self, lines: Sequence[str]) -> list[bool]:
        """Whether each of the lines is meant."""
        if not self.pattern.risky or self.pattern.slow:
            return [self.pattern.holds(line) for line in lines]
        found = self._asked(lines)
        if found is None:
            self.pattern.give_up()
            self.close()
        return [True] * len(lines) if found is None else found

    def close(self) -> None:
        """End what runs for it."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _asked(self, lines: Sequence[str]) -> list[bool] | None:
        """What the process says; None when it has given up."""
        try:
            if self._process is None:
                self._process = _start()
                _send(self._process, self.pattern.text)
            process = self._process
            _send(process, lines)
            assert process.stdout is not None
            answer = process.stdout.readline()
        except OSError:
            return None
        return json.loads(answer) if answer else None


def _start() -> Process:
    return subprocess.Popen(
        _PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )


def _send(process: Process, words: object) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(words).encode() + b"\n")
    process.stdin.flush()


def main() -> None:
    """Read an expression, then lists of lines; answer for each list which of them match, until it takes too long."""
    pattern = log_pattern.parsed(json.loads(sys.stdin.readline()))
    assert pattern is not None
    with contextlib.suppress(time_budget.BudgetExceeded):
        for asked in sys.stdin:
            lines = json.loads(asked)
            found = time_budget.within(SECONDS, partial(_judged, pattern, lines))
            sys.stdout.write(json.dumps(found) + "\n")
            sys.stdout.flush()


def _judged(pattern: Pattern, lines: Sequence[str]) -> list[bool]:
    return [pattern.holds(line) for line in lines]


if __name__ == "__main__":
    main()
