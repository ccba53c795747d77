"""Canvases: what all our widgets share, lines made of runs of text in a tone, drawn without markup."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, lru_cache

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from overmind_core.domain.text.cells import width
from overmind_core.view.cells import TextStyle, apart, clipped
from overmind_tui.widgets.style import Tones, tones_of

WHEEL = 3
"""Lines that one step of the wheel scrolls."""
Run = tuple[str, Style]


class Canvas(Widget):
    """A widget that draws its own lines."""

    _ground: Style | None = None

    @property
    def ground(self) -> Style:
        """What everything is drawn on; Textual computes it from all ancestors, each time."""
        if self._ground is None:
            self._ground = self.rich_style
        return self._ground

    def notify_style_update(self) -> None:
        """Colours may be others now."""
        super().notify_style_update()
        self._ground = None

    def tone(self, name: str) -> Style:
        """The style of a tone in the theme that is on; "" is plain."""
        return self._tones[name]

    @cached_property
    def _tones(self) -> Tones:
        return tones_of(self)

    def strip(self, runs: Iterable[Run], cells: int, *, ground: Style | None = None) -> Strip:
        """Runs as a line of exactly `cells` cells over the widget's background (and `ground`, when given)."""
        strip = Strip([Segment(apart(text), style) for text, style in runs]).adjust_cell_length(cells)
        if ground is not None:
            strip = Strip([Segment(text, (style or Style.null()) + ground) for text, style, _ in strip])
        return strip.apply_style(self.ground)


class Titled(Canvas):
    """A widget with a line above it that says what it shows; whoever lays it out puts that line there."""

    title, note = "", ""

    @cached_property
    def title_line(self) -> TitleLine:
        """The line above it."""
        return TitleLine(self)

    def set_title(self, title: str, note: str = "") -> None:
        """Say this above it, literally; nothing is drawn when that is said already."""
        if (title, note) != (self.title, self.note):
            self.title, self.note = title, note
            self.title_line.refresh()

    def on_focus(self) -> None:
        """The keys are here."""
        self.title_line.refresh()

    def on_blur(self) -> None:
        """The keys are elsewhere."""
        self.title_line.refresh()


class TitleLine(Canvas):
    """The title of a widget at the left, and a note about it at the right."""

    def __init__(self, titled: Titled) -> None:
        super().__init__(classes="title")
        self._titled = titled

    def render_line(self, y: int) -> Strip:
        """The one line there is."""
        del y
        titled, cells = self._titled, self.content_size.width
        title = clipped(f" {titled.title}", max(cells - 1, 0))
        note = titled.note if width(titled.note) + width(title) + 4 <= cells else ""
        gap = cells - width(title) - width(note) - 1
        runs = [(title, self.tone("accent bold" if titled.has_focus else "title")), (" " * max(gap, 0), Style.null())]
        return self.strip([*runs, (note, self.tone("faint"))], cells)


class ScrollCanvas(Titled, ScrollView, can_focus=True):
    """A canvas of more lines than fit."""

    def hold_rows(self, count: int) -> None:
        """There are so many lines now. Textual would lay the whole screen out anew; only the scrollbar may change."""
        size = Size(self.scrollable_content_region.width, count)
        if size != self.virtual_size:
            self.set_reactive(Widget.virtual_size, size)
            self._scroll_update(size)

    def to_row(self, y: int) -> None:
        """Have this line at the top, or as near to it as the end allows.

        Forced, because Textual allows scrolling only once its scrollbar is laid out, after the next frame.
        """
        self.scroll_to(y=max(y, 0), animate=False, immediate=True, force=True)


class ListCanvas(ScrollCanvas):
    """A canvas of rows with a cursor. The wheel takes it along, for keys are about its row."""

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Show what is below."""
        self.wheel(event, WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Show what is above."""
        self.wheel(event, -WHEEL)

    def wheel(self, event: events.MouseEvent, lines: int) -> None:
        """Scroll by so many lines."""
        event.stop()
        self.to_row(min(self.scroll_offset.y + lines, int(self.max_scroll_y)))
        self.keep_in_sight()

    def keep_in_sight(self) -> None:
        """Put the cursor on the nearest row in sight."""


@lru_cache(maxsize=1024)
def style_of(look: TextStyle) -> Style:
    """What an agent's colours are on our screen."""
    return Style(
        color=_colour(look.text),
        bgcolor=_colour(look.ground),
        **dict.fromkeys(look.attributes, True),  # type: ignore[arg-type] # names of its flags
    )


def _colour(value: int | str | None) -> Color | None:
    if value is None:
        return None
    return Color.from_ansi(value) if isinstance(value, int) else Color.parse(value)


def literal(text: str) -> Content:
    """A text for a border: nothing in it is markup, which escaped is not always read as it was written."""
    return Content(text)


class Pane(Vertical):
    """A widget below its title, side by side with another one."""


class Edge(Canvas):
    """The rule between two widgets side by side."""

    def render_line(self, y: int) -> Strip:
        """One cell of it."""
        del y
        return self.strip([("│", self.tone("rule"))], 1)
