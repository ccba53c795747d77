r"""A terminal in memory: bytes in, cells out, answers back.

>>> screen = Screen(20, 3)
>>> screen.feed(b"\x1b[1mhello")
>>> screen.lines()
['hello', '', '']
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from overmind_core.terminal.events import Event
from overmind_core.terminal.modes import Modes
from overmind_core.terminal.paint import coloured
from overmind_core.terminal.redraw import redraw
from overmind_core.terminal.resize import resize
from overmind_core.terminal.row import Run
from overmind_core.terminal.scrollback import Scrollback
from overmind_core.terminal.state import Colours, State
from overmind_core.terminal.stream import Stream

SCROLLBACK = 10_000
"""Rows."""
LARGEST = 4096
"""Columns or rows; more is no size that anybody looks at."""


class Cursor(NamedTuple):
    """Where the next character goes, from 0 at the top left."""

    x: int
    y: int
    visible: bool
    shape: int
    """0 and 1 a blinking block, 2 a block, 3 and 4 an underline, 5 and 6 a bar (DECSCUSR)."""


class Screen:
    """One terminal of `columns` x `rows` cells; `scrollback`: how many rows are kept that left it at the top.

    `on_reply` gets bytes that belong to the program's input, `on_event` what it told apart from text; both are called
    at the end of `feed`, in order, and may themselves use the screen.
    """

    def __init__(self, columns: int, rows: int, *, scrollback: int = SCROLLBACK) -> None:
        _check(columns, rows)
        self._state = State(columns, rows, scrollback)
        self._stream = Stream(self._state)
        self.on_reply: Callable[[bytes], None] = _ignore
        self.on_event: Callable[[Event], None] = _ignore

    def feed(self, data: bytes) -> None:
        """What the program wrote, cut anywhere; no bytes make this fail."""
        self._stream.feed(data)
        replies, self._state.replies = self._state.replies, []
        events, self._state.events = self._state.events, []
        if replies:
            self.on_reply(b"".join(replies))
        for event in events:
            self.on_event(event)

    def resize(self, columns: int, rows: int) -> None:
        """Another size: lines of the primary screen are wrapped anew, the alternate screen is cut or padded.

        Raises:
            ValueError: no such size (1 to `LARGEST` each).
        """
        _check(columns, rows)
        resize(self._state, columns, rows)

    @property
    def columns(self) -> int:
        """Cells of a row."""
        return self._state.columns

    @property
    def rows(self) -> int:
        """Rows that are seen."""
        return self._state.height

    @property
    def cursor(self) -> Cursor:
        """Where the next character goes, and how that is shown."""
        state = self._state
        return Cursor(state.x, state.y, state.modes.cursor_visible, state.cursor_shape)

    @property
    def title(self) -> str:
        """The window's title; as the program wrote it, so not safe to print."""
        return self._state.title

    @property
    def modes(self) -> Modes:
        """What the program has set."""
        return self._state.modes

    @property
    def scrollback(self) -> Scrollback:
        """The rows that left the primary screen at its top."""
        return self._state.scrollback

    @property
    def colours(self) -> Colours | None:
        """The terminal's own colours, for programs that ask; None: such questions get no answer."""
        return self._state.colours

    @colours.setter
    def colours(self, colours: Colours | None) -> None:
        self._state.colours = colours

    @property
    def faults(self) -> list[Exception]:
        """Mistakes of the emulator itself that `feed` survived, the first few."""
        return list(self._stream.faults)

    def line(self, y: int) -> str:
        """The text of row `y`, without blanks at its end.

        Raises:
            IndexError: there is no such row.
        """
        return self._state.rows[y].text.rstrip(" ")

    def lines(self) -> list[str]:
        """The text of all rows that are seen."""
        return [self.line(y) for y in range(self.rows)]

    def wrapped(self, y: int) -> bool:
        """Whether the text of row `y` goes on in the next row: for a copy, both are one line."""
        return bool(self._state.rows[y].wrapped)

    def runs(self, y: int) -> list[Run]:
        """Row `y` as (text, style), neighbours of the same style in one; together as wide as the screen."""
        return self._state.rows[y].runs()

    def take_dirty(self) -> set[int]:
        """The rows that look different since the last call (all, the first time)."""
        state = self._state
        dirty = set(range(state.height)) if state.dirty_all else state.dirty
        state.dirty, state.dirty_all = set(), False
        return dirty

    def redraw(self) -> bytes:
        """What shows this screen, with all its modes, on a fresh terminal of the same size."""
        return redraw(self._state)

    def text(self, *, ansi: bool = False) -> str:
        """All rows that are seen, joined by newlines; `ansi`: with colours and links, reset at the end of each row."""
        if not ansi:
            return "\n".join(self.lines())
        return "\n".join(coloured(row) for row in self._state.rows)


def _check(columns: int, rows: int) -> None:
    if not (1 <= columns <= LARGEST and 1 <= rows <= LARGEST):
        raise ValueError(f"a screen has 1 to {LARGEST} columns and rows, not {columns}x{rows}")


def _ignore(_: object) -> None:
    """Nobody listens."""
