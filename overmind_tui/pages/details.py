"""Pages of rows that are no missions, but began some: all that is known of one, and the logs of what it began."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from overmind_core.errors import OvermindError
from overmind_core.view.cells import Row, safe
from overmind_core.view.describe import Lines, Rendering
from overmind_core.view.hive_keys import bare_name
from overmind_core.view.quests import question_of
from overmind_tui.pages.table import TablePage
from overmind_tui.pages.text import TextPage

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.view.actions import Context
    from overmind_tui.pages.page import Handler

Answers = Sequence[Any | OvermindError]


class DetailsPage(TablePage):
    """A table whose rows are no missions.

    Attributes:
        about: The request that tells all about a row; "" where the row says all.
        lines_of: All about a row, for reading.
    """

    about = ""
    lines_of: ClassVar[staticmethod[[Row, Rendering], Lines]]

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return None if self.table.current is None else self.table.current.row

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also all about a row."""
        return super().handlers(context) | {"describe-row": self.do_describe_row}

    def has_log(self, mission: str | None) -> bool:
        """True while what the row began is still there, with its log."""
        return self.shell.fleet.of(mission) is not None

    def has_question(self) -> bool:
        """True where anything is asked about the first of the rows that are meant."""
        return any(question_of(row, self.shell.fleet.questions) is not None for row in self.chosen()[:1])

    def show_log(self, mission: str | None, without: str) -> None:
        """The log of what the row began; `without` is said where it began nothing."""
        if self.current is not None:
            name = safe(self.current["name"])
            self.shell.main.show_log(mission, f"the mission of {name} was removed" if mission else f"{name} {without}")

    def do_describe_row(self) -> None:
        """Everything known about the row under the cursor."""
        row = self.current
        if row is not None and self.about:
            self.fetch(self.about, row, self._describe)
        elif row is not None:
            self._describe(row)

    def fetch(self, request: str, row: Row, then: Callable[[Any], None]) -> None:
        """Ask for something about a row, and show the answer, unless the person is elsewhere; a refusal is said."""

        def on_result(answers: Answers) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                self.shell.flash(safe(answer.message), "bad")
            elif self.shell.rests_at(self):
                then(answer)

        self.shell.request(request, [{"id": row["id"]}], on_result)

    def _describe(self, known: Row) -> None:
        self.complete(known)
        lines_of = type(self).lines_of
        self.read(known, lambda: lines_of(known, self.rendering()))

    def complete(self, known: Row) -> None:
        """Note in all about a row what this program knows besides; of most nothing."""

    def rendering(self) -> Rendering:
        """When and how a description is looked at."""
        return Rendering(self.shell.now(), self.shell.zone, self.shell.ascii_only)

    def read(self, row: Row, lines: Callable[[], Lines], *, what: str = "", hang: int | None = None) -> None:
        """Show a text about a row; `what`: of this kind; `hang`: as a text page takes it."""
        name = safe(row["name"])
        begun = "".join(cell.text for cell in next(iter(lines()), ())).split()
        is_said = begun[:1] in ([name], [safe(bare_name(row))])
        self.shell.open(TextPage(what or self.view, "" if is_said else name, lines, hang=hang))
