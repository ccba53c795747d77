"""The state of a terminal: all that a program's bytes change, the movements that handlers are made of, and its events.

Columns and rows count from 0 at the top left. The cursor never leaves the screen: after a character in the last
column it stays there with `pending_wrap`, and the next character wraps first. Of character sets, which a program
designates with `ESC ( 0` and shifts to, only ASCII is ever replaced.

Source: the tables of pyte; XTerm Control Sequences, "VT100 Mode"; DEC STD 070.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pyte.charsets import VT100_MAP

from overmind_core.terminal.cells import DEFAULT, CellRow, Style, blank_row, erased
from overmind_core.terminal.keyboard import Keyboard
from overmind_core.terminal.modes import Modes
from overmind_core.terminal.scrollback import Scrollback


@dataclass(frozen=True, slots=True)
class TitleChanged:
    """The window has another title (OSC 0 or 2)."""

    title: str


@dataclass(frozen=True, slots=True)
class Bell:
    """It rang, once or several times in a row."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A person should read this (OSC 9 has no title, OSC 777 has one)."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Clipboard:
    """Text for a clipboard (OSC 52); `selection`: letters such as `c` (clipboard) or `p` (primary), or ""."""

    selection: str
    data: bytes


@dataclass(frozen=True, slots=True)
class PromptMark:
    """A shell marks its prompt (OSC 133): A prompt, B input, C output begins, D the command ended."""

    kind: str
    status: int | None
    """Exit code of the command, with D."""


@dataclass(frozen=True, slots=True)
class FolderChanged:
    """The program works in another folder (OSC 7)."""

    host: str
    path: str


Event = TitleChanged | Bell | Notification | Clipboard | PromptMark | FolderChanged


ASCII = "B"
SLOTS = "()*+"
"""The byte after ESC that designates G0, G1, G2, G3."""

# pyte's table is the Linux console's: arrows below "_", a shade for the symbol of a newline, a no-break space.
_GRAPHICS = {code: VT100_MAP[code] for code in range(0x60, 0x7F)} | {0x5F: " ", ord("h"): "\u2424"}
_TABLES = {"0": _GRAPHICS, "A": {ord("#"): "£"}}


class Charsets:
    """Four slots and which of them is in use; `table` replaces characters (for `str.translate`), or is None."""

    __slots__ = ("_designated", "_shift", "table")

    def __init__(self, designated: tuple[str, ...] = (ASCII,) * 4, shift: int = 0) -> None:
        self._designated = designated
        self._shift = shift
        self.table: dict[int, str] | None = _TABLES.get(designated[shift])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Charsets) and (self._designated, self._shift) == (other._designated, other._shift)

    def __hash__(self) -> int:
        return hash((self._designated, self._shift))

    @property
    def designated(self) -> tuple[str, ...]:
        """The names of the sets in G0 … G3."""
        return self._designated

    @property
    def shift(self) -> int:
        """Which slot is in use (0–3)."""
        return self._shift

    def with_set(self, slot: int, name: str) -> Charsets:
        """Another set in a slot; sets that are not known are ASCII."""
        name = name if name in _TABLES else ASCII
        return Charsets((*self._designated[:slot], name, *self._designated[slot + 1 :]), self._shift)

    def with_shift(self, slot: int) -> Charsets:
        """Another slot in use."""
        return Charsets(self._designated, slot)


TAB = 8
EVENTS_LIMIT = 1000
"""Events of one chunk; a program that causes more is not meant seriously."""


class SavedCursor(NamedTuple):
    """What DECSC keeps, one per screen."""

    x: int
    y: int
    pending_wrap: bool
    style: Style
    charsets: Charsets
    origin: bool


class Colours(NamedTuple):
    """The terminal's own colours as red, green, blue (0–255), for programs that ask."""

    foreground: tuple[int, int, int]
    background: tuple[int, int, int]
    cursor: tuple[int, int, int]


