"""The modes that a program has set, by their numbers, and what they mean for those who ask.

Source: XTerm Control Sequences, "DEC Private Mode Set (DECSET)" and "Set Mode (SM)".
"""

from __future__ import annotations

INSERT, NEW_LINE = 4, 20
"""ANSI modes."""

APPLICATION_CURSOR, REVERSE_VIDEO, ORIGIN, WRAPAROUND, X10_MOUSE = 1, 5, 6, 7, 9
BLINKING_CURSOR, SHOW_CURSOR, NUMERIC_KEYPAD, BACKSPACE_KEY = 12, 25, 66, 67
CLICKS, DRAGS, MOTION, FOCUS_EVENTS = 1000, 1002, 1003, 1004
MOUSE_UTF8, MOUSE_SGR, ALTERNATE_SCROLL, MOUSE_URXVT = 1005, 1006, 1007, 1015
BRACKETED_PASTE, SYNCHRONIZED = 2004, 2026
SAVE_CURSOR = 1048
SAVING_SCREEN, CLEARING_SCREEN, PLAIN_SCREEN = 1049, 1047, 47

ALTERNATE_SCREENS = frozenset((SAVING_SCREEN, CLEARING_SCREEN, PLAIN_SCREEN))
MOUSE = frozenset((X10_MOUSE, CLICKS, DRAGS, MOTION))
"""Only one of them holds at a time."""
MOUSE_ENCODINGS = frozenset((MOUSE_UTF8, MOUSE_SGR, MOUSE_URXVT))
"""Only one of them holds at a time."""
INITIAL = frozenset((WRAPAROUND, SHOW_CURSOR))
KNOWN = (
    frozenset((
        APPLICATION_CURSOR, REVERSE_VIDEO, ORIGIN, WRAPAROUND, BLINKING_CURSOR, SHOW_CURSOR, NUMERIC_KEYPAD,
        BACKSPACE_KEY, FOCUS_EVENTS, ALTERNATE_SCROLL, SAVE_CURSOR, BRACKETED_PASTE, SYNCHRONIZED,
    ))
    | ALTERNATE_SCREENS | MOUSE | MOUSE_ENCODINGS
)  # fmt: skip
"""The private modes that DECRQM is answered for."""
KNOWN_ANSI = frozenset((INSERT, NEW_LINE))

COUNT_LIMIT = 64
"""Private modes remembered; those that exist are fewer."""


class Modes:
    """The modes of one screen. Others read it; only what the program writes changes it."""

    __slots__ = ("_ansi", "_private", "alternate")

    def __init__(self) -> None:
        self.alternate = False
        """Whether the alternate screen is shown."""
        self._private = set(INITIAL)
        self._ansi: set[int] = set()

    @property
    def private(self) -> frozenset[int]:
        """The numbers of the DEC private modes that are set, unknown ones too."""
        return frozenset(self._private)

    @property
    def mouse(self) -> int:
        """What is reported of the mouse: 0 nothing, 9 or 1000 clicks, 1002 also drags, 1003 every motion."""
        return next(iter(self._private & MOUSE), 0)

    @property
    def mouse_encoding(self) -> int:
        """How it is reported: 0 (X11), 1005 (UTF-8), 1006 (SGR) or 1015 (urxvt)."""
        return next(iter(self._private & MOUSE_ENCODINGS), 0)

    @property
    def mouse_sgr(self) -> bool:
        """Whether the mouse is reported in SGR form (1006)."""
        return MOUSE_SGR in self._private

    @property
    def application_cursor(self) -> bool:
        """Whether arrow keys send SS3 sequences (1)."""
        return APPLICATION_CURSOR in self._private

    @property
    def application_keypad(self) -> bool:
        """Whether the keypad sends SS3 sequences (ESC =, or 66)."""
        return NUMERIC_KEYPAD in self._private

    @property
    def backspace_deletes(self) -> bool:
        """Whether the backspace key sends DEL, as it does unless a program asks for BS (67)."""
        return BACKSPACE_KEY not in self._private

    @property
    def bracketed_paste(self) -> bool:
        """Whether a paste is marked (2004)."""
        return BRACKETED_PASTE in self._private

    @property
    def focus_events(self) -> bool:
        """Whether gaining and losing the focus is reported (1004)."""
        return FOCUS_EVENTS in self._private

    @property
    def alternate_scroll(self) -> bool:
        """Whether the wheel sends arrow keys on the alternate screen (1007)."""
        return ALTERNATE_SCROLL in self._private

    @property
    def synchronized(self) -> bool:
        """Whether the program is in the middle of a frame (2026): painting may wait, 150 ms at most."""
        return SYNCHRONIZED in self._private

    @property
    def reverse_video(self) -> bool:
        """Whether the whole screen is shown reversed (5)."""
        return REVERSE_VIDEO in self._private

    @property
    def cursor_visible(self) -> bool:
        """Whether the cursor is shown (25)."""
        return SHOW_CURSOR in self._private

    @property
    def wraparound(self) -> bool:
        """Whether text goes on in the next row (7)."""
        return WRAPAROUND in self._private

    @property
    def origin(self) -> bool:
        """Whether positions count from the top margin (6)."""
        return ORIGIN in self._private

    @property
    def insert(self) -> bool:
        """Whether text pushes what stands there to the right (ANSI 4)."""
        return INSERT in self._ansi

    @property
    def new_line(self) -> bool:
        """Whether a line feed also returns, and Enter sends both (ANSI 20)."""
        return NEW_LINE in self._ansi

    def is_same(self, other: Modes) -> bool:
        """Whether the same modes are set."""
        return (self._private, self._ansi, self.alternate) == (other._private, other._ansi, other.alternate)

    def set_private(self, mode: int, *, on: bool) -> None:
        """Note a private mode; a mouse mode or encoding takes the place of the one before."""
        for group in (MOUSE, ALTERNATE_SCREENS, MOUSE_ENCODINGS if on else frozenset[int]()):
            if mode in group:
                self._private -= group
        if not on:
            self._private.discard(mode)
        elif len(self._private) < COUNT_LIMIT:
            self._private.add(mode)

    def set_ansi(self, mode: int, *, on: bool) -> None:
        """Note an ANSI mode; unknown ones are ignored."""
        if mode in KNOWN_ANSI:
            (self._ansi.add if on else self._ansi.discard)(mode)

    def reset_softly(self) -> None:
        """DECSTR: what would confuse the next program is as at the beginning."""
        self._private -= {ORIGIN, APPLICATION_CURSOR, NUMERIC_KEYPAD}
        self._private |= INITIAL
        self._ansi.discard(INSERT)
