"""A log that a person moves in: any number of lines, of which those in sight and those near them are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo

from textual.message import Message
from textual.timer import Timer

from overmind_core.logs.display import Line
from overmind_tui.logs.book import Book
from overmind_tui.logs.page import Page
from overmind_tui.logs.rows import At
from overmind_tui.widgets.log_canvas import LogCanvas

STEP = 8
"""Cells that one key goes sideways."""
PATIENCE = 0.1
"""Seconds that another log may stay in sight until the wanted one is there."""


class LogView(LogCanvas):
    """The lines of one book.

    Attributes:
        mission: Whose newest lines are among them; None: nobody's alone.
        following: The last line is in sight, and stays there.
        read_pages: Is told which pages are wanted; what comes of it is told by `changed`.
    """

    class Changed(Message):
        """What the border says is no longer true: following, wrapping, times."""

    def __init__(self, *, zone: tzinfo | None = None, id: str | None = None) -> None:  # noqa: A002
        super().__init__(zone=zone, id=id)
        self._heading: int | None = None
        """A row to go to once what stands there has been read."""
        self.following = True
        self.mission: str | None = None
        self.read_pages: Callable[[Sequence[Page]], None] = lambda _pages: None
        self._awaited: Timer | None = None

    # what is shown

    def start(self, mission: str | None, empty: str) -> None:
        """Another log is on its way; what is on the screen stays there for a moment, so that nothing flashes."""
        self.mission, self.empty = mission, empty
        self.following, self._offset, self._heading = True, 0, None
        self.marked = self.here = None
        self._stop_waiting()
        self._awaited = self.set_timer(PATIENCE, self._waited)

    def _waited(self) -> None:
        """It is late: show that nothing is there yet."""
        self.show(Book())
        self.post_message(self.Changed())

    def _stop_waiting(self) -> None:
        if self._awaited is not None:
            self._awaited.stop()
            self._awaited = None

    def show(self, book: Book) -> None:
        """Show this one, at its end."""
        self._stop_waiting()
        self.book, self.here = book, None
        self.lay_out()

    def show_tail(self, lines: Sequence[Line], partial: str, before: int) -> None:
        """These are the newest lines now; the pages before them stay."""
        self.book.begin(lines, partial, before)
        self.rows.changed(self.book.tail)
        self.rows.arrange()
        self._place()

    def add(self, lines: Sequence[Line], partial: str) -> None:
        """These came at the end."""
        shown = self.book.add(lines, partial)
        self.rows.grew(len(shown))
        self._place()

    def changed(self, page: Page | None = None) -> None:
        """Pages were found, counted, or read (`page`); what is in sight stays in sight."""
        before = self._anchor()
        if page is not None:
            self.rows.changed(page)
        self.rows.arrange()
        self._settle(before)
        if self._heading is not None and self._has_read(self._heading):
            self._arrive(self._heading)
        self.refresh()

    def lay_out(self) -> None:
        """Know anew which rows there are."""
        self._break_lines()
        self._place()

    def rearrange(self) -> None:
        """The same lines in other rows, or other lines of the same book: what is in sight stays near."""
        before = self._anchor()
        self._break_lines()
        self._settle(before)
        self.refresh()

    def _anchor(self) -> At | None:
        return self.rows.at(self.scroll_offset.y)

    def _settle(self, before: At | None) -> None:
        """Have the line in the first row that was there before."""
        self.hold_rows(len(self.rows))
        if self.following:
            self.to_row(self._end)
        elif before is not None and before.page is not self.book.gap:
            row = self.rows.row_of(before.page, before.line)
            if row is not None:
                self.to_row(min(row + before.part, self._end))
        self._look_around()

    # moving

    def press(self, action: str) -> bool:
        """Do what belongs to a log; False when the action is none of that."""
        height = max(self._height, 1)
        steps = {"down": 1, "up": -1, "page-down": height - 1, "page-up": 1 - height,
                 "half-down": height // 2, "half-up": -(height // 2)}  # fmt: skip
        if action in steps:
            self._scroll(steps[action])
        elif action == "last":
            self.follow()
        elif action == "first":
            self.go(0)
        elif action in {"left", "right"}:
            self._offset = 0 if self.wrap else max(0, self._offset + (STEP if action == "right" else -STEP))
        elif action == "follow":
            self.following = not self.following
            self._place()
        elif action in {"wrap", "time"}:
            self._toggle(action)
        else:
            return False
        self.refresh()
        self.post_message(self.Changed())
        return True

    def _toggle(self, what: str) -> None:
        self.show_as(times=self.times is not (what == "time"), wrap=self.wrap is not (what == "wrap"))

    def show_as(self, *, times: bool, wrap: bool) -> None:
        """With or without the time of each line, long ones wrapped or sideways."""
        if wrap is not self.wrap:
            self._offset = 0
        self.times, self.wrap = times, wrap
        self.rearrange()
        self.refresh()

    def follow(self) -> None:
        """Go to the newest line and stay there."""
        self.following, self._heading = True, None
        self._place()

    def go(self, row: int) -> None:
        """Go to a row, at once or as soon as it has been read."""
        self.following = False
        row = max(0, min(row, self._end))
        self._heading = row
        if self._has_read(row):
            self._arrive(row)
        else:
            self._look_around()

    def show_line(self, page: Page, line: int) -> None:
        """Have a line in sight, and stand on it."""
        self.here = (page, line)
        row = self.rows.row_of(page, line)
        if row is not None and not self.scroll_offset.y <= row < self.scroll_offset.y + self._height:
            self.go(row - self._height // 3)
        else:
            self.following = False
        self._drawn.clear()
        self.refresh()
        self.post_message(self.Changed())

    def _arrive(self, row: int) -> None:
        self._heading = None
        self.to_row(row)
        self._look_around()

    def _scroll(self, rows: int) -> None:
        top = (self.scroll_offset.y if self._heading is None else self._heading) + rows
        if top >= self._end and rows > 0:
            self.follow()
        elif self._end:
            self.go(top)

    def on_mouse_scroll_up(self) -> None:
        """Back: following would fight against it."""
        self._scroll(-3)
        self.post_message(self.Changed())

    def on_mouse_scroll_down(self) -> None:
        """Forward, until the end is followed again."""
        self._scroll(3)
        self.post_message(self.Changed())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The scrollbar was dragged, or one of ours."""
        super().watch_scroll_y(old_value, new_value)
        self._look_around()

    def _has_read(self, row: int) -> bool:
        return all(page.lines is not None for page in self.rows.between(row, row + self._height - 1))

    def _look_around(self) -> None:
        """Have read what is in sight, what is gone to, and what is near it."""
        top, height = (self.scroll_offset.y if self._heading is None else self._heading), max(self._height, 1)
        seen = self.rows.between(top, top + height)
        near = self.rows.between(top - 2 * height, top + 3 * height)
        missing = [page for page in dict.fromkeys([*seen, *near]) if page.lines is None and page.spans]
        if missing:
            self.read_pages(missing)
        self.book.forget(near)

    # being laid out

    def on_resize(self) -> None:
        """Another width wraps elsewhere."""
        self.rearrange()

    def on_show(self) -> None:
        """What came while it was hidden was arranged for no width at all."""
        self.rearrange()

    def _place(self) -> None:
        """Stay at the end when following."""
        self.hold_rows(len(self.rows))
        if self.following:
            self.to_row(self._end)
        self._look_around()
        self.refresh()
