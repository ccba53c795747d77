"""The page of notes: those of the folder, or what a search finds of them; and all about one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.errors import OvermindError
from overmind_core.view import notes as notes_rows
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.registry import Fetch, View
from overmind_tui.command_line.parse import Show
from overmind_tui.notes.asking import fetch_note, folder, without_secrets
from overmind_tui.notes.note_page import open_note
from overmind_tui.pages.table import TablePage

if TYPE_CHECKING:
    from overmind_core.view.actions import Context
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell

SEARCH = Fetch("search", {}, notes_rows.whole, events=notes_rows.CHANGES)
"""Where rows come from while there is a question."""


OFF = "memory is off: nobody is given notes · :memory on"
NOT_GIVEN = 'nobody is given notes: [memory] inject = "off"'


def open_notes(shell: Shell, view: View, show: Show) -> None:
    """The notes of the folder that the program was started in; `all`: of all folders."""
    shell.open(NotesPage(view, show))


class NotesPage(TablePage):
    """A row for each note; `/` asks what `recall` asks, and filters rows after `tab`."""

    def __init__(self, view: View, show: Show) -> None:
        super().__init__(view, show._replace(filter=None))
        self._listing = self.source.fetch
        self._question = self._words = ""
        """The question, and the same without secrets."""
        self._begun = show.filter
        self._filters = False
        """Whether `/` filters rows, in place of a search."""
        self._asked: tuple[str, Mapping[str, Any]] | None = None
        """The request whose answer is to come, or came last."""
        self._proposed = 0
        self._not_given = ""
        """Why nobody is given notes."""

    def begin(self) -> None:
        """Ask for the notes, or for what was asked for with the view; and how memory stands."""
        self._look_for(self._begun or "")
        super().begin()
        self._ask_memory()

    def happened(self, kinds: Collection[str]) -> None:
        """Notes may be others; memory may have been switched."""
        super().happened(kinds)
        if "memory" in kinds:
            self._ask_memory()

    def _ask_memory(self) -> None:
        def on_result(answers: Sequence[Any | OvermindError]) -> None:
            (answer,) = answers
            if not isinstance(answer, OvermindError):  # the notes are refused with the same reason
                off = NOT_GIVEN if answer.get("inject") == "off" else ""
                self._not_given = off if answer.get("on", True) else OFF
            if self.is_mounted:
                self.retitle()

        self.shell.request("memory", [{"cwd": folder(self.shell)}], on_result)

    # rows

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The question, or which of the folder's notes."""
        more = {"words": self._words} if self._question else super().arguments
        return {**more, "cwd": folder(self.shell)}

    def ask(self) -> None:
        """Ask for the notes, or for what answers the question."""
        self.source.fetch = fetch = SEARCH if self._question else self._listing
        if not self.source.asking:
            self._asked = fetch.request, self.arguments
        super().ask()

    def take(self, rows: list[Row]) -> None:
        """Show what came; another question may have been typed meanwhile."""
        (answer,) = rows
        if "proposed" in answer:
            self._proposed = answer["proposed"]
            found = notes_rows.listed(answer)
        else:
            found = [row for row in notes_rows.found(answer) if notes_rows.is_meant(row, self.way)]
        notes_rows.draw_marks(found, ascii_only=self.shell.ascii_only)
        super().take(found)
        self._ask_if_changed()

    def refused(self, why: str) -> None:
        """There is no answer; to what was typed meanwhile there may be one."""
        super().refused(why)
        self._ask_if_changed()

    def _ask_if_changed(self) -> None:
        if self._asked != (SEARCH.request if self._question else self._listing.request, self.arguments):
            self.ask()

    def settings_changed(self) -> None:
        """Marks may be drawn otherwise."""
        notes_rows.draw_marks(self.rows, ascii_only=self.shell.ascii_only)
        super().settings_changed()

    def looked_in(self, row: Row) -> str:
        """The text that a filter looks in."""
        return notes_rows.looked_in(row)

    def _empty(self) -> tuple[str, ...]:
        if self._loaded and not self.rows:
            if self._question:
                return (f"Nothing was found for {safe(self._question)!r}", "esc   shows all notes again")
            if self.way in notes_rows.NONE_OF:
                return tuple(notes_rows.NONE_OF[self.way].split("\n"))
            if self.way != "all":
                _, *what_to_type = super()._empty()
                here = safe(self.shell.world.folder)
                return (f"No notes yet in {here}.", *what_to_type, ":notes all   lists those of all folders")
        return super()._empty()

    # its words

    @property
    def narrowed(self) -> str:
        """The question, else the filter."""
        return f" for {safe(self._question)}" if self._question else super().narrowed

    def subtitle(self) -> str:
        """The key tab while somebody types; else why nobody is given notes, else the proposals that wait."""
        if self.bar.sign == "/":
            return "tab turns the filter into a search" if self._filters else "tab turns the search into a filter"
        shown = sum(row["state"] == "proposed" for row in self.rows)  # those of all folders, where these are listed
        proposed = max(self._proposed, shown)
        if self._not_given or not proposed:
            return self._not_given
        return f"{proposed} proposed: " + ("y accept · ctrl-d forget" if shown else ":notes proposed lists them")

    def standing(self) -> Cell:
        """Why the note under the cursor was found, else what to do about how it stands."""
        current = self.table.current
        if current is None:
            return Cell("")
        return Cell(notes_rows.why_found(current.row) or notes_rows.hint(current.row), "quiet")

    # search and filter

    def narrow(self, text: str) -> None:
        """Show only what answers a question."""
        self._search(text)

    def typing(self, sign: str, text: str) -> None:
        """Each key searches, or filters."""
        if sign == "/" and not self._filters:
            self._search(text)
        else:
            super().typing(sign, text)

    def _search(self, text: str) -> None:
        self._look_for(text)
        self.retitle()
        self.ask()

    def _look_for(self, text: str) -> None:
        self._question = text.strip()
        self._words = without_secrets(self.shell, self._question).text if self._question else ""

    def turn_prompt(self) -> bool:
        """Tab behind `/`: from a search to a filter, and back."""
        text = self.bar.field.text
        self._filters = not self._filters
        self._search("" if self._filters else text)
        self.bar.broken = not self.filtering.type(text if self._filters else "")
        self.shell.flash("filter: only matching rows" if self._filters else "search: the best answer first")
        return True

    def close_one(self) -> bool:
        """First the marks, then the question or the filter, then the view."""
        if self._question and not self.table.marked:
            self.do_clear()
            return True
        return super().close_one()

    # keys

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also all about one, and who was given it."""
        return super().handlers(context) | {
            "filter": self.do_prompt,
            "clear-filter": self.do_clear,
            "open-note": self.do_open,
            "note-users": self.do_users,
        }

    def do_prompt(self) -> None:
        """Type a question, or a filter."""
        self.table.keep_place()
        self.open_bar("/", self.filtering.filter.text if self._filters else self._question)
        self.retitle()

    def close_bar(self) -> str:
        """Stop typing."""
        text = super().close_bar()
        self.retitle()
        return text

    def do_clear(self) -> None:
        """Show all again."""
        self._filters = False
        self._search("")
        self.filtering.do_clear_filter()

    def do_open(self) -> None:
        """All about the note under the cursor."""
        if self.table.current is not None:
            open_note(self.shell, self.table.current.id)

    def do_users(self) -> None:
        """The missions that were given it, in their own list."""
        if self.table.current is not None:
            fetch_note(self.shell, self.table.current.id, self._show_users, lambda: None)

    def _show_users(self, note: Row) -> None:
        uses, fleet = note.get("used_by") or (), self.shell.fleet
        there = dict.fromkeys(one["mission"] for one in uses if fleet.of(one["mission"]) is not None)
        if not there:
            gone = "the missions that were given it were removed" if note["used"] else "no mission was given it yet"
            self.shell.flash(f"{safe(note['id'])}: {gone}", "slow")
            return
        self.shell.commands.run(f"missions /id:{'|'.join(there)}")
        self.shell.flash(f"missions that were given {safe(note['id'])} · - goes back, esc shows all", "quiet")
