"""What stands around the panels of the main screen: header, banner, load, titles, and words where nothing is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_tui import actions, registry
from overmind_tui.view import summary
from overmind_tui.view.cells import Cell

if TYPE_CHECKING:
    from overmind_tui.screens.missions import MissionsScreen

Lines = list[list[Cell]]


class Surroundings:
    """Says all of it, from what the screen and the program know now."""

    def __init__(self, screen: MissionsScreen) -> None:
        self._screen = screen

    def head(self, cells: int) -> Lines:
        """The line at the top."""
        program = self._screen.program
        hints = actions.hints(self._screen.context, read_only=program.read_only)
        line = summary.header(
            list(program.fleet.rows.values()),
            hints,
            cells,
            version=program.version,
            before=program.fleet.before,
            now=program.fleet.load,
            ascii_only=program.ascii_only,
        )
        return [line]

    def banner(self, _cells: int) -> Lines:
        """What is wrong with the connection."""
        return [[Cell(f" {self._screen.program.lost}", "banner")]]

    def load(self, cells: int) -> Lines:
        """The load of the mission under the cursor."""
        program, mission = self._screen.program, self._screen.table.cursor_id
        return summary.load(program.fleet.of(mission), program.fleet.history(mission), cells, program.now())

    def small(self, _cells: int) -> Lines:
        """Instead of everything."""
        size = self._screen.app.size
        said = (f"{size.width}x{size.height}: too small", "overmind needs 40x8", "q leaves")
        return [[Cell(text)] for text in said]

    def table_title(self) -> str:
        """How many rows are shown, why not all, and which are marked."""
        table, filtered = self._screen.table, self._screen.filter
        shown = {branch.id for branch in table.branches}
        count = sum(not branch.dimmed or branch.row["status"] == "killed" for branch in table.branches)
        title = f"missions[{count}]" + (f" </{filtered.text}>" if filtered else "")
        if table.marked:
            hidden = len(table.marked - shown)
            title += f" {len(table.marked)} marked" + (f", {hidden} hidden" if hidden else "")
        return title

    def log_title(self, run: int) -> str:
        """Whose log it is."""
        row = self._screen.program.fleet.of(self._screen.log_view.mission)
        return "logs" + (f" · {row['name']}" if row else "") + (f" · run {run}" if run > 1 else "")

    def log_subtitle(self) -> str:
        """How it is shown."""
        view = self._screen.log_view
        switch = {True: "on", False: "off"}
        follows = "follow" if view.following else "paused, s follows"
        return f"{follows} · wrap {switch[view.wrap]} · time {switch[view.times]}"

    def empty(self) -> tuple[str, ...]:
        """Why no row is shown."""
        program = self._screen.program
        if program.lost:
            return ()
        if not program.fleet.loaded:
            return ("loading …",)
        if program.fleet.rows:
            return (f"Nothing matches /{self._screen.filter.text}", "esc shows everything again")
        keys = ("n      start one", ":      any command", "?      all keys", "q      leave")
        return (registry.VIEWS["missions"].empty, "", *keys)
