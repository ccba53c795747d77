"""The widget of a mission's terminal: scrolled, searched, selected, pointed at.

Only the cells that the pane shows and that changed are drawn.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset, Region
from textual.message import Message
from textual.strip import Strip

from overmind_core.system import time_budget
from overmind_core.view import panel_title
from overmind_core.view import terminal_title as title
from overmind_core.view.terminal_title import Viewport
from overmind_tui.terminal import grid, grid_search
from overmind_tui.terminal.grid import Grid, GridPlace, Selection
from overmind_tui.terminal.grid_search import Match
from overmind_tui.widgets import style as widgets_style
from overmind_tui.widgets.canvas import WHEEL, Titled

if TYPE_CHECKING:
    from overmind_core.terminal.input_encoding import MouseEvent
    from overmind_core.terminal.screen import Screen


Over = Callable[[Style], Style]
"""What a cell's style becomes where something is drawn over it."""


class TerminalCanvas(Titled, can_focus=True):
    """Shows one screen, or a few words while there is none.

    Attributes:
        live: Whether a person types into it: the cursor is the real one's business.
        selection: What is drawn as selected.
    """

    class Changed(Message):
        """What the border says is no longer true."""

    class Sized(Message):
        """The pane has another size."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as all widgets have it
        super().__init__(id=id)
        self._grid: Grid | None = None
        self._window = Viewport()
        self._scrolled = False
        self._cursor_row: int | None = None
        self._words = ""
        self._matches: list[Match] = []
        self._match_rows: dict[int, list[Match]] = {}
        self._pattern: re.Pattern[str] | None = None
        self.selection: Selection | None = None
        self.live = False

    # what is shown

    @property
    def screen_shown(self) -> Screen | None:
        """The screen that is shown."""
        return None if self._grid is None else self._grid.screen

    @property
    def is_laid_out(self) -> bool:
        """Whether the pane was given a place on the screen yet."""
        return bool(self.content_size)

    @property
    def pane(self) -> tuple[int, int]:
        """Columns and rows that there is room for."""
        return max(self.content_size.width, 1), max(self.content_size.height, 1)

    @property
    def cropped(self) -> bool:
        """Whether the terminal is larger than the pane."""
        shown = self.screen_shown
        return shown is not None and (shown.columns > self.pane[0] or shown.rows > self.pane[1])

    @property
    def back(self) -> int:
        """Rows between the end and what is shown."""
        return 0 if self._grid is None or not self._scrolled else max(self._last_top - self._window.row, 0)

    def show_words(self, words: str) -> None:
        """Instead of a screen, or on its first row; "" takes them away."""
        if words != self._words:
            self._words = words
            self.refresh()

    def show(self, screen: Screen | None) -> None:
        """Another screen, at its end."""
        self._grid = None if screen is None else Grid(screen)
        self.selection, self._scrolled, self._window = None, False, Viewport()
        self._pattern = None
        self._matches, self._match_rows = [], {}
        self.update()
        self.refresh()

    def update(self) -> None:
        """The screen was fed: draw what is different."""
        if self._grid is None:
            return
        before = self._window
        self._settle()
        dirty = self._grid.screen.take_dirty()
        if self._window != before and not self._scrolled:
            self.refresh()
        else:
            self._repaint({self._grid.top + row for row in dirty})
        self._move_cursor()

    def _settle(self) -> None:
        """Put the window where it belongs by now."""
        grid = self._grid
        assert grid is not None
        if self._scrolled:
            self._window = title.scrolled(self._window, 0, first=grid.first, last=self._last_top)
            return
        shown, cursor = grid.screen, grid.screen.cursor
        self._window = title.following(
            self._window,
            pane=self.pane,
            terminal=(shown.columns, shown.rows),
            top=grid.top,
            cursor=(cursor.x, cursor.y),
        )
        if not self.live:
            first = panel_title.first_row(self.written, cursor.y, self.pane[1])
            self._window = self._window._replace(row=grid.top + first)

    @property
    def written(self) -> int:
        """Rows of the terminal down to the last one that says something, or has the cursor."""
        grid = self._grid
        if grid is None:
            return 0
        said = (row for row in range(grid.screen.rows, 0, -1) if grid.text(grid.top + row - 1))
        return max(next(said, 0), grid.screen.cursor.y + 1)

    @property
    def first_shown(self) -> int:
        """The first row of the terminal that is in sight, from 0; what it said before that is above it."""
        return 0 if self._grid is None else self._window.row - self._grid.top

    def rows_below(self) -> list[str]:
        """The texts of all rows from the end up to the last one in sight."""
        grid = self._grid
        if grid is None:
            return []
        last = min(self._window.row + self.pane[1], grid.end) - 1
        return [grid.text(row) for row in range(grid.end - 1, last - 1, -1)]

    def _repaint(self, rows: set[int]) -> None:
        width, height = self.pane
        for row in rows:
            y = row - self._window.row
            if 0 <= y < height:
                self.refresh(Region(0, y, width, 1))

    @property
    def _last_top(self) -> int:
        """The last row that may be at the top of the pane."""
        assert self._grid is not None
        return max(self._grid.end - self.pane[1], self._grid.top)

    # the cursor

    def _move_cursor(self) -> None:
        """Both where it was and where it is look different."""
        assert self._grid is not None
        row = self._grid.top + self._grid.screen.cursor.y
        self._repaint({row, row if self._cursor_row is None else self._cursor_row})
        self._cursor_row = row
        if self.live and (place := self.cursor_place) is not None:
            self.app.cursor_position = place

    @property
    def cursor_place(self) -> Offset | None:
        """Where the program's cursor stands on the whole screen; None when it is not seen."""
        if self._grid is None or self._scrolled:
            return None
        cursor, (width, height) = self._grid.screen.cursor, self.pane
        x, y = cursor.x - self._window.column, self._grid.top + cursor.y - self._window.row
        if not (cursor.visible and 0 <= x < width and 0 <= y < height):
            return None
        return Offset(self.content_region.x + x, self.content_region.y + y)

    # moving

    def scroll(self, rows: int) -> None:
        """So many rows further down; at the end the cursor is followed again."""
        if self._grid is None:
            return
        wanted = self._window.row + rows
        self._window = title.scrolled(self._window, rows, first=self._grid.first, last=self._last_top)
        self._scrolled = wanted < self._last_top
        self._settle()
        self._changed()

    def to_end(self) -> None:
        """Follow the cursor."""
        if self._scrolled:
            self._scrolled = False
            self._settle()
            self._changed()

    def reveal(self, row: int, column: int) -> None:
        """Have a cell in sight."""
        width, height = self.pane
        top = min(max(self._window.row, row - height + 1), row)
        left = min(max(self._window.column, column - width + 1), column)
        if top != self._window.row or left != self._window.column:
            self._scrolled = True
        self._window = Viewport(top, left)
        self._settle()
        self._changed()

    def _changed(self) -> None:
        self.refresh()
        self.post_message(self.Changed())

    # drawing

    def render_line(self, y: int) -> Strip:
        """One row."""
        width = self.content_size.width
        if self._words and y == 0:
            return self.strip([(f" {self._words}", self.tone("slow"))], width)
        grid = self._grid
        row = y + self._window.row
        if grid is None or not grid.first <= row < grid.end:
            return self.strip((), width)
        looks = ((text, widgets_style.style_of(look)) for text, look in grid.runs(row))
        colours = self.app.ansi_theme
        runs = [(text, widgets_style.readable(style, self.ground, colours)) for text, style in looks]
        strip = self.strip(runs, grid.screen.columns)
        for columns, over in self._overlays(row):
            strip = _overlaid(strip, columns, over)
        left = self._window.column
        return strip.crop(left, left + width).adjust_cell_length(width, self.ground)

    def _overlays(self, row: int) -> list[tuple[range, Over]]:
        """What is drawn over the cells of a row."""
        assert self._grid is not None
        chosen, shown = self.tone("chosen"), self._grid.screen
        found: list[tuple[range, Over]] = []
        if shown.modes.reverse_video:
            found.append((range(shown.columns), widgets_style.inverted))
        found += [(range(match.start, match.end), lambda style: style + chosen)
                  for match in self._match_rows.get(row, ())]  # fmt: skip
        if self.selection is not None:
            found.append((self.selection.columns(row, shown.columns), widgets_style.inverted))
        cursor = shown.cursor
        if row == self._grid.top + cursor.y and cursor.visible and not self._has_real_cursor:
            found.append(
                (
                    self._grid.cell(row, cursor.x),
                    widgets_style.underlined if cursor.shape in {3, 4} else widgets_style.inverted,
                )
            )
        return found

    @property
    def _has_real_cursor(self) -> bool:
        return self.live and not self.app.is_headless

    def on_resize(self) -> None:
        """Another part of the terminal fits."""
        if self._grid is not None:
            self._settle()
        self.refresh()
        self.post_message(self.Sized())


