"""A window on one mission's log files: its newest lines, what is added to them, and what lies before them.

Nothing is read but what is shown, so that a million lines cost what a screen of them does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from overmind_core.logs.display import Line, Note, RunDisplay
from overmind_core.logs.reader import RunLog
from overmind_core.logs.tail import last_lines
from overmind_core.logs.transcript import Selection, Transcript

TAIL = 400
"""Lines that are read at once."""
JUMP = 128 << 10
"""Bytes of growth from which on only the newest lines are read: more than anybody reads in a moment."""
Json = dict[str, Any]
Offsets = tuple[int, int]


class LogWindow:
    """The window; `described` is the daemon's answer to `logs`. May be used from several threads."""

    def __init__(self, described: Json, *, tail: int = TAIL) -> None:
        self.id = str(described["id"])
        self._described = described
        self._lock = threading.Lock()
        self._seen = 0
        self._grown = 0
        self._first: tuple[int, Offsets] | None = None
        self.stale = False
        """Whether anything was applied since the last call of `grown`."""
        self._open(tail)

    @property
    def run(self) -> int:
        """The number of the newest run; 0 before the first."""
        return max((int(run["number"]) for run in self._described["runs"]), default=0)

    @property
    def ended(self) -> bool:
        """Whether the mission has ended for good."""
        return self._transcript.ended

    @property
    def more(self) -> bool:
        """Whether there is anything before the first line."""
        return self._first is not None and (self._first[0] > self._oldest_run or not self._at_start(self._first))

    def apply(self, item: Json) -> None:
        """Take over an item of the stream."""
        with self._lock:
            kind = item["type"]
            if kind == "run":
                self._described["runs"].append(item["run"])
            elif kind == "annotation":
                self._described["annotations"].append(item)
            elif kind == "end":
                self._described |= {"status": item["status"], "exit_code": item["exit_code"]}
            elif kind == "grown":
                self._grown = int(item["out"]) + int(item["err"])
            self._transcript.apply(item)
            self.stale = True

    @property
    def behind(self) -> bool:
        """Whether so much came since the last call of `grown` that only its end is worth reading."""
        return self._grown - self._seen > JUMP

    def jump(self) -> None:
        """Begin anew at the end."""
        with self._lock:
            self._open(TAIL)

    def grown(self) -> tuple[list[Line], str]:
        """The lines that came since the last call, and what stands on the line that isn't finished."""
        with self._lock:
            lines = list(self._transcript.grown())
            self._seen, self.stale = self._grown, False
            return lines, self._transcript.partial_line

    def older(self) -> list[Line]:
        """About `TAIL` lines before the first one."""
        with self._lock:
            while self._first is not None:
                number, offsets = self._first
                if self._at_start(self._first):
                    if not self._to_run_before(number):
                        return []
                    continue
                log = RunLog(self._path(number))
                start = last_lines(log, TAIL, until=offsets)
                start = max(start[0], log.start[0]), max(start[1], log.start[1])
                self._first = (number, start)
                lines = list(self._between(log, number, start, offsets))
                if lines:
                    return lines
            return []

    def _open(self, tail: int) -> None:
        self._transcript = Transcript(self._described, Selection(tail=tail, colour=True))
        self.lines = list(self._transcript.begin(follow=not self._transcript.ended))
        self.partial = self._transcript.partial_line
        self._first = self._transcript.start
        self._seen, self.stale = self._grown, False

    @property
    def _oldest_run(self) -> int:
        return min((int(run["number"]) for run in self._described["runs"]), default=0)

    def _path(self, number: int) -> str:
        return next(str(run["path"]) for run in self._described["runs"] if int(run["number"]) == number)

    def _at_start(self, first: tuple[int, Offsets]) -> bool:
        number, offsets = first
        start = RunLog(self._path(number)).start
        return all(offset <= begin for offset, begin in zip(offsets, start, strict=True))

    def _to_run_before(self, number: int) -> bool:
        earlier = [int(run["number"]) for run in self._described["runs"] if int(run["number"]) < number]
        if not earlier:
            return False
        self._first = (max(earlier), RunLog(self._path(max(earlier))).end)
        return True

    def _between(self, log: RunLog, number: int, start: Offsets, end: Offsets) -> Iterator[Line]:
        display = RunDisplay(self._notes(number, start, end), since=start, colour=True)
        for chunk in log.interleaved(start, end):
            yield from display.feed(chunk)
        yield from display.finish()

    def _notes(self, number: int, start: Offsets, end: Offsets) -> list[Note]:
        found: list[Note] = []
        for note in self._described["annotations"]:
            at = (note["out"] or 0, note["err"] or 0)
            inside = all(low <= offset for low, offset in zip(start, at, strict=True)) and at < end
            if int(note["run"] or 1) == number and inside:
                found.append((float(note["at"]), at, str(note["text"])))
        return found
