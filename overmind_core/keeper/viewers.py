"""Who looks at a run, and the size that its terminal has for them.

A live view of one run: its bytes as they come, and what the person there types.

Whose terminal counts among those who look at a run and may type: the one of who typed last.

Its size is the program's, and it alone answers the program's questions. Before anybody has typed, the size is that of
who came first, and nobody answers.

Tickets: the supervisor's word that whoever brings one may see a run, or type into it. Each works once.

What a terminal sends by itself: answers to a program's questions. Pure.

Every viewer's terminal answers them; a program must get one answer only.

Source: XTerm Control Sequences; the kitty keyboard protocol; in-band resize notifications (mode 2048). A cursor
position report of row 1 looks like a modified F3 (`CSI 1;2R`): it counts as a report.
"""

from __future__ import annotations

import re
import termios

from overmind_core.keeper.input import Refused
from overmind_core.logs.layout import OUT
from overmind_core.system import terminal
from overmind_core.wire.keeper import (
    FRAME_DATA,
    FRAME_REDRAW,
    FRAME_RESIZE,
    VIEWER_LIMIT,
    FrameDecoder,
    FrameError,
    data_frame,
    exit_frame,
    offset_frame,
    parse_resize,
    resize_frame,
)

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from overmind_core.keeper.connection import Connection
    from overmind_core.keeper.loop import Loop
    from overmind_core.keeper.run import Child

    class Typist(Protocol):
        """One who may type."""

        size: tuple[int, int] | None
        """Columns and rows of the terminal in front of it; None when it has said none."""


class Typists:
    """Those who are there."""

    __slots__ = ("_fit", "_order", "newest")

    def __init__(self, fit: Callable[[int, int], None]) -> None:
        """`fit(columns, rows)` gives the run's terminal a size."""
        self._fit = fit
        self._order: list[Typist] = []
        """Who typed last stands at the end; before those who typed, the first to come."""
        self.newest: Typist | None = None
        """Who typed last."""

    def join(self, typist: Typist) -> None:
        """Somebody comes."""
        self._order.insert(0, typist)
        self.resized(typist)

    def types(self, typist: Typist) -> None:
        """Somebody presses a key."""
        if self.newest is not typist and typist in self._order:
            self.newest = typist
            self._order.remove(typist)
            self._order.append(typist)
            self.resized(typist)

    def resized(self, typist: Typist) -> None:
        """Somebody's terminal has another size."""
        if self._order and self._order[-1] is typist and typist.size is not None:
            self._fit(*typist.size)

    def leave(self, typist: Typist) -> None:
        """Somebody goes, or was never there."""
        if typist not in self._order:
            return
        self._order.remove(typist)
        if self.newest is typist:
            self.newest = None
        if self._order:
            self.resized(self._order[-1])


NUDGE = 0.05
"""Seconds that a program has to notice another size before it gets the true one again."""


