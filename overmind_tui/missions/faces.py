"""The lines of the missions screen beside its list: the panel's title, question and figures, and what happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.view import first_run, happened, log_lines, panel_title, stats_face, terminal_title
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Cell, safe
from overmind_core.view.first_run import Agent, Folder
from overmind_core.view.happened import HappenedLine, Surroundings
from overmind_core.view.panel_title import FOLLOWS, PanelTitle
from overmind_core.view.stats_face import StatsLook
from overmind_tui.missions.panels import AT_LIST, FACES
from overmind_tui.render import layout, texts
from overmind_tui.render.layout import Panel
from overmind_tui.shell.world import folder_standing

if TYPE_CHECKING:
    from overmind_core.view.cells import Row
    from overmind_tui.log.panel import LogPanel
    from overmind_tui.missions.diff_panel import DiffPanel
    from overmind_tui.missions.main_screen import MainScreen
    from overmind_tui.missions.panels import Panels
    from overmind_tui.missions.stats_panel import StatsPanel
    from overmind_tui.missions.table import TablePanel
    from overmind_tui.terminal.pane import TerminalPanel

Lines = list[list[Cell]]
EARLIER = 100
"""Events from before the program began that are asked for."""
WORDS = {Panel.LOG: panel_title.LOG, Panel.DIFF: panel_title.DIFF, Panel.TERMINAL: panel_title.TERMINAL,
         Panel.STATS: panel_title.STATS}  # fmt: skip
"""Face → its word in the title."""


class Parts(NamedTuple):
    """The parts of the screen whose state is said."""

    panels: Panels
    table: TablePanel
    log: LogPanel
    terminal: TerminalPanel
    diff: DiffPanel
    stats: StatsPanel


class Faces:
    """Says all of it, from what the screen and the program know now.

    Attributes:
        agents: Each agent and whether its program is here; None while nobody has looked.
    """

    def __init__(self, screen: MainScreen, parts: Parts) -> None:
        self._screen = screen
        self._parts = parts
        self.agents: Mapping[str, bool] | None = None
        self._folder: Folder | None = None
        """The folder of the start; None while nobody has asked how it stands."""
        self._happened: Sequence[HappenedLine] = ()
        self._has_asked = False

    @property
    def mission(self) -> str | None:
        """The id of the mission of the panel, or of that which something is asked about."""
        panels = self._parts.panels
        if panels.shown is Panel.TERMINAL and self._parts.terminal.is_open:
            return self._parts.terminal.session.mission
        alone, at = self._parts.log.look.alone, self._screen.following.mission
        is_mission = at is None or at in self._screen.shell.fleet.rows
        return alone if panels.shown is Panel.LOG and alone and is_mission else at

    @property
    def in_view(self) -> str | None:
        """The mission whose newest lines are on the screen."""
        if self._parts.terminal.is_open:
            session = self._parts.terminal.session
            return session.mission if session.in_sight else None
        screen, view = self._screen, self._screen.log_view
        shown = not screen.is_covered and self._parts.panels.shape.panel_lines and view.display
        return view.mission if shown and view.following and not self._shows_earlier_run else None

    @property
    def _row(self) -> Row | None:
        return self._screen.shell.fleet.behind(self.mission)

    # the panel

    def title(self, cells: int) -> Lines:
        """Whose the panel is, which face it shows, and how."""
        shell, panels = self._screen.shell, self._parts.panels
        if panels.is_typing:
            return [self._typing(cells)]
        if panels.shows_happened:
            return [happened.title(cells)]
        row = self._row
        has_keys = panels.current is not Panel.TABLE
        load = None
        if row is not None and not self._shows_earlier_run:
            load = panel_title.load_of(row, shell.fleet.history(row["id"]))
        face, note = WORDS.get(panels.shown, ""), self._note(row)
        shorter = terminal_title.shortened(note) if panels.shown is Panel.TERMINAL else ()
        name = self._name(row)
        search = self._parts.log.search.status if panels.shown is Panel.LOG else ""
        of_question = panels.current is Panel.QUESTION and panels.shown is Panel.LOG
        if name == log_lines.NOBODY or (self._screen.needs_you.is_open and of_question):
            face = note = ""
        said = PanelTitle(name, face, note, has_keys=has_keys, load=load, shorter=shorter, search=search)
        return [panel_title.line(said, cells, beside=panels.shape.is_beside)]

    def _typing(self, cells: int) -> list[Cell]:
        """The line above a terminal that is typed into."""
        terminal, shown = self._parts.terminal, self._screen.terminal_view.screen_shown
        called = "" if shown is None else safe(shown.title).strip()
        leaving = [key.name for key in terminal.keys.leaving]
        others = self._screen.shell.fleet.asking - {terminal.session.mission}
        return panel_title.typing_line(terminal.session.name, len(others), cells, called=called, leaving=leaving)

    def face_at(self, x: int) -> Panel | None:
        """The face whose word stands at a cell of the title; None where none does."""
        shape = self._parts.panels.shape
        (shown,) = self.title(shape.panel_cells)
        return FACES.get(panel_title.face_at(shown, x))

    def _name(self, row: Row | None) -> str:
        panels = self._parts.panels
        if panels.shown is Panel.NOTES:
            return self._screen.notes_title
        if row is None and (need := self._screen.question.need) is not None:
            return safe(need.row["name"])
        if row is None and (entry := self._screen.table.current) is not None and entry.id == self.mission:
            return safe(entry.name)
        if panels.shown is Panel.LOG:
            return self._parts.log.title()
        if panels.shown is Panel.TERMINAL and self._parts.terminal.is_open:
            return self._parts.terminal.titles()[0]
        rows = self._screen.shell.fleet.rows
        return missions_rows.called(row, rows) if row is not None else log_lines.NOBODY

    def _note(self, row: Row | None) -> str:
        panels, view = self._parts.panels, self._screen.log_view
        if panels.shown is Panel.TERMINAL:
            return self._terminal_note()
        if panels.shown is Panel.DIFF:
            return self._parts.diff.note
        if panels.shown is not Panel.LOG or not self._parts.log.look.missions:
            return ""
        rows = map(self._screen.shell.fleet.of, self._parts.log.look.missions) if row is None else [row]
        is_over = self._shows_earlier_run or not any(one is not None and missions_rows.is_live(one) for one in rows)
        is_at_list = panels.current in AT_LIST
        if is_at_list and not is_over and (screen := log_lines.screen(row, view.paged_log.partial)):
            return screen
        if not view.following:
            return "paused: s follows"
        return panel_title.ITS_END if is_over else FOLLOWS

    @property
    def _shows_earlier_run(self) -> bool:
        """True where the log of a run before the newest one is shown: it has ended, however its mission goes on."""
        return self._parts.panels.shown is Panel.LOG and self._parts.log.look.run is not None

    def _terminal_note(self) -> str:
        terminal = self._parts.terminal
        if not terminal.is_open:
            return ""
        size = terminal.session.size
        if self._parts.panels.current is Panel.TERMINAL or size is None or terminal.session.over:
            return terminal.titles()[1]
        view, (columns, rows) = self._screen.terminal_view, size
        if not view.cropped:
            return f"{columns}x{rows}"
        return panel_title.terminal_note(columns, rows, max(view.first_shown, 0), view.pane[1], view.written)

    def stats(self, cells: int) -> Lines:
        """The facts and figures of the mission; where none is selected, what happened."""
        shell, row, panels = self._screen.shell, self._row, self._parts.panels
        if panels.shows_happened:
            return self._newest(cells, panels.shape.panel_lines - 1)
        if row is None:  # the title says so
            return []
        parent = shell.fleet.of(row["parent"])
        facts = self._parts.stats.facts(row, "" if parent is None else safe(parent["name"]))
        look = StatsLook(cells, shell.now(), shell.zone, shell.world.environ.get("HOME", ""))
        return stats_face.lines(facts, shell.fleet.history(row["id"]), look)

    def happened(self, cells: int) -> Lines:
        """The newest events, below a list that has a panel beside it."""
        lines = self._parts.panels.shape.happened - 1
        return [] if lines < 1 else [happened.title(cells), *self._newest(cells, lines)]

    def _newest(self, cells: int, lines: int) -> Lines:
        """So many of the newest events."""
        shell = self._screen.shell
        around = Surroundings(shell.fleet.rows, shell.zone, shell.ascii_only)
        self._happened = happened.lines(shell.fleet.events, cells, lines, around)
        return [one.cells for one in self._happened]

    def ask_happened(self) -> None:
        """Ask once for the newest events from before the program began, where there is room for them."""
        shell = self._screen.shell
        panels = self._parts.panels
        has_room = panels.shape.happened or (panels.shows_happened and panels.shape.panel_lines)
        if self._has_asked or not has_room or not shell.fleet.loaded or shell.fleet.lost:
            return
        self._has_asked = True
        home, known = shell.home, shell.fleet.oldest_event

        def work() -> Callable[[], None]:
            from overmind_tui.events.page import earlier  # noqa: PLC0415 - not for the first frame

            found = earlier(home, known, EARLIER)
            return lambda: self._came(found)

        shell.background(work)

    def _came(self, found: Sequence[Row]) -> None:
        events, first = self._screen.shell.fleet.events, self._screen.shell.fleet.oldest_event
        before = [one for one in found if first is None or one["seq"] < first]
        room = len(before) if events.maxlen is None else events.maxlen - len(events)
        events.extendleft(before[: -room - 1 : -1])
        self._screen.tick()

    def mission_at(self, y: int) -> str:
        """The mission of the event that is the one so far from the newest; "" where it is about none."""
        return self._happened[y].mission if 0 <= y < len(self._happened) else ""

    # instead of it

    def small(self, _cells: int) -> Lines:
        """Instead of everything."""
        way = "q quits"
        if self._parts.panels.is_typing:
            way = f"{self._parts.terminal.keys.leaving[0].name} stops typing"
        return [[Cell(text)] for text in layout.too_small(*self._screen.size, way)]

    def empty(self) -> Sequence[Sequence[Cell]]:
        """Why nothing is known of any mission; () where rows, or a sentence instead of them, are listed."""
        shell = self._screen.shell
        if self._screen.needs_you.is_open and shell.fleet.loaded and not shell.fleet.lost:
            wanted = self._parts.table.wanted
            return () if wanted.needs or wanted.every is not None else self._screen.needs_you.empty()
        if not shell.fleet.is_empty or shell.fleet.lost:
            return ()
        if not shell.fleet.loaded:
            return [[], [Cell(" " * first_run.indent(self._screen.size.width)), *texts.loading()[0]]]
        agents = None if self.agents is None else [Agent(name, installed=there) for name, there in self.agents.items()]
        size = self._screen.size
        if self._folder is None:
            self._folder = Folder(self._screen.folder_shown)
            shell.background(self._look_at_folder)
        lines = first_run.first_run(size.width, size.height - 4, agents, self._folder, read_only=shell.read_only)
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def _look_at_folder(self) -> Callable[[], None]:
        """How the folder of the start stands in git, in a thread."""
        here = self._screen.shell.world
        folder = folder_standing(here.folder, self._screen.folder_shown, here.environ)

        def show() -> None:
            self._folder = folder
            self._screen.table.empty = self.empty()
            self._screen.table.tick()

        return show


def lost_words(screen: MainScreen) -> str:
    """How many missions were lost with their keeper, and the command that restarts them; "" for none."""
    gone = missions_rows.lost(screen.shell.fleet.home_rows)
    return missions_rows.lost_text(gone, screen.shell.zone) if gone else ""
