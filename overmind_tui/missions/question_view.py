"""The widget of the question above the face of the panel: it can have the keys, and knows when it is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Region
from textual.strip import Strip

from overmind_tui.widgets.lines import LinesPanel

if TYPE_CHECKING:
    from overmind_tui.missions.question import QuestionPanel


class QuestionView(LinesPanel):
    """Draws the question, and tells who asks it that a person sees it."""

    def __init__(self, question: QuestionPanel, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(question.lines, press=question.press, id=id)
        self._question = question

    def render_lines(self, crop: Region) -> list[Strip]:
        """All of them; from now on they are in sight."""
        found = super().render_lines(crop)
        if self.display and self.screen.is_active:
            self._question.drawn(*self.content_size)
        return found
