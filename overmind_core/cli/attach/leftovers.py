"""What a program has set on the person's terminal, and how to undo that when the person leaves it. Pure.

Most can be reset without knowing whether it was set; the alternate screen and kitty's stack of keyboard flags can't.

Source: XTerm Control Sequences; the kitty keyboard protocol.
"""

from __future__ import annotations

import re

_TELLING = re.compile(rb"\x1b(?:\[\?([0-9;]{1,64})([hl])|\[([<>])([0-9]{0,4})(?:;[0-9]*)?u|(c))")
_CUT = re.compile(rb"\x1b(?:\[[?<>]?[0-9;]{0,64})?")
_LONGEST = 70
"""Bytes of a sequence that `_CUT` may match."""
_ALTERNATE = frozenset((b"47", b"1047", b"1049"))
_MOST_FLAGS = 64
"""Keyboard flags that are taken back; terminals keep fewer."""

_PLAIN = (
    b"\x1b[?2026l"  # whatever waits for its frame's end is shown
    b"\x1b[!p"  # soft reset: margins, origin, insertion, character sets, and the look of text
    b"\x1b7\x1b[r\x1b8"  # margins, where that is not known
    b"\x1b[m\x1b(B\x0f\x1b[4l\x1b[20l\x1b]8;;\x1b\\"
    b"\x1b[?1;5;9;66;67;1000;1001;1002;1003;1004;1005;1006;1007;1015;1016;2004;2031;2048l"
    b"\x1b[?7;25h\x1b>\x1b[0 q\x1b[>4m\x1b[=0u"
)


class Leftovers:
    """Sees everything that the terminal is given."""

    __slots__ = ("_cut", "_flags", "alternate")

    def __init__(self) -> None:
        self.alternate = b""
        """The mode by which the alternate screen was entered; empty on the primary screen."""
        self._flags = 0
        """How often keyboard flags were pushed and not popped."""
        self._cut = b""

    def see(self, data: bytes) -> None:
        """Take note of what matters in `data`, which may be cut anywhere."""
        if self._cut:
            data = self._cut + data
        for private, final, stack, count, reset in _TELLING.findall(data):
            if private:
                self._switched(private.split(b";"), on=final == b"h")
            elif reset:
                self.alternate, self._flags = b"", 0
            else:
                change = 1 if stack == b">" else -int(count or 1)
                self._flags = min(max(self._flags + change, 0), _MOST_FLAGS)
        escape = data.rfind(b"\x1b", -_LONGEST)
        self._cut = data[escape:] if escape >= 0 and _CUT.fullmatch(data, escape) else b""

    def undo(self) -> bytes:
        """What takes the terminal back to how a shell expects it; the cursor stays."""
        flags = b"\x1b[<%du" % self._flags if self._flags else b""
        screen = b"\x1b[?%sl" % self.alternate if self.alternate else b""
        self.alternate, self._flags, self._cut = b"", 0, b""
        return flags + screen + _PLAIN

    def _switched(self, modes: list[bytes], *, on: bool) -> None:
        for mode in modes:
            if mode in _ALTERNATE:
                self.alternate = mode if on else b""
