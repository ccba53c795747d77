"""A live view of one run: its bytes as they come, and what the person there types."""

from __future__ import annotations

from overmind_core.keeper.reports import typed
from overmind_core.keeper.stdin import Refused
from overmind_core.wire.keeper import (
    FRAME_DATA,
    FRAME_REDRAW,
    FRAME_RESIZE,
    VIEWER_LIMIT,
    FrameDecoder,
    FrameError,
    exit_frame,
    offset_frame,
    parse_resize,
    resize_frame,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from overmind_core.keeper.child import Child
    from overmind_core.keeper.connection import Connection

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
