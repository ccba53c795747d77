"""Widgets of lines that somebody else composes: the header, the load, the line, whole texts.

In one of them a cursor stands on a line: what a key does is about that line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Self

from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from overmind_core.log_pages import pattern
from overmind_core.view.cells import Cell
from overmind_core.view.log_lines import sideways
from overmind_tui.widgets.canvas import Canvas, ScrollCanvas, Titled

Compose = Callable[[int], Sequence[Sequence[Cell]]]
"""Width in cells → lines."""
STEP = 8
"""Cells that one key goes sideways."""


class Lines(Canvas):
    """Draws what `compose_lines` says: it is only a few lines."""

    class Clicked(Message):
        """A cell was clicked, in one of the lines."""

        def __init__(self, lines: Canvas, x: int, y: int) -> None:
            super().__init__()
            self.lines = lines
            self.x, self.y = x, y

    def __init__(self, compose_lines: Compose, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._compose_lines = compose_lines
        self._shown: list[tuple[Cell, ...]] = []
        self._width = -1
        """The width for which they were composed; -1 when they may be others by now."""

    def on_click(self, event: events.Click) -> None:
        """Tell where that was."""
        self.post_message(self.Clicked(self, event.x, event.y))

    def refresh_if_changed(self) -> None:
        """What is said may be different by now; draws only when it is."""
        cells = self.content_size.width
        if not self.is_mounted or not self.display or cells < 1:
            return
        composed = self._composed(cells)
        if composed != self._shown or cells != self._width:
            super().refresh()
            self._shown, self._width = composed, cells

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Draw it again, and say it anew."""
        self._width = -1
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _composed(self, cells: int) -> list[tuple[Cell, ...]]:
        return [tuple(line) for line in self._compose_lines(cells)]

    def render_lines(self, crop: Region) -> list[Strip]:
        """All of them, composed at once."""
        cells = self.content_size.width
        if cells != self._width:
            self._shown, self._width = self._composed(cells), cells
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One of the lines."""
        cells = self._shown[y] if y < len(self._shown) else ()
        return self.strip([(cell.text, self.tone(cell.tone)) for cell in cells], self._width)


class LinesPanel(Lines, Titled, can_focus=True):
    """Lines with a title that can have the keys, which somebody else understands.

    Args:
        compose_lines: Says what is drawn.
        press: Does what a key means, by the name of its action.
    """

    def __init__(self, compose_lines: Compose, *, press: Callable[[str], bool], id: str | None = None) -> None:  # noqa: A002
        super().__init__(compose_lines, id=id)
        self.press = press


class TextView(ScrollCanvas):
    """Lines to read, of any number; one that goes on beyond the right border ends with `…`.

    Attributes:
        lines: All of them.
        wanted: What is marked in them.
        found: The line to which the search has come.
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.lines: Sequence[Sequence[Cell]] = ()
        self.wanted: Sequence[re.Pattern[str]] = ()
        self.found: int | None = None
        self._offset = 0

    @property
    def allow_vertical_scroll(self) -> bool:
        """Textual lets the wheel scroll only a widget that shows a scrollbar, which this one does not."""
        return True

    def show(self, lines: Sequence[Sequence[Cell]], *, at_end: bool = False) -> None:
        """Show these; `at_end`: and go to the last one."""
        self.lines = lines
        self.hold_rows(len(lines))
        if at_end:
            self.to_row(self._end)
        self.refresh()

    def shown_text(self) -> str:
        """All lines."""
        return "\n".join("".join(cell.text for cell in line) for line in self.lines)

    def find(self, step: int) -> bool:
        """Go to the next line with what is wanted, or with `step` -1 to the one before; False when there is none."""
        texts = ["".join(cell.text for cell in line) for line in self.lines]
        begin = self.found if self.found is not None else self.scroll_offset.y - (step > 0)
        self.found = pattern.following(texts, self.wanted, begin, step)
        if self.found is not None:
            self.reveal(self.found)
        return self.found is not None

    def reveal(self, line: int) -> None:
        """Have a line in sight."""
        height = max(self.scrollable_content_region.height, 1)
        if not self.scroll_offset.y <= line < self.scroll_offset.y + height:
            self.to_row(max(0, min(line - height // 3, self._end)))
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
        room = self.scrollable_content_region.width
        if self.wanted:
            cells = pattern.marked(cells, self.wanted, "chosen" if at == self.found else "mark")
        pieces = sideways([(cell.text, cell.tone) for cell in cells], self._offset, room)
        return self.strip([(text, self.tone(str(tone))) for text, tone in pieces], room, ground=self.ground_of(at))

    def ground_of(self, line: int) -> Style | None:
        """What a line is drawn on; None: as all others."""
        del line
        return None


class ComposedTextView(TextView):
    """Lines to read that somebody else composes anew whenever they may be others; no keys come here.

    Args:
        compose_lines: Says what is drawn.
    """

    can_focus = False

    def __init__(self, compose_lines: Callable[[], Sequence[Sequence[Cell]]], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._compose_lines = compose_lines

    def refresh_if_changed(self) -> None:
        """Draw the lines if they are other ones by now; nothing is composed where nobody sees it."""
        if self.is_mounted and all(node.display for node in self.ancestors_with_self):
            composed = self._compose_lines()
            if composed != self.lines:
                self.show(composed)

    def on_resize(self) -> None:
        """Another width, or the first one."""
        self.refresh_if_changed()

    def on_click(self, event: events.Click) -> None:
        """Tell where that was."""
        self.post_message(Lines.Clicked(self, event.x, event.y))


class CursorTextView(TextView):
    """Lines to read, one of them with the cursor.

    Attributes:
        at: That line.
    """

    class Moved(Message):
        """The cursor stands on another line."""

        def __init__(self, text: CursorTextView) -> None:
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

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolled by the wheel, too: the cursor stays in sight, for keys are about its line."""
        super().watch_scroll_y(old_value, new_value)
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        at = max(top, min(self.at, top + height - 1))
        if height > 0 and at != self.at:
            self.at = at
            self.post_message(self.Moved(self))

    def find(self, step: int) -> bool:
        """Go to the next line with what is wanted, and have the cursor there."""
        found = super().find(step)
        if self.found is not None:
            self.at = self.found
            self.post_message(self.Moved(self))
        return found

    def on_click(self, event: events.Click) -> None:
        """A click chooses a line."""
        place = event.get_content_offset(self)
        if place is not None:
            self.go_to(place.y + self.scroll_offset.y)

    def ground_of(self, line: int) -> Style | None:
        """The cursor's line stands out."""
        if line != self.at or not self.lines:
            return None
        return self.tone("cursor" if self.has_focus else "cursor-rest")
