"""Messages that the threads behind the screen post to the program."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from textual.message import Message

from overmind_core.logs.display import Line
from overmind_core.view.cells import Row
from overmind_core.view.numbers import Cost
from overmind_tui.terminal.input_tap import Part

if TYPE_CHECKING:
    from overmind_core.log_pages.index import LogScope
    from overmind_core.log_pages.page_worker import PageRead, PagesCounted, PagesIndexed
    from overmind_core.log_pages.reader import Reader


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


class InboxChanged(Message):
    """What waits for a person now."""

    def __init__(self, questions: Sequence[Row]) -> None:
        super().__init__()
        self.questions = questions


class Watched(Message):
    """The supervisor knows this program, which shows events to a person, by a number."""

    def __init__(self, viewer: int) -> None:
        super().__init__()
        self.viewer = viewer


class Spent(Message):
    """What agents have cost since midnight."""

    def __init__(self, today: Cost) -> None:
        super().__init__()
        self.today = today


class EngineStands(Message):
    """How full the queue is, and how missions go together, as `queue` and `health` answer."""

    def __init__(self, queue: Row, health: Row) -> None:
        super().__init__()
        self.queue = queue
        self.health = health


class NotesProposed(Message):
    """How many notes of the folder wait for a person to accept them."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count


class SwarmStands(Message):
    """How the swarm stands, what it asks and which fleets there are, as the daemon answers; None: it was not asked."""

    def __init__(self, state: Row, questions: Sequence[Row] | None, fleets: Sequence[Row] | None) -> None:
        super().__init__()
        self.state = state
        self.questions = questions
        self.fleets = fleets


class FromHive(Message):
    """A message of another hive's stream; `message` is as that one would say it of itself."""

    def __init__(self, hive: str, message: Message) -> None:
        super().__init__()
        self.hive = hive
        self.message = message


class LogShown(Message):
    """The newest lines of what is looked at, instead of whatever was shown.

    Attributes:
        look: What is looked at.
        lines: The newest.
        partial: What stands on the line that has no newline yet.
        runs: The number of the newest run that is shown, and of the newest that there is.
        ended: No more will come.
        before: About how many lines lie before these.
        reader: Reads them; None: nothing lies before.
        reason: Why there are no lines, when there are none; "": they are older than what is looked at.
        last_written: When the last one was, in seconds since the epoch.
    """

    def __init__(
        self,
        look: LogScope,
        lines: Sequence[Line],
        *,
        partial: str,
        runs: tuple[int, int] = (0, 0),
        ended: bool = False,
        before: int = 0,
        reader: Reader | None = None,
        reason: str = "",
        last_written: float = 0.0,
    ) -> None:
        super().__init__()
        self.look = look
        self.lines = lines
        self.partial = partial
        self.runs = runs
        self.ended = ended
        self.before = before
        self.reader = reader
        self.reason = reason
        self.last_written = last_written


class LogGrew(Message):
    """New lines at the end of what is shown; `partial` has no newline yet."""

    def __init__(self, reader: Reader, lines: Sequence[Line], *, partial: str, runs: tuple[int, int]) -> None:
        super().__init__()
        self.reader = reader
        self.lines = lines
        self.partial = partial
        self.runs = runs


class LogIndexed(Message):
    """The next pages before the newest lines."""

    def __init__(self, found: PagesIndexed) -> None:
        super().__init__()
        self.reader, self.pages, self.whole = found


class LogRead(Message):
    """What a page shows."""

    def __init__(self, read: PageRead) -> None:
        super().__init__()
        self.reader, self.page, self.lines, self.pattern, self.lost = read


class LogCounted(Message):
    """How many lines of some pages match."""

    def __init__(self, counted: PagesCounted) -> None:
        super().__init__()
        self.reader, self.pattern, self.hits, self.left, self.of = counted


class LogFailed(Message):
    """The log can't be read; why."""

    def __init__(self, look: LogScope, reason: str) -> None:
        super().__init__()
        self.look = look
        self.reason = reason


class Done(Message):
    """A request was answered: call `then` in the program's own thread."""

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__()
        self.then = then


class TerminalGone(Message):
    """Nobody is at the other end of the terminal any more."""


class Tapped(Message):
    """What came from the person's terminal for a mission's terminal, in its order."""

    def __init__(self, parts: Sequence[Part]) -> None:
        super().__init__()
        self.parts = parts
