"""The rows of a log as they are drawn: long lines wrapped or sideways, with or without times, with what was found."""

from __future__ import annotations

from datetime import tzinfo

from rich.style import Style
from textual.strip import Strip

from overmind_core.logs.display import Line
from overmind_tui.logs.book import Book
from overmind_tui.logs.page import Page
from overmind_tui.logs.rows import Rows
from overmind_tui.view import loglines
from overmind_tui.view.loglines import Piece
from overmind_tui.view.logpattern import Pattern
from overmind_tui.widgets.canvas import Run, ScrollCanvas, style_of

REMEMBERED = 1024
"""Drawn rows."""
COPIED = 5_000
"""Lines that are copied at once."""


class LogCanvas(ScrollCanvas):
    """Draws one book.

    Attributes:
        wrap: Long lines take more rows, instead of going on sideways.
        times: Each line says when it was written.
        empty: What is said instead of a log without lines.
        marked: What is looked for, and drawn so that it stands out.
    """

    def __init__(self, *, zone: tzinfo | None = None, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._zone = zone
        self.book = Book()
        self.rows = Rows(self.book)
        self._offset = 0
        """Cells that are out of sight at the left."""
        self.wrap = False
        self.times = False
        self.empty = ""
        self.marked: Pattern | None = None
        self.here: tuple[Page, int] | None = None
        """The line that was found last: its page and its place there."""
        self._drawn: dict[object, Strip] = {}

    def notify_style_update(self) -> None:
        """Colours may be others now."""
        super().notify_style_update()
        self._drawn.clear()

    # rows

    def _break_lines(self) -> None:
        """Know anew which rows there are."""
        self.rows = Rows(self.book, self._text_cells if self.wrap else 0)
        self._drawn.clear()

    @property
    def _height(self) -> int:
        return self.scrollable_content_region.height

    @property
    def _end(self) -> int:
        return max(0, len(self.rows) - self._height)

    @property
    def _text_cells(self) -> int:
        return max(self.scrollable_content_region.width - (loglines.STAMP if self.times else 0), 1)

    # what is copied

    def text(self) -> str:
        """The newest lines that are held, up to the last one in sight, as they are shown; each of them whole."""
        return self.copied()[0]

    def copied(self) -> tuple[str, bool]:
        """The same, and whether nothing that is shown lies before them."""
        found: list[str] = []
        last = self.rows.at(min(self.scroll_offset.y + self._height, len(self.rows)) - 1)
        whole = True
        for page in self.book.blocks:
            ends = last is not None and page is last.page
            lines = self.book.lines(page)
            whole = whole and not self.book.lacks(page)
            found += map(self.said, lines[: last.line + 1] if ends and last is not None else lines)
            if ends:
                break
        return "\n".join(found[-COPIED:]), whole and len(found) <= COPIED

    def said(self, line: Line) -> str:
        """A line as it is shown."""
        return loglines.said(line, self._zone, times=self.times)

    # drawing

    def render_line(self, y: int) -> Strip:
        """One row."""
        cells = self.scrollable_content_region.width
        if not len(self.rows):
            said = self.empty if self.book.wanted is None else "no line matches · esc shows everything again"
            return self.strip([(f" {said}" if y == 0 else "", self.tone("quiet"))], cells)
        at = self.rows.at(y + self.scroll_offset.y)
        lines = self.book.lines(at.page) if at is not None else ()
        if at is None or at.line >= len(lines):
            return self._blank(cells, waiting=at is not None and at.page.lines is None)
        line = lines[at.line]
        found = self.here == (at.page, at.line)
        key = (line, at.part, cells, self._offset, self.wrap, self.times, found)
        strip = self._drawn.get(key)
        if strip is None:
            if len(self._drawn) > REMEMBERED:
                self._drawn.clear()
            strip = self._drawn[key] = self._draw(line, at.part, cells, found=found)
        return strip

    def _blank(self, cells: int, *, waiting: bool) -> Strip:
        """Nothing; or that something comes."""
        key = (cells, waiting)
        if key not in self._drawn:
            self._drawn[key] = self.strip([(" …", self.tone("faint"))] if waiting else (), cells)
        return self._drawn[key]

    def _draw(self, line: Line, part: int, cells: int, *, found: bool) -> Strip:
        parts = loglines.pieces(line)
        if self.marked is not None:
            marks = self.marked.marks("".join(text for text, _ in parts))
            parts = loglines.marked(parts, marks, "mark" if found else "chosen")
        room = self._text_cells
        if loglines.is_rule(line):
            shown = loglines.rule(line, room) if part == 0 else []
        elif self.wrap:
            shown = _row_of(loglines.wrapped(parts, room), part)
        else:
            shown = loglines.sideways(parts, self._offset, room)
        runs = [self._run(piece) for piece in shown]
        if self.times:
            stamp = loglines.stamp(line[0], self._zone) if part == 0 else " " * loglines.STAMP
            runs.insert(0, (stamp, self.tone("faint")))
        return self.strip(runs, cells, ground=self.tone("cursor") if found else None)

    def _run(self, piece: Piece) -> Run:
        text, tone = piece
        return (text, self.tone(tone)) if isinstance(tone, str) else (text, style_of(tone) or Style.null())


def _row_of(rows: list[list[Piece]], row: int) -> list[Piece]:
    """A row of a wrapped line; none when another width, of which we are told after this frame, makes fewer rows."""
    return rows[row] if row < len(rows) else []
