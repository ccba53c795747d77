"""An emulated terminal on the screen: which cells of it a pane shows, and only those that changed are drawn."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset, Region
from textual.message import Message
from textual.strip import Strip

from overmind_tui.view import window
from overmind_tui.view.finding import Match
from overmind_tui.view.grid import Grid
from overmind_tui.view.selection import Selection
from overmind_tui.view.window import Window
from overmind_tui.widgets import looks
from overmind_tui.widgets.canvas import Canvas, Titled

if TYPE_CHECKING:
    from overmind_core.terminal.screen import Screen

Over = Callable[[Style], Style]
"""What a cell's style becomes where something is drawn over it."""


class TerminalCanvas(Canvas, Titled, can_focus=True):
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
        self._window = Window()
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

    def say(self, words: str) -> None:
        """Instead of a screen, or on its first row; "" takes them away."""
        if words != self._words:
            self._words = words
            self.refresh()

    def show(self, screen: Screen | None) -> None:
        """Another screen, at its end."""
        self._grid = None if screen is None else Grid(screen)
        self.selection, self._scrolled, self._window = None, False, Window()
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
            self._window = window.scrolled(self._window, 0, first=grid.first, last=self._last_top)
            return
        shown, cursor = grid.screen, grid.screen.cursor
        self._window = window.following(
            self._window,
            pane=self.pane,
            terminal=(shown.columns, shown.rows),
            top=grid.top,
            cursor=(cursor.x, cursor.y),
        )

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
        self._window = window.scrolled(self._window, rows, first=self._grid.first, last=self._last_top)
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
        self._window = Window(top, left)
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
            return self.strip([(f" {self._words}", self.tone("wait"))], width)
        grid = self._grid
        row = y + self._window.row
        if grid is None or not grid.first <= row < grid.end:
            return self.strip((), width)
        strip = self.strip([(text, looks.style_of(look)) for text, look in grid.runs(row)], grid.screen.columns)
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
            found.append((range(shown.columns), looks.inverted))
        found += [(range(match.start, match.end), lambda style: style + chosen)
                  for match in self._match_rows.get(row, ())]  # fmt: skip
        if self.selection is not None:
            found.append((self.selection.columns(row, shown.columns), looks.inverted))
        cursor = shown.cursor
        if row == self._grid.top + cursor.y and cursor.visible and not self._has_real_cursor:
            found.append(
                (self._grid.cell(row, cursor.x), looks.underlined if cursor.shape in {3, 4} else looks.inverted)
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