class TerminalState:
    """One terminal: two screens, a cursor, modes."""

    __slots__ = (
        "bottom", "charsets", "colours", "columns", "cursor_shape", "dirty", "dirty_all", "events",
        "height", "keyboard", "last", "modes", "next_tab", "other_rows", "pending_wrap", "replies", "rows", "saved",
        "scrollback", "special", "style", "tabs", "title", "titles", "top", "x", "y",
    )  # fmt: skip

    def __init__(self, columns: int, height: int, scrollback: int) -> None:
        self.columns = columns
        self.height = height
        self.scrollback = Scrollback(scrollback)
        self.colours: Colours | None = None
        self.title = ""
        self.replies: list[bytes] = []
        """Not yet sent to the program."""
        self.events: list[Event] = []
        """Not yet reported."""
        self.dirty: set[int] = set()
        self.reset()

    def reset(self) -> None:
        """As after power on, the size stays; the scrollback is the caller's."""
        self.style = DEFAULT
        self.rows = self.blank_rows(self.height)
        self.other_rows = self.blank_rows(self.height)
        """Of the screen that is not shown."""
        self.x = self.y = 0
        self.pending_wrap = False
        self.top, self.bottom = 0, self.height - 1
        self.saved: list[SavedCursor | None] = [None, None]
        """Of the primary and of the alternate screen."""
        self.modes = Modes()
        self.keyboard = Keyboard()
        self.charsets = Charsets()
        self.special = False
        """Whether text needs more than being put down: another character set, or insert mode."""
        self.titles: list[str] = []
        self.cursor_shape = 0
        self.last = ""
        """Text whose last character REP repeats."""
        self.set_tabs(set(range(TAB, self.columns, TAB)))
        self.dirty_all = True

    def blank_rows(self, count: int) -> list[CellRow]:
        """Rows in the background that erasing leaves."""
        style = erased(self.style)
        return [blank_row(self.columns, style) for _ in range(count)]

    def set_tabs(self, tabs: set[int]) -> None:
        """Other tab stops, as columns."""
        self.tabs = tabs
        last = following = self.columns - 1
        self.next_tab = [last] * self.columns
        """Column → where a tab goes from it."""
        for column in range(last, -1, -1):
            self.next_tab[column] = following
            if column in tabs:
                following = column

    def set_charsets(self, charsets: Charsets) -> None:
        """Other character sets."""
        self.charsets = charsets
        self.update_special()

    def update_special(self) -> None:
        """After a change of the character sets or of insert mode."""
        self.special = self.charsets.table is not None or self.modes.insert

    def goto(self, x: int, y: int) -> None:
        """Move the cursor; positions outside are clamped, rows count from the top margin in origin mode."""
        self.pending_wrap = False
        self.x = max(0, min(x, self.columns - 1))
        if self.modes.origin:
            self.y = max(self.top, min(y + self.top, self.bottom))
        else:
            self.y = max(0, min(y, self.height - 1))

    def line_feed(self) -> None:
        """One row down; at the bottom margin the region scrolls."""
        self.pending_wrap = False
        if self.y == self.bottom:
            self.scroll_up(self.top, 1)
        elif self.y < self.height - 1:
            self.y += 1

    def scroll_up(self, top: int, count: int) -> None:
        """Rows from `top` to the bottom margin move up; what leaves the primary screen goes to the scrollback."""
        if top == 0 and not self.modes.alternate:
            for row in self.rows[: min(count, self.bottom + 1)]:
                self.scrollback.push(row)
        self.delete_rows(top, count)

    def delete_rows(self, top: int, count: int) -> None:
        """Rows from `top` to the bottom margin move up; the deleted ones are lost."""
        count = min(count, self.bottom - top + 1)
        del self.rows[top : top + count]
        place = self.bottom + 1 - count
        self.rows[place:place] = self.blank_rows(count)
        self.touch(top, self.bottom)

    def insert_rows(self, top: int, count: int) -> None:
        """Rows from `top` to the bottom margin move down; the last ones are lost."""
        count = min(count, self.bottom - top + 1)
        del self.rows[self.bottom + 1 - count : self.bottom + 1]
        self.rows[top:top] = self.blank_rows(count)
        self.touch(top, self.bottom)

    def touch(self, first: int, last: int) -> None:
        """These rows look different now."""
        if first == 0 and last == self.height - 1:
            self.dirty_all = True
        else:
            self.dirty.update(range(first, last + 1))

    def set_title(self, title: str) -> None:
        """The window's title."""
        if title != self.title:
            self.title = title
            self.emit(TitleChanged(title))

    def emit(self, event: Event) -> None:
        """Append an event for those who watch; bells in a row are one."""
        if len(self.events) >= EVENTS_LIMIT or (self.events and event == self.events[-1] == Bell()):
            return
        self.events.append(event)
