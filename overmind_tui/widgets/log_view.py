"""A mission's log: a window of lines, of which the visible ones are drawn; older ones come when they are near."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from rich.style import Style
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from overmind_core.logs.display import Line
from overmind_core.logs.layout import OUT
from overmind_tui.view import loglines
from overmind_tui.view.loglines import Piece
from overmind_tui.view.wrapping import Wrapping
from overmind_tui.widgets.canvas import Run, ScrollCanvas, style_of

KEPT = 5_000
"""Lines that are held while following; older ones are fetched again when somebody looks."""
NEAR = 30
"""Lines from the top at which older ones are asked for."""
STEP = 8
"""Cells that one key goes sideways."""
PATIENCE = 0.1
"""Seconds that another mission's log may stay in sight until the wanted one is there."""
REMEMBERED = 1024


class LogView(ScrollCanvas):
    """The lines of one mission."""

    class WantsOlder(Message):
        """The first lines are near, and there are some before them."""

    class Changed(Message):
        """What the border says is no longer true: following, wrapping, times."""

    def __init__(self, *, zone: tzinfo | None = None, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._zone = zone
        self._lines: list[Line] = []
        self._partial = ""
        self._more = False
        self._asked = False
        self._offset = 0
        self.following = True
        self.wrap = False
        self.times = False
        self.mission: str | None = None
        self.empty = ""
        self._wrapping = Wrapping(1)
        """Of the finished lines; only kept while `wrap` is on."""
        self._drawn: dict[object, Strip] = {}
        self._awaited: Timer | None = None

    # what is shown

    def start(self, mission: str | None, empty: str) -> None:
        """Another log is on its way; what is on the screen stays there for a moment, so that nothing flashes."""
        self.mission, self.empty = mission, empty
        self._lines, self._partial, self._more, self._asked = [], "", False, False
        self.following, self._offset = True, 0
        if self._awaited is not None:
            self._awaited.stop()
        self._awaited = self.set_timer(PATIENCE, self._waited)

    def _waited(self) -> None:
        """It is late: show that nothing is there yet."""
        self._arrange()
        self.post_message(self.Changed())

    def show(self, lines: Sequence[Line], partial: str, *, more: bool) -> None:
        """These are its newest lines."""
        if self._awaited is not None:
            self._awaited.stop()
        self._lines, self._partial = list(lines), partial
        self._more, self._asked = more, False
        self._arrange()

    def add(self, lines: Sequence[Line], partial: str) -> None:
        """These came at the end."""
        self._lines += lines
        self._partial = partial
        if self.wrap:
            self._wrapping.add(lines)
        if self.following and len(self._lines) > KEPT + KEPT // 4:
            self._drop(len(self._lines) - KEPT)
        self._place()

    def _drop(self, count: int) -> None:
        del self._lines[:count]
        self._more = True
        if self.wrap:
            self._wrapping.drop(count)

    def put_before(self, lines: Sequence[Line], *, more: bool) -> None:
        """These come before the first one; what is in sight stays in sight."""
        rows = self._row_count
        self._lines[:0] = lines
        if self.wrap:
            self._wrapping.put_before(lines)
        self._more, self._asked = more, False
        top = self.scroll_offset.y
        self._place()
        if not self.following:
            self.to_row(top + self._row_count - rows)

    def text(self) -> str:
        """All lines that are held, as they are shown."""
        lines = [*self._lines, *self._partial_lines()]
        return "\n".join("".join(text for text, _ in loglines.pieces(line)) for line in lines)

    # keys

    def press(self, action: str) -> bool:
        """Do what belongs to a log; False when the action is none of that."""
        height = max(self.scrollable_content_region.height, 1)
        steps = {"down": 1, "up": -1, "page-down": height - 1, "page-up": 1 - height,
                 "half-down": height // 2, "half-up": -(height // 2)}  # fmt: skip
        if action in steps:
            self._scroll(steps[action])
        elif action in {"last", "follow"}:
            self._follow()
        elif action in {"first", "log-head"}:
            self.following = False
            self.to_row(0)
        elif action in {"left", "right"}:
            self._offset = 0 if self.wrap else max(0, self._offset + (STEP if action == "right" else -STEP))
        elif action in {"wrap", "time"}:
            self.toggle(action)
        else:
            return False
        self._look_back()
        self.refresh()
        self.post_message(self.Changed())
        return True

    def toggle(self, what: str) -> None:
        """Wrap or don't, show times or don't."""
        if what == "wrap":
            self.wrap, self._offset = not self.wrap, 0
        else:
            self.times = not self.times
        self._drawn.clear()
        self._arrange()

    def _follow(self) -> None:
        self.following = True
        self._to_end()

    def _scroll(self, rows: int) -> None:
        top = self.scroll_offset.y + rows
        self.following = top >= self._end
        self.to_row(min(top, self._end))

    def on_mouse_scroll_up(self) -> None:
        """Back: following would fight against it."""
        self._scroll(-3)
        self._look_back()
        self.post_message(self.Changed())

    def on_mouse_scroll_down(self) -> None:
        """Forward, until the end is followed again."""
        self._scroll(3)
        self.post_message(self.Changed())

    def _look_back(self) -> None:
        if self._more and not self._asked and self.scroll_offset.y < NEAR:
            self._asked = True
            self.post_message(self.WantsOlder())

    # drawing

    @property
    def _end(self) -> int:
        return max(0, self._row_count - self.scrollable_content_region.height)

    @property
    def _row_count(self) -> int:
        if not self.wrap:
            return len(self._lines) + len(self._partial_lines())
        return len(self._wrapping) + sum(loglines.height(line, self._text_cells) for line in self._partial_lines())

    def _partial_lines(self) -> list[Line]:
        return [(0.0, OUT, self._partial)] if self._partial else []

    def on_resize(self) -> None:
        """Another width wraps elsewhere."""
        self._drawn.clear()
        self._arrange()

    def on_show(self) -> None:
        """What came while it was hidden was arranged for no width at all."""
        self._arrange()

    def notify_style_update(self) -> None:
        """Colours may be others now."""
        super().notify_style_update()
        self._drawn.clear()

    def _arrange(self) -> None:
        """Know anew which rows there are."""
        if self.wrap:
            self._wrapping = Wrapping(self._text_cells)
            self._wrapping.add(self._lines)
        self._place()

    def _place(self) -> None:
        """Stay at the end when following."""
        self.hold_rows(self._row_count)
        if self.following:
            self._to_end()
        self.refresh()

    def _to_end(self) -> None:
        self.to_row(self._end)

    @property
    def _text_cells(self) -> int:
        return max(self.scrollable_content_region.width - (loglines.STAMP if self.times else 0), 1)

    def render_line(self, y: int) -> Strip:
        """One row."""
        cells = self.scrollable_content_region.width
        if not self._row_count:
            return self.strip([(f" {self.empty}" if y == 0 else "", self.tone("quiet"))], cells)
        at = y + self.scroll_offset.y
        if at >= self._row_count:
            blank = self._drawn.get(cells)
            if blank is None:
                blank = self._drawn[cells] = self.strip((), cells)
            return blank
        number, row = self._wrapping.at(at) if self.wrap else (at, 0)
        line = self._lines[number] if number < len(self._lines) else self._partial_lines()[0]
        key = (line, row, cells, self._offset, self.wrap, self.times)
        strip = self._drawn.get(key)
        if strip is None:
            if len(self._drawn) > REMEMBERED:
                self._drawn.clear()
            strip = self._drawn[key] = self._draw(line, row, cells)
        return strip

    def _draw(self, line: Line, row: int, cells: int) -> Strip:
        parts = loglines.pieces(line)
        room = self._text_cells
        shown = (
            _row_of(loglines.wrapped(parts, room), row) if self.wrap else loglines.sideways(parts, self._offset, room)
        )
        runs = [self._run(piece) for piece in shown]
        if self.times:
            stamp = loglines.stamp(line[0], self._zone) if row == 0 else " " * loglines.STAMP
            runs.insert(0, (stamp, self.tone("faint")))
        return self.strip(runs, cells)

    def _run(self, piece: Piece) -> Run:
        text, tone = piece
        return (text, self.tone(tone)) if isinstance(tone, str) else (text, style_of(tone) or Style.null())


def _row_of(rows: list[list[Piece]], row: int) -> list[Piece]:
    """A row of a wrapped line; none when another width, of which we are told after this frame, makes fewer rows."""
    return rows[row] if row < len(rows) else []
