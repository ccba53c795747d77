"""Logs without a record: of missions that were on books which are lost. They are told, and never removed by us."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from overmind_core.domain.events import type_of
from overmind_core.domain.missions.events import MissionRemoved

if TYPE_CHECKING:
    from collections.abc import Iterable

    from overmind_core.kernel.event_log import EventTable
    from overmind_core.missions.store import MissionTable


SHOWN = 3
"""Names in the sentence about them."""


class UnrecordedLogs:
    """The folders of logs that no mission has, and that nobody has removed. Used from the loop's thread."""

    def __init__(self, logs: str, missions: MissionTable, events: EventTable) -> None:
        self._logs = logs
        self._mission_table = missions
        self._event_table = events
        self._names: list[str] = []

    def load(self) -> None:
        """Find them: once, for whoever writes a log from now on is on the books."""
        try:
            found = os.listdir(self._logs)
        except FileNotFoundError:
            return
        unknown = set(found).difference(self._mission_table.parents())
        self._names = sorted(unknown - self.removed(unknown))

    def names(self) -> list[str]:
        """Return the names of those that are still there, in order."""
        return [name for name in self._names if os.path.exists(os.path.join(self._logs, name))]

    def removed(self, unknown: Iterable[str]) -> set[str]:
        """Return those of `unknown` whose mission was removed: only the folder's removal did not come to its end."""
        kind = type_of(MissionRemoved)
        return {name for name in unknown if self._event_table.after(0, 1, missions=[name], types=[kind])}

    def problem(self) -> str | None:
        """One sentence about them for a person; None when there are none."""
        names = self.names()
        if not names:
            return None
        what = "1 log folder has no record" if len(names) == 1 else f"{len(names)} log folders have no record"
        shown = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
        ways = f"Read the files in {self._logs}, then remove them by hand: no limit counts or removes them"
        return f"{what} ({shown}): the state was lost. {ways}"
