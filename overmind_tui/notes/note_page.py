"""The page of one note: all about it, with its history."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from overmind_core.view import notes as notes_rows
from overmind_core.view.actions import Context
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.describe import Rendering
from overmind_tui.notes.asking import fetch_note
from overmind_tui.pages.text import TextPage

if TYPE_CHECKING:
    from overmind_tui.shell.shell import Shell

KEYS = "e edit · shift-y pin · shift-↑ helped · / filter · esc back"
HANG = 21
"""Cells from the left where a long value goes on."""


def open_note(shell: Shell, note: str) -> None:
    """All about a note over what is open."""
    expected = shell.expect_view()

    def show(found: Row) -> None:
        if expected.came():
            shell.open(NotePage(shell, found))

    fetch_note(shell, note, show, expected.failed)


class NotePage(TextPage):
    """All about a note, as it is now; verbs of notes mean it."""

    def __init__(self, shell: Shell, note: Row) -> None:
        self._note = note
        self._asking = self._again = False
        """Whether an answer is to come, and whether the note may be another one by now."""

        def lines() -> Sequence[Sequence[Cell]]:
            self.keys = f"y accept · {KEYS}" if self._note["state"] == "proposed" else KEYS
            look = Rendering(shell.now(), shell.zone, shell.ascii_only)
            names = {mission: str(row["name"]) for mission, row in shell.fleet.rows.items()}
            return notes_rows.description(self._note, look, names)

        super().__init__("note", "", lines, hang=HANG)
        self.way_here = ("missions", "notes", safe(note["id"]))

    @property
    def context(self) -> Context:
        """Those of a text, and those that judge a note."""
        return Context.NOTE

    def chosen(self) -> list[Row]:
        """The note."""
        return [{**self._note, "name": self._note["id"]}]

    def chosen_of(self, view: str) -> list[Row]:
        """The note."""
        return self.chosen() if view == "notes" else []

    def happened(self, kinds: Collection[str]) -> None:
        """It may have been changed, or judged."""
        if notes_rows.CHANGES & set(kinds):
            self.do_refresh()

    def do_refresh(self) -> None:
        """Ask again; one question at a time."""
        if self._asking:
            self._again = True
        else:
            self._asking = True
            fetch_note(self.shell, self._note["id"], self._show, self._answered)

    def _show(self, note: Row) -> None:
        self._note = note
        if self.is_mounted:
            self.update()
        self._answered()

    def _answered(self) -> None:
        again, self._asking, self._again = self._again, False, False
        if again and self.is_mounted:
            self.do_refresh()
