"""The progress of something that takes a while, on stderr: a line in place on a terminal, else a line per long step."""

from __future__ import annotations

import os
import sys
import time

from overmind_core.domain.text.cells import cut, display_safe, width
from overmind_core.domain.text.duration import format_uptime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Clock = Callable[[], float]

REPORT_AFTER = 1.0
"""Seconds from which on a step is worth a line of its own, or its time a word."""


_COLOUR = "33"
"""SGR number of what is not there yet, see ECMA-48."""


_COLUMNS = 80
"""Of a terminal that does not know its size."""
_CLEAR_TO_END = "\x1b[K"


class Progress:
    """Progress for a pipe: a line for each step that turns out to take long.

    Args:
        title: What it is about, such as `Preparing brave-otter`.
        clock: Seconds of a monotonic clock.
    """

    def __init__(self, title: str, clock: Clock = time.monotonic) -> None:
        self._title = display_safe(title)
        self._clock = clock
        self._step = ""
        self._since = clock()
        self._reported = ""

    def step(self, text: str) -> None:
        """This is going on now; a share at its end, as in `pulling redis 40 %`, makes it no other step."""
        before = self._step
        self._step = display_safe(text)
        if _step_name(before) != _step_name(self._step):
            self._since = self._clock()

    def tick(self) -> None:
        """Time has passed."""
        if self._step and _step_name(self._step) != self._reported and self._clock() - self._since >= REPORT_AFTER:
            self._reported = _step_name(self._step)
            sys.stderr.write(f"{self._title}: {self._reported}\n")
            sys.stderr.flush()

    def close(self) -> None:
        """It is over, one way or the other."""


class LiveProgress(Progress):
    """Progress for a terminal: the step that is going on, in one line that is written over."""

    def __init__(self, title: str, clock: Clock = time.monotonic, *, colour: bool) -> None:
        super().__init__(title, clock)
        self._begin = f"\x1b[{_COLOUR}m{self._title}\x1b[0m" if colour else self._title
        self._began = clock()
        self._shown = ""

    def step(self, text: str) -> None:
        """Show it at once."""
        super().step(text)
        self.tick()

    def tick(self) -> None:
        """Show for how long it has been going on."""
        seconds = self._clock() - self._began
        parts = [f": {self._step}" if self._step else "", f"  {format_uptime(seconds)}" if seconds >= 1 else ""]
        columns = os.get_terminal_size(sys.stderr.fileno()).columns or _COLUMNS
        room = columns - 1 - width(self._title)
        line = f"{self._begin}{cut(''.join(parts), max(room, 0))}"
        if line != self._shown:
            self._shown = line
            sys.stderr.write(f"\r{line}{_CLEAR_TO_END}")
            sys.stderr.flush()

    def close(self) -> None:
        """Leave an empty line to whoever writes next."""
        sys.stderr.write(f"\r{_CLEAR_TO_END}")
        sys.stderr.flush()


def progress_of(title: str, environ: Mapping[str, str]) -> Progress:
    """Return the progress of `title` for whoever reads stderr."""
    if not sys.stderr.isatty() or environ.get("TERM") == "dumb":
        return Progress(title)
    return LiveProgress(title, colour=not environ.get("NO_COLOR"))


def _step_name(step: str) -> str:
    """Return the step without the share of it that is done."""
    words = step.split()
    if words and words[-1] == "%":
        words = words[:-2]
    elif words and words[-1].endswith("%"):
        words = words[:-1]
    return " ".join(words)
