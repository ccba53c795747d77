"""The display of one run's log: the lines of both streams in their order, with annotations between them.

An annotation (a restart, a kill for silence, a human's message) belongs to an offset of each stream. It stands where
both have reached theirs; in the middle of a line, behind that line.

An agent's lines are made readable by a `LineRenderer` that comes in (logs know no agents), and then as harmless as any
other output: `RenderedLines` takes the place of a `Sanitiser`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from overmind_core.domain.text.cells import display_safe
from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.reader import Chunk, RunLog
from overmind_core.logs.sanitise import Sanitiser
from overmind_core.logs.time_order import Offsets

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class LineRenderer(Protocol):
        """Turns the lines of one run into readable ones; remembers what it needs."""

        def feed(self, line: bytes) -> list[str]:
            """What one line (without its newline) adds to the transcript."""

    Renderers = Callable[[str], LineRenderer | None]
    """By the format of a run; None: its output is plain."""


LONGEST = 64 * 1024 * 1024
"""Bytes of one line; the rest of a longer one is shown as lines of its own."""


class RenderedLines:
    """The readable lines of one stream.

    Args:
        renderer: Who knows the lines; one for each stream.
        colour: As in `Sanitiser`.
        cut: The first byte is in the middle of a line, which is left out.
    """

    def __init__(self, renderer: LineRenderer, *, colour: bool = False, cut: bool = False) -> None:
        self._renderer = renderer
        self._colour = colour
        self._pieces: list[bytes] = []
        self._size = 0
        self._cut = cut

    @property
    def partial(self) -> bool:
        """Whether a line has begun that no newline has ended yet."""
        return self._size > 0

    partial_line = ""
    """Half an object says nothing to a person."""

    @property
    def pending(self) -> bool:
        """Whether something was fed that no line shows yet."""
        return self.partial

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes make."""
        found: list[str] = []
        begin = 0
        while (end := data.find(b"\n", begin)) >= 0:
            self._keep(data[begin:end])
            found += self._line()
            begin = end + 1
        self._keep(data[begin:])
        return found + (self._line() if self._size > LONGEST else [])

    def flush(self) -> list[str]:
        """What the last line makes, when it has no newline. For the end of a stream."""
        return self._line() if self._size else []

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._size += len(piece)

    def _line(self) -> list[str]:
        """The line that ends here; the rest of one that began before the first byte is dropped."""
        line = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if self._cut:
            self._cut = False
            return []
        return [safe for text in self._renderer.feed(line) for safe in self._sanitised(text)]

    def _sanitised(self, text: str) -> list[str]:
        """What a text says, whatever it holds; nothing in it has an effect on the next one."""
        if text.isprintable():
            return [text]
        sanitiser = Sanitiser(colour=self._colour)
        return [*sanitiser.feed(text.encode("utf-8", "replace")), *sanitiser.flush()]


def readable_lines(data: bytes, renderer: LineRenderer | None, *, colour: bool = False, cut: bool = False) -> list[str]:
    """Return the lines that these bytes of one stream make, the last one without its newline, too.

    Args:
        data: Whatever was written.
        renderer: Who knows the lines; None: they are plain.
        colour: As in `Sanitiser`.
        cut: They may begin in the middle of a line, of which a renderer can make nothing.
    """
    if renderer is None:
        plain = Sanitiser(colour=colour)
        return [*plain.feed(data), *plain.flush()]
    known = RenderedLines(renderer, colour=colour, cut=cut)
    return [*known.feed(data), *known.flush()]


def begins_inside_a_line(log: RunLog, stream: int, offset: int) -> bool:
    """Whether the byte at `offset` is inside of a line, as far as kept bytes show."""
    return offset > 0 and log.read(stream, offset - 1, 1) != (offset - 1, b"\n")


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
        rendered: RenderedLines | None = None,
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
    def unfinished_lines(self) -> list[Line]:
        """The lines that no newline has ended yet, as they stand: of each stream one at most, and of a picture none."""
        found = [(stream, one.partial_line) for stream, one in enumerate(self._streams) if one.partial]
        return [(self._began[stream] or 0.0, stream, text) for stream, text in found if text]

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
