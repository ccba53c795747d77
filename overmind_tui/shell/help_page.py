"""The page of the help: the keys of a view in as many columns as fit; enter does what the chosen row says."""

from __future__ import annotations

from textual import events

from overmind_core.log_pages import pattern
from overmind_core.view.actions import Context
from overmind_tui.pages.page import Handler, Page
from overmind_tui.pages.text import TextPage
from overmind_tui.render import help as help_lines
from overmind_tui.render import texts
from overmind_tui.render.help import Section, Sheet

BORDERS = 3
"""Cells beside the columns: the frame, and the scrollbar."""


class HelpPage(TextPage):
    """The keys of a context."""

    def __init__(self, about: Context) -> None:
        super().__init__("help", f"{about.value} keys", list)
        self._about = about
        self._at = 0
        self._sheet = Sheet([], [])

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also the cursor."""
        return super().handlers(context) | {
            "down": lambda: self._move(1),
            "up": lambda: self._move(-1),
            "page-down": lambda: self._move(self._page),
            "page-up": lambda: self._move(-self._page),
            "text-half-down": lambda: self._move(self._page // 2),
            "text-half-up": lambda: self._move(-self._page // 2),
            "first": lambda: self._go_to(0),
            "last": lambda: self._go_to(len(self._sheet.places) - 1),
            "left": lambda: self._change_column(-1),
            "right": lambda: self._change_column(1),
            "run-row": self.do_run_row,
        }

    @property
    def context(self) -> Context:
        """Its own keys."""
        return Context.HELP

    @property
    def _page(self) -> int:
        return max(self.text.scrollable_content_region.height - 1, 1)

    @property
    def _shown(self) -> list[Section]:
        """The rows that match, below their headings."""
        shell = self.shell
        sections = texts.help_sections(
            self._about, read_only=shell.read_only, hotkeys=shell.settings.hotkeys, ascii_only=shell.ascii_only
        )
        entries = [entry for section in sections for entry in section.entries]
        return help_lines.kept(sections, [not self._wanted or self._wanted.matches(one.looked_in) for one in entries])

    def update(self) -> None:
        """Say it anew."""
        shown = self._shown
        self._at = max(0, min(self._at, sum(len(section.entries) for section in shown) - 1))
        self._sheet = help_lines.laid_out(shown, self.app.size.width - BORDERS, self._at)
        self.text.set_title(self._title + (f"   /{self._wanted.text}" if self._wanted else ""), self.note)
        self.text.wanted = pattern.patterns(self._wanted.text)
        self.text.show(self._sheet.lines)
        if self._at == 0 or not self._sheet.places:
            self.text.to_row(0)
        else:
            self.text.reveal(self._sheet.places[self._at].line)

    def on_resize(self, event: events.Resize) -> None:
        """Other columns."""
        super().on_resize(event)
        if self.is_mounted:
            self.update()

    def shown_text(self) -> str:
        """All of it, below each other."""
        shell = self.shell
        lines = texts.help_lines(
            self._about, read_only=shell.read_only, hotkeys=shell.settings.hotkeys, ascii_only=shell.ascii_only
        )
        return "\n".join("".join(cell.text for cell in line) for line in lines)

    def _go_to(self, at: int) -> None:
        self._at = max(0, min(at, len(self._sheet.places) - 1))
        self.update()

    def _move(self, step: int) -> None:
        self._go_to(self._at + step)

    def _change_column(self, sideways: int) -> None:
        if self._sheet.places:
            self._go_to(help_lines.step(self._sheet.places, self._at, sideways=sideways))

    def step(self, step: int) -> None:
        """To the next row that is shown, or to the one before."""
        self._move(step)

    def typing(self, sign: str, text: str) -> None:
        """Each key filters; the first row that matches is chosen."""
        self._at = 0
        super().typing(sign, text)

    def do_run_row(self) -> None:
        """Close the help, and do on the view below what the chosen row says."""
        entries = [entry for section in self._shown for entry in section.entries]
        if not entries:
            return
        entry = entries[self._at]
        if entry.action is None and not entry.line:
            self.shell.flash(f"{entry.keys}: no action in this row", "slow")
            return
        self.close()
        page = self.app.screen
        if entry.line:
            self.shell.commands.run(entry.line)
        elif entry.action is not None and isinstance(page, Page):
            page.act(entry.action)
