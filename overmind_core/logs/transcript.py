"""The transcript of a mission: the wanted part of its runs, one after the other, as the `logs` answer describes them.

The answer says which runs there are and where their files lie; the bytes come from the files, by cursors of our own.
So it does no harm when an answer comes twice, or when the daemon is replaced meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from math import inf

from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.moment import parse_time
from overmind_core.logs.display import NOTE, Line, Note, RenderedLines, RunDisplay, begins_inside_a_line
from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.reader import Chunk, RunLog
from overmind_core.logs.tail import at_moment, full_screen_bytes, last_lines
from overmind_core.logs.time_order import Offsets

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from overmind_core.logs.display import Note, Renderers

    Json = dict[str, Any]


BOTH = (OUT, ERR)


class LogSelection:
    """Which part of a log is wanted.

    Args:
        run: its number; None = all runs.
        streams: of `layout.OUT` and `ERR`; annotations are shown with both only.
        since: seconds since the epoch.
        until: likewise.
        tail: number of lines, None = all.
        at_least: of `tail`, all that has to be read for it is wanted.
        colour: keep colours.
        renderers: who makes an agent's lines readable; without, they are shown as they are.
    """

    def __init__(
        self,
        *,
        run: int | None = None,
        streams: tuple[int, ...] = BOTH,
        since: float | None = None,
        until: float | None = None,
        tail: int | None = None,
        at_least: bool = False,
        colour: bool = False,
        renderers: Renderers | None = None,
    ) -> None:
        self.run = run
        self.streams = streams
        self.since = since
        self.until = until
        self.tail = tail
        self.at_least = at_least
        self.colour = colour
        self.renderers = renderers

    def wants_note(self, note: Note) -> bool:
        """Whether an annotation is part of it."""
        at = note[0]
        inside = (self.since is None or at >= self.since) and (self.until is None or at <= self.until)
        return inside and self.streams == BOTH

    def rendered(self, log: RunLog, whose: str | None, start: Offsets) -> RenderedLines | None:
        """What makes the output of a run readable from `start` on; None: it is plain. `whose`: the run's format."""
        renderer = self.renderers(whose) if self.renderers is not None and whose else None
        if renderer is None:
            return None
        return RenderedLines(renderer, colour=self.colour, cut=begins_inside_a_line(log, OUT, start[OUT]))


FINAL = frozenset({"stopped", "crashed", "killed"})
WITHOUT_PROCESS = "blueprint"
"""Type of missions that write nothing themselves: all of their log is annotations."""

_WIDER = 4
_WIDEST = 1 << 16
_TAIL_BYTES, _BYTES_OF_A_LINE = 1 << 20, 1 << 16
"""Of a tail; more only where lines are longer than anybody reads."""
_LONGEST_CHARACTER = 4
"""Bytes. Source: UTF-8."""


def run_log(run: Json) -> RunLog:
    """The files of a run as the daemon describes it."""
    return RunLog(from_wire(str(run["path"])))


class RunCursor:
    """Reads one run forward from `position`: each byte once, however often growth is reported."""

    def __init__(self, log: RunLog, position: Offsets, selection: LogSelection) -> None:
        self.log = log
        self.position = position
        self._selection = selection

    def chunks(self, ends: Offsets | None = None) -> Iterator[Chunk]:
        """What was written since the last call; with `ends`, up to there."""
        for chunk in self.log.interleaved(self.position, self._limit(ends)):
            _, stream, at, data = chunk
            end = at + len(data)
            self.position = (end, self.position[ERR]) if stream == OUT else (self.position[OUT], end)
            yield chunk

    def _limit(self, reached: Offsets | None) -> Offsets:
        until = self._selection.until
        ends = (None if until is None else self.log.offsets_at(until)) or reached or self.log.end
        out, err = (ends[stream] if stream in self._selection.streams else self.position[stream] for stream in BOTH)
        return out, err


