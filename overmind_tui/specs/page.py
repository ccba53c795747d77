"""The pages of specs: all of them, and the phases and tasks of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.geometry import Size

from overmind_core.errors import OvermindError
from overmind_core.spec_files import document_texts
from overmind_core.view import numbers, registry
from overmind_core.view import quests as quests_rows
from overmind_core.view import specs as specs_rows
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.missions import Branch
from overmind_core.view.registry import View
from overmind_core.view.specs import AT_TASK, OF_PHASE, OF_TASK, Work
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.details import DetailsPage
from overmind_tui.specs.side import DocumentSide, list_cells
from overmind_tui.timeline.page import show_timeline
from overmind_tui.widgets.canvas import Edge, Pane
from overmind_tui.widgets.table import PlanTable, ResourceTable

if TYPE_CHECKING:
    from overmind_core.view.actions import Context
    from overmind_core.view.describe import Lines
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell

ALL = "all"
"""The word behind the view's that shows archived ones, too."""
HANG = 4
"""Cells from the left where a long line of a text goes on."""
Answers = Sequence[Any | OvermindError]


def open_specs(shell: Shell, view: View, show: Show) -> None:
    """The specs; one that is named behind the word by itself."""
    named = [word for word in show.words if word != ALL]
    if named:
        open_spec(shell, registry.VIEWS["spec"], show._replace(words=tuple(named)))
    else:
        shell.open(SpecsPage(view, show))


def open_spec(shell: Shell, view: View, show: Show) -> None:
    """The spec that is named; all of them where none is."""
    if show.words:
        shell.open(SpecPage(view, show, show.words[0], show.words[0]))
    else:
        shell.flash("no spec is named: all specs are shown", "slow")
        shell.open(SpecsPage(registry.VIEWS["specs"], show))


