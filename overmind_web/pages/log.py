"""The log of one or several missions, in pages from disk: the newest lines, any page before them, a search.

A page has at most 400 lines as they were written. Files are read in threads, some milliseconds at a time: a search or
an index of a large log delays nobody. What the browser gets, each without `p`:

    {"t":"lines","page":null,"pages":812,"lines":[…],"partial":"…","runs":[1,3],"reason":"","before":324000}
        the newest lines, and about how many lie before them; what was shown before is void
    {"t":"pages","pages":812,"lines":324800}    the index is complete: pages have numbers from 0, the oldest
    {"t":"lines","page":811,"from":0,"of":400,"lines":[…]}      one page, or 400 of its lines from the line `from` on
    {"t":"more","lines":[…],"partial":"…"}      lines that came at the end
    {"t":"grew"}                                there are some, which who reads back did not ask for
    {"t":"found","lines":[…],"left":400,"of":812,"state":"searching"}   older matches than all before: `searching`,
        `waiting` for `older`, `stopped`, `done`, or `refused`: the expression takes too long

A line is `[seconds since the epoch, text with SGR, kind?]`, kind 1: standard error, 2: not written by the program; one
that was found has also its page (null: among the newest), its number there, and where the words stand.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta

from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError
from overmind_core.log_pages import pattern as log_pattern
from overmind_core.log_pages.index import LogPage, LogPlace, LogScope
from overmind_core.log_pages.line_filter import LineFilter
from overmind_core.log_pages.page_search import matches
from overmind_core.log_pages.pattern import Pattern
from overmind_core.log_pages.reader import Reader
from overmind_core.logs.display import NOTE, Line
from overmind_core.logs.layout import ERR
from overmind_core.logs.sanitise import size_text
from overmind_core.view.cells import stripped
from overmind_core.view.row_filter import BrokenFilter
from overmind_web.live.messages import Open, Page, ToPane
from overmind_web.live.pane import Frame, PaneContext

LINES: Final = 400
"""Lines of a page, and of one answer."""
LONGEST: Final = 10_000
"""Characters of one line that are sent."""
READERS: Final = 16
"""Logs that are read at once."""
FRAME: Final = 1 / 15
"""Seconds between two answers about what grows."""
SLICE: Final = 0.02
"""Seconds of the processor for reading before others get a turn."""
OTHERS: Final = 0.25
"""How long that turn is, in slices."""
JUMP: Final = 128 << 10
"""Bytes of growth from which on only the newest lines are read: more than anybody reads in a moment."""
HELD: Final = 4_000
"""Newest lines from which on the older of them become pages."""
QUIET: Final = 1.0
"""Seconds after a jump in which a flood is taken to go on, and its pages are not looked for."""
PAUSE: Final = 0.3
"""Seconds before the supervisor is asked again after it was lost."""
WANTED: Final = 8
"""Pages that are asked for and not read yet; of more, the oldest are forgotten."""
_LOST: Final = frozenset({"daemon_lost", "daemon_not_running", "daemon_starting", "busy", "timeout"})
_CUT_SEQUENCE = re.compile("\x1b[^m]*$")
_log = logging.getLogger(__name__)

Result = TypeVar("Result")
Row = list[object]
Answer = dict[str, Any]


class LogArguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of whose logs; `match`: only lines with these words, which are regular expressions."""

    missions: Annotated[list[Annotated[str, Meta(min_length=1, max_length=200)]], Meta(min_length=1, max_length=100)]
    run: Annotated[int, Meta(ge=1, le=1 << 31)] | None = None
    since: Annotated[float, Meta(ge=0, le=1 << 40)] | None = None
    match: Annotated[str, Meta(max_length=1_000)] | None = None


class LogWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a browser says besides asking for pages: one of these."""

    tail: bool = False
    """Show the newest lines, and what comes."""
    follow: bool | None = None
    """False: somebody reads back, and wants to know only that something came."""
    older: bool = False
    """Go on with the search."""
    stop: bool = False
    """Search no further."""


def cut_line(text: str) -> str:
    """A line as it is sent: cut at `LONGEST` characters, with its size then, and without bytes that are no text."""
    shown = to_wire(text)
    if len(shown) <= LONGEST:
        return shown
    beginning = _CUT_SEQUENCE.sub("", shown[:LONGEST])
    return f"{beginning}\x1b[0m … cut, {size_text(len(shown.encode('utf-8', 'replace')))} in all"


def row_of(line: Line) -> Row:
    """A line as it is sent."""
    wall, stream, text = line
    kind = 1 if stream == ERR else 2 if stream == NOTE else 0
    return [round(wall, 3), cut_line(text), kind] if kind else [round(wall, 3), cut_line(text)]


def found_row(line: Line, page: int | None, number: int, pattern: Pattern) -> Row:
    """A line that was found, as it is sent; places of an expression that may take for ever are not looked for."""
    wall, text, *kind = row_of(line)
    marks = [] if pattern.risky else pattern.marks(stripped(str(text)))
    return [wall, text, kind[0] if kind else 0, page, number, marks]


@cache
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(READERS, "log")


async def _read(work: Callable[[], Result]) -> Result:
    """Do what reads files in a thread."""
    return await asyncio.get_running_loop().run_in_executor(_readers(), work)


class LogPane:
    """One look at logs.

    Args:
        context: What it may use.
        opened: How it was opened.
    """

    def __init__(self, context: PaneContext, opened: Open) -> None:
        self._context = context
        self._opened = opened
        self._asked = LogArguments(["?"])
        self._frames: deque[Answer] = deque()
        self._tasks: list[asyncio.Task[None]] = []
        self._reader: Reader | None = None
        self._known_runs: dict[str, int] = {}
        """Mission → its newest run as its row had it when its log was asked for."""
        self._index = _Index()
        self._items: deque[tuple[Reader, Answer]] = deque()
        """What the supervisor said of logs, and their reader was not told yet: while it reads, we would wait."""
        self._stale = asyncio.Event()
        """Something came that was not delivered."""
        self._wanted: dict[int, None] = {}
        self._wishes = asyncio.Event()
        """Some page is wanted."""
        self._follows = True
        self._tail_wanted = False
        self._grew_said = False
        self._delivered, self._held, self._why = 0, 0, ""
        """Bytes that had been told of at the last delivery; newest lines that the browser holds."""
        self._jumped_at = 0.0
        self._search: _Search | None = None

    # what a tab asks of it

    async def start(self) -> None:
        """Begin to read."""
        try:
            self._asked = msgspec.convert(self._opened.args, LogArguments)
            pattern = log_pattern.parsed(self._asked.match or "")
        except (msgspec.ValidationError, BrokenFilter) as error:
            self._fail(OvermindError("invalid", f"The log can't be shown: {error}"))
            return
        works = [self._follow, self._deliver_all, self._read_pages, self._extend_index]
        if pattern is not None:
            self._search = _Search(pattern)
            works.append(partial(self._search_all, self._search))
        self._tasks += [asyncio.create_task(self._guarded(work)) for work in works]

    def frame(self) -> Frame | None:
        """The next thing that the browser has not got."""
        if not self._frames:
            return None
        frame = self._frames.popleft()
        if self._frames:
            self._context.wake()
        return frame

    async def handle(self, message: ToPane) -> None:
        """A page of the log is wanted, or something else."""
        if isinstance(message, Page):
            self._wanted.pop(message.at, None)
            self._wanted[message.at] = None
            while len(self._wanted) > WANTED:
                del self._wanted[next(iter(self._wanted))]
            self._wishes.set()
            return
        try:
            wish = msgspec.convert(getattr(message, "say", {}), LogWish)
        except msgspec.ValidationError as error:
            self._fail(OvermindError("invalid", f"A log knows no such wish: {error}"))
            return
        if wish.follow is not None:
            self._follows, self._grew_said = wish.follow, False
        if wish.tail:
            self._follows = self._tail_wanted = True
            self._grew_said = False
        if self._search is not None:
            self._search.ask(older=wish.older, stop=wish.stop)
        self._stale.set()

    async def close(self) -> None:
        """Read no more."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        if self._search is not None:
            self._search.close()

    # frames

    def _put(self, frame: Answer) -> None:
        """This comes next; the newest lines take the place of all that was to be said of older ones."""
        if frame["t"] == "lines" and frame["page"] is None:
            self._frames.clear()
        last = self._frames[-1] if self._frames else None
        if frame["t"] == "more" and last is not None and last["t"] == "more":
            last["lines"] += frame["lines"]
            last["partial"] = frame["partial"]
        else:
            self._frames.append(frame)
        self._context.wake()

    def _fail(self, error: OvermindError) -> None:
        self._put({"t": "failed", "error": error.code, "message": error.message})

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        """The outermost call of a task: what goes wrong is said to the browser."""
        try:
            await work()
        except OvermindError as error:
            self._fail(error)
        except Exception:  # noqa: BLE001 - the boundary: what one log meets is its own
            _log.exception("a log could not be read")
            self._fail(OvermindError("internal"))

    # following

    async def _follow(self) -> None:
        """Ask where the logs are, and hear how they grow; again after each loss, and where what had ended goes on."""
        rows_changed = asyncio.Event()
        unsubscribe = self._context.feed.subscribe(lambda _: rows_changed.set())
        outdated: asyncio.Task[None] | None = None
        try:
            while True:
                following = asyncio.create_task(self._follow_once())
                outdated = asyncio.create_task(self._until_outdated(rows_changed))
                await asyncio.wait((following, outdated), return_when=asyncio.FIRST_COMPLETED)
                if following.done() and (error := following.exception()) is not None:
                    raise error
                await outdated
                following.cancel()
                await asyncio.wait((following,))
                self._reader = None
        finally:
            unsubscribe()
            following.cancel()
            if outdated is not None:
                outdated.cancel()

    async def _follow_once(self) -> None:
        """Hear of the logs until all have ended."""
        request = {"ids": list(self._asked.missions), "follow": True}
        while True:
            try:
                async for kind, content in self._context.supervisor.stream("logs", request, by=self._context.by):
                    if kind == "ok":
                        await self._begin(content["missions"])
                    elif kind == "item" and self._reader is not None:
                        self._items.append((self._reader, content))
                        self._stale.set()
            except OvermindError as error:
                if error.code not in _LOST:
                    raise
                await asyncio.sleep(PAUSE)
            else:
                return

    async def _until_outdated(self, rows_changed: asyncio.Event) -> None:
        """Wait until a mission that had ended has begun another run."""
        while not self._is_outdated():
            rows_changed.clear()
            await rows_changed.wait()

    def _is_outdated(self) -> bool:
        if self._reader is None or self._asked.run is not None:
            return False
        return self._reader.is_outdated(self._newest_runs(self._reader), self._known_runs)

    def _newest_runs(self, reader: Reader) -> dict[str, int]:
        rows = self._context.feed.missions
        return {one.id: int(rows[one.id].get("run") or 0) for one in reader.sources if one.id in rows}

    async def _begin(self, described: Sequence[Answer]) -> None:
        """Look at logs that are where the supervisor says; who reads back goes on in what there was."""
        scope = LogScope(tuple(str(one["id"]) for one in described), self._asked.run, self._asked.since)
        self._reader = await _read(partial(Reader, described, scope, whole_times=True, tail=LINES, page_lines=LINES))
        self._known_runs = self._newest_runs(self._reader)
        if self._follows:
            self._index.forget()
            await self._show()

    async def _show(self) -> None:
        """Show the newest lines."""
        reader = self._reader
        if reader is None:
            return
        lines = await _read(reader.open)
        self._delivered, self._held = reader.reached, len(lines)
        self._why = "" if lines or reader.partial else _reason(reader)
        if self._search is not None:
            self._search.begin(lines)
        else:
            before = await _read(reader.bytes_before)
            each = max(sum(len(text) for _, _, text in lines) // max(len(lines), 1), 1) + 1
            self._put({
                "t": "lines", "page": None, "pages": self._index.numbered, "lines": [row_of(line) for line in lines],
                "partial": cut_line(reader.partial), "runs": list(reader.newest_runs), "before": before // each,
                "reason": self._why, "ended": reader.ended,
                "all_runs": reader.sources[0].all_runs if len(reader.sources) == 1 else [],
            })  # fmt: skip
        if time.monotonic() - self._jumped_at > QUIET:
            self._index.extend(reader)

    async def _deliver_all(self) -> None:
        """Deliver what comes, some times a second."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            began = time.monotonic()
            if self._reader is not None:
                await _read(self._apply_items)
                if self._tail_wanted:
                    self._tail_wanted = False
                    await self._show()
                else:
                    await self._deliver(self._reader)
            await asyncio.sleep(max(began + FRAME - time.monotonic(), 0.0))

    def _apply_items(self) -> None:
        while self._items:
            reader, item = self._items.popleft()
            reader.apply(item)

    async def _deliver(self, reader: Reader) -> None:
        """Send what came; who reads back is told once that something did."""
        if self._search is not None:
            rows = await self._search.rows(await _read(reader.grown))
            if rows:
                self._put({"t": "more", "lines": rows, "partial": "", "ended": reader.ended})
        elif not self._follows:
            if reader.reached != self._delivered and not self._grew_said:
                self._grew_said = True
                self._put({"t": "grew"})
        elif reader.reached - self._delivered > JUMP or self._held > HELD:
            self._jumped_at = time.monotonic()
            await self._show()
            asyncio.get_running_loop().call_later(QUIET * 1.1, self._settle)
        else:
            lines = await _read(reader.grown)
            self._delivered = reader.reached
            self._held += len(lines)
            partial_line = cut_line(reader.partial)
            if self._why and not lines and not partial_line and self._why != _reason(reader):
                await self._show()
                return
            shown = [row_of(line) for line in lines]
            self._put({"t": "more", "lines": shown, "partial": partial_line, "ended": reader.ended})

    def _settle(self) -> None:
        """A flood may be over: its pages are looked for."""
        if self._reader is not None and time.monotonic() - self._jumped_at > QUIET:
            self._index.extend(self._reader)

    # pages

    async def _extend_index(self) -> None:
        while True:
            await self._index.work()
            if self._search is None:
                self._put({"t": "pages", "pages": self._index.numbered, "lines": self._index.lines})

    async def _read_pages(self) -> None:
        """Read the pages that are wanted, the newest wish first."""
        while True:
            await self._wishes.wait()
            if not self._wanted:
                self._wishes.clear()
                continue
            await self._index.complete.wait()
            number, _ = self._wanted.popitem()
            rows = await _read(partial(_rows_of, self._index.reader, self._index.page(number)))
            for start in range(0, max(len(rows), 1), LINES):
                self._put({
                    "t": "lines", "page": number, "pages": self._index.numbered, "from": start, "of": len(rows),
                    "lines": rows[start : start + LINES],
                })  # fmt: skip

    async def _search_all(self, search: _Search) -> None:
        """Search from the newest lines to the oldest, as far as somebody wants to see."""
        while True:
            await search.begun.wait()
            async for frame in search.found(self._index):
                self._put(frame)


def _rows_of(reader: Reader | None, page: LogPage | None) -> list[Row]:
    """The lines of a page, as they are sent; none where it is no longer there."""
    return [] if reader is None or page is None else [row_of(line) for line in reader.lines(page)]


class _Index:
    """Where the pages are: found some milliseconds at a time, continued where the newest lines have moved on."""

    def __init__(self) -> None:
        self.reader: Reader | None = None
        self.complete = asyncio.Event()
        """The pages were found, up to where the newest lines began then."""
        self._stirred = asyncio.Event()
        self._pages: list[LogPage] = []
        self._indexed: list[LogPlace | None] = []

    @property
    def numbered(self) -> int | None:
        """How many pages there are; None while that is not known."""
        return len(self._pages) if self.complete.is_set() else None

    @property
    def lines(self) -> int:
        """How many lines all pages have, about."""
        return sum(page.count for page in self._pages)

    def page(self, number: int) -> LogPage | None:
        """The page with this number, from 0, the oldest; None: there is none."""
        return self._pages[number] if number < len(self._pages) else None

    def forget(self) -> None:
        """Begin anew: the logs may be elsewhere."""
        self.reader = None
        self._pages, self._indexed = [], []
        self.complete.clear()

    def extend(self, reader: Reader) -> None:
        """Find the pages up to the newest lines of this reader."""
        self.reader = reader
        self._stirred.set()

    async def work(self) -> None:
        """Find pages until all are found, once there is something to find."""
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            reader = self.reader
            if reader is None or (self.complete.is_set() and self._indexed == reader.ends):
                continue
            goal = list(reader.ends)
            going = reader.pages(self._indexed, goal)
            found: list[LogPage] = []
            done = False
            while not done and reader is self.reader:
                more, done = await _read(partial(_some, going))
                found += more
                if not done:
                    await asyncio.sleep(SLICE * OTHERS)
            if done and reader is self.reader:
                self._pages += found
                self._indexed = goal
                self.complete.set()
                return


def _some(going: Iterator[LogPage | None]) -> tuple[list[LogPage], bool]:
    """The pages that are found in one slice of this thread's time, and whether they were the last."""
    found: list[LogPage] = []
    until = time.thread_time() + SLICE
    while time.thread_time() < until:
        try:
            page = next(going)
        except StopIteration:
            return found, True
        if page is not None:
            found.append(page)
    return found, False


class _Search:
    """A search for lines with a pattern: from the newest to the oldest, some hundred matches at a time."""

    def __init__(self, pattern: Pattern) -> None:
        self.begun = asyncio.Event()
        """There are newest lines to begin with."""
        self._pattern = pattern
        self._filter = LineFilter(pattern)
        self._newest: list[Line] = []
        self._wanted = asyncio.Event()
        self._stopped = False
        self._times = 0
        """How many times it was begun."""

    def close(self) -> None:
        """Search nothing any more."""
        self._filter.close()

    def begin(self, lines: list[Line]) -> None:
        """These are the newest lines; what lies before them is searched when they have been."""
        self._newest, self._stopped = lines, False
        self._times += 1
        self._wanted.set()
        self.begun.set()

    def ask(self, *, older: bool, stop: bool) -> None:
        """Go on to older matches, or no further."""
        if stop:
            self._stopped = True
        elif older:
            self._stopped = False
            self._wanted.set()

    async def rows(self, lines: Sequence[Line]) -> list[Row]:
        """Those of some newest lines that match, as they are sent; none when the expression takes too long."""
        wanted = await _read(lambda: self._filter.which([text for _, _, text in lines]))
        if self._pattern.slow:
            return []
        return [found_row(line, None, 0, self._pattern) for line, meant in zip(lines, wanted, strict=True) if meant]

    async def found(self, index: _Index) -> AsyncIterator[Answer]:
        """Yield what is found, frame by frame, until all was searched or it is begun anew."""
        self.begun.clear()
        times = self._times
        rows = await self.rows(self._newest)
        if self._is_refused():
            yield _found([], 0, 0, "refused")
            return
        yield {**_found(rows, 0, 0, "searching"), "begin": True}
        await index.complete.wait()
        reader, of = index.reader, index.numbered or 0
        left, held, said_at, unasked = of, list[Row](), time.monotonic(), 0
        while left and reader is not None and self._is_current(times):
            left -= 1
            more = await _read(partial(self._on_page, reader, index.page(left), left))
            held[:0] = more
            unasked += len(more)
            if self._is_refused():
                yield _found([], left, of, "refused")
                return
            if left and (unasked >= LINES or self._stopped):
                self._wanted.clear()
                yield _found(held, left, of, "stopped" if self._stopped else "waiting")
                held, unasked = [], 0
                await self._wanted.wait()
            elif time.monotonic() - said_at > FRAME:
                said_at = time.monotonic()
                yield _found(held, left, of, "searching")
                held = []
        if left == 0 and self._is_current(times):
            yield _found(held, 0, of, "done")

    def _is_refused(self) -> bool:
        """Whether the expression took too long."""
        return self._pattern.slow

    def _is_current(self, times: int) -> bool:
        return times == self._times

    def _on_page(self, reader: Reader, page: LogPage | None, at: int) -> list[Row]:
        """The matches on one page."""
        if page is None:
            return []
        return [found_row(line, at, number, self._pattern) for number, line in matches(reader, page, self._filter)]


def _found(rows: list[Row], left: int, of: int, state: str) -> Answer:
    return {"t": "found", "lines": rows, "left": left, "of": of, "state": state}


def _reason(reader: Reader) -> str:
    """Why there is nothing to show."""
    if reader.missing:
        return f"the log was removed: {reader.missing} does not exist"
    if reader.look.since is not None and reader.last_written:
        return "no output in this part"
    return "no output" if reader.is_over else "no output yet"
