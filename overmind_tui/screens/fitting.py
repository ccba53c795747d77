"""Screens that say so when the terminal is too small for them, instead of showing pieces."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, on
from textual.screen import Screen

from overmind_tui.view import shape
from overmind_tui.view.cells import Cell
from overmind_tui.widgets.lines import Lines


class Fitting(Screen[None]):
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
        return shape.is_too_small(*self.app.size)

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
        return [[Cell(text)] for text in shape.too_small(*self.app.size, self.way_out)]
