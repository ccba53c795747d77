"""The help: the keys of a view in three columns above all marks; again: all keys with whole sentences.

`/` finds in all of them, and enter does what the chosen row says.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from textual import events, on
from textual.app import ComposeResult
from textual.geometry import Size
from textual.message import Message

from overmind_core.domain.missions.status_marks import StatusMark
from overmind_core.log_pages import pattern
from overmind_core.view import keys_help, screen_shape
from overmind_core.view.actions import Context
from overmind_core.view.cells import Cell
from overmind_core.view.hints import Part
from overmind_core.view.prompt import Filtered, Where
from overmind_tui.pages.page import Handler, Page
from overmind_tui.pages.text import TextPage
from overmind_tui.render import help as help_lines
from overmind_tui.render import texts
from overmind_tui.render.help import Entry, Place, Section
from overmind_tui.widgets.lines import TextView

SCROLLBAR = 1
"""Cells beside the columns of all keys."""


class HelpView(TextView):
    """The rows of the help, which can be clicked."""

    class Clicked(Message):
        """A cell was clicked: its column, and its line in the text."""

        def __init__(self, x: int, line: int, times: int) -> None:
            super().__init__()
            self.x, self.line, self.times = x, line, times

    class Scrolled(Message):
        """Other lines are in sight."""

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Tell that, also when the wheel scrolled."""
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Scrolled())

    def on_click(self, event: events.Click) -> None:
        """Tell where that was."""
        place = event.get_content_offset(self)
        if place is not None:
            self.post_message(self.Clicked(place.x, place.y + int(self.scroll_offset.y), event.chain))


