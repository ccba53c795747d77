"""The line at work: a text for an agent is typed where the line of the screen stands, up to six lines high.

All of the screen above stays readable, and goes on. What keys do is the composer's; only where it is drawn differs.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from overmind_core.view import composer as editing
from overmind_core.view import hints, prompt
from overmind_core.view.actions import Context
from overmind_core.view.cells import Cell
from overmind_core.view.composer import TextRow
from overmind_core.view.hints import TAKES_TEXT, Part
from overmind_core.view.prompt import TypingFacts
from overmind_tui.pages.compose import WAITS, Composer, Purpose
from overmind_tui.pages.page import PageShell
from overmind_tui.widgets.lines import Lines


class LineComposer(Composer):
    """Takes a text in the line. The purpose's title says what the text is for: `to docs`."""

    part = Part.MESSAGE
    uncovered = 0

    def __init__(self, purpose: Purpose) -> None:
        super().__init__(purpose)
        self.lead = purpose.title

    @property
    def shell(self) -> PageShell:
        """Who shows it."""
        return self.app  # type: ignore[return-value] # our application, whatever else Textual knows of it

    def compose(self) -> ComposeResult:
        """The text, and the hints below it as far as hints are wanted."""
        self.typed_lines = Lines(self._typed_lines, id="typed")
        self.typed_hints = Lines(self._hint_lines, id="typed-hints")
        self.typed_hints.display = self.shell.shows_hints
        with Vertical(id="typed-line"):
            yield self.typed_lines
            yield self.typed_hints

    # what is drawn

    @property
    def facts(self) -> TypingFacts:
        """The text with what is said of it."""
        return self.about()._replace(tail=self._tail, refusal=self.refusal, note=self.purpose.note)

    def about(self) -> TypingFacts:
        """The text, and what it is for."""
        return TypingFacts(self.field, self.lead)

    @property
    def _tail(self) -> str:
        if self.waits:
            return f"{WAITS[self.purpose.verb]} …"
        lines = self.field.text.count("\n") + 1
        return f"{lines} lines" if lines > 1 else ""

    @property
    def rows(self) -> Sequence[TextRow]:
        """The rows of the text."""
        return editing.rows(self.field.text, prompt.text_cells(self.facts, self.app.size.width))

    def _typed_lines(self, cells: int) -> Sequence[Sequence[Cell]]:
        room = max(self.app.size.height - 1, 1)
        return prompt.typing(self.facts, cells)[-room:]

    def _hint_lines(self, cells: int) -> Sequence[Sequence[Cell]]:
        refused = TAKES_TEXT if self.lacks() else frozenset[str]()
        return [hints.hint_line(self.part, cells, unusable=refused, ascii_only=self.shell.ascii_only)]

    def changed(self) -> None:
        """Draw it anew, as high as it is now."""
        if self.is_mounted:
            self.typed_lines.styles.height = len(self._typed_lines(self.app.size.width))
            self.typed_lines.refresh()
            self.typed_hints.refresh_if_changed()

    def set_title(self, title: str) -> None:
        """It is for others now."""
        self.lead = title
        self.changed()

    # the mouse

    @on(Lines.Clicked)
    def clicked(self, message: Lines.Clicked) -> None:
        """A click on a hint does what its key does."""
        if message.lines is self.typed_hints:
            hit = hints.hit_at(self.part, self.app.size.width, message.x, ascii_only=self.shell.ascii_only)
            if hit.action:
                self.press(hints.actions_of(self.context)[hit.action].keys[0], None)
            elif hit.sign:
                self.begin_with(hit.sign)

    def begin_with(self, sign: str) -> None:
        """Have the text begin with a sign, whatever stands behind it."""
        if not self.waits and not self.field.text.lstrip().startswith(sign):
            lead = f"{sign} "
            self._write(self.field._replace(text=lead + self.field.text, at=self.field.at + len(lead)))

    @property
    def context(self) -> Context:
        """Whose keys count."""
        return hints.PARTS[self.part][0]
