"""Overlaps: finds missions whose worktrees change the same files, before either of them lands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from overmind_core.domain.events import type_of
from overmind_core.domain.watching import conductor
from overmind_core.watching.events import OverlapFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from overmind_core.domain.watching.conductor import Member, Pair
    from overmind_core.kernel.event_log import EventTable
    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.registry import Registry
    from overmind_core.system.machine import Clock
    from overmind_core.watching.worktrees import Worktrees

MOST_EVENTS = 1000
MOST_NAMED = 100
"""Most files that an event names."""


class Overlaps:
    """Test-merges pairs of worktrees without a checkout, one pair at a time, and records each file of a pair once."""

    def __init__(
        self, *, registry: Registry, journal: Journal, clock: Clock, worktrees: Worktrees, event_table: EventTable
    ) -> None:
        self._registry = registry
        self._journal = journal
        self._clock = clock
        self._worktrees = worktrees
        self._event_table = event_table
        self._merged_at: dict[tuple[str, str], float] = {}
        self._recorded: dict[tuple[str, str], frozenset[str]] = {}
        """Pairs of ids → the files for which an overlap was recorded."""
        self._known: set[str] = set()
        """Missions whose events of an earlier daemon are in `_recorded`."""

    async def look(self, members: Sequence[Member]) -> None:
        """Compare the pairs that are due; the others are compared after a later change."""
        self._remember({member.id for member in members} - self._known)
        changed = {member.id: member.changed for member in members}
        for pair in conductor.to_merge(members, self._merged_at, self._clock.mono()):
            key = pair.one, pair.other
            self._merged_at[key] = self._clock.mono()
            if not list(conductor.new_overlaps([pair], self._recorded)):
                continue
            conflicts = await self._worktrees.conflicts(pair.one, pair.other)
            self._record(pair, conflicts, twins=conductor.are_twins(changed[pair.one], changed[pair.other]))

    def _remember(self, missions: AbstractSet[str]) -> None:
        """Read from the log what earlier daemons recorded about the current runs of these missions."""
        if not missions:
            return
        self._known |= missions
        self._journal.flush()
        for row in self._event_table.after(0, MOST_EVENTS, missions=missions, types=[type_of(OverlapFound)]):
            event = json.loads(row.data)
            mission = None if row.mission is None else self._registry.live.get(row.mission)
            if mission is not None and row.mission is not None and event["run"] == mission.run:
                key = row.mission, event["other"]
                self._recorded[key] = self._recorded.get(key, frozenset()) | frozenset(event["files"])

    def forget(self, mission: str) -> None:
        """Drop what is known of a mission that has ended."""
        self._known.discard(mission)
        self._merged_at = {pair: at for pair, at in self._merged_at.items() if mission not in pair}
        self._recorded = {pair: files for pair, files in self._recorded.items() if mission not in pair}

    def _record(self, pair: Pair, conflicts: tuple[str, ...] | None, *, twins: bool) -> None:
        one, other = self._registry.live.get(pair.one), self._registry.live.get(pair.other)
        if one is None or other is None:
            return
        key = pair.one, pair.other
        self._recorded[key] = self._recorded.get(key, frozenset()) | frozenset(pair.files)
        name = other.definition.name
        self._registry.record(
            one,
            OverlapFound(
                other=other.id,
                other_name=name,
                files=pair.files[:MOST_NAMED],
                conflicts=None if conflicts is None else conflicts[:MOST_NAMED],
                twins=twins,
                by="engine",
                why=f"{name} changes {'it' if len(pair.files) == 1 else 'them'}, too",
            ),
        )
