"""The registry of rituals and of those of their runs that have not ended: in memory, and on their way to the store.

Of a ritual's runs the newest are remembered; with the others goes what they started.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from overmind_core.domain.schedules import OPEN, UNBEGUN, Ritual, RitualRun
from overmind_core.errors import OvermindError
from overmind_core.kernel.database import StoreError
from overmind_core.schedules import store
from overmind_core.schedules.events import RitualChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.keeper_client import CurrentKeeper
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.retention import Retention
    from overmind_core.missions.store import MissionTable
    from overmind_core.quests.service import QuestService
    from overmind_core.quests.store import QuestTable
    from overmind_core.schedules.cron import Schedule
    from overmind_core.schedules.store import RitualTable


_log = logging.getLogger(__name__)


class RitualRegistry:
    """Used from the loop's thread only; `all` is to be read."""

    def __init__(self, *, journal: Journal, events: EventLog, line: CurrentKeeper, ritual_table: RitualTable) -> None:
        self._journal = journal
        self._events = events
        self._line = line
        self._ritual_table = ritual_table
        self.all: dict[str, Ritual] = {}
        self._schedules: dict[str, Schedule] = {}
        self._next: dict[str, float | None] = {}
        self._open: dict[str, dict[int, RitualRun]] = {}
        self._of: dict[str, tuple[str, int]] = {}
        """Mission → the run that it is."""

    def load(self) -> None:
        """Bring what is saved into memory."""
        for text in self._ritual_table.all():
            ritual = store.RITUAL.decode(text)
            try:
                self._know(ritual)
            except OvermindError as error:  # the machine has lost a time zone: no reason to supervise nothing at all
                from overmind_core.schedules.cron import ALWAYS  # noqa: PLC0415 - for those who have rituals

                _log.error("ritual %s is paused: %s", ritual.name, error.message)
                self._schedules[ritual.id] = read(ritual.schedule, ALWAYS, ritual.created_at)
                self._know(replace(ritual, paused=True))
        for text in self._ritual_table.open_runs():
            self._hold(store.RUN.decode(text))
        self._hold_daemon()

    def find(self, text: str) -> Ritual:
        """The ritual of this name or id.

        Raises:
            OvermindError: `not_found`.
        """
        found = self.all.get(text) or self.named(text)
        if found is None:
            raise OvermindError("not_found", f"No ritual named {text!r}. See them with: overmind ritual list")
        return found

    def named(self, name: str) -> Ritual | None:
        """The ritual of this name."""
        return next((one for one in self.all.values() if one.name == name), None)

    def schedule(self, ritual: Ritual) -> Schedule:
        """When it comes."""
        return self._schedules[ritual.id]

    def read_again(self, ritual: Ritual) -> None:
        """Read its schedule in its own time zone, which the machine may have lost, or got back.

        Raises:
            OvermindError: `invalid`: there is no such zone.
        """
        self._schedules[ritual.id] = read(ritual.schedule, ritual.zone, ritual.created_at)

    def following(self, ritual: Ritual) -> float | None:
        """When its next run is due; None while it is paused."""
        return None if ritual.paused else self._next.get(ritual.id)

    def open_runs(self, ritual: str) -> dict[int, RitualRun]:
        """Runs that begin, wait or go on, by number."""
        return dict(self._open.get(ritual, {}))

    def any_open(self) -> bool:
        """Whether any ritual has such a run."""
        return any(self._open.values())

    def run_of(self, mission: str) -> RitualRun | None:
        """The open run that this mission is."""
        ritual, number = self._of.get(mission, ("", 0))
        return self._open.get(ritual, {}).get(number)

    def runs(self, ritual: Ritual) -> list[RitualRun]:
        """Its runs that are kept, oldest first."""
        self._journal.flush()
        return [store.RUN.decode(text) for text in self._ritual_table.runs(ritual.id)]

    async def add(self, ritual: Ritual, environment: str) -> None:
        """Have a new ritual; nothing comes of one that can't be saved.

        Raises:
            StoreError: most likely a full disk.
        """
        self._know(ritual)
        text = store.RITUAL.encode(ritual)
        insert = self._journal.save(lambda: self._ritual_table.insert(ritual.id, ritual.name, text, environment))
        try:
            await self._journal.saved()
        except StoreError:
            self._journal.withdraw([insert])
            self._forget(ritual)
            raise
        self._hold_daemon()

    def remove(self, ritual: Ritual) -> None:
        """Forget a ritual and its runs."""
        self._forget(ritual)
        for run in self._open.pop(ritual.id, {}).values():
            self._of.pop(run.mission or "", None)
        self._journal.save(lambda: self._ritual_table.remove(ritual.id))
        self._hold_daemon()

    def put(self, ritual: Ritual) -> None:
        """Save how it is now."""
        self._know(ritual)
        text = store.RITUAL.encode(ritual)
        self._journal.save(lambda: self._ritual_table.save(ritual.id, text))
        self._hold_daemon()

    def put_run(self, run: RitualRun, after: Callable[[], None] | None = None) -> None:
        """Save how a run is now; `after` follows the commit."""
        self._hold(run)
        row = store.run_row(run)
        self._journal.save(lambda: self._ritual_table.save_run(row), after)

    def record_event(self, ritual: Ritual, what: str, run: RitualRun | None = None) -> None:
        """Record an event about it."""
        event = RitualChanged(ritual=ritual.id, name=ritual.name, what=what)
        if run is not None:
            event = msgspec.structs.replace(event, number=run.number, status=run.status.value)
        self._events.record(event)

    def _know(self, ritual: Ritual) -> None:
        if ritual.id not in self._schedules:
            self._schedules[ritual.id] = read(ritual.schedule, ritual.zone, ritual.created_at)
        self.all[ritual.id] = ritual
        self._next[ritual.id] = self._schedules[ritual.id].after(ritual.last)

    def _forget(self, ritual: Ritual) -> None:
        self.all.pop(ritual.id, None)
        self._schedules.pop(ritual.id, None)
        self._next.pop(ritual.id, None)

    def _hold(self, run: RitualRun) -> None:
        runs = self._open.setdefault(run.ritual, {})
        if run.status in OPEN:
            runs[run.number] = run
            if run.mission is not None:
                self._of[run.mission] = (run.ritual, run.number)
        else:
            runs.pop(run.number, None)
            self._of.pop(run.mission or "", None)

    def _hold_daemon(self) -> None:
        self._line.hold("rituals", on=any(not ritual.paused for ritual in self.all.values()))


