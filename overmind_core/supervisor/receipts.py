"""When the keeper is told that an exit is safe with us: not before everything that follows from it is.

For as long as the keeper holds an exit, it starts a daemon when this one dies, and that goes on with what is unsettled.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from overmind_core.domain.mission import Mission, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from overmind_core.supervisor.book import Book

UNSETTLED = frozenset({Status.STARTING, Status.STOPPING, Status.RESTARTING})
"""Something is still to be done for the mission, though no process of it need live."""


class Receipts:
    """The exits that are saved; `tell` acknowledges some runs to the keeper."""

    def __init__(self, book: Book, tell: Callable[[Sequence[str]], None]) -> None:
        self._book = book
        self._tell = tell
        self._outgoing: list[str] = []
        self._owed: dict[str, str] = {}
        """Mission → its run whose exit is saved, and not yet acknowledged."""

    def owe(self, mission: Mission) -> None:
        """The exit of its run is saved; acknowledged is it once the sweep and the restart that follow are over, too."""
        if self._owed.get(mission.id) != mission.run_id:
            self._pay(mission.id)  # the run before it: this one's exit is held instead
        self._owed[mission.id] = mission.run_id
        current = self._book.live.get(mission.id)
        if current is None or current.status not in UNSETTLED:
            self._pay(mission.id)

    def saved(self, mission: Mission) -> None:
        """A state of the mission is on disk."""
        if mission.status not in UNSETTLED:
            self._pay(mission.id)

    def give(self, run: str) -> None:
        """Acknowledge a run, together with the others of this turn."""
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self.send)
        self._outgoing.append(run)

    def send(self) -> None:
        """Tell what was given, now."""
        runs, self._outgoing = self._outgoing, []
        if runs:
            self._tell(runs)

    def _pay(self, mission_id: str) -> None:
        run = self._owed.pop(mission_id, None)
        if run is not None:
            self.give(run)
