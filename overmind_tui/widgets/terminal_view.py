"""A mission's terminal as a person handles it: scrolled, searched, selected, pointed at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events

from overmind_tui import patience
from overmind_tui.view import finding, selection
from overmind_tui.view.selection import Place, Selection
from overmind_tui.view.window import Window
from overmind_tui.widgets.terminal_canvas import TerminalCanvas

if TYPE_CHECKING:
    from overmind_core.terminal.mouse import MouseEvent

SEARCH = 1.0
"""Seconds of computing that one search may take."""
WHEEL = 3
"""Rows that one step of the wheel scrolls."""
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
        self._at: Place | None = None
        """The match that was shown last."""
        self._origin = (Window(), False)
        """What was in sight when a search began."""
        self._dragged: Place | None = None
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
        self.selection = selection.moved(self.selection, self._grid, rows=rows)
        self.reveal(self.selection.head.row, self.selection.head.column)

    def _sideways(self, step: int) -> None:
        assert self._grid is not None
        if self.selection is not None:
            self.selection = selection.moved(self.selection, self._grid, columns=step)
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
        place = Place(row, cursor.x)
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
            return selection.all_text(self._grid)
        return selection.selected_text(self.selection, self._grid)

    # searching

    @property
    def searched(self) -> str:
        """What is searched, and how many times it is there; "" when nothing is."""
        if self._pattern is None:
            return ""
        count = sum(match.begins for match in self._matches)
        return f"/{self._pattern.pattern}: {'takes too long' if self._slow else count or 'not there'}"

    def begin_search(self) -> None:
        """What is typed from now on is looked for from here."""
        self._origin = (self._window, self._scrolled)

    def search(self, text: str) -> None:
        """Mark all that matches, and show the newest one before the end of what was in sight at the beginning."""
        self._pattern, self._slow = finding.compiled(text), False
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

    def _found(self) -> list[finding.Match]:
        grid, pattern = self._grid, self._pattern
        if grid is None or pattern is None or self._slow:
            return []
        try:
            return patience.within(SEARCH, lambda: finding.found(grid, pattern))
        except patience.OutOfPatience:
            self._slow = True
            return []

    def to_match(self, *, back: bool, beyond: bool = False) -> bool:
        """The next one from the one that was shown last, or from the end of what is in sight; whether there is one."""
        self._find()
        at = Place(self._window.row + self.pane[1], 0) if beyond or self._at is None else self._at
        found = finding.next_match(self._matches, *at, back=back)
        self._at = Place(found.row, found.start) if found else None
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
        from overmind_tui.terminal.pointing import pointed  # noqa: PLC0415 - not before the first frame

        y = place.row - self._grid.top
        return 0 <= y < self._grid.screen.rows and self._point(pointed(event, place.column, y))

    def _place(self, event: events.MouseEvent) -> Place | None:
        """The cell below the mouse, or the one next to it."""
        if self._grid is None:
            return None
        offset = event.get_content_offset_capture(self)
        column = max(0, min(self._window.column + offset.x, self._grid.screen.columns - 1))
        return Place(max(self._grid.first, min(self._window.row + offset.y, self._grid.end - 1)), column)
