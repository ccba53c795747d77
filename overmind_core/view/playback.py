"""The playback of a run: its position as time passes and keys are pressed, and the line that shows it. Pure.

Positions are times of the run, in seconds since the epoch. A gap in which nothing changed counts as `idle` seconds at
most, for playing and for steps of seconds.
"""

from __future__ import annotations

from typing import Protocol

from overmind_core.domain.text.cells import width
from overmind_core.domain.text.duration import parse_duration
from overmind_core.domain.text.moment import TimeError, format_clock, parse_time
from overmind_core.view.cells import clipped, safe

IDLE = 2.0
"""Seconds."""
SLOWEST, FASTEST = 1 / 16, 1024.0
SECONDS = 5.0
"""Of a step to the left or right."""
_TENTH = 0.1
_BEGIN_SIGN = "+"


class Timeline(Protocol):
    """The moments of a run, ascending; there is at least one."""

    def __len__(self) -> int: ...

    def wall(self, number: int) -> float:
        """When a moment was, in seconds since the epoch."""
        ...

    def by(self, wall: float) -> int:
        """The number of the last moment that is not after a time; 0 when all are."""
        ...


class Playback:
    """The position in a run.

    Args:
        moments: Of the run.
        now: In seconds of any clock that never goes back, as at every call.
        at: Where it begins; None: at the run's beginning.
        speed: Seconds of the run in a second.
        idle: As above; None: gaps are not cut.
    """

    def __init__(
        self, moments: Timeline, now: float, *, at: float | None = None, speed: float = 1.0, idle: float | None = IDLE
    ) -> None:
        self._moments = moments
        self._now = now
        self._idle = float("inf") if idle is None else idle
        self.speed = speed
        self.is_paused = False
        self.is_growing = False
        """Whether more may follow the last moment."""
        self.number = 0
        """Of the moment that is shown."""
        self.at = 0.0
        """The position."""
        self._from = 0.0
        """Where playing began in the gap behind the moment that is shown."""
        self.go(self.begin if at is None else at)

    @property
    def begin(self) -> float:
        """Where the run begins."""
        return self._moments.wall(0)

    @property
    def end(self) -> float:
        """The last moment."""
        return self._moments.wall(len(self._moments) - 1)

    @property
    def is_at_end(self) -> bool:
        """Whether nothing follows."""
        return self.number == len(self._moments) - 1

    @property
    def cut_gap(self) -> float | None:
        """The seconds in which nothing changes here, where not all of them are played; None: all are."""
        if self.is_at_end:
            return None
        gap = self._moments.wall(self.number + 1) - self._moments.wall(self.number)
        return gap if gap > self._idle else None

    @property
    def idle(self) -> float:
        """How long such a gap is played."""
        return self._idle

    def extend(self, moments: Timeline) -> None:
        """The run has gone on, or has lost its beginning."""
        self._moments = moments
        self.number = moments.by(self.at)

    def tick(self, now: float) -> None:
        """Let time pass."""
        passed, self._now = (now - self._now) * self.speed, now
        if not self.is_paused:
            self._forward(passed)

    def wait(self) -> float | None:
        """Return the seconds up to the next change; None: none comes by itself."""
        return None if self.is_paused or self.is_at_end else max(self._left() / self.speed, 0.0)

    def toggle(self) -> None:
        """Pause, or go on; from the end of what has ended, begin again."""
        if self.is_at_end and not self.is_growing:
            self.go(self.begin)
            self.is_paused = False
        else:
            self.is_paused = not self.is_paused

    def step(self, count: int) -> None:
        """Pause so many changes later, or earlier."""
        self.is_paused = True
        self.number = min(max(self.number + count, 0), len(self._moments) - 1)
        self.at = self._from = self._moments.wall(self.number)

    def move(self, seconds: float) -> None:
        """Go forward, or back."""
        if seconds > 0:
            self._forward(seconds)
        else:
            self._back(-seconds)
        self._from = self.at

    def go(self, wall: float) -> None:
        """Go to a time of the run, or to its nearest end."""
        self.at = self._from = min(max(wall, self.begin), self.end)
        self.number = self._moments.by(self.at)

    def change_speed(self, factor: float) -> None:
        """Play faster, or slower."""
        self.speed = min(max(self.speed * factor, SLOWEST), FASTEST)

    def _left(self) -> float:
        """Seconds of the run that are played up to the next moment."""
        left = self._moments.wall(self.number + 1) - self.at
        return min(left, max(self._from + self._idle - self.at, 0.0))

    def _forward(self, seconds: float) -> None:
        while not self.is_at_end:
            left = self._left()
            if seconds < left:
                self.at += seconds
                return
            seconds -= left
            self.number += 1
            self.at = self._from = self._moments.wall(self.number)

    def _back(self, seconds: float) -> None:
        while True:
            start = self._moments.wall(self.number)
            self.at = min(self.at, start + self._idle)
            if seconds <= self.at - start:
                self.at -= seconds
                return
            seconds -= self.at - start
            if self.number == 0:
                self.at = start
                return
            self.number, self.at = self.number - 1, start


def parse_position(text: str, begin: float, now: float) -> float:
    """Return the time that a person means: `+10m` behind the beginning, else as `parse_time` reads it.

    Raises:
        TimeError: it is something else.
    """
    written = text.strip()
    if not written.startswith(_BEGIN_SIGN):
        return parse_time(written, now)
    try:
        return begin + parse_duration(written.removeprefix(_BEGIN_SIGN))
    except ValueError:
        raise TimeError(text, "a time: write how long after the beginning as +10m") from None


def played_span(seconds: float) -> str:
    """A position or length: `4m12s`, `1h02m03s`, `0.4s`, `20ms`."""
    if 0 < seconds < _TENTH:
        return f"{seconds * 1000:.0f}ms"
    tenths = max(int(seconds * 10), 0)
    whole = tenths // 10
    if whole >= 3600:  # noqa: PLR2004 - an hour
        return f"{whole // 3600}h{whole // 60 % 60:02}m{whole % 60:02}s"
    return f"{whole // 60}m{whole % 60:02}s" if whole >= 60 else f"{whole}.{tenths % 10}s"  # noqa: PLR2004 - a minute


def speed_word(speed: float) -> str:
    """A speed: `4x`, `0.5x`."""
    return f"{speed:.4g}x"


HINTS = "space pause  , . step  ←→ 5s  <> speed  g time  q end"


def position_line(playback: Playback, title: str, notes: list[str], now: float, columns: int) -> str:
    """The line below the picture, `columns` wide.

    Args:
        playback: Where it is.
        title: Mission and run.
        notes: Said behind it, the most important first.
        now: In seconds since the epoch.
        columns: Of the line.
    """
    position = f"+{played_span(playback.at - playback.begin)} of {played_span(playback.end - playback.begin)}"
    parts = [safe(title), format_clock(playback.at, now), position, speed_word(playback.speed)]
    if playback.is_paused:
        parts.append("paused")
    if (gap := playback.cut_gap) is not None:
        parts.append(f"idle {played_span(gap)}, cut to {played_span(playback.idle)}")
    line = " " + " · ".join([*parts, *notes])
    room = columns - width(line) - 3
    if room >= width(HINTS):
        return line + " " * (columns - width(line) - width(HINTS) - 1) + HINTS + " "
    return clipped(line, columns) + " " * max(columns - width(line), 0)
