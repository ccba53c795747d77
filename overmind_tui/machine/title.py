"""The title of the terminal outside: how many need the person, seen also from another tab; given back on leaving."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from overmind_tui.view import needs, ringing
from overmind_tui.view.cells import Row
from overmind_tui.view.fleet import Fleet


class Title:
    """Says it when it changes.

    Args:
        tell: Sends the terminal a sequence.
    """

    def __init__(self, tell: Callable[[str], None], *, ascii_only: bool) -> None:
        self._tell = tell
        self._ascii = ascii_only
        self._said = ""
        self._as_of: tuple[int, Sequence[Row]] = (-1, ())

    def say(self, fleet: Fleet, now: float) -> None:
        """Count who needs the person; once for all the seconds in which nothing changes."""
        if (fleet.changes, fleet.questions) == self._as_of:
            return
        self._as_of = fleet.changes, fleet.questions
        found = needs.needs(fleet.rows.values(), fleet.questions, now)
        turns = sum(need.group == needs.TURN for need in found)
        title = ringing.title(len(found) - turns, turns, ascii_only=self._ascii)
        if title != self._said:
            self._tell(("" if self._said else ringing.KEEP_TITLE) + ringing.titled(title))
            self._said = title

    def give_back(self) -> None:
        """The terminal's own again."""
        if self._said:
            self._tell(ringing.titled("") + ringing.TITLE_BACK)
            self._said = ""
