"""The program that looks through a run's output for a match: exit code 0 when there is one.

`python -m overmind_core.probes.log_matcher FOLDER RUN FORMAT PATTERN`: FOLDER holds the logs of a mission's runs,
RUN is the first of interest, FORMAT whose lines they are ("" for plain ones). Once its standard input has ended it
reads what is there, and ends; it is ended by SIGVTALRM when matching takes too long.
"""

from __future__ import annotations

import os
import re
import select
import signal
import sys
from collections.abc import Iterator

from overmind_core.logs.display import RenderedLines
from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.reader import RunLog
from overmind_core.logs.sanitise import Sanitiser

WINDOW = 64 * 1024
"""Bytes read of each stream at once."""
LONGEST_LINE = 64 * 1024
"""Characters of a line that are looked at."""
LIMIT = 5.0
"""Seconds of the processor for the lines of one window."""
PAUSE = 0.1
"""Seconds between two looks at a log that does not grow."""
FOUND, LEFT_ALONE = 0, 1


class Lines:
    """The clean lines of one run, as they come."""

    def __init__(self, path: str, written_by: str) -> None:
        self._log = RunLog(path)
        self._positions = [0, 0]
        self._readings = (_reading(written_by), Sanitiser())
        self._unfinished = ["", ""]
        """The lines without a newline at the last look at which nothing followed."""
        self._shown = ["", ""]
        """Those that were handed out."""
        self.grown = False
        """Whether the newest window held anything."""

    def window(self) -> Iterator[str]:
        """The lines of the next window of each stream, and a line without newline that nothing has followed so far."""
        self.grown = False
        for stream in (OUT, ERR):
            at, data = self._log.read(stream, self._positions[stream], WINDOW)
            if data:
                self.grown = True
                self._positions[stream] = at + len(data)
                yield from self._readings[stream].feed(data)
            elif (rest := self._readings[stream].partial_line) != self._unfinished[stream]:
                self._unfinished[stream] = rest
            elif rest != self._shown[stream]:
                self._shown[stream] = rest
                yield rest


def _reading(written_by: str) -> RenderedLines | Sanitiser:
    if not written_by:
        return Sanitiser()
    from overmind_core.providers import registry  # noqa: PLC0415 - start-up: few outputs are an agent's

    renderer = registry.renderer(written_by)
    return Sanitiser() if renderer is None else RenderedLines(renderer)


def search(folder: str, run: int, written_by: str, pattern: re.Pattern[str]) -> int:
    """Look until a line matches, or, once standard input has ended, all is read; return the exit code."""
    lines = Lines(_path(folder, run), written_by)
    waited_for = True
    while True:
        signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT)
        if any(pattern.search(line[:LONGEST_LINE]) for line in lines.window()):
            return FOUND
        if lines.grown:
            continue
        if os.path.isdir(_path(folder, run + 1)):
            run += 1
            lines = Lines(_path(folder, run), written_by)
        elif not waited_for:
            return LEFT_ALONE
        else:  # one more window after the end: a last line may lack its newline
            waited_for = not select.select([sys.stdin], [], [], PAUSE)[0]


def _path(folder: str, run: int) -> str:
    return f"{folder}/{run:06d}"


if __name__ == "__main__":
    _folder, _run, _written_by, _pattern = sys.argv[1:]
    sys.exit(search(_folder, int(_run), _written_by, re.compile(_pattern)))
