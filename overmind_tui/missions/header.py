"""The header of the missions screen, its banner, its load panel and its titles, and words where no row is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from overmind_core.view import keymap, last_word, log_lines, summary
from overmind_core.view import missions as missions_rows
from overmind_core.view.actions import Context, Needs
from overmind_core.view.cells import Cell, safe
from overmind_core.view.summary import Facts
from overmind_tui.render import layout, texts
from overmind_tui.render.layout import Panel

if TYPE_CHECKING:
    from overmind_core.view.actions import Action
    from overmind_core.view.cells import Row
    from overmind_tui.log.panel import LogPanel
    from overmind_tui.missions.main_screen import MainScreen
    from overmind_tui.missions.panels import Panels
    from overmind_tui.missions.table import TablePanel
    from overmind_tui.shell.user_state import AwaySummary
    from overmind_tui.terminal.pane import TerminalPanel

Lines = list[list[Cell]]
OF_LIVE = frozenset({"attach", "message", "interrupt", "stop", "kill"})
"""Actions that are refused of what has ended."""
OF_SESSIONS = frozenset({"message"})
"""Those that are refused of a task."""


def offered(hints: tuple[Action, ...], rows: Sequence[Row]) -> tuple[Action, ...]:
    """Hints without those that would be refused of all these rows."""
    live = [row for row in rows if missions_rows.is_live(row)]
    talks = any(row["type"] == "session" for row in live)
    refused = {
        *(OF_LIVE if rows and not live else ()),
        *(OF_SESSIONS if rows and not talks else ()),
        *(("remove",) if rows and len(live) == len(rows) else ()),
    }
    return tuple(one for one in hints if one.name not in refused)


class Header:
    """Says all of it, from what the screen and the program know now.

    Attributes:
        agents: Each agent and whether its program is here; None while nobody has looked.
    """

    def __init__(  # noqa: PLR0917 - the parts of the screen
        self, screen: MainScreen, panels: Panels, table: TablePanel, log: LogPanel, terminal: TerminalPanel,
        away: AwaySummary, version: str,
    ) -> None:  # fmt: skip
        self._screen = screen
        self._panels = panels
        self._table_panel, self._log_panel, self._terminal_panel = table, log, terminal
        self._away = away
        self.version = version
        self.agents: Mapping[str, bool] | None = None

    def head(self, cells: int) -> Lines:
        """What stands at the top."""
        return self.head_of(self._panels.context, cells, self._panels.shape.header)

    def head_of(self, context: Context, cells: int, lines: int) -> Lines:
        """What stands at the top, in so many lines, of a screen with the keys of this context."""
        shell, fleet = self._screen.shell, self._screen.shell.fleet
        hints = keymap.hints(context, read_only=shell.read_only)
        terminal = self._terminal_panel
        if context is Context.LOOKING and (terminal.session.ended or terminal.takes_no_input):
            hints = tuple(one for one in hints if one.needs is not Needs.LIVE)
        if context is Context.MISSIONS:
            hints = offered(hints, self._table_panel.targets())
        load, paid = (fleet.load, fleet.before), (fleet.today, fleet.tokens)
        modes, more = (shell.ascii_only, shell.read_only), (fleet.engine, fleet.proposed)
        several = shell.swarm or shell.hives
        hives = () if several is None else several.reached
        as_of = last_word.as_of(fleet.lost_since, shell.zone)
        facts = Facts(fleet.counts, self.version, *load, *paid, *modes, *more, hives, as_of)
        return summary.header(facts, hints, cells, lines)

    def banner(self, _cells: int) -> Lines:
        """What is wrong with the connection, else what happened while nobody was here."""
        lost = self._screen.shell.fleet.lost
        if lost:
            return [[Cell(f" {lost}", "banner")]]
        gone = missions_rows.lost(self._screen.shell.fleet.home_rows)
        if gone:
            return [[Cell(f" {missions_rows.lost_text(gone, self._screen.shell.zone)}", "banner")]]
        key = "enter" if self._away.fresh else ":events"
        return [[Cell(f" {self._away.text} ", "chosen"), Cell(f" {key} ", "key"), Cell("shows it", "label")]]

    def stats(self, cells: int) -> Lines:
        """The load of the mission under the cursor."""
        fleet, mission = self._screen.shell.fleet, self._screen.table.cursor_id
        height = self._panels.shape.graph
        return summary.stats(fleet.of(mission), fleet.history(mission), cells, self._screen.shell.now(), height=height)

    def stats_title(self) -> str:
        """Whose load it is."""
        current = self._screen.table.current
        return "stats" + (f" · {safe(current.row['name'])}" if current else "")

    def small(self, _cells: int) -> Lines:
        """Instead of everything."""
        way = "q quits"
        if self._panels.context is Context.TYPING:
            way = f"{self._terminal_panel.keys.leaving[0].name} stops typing"
        return [[Cell(text)] for text in layout.too_small(*self._screen.size, way)]

    def table_title(self) -> str:
        """How many rows are shown, why not all, and which are marked."""
        table, panel = self._screen.table, self._table_panel
        shown = {branch.id for branch in table.branches if branch.meant}
        title = f"missions[{len(shown)}]" + (f" </{safe(panel.filter.text)}>" if panel.filter else "")
        if panel.attention:
            title += " <needs attention>"
        if table.marked:
            hidden = len(table.marked - shown)
            title += f" {len(table.marked)} marked" + (f", {hidden} hidden" if hidden else "")
        return title

    def log_title(self) -> str:
        """Whose log it is."""
        return self._log_panel.title()

    def log_subtitle(self) -> str:
        """How it is shown; of a mission that draws a screen how that is seen."""
        view, panels, look = self._screen.log_view, self._panels, self._log_panel.look
        row = self._screen.shell.fleet.of(look.alone) if panels.current is Panel.TABLE else None
        if screen := log_lines.screen(row, view.paged_log.partial):
            return screen
        switch = {True: "on", False: "off"}
        follows = "follow" if view.following else "paused, s follows"
        return f"{follows} · wrap {switch[view.wrap]} · time {switch[view.times]}"

    def empty(self) -> Sequence[Sequence[Cell]]:
        """Why no row is shown."""
        shell, panel = self._screen.shell, self._table_panel
        if shell.fleet.lost:
            return ()
        if not shell.fleet.loaded:
            return texts.loading()
        if shell.fleet.rows:
            return texts.filtered(panel.filter.text, attention=panel.attention)
        return texts.nothing(self.agents, read_only=shell.read_only)
