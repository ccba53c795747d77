"""The player of a replay: a run's pictures on the person's terminal, keys, and the line below.

Only cells of our own emulator are drawn, never what a program wrote.
"""

from __future__ import annotations

import re
import select
import signal
import time

from overmind_core.cli.attach.keys import KeyFilter
from overmind_core.cli.attach.local_terminal import ENDING, IN
from overmind_core.cli.output import size
from overmind_core.domain.text.cells import cut, display_safe, pad
from overmind_core.logs.screen_history import Progress
from overmind_core.terminal.render import at
from overmind_core.view.playback import SECONDS, parse_position, position_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from overmind_core.cli.attach.local_terminal import Signals, Terminal
    from overmind_core.cli.missions.recording import Recording
    from overmind_core.terminal.screen import Screen
    from overmind_core.view.playback import Playback

    Json = dict[str, Any]

_ENTER = b"\x1b[?1049h\x1b[?7l\x1b[?25l\x1b[2J"
"""Its own screen, where no row wraps."""
_BEGIN, _END = "\x1b[?2026h\x1b[?25l", "\x1b[?2026l"
_FRAME = 0.02
"""Seconds between two pictures, at least."""
_CLOCK = 0.25
"""Seconds after which the line is looked at while it plays."""
_LOOK = 0.5
"""Seconds after which the log of a run that goes on is looked at."""
_SIGNALLED = 128
_KEY = re.compile(rb"\x1b\[[0-9;]*[A-Za-z~]|\x1bO.|[\x00-\x7f]|[\xc0-\xff][\x80-\xbf]*|.", re.DOTALL)
_NAMES = {
    b" ": "space", b",": "back", b".": "on", b"<": "slower", b">": "faster", b"g": "time", b"q": "leave",
    b"\x1b": "leave", b"\x03": "leave", b"\x1a": "stop", b"\r": "enter", b"\n": "enter", b"\x7f": "erase",
    b"\x08": "erase",
    **{start + final: name for start in (b"\x1b[", b"\x1bO")
       for final, name in ((b"D", "left"), (b"C", "right"), (b"H", "begin"), (b"F", "end"))},
    b"\x1b[1~": "begin", b"\x1b[4~": "end",
}  # fmt: skip
"""Key → its name."""
_LONGEST = 40
"""Characters of a time that is typed."""


