"""The table widget, also a tree: any number of rows, of which only the visible ones are drawn.

The cursor holds an id, not a row. A drawn line is kept until what it says changes. In the table of a plan the cursor
stands on agents only, between the edges.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from overmind_core.domain.missions.status_marks import ATTACHED, StatusMark
from overmind_core.domain.text.cells import pad, width
from overmind_core.view import first_run
from overmind_core.view import missions as rows
from overmind_core.view import plans as plans_rows
from overmind_core.view.cells import Cell, clipped, fitted, folded
from overmind_core.view.columns import GAP, Column, Layout, laid_out, needed, stressed
from overmind_core.view.hive_keys import SILENT_SINCE
from overmind_core.view.keys_help import FOLDED, MARKED, NEWS
from overmind_core.view.mission_list import CURSOR
from overmind_core.view.missions import Branch
from overmind_tui.widgets.canvas import ListCanvas, Run

RESTLESS_SECONDS = 0.5
"""Seconds after the cursor's row moved in which actions that end work are refused."""
REMEMBERED = 512
"""Drawn lines."""
EDGES = 2
"""Cells before the first column, for marks, and behind the last one."""
DIM = Style(dim=True)


class ResourceTable(ListCanvas):
    """Rows, columns and a cursor; the first column draws the tree."""

    beside: ClassVar = 6
    """Cells that marks and badges take beside a name."""

    class Selected(Message):
        """The cursor stands on another row."""

        def __init__(self, row: str | None) -> None:
            super().__init__()
            self.row = row

    class Opened(Message):
        """A row was clicked twice."""

    class Headed(Message):
        """The heading of a column was clicked."""

        def __init__(self, column: str) -> None:
            super().__init__()
            self.column = column

    def __init__(self, columns: Sequence[Column], *, ascii_only: bool = False, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._columns = columns
        self._ascii = ascii_only
        self._news = "o" if ascii_only else "•"
        self.branches: list[Branch] = []
        self.cursor_id: str | None = None
        self.at = 0
        self.marked: set[str] = set()
        self.wide = False
        self.sorted_by = ("", True)
        """The column that the rows are sorted by, and whether the least comes first."""
        self.chosen = ""
        """The column that the person chose."""
        self.empty: Sequence[str | Sequence[Cell]] = ()
        self.now = time.time
        self.dims = False
        """Whether it is dimmed while the keys are elsewhere on the screen."""
        self.stale = False
        """Whether it is dimmed as what may be otherwise by now: nobody answers."""
        self._place: str | None = None
        """Where the cursor stood when a filter began, or before no row was left."""
        self._moved_at = float("-inf")
        self._cells = 0
        self._needs: dict[str, int] = {}
        self._layout: Layout | None = None
        self._drawn: dict[object, Strip] = {}
        self._on_screen: dict[int, Strip] = {}
        """What was drawn last, by line."""

    # what is shown

    @property
    def current(self) -> Branch | None:
        """The row under the cursor."""
        return self.branches[self.at] if self.branches and 0 <= self.at < len(self.branches) else None

    @property
    def restless(self) -> bool:
        """Whether the cursor's row left or moved a moment ago, without a key of the person."""
        return time.monotonic() - self._moved_at < RESTLESS_SECONDS

    @property
    def columns(self) -> Sequence[Column]:
        """All that there are, shown or not."""
        return self._columns

    @columns.setter
    def columns(self, columns: Sequence[Column]) -> None:
        if columns is not self._columns:
            self._columns = columns
            self.wipe()

    @property
    def signs(self) -> list[StatusMark]:
        """The marks that it draws beside those of its rows."""
        drawn = {
            NEWS: any(branch.row.get("unseen") for branch in self.branches),
            ATTACHED: any(branch.row.get("attached") for branch in self.branches),
            FOLDED: any(branch.folded for branch in self.branches),
            MARKED: any(branch.id in self.marked for branch in self.branches),
        }
        return [mark for mark, is_drawn in drawn.items() if is_drawn]

    def mark(self, rows: set[str]) -> None:
        """Mark these rows, and no others."""
        self.marked = rows
        self.refresh()

    def show(self, branches: list[Branch], *, asked: bool = False) -> None:
        """Show these rows; `asked`: the person changed the arrangement, so that a move surprises nobody."""
        if not asked and rows.has_moved(self.branches, branches, self.cursor_id, self.at):
            self._moved_at = time.monotonic()
        wanted = self._wanted(branches)
        self.branches = branches
        self.at = rows.cursor_place(branches, wanted, self.at)
        self._needs = needed(self._columns, branches, self.now(), beside=self.beside)
        self._layout = None
        self.hold_rows(len(branches) + 1)
        self._settle()
        self._redraw()

    def keep_place(self) -> None:
        """A filter begins: where it leaves no row, the cursor goes back to where it stands now."""
        self._place = self.cursor_id

    def _wanted(self, branches: Sequence[Branch]) -> str | None:
        """The id of the row for the cursor: the one that it is on, behind a list without rows the one before that."""
        if self.branches:
            if not branches:
                self._place = self._place or self.cursor_id
            return self.cursor_id
        if not any(branch.meant and branch.id == self._place for branch in branches):
            return None
        wanted, self._place = self._place, None
        return wanted

    def move_to(self, at: int) -> None:
        """Put the cursor on a row."""
        self._place = None
        self.at = max(0, min(at, len(self.branches) - 1))
        self._moved_at = float("-inf")
        self._settle()
        self._redraw()

    def select(self, row: str) -> bool:
        """Put the cursor on the row with this id; False when it isn't shown."""
        at = next((at for at, branch in enumerate(self.branches) if branch.id == row), None)
        if at is None:
            return False
        self.move_to(at)
        return True

    def press(self, action: str) -> bool:
        """Move the cursor; False when the action is none of that."""
        page = max(self._rows_shown - 1, 1)
        steps = {"down": 1, "up": -1, "page-down": page, "page-up": -page}
        if action in steps:
            self.move_to(self.at + steps[action])
        elif action == "first":
            self.move_to(0)
        elif action == "last":
            self.move_to(len(self.branches) - 1)
        else:
            return False
        return True

    def tick(self) -> None:
        """Draw the visible rows again whose times went on."""
        self._redraw()

    @property
    def rests(self) -> bool:
        """Whether it is dimmed: the keys are elsewhere on the screen, or it is stale."""
        return self.stale or (self.dims and not self.has_focus)

    def on_focus(self) -> None:
        """The keys are here."""
        self._redraw()

    def on_blur(self) -> None:
        """The keys are elsewhere."""
        self._redraw()

    def draw_marks(self, *, ascii_only: bool) -> None:
        """With these signs from now on."""
        self._ascii, self._news = ascii_only, "o" if ascii_only else "•"
        self.forget_drawn()

    def forget_drawn(self) -> None:
        """The theme changed."""
        self.wipe()
        self.refresh()

    def notify_style_update(self) -> None:
        """Colours may be others now."""
        super().notify_style_update()
        self.wipe()

    def wipe(self) -> None:
        """Draw everything anew."""
        self._drawn.clear()

    def _settle(self) -> None:
        """Tell who listens where the cursor is, and have its row in sight."""
        current = self.current
        found = None if current is None else current.id
        if found != self.cursor_id:
            self.cursor_id = found
            self.post_message(self.Selected(found))
        top, shown = self.scroll_offset.y, self._rows_shown
        if self.at < top:
            self.to_row(self.at)
        elif self.at >= top + shown > 0:
            self.to_row(self.at - shown + 1)

    @property
    def _rows_shown(self) -> int:
        return max(self.scrollable_content_region.height - 1, 0)

    # the mouse

    def on_click(self, event: events.Click) -> None:
        """A click chooses, two open; one on a heading is about its column."""
        place = event.get_content_offset(self)
        if place is None:
            return
        if place.y == 0:
            self.heading_clicked(place.x)
            return
        at = self.row_at(place.x, place.y)
        if at is not None:
            self.move_to(at)
            if event.chain > 1:
                self.post_message(self.Opened())

    def keep_in_sight(self) -> None:
        """Put the cursor on the nearest row in sight."""
        top = self.scroll_offset.y
        self.move_to(max(top, min(self.at, top + self._rows_shown - 1)))

    def heading_clicked(self, x: int) -> None:
        """Sort by the column that stands there."""
        if column := self._column_at(x):
            self.post_message(self.Headed(column))

    def row_at(self, x: int, y: int) -> int | None:
        """The place of the row that is drawn there; None where none is."""
        del x
        at = y - 1 + self.scroll_offset.y
        return at if 0 <= at < len(self.branches) else None

    def on_resize(self) -> None:
        """Another width, other columns."""
        self._layout = None
        self.wipe()
        self.hold_rows(len(self.branches) + 1)
        self._settle()
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The heading stays where it is, so everything is drawn."""
        super().watch_scroll_y(old_value, new_value)
        self.refresh(Region(0, 0, self.size.width, self.size.height))

    def _column_at(self, x: int) -> str:
        """The column that stands there; "" for none."""
        layout, begin = self._laid_out(self.scrollable_content_region.width), 1
        for column, count in zip(layout.columns, layout.widths, strict=True):
            if begin <= x < begin + count + GAP:
                return column.key
            begin += count + GAP
        return ""

    # drawing

    def _redraw(self) -> None:
        """Draw again what is no longer as it is on the screen, and only that."""
        width, height = self.scrollable_content_region.size
        self._cells = width
        changed = [y for y in range(height) if self._line(y) is not self._on_screen.get(y)]
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def render_lines(self, crop: Region) -> list[Strip]:
        """All lines of a region; how wide they are is asked once, for it takes longer than a line."""
        self._cells = self.scrollable_content_region.width
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """The heading, or a row."""
        strip = self._on_screen[y] = self._line(y)
        return strip

    def _line(self, y: int) -> Strip:
        cells = self._cells
        if not self.branches and self.empty:
            return self._empty_line(y, cells)
        layout = self._laid_out(cells)
        if y == 0:
            return self._heading(layout, cells)
        at = y - 1 + self.scroll_offset.y
        if not 0 <= at < len(self.branches):
            return self._kept(("blank", cells), lambda: self.strip((), cells))
        return self._row(self.branches[at], layout, cells, selected=at == self.at)

    def _laid_out(self, cells: int) -> Layout:
        if self._layout is None:
            columns = stressed(self._columns, self.sorted_by[0])
            self._layout = laid_out(columns, self._needs, cells - EDGES, wide=self.wide)
        return self._layout

    def choose(self, step: int) -> str:
        """Choose the column so many to the right of the chosen one, or of the one that rows are sorted by; its key."""
        shown = [column.key for column in self._laid_out(self.scrollable_content_region.width).columns]
        begun = next((key for key in (self.chosen, self._sorted(shown)) if key in shown), shown[0])
        self.chosen = shown[(shown.index(begun) + step) % len(shown)]
        self._redraw()
        return self.chosen

    def _heading(self, layout: Layout, cells: int) -> Strip:
        marked = self._sorted([column.key for column in layout.columns])
        arrow = "↑" if self.sorted_by[1] else "↓"
        runs: list[tuple[str, str]] = [(" ", "")]
        for place, (column, count) in enumerate(zip(layout.columns, layout.widths, strict=True)):
            title = f"{column.title}{arrow}" if column.key == marked else column.title
            lead = "  " if not place and column.key == "name" else ""
            tone = "chosen" if column.key == self.chosen else "faint"
            shown = clipped(title, count - len(lead))
            blank = (" " * (count - len(lead) - width(shown)), "")
            parts = [blank, (shown, tone)] if column.right else [(shown, tone), blank]
            runs += [(" " * GAP if place else "", ""), (lead, ""), *parts]
        key = ("heading", tuple(runs), cells)
        return self._kept(key, lambda: self.strip([(text, self.tone(tone)) for text, tone in runs], cells))

    def _sorted(self, shown: Sequence[str]) -> str:
        """The column whose heading has the arrow; "" where that by which rows are sorted is not shown."""
        by = self.sorted_by[0]
        return by if by in shown else ""

    def _row(self, branch: Branch, layout: Layout, cells: int, *, selected: bool) -> Strip:
        now = self.now()
        texts = [column.cell(branch.row, now) for column in layout.columns]
        marked = branch.id in self.marked
        focused = self.has_focus
        named = self.named(branch) if "status" in branch.row else None
        signs = (_is_faint(branch), branch.row.get("unseen"), marked, self.stale)
        key = (named, signs, tuple(texts), layout.widths, cells, selected, focused)
        return self._kept(key, lambda: self._draw(branch, texts, layout, cells, selected=selected, marked=marked))

    def _kept(self, key: object, draw: Callable[[], Strip]) -> Strip:
        """A line that was drawn before, or `draw` it."""
        strip = self._drawn.get(key)
        if strip is None:
            if len(self._drawn) > REMEMBERED:
                self._drawn.clear()
            strip = self._drawn[key] = draw()
        return strip

    def _draw(
        self, branch: Branch, texts: list[Cell], layout: Layout, cells: int, *, selected: bool, marked: bool
    ) -> Strip:
        news = Cell(self._news, "mark") if branch.row.get("unseen") else Cell(" ")
        edge = Cell("*", "mark") if marked else self.edge if selected else news
        runs: list[Run] = [(edge.text, self.tone(edge.tone))]
        for place, (column, count) in enumerate(zip(layout.columns, layout.widths, strict=True)):
            if place:
                runs.append((" " * GAP, Style.null()))
            if column.key == "name" and "status" in branch.row:
                runs += self._name_runs(branch, count)
            else:
                cell = texts[place]
                runs.append((fitted(cell.text, count, right=column.right), self.tone(cell.tone)))
        if _is_faint(branch):
            runs = [(text, self.tone("faint")) for text, _ in runs]
        if self.rests:
            runs = [(text, style + DIM) for text, style in runs]
        ground = None
        if selected:
            ground = self.tone("cursor" if self.has_focus else "cursor-rest")
        return self.strip(runs, cells, ground=ground)

    @property
    def edge(self) -> Cell:
        """The cursor at the left edge of its row, faint while the keys are elsewhere."""
        return Cell("|" if self._ascii else CURSOR, "accent" if self.has_focus else "faint")

    def named(self, branch: Branch) -> tuple[Cell, ...]:
        """What stands before the name of something that has a state, and the name; guides come first."""
        return rows.name_cell(branch, ascii_only=self._ascii)

    def _name_runs(self, branch: Branch, count: int) -> list[Run]:
        guides, *signs, name = self.named(branch)
        taken = sum(width(sign.text) for sign in signs)
        room = count - width(guides.text) - taken
        if room < 4:  # noqa: PLR2004 - so deep that the name would be lost
            guides, room = Cell("…" if guides.text else "", "guide"), count - taken - bool(guides.text)
        parts = (guides, *signs, Cell(pad(clipped(name.text, room), room), name.tone))
        return [(part.text, self.tone(part.tone)) for part in parts]

    def _empty_line(self, y: int, cells: int) -> Strip:
        said = [[Cell(line, "quiet")] if isinstance(line, str) else line for line in self.empty]
        indent = first_run.indent(cells)
        lines = folded(said, max(cells - indent - 1, 1), 0)
        line = lines[y - 1] if 0 < y <= len(lines) else [Cell("", "quiet")]
        return self.strip([(" " * indent, Style.null()), *((cell.text, self.tone(cell.tone)) for cell in line)], cells)


def _is_faint(branch: Branch) -> bool:
    """Whether it is drawn as what is not there, or not known as it is now."""
    return branch.dimmed or SILENT_SINCE in branch.row


class PlanTable(ResourceTable):
    """A table in which some rows are nothing but edges."""

    beside: ClassVar = 1

    def named(self, branch: Branch) -> tuple[Cell, ...]:
        """The edges beside the name, the mark of the stage among them."""
        return plans_rows.name_cell(branch, ascii_only=self._ascii)

    def show(self, branches: list[Branch], *, asked: bool = False) -> None:
        """Show these rows; the cursor leaves what is no agent."""
        super().show(branches, asked=asked)
        if self.current is not None and not plans_rows.is_agent(self.current):
            self.move_to(self.at)

    def move_to(self, at: int) -> None:
        """Put the cursor on a row, or beyond it in the same direction on the next agent."""
        step = -1 if at < self.at else 1
        places = [place for place, branch in enumerate(self.branches) if plans_rows.is_agent(branch)]
        beyond = [place for place in places if (place - at) * step >= 0]
        super().move_to(min(beyond or places, key=lambda place: abs(place - at), default=at))
