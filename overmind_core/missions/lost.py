"""The missions that were lost with their keeper and that a person should start again: one answer for every face.

`restart --lost`, `ps`, `info`, `status` and `doctor` ask here; full-screen programs read it from the rows of `ps`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.missions.begun_by import is_of_engine
from overmind_core.domain.missions.lost import KEEPER_LOST
from overmind_core.domain.missions.mission import Mission, Status

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.ports import MissionKeeper
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.store import MissionTable


class LostLookup:
    """Read from the store, which has all that have ended."""

    def __init__(
        self, *, journal: Journal, registry: Registry, mission_table: MissionTable, quests: MissionKeeper
    ) -> None:
        self._journal = journal
        self._registry = registry
        self._mission_table = mission_table
        self._quests = quests

    def ids(self) -> list[str]:
        """Their ids, oldest first, as far as their ends are saved."""
        found = [
            one.id
            for one in self._mission_table.crashed_by(KEEPER_LOST)
            if not is_of_engine(one.request) and not self._quests.is_queued(one.parent)
        ]
        checked = self._quests.checked_at_once(found)
        return [one for one in found if one not in checked]

    def all(self) -> list[Mission]:
        """All of them, oldest first."""
        self._journal.flush()
        found = map(self._registry.get, self.ids())
        return [mission for mission in found if mission is not None]

    def among(self, missions: Iterable[Mission]) -> Collection[str]:
        """The ids of those of `missions` that are; the store is asked only where one may be."""
        if any(one.status is Status.CRASHED and one.reason == KEEPER_LOST for one in missions):
            return frozenset(self.ids())
        return ()
