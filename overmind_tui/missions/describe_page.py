"""The page of a mission's description; ctrl-r asks again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.errors import OvermindError
from overmind_core.view import describe
from overmind_core.view.cells import Row, safe
from overmind_core.view.notes import written
from overmind_tui.pages.text import TextPage

if TYPE_CHECKING:
    from overmind_tui.shell.shell import Shell

Answers = Sequence[Any | OvermindError]
Known = tuple[Mapping[str, Any], Mapping[str, Any] | None]
"""What `info` says, and what `definition` says."""


class DescribePage(TextPage):
    """Shows the description as it was when it was asked for."""

    def __init__(self, row: Row, known: Known) -> None:
        self._row = row
        self._known = known
        super().__init__("describe", safe(row["name"]), self._described)

    def _described(self) -> describe.Lines:
        shell = self.shell
        return describe.lines(*self._known, describe.Rendering(shell.now(), shell.zone, shell.ascii_only))

    def targets(self) -> list[Row]:
        """The mission that it is about."""
        return [self._row]

    def do_refresh(self) -> None:
        """Ask again."""
        ask(self.shell, self._row, self._show, lambda: None)

    def _show(self, known: Known) -> None:
        self._known = known
        if self.is_mounted:
            self.update()


def ask(shell: Shell, row: Row, then: Callable[[Known], None], failed: Callable[[], None]) -> None:
    """Ask for all that is known of a mission; what makes that impossible is a flash, and then `failed` is called."""

    def on_result(answers: Answers) -> None:
        (info,) = answers
        if isinstance(info, OvermindError):
            shell.flash(safe(info.message), "bad")
            failed()
            return

        def defined(answers: Answers) -> None:
            (answer,) = answers
            terms = None if isinstance(answer, OvermindError) else answer.get("definition")
            if not (info.get("notes") or {}).get("wrote"):
                then((info, terms))
                return

            def on_notes(answers: Answers) -> None:
                wrote = written(answers[0], ascii_only=shell.ascii_only)
                then(({**info, describe.WRITTEN: wrote}, terms))

            shell.request("notes", [{"mission": row["id"], "all": True}], on_notes)

        shell.request("definition", [{"id": row["id"]}], defined)

    shell.request("info", [{"id": row["id"]}], on_result)
