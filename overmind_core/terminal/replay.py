r"""A screen from the end of a log, since a program that has run for days wrote more than anybody wants to read.

What was drawn before is drawn anew by the program once it is told another size and the old one again. Modes are not:
so they are looked for in the bytes before (`scan_modes`, fast), and set first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from overmind_core.terminal import modes
from overmind_core.terminal.screen import SCROLLBACK, Screen

TAIL = 256 * 1024
"""Bytes of the end that are enough for nearly every program (25 ms)."""
UNFINISHED_LIMIT = 64
"""Bytes of an unfinished sequence that are carried over."""
_SWITCH = re.compile(rb"\x1b(?:\[\?([0-9;]{1,64})([hl])|([=>c])|\[!(p))")
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-?!]{0,62})?\Z")
_SAFE = re.compile(rb"[\x1b\r\n]")


def scan_modes(chunks: Iterable[bytes]) -> bytes:
    """What sets the private modes that these bytes, from the beginning of the log on, leave set.

    The result stands for the bytes: before later ones it can be scanned again. It ends with the beginning of a
    sequence when the bytes do.
    """
    found = modes.Modes()
    carried = b""
    for chunk in chunks:
        data = carried + chunk
        for switch in _SWITCH.finditer(data):
            found = _after(found, switch)
        unfinished = _UNFINISHED.search(data, max(0, len(data) - UNFINISHED_LIMIT))
        carried = unfinished[0] if unfinished else b""
    return _preamble(found) + carried


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
    """Where reading can begin in bytes that were cut anywhere: at an escape or a line end; at the end without one."""
    found = _SAFE.search(tail)
    return found.start() if found else len(tail)


def _after(found: modes.Modes, switch: re.Match[bytes]) -> modes.Modes:
    """The modes after one sequence."""
    numbers, final, simple, soft = switch.groups()
    if numbers is not None:
        for number in numbers.split(b";"):
            _set(found, int(number[:6] or 0), on=final == b"h")
    elif simple == b"c":
        return modes.Modes()
    elif soft:
        found.reset_softly()
    else:
        found.set_private(modes.NUMERIC_KEYPAD, on=simple == b"=")
    return found


def _set(found: modes.Modes, mode: int, *, on: bool) -> None:
    if mode != modes.SAVE_CURSOR:
        found.set_private(mode, on=on)


def _preamble(found: modes.Modes) -> bytes:
    """The alternate screen first: what follows belongs to it."""
    on = found.private - modes.INITIAL
    ordered = [*sorted(on & modes.ALTERNATE_SCREENS), *sorted(on - modes.ALTERNATE_SCREENS)]
    off = sorted(modes.INITIAL - found.private)
    return b"".join([b"\x1b[?%dh" % mode for mode in ordered] + [b"\x1b[?%dl" % mode for mode in off])
