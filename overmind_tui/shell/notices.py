"""The notice in the line, which keeps what is worth reading again; and the title of the terminal outside."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.missions.status_marks import FROZEN, WAITING, YOUR_TURN
from overmind_core.domain.text.moment import format_time
from overmind_core.view import inbox as rows
from overmind_core.view import missions, numbers, prompt, ringing, tables
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.fleet import Fleet
from overmind_core.view.prompt import RestFacts, Said

if TYPE_CHECKING:
    from overmind_tui.shell.shell import Shell


SECONDS = 5.0
"""How long it stands; twice that when it is bad."""
READ_SECONDS = 1.5
"""How long it stands at least, also when another view is shown."""
KEPT = 500
"""Sentences that are kept."""
MOST_OUTPUTS = 20
"""Outputs that wait to be said."""
MOST_LINES = 200
"""Lines at the end of an output that are kept with its sentence."""
_RESTS = frozenset({YOUR_TURN, WAITING, FROZEN})
"""Marks of live missions that wait for a person."""


class Output(NamedTuple):
    """Lines that a command line has printed.

    Attributes:
        name: Its verb.
        lines: To be read.
        sentence: What became of it.
        tone: How that is meant: never `quiet`, so that its sentence is kept.
    """

    name: str
    lines: Sequence[Sequence[Cell]]
    sentence: str
    tone: str


class Notice:
    """The notice that was given last: bright at first, and faint once it was read.

    Args:
        shell: Whose; it draws what is put here.
        mistake: Of the configuration: it stands until something else is flashed.
    """

    def __init__(self, shell: Shell, mistake: str) -> None:
        self._shell = shell
        self._cell = Cell(mistake, "bad")
        self._said_at = shell.now()
        self._passed = not mistake
        self._is_gone = False
        """Something else has stood in its place in the line since."""
        self._flashed = 0
        self._put_at = float("-inf")
        self.until = float("inf") if mistake else 0.0
        """When it goes away (monotonic seconds)."""
        self.kept: deque[Row] = deque(maxlen=KEPT)
        """What was flashed and is worth reading again, as events."""
        self._unsaid: deque[Output] = deque(maxlen=MOST_OUTPUTS)
        """The outputs that came while nobody could read them, and of which nothing was said yet, the newest last."""
        self._announced: Output | None = None
        """The output whose sentence is the last that was said and is not quiet; None once it is read."""

    @property
    def text(self) -> str:
        """What it says while it is bright; "" for nothing."""
        return "" if self._passed else self._cell.text

    @property
    def tone(self) -> str:
        """How it is meant."""
        return self._cell.tone

    @property
    def said(self) -> Said | None:
        """The last sentence, when it was said, and whether it was read; None while there was none."""
        return Said(self._cell.text, self._said_at, self.tone, self._passed) if self._cell.text else None

    def in_line(self, facts: RestFacts, list_says: Callable[[], str]) -> RestFacts:
        """The facts of a line with what was said last, which is gone in all of them once it is over and displaced.

        Args:
            facts: Of the line, without it.
            list_says: What the list of missions says in its place once it is over; "" is nothing. All missions are
                looked at for that, so it is asked only where nothing else decides.
        """
        said = self.said
        is_over = said is not None and not said.is_bright(self._shell.now()) and self.until != float("inf")
        if is_over and not self._is_gone:
            self._is_gone = prompt.says_more(facts) or bool(list_says())
        return facts if self._is_gone else facts._replace(said=said)

    def put(self, text: str, tone: str) -> None:
        """Instead of what stood there; what is not quiet is kept."""
        self._cell = Cell(safe(" ".join(text.split())), tone)
        self._said_at, self._passed, self._is_gone = self._shell.now(), False, False
        if tone != "quiet":
            self._announced = None
            self._flashed += 1
            at = format_time(self._shell.now())
            self.kept.append(tables.flash(self._flashed, at, self.text, after=self._shell.fleet.newest_event))
        self._put_at = time.monotonic()
        self.until = time.monotonic() + SECONDS * (2 if tone == "bad" else 1)

    def leave_view(self) -> None:
        """Another view is shown: what stood long enough to be read was about the one before."""
        if self.until != float("inf") and time.monotonic() > self._put_at + READ_SECONDS:
            self.clear()

    def take_key(self) -> None:
        """A key is pressed, and the answer to the one before goes, unless it is bad and just there."""
        is_fresh = time.monotonic() < self._put_at + READ_SECONDS
        if self.until != float("inf") and not (self.tone == "bad" and is_fresh):
            self.clear()

    def clear(self) -> None:
        """It was read."""
        self._passed = True

    def look(self) -> None:
        """A second went by: what is kept is said once the person has time for it, and the line has room."""
        if self.text and time.monotonic() > self.until:
            self.clear()
        if self._unsaid and not self.text and self._shell.is_at_rest:
            output = self._unsaid.popleft()
            lines = numbers.counted(len(output.lines), "line")
            self._shell.flash(f"{output.sentence} · ctrl-o shows its {lines}", output.tone)
            self._announced = output
            self.kept[-1]["output"] = ["".join(cell.text for cell in line) for line in output.lines[-MOST_LINES:]]

    def keep(self, output: Output) -> None:
        """Keep it, to be said and read later; of too many the oldest goes."""
        self._unsaid.append(output)

    def taken(self) -> Output | None:
        """Return the output that the last sentence is about, which is read now; None: it is about none."""
        output, self._announced = self._announced, None
        return output


class Title:
    """The title of the terminal outside, and the report of what all missions do, written when they change.

    Args:
        write: Sends the terminal a sequence.
        reports: Whether a report is wanted.
    """

    def __init__(self, write: Callable[[str], None], *, ascii_only: bool, reports: Callable[[], bool]) -> None:
        self._write = write
        self._ascii = ascii_only
        self._reports = reports
        self._title = ""
        self._report = ""
        self._as_of: tuple[int, Sequence[Row]] = (-1, ())

    def update(self, fleet: Fleet, now: float) -> None:
        """Count who needs the person; once for all the seconds in which nothing changes."""
        if (fleet.changes, fleet.questions) == self._as_of:
            return
        self._as_of = fleet.changes, fleet.questions
        found = rows.needs(fleet.rows.values(), fleet.questions, now)
        blocked, turns = (sum(need.group == group for need in found) for group in (rows.BLOCKED, rows.TURN))
        title = ringing.title(blocked, turns, ascii_only=self._ascii)
        if title != self._title:
            self._write(("" if self._title else ringing.KEEP_TITLE) + ringing.titled(title))
            self._title = title
        works = any(missions.is_live(row) and missions.mark(row) not in _RESTS for row in fleet.rows.values())
        report = ringing.report(blocked, works=works) if self._reports() else ""
        if report != self._report:
            self._write(report or ringing.REPORT_OVER)
            self._report = report

    def give_back(self) -> None:
        """The terminal's own again."""
        if self._title:
            self._write(ringing.titled("") + ringing.TITLE_BACK)
            self._title = ""
        if self._report:
            self._write(ringing.REPORT_OVER)
            self._report = ""