def _overlaid(strip: Strip, columns: range, over: Over) -> Strip:
    """The strip with other styles in some of its cells."""
    if not columns:
        return strip
    before, inside, after = strip.divide([columns.start, columns.stop, strip.cell_length])
    changed = Strip([Segment(text, over(style or Style.null()), control) for text, style, control in inside])
    return Strip.join([before, changed, after])


SEARCH = 1.0
"""Seconds of computing that one search may take."""
SIDEWAYS = 8
"""Columns that one key goes sideways."""


class TerminalView(TerminalCanvas):
    """The terminal under keys and mouse.

    Args:
        point: Told what the mouse does, in cells of the terminal; says whether that was for the program in there.
    """

    def __init__(self, point: Callable[[MouseEvent], bool], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._point = point
        self._at: GridPlace | None = None
        """The match that was shown last."""
        self._origin = (Viewport(), False)
        """What was in sight when a search began."""
        self._dragged: GridPlace | None = None
        self._slow = False
        """What is searched takes too long."""

    # moving

    def press(self, action: str) -> bool:
        """Scroll, or move the end of what is selected; False when the action is none of that."""
        height = self.pane[1]
        steps = {"down": 1, "up": -1, "page-down": height - 1, "page-up": 1 - height, "half-down": height // 2,
                 "half-up": -(height // 2), "first": -(1 << 40), "last": 1 << 40}  # fmt: skip
        if self._grid is None:
            return False
        if action in steps:
            self._go(steps[action])
        elif action in {"left", "right"}:
            self._sideways(1 if action == "right" else -1)
        else:
            return False
        return True

    def _go(self, rows: int) -> None:
        if self.selection is None:
            self.scroll(rows)
            return
        assert self._grid is not None
        self.selection = grid.moved(self.selection, self._grid, rows=rows)
        self.reveal(self.selection.head.row, self.selection.head.column)

    def _sideways(self, step: int) -> None:
        assert self._grid is not None
        if self.selection is not None:
            self.selection = grid.moved(self.selection, self._grid, columns=step)
            self.reveal(self.selection.head.row, self.selection.head.column)
            return
        most = max(self._grid.screen.columns - self.pane[0], 0)
        self._window = self._window._replace(column=max(0, min(self._window.column + step * SIDEWAYS, most)))
        self._scrolled = self._scrolled or most > 0
        self._changed()

    # selecting

    def select(self) -> None:
        """Begin where the cursor is, or at the last row in sight; again: the other end moves."""
        if self._grid is None:
            return
        if self.selection is not None:
            self.selection = self.selection.turned()
            self.reveal(*self.selection.head)
            return
        cursor, height = self._grid.screen.cursor, self.pane[1]
        row = self._grid.top + cursor.y
        if not self._window.row <= row < self._window.row + height:
            row = min(self._window.row + height, self._grid.end) - 1
        place = GridPlace(row, cursor.x)
        self.selection = Selection(place, place)
        self._changed()

    def drop_selection(self) -> bool:
        """Select nothing; whether there was anything."""
        had, self.selection = self.selection is not None, None
        if had:
            self._changed()
        return had

    def text(self) -> str:
        """What is selected, else what the screen shows."""
        if self._grid is None:
            return ""
        if self.selection is None:
            return grid.all_text(self._grid)
        return grid.selected_text(self.selection, self._grid)

    # searching

    @property
    def searched(self) -> str:
        """What is searched, and how many times it is there; "" when nothing is."""
        if self._pattern is None:
            return ""
        count = sum(match.begins for match in self._matches)
        return f"/{self._pattern.pattern}: {'takes too long' if self._slow else count or 'not found'}"

    def begin_search(self) -> None:
        """What is typed from now on is looked for from here."""
        self._origin = (self._window, self._scrolled)

    def search(self, text: str) -> None:
        """Mark all that matches, and show the newest one before the end of what was in sight at the beginning."""
        self._pattern, self._slow = grid_search.compiled(text), False
        self._window, self._scrolled = self._origin
        self._find()
        if self._matches:
            self.to_match(back=True, beyond=True)
        else:
            self._changed()

    def _find(self) -> None:
        found = self._found()
        self._matches, self._match_rows = found, {}
        for match in found:
            self._match_rows.setdefault(match.row, []).append(match)

    def _found(self) -> list[grid_search.Match]:
        grid, pattern = self._grid, self._pattern
        if grid is None or pattern is None or self._slow:
            return []
        try:
            return time_budget.within(SEARCH, lambda: grid_search.found(grid, pattern))
        except time_budget.BudgetExceeded:
            self._slow = True
            return []

    def to_match(self, *, back: bool, beyond: bool = False) -> bool:
        """The next one from the one that was shown last, or from the end of what is in sight; whether there is one."""
        self._find()
        at = GridPlace(self._window.row + self.pane[1], 0) if beyond or self._at is None else self._at
        found = grid_search.next_match(self._matches, *at, back=back)
        self._at = GridPlace(found.row, found.start) if found else None
        if found is None:
            self._changed()
            return False
        self.reveal(found.row, found.start)
        return True

    def drop_search(self) -> bool:
        """Mark nothing; whether there was a search."""
        had, self._pattern = self._pattern is not None, None
        self._matches, self._match_rows, self._at = [], {}, None
        if had:
            self._changed()
        return had

    # the mouse

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Back."""
        if not self._pointed(event):
            self.scroll(-WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Forward."""
        if not self._pointed(event):
            self.scroll(WHEEL)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """For the program, or the beginning of a selection."""
        if self._pointed(event):
            return
        self.drop_selection()
        if event.button == 1 and not self.live:
            self._dragged = self._place(event)
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """For the program, or the other end of a selection."""
        if self._dragged is not None:
            place = self._place(event)
            if place is not None and place != self._dragged:
                self.selection = Selection(self._dragged, place, whole=False)
                self.reveal(*place)
            return
        self._pointed(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """For the program, or the end of a selection."""
        if self._dragged is not None:
            self._dragged = None
            self.release_mouse()
            return
        self._pointed(event)

    def _pointed(self, event: events.MouseEvent) -> bool:
        """Whether it was for the program in the terminal."""
        place = self._place(event)
        if place is None or self._grid is None or not self.live:
            return False
        from overmind_tui.terminal.encoding import pointed  # noqa: PLC0415 - not before the first frame

        y = place.row - self._grid.top
        return 0 <= y < self._grid.screen.rows and self._point(pointed(event, place.column, y))

    def _place(self, event: events.MouseEvent) -> GridPlace | None:
        """The cell below the mouse, or the one next to it."""
        if self._grid is None:
            return None
        offset = event.get_content_offset_capture(self)
        column = max(0, min(self._window.column + offset.x, self._grid.screen.columns - 1))
        return GridPlace(max(self._grid.first, min(self._window.row + offset.y, self._grid.end - 1)), column)
