"""A view that is drawn again and again until ctrl-c."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

INTERVAL = 1.0
"""Seconds between two drawings."""
_CLEAR = "\x1b[2J"
_HOME = "\x1b[H"
_REST_OF_LINE = "\x1b[K"
_REST_OF_SCREEN = "\x1b[J"


def redraw(draw: Callable[[], str]) -> NoReturn:
    """Show what `draw` returns, each second: in place on a terminal, below each other in a pipe."""
    screen = sys.stdout.isatty()
    if screen:
        sys.stdout.write(_CLEAR)
    while True:
        text = draw()
        sys.stdout.write(_in_place(text) if screen else f"{text}\n")
        sys.stdout.flush()
        time.sleep(INTERVAL)


def _in_place(text: str) -> str:
    """Overwrite the last drawing line by line: clearing first would flicker."""
    lines = text.split("\n")[: os.get_terminal_size(sys.stdout.fileno()).lines - 1]
    return _HOME + "".join(f"{line}{_REST_OF_LINE}\r\n" for line in lines) + _REST_OF_SCREEN
