"""The lines that a run without a terminal had written by any moment, as its transcript shows them."""

from __future__ import annotations

from collections import deque

from overmind_core.logs.display import Note
from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.moments import Moment
from overmind_core.logs.tail import last_lines
from overmind_core.logs.time_order import Offsets
from overmind_core.logs.transcript import LogSelection, RunView, run_log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NEAR = 256 * 1024
"""Bytes that are read on at once."""
LONGEST = 1 << 20
"""Bytes of each stream that are looked back at."""
KEPT = 1000
"""Lines; more than any screen shows."""


class LineHistory:
    """The lines of one run.

    Args:
        run: As the daemon describes it.
        notes: Its annotations.
        selection: How lines are shown.
    """

    def __init__(self, run: dict[str, Any], notes: list[Note], selection: LogSelection) -> None:
        self._run = run
        self._log = run_log(run)
        self._notes = notes
        self._selection = selection
        self._view: RunView | None = None
        self._noted = 0
        self._count = 0
        """Lines that were looked back for."""
        self._lines: deque[str] = deque(maxlen=KEPT)

    def lines_at(self, moment: Moment, count: int) -> list[str]:
        """The last `count` lines by then; one that no newline had ended stands as far as it was written."""
        view = self._view
        noted = sum(note[0] <= moment.wall for note in self._notes)
        is_on = view is not None and noted >= self._noted and count <= self._count
        if view is None or not is_on or not _is_near(view.cursor.position, moment.offsets):
            view = self._begin(moment, count)
        for note in self._notes[self._noted : noted]:
            view.display.annotate(note)
        self._noted = noted
        self._lines.extend(text for _, _, text in view.lines(moment.offsets))
        unfinished = [text for _, _, text in view.display.unfinished_lines]
        return [*self._lines, *unfinished][-count:]

    def _begin(self, moment: Moment, count: int) -> RunView:
        # Some lines of an agent show as nothing, and a tool's return is readable beside its call only.
        wanted = 4 * (count + 4) if self._run.get("format") else count
        found = last_lines(self._log, wanted, moment.offsets)
        out, err = (max(found[stream], moment.offsets[stream] - LONGEST, 0) for stream in (OUT, ERR))
        notes = [note for note in self._notes if note[0] <= moment.wall and _is_behind(note[1], (out, err))]
        self._noted = sum(note[0] <= moment.wall for note in self._notes)
        self._lines.clear()
        self._count = count
        self._view = RunView(self._run, (out, err), self._selection, notes)
        return self._view


def _is_behind(offsets: Offsets, position: Offsets) -> bool:
    return position == (0, 0) or any(there > here for here, there in zip(position, offsets, strict=True))


def _is_near(position: Offsets, wanted: Offsets) -> bool:
    ahead = [there - here for here, there in zip(position, wanted, strict=True)]
    return min(ahead) >= 0 and sum(ahead) <= NEAR
