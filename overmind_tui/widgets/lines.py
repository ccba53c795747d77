"""Widgets of a few lines that somebody else composes: the header, the load panel, the bottom line, whole texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.strip import Strip

from overmind_tui.view.cells import Cell
from overmind_tui.view.loglines import sideways
from overmind_tui.widgets.canvas import Canvas, ScrollCanvas

Compose = Callable[[int], Sequence[Sequence[Cell]]]
"""Width in cells → lines."""
STEP = 8
"""Cells that one key goes sideways."""


class Lines(Canvas):
    """Draws what `compose_lines` says, each time anew: it is only a few lines."""

    def __init__(self, compose_lines: Compose, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._compose_lines = compose_lines

    def render_line(self, y: int) -> Strip:
        """One of the lines."""
        lines = self._compose_lines(self.content_size.width)
        cells = lines[y] if y < len(lines) else ()
        return self.strip([(cell.text, self.tone(cell.tone)) for cell in cells], self.content_size.width)


class Text(ScrollCanvas):
    """Lines to read, of any number."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.lines: Sequence[Sequence[Cell]] = ()
        self._offset = 0

    def show(self, lines: Sequence[Sequence[Cell]], *, at_end: bool = False) -> None:
        """Show these; `at_end`: and go to the last one."""
        self.lines = lines
        self.hold_rows(len(lines))
        if at_end:
            self.to_row(self._end)
        self.refresh()

    @property
    def at_end(self) -> bool:
        """Whether the last line is in sight."""
        return self.scroll_offset.y >= self._end

    @property
    def _end(self) -> int:
        return max(0, len(self.lines) - self.scrollable_content_region.height)

    def press(self, action: str) -> bool:
        """Scroll; False when the action is none of that."""
        height = max(self.scrollable_content_region.height, 1)
        steps = {"down": 1, "up": -1, "page-down": height - 1, "page-up": 1 - height, "first": -len(self.lines),
                 "last": len(self.lines), "text-half-down": height // 2, "text-half-up": -(height // 2)}  # fmt: skip
        if action in {"left", "right"}:
            self._offset = max(0, self._offset + (STEP if action == "right" else -STEP))
            self.refresh()
            return True
        if action not in steps:
            return False
        top = max(0, min(self.scroll_offset.y + steps[action], self._end))
        self.to_row(top)
        self.refresh()
        return True

    def on_resize(self) -> None:
        """The width is the width of each line."""
        self.hold_rows(len(self.lines))

    def render_line(self, y: int) -> Strip:
        """One of the lines."""
        at = y + self.scroll_offset.y
        cells = self.lines[at] if at < len(self.lines) else ()
        width = self.scrollable_content_region.width
        pieces = sideways([(cell.text, cell.tone) for cell in cells], self._offset, width)
        return self.strip([(text, self.tone(str(tone))) for text, tone in pieces], width)