class Audience:
    """The viewers of one run, and which of them types."""

    __slots__ = ("_child", "_loop", "typists", "viewers")

    def __init__(self, child: Child, loop: Loop) -> None:
        self._child = child
        self._loop = loop
        self.viewers: list[Viewer] = []
        self.typists = Typists(self.resize)

    def join(self, viewer: Viewer) -> None:
        """Show the run live from here on."""
        child = self._child
        viewer.begin(child.log.offsets[OUT])
        kept = child.log.kept(OUT)
        if kept:
            viewer.show(data_frame(kept))
        if child.exit is not None:
            viewer.finish(child.exit.code)
            return
        self.viewers.append(viewer)
        self._prefer_output()
        if viewer.may_write:
            self.typists.join(viewer)

    def leave(self, viewer: Viewer) -> None:
        """A viewer is gone."""
        if viewer in self.viewers:
            self.viewers.remove(viewer)
            self._prefer_output()
            self.typists.leave(viewer)

    def _prefer_output(self) -> None:
        for output in self._child.outputs:
            self._loop.prefer(output.fd, on=bool(self.viewers))

    def show(self, data: memoryview) -> None:
        """The run has written this."""
        if self.viewers:
            frame = data_frame(bytes(data))
            for viewer in tuple(self.viewers):
                viewer.show(frame)
            self._loop.calm_down()

    def finish(self, code: int) -> None:
        """The run has ended."""
        for viewer in tuple(self.viewers):
            viewer.finish(code)

    def resume(self) -> None:
        """The run has read what was typed."""
        for viewer in self.viewers:
            viewer.resume()

    def hurry(self) -> None:
        """A person has pressed a key here."""
        self._loop.hurry()

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size, and tell the log and every viewer. Without a terminal nothing happens."""
        child = self._child
        if not child.tty or not child.outputs:
            return
        try:
            terminal.resize(child.outputs[0].fd, columns=columns, rows=rows)
        except (OSError, termios.error):
            return
        try:
            child.log.resized(columns, rows, self._loop.wall)
        except OSError as error:
            child.suffer(error)
        for viewer in tuple(self.viewers):
            viewer.resized(columns, rows)

    def nudge(self) -> None:
        """Have a full-screen program draw everything again, as it does at a new size: a row less, and back."""
        child = self._child
        if not child.tty or not child.outputs:
            return
        columns, rows = terminal.size(child.outputs[0].fd)
        if rows > 1:
            self.resize(columns, rows - 1)
            self._loop.later(NUDGE, lambda: self._nudged(columns, rows))

    def _nudged(self, columns: int, rows: int) -> None:
        """Give the true size back, unless there is another one by now."""
        if self._child.outputs and terminal.size(self._child.outputs[0].fd) == (columns, rows - 1):
            self.resize(columns, rows)


READ = "read"
WRITE = "write"
MODES = frozenset((READ, WRITE))
MOST = 10_000
"""Tickets that may wait to be used; the oldest make room."""


class Tickets:
    """Those that were issued and neither used nor expired."""

    __slots__ = ("_clock", "_open")

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self._clock = clock
        self._open: dict[str, tuple[str, str, float]] = {}

    def issue(self, ticket: str, *, run: str, mode: str, ttl: float) -> None:
        """Let `ticket` be used once within `ttl` seconds. Raises ValueError for an unknown mode."""
        if mode not in MODES:
            raise ValueError(f"unknown mode {mode!r}")
        if len(self._open) >= MOST:
            del self._open[next(iter(self._open))]
        self._open[ticket] = (run, mode, self._clock() + ttl)

    def take(self, ticket: str) -> tuple[str, str] | None:
        """Use `ticket` up: (run, mode), or None when it is unknown, used or expired."""
        run, mode, expires = self._open.pop(ticket, ("", "", 0.0))
        return (run, mode) if run and self._clock() < expires else None


REPORT = re.compile(
    rb"\x1b\[(?:"
    rb"[?>=][0-9;:]*c"  # device attributes
    rb"|\??[0-9]+;[0-9;]+R|\??[0-9;]+n"  # cursor position, device status, colour scheme
    rb"|\??[0-9;]+\$y"  # state of a mode
    rb"|\?[0-9;]*u"  # keyboard flags
    rb"|[0-9;:]+t|[IO])"  # sizes of the window, focus in and out
    rb"|\x1b(?:\][0-9]+;|P[0-9>!]|_G)[^\x07\x18\x1a\x1b]*(?:\x07|\x1b\\)"  # colours, version, settings, graphics
)
PASTE = b"\x1b[200~"
"""Begins pasted text (bracketed paste), in which nothing is a report."""


def typed(data: bytes) -> bytes:
    """`data`, which cuts no sequence in two, without the reports in it."""
    if b"\x1b" not in data:
        return data
    head, paste, tail = data.partition(PASTE)
    return REPORT.sub(b"", head) + paste + tail


TYPED_LIMIT = 1 << 20
"""Bytes waiting for the agent from which on a typist is held back."""


class Viewer:
    """One stream connection, after its ticket was taken."""

    __slots__ = ("_child", "_connection", "_decoder", "may_write", "size")

    def __init__(
        self, child: Child, connection: Connection, *, may_write: bool, size: tuple[int, int] | None = None
    ) -> None:
        """`size`: columns and rows of the terminal in front of it."""
        self._child = child
        self._connection = connection
        self._decoder = FrameDecoder()
        self.may_write = may_write
        self.size = size
        connection.limit = VIEWER_LIMIT
        connection.receive = self._receive
        connection.lost = self._lost

    def begin(self, offset: int) -> None:
        """Tell where in the log the live stream begins."""
        self._connection.send(offset_frame(offset))

    def show(self, frame: bytes) -> None:
        """Pass a frame on; a viewer that is too slow for it is dropped."""
        self._connection.send(frame)

    def resized(self, columns: int, rows: int) -> None:
        """Somebody gave the terminal another size."""
        self._connection.send(resize_frame(columns, rows))

    def finish(self, code: int) -> None:
        """The run ended: say so, and hang up when that has arrived."""
        self._connection.send(exit_frame(code))
        self._connection.end()

    def resume(self) -> None:
        """The agent has read: take from the typist again."""
        self._connection.pause(paused=False)

    def _receive(self, data: bytes) -> None:
        try:
            for kind, payload in self._decoder.feed(data):
                if self.may_write:
                    self._obey(kind, payload)
        except FrameError:
            self._connection.close()

    def _obey(self, kind: int, payload: bytes) -> None:
        if kind == FRAME_DATA:
            self._type(payload)
        elif kind == FRAME_RESIZE:
            self.size = parse_resize(payload)
            self._child.audience.typists.resized(self)
        elif kind == FRAME_REDRAW:
            self._child.audience.nudge()

    def _type(self, data: bytes) -> None:
        """Pass input on; what a terminal answers by itself only of who typed last."""
        child = self._child
        if child.audience.typists.newest is not self:
            data = typed(data)
            if not data:
                return
            child.audience.typists.types(self)
        child.audience.hurry()
        try:
            child.stdin.type(data)
        except Refused:
            # Nothing to answer with in the middle of a stream; the log shows what arrived.
            return
        if child.stdin.waiting > TYPED_LIMIT:
            self._connection.pause(paused=True)

    def _lost(self) -> None:
        self._child.audience.leave(self)
