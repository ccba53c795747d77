"""A viewer's own terminal, lent to the keeper: keys are read from it and output is written to it without the viewer.

A key and its echo then wake one process twice, not two. The viewer offers its terminal when nothing is on its way to
it, and gets it back, with a frame, as soon as anything but plain keys and short echoes comes: the beginning of a
sequence, a detach key, a flood, a terminal that does not take what is written, a viewer that is stopped or in the
background. From then on everything goes through frames again, until the next offer. Nothing is ever queued here.
"""

from __future__ import annotations

import re

from overmind_core.keeper.loop import READ
from overmind_core.system.controlling_terminal import ControllingTerminal
from overmind_core.wire.keeper import keys_frame, returned_frame, shown_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from overmind_core.keeper.loop import Loop

    class Terminal(Protocol):
        """A terminal that somebody else sits at."""

        def fileno(self) -> int:
            """Return its descriptor."""

        def is_in_foreground(self) -> bool:
            """Whether it may be used now."""

        def read(self) -> bytes:
            """Take what was typed. Raises OSError."""

        def write(self, data: bytes) -> int:
            """Write as many of the bytes as it takes; return how many. Raises OSError."""

        def close(self) -> None:
            """Let go of it."""

    class Lender(Protocol):
        """The viewer in front of the terminal."""

        def is_there(self) -> bool:
            """Whether it has not hung up."""

        def type(self, data: bytes) -> None:
            """Pass plain keys on to the run."""

        def send(self, frame: bytes) -> None:
            """Send the viewer a frame."""

        def on_returned(self) -> None:
            """The terminal is the viewer's again; a frame says so to it."""


ECHO_LIMIT = 1 << 14
"""Bytes shown for one key; a run that writes more is not answering keys, and its viewer does the work."""
FRESH = 0.001
"""Seconds for which a look at the viewer's process counts when something is shown. A key is always preceded by one.

Long enough for the echo of a key, and shorter than a shell needs to notice that attach was stopped and to write its
prompt, behind which nothing may be shown.
"""
MOST_LENT = 16
"""Terminals lent at once: two descriptors each, within the keeper's reserve."""
ESC = b"\x1b"
_CURSOR_KEYS = re.compile(rb"(?:\x1b[\[O][A-DFH]|\x1b\[[1-8]~)+")
"""Arrows, Home, End, Insert, Delete, Page Up, Page Down, each whole: never a detach key, a paste or a report."""
CUT_LIMIT = 70
"""Bytes after an escape within which what it begins may end: a viewer has to see them, too (`TerminalRestore`)."""


class LentTerminals:
    """The terminals that are lent now, and how many more may be."""

    __slots__ = ("_lent", "_most")

    def __init__(self, most: int = MOST_LENT) -> None:
        self._most = most
        self._lent = 0

    def open(self, pid: int, identity: tuple[int, int]) -> ControllingTerminal:
        """Open the terminal that a viewer's process sits at; count it. Raises OSError."""
        if self._lent >= self._most:
            raise BlockingIOError("too many terminals are lent")
        terminal = ControllingTerminal(pid, identity)
        self._lent += 1
        return terminal

    def close(self, terminal: Terminal) -> None:
        """Close one that was opened here."""
        terminal.close()
        self._lent -= 1


class LentTerminal:
    """One terminal while it is lent: a source of the loop."""

    __slots__ = ("_allowance", "_close", "_lender", "_looked", "_loop", "_since_escape", "_special", "_terminal")

    def __init__(
        self, lender: Lender, terminal: Terminal, loop: Loop, *, special: bytes, close: Callable[[Terminal], None]
    ) -> None:
        """`special`: bytes that only the viewer understands; `close` closes `terminal`.

        Raises:
            OSError: it can't be waited for; it was closed.
        """
        self._lender = lender
        self._terminal = terminal
        self._loop = loop
        self._special = special + ESC
        self._close = close
        self._allowance = ECHO_LIMIT
        self._looked = loop.mono
        self._since_escape = 0
        """Bytes shown since the last escape; when lent, the viewer may have seen the beginning of a sequence."""
        try:
            loop.watch(terminal.fileno(), READ, self)
            loop.prefer(terminal.fileno(), on=True)
        except OSError:
            self.close()
            raise

    def ready(self, _events: int) -> None:
        """Pass plain keys on to the run; leave everything else to the viewer."""
        if not self._may_use():
            self.give_back()
            return
        try:
            data = self._terminal.read()
        except BlockingIOError:
            return
        except OSError:  # it is gone, as the viewer will notice
            data = b""
        if not data:
            self.give_back()
        elif len(data.translate(None, self._special)) == len(data) or _CURSOR_KEYS.fullmatch(data):
            self._allowance = ECHO_LIMIT
            self._lender.type(data)
        else:
            self._lender.send(keys_frame(data))
            self.give_back()

    def failed(self) -> None:
        """Something in here broke."""
        self.give_back()

    def show(self, data: bytes) -> bytes:
        """Write output; return what is left of it for the viewer, who has its terminal back then."""
        self._allowance -= len(data)
        stale = self._loop.mono - self._looked > FRESH
        if self._allowance < 0 or (stale and not self._may_use()):
            self.give_back()
            return data
        try:
            written = self._terminal.write(data)
        except OSError:
            written = 0
        if written:
            self._report(data[:written])
        if written < len(data):
            self.give_back()
        return data[written:]

    def give_back(self) -> None:
        """Stop using the terminal, and tell the viewer; again is harmless."""
        if self._terminal.fileno() >= 0:
            self.close()
            self._lender.on_returned()
            self._lender.send(returned_frame())

    def close(self) -> None:
        """Stop using the terminal: the viewer is gone."""
        fd = self._terminal.fileno()
        if fd >= 0:
            self._loop.forget(fd)
            self._loop.prefer(fd, on=False)
            self._close(self._terminal)

    def _may_use(self) -> bool:
        """Whether the viewer's process is there, sits at its terminal, and has not hung up."""
        self._looked = self._loop.mono
        return self._terminal.is_in_foreground() and self._lender.is_there()

    def _report(self, shown: bytes) -> None:
        """Have the viewer see what sets modes, for it resets them at the end."""
        at = shown.rfind(ESC)
        if at >= 0 or self._since_escape < CUT_LIMIT:
            self._lender.send(shown_frame(shown))
        self._since_escape = len(shown) - at if at >= 0 else self._since_escape + len(shown)
