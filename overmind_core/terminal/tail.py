"""The screen after the end of an output, and whether the bytes before that end could still show on it.

The end is drawn twice, from two beginnings that are as different as can be: a blank screen with its cursor at the top
left, and one that is full of odd cells with its cursor at the bottom right. Where both come to the same picture, the
beginning does not matter (but for text of wide characters that wraps before anything has said its column). Modes,
margins, character sets and looks are no part of this: `HeadSettings` reads what the bytes before have left of them.
"""

from __future__ import annotations

import re

from overmind_core.terminal.cells import DEFAULT, Style
from overmind_core.terminal.modes import PLAIN_SCREEN
from overmind_core.terminal.render import at
from overmind_core.terminal.screen import Screen, last_of_each
from overmind_core.terminal.sgr import parameters_of, select

_SETTINGS = re.compile(rb"\x1b(?:\[(?:[0-9;]*+[rhlg]|!p)|[*+()].|[Hno|}~c])", re.DOTALL)
_FEW_SETTINGS = re.compile(rb"\x1b(?:\[(?:[0-9;]*+[rhlg]|!p)|[*+()][^B]|[Hno|}~c])", re.DOTALL)
"""The same without what designates ASCII, which many programs do with each change of look."""
_LONGEST = 32
"""Bytes of a setting, about."""
_LOOK = re.compile(rb"\x1b(?:\[([0-9;:]{0,256})m|(8|\[u|\[\?(?:1049|1048)l)|c|\[!p)")
"""SGR; what restores a saved look; what resets it."""
_WINDOW = 4096
"""Bytes in which looks are looked for at once."""
MOST_CELLS = 1 << 20
"""Of a screen that is drawn twice; nobody looks at a larger one."""
_ODD_LOOK = "\x1b[7;3;35m"


class HeadSettings:
    """What an output leaves of margins, character sets, tab stops, insertion, and of the look of text."""

    __slots__ = ("_ansi", "_cut", "_sets", "_shift", "look", "margins", "tabs")

    def __init__(self) -> None:
        self._cut = b""
        self._sets: dict[bytes, bytes] = {}
        self._shift = False
        self._ansi: set[bytes] = set()
        self.margins = b""
        """As DECSTBM has them."""
        self.tabs = False
        self.look: Style | None = DEFAULT
        """Of text; None: nobody knows."""

    def copy(self) -> HeadSettings:
        """The same once more."""
        twin = HeadSettings()
        twin._cut, twin._sets, twin._shift, twin._ansi = self._cut, dict(self._sets), self._shift, set(self._ansi)
        twin.margins, twin.tabs, twin.look = self.margins, self.tabs, self.look
        return twin

    def feed(self, data: bytes) -> None:
        """The next bytes, cut anywhere; what stands in both pieces may be taken twice, and means the same."""
        data = self._cut + data
        found = _FEW_SETTINGS.findall(data)
        if self._sets or any(setting[1] in b"()*+" for setting in found):
            found = _SETTINGS.findall(data)
        for setting in last_of_each(found):
            self._take(setting[1:2], setting[2:-1], setting[-1:])
        outward, inward = data.rfind(b"\x0e"), data.rfind(b"\x0f")
        if outward != inward:
            self._shift = outward > inward
        self.look = look_after(data, self.look)
        escape = data.rfind(b"\x1b", max(len(data) - _LONGEST, 0))
        self._cut = data[escape:] if escape >= 0 else b""

    def resize(self) -> None:
        """The terminal got another size, and its margins with it."""
        self.margins = b""

    def is_initial(self, rows: int) -> bool:
        """Whether nothing is left that would change how later bytes are drawn on a screen of so many rows."""
        return self._has_whole_margins(rows) and not (self._sets or self._shift or self._ansi or self.tabs)

    def _has_whole_margins(self, rows: int) -> bool:
        top, _, bottom = self.margins.partition(b";")
        return int(top or 0) <= 1 and (int(bottom or 0) or rows) >= rows

    def _take(self, kind: bytes, numbers: bytes, final: bytes) -> None:
        """One setting: the byte behind the escape, what stands in the middle, the last byte."""
        if kind == b"[" and final == b"r":
            is_known = numbers.count(b";") <= 1 and len(numbers) < _LONGEST
            self.margins = numbers if is_known else b"2"
        elif kind == b"[" and final in b"hl":
            change = self._ansi.update if final == b"h" else self._ansi.difference_update
            change({b"4", b"20"} & set(numbers.split(b";")))
        elif kind in b"()*+":
            self._sets.pop(kind, None)
            if final != b"B":
                self._sets[kind] = final
        elif final in b"cp":
            self._sets, self._ansi, self._shift, self.margins = {}, set(), False, b""
            self.tabs = self.tabs and final != b"c"
        elif final in b"Hg":
            self.tabs = True
        else:  # a shift of character sets that lasts
            self._shift = True