class SpecsPage(DetailsPage):
    """The page of specs, a row for each."""

    about = "spec"
    lines_of = staticmethod(specs_rows.description)

    def _describe(self, known: Row) -> None:
        super()._describe(specs_rows.named(known))

    def looked_in(self, row: Row) -> str:
        """The text of a row in which a filter searches."""
        return specs_rows.looked_in(row)

    def standing(self) -> Cell:
        """The state of the row under the cursor, in full, for the line."""
        return Cell("") if self.current is None else Cell(specs_rows.standing(self.current), "quiet")

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also its phases and tasks, and its document."""
        return super().handlers(context) | {"open-spec": self.do_open_spec, "timeline": self.do_timeline}

    def do_open_spec(self) -> None:
        """The phases and tasks of the one under the cursor."""
        if self.current is not None:
            view = registry.VIEWS["spec"]
            self.shell.open(SpecPage(view, Show(view.name), self.current["id"], self.current["name"]))

    def do_timeline(self) -> None:
        """Open the timeline of the spec."""
        if self.current is not None:
            show_timeline(self.shell, self.current["id"], self.current["name"])


class SpecPage(DetailsPage):
    """A row for each phase of a spec, and below them its tasks with their edges.

    Args:
        view: The row of the registry.
        show: What was asked for.
        spec: Its id or slug.
        name: Its slug.
    """

    def __init__(self, view: View, show: Show, spec: str, name: str) -> None:
        super().__init__(view, show)
        self._asked = spec
        self._spec: Row | None = None
        self._quests: Sequence[Row] = ()
        self._work = Work()
        self._work_stamp: document_texts.Stamp | None = None
        """Of the file in which that was found."""
        self._brief = False
        self._known: tuple[int, Sequence[Row]] = (-1, ())
        """The state from which the rows were made: the fleet's change count, and the questions."""
        self.way_here = ("missions", "specs", safe(name))

    def compose_body(self) -> ComposeResult:
        """Beside the list, where there is room, the document of what its cursor is on."""
        self.side = DocumentSide(self.shell)
        with Container(id="beside"):
            self.list_pane = Pane(*super().compose_body())
            yield self.list_pane
            self.edge = Edge()
            yield self.edge
            self.side_pane = Pane(self.side.title_line, self.side)
            yield self.side_pane
        self.lay_out(self.app.size)

    def show_edges(self, size: Size) -> None:
        """Also whether the document stands beside the list."""
        super().show_edges(size)
        if self.is_mounted:
            self.lay_out(size)

    def lay_out(self, size: Size) -> None:
        """As wide as there is room."""
        cells = list_cells(size.width)
        self.side_pane.display = self.edge.display = bool(cells)
        self.list_pane.styles.width = cells or "100%"
        self._show_document()

    def _show_document(self) -> None:
        row = self.current
        if self.side_pane.display and self._spec is not None and row is not None:
            is_task = specs_rows.is_task(row)
            self.side.look(self._spec, "tasks" if is_task else row["name"], row["name"] if is_task else "")

    def make_table(self) -> ResourceTable:
        """The list, whose cursor leaves out what is neither phase nor task."""
        return PlanTable(self.row.columns, ascii_only=self.shell.ascii_only, id="table")

    @property
    def arguments(self) -> Mapping[str, Any]:
        """About which spec is asked."""
        return {"id": self._asked}

    def take(self, rows: list[Row]) -> None:
        """The spec: its quests and its documents are looked at, too, before it is shown."""
        (spec,) = rows
        spec = specs_rows.named(spec)
        self.way_here = ("missions", "specs", specs_rows.shown(spec))

        def on_result(answers: Answers) -> None:
            (answer,) = answers
            quests = [] if isinstance(answer, OvermindError) else answer
            self.shell.background(lambda: self._looked(spec, quests))

        self.shell.request("quests", [{"spec": spec["id"]}], on_result)

    def _looked(self, spec: Row, quests: Sequence[Row]) -> Callable[[], None]:
        """Look into its folder, in a thread; answers what is then to be done."""
        folder = spec["folder"]
        stamp = document_texts.stamp(folder, "tasks")
        work = self._work if stamp == self._work_stamp else Work(*document_texts.tasks(folder))
        brief = document_texts.has_brief(folder)

        def show() -> None:
            self._spec, self._quests, self._work, self._brief = spec, quests, work, brief
            self._work_stamp = stamp
            if self.is_attached:
                self._compose_rows()

        return show

    def _compose_rows(self) -> None:
        fleet = self.shell.fleet
        self._known = fleet.changes, fleet.questions
        if self._spec is not None:
            quests_rows.learn(self._quests, fleet.rows, fleet.questions)
            begins = not self._loaded
            super().take(specs_rows.parts(self._spec, self._work, self._quests, brief=self._brief))
            if begins:
                self._to_current()
            self._show_document()

    def _to_current(self) -> None:
        """Begin with the phase that the spec is about now, if any is."""
        phase = None if self._spec is None else specs_rows.current_phase(self._spec)
        places = [at for at, branch in enumerate(self.table.branches) if phase and branch.row["name"] == phase["phase"]]
        if places:
            self.table.move_to(places[0])

    def refresh_status(self) -> None:
        """Update the rows: questions and runs may have changed."""
        fleet = self.shell.fleet
        if self._known != (fleet.changes, fleet.questions) and self._loaded:
            self._compose_rows()
        super().refresh_status()

    def branches(self, rows: Sequence[Row]) -> list[Branch]:
        """Tasks with their edges, unless some are left out or they stand in another order."""
        return specs_rows.branches(rows, drawn=not self.filtering.filter and not self.sorting.by)

    @property
    def shown_count(self) -> int:
        """How many tasks there are, as far as the filter lets them be."""
        return sum(bool(branch.row["name"]) and specs_rows.is_task(branch.row) for branch in self.table.branches)

    @property
    def counted(self) -> str:
        """How many phases there are, and how many tasks; with a filter, how many tasks of all are shown."""
        tasks = sum(map(specs_rows.is_task, self.rows))
        if self.filtering.filter:
            return f"{self.shown_count:,} of {numbers.counted(tasks, self.row.noun)}"
        phases = numbers.counted(len(self._spec["phases"]) if self._spec else 0, "phase")
        return f"{phases}, {numbers.counted(tasks, self.row.noun)}" if tasks else phases

    def looked_in(self, row: Row) -> str:
        """The text of a row in which a filter searches."""
        return specs_rows.looked_in_part(row)

    def subtitle(self) -> str:
        """The state of the spec, for the border."""
        return "" if self._spec is None else specs_rows.summary(self._spec, self.rows)

    @on(ResourceTable.Selected)
    def selected(self) -> None:
        """Update what stands beside the list for the row under the cursor."""
        self._show_document()

    def standing(self) -> Cell:
        """The state of the row under the cursor, in full, for the line."""
        row = self.current
        return Cell("") if row is None else Cell(specs_rows.part_standing(row), "quiet")

    @property
    def current(self) -> Row | None:
        """The phase or task under the cursor."""
        row = super().current
        return row if row is not None and row["name"] else None

    # what actions meet

    def _part_rows(self) -> list[Row]:
        return [row for row in super().chosen() if row["name"]]

    def chosen(self) -> list[Row]:
        """The spec, with the phase or the task that is meant."""
        return [] if self._spec is None else [self._meant(row) for row in self._part_rows()]

    def _meant(self, row: Row) -> Row:
        assert self._spec is not None
        if specs_rows.is_task(row):
            quest = next((one for one in self._quests if one["id"] == row["quest"]), None)
            return {**self._spec, OF_PHASE: "tasks", OF_TASK: quest, AT_TASK: row["name"]}
        return {**self._spec, OF_PHASE: row["name"], OF_TASK: None}

    def targets(self) -> list[Row]:
        """The missions of tasks, and of the quests of phases."""
        rows = (self.shell.fleet.of(row["quest"]) for row in self._part_rows())
        return [row for row in rows if row is not None]

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also documents, and what a key shows of a quest."""
        return super().handlers(context) | {
            "open-part": self.do_open_part,
            "timeline": self.do_timeline,
            "why": self.do_why,
            "quest-log": self.do_log,
        }

    def do_open_part(self) -> None:
        """The document of a phase; all that is known of a task's quest, or its part of the document."""
        row = self.current
        if row is not None and specs_rows.is_task(row) and row["quest"]:
            self._about_quest(row, "quest", "quest", self._quest_lines)
        elif row is not None:
            self.shell.act("comment-document", self.chosen()[:1])

    def do_describe_row(self) -> None:
        """All that is known of the spec."""
        spec = self._spec
        if spec is not None:
            self.read(spec, lambda: specs_rows.description(spec, self.rendering()), what="spec")

    def do_why(self) -> None:
        """Why the quest of a task, or of a phase, waits."""
        if self.current is not None:
            self._about_quest(self.current, "quest_why", "why", quests_rows.why_text)

    def do_timeline(self) -> None:
        """What happened to the spec; to the quest of a task that has one."""
        row, spec = self.current, self._spec
        if row is not None and spec is not None:
            quest = row["quest"] if specs_rows.is_task(row) else None
            name = f"{spec['slug']}/{row['name']}" if quest else spec["slug"]
            show_timeline(self.shell, quest or spec["id"], name)

    def do_log(self) -> None:
        """What the quest of a task, or of a phase, wrote."""
        row = self.current
        if row is not None and self._has_quest(row):
            self.show_log(row["quest"], "")

    def _about_quest(self, row: Row, request: str, what: str, text: Callable[[Any], Lines]) -> None:
        """Ask for something about its quest, and show that."""
        if self._has_quest(row):
            quest = {"id": row["quest"], "name": f"{row['spec']}/{row['name']}"}
            self.fetch(request, quest, lambda answer: self._read_quest(quest, what, text(answer)))

    def _quest_lines(self, known: Row) -> Lines:
        quests_rows.learn([known], self.shell.fleet.rows, self.shell.fleet.questions)
        return quests_rows.quest(known, self.rendering())

    def _read_quest(self, quest: Row, what: str, lines: Lines) -> None:
        self.read(quest, lambda: lines, what=what, hang=HANG)

    def _has_quest(self, row: Row) -> bool:
        """Whether it has a quest; where it has none it is said."""
        if row["quest"] is None:
            why = "is not queued yet" if specs_rows.is_task(row) else "has no agent of its own"
            self.shell.flash(f"{safe(row['name'])} {why}", "slow")
        return row["quest"] is not None
