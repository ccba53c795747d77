"""A terminal of 120x40 that we own: a program in it, keys to it, and the moment when its screen comes to a state.

Programs send what changed, in pieces and in any order, so nothing is looked for in their bytes: an emulator draws them,
and the screen is looked at. Each piece has the time at which it was read. It is drawn when nothing more waits to be
read, so that the emulator takes no part in the time of any but what is written while it draws: some tenths of a
millisecond for a frame, for all programs alike.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import statistics
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from ptyprocess import PtyProcess

from overmind_core.terminal import screen as emulator
from overmind_core.terminal.cells import Colour

SIZE = (40, 120)
"""Rows, columns."""
PATIENCE = 60.0
CHUNK = 1 << 16
PIECES = 64
"""Read in a row, at most, before they are drawn: a program that never pauses is drawn, too."""
WORLD = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
Found = TypeVar("Found")
State = Callable[[emulator.Screen], Found | None]
"""A look at the screen; None: it is not in that state. Called after each piece that was drawn."""


class Screen:
    """One program; it ends with `end`.

    Attributes:
        shown: What it has drawn so far.
        received: Bytes that it has written so far.
    """

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        world = {**environment, **WORLD}
        rows, columns = SIZE
        self.shown = emulator.Screen(columns, rows)
        self.received = 0
        self.began = time.perf_counter()
        self._process = PtyProcess.spawn(list(argv), env=world, dimensions=SIZE)
        self._fd: int = self._process.fd

    @property
    def pid(self) -> int:
        """The program's."""
        return int(self._process.pid)

    def until(self, state: State[Found]) -> tuple[float, Found]:
        """Wait for a state; return when the piece was read that led to it (perf_counter), and what was found.

        Raises:
            TimeoutError: the screen did not come to it.
        """
        deadline = time.perf_counter() + PATIENCE
        if (already := state(self.shown)) is not None:
            return time.perf_counter(), already
        while time.perf_counter() < deadline:
            reached: list[tuple[float, Found]] = []
            for at, piece in self._pieces(1.0):
                self._draw(piece)
                if not reached and (found := state(self.shown)) is not None:
                    reached.append((at, found))
            if reached:
                return reached[0]
        raise TimeoutError(f"the screen did not come to what was waited for:\n{self.shown.text()}")

    def watch(self, seconds: float) -> None:
        """Draw what is written for a while."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            for _, piece in self._pieces(left):
                self._draw(piece)

    def _draw(self, piece: bytes) -> None:
        self.shown.feed(piece)
        self.received += len(piece)

    def _pieces(self, patience: float) -> list[tuple[float, bytes]]:
        """All that can be read now, each piece with its moment; the first one is waited for."""
        pieces: list[tuple[float, bytes]] = []
        while len(pieces) < PIECES and select.select([self._fd], [], [], 0.0 if pieces else patience)[0]:
            piece = os.read(self._fd, CHUNK)
            pieces.append((time.perf_counter(), piece))
        return pieces

    def press(self, keys: bytes) -> None:
        """Type these."""
        os.write(self._fd, keys)

    def answer(self, key: bytes, state: State[Found]) -> tuple[float, Found]:
        """Return the seconds from a key to a state of the screen, and what was found.

        Raises:
            RuntimeError: the screen was in that state before the key.
            TimeoutError: the screen did not come to it.
        """
        if (before := state(self.shown)) is not None:
            raise RuntimeError(f"{before!r} was on the screen before {key!r}")
        began = time.perf_counter()
        os.write(self._fd, key)
        at, found = self.until(state)
        return at - began, found

    def end(self) -> None:
        """End the program at once: its home is somebody else's."""
        self._process.close(force=True)


@contextlib.contextmanager
def screen(argv: Sequence[str], environment: Mapping[str, str]) -> Iterator[Screen]:
    """A program on a screen for a while."""
    shown = Screen(argv, environment)
    try:
        yield shown
    finally:
        shown.end()


def first_frame(argv: Sequence[str], environment: Mapping[str, str], state: State[Found]) -> float:
    """Seconds from the start of a program until its screen comes to a state."""
    with screen(argv, environment) as shown:
        return shown.until(state)[0] - shown.began


# states


def has_text(text: str) -> State[bool]:
    """The state of a screen with a row that has this text somewhere."""
    return lambda shown: any(text in line for line in shown.lines()) or None


def has_line(text: str) -> State[bool]:
    """The state of a screen with a row that is this text, and blanks around it."""
    return lambda shown: any(text == line.strip() for line in shown.lines()) or None


def has_typed(letter: str) -> State[bool]:
    """The state of a screen whose cursor stands behind this letter, or on it at the end of a row."""

    def state(shown: emulator.Screen) -> bool | None:
        x, y, *_ = shown.cursor
        return letter in shown.line(y)[max(0, x - 1) : x + 1] or None

    return state


class Marked(NamedTuple):
    """A row that has the cursor's background, from its first marked cell to its last."""

    text: str

    @property
    def name(self) -> str:
        """Its first word."""
        return next((word for word in self.text.split() if word[0].isalnum()), "")


class Cursor:
    """The one row of a screen that has the background of a list's cursor: only rows that changed are looked at.

    Args:
        background: Of the row under the cursor.
        names: Of all rows: one that is painted in part has the name of none.
    """

    def __init__(self, background: Colour, names: Collection[str]) -> None:
        self._background = background
        self._names = frozenset(names)
        self._marked: dict[int, str] = {}
        self._at: Marked | None = None

    def find(self, shown: emulator.Screen) -> Marked | None:
        """The row; None while none of the list is marked, or more than one."""
        for y in shown.take_dirty():
            marked = "".join(text for text, style in shown.runs(y) if style.background == self._background)
            self._marked.pop(y, None)
            if marked:
                self._marked[y] = marked
        if len(self._marked) != 1:
            return None
        found = Marked(next(iter(self._marked.values())))
        return found if found.name in self._names else None

    def settle(self, shown: emulator.Screen) -> Marked | None:
        """The state of a screen with a row under the cursor: from there `find_moved` goes."""
        self._at = self.find(shown)
        return self._at

    def find_moved(self, shown: emulator.Screen) -> Marked | None:
        """The state after a key: another row is marked, as far as the one before, and the one before no more."""
        found, before = self.find(shown), self._at
        if found is None or before is None or found.name == before.name or len(found.text) != len(before.text):
            return None
        self._at = found
        return found


# figures


def gap() -> float:
    """Seconds between two keys of a person in a hurry; never in step with anything that ticks."""
    return random.uniform(0.05, 0.15)


def p50_p95(values: Sequence[float]) -> tuple[float, float]:
    """The middle value, and the one that 95 % stay below."""
    return statistics.median(values), statistics.quantiles(values, n=20)[-1]
