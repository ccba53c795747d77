"""The page of a mission's description: asked for again once that stands otherwise, and by ctrl-r."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from overmind_core.errors import OvermindError
from overmind_core.view import describe
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Row, safe
from overmind_core.view.missions import PLAN
from overmind_core.view.notes import written
from overmind_tui.pages.text import TextPage

if TYPE_CHECKING:
    from overmind_tui.shell.shell import Shell

Answers = Sequence[Any | OvermindError]


class DescribePage(TextPage):
    """Shows the description as it was when it was asked for, or when its mission was last known to change its state."""

    def __init__(self, row: Row, lines: describe.Lines) -> None:
        self._row = row
        self._lines = lines
        self._stood = _standing_of(row)
        super().__init__("describe", "", lambda: self._lines, hang=describe.VALUE)
        self.way_here = ("missions", "describe", safe(row["name"]))

    def targets(self) -> list[Row]:
        """The mission that it is about."""
        return [self._row]

    def refresh_status(self) -> None:
        """It may stand otherwise, and there may be a newer run of its name."""
        rows, name = self.shell.fleet.rows, safe(self._row["name"])
        known = rows.get(self._row["id"])
        if self.shell.fleet.lost_since is None and known is not None and _standing_of(known) != self._stood:
            self._stood = _standing_of(known)
            self.do_refresh()
        older = missions_rows.older_than_named(self._row["id"], rows, self.shell.zone)
        title = f"{older}, see :describe {name}" if older else ""
        if title != self._title:
            self._title = title
            self.update()
        super().refresh_status()

    def do_refresh(self) -> None:
        """Ask again."""
        ask(self.shell, self._row, self._show, lambda: None)

    def _show(self, lines: describe.Lines) -> None:
        self._lines = lines
        if self.is_mounted:
            self.update()


def _standing_of(row: Row) -> tuple[object, ...]:
    """The facts of a row with which its description changes."""
    return row["status"], row.get("run"), row.get("outcome")


def ask(shell: Shell, row: Row, then: Callable[[describe.Lines], None], failed: Callable[[], None]) -> None:
    """Ask for all that is known of a mission; what makes that impossible is a flash, and then `failed` is called."""

    def lines(info: Mapping[str, Any], terms: Mapping[str, Any] | None) -> describe.Lines:
        return describe.lines(info, terms, describe.Rendering(shell.now(), shell.zone, shell.ascii_only))

    def on_plan(info: Mapping[str, Any], answers: Answers) -> None:
        (plan,) = answers
        if isinstance(plan, OvermindError):
            then(lines(info, None))
            return
        then(describe.plan_lines(info, plan, describe.Rendering(shell.now(), shell.zone, shell.ascii_only)))

    def on_result(answers: Answers) -> None:
        (info,) = answers
        if isinstance(info, OvermindError):
            shell.flash(safe(info.message), "bad")
            failed()
            return
        if info.get("type") == PLAN:
            shell.request("plan", [{"id": row["id"]}], partial(on_plan, info))
            return
        lines(info, None)  # what of a hive can't be read is found while that answer is looked at, not the next one

        def defined(answers: Answers) -> None:
            (answer,) = answers
            terms = None if isinstance(answer, OvermindError) else answer.get("definition")
            if not (info.get("notes") or {}).get("wrote"):
                then(lines(info, terms))
                return

            def on_notes(answers: Answers) -> None:
                wrote = written(answers[0], ascii_only=shell.ascii_only)
                then(lines({**info, describe.WRITTEN: wrote}, terms))

            shell.request("notes", [{"mission": row["id"], "all": True}], on_notes)

        shell.request("definition", [{"id": row["id"]}], defined)

    shell.request("info", [{"id": row["id"]}], on_result)