def look_after(data: bytes, look: Style | None) -> Style | None:
    """The look of text behind these bytes, from that before them; None: that depends on a look that was saved.

    They are read backwards, up to the last time that all was reset.
    """
    found: list[bytes] = []
    end = len(data)
    while end > 0:
        begin = max(end - _WINDOW, 0)
        matches = [one for one in _LOOK.finditer(data, begin, end + _LONGEST) if one.start() < end]
        for match in reversed(matches):
            if match[1] is None:
                return _styled(None if match[2] else DEFAULT, found)
            found.append(match[1])
            if match[1].partition(b";")[0] in {b"", b"0"}:
                return _styled(DEFAULT, found)
        end = begin
    return _styled(look, found)


def _styled(look: Style | None, parameters: list[bytes]) -> Style | None:
    """The look after SGR sequences, of which the last one comes first."""
    for one in reversed(parameters) if look is not None else ():
        look = look.following.get(one.decode()) or select(look, one.decode()) if look else None
    return look


class TailScreen:
    """The screen after the end of an output.

    Args:
        columns: Of the terminal where the end begins.
        rows: The same.
        modes: What sets the modes that the bytes before have left; see `scan_modes`.
        is_whole: There are no bytes before.
        look: Of text where the end begins; None: nobody knows.
        is_sound: `modes` is all that has to be known besides cells, look and cursor.
    """

    def __init__(
        self,
        columns: int,
        rows: int,
        modes: bytes = b"",
        *,
        is_whole: bool = True,
        look: Style | None = DEFAULT,
        is_sound: bool = True,
    ) -> None:
        self.screen = Screen(columns, rows, scrollback=0)
        self._other: Screen | None = None
        self._is_sound = is_sound
        if not is_whole and columns * rows > MOST_CELLS:
            self.screen.feed(modes)
            self._is_sound = False
        elif not is_whole:
            self.screen.feed(modes + _sequence(look or DEFAULT))
            self._other = _opposite(columns, rows, modes, look)

    def copy(self) -> TailScreen:
        """The same once more."""
        twin = TailScreen(1, 1, is_sound=self._is_sound)
        twin.screen = self.screen.copy()
        twin._other = None if self._other is None else self._other.copy()
        return twin

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        self.screen.feed(data)
        if self._other is not None:
            self._other.feed(data)

    def resize(self, columns: int, rows: int) -> None:
        """The terminal got another size."""
        self.screen.resize(columns, rows)
        if self._other is not None:
            self._other.resize(columns, rows)

    def doubt(self) -> None:
        """Bytes are missing between what was fed and what comes."""
        self._is_sound = False

    @property
    def is_settled(self) -> bool:
        """Whether it is certain, and stays so whatever is fed."""
        return self._is_sound and self._other is None

    def is_certain(self) -> bool:
        """Whether the screen shows what the terminal showed, whatever came before the end."""
        if self._other is not None and self.screen.is_same(self._other):
            self._other = None
        return self._is_sound and (self._other is None or self.screen.shows_same(self._other))


def _opposite(columns: int, rows: int, modes: bytes, look: Style | None) -> Screen:
    """A screen that differs from a fresh one with these modes in every cell, the cursor, and what is saved."""
    full = _ODD_LOOK + "".join(at(0, y) + "\u2592" * columns for y in range(rows)) + at(columns - 1, rows - 1)
    saved = f"{full}\x1b7"
    screen = Screen(columns, rows, scrollback=0)
    screen.feed(f"\x1b[?{PLAIN_SCREEN}h{saved}\x1b[?{PLAIN_SCREEN}l{saved}".encode())
    screen.feed(modes + full.encode())
    if look is not None:
        screen.feed(_sequence(look))
    return screen


def _sequence(look: Style) -> bytes:
    """What sets a look, whatever it was before."""
    return f"\x1b[m\x1b[{parameters_of(look)}m".encode()
