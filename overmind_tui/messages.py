"""What the threads behind the screen tell it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from textual.message import Message

from overmind_core.logs.display import Line
from overmind_tui.view.cells import Row


class Connected(Message):
    """A supervisor answers; what it says of itself, and whether it is hosted here."""

    def __init__(self, daemon: dict[str, Any], *, hosted: bool) -> None:
        super().__init__()
        self.daemon = daemon
        self.hosted = hosted


class Disconnected(Message):
    """No supervisor answers; `final`: nobody will be there by itself."""

    def __init__(self, reason: str, *, final: bool) -> None:
        super().__init__()
        self.reason = reason
        self.final = final


class RowsChanged(Message):
    """Missions as they are now; `all`: there are no others."""

    def __init__(self, rows: Sequence[Row], removed: Collection[str] = (), *, everything: bool = False) -> None:
        super().__init__()
        self.rows = rows
        self.removed = removed
        self.everything = everything


class Happened(Message):
    """Events of the log, in their order."""

    def __init__(self, events: Sequence[Row]) -> None:
        super().__init__()
        self.events = events


class LogShown(Message):
    """The end of a mission's log, instead of whatever was shown."""

    def __init__(self, mission: str, lines: Sequence[Line], *, partial: str, run: int, ended: bool, more: bool) -> None:
        super().__init__()
        self.mission = mission
        self.lines = lines
        self.partial = partial
        self.run = run
        self.ended = ended
        self.more = more


class LogGrew(Message):
    """New lines at the end of the log that is shown; `partial` has no newline yet."""

    def __init__(self, mission: str, lines: Sequence[Line], *, partial: str, run: int, ended: bool) -> None:
        super().__init__()
        self.mission = mission
        self.lines = lines
        self.partial = partial
        self.run = run
        self.ended = ended


class LogOlder(Message):
    """Lines before the first one that is shown; `more`: and there are others before them."""

    def __init__(self, mission: str, lines: Sequence[Line], *, more: bool) -> None:
        super().__init__()
        self.mission = mission
        self.lines = lines
        self.more = more


class LogFailed(Message):
    """The log can't be read; why."""

    def __init__(self, mission: str, reason: str) -> None:
        super().__init__()
        self.mission = mission
        self.reason = reason


class Done(Message):
    """A request was answered: call `then` in the program's own thread."""

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__()
        self.then = then


class TerminalGone(Message):
    """Nobody is at the other end of the terminal any more."""
