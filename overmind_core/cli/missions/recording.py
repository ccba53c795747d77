"""One run to be replayed: its moments, and the picture of each, of a terminal or of a transcript."""

from __future__ import annotations

from typing import NamedTuple

from overmind_core.cli.follow_logs import line_renderer
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.cells import display_safe
from overmind_core.logs.line_history import LineHistory
from overmind_core.logs.moments import Moments
from overmind_core.logs.reader import RunLog
from overmind_core.logs.screen_history import Progress, ScreenHistory
from overmind_core.logs.transcript import LogSelection, removed_before
from overmind_core.terminal.screen import Screen
from overmind_core.view.numbers import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Json = dict[str, Any]


class Picture(NamedTuple):
    """What a run showed at a moment."""

    screen: Screen
    is_certain: bool


class Recording:
    """A run as its log holds it.

    Args:
        mission: As the daemon describes it.
        run: Of that mission.
        colours: Pictures have them.
    """

    def __init__(self, mission: Json, run: Json, *, colours: bool) -> None:
        self.mission = str(mission["id"])
        self.name = display_safe(mission["name"])
        self.number = int(run["number"])
        self.run = run
        self.colours = colours
        """Whether pictures have them."""
        self._log = RunLog(from_wire(run["path"]))
        self._begin: float | None = moment(run["started_at"])
        self.moments = Moments(self._log, self._begin)
        self._end = self._log.end
        self.history: ScreenHistory | None = None
        """Of a run with a terminal."""
        if run["tty"]:
            self.history = ScreenHistory(self._log, run["columns"], run["rows"], self.moments.resizes)
            return
        notes = [
            (float(one["at"]), (one["out"] or 0, one["err"] or 0), str(one["text"]))
            for one in mission["annotations"]
            if int(one["run"] or 1) == self.number
        ]
        self._lines = LineHistory(run, notes, LogSelection(colour=colours, renderers=line_renderer))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to be seen."""
        return not any(self._end)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is written, as far as is known."""
        return self.run["ended_at"] is not None

    @property
    def has_damaged_times(self) -> bool:
        """Whether the times of some moments are wrong."""
        return self._log.has_damaged_times(ended=self.has_ended)

    @property
    def removed(self) -> dict[int, int]:
        """Its number → the bytes that the limit of logs has removed of its beginning; empty where there are none."""
        removed = removed_before(self.run, self._log.start, LogSelection())
        return {self.number: removed} if removed else {}

    def grow(self, run: Json | None) -> bool:
        """Take over what was written meanwhile, and how the daemon describes the run now; whether there was more."""
        self.run = run or self.run
        end = self._log.end
        if end == self._end:
            return False
        self._end = end
        self.moments = Moments(self._log, self._begin)
        if self.history is not None:
            self.history.resizes[:] = self.moments.resizes
        return True

    def lines_at(self, number: int, count: int) -> list[str]:
        """The last lines of a transcript at a moment."""
        return self._lines.lines_at(self.moments[number], count)

    def picture(self, number: int, columns: int, rows: int) -> Picture:
        """The picture of a moment, for who has so much room."""
        if self.history is not None:
            tail = self.history.screen_at(self.moments[number].place)
            return Picture(tail.screen, tail.is_certain())
        screen = Screen(columns, rows, scrollback=0)
        screen.feed(b"\x1b[?25l" + "\r\n".join(self.lines_at(number, rows)).encode("utf-8", "replace"))
        return Picture(screen, is_certain=True)

    def work(self, number: int) -> Progress:
        """Do one step towards a certain picture of a moment."""
        return Progress.OVER if self.history is None else self.history.work(self.moments[number].place)

    def share(self, number: int) -> float:
        """How much of that work is done, from 0 to 1."""
        return 1.0 if self.history is None else self.history.share(self.moments[number].place)
