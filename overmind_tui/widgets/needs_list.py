"""The list of the inbox, under headings; the cursor holds what is needed, not a row."""

from __future__ import annotations

import time
from collections.abc import Sequence

from textual import events
from textual.message import Message
from textual.strip import Strip

from overmind_core.view import first_run
from overmind_core.view import inbox as rows
from overmind_core.view.cells import Cell, folded
from overmind_core.view.inbox import Key, Need
from overmind_tui.widgets.canvas import ScrollCanvas

Lines = Sequence[tuple[list[Cell], int | None]]
RESTLESS_SECONDS = 0.5
"""Seconds after the cursor's row moved in which nothing is answered."""


class NeedsList(ScrollCanvas):
    """Lines of `needs.listing`, and a cursor."""

    class Selected(Message):
        """A click put the cursor somewhere else."""

    def __init__(self, *, ascii_only: bool, id: str | None = None) -> None:  # noqa: A002 - as all widgets have it
        super().__init__(id=id)
        self._ascii = ascii_only
        self.needs: list[Need] = []
        self.key: Key | None = None
        self.at = 0
        self.empty: Sequence[Sequence[Cell]] = ()
        self.lines: Lines = []
        """All of them, headings too, each with the place of what it shows."""
        self._place: Key | None = None
        """Where the cursor stood when a filter began, or before nothing was left."""
        self._moved_at = float("-inf")

    @property
    def current(self) -> Need | None:
        """What is under the cursor."""
        return self.needs[self.at] if 0 <= self.at < len(self.needs) else None

    @property
    def restless(self) -> bool:
        """Whether the cursor's row left or moved a moment ago, without a key of the person."""
        return time.monotonic() - self._moved_at < RESTLESS_SECONDS

    def show(self, found: list[Need], *, asked: bool) -> None:
        """Show these; `asked`: the person had the row under the cursor leave."""
        if not asked and rows.has_moved(self.needs, found, self.key, self.at):
            self._moved_at = time.monotonic()
        self.at = rows.cursor_place(found, self._wanted(found), self.at)
        self.needs = found
        self._settle()

    def keep_place(self) -> None:
        """A filter begins: where it leaves nothing, the cursor goes back to where it stands now."""
        self._place = self.key

    def _wanted(self, found: Sequence[Need]) -> Key | None:
        """What the cursor is to be on: what it is on, behind an empty list what it was on before that."""
        if self.needs:
            if not found:
                self._place = self._place or self.key
            return self.key
        wanted, self._place = self._place, None if found else self._place
        return wanted or self.key

    def select(self, key: Key) -> bool:
        """Put the cursor on this; False when it isn't shown."""
        at = next((at for at, need in enumerate(self.needs) if need.key == key), None)
        if at is None:
            return False
        self._move_to(at)
        return True

    def press(self, action: str) -> bool:
        """Move the cursor; False when the action is none of that."""
        page = max(self.scrollable_content_region.height - 1, 1)
        steps = {"down": 1, "up": -1, "page-down": page, "page-up": -page, "first": -len(self.needs),
                 "last": len(self.needs)}  # fmt: skip
        if action not in steps:
            return False
        self._move_to(max(0, min(self.at + steps[action], len(self.needs) - 1)))
        return True

    def _move_to(self, at: int) -> None:
        self.at = at
        self._moved_at = float("-inf")
        self._settle()

    def _settle(self) -> None:
        self.key = self.current.key if self.current else None
        self.lines = self._composed()
        self.hold_rows(len(self.lines))
        y = next((y for y, (_, at) in enumerate(self.lines) if at == self.at), 0)
        height = max(self.scrollable_content_region.height, 1)
        above = y - 1 if height > 1 else y
        if above < self.scroll_offset.y:
            self.to_row(above)
        elif y >= self.scroll_offset.y + height:
            self.to_row(y - height + 1)
        self.refresh()

    def _composed(self) -> Lines:
        cells = self.scrollable_content_region.width
        if not self.needs:
            before = first_run.indent(cells)
            lines = folded(self.empty, max(cells - before - 1, 1), 0)
            return [([], None), *(([Cell(" " * before), *line], None) for line in lines)]
        return rows.listing(self.needs, cells, ascii_only=self._ascii)

    def on_resize(self) -> None:
        """Another width."""
        self._settle()

    def on_click(self, event: events.Click) -> None:
        """A click chooses."""
        place = event.get_content_offset(self)
        y = -1 if place is None else place.y + self.scroll_offset.y
        at = self.lines[y][1] if 0 <= y < len(self.lines) else None
        if at is not None:
            self._move_to(at)
            self.post_message(self.Selected())

    def render_line(self, y: int) -> Strip:
        """A heading, or who needs what."""
        cells, there = self.scrollable_content_region.width, y + self.scroll_offset.y
        line, at = self.lines[there] if there < len(self.lines) else ([], None)
        ground = None
        if at is not None and at == self.at:
            ground = self.tone("cursor" if self.has_focus else "cursor-rest")
        return self.strip([(cell.text, self.tone(cell.tone)) for cell in line], cells, ground=ground)
