"""The reader of one run's log: every reader of output goes through it, and none needs the keeper.

Offsets count the bytes of a stream since the run began, also those that retention dropped. All reads go by
windows, so memory stays flat whatever the length. The keeper appends and deletes meanwhile: every read looks at the
folder anew, and what retention dropped is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.run_files import RunFiles, files_of
from overmind_core.logs.time_index import RESIZE, resize_size
from overmind_core.logs.time_order import Entry, IndexReader, Offsets


class Segments:
    """One stream (`layout.OUT` or `layout.ERR`) of a run, which needs not have any output yet."""

    def __init__(self, files: RunFiles, stream: int) -> None:
        self._files = files
        self._stream = stream

    @property
    def start(self) -> int:
        """The offset of the first byte that is kept; 0 when there is none."""
        return self._files.start(self._stream)

    @property
    def end(self) -> int:
        """The offset behind the last byte that is written."""
        return self._files.end(self._stream)[0]

    @property
    def grown_at(self) -> float:
        """When the last byte was written, in seconds since the epoch; 0.0 when there is none."""
        return self._files.end(self._stream)[1]

    def read(self, start: int, limit: int) -> tuple[int, bytes]:
        """The `limit` bytes from the offset `start` on, and the offset at which they really begin.

        That is a later one when retention dropped what was asked for. Fewer bytes: no more are written yet (or, with
        retention at work, what follows begins later).
        """
        if limit <= 0:
            return start, b""
        start, data = self._files.read(self._stream, start, limit)
        pieces = [data]
        end = start + len(data)
        while data and end < start + limit:
            at, data = self._files.read(self._stream, end, start + limit - end)
            if at != end:
                break
            pieces.append(data)
            end += len(data)
        return start, b"".join(pieces)


WINDOW = 256 * 1024
"""Bytes of each stream held at once."""

Chunk = tuple[float, int, int, bytes]
"""When it was written (seconds since the epoch), its stream, the offset of its first byte, the bytes."""
Resize = tuple[float, int, int, int]
"""When (seconds since the epoch), the offset of `out` by then, columns, rows."""


class RunLog:
    """The log in one run's folder, which needs not exist yet, here or on another hive (see `run_files`)."""

    def __init__(self, path: str) -> None:
        self.path = path
        files = files_of(path)
        self._segments = (Segments(files, OUT), Segments(files, ERR))
        self._order = IndexReader(files)

    @property
    def start(self) -> Offsets:
        """The first offsets that are kept."""
        return self._segments[OUT].start, self._segments[ERR].start

    @property
    def began_at(self) -> float | None:
        """When the first byte was written, as far as is known, in seconds since the epoch; None: nothing ever was."""
        first = next(self._order.entries(), None)
        if first is not None:
            return first[0] / 1000
        return min((one.grown_at for one in self._segments if one.end), default=None)

    @property
    def end(self) -> Offsets:
        """The offsets behind the last bytes."""
        return self._segments[OUT].end, self._segments[ERR].end

    def read(self, stream: int, start: int, limit: int) -> tuple[int, bytes]:
        """At most `limit` bytes of `stream` (`layout.OUT` or `ERR`) and the offset at which they really begin."""
        return self._segments[stream].read(start, limit)

    def interleaved(self, since: Offsets = (0, 0), until: Offsets | None = None) -> Iterator[Chunk]:
        """Both streams in the order in which they were written, from `since` to `until` (default: what is there now).

        Nothing is left out and nothing comes twice: go on with `since` = the end of the last chunk of each stream.
        What the index doesn't know comes last, `out` first, with the time of the file.
        """
        # The end before the index: then the index knows of every switch between the streams up to that end.
        ends = self.end if until is None else until
        cursors = tuple(_StreamCursor(self._segments[stream], since[stream], ends[stream]) for stream in (OUT, ERR))
        for wall, offset, kind, _ in self._order.entries(since):
            if kind in {OUT, ERR}:
                yield from ((wall / 1000, kind, at, data) for at, data in cursors[kind].up_to(offset))
            if all(cursor.done for cursor in cursors):
                return
        for stream in (OUT, ERR):
            wall_now = self._segments[stream].grown_at
            yield from ((wall_now, stream, at, data) for at, data in cursors[stream].up_to(ends[stream]))

    def records(self) -> Iterator[Entry]:
        """The whole records of its time index, in their order."""
        return self._order.entries()

    def offsets_at(self, wall: float) -> Offsets | None:
        """What the streams had reached before `wall` (seconds since the epoch); None when the index is missing."""
        before = self._order.offsets_at(wall)
        if before is None:
            return None
        # What is behind the index's last record has the time of the file.
        ends = self.end
        last = self._order.offsets_at(float("1e12"))
        if before != last:
            return before
        reached = [end if self._segments[stream].grown_at < wall else before[stream] for stream, end in enumerate(ends)]
        return reached[OUT], reached[ERR]

    def has_damaged_times(self, *, ended: bool) -> bool:
        """Whether its index is damaged or incomplete; `ended`: nothing more is written."""
        return self._order.is_damaged(self.end if ended else None)

    def written_at(self, places: Sequence[Offsets]) -> list[float]:
        """When what stands behind each of these ascending places was written (seconds since the epoch)."""
        entries = self._order.entries(places[0] if places else (0, 0))
        found: list[float] = []
        entry = next(entries, None)
        for place in places:
            while entry is not None and not (entry[2] in {OUT, ERR} and entry[1] > place[entry[2]]):
                entry = next(entries, None)
            found.append(self.grown_at if entry is None else entry[0] / 1000)
        return found

    @property
    def grown_at(self) -> float:
        """When the last byte was written, in seconds since the epoch; 0.0 when there is none."""
        return max(segments.grown_at for segments in self._segments)

    @property
    def resizes(self) -> list[Resize]:
        """Every size that the terminal was given after its first."""
        found = [entry for entry in self._order.entries() if entry[2] == RESIZE]
        return [(wall / 1000, offset, *resize_size(extra)) for wall, offset, _, extra in found]


class _StreamCursor:
    """Reads one stream forward, a window at a time, and hands it out in pieces of any size."""

    def __init__(self, segments: Segments, start: int, end: int) -> None:
        self._segments = segments
        self._position = start
        self._end = end
        self._window = b""
        self._window_start = start

    @property
    def done(self) -> bool:
        return self._position >= self._end

    def up_to(self, offset: int) -> Iterator[tuple[int, bytes]]:
        """The bytes from the cursor up to `offset`, with the offset of each piece."""
        offset = min(offset, self._end)
        while self._position < offset and self._fill():
            start = self._position
            if start >= offset:
                return
            begin = start - self._window_start
            data = self._window[begin : begin + offset - start]  # of all of it, bytes make no copy
            self._position += len(data)
            yield start, data

    def _fill(self) -> bool:
        """Have a window that holds the byte at the cursor; False when there is none."""
        if self._position < self._window_start + len(self._window):
            return True
        limit = min(WINDOW, self._end - self._position)
        self._window_start, self._window = self._segments.read(self._position, limit)
        self._position = max(self._position, self._window_start)
        return bool(self._window)
