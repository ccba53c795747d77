"""The page of a text: what is known about a mission, help, what a verb printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from textual import events
from textual.app import ComposeResult

from overmind_core.log_pages import pattern
from overmind_core.view import row_filter
from overmind_core.view.actions import Context
from overmind_core.view.cells import Cell, folded
from overmind_core.view.prompt import Filtered
from overmind_core.view.row_filter import NOTHING, BrokenFilter
from overmind_tui.pages.page import Handler, Page
from overmind_tui.shell import clipboard, external
from overmind_tui.widgets.lines import TextView

BORDERS = 2
"""Cells beside the text."""
FILTERED = "n N next and previous match · esc clears the search"
Content = Sequence[Sequence[Cell]]
NO_LINE: Content = [[Cell(" no line matches · esc shows all lines", "quiet")]]


class TextPage(Page):
    """Lines to read; `/` shows only those that match, `n` and `N` go through them with all others around.

    Args:
        view: The place, in the header.
        title: Whose text it is; "" where the header or its first line says so.
        compose_text: Says it; asked again whenever it may have changed.
        at_end: Begin at the last line, and stay there.
        hang: Cells from the left where long lines go on below; None: they are cut, and seen sideways.
    """

    step_actions = ("next-match", "previous-match")
    """The actions that go one step on, and one back."""

    def __init__(
        self, view: str, title: str, compose_text: Callable[[], Content], *, at_end: bool = False,
        hang: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.view = view
        self._title = title
        self._compose_text = compose_text
        self._at_end = at_end
        self._hang = hang
        self._wanted = NOTHING
        self._searching = False
        """All lines are shown, and what is wanted is only marked."""
        self._kept = self._every = 0
        self.way_here = ("missions", view)

    def compose_body(self) -> ComposeResult:
        """The text below its title."""
        self.text = TextView(id="text")
        yield self.text.title_line
        yield self.text

    def begin(self) -> None:
        """Show it."""
        self.set_focus(self.text)
        self.update()

    def update(self) -> None:
        """Say it anew."""
        lines = self._compose_text()
        self._kept = self._every = len(lines)
        if self._wanted and not self._searching:
            kept = [line for line in lines if self._wanted.matches("".join(cell.text for cell in line))]
            self._kept, lines = len(kept), kept or NO_LINE
        title = self._title + (f"   ?{self._wanted.text}" if self._searching else "")
        self.text.set_title(title, self.note)
        self.text.title_line.display = bool(title or self.note)
        self.text.wanted = pattern.patterns(self._wanted.text)
        if self._hang is not None:
            lines = folded(lines, self.app.size.width - BORDERS, self._hang)
        self.text.show(lines, at_end=self._at_end and (self.text.at_end or not self.text.lines))
        self.refresh_line()

    @property
    def filtered(self) -> Filtered | None:
        """The filter, and how many of all lines it shows."""
        if not self._wanted or self._searching or not self._every:
            return None
        return Filtered(self._wanted.text, self._kept, self._every)

    def on_resize(self, event: events.Resize) -> None:
        """Long lines go on elsewhere."""
        super().on_resize(event)
        if self._hang is not None:
            self.update()

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also filter and search, and the ways out of here."""
        onward, back = self.step_actions
        return super().handlers(context) | {
            "filter": self.do_filter,
            onward: partial(self.step, 1),
            back: partial(self.step, -1),
            "copy": self.do_copy,
            "pager": self.do_pager,
        }

    @property
    def note(self) -> str:
        """A note beside the title."""
        return FILTERED if self._wanted else ""

    # filter and search

    def do_filter(self) -> None:
        """Type what lines must match."""
        self.open_bar("/", self._wanted.text)

    def typing(self, sign: str, text: str) -> None:
        """Each key filters; a broken pattern keeps the last good lines."""
        if sign != "/":
            return
        before = self._wanted
        self._searching, self.text.found = False, None
        try:
            self._wanted = row_filter.lines(text)
        except BrokenFilter:
            self.bar.broken = True
            return
        self.update()
        if self._wanted.slow:
            self._wanted = before
            self.update()
        self.bar.broken = self._wanted is before

    def step(self, step: int) -> None:
        """To the next line that matches, or to the one before; all lines are shown again."""
        if not self._wanted:
            self.shell.flash("press / and type a search first", "quiet")
            return
        if not self._searching:
            self._searching = True
            self.update()
        if not self.text.find(step):
            self.shell.flash(f"{self._wanted.text}: not found", "slow")

    def close_one(self) -> bool:
        """First the filter, then the view."""
        if self._wanted:
            self._wanted, self._searching, self.text.found = NOTHING, False, None
            self.update()
        else:
            self.close()
        return True

    # out of here

    def shown_text(self) -> str:
        """What is shown."""
        return self.text.shown_text()

    def do_copy(self) -> None:
        """Copy all of it."""
        text = self.shown_text()
        count = text.count("\n") + 1
        clipboard.copy(self.shell, text, f"{count} line{'s' * (count != 1)}")

    def do_pager(self) -> None:
        """Read it in $PAGER."""
        external.page(self.shell, self.shown_text(), self.view)
