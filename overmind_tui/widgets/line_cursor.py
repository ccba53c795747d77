"""A text in which a cursor stands on a line: what a key does is about that line."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from textual import events
from textual.message import Message

from overmind_tui.view.cells import Cell
from overmind_tui.widgets.lines import Text


class CursorText(Text):
    """Lines to read, one of them with the cursor.

    Attributes:
        at: That line.
    """

    class Moved(Message):
        """The cursor stands on another line."""

        def __init__(self, text: CursorText) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.at = 0

    def show(self, lines: Sequence[Sequence[Cell]], *, at_end: bool = False) -> None:
        """Show these; the cursor stays where it is, as far as there are lines."""
        self.at = max(0, min(self.at, len(lines) - 1))
        super().show(lines, at_end=at_end)

    def press(self, action: str) -> bool:
        """Move the cursor; False when the action is none of that."""
        height = max(self.scrollable_content_region.height, 1)
        steps = {"down": 1, "up": -1, "page-down": height - 1, "page-up": 1 - height, "first": -len(self.lines),
                 "last": len(self.lines), "text-half-down": height // 2, "text-half-up": -(height // 2)}  # fmt: skip
        if action not in steps:
            return super().press(action)
        self.go_to(self.at + steps[action])
        return True

    def go_to(self, line: int, *, top: bool = False) -> None:
        """Put the cursor on a line and have it in sight; `top`: with what follows it, as far as there is room."""
        self.at = max(0, min(line, len(self.lines) - 1))
        height, above = max(self.scrollable_content_region.height, 1), self.scroll_offset.y
        if top:
            self.to_row(min(self.at, self._end))
        elif self.at < above:
            self.to_row(self.at)
        elif self.at >= above + height:
            self.to_row(self.at - height + 1)
        self.refresh()
        self.post_message(self.Moved(self))

    def uncover(self) -> None:
        """Have the cursor in the upper half: the lower one is about to be covered."""
        half = self.scrollable_content_region.height // 2
        if self.at - self.scroll_offset.y >= half:
            self.to_row(min(self.at - half // 2, self._end))

    def find(self, step: int) -> bool:
        """Go to the next line with what is wanted, and have the cursor there."""
        found = super().find(step)
        if self.found is not None:
            self.at = self.found
            self.post_message(self.Moved(self))
        return found

    def on_click(self, event: events.Click) -> None:
        """A click chooses a line."""
        self.go_to(event.y + self.scroll_offset.y)

    def ground_of(self, line: int) -> Style | None:
        """The cursor's line stands out."""
        if line != self.at or not self.lines:
            return None
        return self.tone("cursor" if self.has_focus else "cursor-rest")