class HelpPage(TextPage):
    """The keys of a context.

    Args:
        about: The context.
        drawn: Marks of the rows that are shown below the help.
    """

    where = Where.HELP
    nothing = " no key and no word matches: esc shows all"
    """The line in place of rows."""

    def __init__(self, about: Context, drawn: Sequence[StatusMark] = ()) -> None:
        super().__init__("help", "all keys", list)
        self.way_here = ("missions", "keys")
        self._about, self._drawn = about, drawn
        self._wants_all = False
        self._at = 0
        self._places: Sequence[Place] = ()
        self._entries: Sequence[Entry] = ()

    def compose_body(self) -> ComposeResult:
        """The rows; the header says what they are."""
        self.text = HelpView(id="text")
        yield self.text

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also the cursor, and the way to all keys."""
        return super().handlers(context) | {
            "help": self.do_turn,
            "down": lambda: self._move(1),
            "up": lambda: self._move(-1),
            "page-down": lambda: self._move(self._page),
            "page-up": lambda: self._move(-self._page),
            "text-half-down": lambda: self._move(self._page // 2),
            "text-half-up": lambda: self._move(-self._page // 2),
            "first": lambda: self._go_to(0),
            "last": lambda: self._go_to(len(self._places) - 1),
            "left": lambda: self._change_column(-1),
            "right": lambda: self._change_column(1),
            "run-row": self.do_run_row,
        }

    @property
    def context(self) -> Context:
        """Its own keys."""
        return Context.HELP

    @property
    def hint_part(self) -> Part:
        """The hints of the columns, or of all keys."""
        return Part.ALL_KEYS if self._shows_all else Part.HELP

    @property
    def _shows_all(self) -> bool:
        return self._wants_all or bool(self._wanted)

    @property
    def _page(self) -> int:
        return max(self.text.scrollable_content_region.height - 1, 1)

    @property
    def _sections(self) -> list[Section]:
        """All rows below their headings."""
        shell = self.shell
        return texts.help_sections(
            self._about, read_only=shell.read_only, hotkeys=shell.settings.hotkeys, ascii_only=shell.ascii_only
        )

    @property
    def filtered(self) -> Filtered | None:
        """The text that is looked for, and how many of the rows have it."""
        if not self._wanted:
            return None
        return Filtered(self._wanted.text, len(self._entries), sum(len(one.entries) for one in self._sections))

    def update(self) -> None:
        """Say it anew."""
        self.text.wanted = pattern.patterns(self._wanted.text)
        if self._shows_all:
            self._show_all()
        else:
            self._show_columns()
        self.refresh_line()

    def _show_columns(self) -> None:
        shell = self.shell
        cells, height = self._room
        found = keys_help.help_page(
            self._about, cells, height, read_only=shell.read_only, ascii_only=shell.ascii_only,
            marks=texts.marks_of(self._about), drawn=self._drawn,
        )  # fmt: skip
        self._places = [Place(row.column, row.line) for row in found.rows]
        self._entries = [Entry("", row.action.summary, action=row.action) for row in found.rows]
        self._at = self._held(self._at)
        lines = list(found.lines)
        if found.rows:
            row = found.rows[self._at]
            lines[row.line] = keys_help.chosen(found.lines[row.line], row.column)
        self.text.show(lines)
        self.text.to_row(0)

    @property
    def _room(self) -> tuple[int, int]:
        """Cells and lines of the text: it is composed before it is laid out."""
        size = self.app.size
        shape = screen_shape.shape(size.width, size.height, self._edges)
        return size.width, max(size.height - shape.header - shape.hints - bool(shape.line) * self._line_height, 1)

    def kept(self) -> list[Section]:
        """The rows that match."""
        sections = self._sections
        every = [entry for section in sections for entry in section.entries]
        return help_lines.kept(sections, [not self._wanted or self._wanted.matches(one.looked_in) for one in every])

    def _show_all(self) -> None:
        shown = self.kept()
        self._entries = [entry for section in shown for entry in section.entries]
        self._at = self._held(self._at)
        sheet = help_lines.laid_out(shown, self.app.size.width - SCROLLBAR, self._at)
        self._places = sheet.places
        self.text.show(sheet.lines or [[Cell(self.nothing, "quiet")]])
        if self._at == 0 or not sheet.places:
            self.text.to_row(0)
        else:
            self.text.reveal(sheet.places[self._at].line)

    def _held(self, at: int) -> int:
        return max(0, min(at, len(self._entries) - 1))

    def on_resize(self, event: events.Resize) -> None:
        """Other columns."""
        super().on_resize(event)
        if self.is_mounted:
            self.update()

    def show_edges(self, size: Size) -> None:
        """More or fewer lines are left for the columns."""
        super().show_edges(size)
        if self.is_mounted and not self._shows_all:
            self._show_columns()

    def refresh_line(self) -> None:
        """The line may have become higher."""
        before = self._line_height
        super().refresh_line()
        if self._line_height != before and not self._shows_all:
            self._show_columns()

    def shown_text(self) -> str:
        """All of it, below each other."""
        shell = self.shell
        lines = texts.help_lines(
            self._about, read_only=shell.read_only, hotkeys=shell.settings.hotkeys, ascii_only=shell.ascii_only
        )
        return "\n".join("".join(cell.text for cell in line) for line in lines)

    def do_turn(self) -> None:
        """All keys, or the columns."""
        self._wants_all, self._at = not self._wants_all, 0
        self.update()

    # the cursor

    def _go_to(self, at: int) -> None:
        self._at = self._held(at)
        self.update()

    def _move(self, step: int) -> None:
        self._go_to(self._at + step)

    def _change_column(self, sideways: int) -> None:
        if self._places:
            self._go_to(help_lines.step(self._places, self._at, sideways=sideways))

    def step(self, step: int) -> None:
        """To the next row that is shown, or to the one before."""
        self._move(step)

    @on(HelpView.Clicked)
    def clicked_row(self, message: HelpView.Clicked) -> None:
        """A click chooses a row, two do it."""
        cells = self.app.size.width
        if self._shows_all:
            column = message.x // (max(cells - SCROLLBAR, 1) // help_lines.columns_in(cells - SCROLLBAR))
        else:
            column = keys_help.column_at(message.x, cells)
        place = Place(column, message.line)
        if place not in self._places:
            return
        self._go_to(list(self._places).index(place))
        if message.times > 1:
            self.do_run_row()

    @on(HelpView.Scrolled)
    def keep_in_sight(self) -> None:
        """The wheel has scrolled the chosen row away: the nearest in sight is chosen, for enter does that one."""
        top, height = self.text.scroll_offset.y, self.text.scrollable_content_region.height
        seen = [at for at, place in enumerate(self._places) if top <= place.line < top + height]
        if seen and self._at not in seen:
            self._go_to(min(seen, key=partial(help_lines.distance, self._places, self._at)))

    def typing(self, sign: str, text: str) -> None:
        """Each key filters; the first row that matches is chosen."""
        self._at = 0
        super().typing(sign, text)

    def do_run_row(self) -> None:
        """Close the help, and do on the view below what the chosen row says."""
        if not self._entries:
            return
        entry = self._entries[self._at]
        if entry.action is None and not entry.line:
            self.shell.flash(f"{entry.keys}: no action in this row", "slow")
            return
        self.close()
        page = self.app.screen
        if entry.line:
            self.shell.commands.run(entry.line)
        elif entry.action is not None and isinstance(page, Page):
            page.act(entry.action)