class RunView:
    """One run as lines."""

    def __init__(self, run: Json, position: Offsets, selection: LogSelection, notes: list[Note]) -> None:
        self.number = int(run["number"])
        log = run_log(run)
        self.start = position
        self.removed = removed_before(run, position, selection)
        """Bytes that the limit of logs has removed right before what is shown."""
        self.cursor = RunCursor(log, position, selection)
        screen = full_screen_bytes(log, OUT, position[OUT]) if OUT in selection.streams and position[OUT] > 0 else 0
        self.display = RunDisplay(
            notes,
            since=position,
            colour=selection.colour,
            full_screen=screen,
            rendered=selection.rendered(log, run.get("format"), position),
        )

    def lines(self, ends: Offsets | None = None) -> Iterator[Line]:
        """The new lines since the last call; with `ends`, up to there."""
        for chunk in self.cursor.chunks(ends):
            yield from self.display.feed(chunk)
        yield from self.display.due()


class Transcript:
    """The lines of one mission; `described` is the daemon's answer, kept up to date by `update` and `apply`."""

    def __init__(self, described: Json, selection: LogSelection) -> None:
        self.id = str(described["id"])
        self.name = str(described["name"])
        self.status = ""
        self.exit_code: int | None = None
        self.reason: str | None = None
        """Of its end, or of that of its last run; None also where an older daemon does not say it."""
        self._has_process = described.get("type") != WITHOUT_PROCESS
        self._selection = selection
        self._runs: dict[int, Json] = {}
        self._notes: dict[int, list[Note]] = {}
        self._views: list[RunView] = []
        self._grown: set[int] = set()
        self._last_seq = 0
        self.update(described)

    @property
    def is_plan(self) -> bool:
        """Whether it is a plan, which writes nothing itself."""
        return not self._has_process

    @property
    def ended(self) -> bool:
        """Whether the mission has ended for good."""
        return self.status in FINAL

    @property
    def runs(self) -> list[Json]:
        """The wanted runs as the daemon describes them, oldest first."""
        return [self._runs[number] for number in sorted(self._runs) if self._selection.run in {None, number}]

    def has_run(self, number: int) -> bool:
        """Whether there is anything of this run that has not been shown yet."""
        return number in self._runs or (not self._has_process and number in self._notes)

    def update(self, described: Json) -> None:
        """Take over a new answer of the daemon: all that is known now."""
        self.status = str(described["status"])
        self.exit_code, self.reason = described["exit_code"], described.get("reason")
        for run in described["runs"]:
            self._runs[int(run["number"])] = run
            self._grown.add(int(run["number"]))
        for annotation in described["annotations"]:
            self._annotate(annotation)

    def apply(self, item: Json) -> None:
        """Take over one line of the daemon's stream."""
        kind = item["type"]
        if kind == "grown":
            self._grown.add(int(item["run"]))
        elif kind == "run":
            self._runs[int(item["run"]["number"])] = item["run"]
            self._grown.add(int(item["run"]["number"]))
        elif kind == "annotation":
            self._annotate(item)
        elif kind == "end":
            self.status, self.exit_code = str(item["status"]), item["exit_code"]
            self.reason = item.get("reason")
            self._grown.update(self._runs)

    def begin(self, *, follow: bool) -> Iterator[Line]:
        """The wanted lines that are there now; with `follow` a last one without newline waits for its end."""
        if self._selection.tail is None:
            yield from self.lines()
            if not follow:
                yield from self.finish()
            return
        yield from self._last(self._selection.tail, follow=follow)

    def lines(self) -> Iterator[Line]:
        """The new lines since the last call, run after run; a run's end is the next one's beginning."""
        for run in self.runs:
            if not self._views or self._views[-1].number < int(run["number"]):
                if self._views:
                    yield from self._views[-1].lines()
                    yield from self._views[-1].display.finish()
                yield from self._unstarted(before=int(run["number"]))
                self._views.append(self._view(run, self._first(run)))
        for view in self._views:
            if view.number in self._grown:
                yield from view.lines()
        self._grown.clear()
        may_begin = max(self._notes, default=0) if self._has_process else inf
        yield from self._unstarted(before=may_begin)

    def new_lines(self) -> Iterator[Line]:
        """The new lines since the last call, and, once the mission has ended, the rest."""
        yield from self.lines()
        if self.ended:
            yield from self.finish()

    def finish(self) -> Iterator[Line]:
        """What is left when the mission, or the look at it, has ended."""
        for view in self._views:
            yield from view.display.finish()
        yield from self._unstarted()

    @property
    def partial_line(self) -> str:
        """What has been written of a line that isn't finished, in the newest run."""
        return self._views[-1].display.partial_line if self._views else ""

    @property
    def unfinished_lines(self) -> list[Line]:
        """The lines of the newest run that no newline has ended yet, as they stand."""
        return self._views[-1].display.unfinished_lines if self._views else []

    @property
    def start(self) -> tuple[int, Offsets] | None:
        """Number and offsets of the first run that is shown, where its lines begin; None before `begin`."""
        return (self._views[0].number, self._views[0].start) if self._views else None

    @property
    def position(self) -> tuple[int, Offsets] | None:
        """Number of the newest run that is shown, and up to where it has been read; None before `begin`."""
        return (self._views[-1].number, self._views[-1].cursor.position) if self._views else None

    @property
    def removed(self) -> dict[int, int]:
        """Run → bytes that the limit of logs has removed right before what is shown of it, where there are any."""
        return {view.number: view.removed for view in self._views if view.removed}

    def forget_removed(self) -> None:
        """Count nothing as removed: the end of the lines is all that is shown, and begins amid them."""
        for view in self._views:
            view.removed = 0

    def chunks(self) -> Iterator[Chunk]:
        """Instead of lines: the bytes that came since the last call."""
        if not self._views:
            self._begin_bytes()
        for run in self.runs:
            if not self._views or self._views[-1].number < int(run["number"]):
                self._views.append(self._view(run, self._first(run)))
        for view in self._views:
            if view.number in self._grown:
                yield from view.cursor.chunks()
        self._grown.clear()

    def _begin_bytes(self) -> None:
        """With a tail, begin so many lines (of each stream) before the end, in whichever run that is."""
        wanted = self._selection.tail
        if wanted is None:
            return
        for run in reversed(self.runs):
            log = run_log(run)
            position = last_lines(log, wanted)
            self._views.insert(0, self._view(run, position))
            wanted -= _count_lines(log.interleaved(position))
            if wanted <= 0:
                return

    def _view(self, run: Json, position: Offsets) -> RunView:
        return RunView(run, position, self._selection, self._notes.pop(int(run["number"]), []))

    def _annotate(self, annotation: Json) -> None:
        """Keep an annotation until its run is shown, or hand it to the run's view; one that came before is dropped."""
        if annotation["seq"] <= self._last_seq:
            return
        self._last_seq = int(annotation["seq"])
        note: Note = (float(annotation["at"]), (annotation["out"] or 0, annotation["err"] or 0), annotation["text"])
        if not self._selection.wants_note(note):
            return
        number = int(annotation["run"] or 1)
        for view in self._views:
            if view.number == number:
                view.display.annotate(note)
                self._grown.add(number)
                return
        self._notes.setdefault(number, []).append(note)

    def _unstarted(self, *, after: int = 0, before: float = inf) -> Iterator[Line]:
        """The annotations of runs that never began, which say why not: they have no log to stand in.

        Not of runs before the first that is known or shown: those began and were forgotten, or are not wanted.
        """
        first = self._views[0].number if self._views else min(self._runs, default=0)
        for number in sorted(self._notes.keys() - self._runs.keys()):
            if max(first, after) < number < before and self._selection.run in {None, number}:
                yield from RunDisplay(self._notes.pop(number), colour=self._selection.colour).finish()

    def _first(self, run: Json) -> Offsets:
        """Where the lines of a run begin."""
        log = run_log(run)
        return log.start if self._selection.since is None else at_moment(log, self._selection.since)

    def _last(self, count: int, *, follow: bool) -> Iterator[Line]:
        """The last `count` lines, from the last run backwards; earlier runs are read only as far as needed."""
        found: deque[Line] = deque(maxlen=self._shown_limit(count))
        runs = self.runs
        if not runs:
            found.extend(self._unstarted())
        for run in reversed(runs):
            behind = list(self._unstarted(after=int(run["number"])))
            found.extendleft(behind[::-1][: self._shown_limit(count - len(found))])
            view, lines = self._tail_of(run, count - len(found), finish=not (follow and run is runs[-1]))
            self._views.insert(0, view)
            found.extendleft(reversed(lines))
            if len(found) >= count:
                break
        self._grown.clear()
        yield from found

    def _shown_limit(self, count: int) -> int | None:
        """How many lines are shown when `count` are wanted; None: all that were read."""
        return None if self._selection.at_least else count

    def _tail_of(self, run: Json, count: int, *, finish: bool) -> tuple[RunView, list[Line]]:
        """The last lines of one run. Looks further back while what it found shows as fewer lines than it has."""
        log = run_log(run)
        first = self._first(run)
        notes = self._notes.pop(int(run["number"]), [])
        # Some lines of an agent show as nothing, and a tool's return is readable beside its call only.
        wanted = _WIDER * (count + _WIDER) if run.get("format") else count
        while True:
            ends = log.end  # what comes while this is read is for the next call
            last = last_lines(log, wanted, ends)
            position = max(last[OUT], first[OUT]), max(last[ERR], first[ERR])
            removed = removed_before(run, position, self._selection)
            # Lines of a known format are cut where they are read: a part of one says nothing.
            floor = position if run.get("format") else _floor(log, position, ends, wanted)
            left, position = sum(floor) - sum(position), floor
            view = RunView(run, position, self._selection, _behind(notes, position, first))
            read = chain(view.lines(ends), view.display.finish() if finish else ())
            lines: deque[Line] = deque(_cut(read, left) if left else read, maxlen=self._shown_limit(count))
            if len(lines) >= count or left or _not_behind(position, first) or wanted > _WIDEST:
                is_whole = run.get("format") and len(lines) >= count  # more was read than is shown
                view.removed = 0 if is_whole else removed
                return view, list(lines)
            wanted = max(wanted, 1) * _WIDER


