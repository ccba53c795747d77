"""A text on a screen of its own: what is known about a mission, events, help, what a verb printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from textual.app import ComposeResult

from overmind_tui.screens.page import Page
from overmind_tui.view.cells import Cell
from overmind_tui.widgets.lines import Text

Content = Sequence[Sequence[Cell]]


class TextPage(Page):
    """Lines to read; `/` shows only those that match.

    Args:
        view: The word in the crumbs.
        title: What is read.
        compose_text: Says it; asked again whenever it may have changed.
        at_end: Begin at the last line, and stay there.
    """

    def __init__(self, view: str, title: str, compose_text: Callable[[], Content], *, at_end: bool = False) -> None:
        super().__init__()
        self.view = view
        self._title = title
        self._compose_text = compose_text
        self._at_end = at_end
        self._wanted: re.Pattern[str] | None = None
        self.crumbs = ("missions", view)

    def compose(self) -> ComposeResult:
        """The text above the bottom line."""
        self.text = Text(id="text")
        yield self.text
        yield from self.compose_bottom()

    def begin(self) -> None:
        """Show it."""
        self.set_focus(self.text)
        self.update()

    def update(self) -> None:
        """Say it anew."""
        lines = self._compose_text()
        if self._wanted is not None:
            wanted = self._wanted
            lines = [line for line in lines if wanted.search("".join(cell.text for cell in line))]
        self.text.entitle(self._title + (f" </{self._wanted.pattern}>" if self._wanted else ""))
        self.text.show(lines, at_end=self._at_end and (self.text.at_end or not self.text.lines))

    def do_filter(self) -> None:
        """Type what lines must match."""
        self.open_bar("/", self._wanted.pattern if self._wanted else "")

    def typing(self, sign: str, text: str) -> None:
        """Each key filters; a broken pattern keeps the last good lines."""
        if sign != "/":
            return
        try:
            self._wanted = re.compile(text, re.IGNORECASE) if text else None
        except (re.error, OverflowError):
            self.bar.broken = True
            return
        self.bar.broken = False
        self.update()

    def do_back(self) -> None:
        """First the filter, then the view."""
        if self._wanted is not None:
            self._wanted = None
            self.update()
        else:
            self.program.back()

    do_quit = do_back
