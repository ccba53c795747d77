"""The page of one note: all about it, with its history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from overmind_tui.missions.describe import Rendering
from overmind_tui.notes import rows as notes_rows
from overmind_tui.notes.asking import fetch_note
from overmind_tui.pages.text import TextPage
from overmind_tui.render.cells import Cell, Row, safe

if TYPE_CHECKING:
    from overmind_tui.shell.shell import Shell

HANG = 21
"""Cells from the left where a long value goes on."""


def open_note(shell: Shell, note: str) -> None:
    """All about a note over what is open."""
    expected = shell.expect_view()

    def show(found: Row) -> None:
        expected.came()
        shell.open(NotePage(shell, found))

    fetch_note(shell, note, show, expected.failed)


class NotePage(TextPage):
    """All about a note; ctrl-r asks again."""

    def __init__(self, shell: Shell, note: Row) -> None:
        self._note = note

        def lines() -> Sequence[Sequence[Cell]]:
            look = Rendering(shell.now(), shell.zone, shell.ascii_only)
            return notes_rows.description(self._note, look)

        super().__init__("note", f"note · {safe(note['id'])}", lines, hang=HANG)
        self.crumbs = ("missions", "notes", safe(note["id"]))

    def do_refresh(self) -> None:
        """Ask again."""
        fetch_note(self.shell, self._note["id"], self._show, lambda: None)

    def _show(self, note: Row) -> None:
        self._note = note
        if self.is_mounted:
            self.update()