class ReplayPlayer:
    """Plays a run until the person leaves.

    Args:
        terminal: The person's.
        signals: Those of this process.
        recording: The run.
        playback: Where it is.
        described: Asks the daemon for the run as it is now; None: nobody knows.
    """

    def __init__(
        self,
        terminal: Terminal,
        signals: Signals,
        recording: Recording,
        playback: Playback,
        described: Callable[[], Json | None],
    ) -> None:
        self._terminal = terminal
        self._signals = signals
        self._recording = recording
        self._playback = playback
        self._described = described
        self._keys = KeyFilter(())
        self._status: int | None = None
        self._shown: list[str] = []
        """The rows that stand on the terminal."""
        self._typed: str | None = None
        """A time that is being typed."""
        self._wrong = ""
        """What is wrong with the one that was."""
        self._is_certain = True
        self._pictured = -1
        """The moment whose picture stands there."""
        self._works = False
        """Whether its picture can be made certain."""
        self._looked_at = 0.0
        self._is_running: bool | None = None
        """Whether the run goes on, as the daemon said when its end was reached; None: it did not say."""
        self._acts: dict[str, Callable[[], None]] = {
            "space": playback.toggle,
            "back": lambda: playback.step(-1),
            "on": lambda: playback.step(1),
            "left": lambda: playback.move(-SECONDS),
            "right": lambda: playback.move(SECONDS),
            "slower": lambda: playback.change_speed(0.5),
            "faster": lambda: playback.change_speed(2.0),
            "begin": lambda: playback.go(playback.begin),
            "end": lambda: playback.go(playback.end),
            "time": lambda: self._ask(""),
            "leave": lambda: self._leave(0),
            "stop": self._stop,
        }
        playback.is_growing = not recording.has_ended

    def play(self) -> int:
        """Play; return the exit status."""
        with self._terminal:
            self._terminal.write(_ENTER)
            while self._status is None:
                self._look_for_more()
                if not self._terminal.behind:
                    self._show()
                self._wait()
                self._playback.tick(time.monotonic())
            return self._status

    # time

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(IN, select.POLLIN)
        poll.register(self._signals.fileno(), select.POLLIN)
        if self._terminal.behind:
            poll.register(self._terminal.out, select.POLLOUT)
        patience = self._patience()
        came = dict(poll.poll(None if patience is None else patience * 1000))
        self._terminal.flush()
        if self._signals.fileno() in came:
            self._handle_signals()
        if IN in came:
            self._press(self._keys.feed(self._terminal.read()))
        elif self._keys.timeout is not None and not came:
            self._press(self._keys.tick())
        if self._terminal.lost:
            self._leave(_SIGNALLED + signal.SIGHUP)
        elif not came and self._works:
            self._works = self._recording.work(self._playback.number) is not Progress.OVER

    def _patience(self) -> float | None:
        """Seconds after which something is to be done whatever comes."""
        playback = self._playback
        waits = [self._keys.timeout]
        if self._works:
            waits.append(0.0)
        if (change := playback.wait()) is not None:
            waits.append(min(max(change, _FRAME), _CLOCK))
        elif playback.is_at_end and playback.is_growing:
            waits.append(_LOOK)
        return min((wait for wait in waits if wait is not None), default=None)

    def _look_for_more(self) -> None:
        """At the end of what was written, look whether there is more, and whether more can come."""
        now, playback = time.monotonic(), self._playback
        if not (playback.is_at_end and playback.is_growing) or now < self._looked_at + _LOOK:
            return
        self._looked_at = now
        run = self._described()
        if self._recording.grow(run):
            playback.extend(self._recording.moments)
        elif run is not None and self._recording.has_ended:
            playback.is_growing = False
        self._is_running = None if run is None else not self._recording.has_ended

    def _handle_signals(self) -> None:
        numbers = self._signals.take()
        for number in numbers:
            if number in ENDING:
                self._leave(_SIGNALLED + number)
        if self._status is not None:
            return
        if signal.SIGTSTP in numbers:
            self._stop()
        elif signal.SIGCONT in numbers:  # somebody stopped us who asks nobody
            self._terminal.make_raw()
            self._terminal.write(_ENTER)
            self._shown.clear()
        elif signal.SIGWINCH in numbers:
            self._terminal.write(b"\x1b[2J")
            self._shown.clear()

    def _leave(self, status: int) -> None:
        self._status = status

    def _stop(self) -> None:
        """Give the terminal back, stop, and take it again once somebody continues us."""
        self._terminal.__exit__(None, None, None)
        self._signals.stop()
        self._signals.take()
        self._terminal.__enter__()
        self._terminal.write(_ENTER)
        self._shown.clear()

    # keys

    def _press(self, data: bytes) -> None:
        for key in _KEY.findall(data):
            name = _NAMES.get(key, "")
            self._wrong = ""
            if self._typed is not None and key not in {b"\x03", b"\x1a"}:
                self._type(key, name)
            elif name in self._acts:
                self._acts[name]()

    def _ask(self, text: str) -> None:
        self._typed = text

    def _type(self, key: bytes, name: str) -> None:
        """A key while a time is typed."""
        text = self._typed or ""
        if key == b"\x1b":
            self._typed = None
        elif name == "erase":
            self._typed = text[:-1]
        elif name == "enter":
            self._typed = None
            self._go(text)
        elif (typed := key.decode("utf-8", "replace")).isprintable():
            self._typed = (text + typed)[:_LONGEST]

    def _go(self, text: str) -> None:
        if not text.strip():
            return
        try:
            self._playback.go(parse_position(text, self._playback.begin, time.time()))
        except ValueError as error:
            self._wrong = str(error)

    # pictures

    def _show(self) -> None:
        """Draw what has changed."""
        columns, rows = self._terminal.size()
        room = rows - 1
        picture = self._recording.picture(self._playback.number, columns, max(room, 1))
        if picture.is_certain or self._playback.number != self._pictured:
            self._works = not picture.is_certain
        self._is_certain, self._pictured = picture.is_certain, self._playback.number
        screen = picture.screen
        top = max(min(screen.cursor.y + 1, screen.rows) - room, 0)
        shown = range(top, min(screen.rows, top + room))
        drawn = [screen.seen(y, columns, colours=self._recording.colours) for y in shown]
        drawn += [""] * (room - len(drawn))
        drawn.append(f"\x1b[7m{self._line(columns, screen)}\x1b[m")
        x, y = screen.cursor.x, screen.cursor.y - top
        is_seen = screen.cursor.visible and x < columns and y < room and self._typed is None
        self._draw(drawn, f"{at(x, y)}\x1b[?25h" if is_seen else "")

    def _draw(self, rows: list[str], cursor: str) -> None:
        """Draw the rows that are not there yet, and the cursor."""
        changed = [
            f"{at(0, y)}\x1b[m\x1b[2K{row}"
            for y, row in enumerate(rows)
            if y >= len(self._shown) or row != self._shown[y]
        ]
        self._shown = rows
        if changed:
            self._terminal.write(f"{_BEGIN}{''.join(changed)}{cursor}{_END}".encode("utf-8", "replace"))

    def _line(self, columns: int, screen: Screen) -> str:
        if self._typed is not None:
            return _padded(f" time: {self._typed}_   +10m from the beginning, 10m ago, 14:30 · esc goes back", columns)
        if self._wrong:
            return _padded(f" {display_safe(self._wrong)}", columns)
        recording, playback = self._recording, self._playback
        notes: list[str] = []
        if removed := recording.removed:
            notes.append(f"the first {size(sum(removed.values()))} are gone")
        elif not self._is_certain:
            notes.append(f"approximate, {recording.share(playback.number):.0%} drawn")
        if playback.is_at_end:
            notes.append(self._end_word())
        if screen.columns > columns:
            notes.append(f"{screen.columns}x{screen.rows}, cut")
        title = f"{recording.name} · run {recording.number}"
        return position_line(playback, title, notes, time.time(), columns)

    def _end_word(self) -> str:
        if self._recording.has_ended:
            return "end"
        return "still running" if self._is_running else "end of what is written"


def _padded(line: str, columns: int) -> str:
    return pad(cut(line, columns), columns)