def read(text: str, zone: str, anchor: float) -> Schedule:
    """The schedule that a person wrote.

    Raises:
        OvermindError: `invalid_cron` naming the field, or `invalid` for the zone.
    """
    from overmind_core.schedules.cron import (  # noqa: PLC0415 - for those who have rituals
        InvalidSchedule,
        UnknownZone,
        parse,
    )

    try:
        return parse(text, zone_name=zone, anchor=anchor)
    except InvalidSchedule as error:
        raise OvermindError("invalid_cron", f"{error}.", field=error.field) from None
    except UnknownZone as error:
        raise OvermindError("invalid", f"--tz: {error}.") from None


def beyond(runs: Sequence[RitualRun], keep: int) -> list[RitualRun]:
    """Return those of `runs`, oldest first, that are not kept: of the ended ones, and of those that never began."""
    ended = [run for run in runs if run.status not in OPEN]
    kinds = ([run for run in ended if (run.status in UNBEGUN) is unbegun] for unbegun in (True, False))
    return [run for alike in kinds for run in alike[: max(0, len(alike) - keep)]]


class RunRetention:
    """Forgets runs of rituals, with their quests, missions and logs."""

    def __init__(
        self,
        *,
        rituals: RitualRegistry,
        quests: QuestService,
        registry: Registry,
        journal: Journal,
        retention: Retention,
        mission_table: MissionTable,
        quest_table: QuestTable,
        ritual_table: RitualTable,
    ) -> None:
        self._rituals = rituals
        self._quests = quests
        self._registry = registry
        self._journal = journal
        self._retention = retention
        self._mission_table = mission_table
        self._quest_table = quest_table
        self._ritual_table = ritual_table

    async def tidy(self, ritual: Ritual) -> None:
        """Forget the oldest runs of a ritual beyond those that are kept."""
        for run in beyond(self._rituals.runs(ritual), ritual.keep):
            await self._forget(run)

    async def _forget(self, run: RitualRun) -> None:
        mission = run.mission
        if mission is not None:
            parts = [mission, *(row.id for row in self._mission_table.children(mission))]
            if await self._retention.left_by(parts):  # what goes on in the background is named by them
                return
            quest, own = self._quests.get(mission), self._registry.get(mission)
            if (quest is not None and quest.runs) or (own is not None and own.is_live):  # somebody has started it again
                return
            known = [self._registry.get(one) for one in parts]
            await self._retention.remove([one.id for one in known if one is not None and not one.is_live])
            self._journal.save(lambda: self._quest_table.remove([mission]))
        self._journal.save(lambda: self._ritual_table.remove_run(run.ritual, run.number))
