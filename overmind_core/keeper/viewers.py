"""The viewers of a run: who looks at it live, who of them is the active writer, and the tickets that let them in.

The size of the active writer's terminal is the program's, and that terminal alone answers the program's queries. Before
anybody has typed, the size is that of who came first, and the terminal in memory answers.
"""

from __future__ import annotations

import contextlib
import termios

from overmind_core.keeper.input import RequestRefused
from overmind_core.keeper.queries import TerminalQueries
from overmind_core.keeper.viewer_terminal import LentTerminal
from overmind_core.logs.layout import OUT
from overmind_core.system import terminal
from overmind_core.wire.keeper import (
    FRAME_DATA,
    FRAME_LEND,
    FRAME_RECALL,
    FRAME_REDRAW,
    FRAME_RESIZE,
    VIEWER_LIMIT,
    FrameDecoder,
    FrameError,
    data_frame,
    exit_frame,
    offset_frame,
    parse_lend,
    parse_resize,
    resize_frame,
    returned_frame,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from overmind_core.keeper.connection import ClientConnection
    from overmind_core.keeper.input import Stdin
    from overmind_core.keeper.loop import Loop
    from overmind_core.keeper.viewer_terminal import Terminal
    from overmind_core.logs.writer import RunLogWriter

    class Writer(Protocol):
        """A viewer that may type."""

        size: tuple[int, int] | None
        """Columns and rows of the terminal in front of it; None when it has said none."""

    class TerminalAccess(Protocol):
        """The way to the terminal in front of a viewer."""

        def open(self, identity: tuple[int, int]) -> Terminal:
            """Open it, if it has this device and inode. Raises OSError: BlockingIOError if only now it can't be."""

        def close(self, terminal: Terminal) -> None:
            """Close it."""

    class Descriptor(Protocol):
        """One end of a run's terminal or pipe."""

        fd: int

    class ExitStatus(Protocol):
        """How a run ended."""

        code: int

    class Viewed(Protocol):
        """A run, as its viewers need it."""

        log: RunLogWriter
        stdin: Stdin
        tty: bool
        viewers: RunViewers

        @property
        def outputs(self) -> Sequence[Descriptor]:
            """Open streams; the first one of a terminal is its master."""

        @property
        def exit(self) -> ExitStatus | None:
            """None while the root process lives."""

        def on_log_error(self, error: OSError) -> None:
            """The log can't be written."""

        def on_queries(self) -> None:
            """The terminal in memory owes the program an answer."""


class ActiveWriter:
    """The viewer that typed last, to whose size the terminal is fitted."""

    __slots__ = ("_order", "_resize", "current")

    def __init__(self, resize: Callable[[int, int], None]) -> None:
        """`resize(columns, rows)` gives the run's terminal a size."""
        self._resize = resize
        self._order: list[Writer] = []
        """Who typed last stands at the end; before those who typed, the first to come."""
        self.current: Writer | None = None
        """Who typed last; None before anybody has, and when that one has left."""

    def join(self, writer: Writer) -> None:
        """A viewer that may type has come."""
        self._order.insert(0, writer)
        self.on_resize(writer)

    def on_input(self, writer: Writer) -> None:
        """A viewer has typed: it is the active writer from now on."""
        if self.current is not writer and writer in self._order:
            self.current = writer
            self._order.remove(writer)
            self._order.append(writer)
            self.on_resize(writer)

    def on_resize(self, writer: Writer) -> None:
        """The terminal in front of a viewer has another size."""
        if self._order and self._order[-1] is writer and writer.size is not None:
            self._resize(*writer.size)

    def leave(self, writer: Writer) -> None:
        """A viewer goes, or was never there."""
        if writer not in self._order:
            return
        self._order.remove(writer)
        if self.current is writer:
            self.current = None
        if self._order:
            self.on_resize(self._order[-1])

    def on_absence(self, writer: Writer) -> None:
        """A viewer's terminal does not even answer what each terminal does: nobody is there until somebody types."""
        if self.current is writer:
            self.current = None


REDRAW_PAUSE = 0.05
"""Seconds that a program has to notice another size before it gets the true one again."""


class RunViewers:
    """All viewers of one run."""

    __slots__ = ("_loop", "_run", "_waits", "active_writer", "all", "queries")

    def __init__(self, run: Viewed, loop: Loop) -> None:
        self._run = run
        self._loop = loop
        self._waits = False
        """Whether a timer is set for answers that may not come."""
        self.queries = TerminalQueries()
        self.all: list[Viewer] = []
        self.active_writer = ActiveWriter(self.resize)

    def join(self, viewer: Viewer) -> None:
        """Show the run live from here on."""
        run = self._run
        viewer.begin(run.log.offsets[OUT])
        kept = run.log.kept(OUT)
        if kept:
            viewer.show(kept)
        if run.exit is not None:
            viewer.finish(run.exit.code)
            return
        self.all.append(viewer)
        self._prefer_output()
        if viewer.may_write:
            self.active_writer.join(viewer)

    def leave(self, viewer: Viewer) -> None:
        """A viewer is gone."""
        if viewer in self.all:
            self.all.remove(viewer)
            self._prefer_output()
            self.active_writer.leave(viewer)
            if self.queries.leave(viewer):
                self._run.on_queries()

    def _prefer_output(self) -> None:
        for output in self._run.outputs:
            self._loop.prefer(output.fd, on=bool(self.all))

    def show(self, data: memoryview) -> None:
        """The run has written this."""
        if self.all:
            shown = bytes(data)
            for viewer in tuple(self.all):
                viewer.show(shown)
            self._loop.end_boost()

    def read_queries(self, data: memoryview) -> None:
        """The run has written this, and it is shown: see who answers what it asks its terminal."""
        if not self.queries.may_be_in(data):
            return
        log, active = self._run.log, self.active_writer.current
        found = self.queries.read(
            data,
            log.offsets[OUT] + len(log.kept(OUT)),
            active=active,
            shown=[viewer for viewer in self.all if viewer.may_write],
            now=self._loop.mono,
        )
        own = b"".join(query.own_answer for query in found)
        if own and self._run.stdin.waiting <= TYPED_BACKLOG:  # who asks for ever and reads nothing gets no more
            self._type(own)
        if all(query.own_answer for query in found):
            return
        if active is None:
            self._run.on_queries()
        else:
            self._wait_for_answers()

    def _wait_for_answers(self) -> None:
        due = self.queries.due
        if due is not None and not self._waits:
            self._waits = True
            self._loop.later(max(due - self._loop.mono, 0.0), self._expire_queries)

    def _expire_queries(self) -> None:
        self._waits = False
        absent = self.queries.expire(self._loop.mono)
        for viewer in self.all:
            if viewer in absent:
                self.active_writer.on_absence(viewer)
        if absent:
            self._run.on_queries()
        self._wait_for_answers()

    def answer(self, end: int, data: bytes) -> None:
        """The terminal in memory answers the query that ends at this offset; nothing happens where it no longer may."""
        if self.queries.answer(end) and data:
            self._type(data)

    def _type(self, answer: bytes) -> None:
        with contextlib.suppress(RequestRefused):  # nobody reads
            self._run.stdin.type(answer)

    def finish(self, code: int) -> None:
        """The run has ended."""
        for viewer in tuple(self.all):
            viewer.finish(code)

    def resume(self) -> None:
        """The run has read what was typed."""
        for viewer in self.all:
            viewer.resume()

    def lend(self, viewer: Viewer, terminal: Terminal, *, special: bytes, close: Callable[[Terminal], None]) -> None:
        """Let the run have the viewer's own terminal for a while. Raises OSError; it is closed then."""
        viewer.lent = LentTerminal(viewer, terminal, self._loop, special=special, close=close)

    def boost(self) -> None:
        """A person has pressed a key: serve this run before others for a moment."""
        self._loop.boost()

    def resize(self, columns: int, rows: int) -> None:
        """Resize the terminal, in the log and for every viewer too. Without a terminal nothing happens."""
        run = self._run
        if not run.tty or not run.outputs:
            return
        try:
            terminal.resize(run.outputs[0].fd, columns=columns, rows=rows)
        except (OSError, termios.error):
            return
        try:
            run.log.record_resize(columns, rows, self._loop.wall)
        except OSError as error:
            run.on_log_error(error)
        for viewer in tuple(self.all):
            viewer.on_resize(columns, rows)

    def force_redraw(self) -> None:
        """Have a full-screen program draw everything again, as it does at a new size: a row less, and back."""
        run = self._run
        if not run.tty or not run.outputs:
            return
        columns, rows = terminal.size(run.outputs[0].fd)
        if rows > 1:
            self.resize(columns, rows - 1)
            self._loop.later(REDRAW_PAUSE, lambda: self._restore_size(columns, rows))

    def _restore_size(self, columns: int, rows: int) -> None:
        """Give the true size back, unless there is another one by now."""
        if self._run.outputs and terminal.size(self._run.outputs[0].fd) == (columns, rows - 1):
            self.resize(columns, rows)


MAY_READ = "read"
MAY_WRITE = "write"
MODES = frozenset((MAY_READ, MAY_WRITE))
MAX_OPEN_TICKETS = 10_000
"""Tickets that may wait to be used; the oldest make room."""


class Tickets:
    """One-time permissions to view a run, or to type into it, that the supervisor has issued."""

    __slots__ = ("_clock", "_open")

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self._clock = clock
        self._open: dict[str, tuple[str, str, float]] = {}

    def issue(self, ticket: str, *, run: str, mode: str, ttl: float) -> None:
        """Let `ticket` be used once within `ttl` seconds. Raises ValueError for an unknown mode."""
        if mode not in MODES:
            raise ValueError(f"unknown mode {mode!r}")
        if len(self._open) >= MAX_OPEN_TICKETS:
            del self._open[next(iter(self._open))]
        self._open[ticket] = (run, mode, self._clock() + ttl)

    def take(self, ticket: str) -> tuple[str, str] | None:
        """Use `ticket` up: (run, mode), or None when it is unknown, used or expired."""
        run, mode, expires = self._open.pop(ticket, ("", "", 0.0))
        return (run, mode) if run and self._clock() < expires else None


TYPED_BACKLOG = 1 << 20
"""Bytes waiting for the agent from which on no more is taken from a writer."""


class Viewer:
    """One viewer's connection, after its ticket was taken: frames in both directions."""

    __slots__ = ("_access", "_connection", "_decoder", "_run", "_sent", "lent", "may_write", "size")

    def __init__(
        self,
        run: Viewed,
        connection: ClientConnection,
        *,
        may_write: bool,
        size: tuple[int, int] | None = None,
        access: TerminalAccess | None = None,
    ) -> None:
        """`size`: columns and rows of the terminal in front of it, to which `access` leads if it can be lent."""
        self._run = run
        self._connection = connection
        self._decoder = FrameDecoder()
        self._access = access
        self._sent = 0
        """Bytes of data frames."""
        self.lent: LentTerminal | None = None
        """Its terminal, while we have it."""
        self.may_write = may_write
        self.size = size
        connection.limit = VIEWER_LIMIT
        connection.on_data = self._on_data
        connection.on_closed = self._on_closed

    def begin(self, offset: int) -> None:
        """Send where in the log the live stream begins."""
        self._connection.send(offset_frame(offset))

    def show(self, data: bytes) -> None:
        """Show output, on its terminal or by a frame; a viewer that is too slow for frames is dropped."""
        if self.lent is not None:
            data = self.lent.show(data)
            if not data:
                return
        self._sent += len(data)
        self._connection.send(data_frame(data))

    def on_resize(self, columns: int, rows: int) -> None:
        """Send the new size of the run's terminal."""
        self._connection.send(resize_frame(columns, rows))

    def finish(self, code: int) -> None:
        """Send the exit code of the run, and close the connection when that has arrived."""
        self._recall()
        self._connection.send(exit_frame(code))
        self._connection.end()

    def resume(self) -> None:
        """The agent has read: read from the viewer again."""
        self._connection.pause(paused=False)

    def send(self, frame: bytes) -> None:
        """Send a frame that `LentTerminal` has made."""
        self._connection.send(frame)

    def is_there(self) -> bool:
        """Whether the viewer has not hung up."""
        return self._connection.is_there()

    def on_returned(self) -> None:
        """The terminal was given back."""
        self.lent = None

    def type(self, data: bytes) -> None:
        """Pass input on; of what a terminal answers by itself, only what is for the program."""
        run = self._run
        viewers, stdin = run.viewers, run.stdin
        is_active = viewers.active_writer.current is self
        data, is_typed = viewers.queries.admit(self, data, active=is_active)
        if is_typed and not is_active:
            viewers.active_writer.on_input(self)
        if not data:
            return
        try:
            stdin.type(data)
        except RequestRefused:
            # Nothing to answer with in the middle of a stream; the log shows what arrived.
            return
        viewers.boost()
        if stdin.waiting > TYPED_BACKLOG:
            self._recall()
            self._connection.pause(paused=True)

    def _on_data(self, data: bytes) -> None:
        try:
            for kind, payload in self._decoder.feed(data):
                if self.may_write:
                    self._on_frame(kind, payload)
        except FrameError:
            self._connection.close()

    def _on_frame(self, kind: int, payload: bytes) -> None:
        if kind == FRAME_DATA:
            self.type(payload)
        elif kind == FRAME_RESIZE:
            self.size = parse_resize(payload)
            self._run.viewers.active_writer.on_resize(self)
        elif kind == FRAME_REDRAW:
            self._run.viewers.force_redraw()
        elif kind == FRAME_LEND:
            self._on_lend(payload)
        elif kind == FRAME_RECALL:
            self._recall()

    def _on_lend(self, payload: bytes) -> None:
        """Take the viewer's terminal, unless bytes that it has to show first are still on their way."""
        shown, identity, special = parse_lend(payload)
        if self.lent is not None:
            raise FrameError("the terminal is lent already")
        if self._access is not None and shown == self._sent and self._run.exit is None:
            try:
                terminal = self._access.open(identity)
                self._run.viewers.lend(self, terminal, special=special, close=self._access.close)
            except BlockingIOError:
                pass
            except OSError:
                self.send(returned_frame(for_good=True))
                return
            else:
                return
        self.send(returned_frame())

    def _recall(self) -> None:
        """Give the terminal back, if we have it."""
        if self.lent is not None:
            self.lent.give_back()

    def _on_closed(self) -> None:
        if self.lent is not None:
            self.lent.close()
            self.lent = None
        self._run.viewers.leave(self)
