"""The page of a document of a spec: its lines with their numbers, what is wrong with it, and comments on its lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from textual import events
from textual.app import ComposeResult

from overmind_core.errors import OvermindError
from overmind_core.log_pages import pattern
from overmind_core.spec_files import document_texts
from overmind_core.spec_files.document_texts import DocumentText
from overmind_core.view import specs as specs_rows
from overmind_core.view.actions import Context
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.diff import Spot
from overmind_tui.pages.text import BORDERS, TextPage
from overmind_tui.widgets.lines import CursorTextView

if TYPE_CHECKING:
    from overmind_tui.pages.page import Handler

Answers = Sequence[Any | OvermindError]
FILTERED = "n shift-n next and previous match · esc clears the search"
_LOADING = DocumentText((), "loading …")


class Comments(Protocol):
    """Who keeps comments until they are sent."""

    def places(self, row: Row) -> list[str]:
        """The places of a spec's documents of which comments speak."""


class DocumentPage(TextPage):
    """Lines of a document, one of them with the cursor: a comment is about that.

    Args:
        comments: Who keeps them.
        spec: The row of its spec.
        phase: Whose document it is.
        at: The cursor begins on the heading that begins with this; "" is the first line.
    """

    step_actions = ("next-match", "previous-match")

    def __init__(self, comments: Comments, spec: Row, phase: str, *, at: str = "") -> None:
        self._comments = comments
        self._spec = spec
        self.phase = phase
        self._at = at
        self._read = _LOADING
        self._places: list[int | None] = []
        """Of each line that is drawn the line of the document, from 1; None: it is no line of that."""
        self._shown: list[int] = []
        """Which of these are shown."""
        super().__init__("document", "", lambda: self._drawn)
        self._drawn: list[list[Cell]] = []
        self._drawn_of: object = None
        """All that the drawn lines are made of."""
        self._questions: Sequence[Row] = ()
        """Those of which it was read last."""
        self._place()

    def _place(self) -> None:
        self.way_here = ("missions", "specs", specs_rows.shown(self._spec), self.phase)

    @property
    def context(self) -> Context:
        """Keys of its own beside those of texts."""
        return Context.DOCUMENT

    def compose_body(self) -> ComposeResult:
        """The text with a cursor."""
        self.text: CursorTextView = CursorTextView(id="text")
        yield self.text.title_line
        yield self.text

    def begin(self) -> None:
        """Read it."""
        self._questions = self.shell.fleet.questions
        super().begin()
        self._look()

    # reading

    def _look(self) -> None:
        """Read the file in a thread."""
        folder, phase = self._spec["folder"], self.phase
        self.shell.background(lambda: self._came(phase, document_texts.read(folder, phase)))

    def _came(self, phase: str, read: DocumentText) -> Callable[[], None]:
        def show() -> None:
            if self.is_attached and phase == self.phase:
                begins = self._read is _LOADING
                self._read = read
                self.update()
                if begins and read.lines:
                    self.text.go_to(self._places.index(1))
                if self._at:
                    self._to_heading(self._at)
                    self._at = ""

        return show

    def _to_heading(self, name: str) -> None:
        line = specs_rows.heading_line(self._read.lines, name)
        if line in self._places:
            self.text.go_to(self._places.index(line), top=True)

    def do_refresh(self) -> None:
        """Read it again, and ask how the spec stands: an edit is checked at once."""

        def on_result(answers: Answers) -> None:
            (answer,) = answers
            if not isinstance(answer, OvermindError) and self.is_attached:
                self._spec = specs_rows.named(answer)
                self.update()

        self._look()
        self.shell.request("spec", [{"id": self._spec["id"]}], on_result)

    def refresh_status(self) -> None:
        """Where something else is asked now, the document may be another one."""
        if self._questions is not self.shell.fleet.questions and self.is_attached:
            self._questions = self.shell.fleet.questions
            self.do_refresh()
        super().refresh_status()

    def on_screen_resume(self) -> None:
        """Comments were written, sent or thrown away; the document may be another one."""
        if self.is_mounted and self._read is not _LOADING:
            self.do_refresh()

    # drawing

    @property
    def _stands(self) -> Row | None:
        return next((one for one in self._spec["phases"] if one["phase"] == self.phase), None)

    def update(self) -> None:
        """Show it, with what is wrong with it above, and with the comments that are not sent yet."""
        pending = self._comments.places(self._spec)
        self._draw(pending)
        self._shown = list(range(len(self._drawn)))
        if self._wanted and not self._searching:
            self._shown = [
                at for at in self._shown if self._wanted.matches("".join(cell.text for cell in self._drawn[at]))
            ]
        self.text.wanted = pattern.patterns(self._wanted.text)
        self.text.show([self._drawn[at] for at in self._shown])
        self._set_title(len(pending))

    def _draw(self, pending: Sequence[str]) -> None:
        """Draw its lines, unless they are drawn: a document may be long, and each key of a filter asks for them."""
        cells = self.app.size.width - BORDERS
        drawn_of = (self._read, self._stands, self.phase, tuple(pending), cells)
        if drawn_of != self._drawn_of:
            self._drawn_of = drawn_of
            self._drawn, self._places = specs_rows.document_lines(
                self._read.lines, self._read.why_not, self._stands, name=document_texts.name_of(self.phase),
                pending=pending, cells=cells,
            )  # fmt: skip

    def _set_title(self, pending: int) -> None:
        sign = "?" if self._searching else "/"
        wanted = f"   {sign}{self._wanted.text}" if self._wanted else ""
        stands = self._stands
        state = "" if stands is None else f" · {specs_rows.phase_words(stands).partition(' ')[2]}"
        asked = "" if stands is None or stands["question"] is None else f" · question {stands['question']}"
        unsent = f" · {pending} comment{'s' * (pending != 1)} not sent" if pending else ""
        name = f"{specs_rows.shown(self._spec)} · {document_texts.name_of(self.phase)}"
        self.text.set_title(f"{name}{state}{asked}{unsent}{wanted}", self.note)

    def on_resize(self, event: events.Resize) -> None:
        """Long lines go on elsewhere."""
        super().on_resize(event)
        if self.is_mounted:
            self.update()

    # the line that is meant

    @property
    def spot(self) -> Spot | None:
        """The line under the cursor."""
        at = self._shown[self.text.at] if self.text.at < len(self._shown) else None
        number = None if at is None else self._places[at]
        if number is None:
            return None
        return Spot(document_texts.name_of(self.phase), number, f" {safe(self._read.lines[number - 1])}")

    def chosen(self) -> list[Row]:
        """The spec, with this phase and this line."""
        return [{**self._spec, specs_rows.OF_PHASE: self.phase, specs_rows.SPOT: self.spot}]

    # keys

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also the document beside this one."""
        return super().handlers(context) | {
            "next-panel": lambda: self._beside(1),
            "previous-panel": lambda: self._beside(-1),
        }

    def _beside(self, step: int) -> None:
        """The document of the phase behind this one, round and round."""
        phases = [specs_rows.BRIEF, *(one["phase"] for one in self._spec["phases"])]
        self.phase = phases[(phases.index(self.phase) + step) % len(phases)]
        self._place()
        self._read = _LOADING
        self.text.at = 0
        self.text.to_row(0)
        self.update()
        self._look()
        self.refresh_line()

    def shown_text(self) -> str:
        """The document."""
        return "\n".join(self._read.lines)
