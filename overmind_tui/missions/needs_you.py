"""The view of those who need a person: the list with its first group alone, and the keys in the question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from overmind_core.view import first_run, inbox, numbers
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Cell
from overmind_core.view.inbox import Key
from overmind_tui.missions.page_history import PageHistory
from overmind_tui.render.layout import Panel

if TYPE_CHECKING:
    from overmind_tui.missions.main_screen import MainScreen

LATELY = 3600.0
"""Seconds in which missions that ended are counted where nobody needs a person, at most."""
COME_BY_THEMSELVES = ("Agents that ask or have answered you appear here.", "!   opens this list from anywhere")


class NeedsYou:
    """Opens and closes the view, and goes round those who need a person.

    Attributes:
        is_open: Whether only those are listed.
    """

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._way = PageHistory()
        """To the page that it was opened from."""
        self._last: str | None = None
        """Who was gone to last."""
        self.is_open = False

    def open(self, first: Key | None = None) -> None:
        """Show it, with the cursor on this question; without one on who is under it, else on who has waited longest."""
        screen = self._screen
        if first is not None and first[0] not in screen.shell.fleet.asking:
            screen.shell.flash(inbox.NO_LONGER_OPEN, "slow")
            return
        if len(screen.shell.app.screen_stack) > 1:
            self._way.leave(screen.shell.app)
        before = screen.table.cursor_id
        if screen.panels.current is Panel.TERMINAL:
            screen.close_terminal()
        screen.panels.zoomed = False
        if not self.is_open:
            self.is_open = True
            screen.table_panel.list_needs(only=True)
            screen.panels.settle_anew()
        wanted = before if first is None else first[0]
        if first is not None and first[0] not in self._listed:
            screen.table_panel.do_clear_filter()
        listed = self._listed
        screen.question.wanted = first
        if wanted in listed and wanted is not None:
            screen.select(wanted)
        elif first is not None:  # no other one gets the keys in its place
            screen.shell.flash(inbox.NO_LONGER_OPEN, "slow")
            return
        elif listed:
            screen.select(listed[0])
        screen.panels.give(Panel.QUESTION)

    @property
    def _listed(self) -> list[str]:
        """Ids of those who need a person, as far as they are listed."""
        return [entry.id for entry in self._screen.table.branches if entry.need is not None]

    def close(self, *, back: bool = True) -> None:
        """All missions again, or the page that it was opened from, unless nobody wants to go `back`."""
        if not self.is_open:
            return
        screen, way, self._way = self._screen, self._way, PageHistory()
        self.is_open = False
        screen.question.whole = False
        screen.table_panel.list_needs(only=False)
        screen.panels.settle_anew()
        if screen.panels.current is Panel.QUESTION:
            screen.panels.give(Panel.TABLE)
        else:
            screen.panels.refocus()
        if back:
            way.go(screen.shell.app)
        else:
            way.forget(screen.shell.app)

    # round and round

    def do_next(self) -> None:
        """To the next that needs a person, and into its question where the keys were in one."""
        screen, question = self._screen, self._screen.question
        if len(screen.shell.app.screen_stack) == 1 and screen.panels.current is Panel.QUESTION and question.following:
            question.wanted = question.following
            screen.show_question()
            return
        question.wanted = None
        found = self._found()
        wanted = self._after(found)
        if wanted is None:
            screen.shell.flash(inbox.NOBODY, "quiet")
            return
        self._last = wanted
        if len(screen.shell.app.screen_stack) > 1:
            self.open((wanted, 0))
            return
        had_keys = screen.panels.current is Panel.QUESTION
        if wanted == screen.table.cursor_id and question.is_as_found:
            screen.shell.flash(inbox.NOBODY_ELSE, "quiet")
            return
        if screen.panels.current is Panel.TERMINAL:
            screen.close_terminal()
        question.whole = False
        if not screen.select(wanted):
            screen.go_to(wanted)
        screen.panels.give(Panel.QUESTION if had_keys else screen.panels.home)
        if had_keys:
            question.follow_cursor()

    def _found(self) -> list[str]:
        """Ids of those who need a person, in their order, also while a filter hides some of them."""
        screen, fleet = self._screen, self._screen.shell.fleet
        if screen.filtered is None:
            return self._listed
        needs = inbox.by_urgency(inbox.needs(fleet.rows.values(), fleet.questions, screen.shell.now()))
        return list(dict.fromkeys(need.row["id"] for need in needs))

    def _after(self, found: Sequence[str]) -> str | None:
        """The one behind the cursor's row, else behind the one that was gone to last."""
        if not found:
            return None
        cursor = self._screen.table.cursor_id
        shown = [entry.id for entry in self._screen.table.branches]
        if cursor in found:
            return found[(found.index(cursor) + 1) % len(found)]
        if cursor in self._screen.question.said and cursor in shown:  # it was answered, and stands where it stood
            behind = shown[shown.index(cursor) :]
            return next((one for one in behind if one in found), found[0])
        return found[(found.index(self._last) + 1) % len(found) if self._last in found else 0]

    # nobody

    def empty(self) -> Sequence[Sequence[Cell]]:
        """The sentence where nobody needs a person."""
        shell = self._screen.shell
        rows = shell.fleet.rows.values()
        started = [wall for row in rows if (wall := missions_rows.started(row)) is not None]
        since = max([shell.now() - LATELY, *([min(started)] if started else [])])
        ended = sum((numbers.moment(row.get("ended_at")) or 0.0) >= since for row in rows)
        running = sum(map(missions_rows.is_live, rows))
        said = first_run.in_place((first_run.nobody_needs_you(running, ended, since, shell.zone), *COME_BY_THEMSELVES))
        before = first_run.indent(self._screen.size.width)
        return [[], *([Cell(" " * before), *line] if line else [] for line in said)]
