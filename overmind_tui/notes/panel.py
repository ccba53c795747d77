"""The panel of notes on the missions screen: those that the mission under the cursor was given, and those it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.errors import OvermindError
from overmind_core.view import mission_notes
from overmind_core.view import notes as notes_rows
from overmind_core.view.cells import Cell, Row, folded, safe
from overmind_core.view.mission_notes import GivenLine

if TYPE_CHECKING:
    from overmind_tui.missions.main_screen import MainScreen
    from overmind_tui.pages.page import Handler

Answers = Sequence[Any | OvermindError]
BORDERS = 2
"""Cells beside the lines."""
INSTEAD = (
    GivenLine([]),
    GivenLine([Cell("  :notes lists those of this folder, :notes all those of all", "quiet")]),
)
"""The hint in an empty panel."""


class NotesPanel:
    """The lines and keys of the panel of notes.

    Attributes:
        is_open: Whether it is shown, as far as there is room.
    """

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self.is_open = False
        self._mission: str | None = None
        """Whose notes are to be shown."""
        self._asked: str | None = None
        """Whose notes an answer is to come about; None: none is to come."""
        self._shown: str | None = None
        """Whose notes the lines are about."""
        self._again = False
        """Whether its notes may be others than those that were asked for."""
        self._lines: Sequence[GivenLine] = ()
        self.handlers: dict[str, Handler] = {"open-given": self.do_open}

    def open(self) -> None:
        """Show the notes of the mission under the cursor, and of each that the cursor goes to."""
        self.is_open = True
        self.look_at(self._screen.table.cursor_id)

    def close(self) -> None:
        """Ask nothing any more."""
        self.is_open = False
        self._mission = None

    def look_at(self, mission: str | None) -> None:
        """Another mission under the cursor, other notes; one question at a time, however fast the cursor goes."""
        if not self.is_open:
            return
        row = self._screen.shell.fleet.behind(mission)
        mission = None if row is None else row["id"]
        if mission != self._mission:
            self._screen.notes_view.go_to(0)
        self._mission = mission
        if row is None:
            self._show([GivenLine([Cell("  no mission is selected", "quiet")])])
        else:
            self._ask()

    def happened(self, events: Sequence[Row]) -> None:
        """Ask again when the mission was given notes or has written some."""
        if self.is_open and any(event["type"] in notes_rows.CHANGES for event in events):
            self._ask()

    def _ask(self) -> None:
        if self._asked is not None:
            self._again = True
        elif self._mission is not None:
            self._asked, self._again = self._mission, False
            self._screen.shell.request("info", [{"id": self._mission}], self._on_info)

    def _on_info(self, answers: Answers) -> None:
        (answer,) = answers
        if isinstance(answer, OvermindError):
            cells = (self._screen.side.size.width or self._screen.size.width) - BORDERS
            self._show([GivenLine(line) for line in folded([[Cell(f"  {safe(answer.message)}", "bad")]], cells, 0)])
            self._answered()
            return
        notes = answer.get("notes")
        if notes is not None and not notes["wrote"]:
            self._show([*mission_notes.lines(notes, kinds=False), *(() if notes["given"] else INSTEAD)])
            self._answered()
            return
        if self._shown != self._asked:  # else the cursor would have no line to stay on until the notes come
            self._show(mission_notes.lines(notes, kinds=False))

        def on_notes(answers: Answers) -> None:
            wrote = notes_rows.written(answers[0], ascii_only=self._screen.shell.ascii_only)
            self._show(mission_notes.lines(notes, wrote, kinds=False))
            self._answered()

        self._screen.shell.request("notes", [{"mission": self._asked, "all": True}], on_notes)

    def chosen(self) -> list[Row]:
        """The note on the line with the cursor, as far as there is one."""
        at = self._screen.notes_view.at
        note = self._lines[at].note if at < len(self._lines) else None
        return [] if note is None else [{"id": note, "name": note}]

    def _answered(self) -> None:
        again, self._asked = self._again or self._asked != self._mission, None
        if again:
            self._ask()

    def _show(self, lines: Sequence[GivenLine]) -> None:
        if self._asked is None or self._asked == self._mission:
            self._lines, self._shown = lines, self._asked
            self._screen.notes_view.show([line.cells for line in lines])

    def title(self) -> str:
        """Whose notes they are."""
        current = self._screen.table.current
        return "notes" + (f" · {safe(current.row['name'])}" if current else "")

    def do_open(self) -> None:
        """All about the note on the line with the cursor."""
        from overmind_tui.notes.note_page import open_note  # noqa: PLC0415 - not for the first frame

        for row in self.chosen():
            open_note(self._screen.shell, row["id"])

    def type(self, text: str) -> bool:
        """There are too few lines to look for anything."""
        return not text

    def close_one(self) -> bool:
        """Nothing is open in it."""
        return False
