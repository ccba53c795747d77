"""The log of one mission: its newest lines and what is added to them, and any page of what lies before."""

from __future__ import annotations

import re
import time
from bisect import bisect_left
from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from overmind_core.domain.text.moment import format_clock, format_whole, parse_time
from overmind_core.log_pages.index import LogPlace, LogScope, Span, later
from overmind_core.logs.display import NOTE, Line, Note, RunDisplay
from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.reader import RunLog
from overmind_core.logs.sanitise import size_text
from overmind_core.logs.tail import at_moment, full_screen_bytes
from overmind_core.logs.time_order import Offsets
from overmind_core.logs.transcript import BOTH, LogSelection, Transcript, run_log
from overmind_core.providers import registry

_RESTART = re.compile(r"--- restart #(\d+) at \S+ ---")
"""As the log has it, see `restart_text`."""
LEAD = 128 << 10
"""Bytes of an agent's output that are read before a page, for what is answered in it."""
Json = dict[str, Any]


class Source:
    """Several threads may read pages while one follows the newest lines.

    Args:
        described: The supervisor's answer to `logs`.
        look: Which part is wanted.
        at: Which of the missions looked at it is.
        prefix: Before each line.
        zone: Of the times in the lines that we draw; None is the machine's.
        whole_times: These times have their date and zone: the lines are read elsewhere, or later.
    """

    def __init__(
        self,
        described: Json,
        look: LogScope,
        at: int = 0,
        prefix: str = "",
        *,
        zone: tzinfo | None = None,
        whole_times: bool = False,
    ) -> None:
        self.id = str(described["id"])
        self.name = str(described["name"])
        self._described = described
        self._look = look
        self._at = at
        self._prefix = prefix
        self._zone = zone
        self._whole_times = whole_times
        described["annotations"] = list(map(self._as_drawn, described["annotations"]))
        self.start: LogPlace | None = None
        """Where the newest lines begin; None: there is no run yet."""
        self._draw_seen()
        self._transcript = Transcript(described, self._selection())

    # the newest lines

    def open(self, tail: int) -> list[Line]:
        """Begin with the newest `tail` lines; of two streams, from a moment on that both have reached."""
        lines = self._open(self._selection(tail=tail))
        begun = [next((wall for wall, stream, _ in lines if stream == one), None) for one in BOTH]
        if None in begun or self.start is None or self.start == self._begin(self.start.run):
            return lines
        return self.open_since(max(wall for wall in begun if wall is not None))

    def open_since(self, wall: float) -> list[Line]:
        """Begin with the lines that were written from `wall` on (seconds since the epoch)."""
        return self._open(self._selection(since=max(wall, self._look.since or 0.0)))

    def _open(self, selection: LogSelection) -> list[Line]:
        self._transcript = Transcript(self._described, selection)
        lines = list(self._transcript.begin(follow=not self._transcript.ended))
        self.start = self._started()
        if self.start is not None and self.start == self._begin(self.start.run):
            lines[:0] = self._lost(self.start.run)
        return self._named(lines)

    def grown(self) -> list[Line]:
        """The lines that came since the last call."""
        return self._named(self._transcript.new_lines())

    def apply(self, item: Json) -> None:
        """Take over an item of the stream."""
        kind = item["type"]
        if kind == "run":
            self._described["runs"].append(item["run"])
        elif kind == "annotation":
            item = self._as_drawn(item)
            self._described["annotations"].append(item)
        elif kind == "end":
            self._described |= {"status": item["status"], "exit_code": item["exit_code"]}
        self._transcript.apply(item)

    def draw_ruler(self, wall: float) -> None:
        """Draw a line below what is shown now."""
        position = self._transcript.position
        if position is not None:
            number, offsets = position
            text = f"── {format_clock(wall, wall, zone=self._zone)} ──"
            self._transcript.apply(self._draw(text, wall, LogPlace(number, offsets)))

    @property
    def partial(self) -> str:
        """What stands on the line that isn't finished."""
        line = self._transcript.partial_line
        return self._prefix + line if line else ""

    @property
    def ended(self) -> bool:
        """Whether the mission has ended for good."""
        return self._transcript.ended

    def _started(self) -> LogPlace | None:
        start = self._transcript.start
        if start is None:
            return None
        number, (out, err) = start
        screen = full_screen_bytes(self.log(number), OUT, out) if out else 0
        return LogPlace(number, (out - screen, err))

    # runs

    @property
    def runs(self) -> list[int]:
        """The numbers of the runs that are looked at, oldest first."""
        return sorted(number for number in self.all_runs if self._look.run in {None, number})

    @property
    def all_runs(self) -> list[int]:
        """The numbers of all runs that are known."""
        return [int(run["number"]) for run in list(self._described["runs"])]

    def speaks(self, number: int) -> bool:
        """Whether a run's lines are objects that have to be made readable."""
        return bool(self._run(number).get("format"))

    def log(self, number: int) -> RunLog:
        """The files of a run."""
        return run_log(self._run(number))

    @property
    def last_written(self) -> float:
        """When the last byte was written, in seconds since the epoch; 0.0: never."""
        return max((self.log(number).grown_at for number in self.all_runs), default=0.0)

    @property
    def missing(self) -> str:
        """Which folder is gone although something was written into it; "" when none is."""
        gone = [run for run in self._described["runs"] if int(run["out"]) + int(run["err"]) and not _kept(run)]
        return str(gone[-1]["path"]) if gone else ""

    def spans(self, start: LogPlace | None, end: LogPlace) -> list[Span]:
        """What lies between two places, run by run; None: the beginning of what is looked at."""
        found = []
        for number in self.runs:
            if number > end.run or (start is not None and number < start.run):
                continue
            begin = self._begin(number)
            here = later(begin, start) if start is not None and start.run == number else begin
            there = end.offsets if number == end.run else self.log(number).end
            if here.offsets < there or number < end.run:
                first = here == begin
                found.append(Span(self._at, number, here.offsets, there, first=first, last=number < end.run))
        return found

    def place_at(self, wall: float) -> LogPlace | None:
        """Where the lines begin that were written from `wall` on."""
        runs = [number for number in self.runs if self._moment(number, "started_at") <= wall] or self.runs[:1]
        return LogPlace(runs[-1], at_moment(self.log(runs[-1]), wall)) if runs else None

    def _begin(self, number: int) -> LogPlace:
        log = self.log(number)
        since = self._look.since
        return LogPlace(number, log.start if since is None else at_moment(log, since))

    def _run(self, number: int) -> Json:
        run: Json = next(run for run in list(self._described["runs"]) if int(run["number"]) == number)
        return run

    def _moment(self, number: int, what: str) -> float:
        return parse_time(str(self._run(number)[what]), time.time())

    # pages

    def lines(self, span: Span, screen: int = 0) -> list[Line]:
        """The lines of a page; of one that is nothing but full-screen output: what says so."""
        log = self.log(span.run)
        if screen:
            wall = next((wall for wall, *_ in log.interleaved(span.start, (span.start[OUT] + 1, span.start[ERR]))), 0.0)
            return self._named([(wall, OUT, f"[full-screen output, {size_text(screen)}]")])
        lines = list(self._between(log, span))
        if span.first:
            lines[:0] = self._lost(span.run)
        elif not lines and log.start > span.start:
            lines = [(0.0, NOTE, "--- output no longer kept ---")]
        return self._named(lines)

    def _between(self, log: RunLog, span: Span) -> Iterator[Line]:
        selection = self._selection()
        start = self._lead(log, span)
        readable = selection.rendered(log, self._run(span.run).get("format"), start)
        if readable is not None and start != span.start:
            for _, stream, _, data in log.interleaved(start, span.start):
                if stream == OUT:
                    readable.feed(data)
        display = RunDisplay(self._notes(span), since=span.start, colour=True, rendered=readable)
        for chunk in log.interleaved(span.start, span.end):
            yield from display.feed(chunk)
        yield from display.finish()

    def _lead(self, log: RunLog, span: Span) -> Offsets:
        """Where to begin to read an agent's lines, so that what is answered on the page is known."""
        if span.first or not self.speaks(span.run):
            return span.start
        out = max(span.start[OUT] - LEAD, log.start[OUT], 0)
        at, data = log.read(OUT, out, max(span.start[OUT] - out, 0))
        newline = data.find(b"\n") + 1
        return (at + newline if newline else span.start[OUT]), span.start[ERR]

    def annotated(self, span: Span) -> bool:
        """Whether anything stands on a page that the run did not write."""
        return bool(self._notes(span) or (span.first and self._lost(span.run)))

    def _notes(self, span: Span) -> list[Note]:
        """The annotations that stand on a page, each on one."""
        selection, found = self._selection(), []
        number_behind = min((one for one in self.runs if one > span.run), default=span.run + 1)
        for one in list(self._described["annotations"]):
            run, at = int(one["run"] or 1), (int(one["out"] or 0), int(one["err"] or 0))
            note: Note = (float(one["at"]), at, str(one["text"]))
            if not selection.wants_note(note):
                continue
            here = (
                run == span.run
                and (span.first or _reaches(at, span.start))
                and (span.last or not _reaches(at, span.end))
            )
            if here or (span.last and span.run < run < number_behind):
                found.append(note)
        return found

    def _selection(self, *, tail: int | None = None, since: float | None = None) -> LogSelection:
        since = self._look.since if since is None else since
        return LogSelection(
            run=self._look.run, since=since, tail=tail, at_least=True, colour=True, renderers=registry.renderer
        )

    def _lost(self, number: int) -> list[Line]:
        """That what the run wrote first is not kept any more."""
        lost = sum(self.log(number).start) if self._look.since is None else 0
        return [(0.0, NOTE, f"--- the first {size_text(lost)} of run {number} are no longer kept ---")] if lost else []

    def _named(self, lines: Iterator[Line] | list[Line]) -> list[Line]:
        if not self._prefix:
            return list(lines)
        return [(wall, stream, self._prefix + text) for wall, stream, text in lines]

    # lines that we draw

    def _draw_seen(self) -> None:
        """Draw a line between what somebody has seen and what is new."""
        if not self._described.get("seen_at") or self._look.run is not None:
            return
        wall = parse_time(str(self._described["seen_at"]), time.time())
        runs = [number for number in self.all_runs if self._moment(number, "started_at") <= wall]
        if not runs:
            return
        seen = self.log(runs[-1]).offsets_at(wall)
        ends = self.log(runs[-1]).end
        if seen is not None and any(seen) and (seen != ends or runs[-1] < max(self.all_runs)):
            self._draw(f"── new since {self._time_text(wall)} ──", wall, LogPlace(runs[-1], seen))

    def _as_drawn(self, note: Json) -> Json:
        """An annotation; that of a restart is a line across the log, as those of ours are."""
        restart = _RESTART.fullmatch(str(note["text"]))
        if restart is None:
            return note
        return {**note, "text": f"── restart {restart[1]} at {self._time_text(float(note['at']))} ──"}

    def _draw(self, text: str, wall: float, place: LogPlace) -> Json:
        """Put a line of ours among the annotations, in their order, which are the supervisor's otherwise."""
        notes = self._described["annotations"]
        out, err = place.offsets
        at = bisect_left(notes, place, key=_place_of)
        number = max((int(note["seq"]) for note in notes[:at]), default=0) + 0.5
        note = {"type": "annotation", "seq": number, "at": wall, "run": place.run, "out": out, "err": err, "text": text}
        notes.insert(at, note)
        return note

    def _time_text(self, wall: float) -> str:
        if self._whole_times:
            return format_whole(wall, zone=self._zone)
        return format_clock(wall, time.time(), zone=self._zone, how="%H:%M")


def _place_of(note: Json) -> LogPlace:
    return LogPlace(int(note["run"] or 1), (int(note["out"] or 0), int(note["err"] or 0)))


def _reaches(at: Offsets, place: Offsets) -> bool:
    return at[OUT] >= place[OUT] and at[ERR] >= place[ERR]


def _kept(run: Json) -> bool:
    return any(run_log(run).end)
