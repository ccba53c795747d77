r"""A terminal in memory: bytes in, cells out, answers back; also from the end of a log alone.

>>> screen = Screen(20, 3)
>>> screen.feed(b"\x1b[1mhello")
>>> screen.lines()
['hello', '', '']

A program that has run for days wrote more than anybody wants to read, so `replay` draws only the end. What was drawn
before is drawn anew by the program once it gets another size and the old one again. Modes are not: so they are
looked for in the bytes before (`scan_modes`, fast), and set first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import NamedTuple

from overmind_core.terminal.cells import CellRow, Run
from overmind_core.terminal.keyboard import Keyboard, apply_flags, apply_resource
from overmind_core.terminal.modes import ALTERNATE_SCREENS, INITIAL, NUMERIC_KEYPAD, SAVE_CURSOR, Modes
from overmind_core.terminal.parser import Stream
from overmind_core.terminal.render import above, coloured, redraw, seen
from overmind_core.terminal.resize import resize
from overmind_core.terminal.scrollback import Scrollback
from overmind_core.terminal.state import Colours, Event, TerminalState

SCROLLBACK = 10_000
"""Rows."""
STYLED = 16
"""Bytes that a change of the look takes, about."""
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

    `on_reply` gets bytes that belong to the program's input, `on_event` what it said apart from text; both are called
    at the end of `feed`, in order, and may themselves use the screen.
    """

    def __init__(self, columns: int, rows: int, *, scrollback: int = SCROLLBACK) -> None:
        _check(columns, rows)
        self._state = TerminalState(columns, rows, scrollback)
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

    def seen(self, y: int, columns: int, *, colours: bool = True) -> str:
        """The left part of row `y` with its look and without links, reset at its end; never what a program wrote."""
        return seen(self._state.rows[y], columns, colours=colours)

    def take_dirty(self) -> set[int]:
        """The rows that look different since the last call (all, the first time)."""
        state = self._state
        dirty = set(range(state.height)) if state.dirty_all else state.dirty
        state.dirty, state.dirty_all = set(), False
        return dirty

    def copy(self) -> Screen:
        """The same screen once more, also amid a sequence, without its listeners; both go their own ways."""
        twin = Screen(self.columns, self.rows, scrollback=0)
        twin._state, twin._stream = deepcopy((self._state, self._stream))
        return twin

    def shows_same(self, other: Screen) -> bool:
        """Whether a person sees the same on both: cells, their looks, and the cursor."""
        ours, theirs = self._state.rows, other._state.rows
        return self.cursor == other.cursor and _is_same(ours, theirs)

    def is_same(self, other: Screen) -> bool:
        """Whether the same bytes will always show the same on both."""
        ours, theirs = self._state, other._state
        return (
            self.shows_same(other)
            and _is_same(ours.other_rows, theirs.other_rows)
            and all(getattr(ours, name) == getattr(theirs, name) for name in _PLAIN_PARTS)
            and ours.modes.is_same(theirs.modes)
        )

    def redraw(self) -> bytes:
        """What shows this screen, with all its modes, on a fresh terminal of the same size."""
        return redraw(self._state)

    def history(self, most_bytes: int) -> bytes:
        """What puts the newest rows of the scrollback above the screen of a fresh terminal of the same size.

        `redraw` comes behind it. `most_bytes`: of it, about; the rows that don't fit are the oldest.
        """
        kept: list[tuple[list[Run], bool]] = []
        size = 0
        for index in range(-1, -len(self.scrollback) - 1, -1):
            row = self.scrollback.runs(index), self.scrollback.wrapped(index)
            size += sum(len(text.encode()) + STYLED for text, _ in row[0]) + 2
            if size > most_bytes:
                break
            kept.append(row)
        return above(kept[::-1], self.columns, self.rows).encode() if kept else b""

    def text(self, *, ansi: bool = False) -> str:
        """All rows that are seen, joined by newlines; `ansi`: with colours and links, reset at the end of each row."""
        if not ansi:
            return "\n".join(self.lines())
        return "\n".join(coloured(row) for row in self._state.rows)


_PLAIN_PARTS = ("pending_wrap", "top", "bottom", "style", "charsets", "saved", "tabs", "last")


def _is_same(ours: list[CellRow], theirs: list[CellRow]) -> bool:
    return len(ours) == len(theirs) and all(
        one.cells == two.cells and one.styles == two.styles and one.wrapped == two.wrapped
        for one, two in zip(ours, theirs, strict=True)
    )


def _check(columns: int, rows: int) -> None:
    if not (1 <= columns <= LARGEST and 1 <= rows <= LARGEST):
        raise ValueError(f"a screen has 1 to {LARGEST} columns and rows, not {columns}x{rows}")


def _ignore(_: object) -> None:
    """Nobody listens."""


