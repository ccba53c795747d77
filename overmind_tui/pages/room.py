"""Screens that paint no faster than the terminal takes it, and that say so where it is too small for them."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, on
from textual.screen import Screen

from overmind_core.view import screen_shape
from overmind_core.view.cells import Cell
from overmind_tui.render import layout
from overmind_tui.shell.timers import SureTimers
from overmind_tui.widgets.lines import Lines


class RateLimited(Screen[None]):
    """What has changed is kept until a frame is due: fewer frames, never a queue of them."""

    def _on_timer_update(self) -> None:
        """Textual's own timer, which goes on until it is answered with a frame."""
        take_frame = getattr(self.app._driver, "take_frame", None)  # noqa: SLF001 - the application has no other way
        if take_frame is None or take_frame():
            super()._on_timer_update()


class NeedsRoom(SureTimers, Screen[None]):
    """Covers all of itself while it has no room, unless it has words of its own for that.

    Attributes:
        way_out: What to press then.
        uncovered: Lines at the bottom that stay in sight.
    """

    way_out = "esc closes this"
    uncovered = 0
    _shade: Lines | None = None

    @property
    def is_too_small(self) -> bool:
        """Whether nobody can see what keys would do."""
        return screen_shape.is_too_small(*self.app.size)

    @on(events.Mount)
    @on(events.Resize)
    def fit(self) -> None:
        """It may have room now, or none any more."""
        if self._shade is None:
            if not self.is_too_small or self.query("#too-small"):
                return
            self._shade = Lines(self._shade_lines, id="too-small")
            self._shade.add_class("cover")
            self.mount(self._shade)
        self._shade.display = self.is_too_small
        self._shade.styles.height = max(self.app.size.height - self.uncovered, 1)
        self._shade.refresh()

    def _shade_lines(self, _cells: int) -> Sequence[Sequence[Cell]]:
        return [[Cell(text)] for text in layout.too_small(*self.app.size, self.way_out)]
