r"""The way from a terminal that was typed into to the next one that needs the person: `ctrl-\ .`.

A terminal question is typed into at once; any other one is answered at its place, and on its turn a mission is written
to in the line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.view import inbox
from overmind_core.view import missions as missions_rows
from overmind_core.view.inbox import Need

if TYPE_CHECKING:
    from overmind_tui.missions.main_screen import MainScreen

KEY = "."
"""The key behind the one that stops typing."""


class Hop:
    """Goes on from the terminal that was left by the key just before.

    Args:
        screen: Whose terminal.
    """

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._left: str | None = None
        """The mission that was typed into until the last key."""

    def begin(self, mission: str | None) -> None:
        """Typing into this one has just ended, by a key."""
        self._left = mission

    def pressed(self, key: str) -> None:
        """Another key was pressed."""
        if key != KEY:
            self._left = None

    def go(self) -> None:
        """To the next that needs the person; typing there where one has typed just now."""
        shell, left = self._screen.shell, self._left
        self._left = None
        if left is None:
            shell.act("next-need", [])
            return
        found = inbox.needs(shell.fleet.rows.values(), shell.fleet.questions, shell.now())
        need = inbox.beyond(found, left)
        if need is None:
            shell.flash(inbox.NOBODY_ELSE, "quiet")
        else:
            self._go_to(need)

    def _go_to(self, need: Need) -> None:
        shell, row = self._screen.shell, need.mission
        if row is not None and inbox.is_typed(need) and not shell.read_only:
            shell.main.go_to(row["id"])
            shell.main.join(row)
            return
        self._screen.close_terminal()
        if row is not None:
            shell.main.go_to(row["id"])
        if need.asked is not None:
            shell.act("question", [need.row])
        elif row is not None and missions_rows.is_live(row) and not shell.read_only:
            shell.act("message", [row])
