"""What an agent is doing, as far as its output, its hooks or its terminal tell: for people who wonder whom to help."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Doing(StrEnum):
    """The closed set that every face shows beside a status."""

    WORKING = "working"
    IDLE = "idle"
    """The turn is over: it is the person's turn."""
    WAITING = "waiting"
    """A person must answer before it can go on."""
    LIMITED = "limited"
    """Held up by a rate limit, an overload or missing credit."""
    UNKNOWN = "unknown"


class Need(StrEnum):
    """What a waiting agent wants from a person."""

    PERMISSION = "permission"
    QUESTION = "question"
    PLAN = "plan"
    SETUP = "setup"
    """A dialog of the program's own before it begins: trust, login, key. Only its own keys answer it."""


class Source(StrEnum):
    """Who said so, best first."""

    STREAM = "stream"
    HOOK = "hook"
    TITLE = "title"
    TERMINAL = "terminal"


@dataclass(frozen=True, slots=True)
class Activity:
    """What it is doing, since when (seconds since the epoch), and who says so."""

    doing: Doing = Doing.UNKNOWN
    since: float = 0.0
    source: Source = Source.STREAM
    now: str = ""
    """One line: the question, the last tool call, the last text."""
    need: Need | None = None
    attempt: int = 0
    """While limited: how often the agent has tried by itself."""
    resume_at: float | None = None
    """While limited: when it tries again, or when the limit ends; seconds since the epoch, None when nobody knows."""

    @property
    def word(self) -> str:
        """As lists show it: `waiting:permission`, `working`."""
        return f"{self.doing.value}:{self.need.value}" if self.need is not None else self.doing.value