TAIL = 256 * 1024
"""Bytes of the end that are enough for nearly every program (25 ms)."""
UNFINISHED_LIMIT = 64
"""Bytes of an unfinished sequence that are carried over."""
_SWITCH = re.compile(
    rb"\x1b(?:\[\?([0-9;]{1,64})([hl])|([=>c])|\[!(p)|\[([<=>])([0-9;]{0,64})([um])"
    rb"|\][02];([^\x00-\x1f\x7f]{0,4096})(?:\x07|\x1b\\))"
)
_SWITCHES = re.compile(
    rb"\x1b(?:\[(?:\?[0-9;]{1,64}[hl]|!p|[<=>][0-9;]{0,64}[um])|[=>c]"
    rb"|\][02];[^\x00-\x1f\x7f]{0,4096}(?:\x07|\x1b\\))"
)
"""The same without groups, to find all at once."""
_STACKED = (b"<", b"=", b">")
"""Third byte of keyboard protocols, whose sequences each count."""
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-?!]{0,62})?\Z")
_SAFE = re.compile(rb"[\x07\x1b\r\n]")
_CHARACTER = re.compile(rb"[^\x80-\xbf]")


class _Head:
    """What sequences of the head leave set."""

    def __init__(self) -> None:
        self.modes = Modes()
        self.keyboard = Keyboard()
        self.title = b""

    def take(self, switch: re.Match[bytes]) -> None:
        """One sequence."""
        numbers, final, simple, soft, how, values, kind, title = switch.groups()
        if numbers is not None:
            for number in numbers.split(b";"):
                _set(self.modes, int(number[:6] or 0), on=final == b"h")
        elif kind is not None:
            self._press(how.decode(), values, kind)
        elif title is not None:
            self.title = title
        elif simple == b"c":
            self.modes, self.keyboard = Modes(), Keyboard()
        elif soft:
            self.modes.reset_softly()
        else:
            self.modes.set_private(NUMERIC_KEYPAD, on=simple == b"=")

    def preamble(self) -> bytes:
        """The primary screen's keys, then the alternate screen: what follows belongs to it."""
        on = self.modes.private - INITIAL
        first, others = sorted(on & ALTERNATE_SCREENS), sorted(on - ALTERNATE_SCREENS)
        off = sorted(INITIAL - self.modes.private)
        pieces = [
            *self.keyboard.flags(alternate=False),
            *(f"\x1b[?{mode}h" for mode in first),
            *(self.keyboard.flags(alternate=True) if first else ()),
            *(f"\x1b[?{mode}h" for mode in others),
            *(f"\x1b[?{mode}l" for mode in off),
            *self.keyboard.resources(),
        ]
        title = b"\x1b]2;%s\x1b\\" % self.title if self.title else b""
        return "".join(pieces).encode() + title

    def _press(self, how: str, values: bytes, kind: bytes) -> None:
        parameters = tuple(int(number[:6] or 0) for number in values.split(b";")) if values else ()
        if kind == b"u":
            alternate = bool(self.modes.private & ALTERNATE_SCREENS)
            apply_flags(self.keyboard, how, parameters, alternate=alternate)
        elif how == ">":
            apply_resource(self.keyboard, parameters)


def last_of_each(sequences: list[bytes]) -> list[bytes]:
    """Sequences that set something, without those that come again later, as most do in each frame of a program."""
    known: set[bytes] = set()
    last = []
    for sequence in reversed(sequences):
        if sequence not in known or sequence[2:3] in _STACKED:
            known.add(sequence)
            last.append(sequence)
    return last[::-1]


def scan_modes(chunks: Iterable[bytes]) -> bytes:
    """What sets the private modes, keyboard protocols and title that these bytes, from the log's first on, leave set.

    The result stands for the bytes: before later ones it can be scanned again. It ends with the beginning of a
    sequence when the bytes do.
    """
    found = _Head()
    carried = b""
    for chunk in chunks:
        data = carried + chunk
        for sequence in last_of_each(_SWITCHES.findall(data)):
            if switch := _SWITCH.fullmatch(sequence):
                found.take(switch)
        unfinished = _UNFINISHED.search(data, max(0, len(data) - UNFINISHED_LIMIT))
        carried = unfinished[0] if unfinished else b""
    return found.preamble() + carried


def replay(
    tail: bytes, columns: int, rows: int, *, head_modes: bytes | None = None, scrollback: int = SCROLLBACK
) -> Screen:
    """The screen after `tail`, the end of a log.

    `head_modes`: `scan_modes` of everything that stands before it; None when `tail` is the whole log.
    """
    screen = Screen(columns, rows, scrollback=scrollback)
    start = 0
    if head_modes is not None:
        screen.feed(head_modes)
        begun = _UNFINISHED.search(head_modes, max(0, len(head_modes) - UNFINISHED_LIMIT))
        start = 0 if begun else first_safe(tail)
    screen.feed(tail[start:])
    return screen


def first_safe(tail: bytes) -> int:
    """Where reading can begin in bytes that were cut anywhere: at an escape, a line end or a bell; else at a character.

    A program may write for ever without any of them, and what it writes is to be seen.
    """
    found = _SAFE.search(tail) or _CHARACTER.search(tail)
    return found.start() if found else len(tail)


def _set(found: Modes, mode: int, *, on: bool) -> None:
    if mode != SAVE_CURSOR:
        found.set_private(mode, on=on)