def removed_before(run: Json, position: Offsets, selection: LogSelection) -> int:
    """How many bytes would stand before `position`, where the wanted streams begin there, and are not kept."""
    log = run_log(run)
    start, written = log.start, (run["out"], run["err"])
    gone = [one for one in selection.streams if written[one] and not start[one] and not log.end[one]]
    kept = [one for one in selection.streams if one not in gone]
    removed = sum(start[one] for one in kept if position[one] <= start[one])
    # The oldest is removed first: who begins amid what is kept wants nothing of a stream that is gone.
    if gone and _is_wanted(run, selection) and all(position[one] <= start[one] for one in kept):
        removed += sum(written[one] for one in gone)
    return int(removed)


def _is_wanted(run: Json, selection: LogSelection) -> bool:
    """True where a run may have something of the selection, by its times."""
    began, ended = run.get("started_at"), run.get("ended_at")
    is_early = selection.since is not None and ended is not None and parse_time(ended, 0.0) < selection.since
    is_late = selection.until is not None and began is not None and parse_time(began, 0.0) > selection.until
    return selection.tail != 0 and not is_early and not is_late


def _floor(log: RunLog, position: Offsets, ends: Offsets, lines: int) -> Offsets:
    """Where the tail begins at the earliest, with so many lines that are not too long; at a whole character."""
    most = _TAIL_BYTES + lines * _BYTES_OF_A_LINE
    earliest = (ends[OUT] - most, ends[ERR] - most)
    out, err = (
        _whole_character(log, stream, earliest[stream]) if earliest[stream] > position[stream] else position[stream]
        for stream in BOTH
    )
    return out, err


