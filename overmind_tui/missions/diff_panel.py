"""The diff as a face of the panel: what the mission under the cursor has changed, asked for once the cursor rests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING

from overmind_core.view import diff_face
from overmind_core.view.cells import Cell, safe

if TYPE_CHECKING:
    from overmind_core.view.diff import DiffFiles, DiffText
    from overmind_tui.missions.main_screen import MainScreen

ASK_SECONDS = 0.03
"""How long after the panel came to a mission its diff is asked for: 150 ms after the cursor rested."""
GIVEN_UP_SECONDS = 2.0
"""How long it is waited for."""
MOST = 500
"""Lines of it that are drawn."""
MORE = "more of it: v opens all"
CHANGES = frozenset({
    "turn_ended", "stopped", "crashed", "killed", "keeper_lost", "committed", "landed", "discarded",
})  # fmt: skip
"""Kinds of events after which a mission's changes may be others."""


class DiffPanel:
    """The lines of the diff.

    Attributes:
        mission: Whose it is; None: nobody looks at a diff.
    """

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self.mission: str | None = None
        self._found: DiffFiles | None = None
        self._instead = ""
        """Why there is no diff; "" while nobody knows."""
        self._asked = 0
        """How often it was asked for: an answer to an older question is dropped."""
        self._waits = False
        self._cells = 0
        """The width for which it was drawn."""

    @property
    def note(self) -> str:
        """Files and lines that are different, for the title."""
        return "" if self._found is None else diff_face.total(self._found)

    def look(self, mission: str | None) -> None:
        """The diff of this mission is in sight; None: none is."""
        if mission == self.mission:
            if mission is not None and self._cells != self._room:
                self.draw()
            return
        self.mission, self._found, self._instead = mission, None, ""
        self._asked += 1
        self._waits = False
        self.draw()
        if mission is not None:
            self._screen.set_timer(ASK_SECONDS, partial(self._ask, self._asked))

    def happened(self, kinds: Collection[str]) -> None:
        """It may be another one now; what is shown stays until that is known."""
        if self.mission is not None and not self._waits and not CHANGES.isdisjoint(kinds):
            self._asked += 1
            self._ask(self._asked)

    def _ask(self, number: int) -> None:
        row = self._screen.shell.fleet.of(self.mission)
        if number != self._asked or row is None:
            return
        from overmind_tui.changes.page import ChangeSource  # noqa: PLC0415 - not for the first frame

        self._waits = True
        self._screen.set_timer(GIVEN_UP_SECONDS, partial(self._give_up, number))
        ChangeSource(row, partial(self._came, number), partial(self._failed, number)).ask(self._screen.shell)

    def _came(self, number: int, found: DiffFiles, _text: DiffText) -> None:
        if self._ends(number):
            self._found, self._instead = found, ""
            self.draw()

    def _failed(self, number: int, why: str) -> None:
        if self._ends(number):
            self._found, self._instead = None, why
            self.draw()

    def _give_up(self, number: int) -> None:
        """It takes too long; what comes later is dropped."""
        if self._waits and self._ends(number):
            self._asked += 1
            self._found, self._instead = None, diff_face.TAKES_LONG
            self.draw()

    def _ends(self, number: int) -> bool:
        """Whether an answer is the one that is waited for; it is no longer then."""
        if number != self._asked:
            return False
        self._waits = False
        return True

    def draw(self) -> None:
        """Draw it, as wide as the panel is."""
        if self._screen.diff_view.is_mounted:
            self._cells = self._room
            self._screen.diff_view.show(self._lines(self._cells))
            self._screen.retitle()

    @property
    def _room(self) -> int:
        """The width of the panel without its scrollbar: it may not be laid out yet."""
        return max(self._screen.panels.shape.panel_cells - 1, 1)

    def _lines(self, cells: int) -> Sequence[Sequence[Cell]]:
        if self._found is None:
            return [[Cell(f" {safe(self._instead)}", "quiet")]] if self._instead else []
        lines = diff_face.lines(self._found, cells, MOST + 1)
        return lines if len(lines) <= MOST else [*lines[:MOST], [Cell(f" {MORE}", "quiet")]]
