"""A terminal's rows as one list: what scrolled away, then what its screen shows. Numbers stay as rows come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from overmind_core.terminal.row import Run
    from overmind_core.terminal.screen import Screen


class Grid:
    """Rows by number: the first row that was ever written is 0, and lost ones keep theirs."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen

    @property
    def first(self) -> int:
        """The number of the oldest row that is still there."""
        return self.top if self.screen.modes.alternate else self.screen.scrollback.dropped

    @property
    def top(self) -> int:
        """The number of the screen's first row."""
        scrollback = self.screen.scrollback
        return scrollback.dropped + len(scrollback)

    @property
    def end(self) -> int:
        """One more than the number of the last row."""
        return self.top + self.screen.rows

    def runs(self, number: int) -> list[Run]:
        """A row as (text, style); blanks at its end may be missing. There is one for each number before `end`."""
        top = self.top
        if number >= top:
            return self.screen.runs(number - top)
        return self.screen.scrollback.runs(number - self.screen.scrollback.dropped)

    def text(self, number: int) -> str:
        """A row's text without the blanks at its end."""
        top = self.top
        if number >= top:
            return self.screen.line(number - top)
        return self.screen.scrollback.text(number - self.screen.scrollback.dropped)

    def wrapped(self, number: int) -> bool:
        """Whether a row's text goes on in the next one."""
        top = self.top
        if number >= top:
            return self.screen.wrapped(number - top)
        return self.screen.scrollback.wrapped(number - self.screen.scrollback.dropped)

    def cell(self, row: int, column: int) -> range:
        """The columns of the character that stands there: two of a wide one."""
        cells = cells_of(self.text(row))
        start = column - 1 if 0 < column < len(cells) and cells[column] == "" else column
        wide = start + 1 < len(cells) and cells[start + 1] == ""
        return range(start, start + 1 + wide)

    def full_text(self, number: int) -> str:
        """A row's text; of one whose text goes on, as wide as the screen, for a blank at its end joins no words."""
        text = self.text(number)
        return text + " " * (self.screen.columns - width(text)) if self.wrapped(number) else text


def width(text: str) -> int:
    """Cells of a text that a terminal holds."""
    if text.isascii():
        return len(text)
    return len(cells_of(text))


def cells_of(text: str) -> list[str]:
    """The character of each cell; "" is the second cell of a wide one."""
    from overmind_core.terminal import row  # noqa: PLC0415 - not before the first frame

    return row.cells_of(text)