def _cut(lines: Iterable[Line], size: int) -> Iterator[Line]:
    """The lines, of which the first one has lost its beginning: `size` bytes."""
    is_first = True
    for wall, stream, text in lines:
        if is_first and stream != NOTE:
            is_first = False
            yield wall, stream, f"… {size / 1e6:.1f} MB left out, see --raw … {text}"
        else:
            yield wall, stream, text


def _whole_character(log: RunLog, stream: int, offset: int) -> int:
    at, data = log.read(stream, offset, _LONGEST_CHARACTER)
    inside = next((number for number, byte in enumerate(data) if byte & 0xC0 != 0x80), 0)  # noqa: PLR2004 - as UTF-8 has it
    return offset + inside if at == offset else offset


def _count_lines(chunks: Iterator[Chunk]) -> int:
    count = 0
    last = b"\n"
    for *_, data in chunks:
        count += data.count(b"\n")
        last = data[-1:]
    return count + (last != b"\n")


def _behind(notes: list[Note], position: Offsets, first: Offsets) -> list[Note]:
    """The annotations that don't stand before `position`."""
    if _not_behind(position, first):
        return list(notes)
    return [note for note in notes if _not_behind(position, note[1])]


def _not_behind(position: Offsets, other: Offsets) -> bool:
    return position[OUT] <= other[OUT] and position[ERR] <= other[ERR]
