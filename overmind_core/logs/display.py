"""One run's log as a person reads it: the lines of both streams in their order, with annotations between them.

An annotation (a restart, a kill for silence, a human's message) belongs to an offset of each stream. It stands where
both have reached theirs; in the middle of a line, behind that line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from overmind_core.domain.cells import display_safe
from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.order import Offsets
from overmind_core.logs.reader import Chunk
from overmind_core.logs.rendered import Rendered
from overmind_core.logs.sanitise import Sanitiser

NOTE = 2
"""The stream of an annotation, beside `layout.OUT` and `layout.ERR`."""

Line = tuple[float, int, str]
"""When it began (seconds since the epoch), its stream, its text."""
Note = tuple[float, Offsets, str]
"""When, at which offsets, its text."""

_FAINT, _RESET = "\x1b[2m", "\x1b[0m"


class RunDisplay:
    """Bytes and annotations in, lines out; `since` is where the bytes begin."""

    def __init__(
        self,
        notes: Iterable[Note] = (),
        *,
        since: Offsets = (0, 0),
        colour: bool = False,
        full_screen: int = 0,
        rendered: Rendered | None = None,
    ) -> None:
        """`full_screen`: as in `Sanitiser`, of `out`; `rendered` reads `out`."""
        self._notes = list(notes)
        self._position = list(since)
        self._colour = colour
        self._streams = (rendered or Sanitiser(colour=colour, full_screen=full_screen), Sanitiser(colour=colour))
        self._began: list[float | None] = [None, None]

    def annotate(self, note: Note) -> None:
        """Add an annotation; one whose offsets have passed stands at the next end of a line."""
        self._notes.append(note)

    def feed(self, chunk: Chunk) -> Iterator[Line]:
        """The lines that `chunk` completes, and the annotations that are reached."""
        wall, stream, at, data = chunk
        yield from self.due()
        begin = 0
        while begin < len(data):
            end = begin + self._until_note(stream, at + begin, data, begin)
            self._position[stream] = at + end
            yield from self._lines(wall, stream, data[begin:end])
            yield from self.due()
            begin = end

    def due(self) -> Iterator[Line]:
        """The annotations that are reached, unless a line has begun that they must not cut."""
        while self._notes and self._reached(self._notes[0]) and not self._partial:
            yield from self._note_lines(self._notes.pop(0))

    def finish(self) -> Iterator[Line]:
        """What is left at the end of the run: lines without newline, and all other annotations."""
        for stream in (OUT, ERR):
            began = self._began[stream]
            lines = self._streams[stream].flush()
            last = self._notes[0][0] if self._notes else 0.0
            yield from ((last if began is None else began, stream, line) for line in lines)
            self._began[stream] = None
        while self._notes:
            yield from self._note_lines(self._notes.pop(0))

    @property
    def partial_line(self) -> str:
        """What has been written of a line that isn't finished: a prompt, a progress bar; "" when there is none."""
        return next(filter(None, (stream.partial_line for stream in self._streams)), "")

    @property
    def _partial(self) -> bool:
        return any(stream.partial for stream in self._streams)

    def _reached(self, note: Note) -> bool:
        return all(position >= offset for position, offset in zip(self._position, note[1], strict=True))

    def _until_note(self, stream: int, at: int, data: bytes, begin: int) -> int:
        """How many bytes to show before looking for annotations again."""
        left = len(data) - begin
        if not self._notes:
            return left
        offset = self._notes[0][1][stream]
        if at < offset:
            return min(left, offset - at)
        if not self._reached(self._notes[0]):
            return left
        newline = data.find(b"\n", begin)
        return left if newline < 0 else newline + 1 - begin

    def _lines(self, wall: float, stream: int, data: bytes) -> Iterator[Line]:
        sanitiser = self._streams[stream]
        lines = sanitiser.feed(data)
        began = self._began[stream]
        if lines or began is None:
            self._began[stream] = wall
        for line in lines:
            yield (wall if began is None else began), stream, line
            began = None
        if not sanitiser.pending:
            self._began[stream] = None

    def _note_lines(self, note: Note) -> Iterator[Line]:
        for text in note[2].splitlines():
            safe = display_safe(text)
            yield note[0], NOTE, f"{_FAINT}{safe}{_RESET}" if self._colour else safe
