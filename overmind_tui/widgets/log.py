"""The widget of a log: any number of lines, of which those in sight and those near them are read.

Its canvas draws their rows: long lines wrapped or sideways, with or without times, with what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from functools import partial

from rich.style import Style
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from overmind_core.log_pages.index import LogPage
from overmind_core.log_pages.paged_log import PagedLog, RowPlace, ScreenRows
from overmind_core.log_pages.pattern import Pattern
from overmind_core.logs.display import NOTE, Line
from overmind_core.view import log_face, log_lines
from overmind_core.view.cells import Cell
from overmind_core.view.log_face import LogLook
from overmind_tui.shell.timers import SureTimers
from overmind_tui.widgets.canvas import WHEEL, ScrollCanvas, style_of
from overmind_tui.widgets.style import readable

REMEMBERED = 1024
"""Drawn rows."""
COPIED = 5_000
"""Lines that are copied at once."""
MINUTE = 60.0


class LogCanvas(ScrollCanvas):
    """Draws one log.

    Attributes:
        wrap: Long lines take more rows, instead of going on sideways.
        times: Each line says when it was written.
        is_agent: They are what an agent says, and not what a program wrote.
        asked: How many of its questions are open.
        empty: What is said instead of a log without lines.
        marked: What is looked for, and drawn so that it stands out.
    """

    def __init__(self, *, zone: tzinfo | None = None, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._zone = zone
        self.paged_log = PagedLog()
        self.rows = ScreenRows(self.paged_log)
        self._offset = 0
        """Cells that are out of sight at the left."""
        self.wrap = True
        self.times = False
        self.is_agent = False
        self.asked = 0
        self.empty = ""
        self.marked: Pattern | None = None
        self.here: tuple[LogPage, int] | None = None
        """The line that was found last: its page and its place there."""
        self._drawn: dict[object, Strip] = {}

    def notify_style_update(self) -> None:
        """Colours may be others now."""
        super().notify_style_update()
        self._drawn.clear()

    # rows

    def _break_lines(self) -> None:
        """Know anew which rows there are."""
        look = self._look
        height = partial(log_face.height, look=look) if self.wrap else None
        self.rows = ScreenRows(self.paged_log, height)
        self._drawn.clear()

    @property
    def _height(self) -> int:
        return self.scrollable_content_region.height

    @property
    def _end(self) -> int:
        return max(0, len(self.rows) - self._height)

    @property
    def _look(self) -> LogLook:
        cells = max(self.scrollable_content_region.width, 1)
        offset = None if self.wrap else self._offset
        return LogLook(cells, self._zone, self.is_agent, self.times, offset, self.asked)

    def ask(self, questions: int) -> None:
        """So many of its questions are open."""
        if questions != self.asked:
            self.asked = questions
            self._drawn.clear()
            self.refresh()

    # what is copied

    def text(self) -> str:
        """The newest lines that are held, up to the last one in sight, as they are shown; each of them whole."""
        return self.copied()[0]

    def copied(self) -> tuple[str, bool]:
        """The same, and whether nothing that is shown lies before them."""
        found: list[str] = []
        last = self.rows.at(min(self.scroll_offset.y + self._height, len(self.rows)) - 1)
        whole = True
        for page in self.paged_log.blocks:
            ends = last is not None and page is last.page
            lines = self.paged_log.lines(page)
            whole = whole and not self.paged_log.lacks(page)
            found += map(self.whole_text, lines[: last.line + 1] if ends and last is not None else lines)
            if ends:
                break
        return "\n".join(found[-COPIED:]), whole and len(found) <= COPIED

    @property
    def last_in_sight(self) -> Line | None:
        """The last line in sight that a program wrote; None where none is, or it is not read yet."""
        at = self.rows.at(min(self.scroll_offset.y + self._height, len(self.rows)) - 1)
        lines = () if at is None else self.paged_log.lines(at.page)[: at.line + 1]
        return next((line for line in reversed(lines) if line[0] and line[1] != NOTE), None)

    def whole_text(self, line: Line) -> str:
        """A line as it is shown."""
        return log_lines.whole_text(line, self._zone, times=self.times)

    # drawing

    def render_line(self, y: int) -> Strip:
        """One row."""
        cells = self.scrollable_content_region.width
        if not len(self.rows):
            text = self.empty if self.paged_log.wanted is None else "no line matches · esc clears the filter"
            return self.strip([(f" {text}" if y == 0 else "", self.tone("quiet"))], cells)
        at = self.rows.at(y + self.scroll_offset.y)
        lines = self.paged_log.lines(at.page) if at is not None else ()
        if at is None or at.line >= len(lines):
            return self._blank(cells, waiting=at is not None and at.page.lines is None)
        found = self.here == (at.page, at.line)
        before = lines[at.line - 1][0] // MINUTE if at.line else 0.0
        is_open = self._is_open(at.page, lines, at.line)
        key = (lines[at.line], before, at.part, cells, self._offset, self.wrap, self.times, found, is_open)
        strip = self._drawn.get(key)
        if strip is None:
            if len(self._drawn) > REMEMBERED:
                self._drawn.clear()
            strip = self._drawn[key] = self._draw(lines, at, cells, found=found, is_open=is_open)
        return strip

    def _is_open(self, page: LogPage, lines: Sequence[Line], at: int) -> bool:
        """Whether it is a question that waits for an answer: one of the newest."""
        look = self._look
        if not self.asked or page is not self.paged_log.tail or not log_face.is_question(lines[at], look):
            return False
        return sum(log_face.is_question(line, look) for line in lines[at + 1 :]) < self.asked

    def _blank(self, cells: int, *, waiting: bool) -> Strip:
        """Nothing; or that something comes."""
        key = (cells, waiting)
        if key not in self._drawn:
            self._drawn[key] = self.strip([(" …", self.tone("faint"))] if waiting else (), cells)
        return self._drawn[key]

    def _draw(self, lines: Sequence[Line], at: RowPlace, cells: int, *, found: bool, is_open: bool) -> Strip:
        shown = log_face.rows(lines, at.line, self._look, is_open=is_open)
        # Another width, of which we are told after this frame, may make fewer rows.
        row: Sequence[Cell] = shown[at.part] if at.part < len(shown) else ()
        parts: Sequence[Cell] = row
        if self.marked is not None:
            marks = self.marked.marks("".join(cell.text for cell in row))
            tone = "mark" if found else "chosen"
            parts = [Cell(text, str(tone)) for text, tone in log_lines.marked(list(row), marks, tone)]
        runs = [(cell.text, self._style(cell.tone)) for cell in parts]
        return self.strip(runs, cells, ground=self.tone("cursor") if found else None)

    def _style(self, tone: str) -> Style:
        look = log_face.look_of(tone)
        if look is None:
            return self.tone(tone)
        return readable(style_of(look) or Style.null(), self.ground, self.app.ansi_theme)


STEP = 8
"""Cells that one key goes sideways."""
SWITCH_SECONDS = 0.1
"""Seconds that another log may stay in sight until the wanted one is there."""


class LogView(SureTimers, LogCanvas):
    """The lines of one log.

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
        self.read_pages: Callable[[Sequence[LogPage]], None] = lambda _pages: None
        self._awaited: Timer | None = None
        self._switches = 0
        """How many logs were waited for, or had come."""

    # what is shown

    def start(self, mission: str | None, empty: str) -> None:
        """Another log is on its way; what is on the screen stays there for a moment, so that nothing flashes."""
        self.mission, self.empty = mission, empty
        self.following, self._offset, self._heading = True, 0, None
        self.marked = self.here = None
        self._stop_waiting()
        self._awaited = self.set_timer(SWITCH_SECONDS, partial(self._waited, self._switches))

    def _waited(self, switches: int) -> None:
        """It is late: show that nothing is there yet, unless it has come since the time was over."""
        if switches == self._switches:
            self.show(PagedLog())
            self.post_message(self.Changed())

    def _stop_waiting(self) -> None:
        self._switches += 1
        if self._awaited is not None:
            self._awaited.stop()
            self._awaited = None

    def show(self, paged_log: PagedLog) -> None:
        """Show this one, at its end."""
        self._stop_waiting()
        self.paged_log, self.here = paged_log, None
        self.lay_out()

    def show_tail(self, lines: Sequence[Line], partial: str, before: int) -> None:
        """These are the newest lines now; the pages before them stay."""
        self.paged_log.begin(lines, partial, before)
        self.rows.changed(self.paged_log.tail)
        self.rows.arrange()
        self._place()

    def add(self, lines: Sequence[Line], partial: str) -> None:
        """These came at the end."""
        shown = self.paged_log.add(lines, partial)
        self.rows.grew(len(shown))
        self._place()

    def changed(self, page: LogPage | None = None) -> None:
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
        """The same lines in other rows, or other lines of the same log: what is in sight stays near."""
        before = self._anchor()
        self._break_lines()
        self._settle(before)
        self.refresh()

    def _anchor(self) -> RowPlace | None:
        return self.rows.at(self.scroll_offset.y)

    def _settle(self, before: RowPlace | None) -> None:
        """Have the line in the first row that was there before."""
        self.hold_rows(len(self.rows))
        if self.following:
            self.to_row(self._end)
        elif before is not None and before.page is not self.paged_log.gap:
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

    def show_line(self, page: LogPage, line: int) -> None:
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
        self._scroll(-WHEEL)
        self.post_message(self.Changed())

    def on_mouse_scroll_down(self) -> None:
        """Forward, until the end is followed again."""
        self._scroll(WHEEL)
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
        self.paged_log.forget(near)

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
