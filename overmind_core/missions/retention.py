"""Retention: logs, records and events are removed, oldest first, so that disk and memory stay bounded for months.

Only finished missions lose anything here; the keeper keeps each log within its own limit while it is written.
"""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from overmind_core.domain.missions.events import LogRemoved, MissionRemoved
from overmind_core.errors import OvermindError
from overmind_core.kernel.database import DiskFull, StoreError, StoreUnavailable
from overmind_core.missions.lookup import above_live
from overmind_core.missions.private_files import private_folder
from overmind_core.system.remove_tree import remove_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from overmind_core.domain.missions.events import MissionEnded
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.database import Database
    from overmind_core.kernel.event_log import EventTable
    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.left_processes import LeftBehind, LeftProcesses
    from overmind_core.missions.ports import MissionKeeper, PlanRunner, Preparer
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.store import MissionRow, MissionTable
    from overmind_core.missions.unrecorded import UnrecordedLogs
    from overmind_core.missions.unseen import Unseen
    from overmind_core.system.paths import Home


FIRST_SECONDS = 30.0
"""After the start, so that a start stays fast."""
PERIOD = 600.0
SOON_SECONDS = 5.0
"""After the last time that too many had ended since."""
SURPLUS = 100
"""One part in so many may be kept over the limit: else each end would remove one record."""
DISK_SHARE = 10
"""At most one part in so many of the disk holds logs."""
SLICE = 500
"""Records removed in one commit."""
_log = logging.getLogger(__name__)


def folder_size(path: str) -> int:
    """Bytes of all files below a folder; what vanishes meanwhile counts nothing."""
    total = 0
    for folder, _, files in os.walk(path):
        for name in files:
            try:
                total += os.stat(os.path.join(folder, name)).st_size
            except OSError:
                continue
    return total


def _remove_folders(paths: Sequence[str]) -> None:
    for path in paths:
        with suppress(OSError):  # what can't be removed stays
            remove_tree(path)


def _sizes(logs: str) -> dict[str, int]:
    try:
        names = os.listdir(logs)
    except OSError:
        return {}
    return {name: folder_size(os.path.join(logs, name)) for name in names}


def _disk_size(path: str) -> int:
    found = os.statvfs(path)
    return found.f_blocks * found.f_frsize


class Retention:
    """Bounds what is kept; removes missions."""

    def __init__(
        self,
        *,
        preparer: Preparer,
        registry: Registry,
        unseen: Unseen,
        journal: Journal,
        mission_table: MissionTable,
        home: Home,
        database: Database,
        event_table: EventTable,
        settings: Settings,
        plans: PlanRunner,
        quests: MissionKeeper,
        left_processes: LeftProcesses,
        unrecorded: UnrecordedLogs,
        asked_about: Callable[[], AbstractSet[str]],
    ) -> None:
        """`asked_about`: ids of missions about which a question is open."""
        self._unrecorded = unrecorded
        self._preparer = preparer
        self._registry = registry
        self._unseen = unseen
        self._journal = journal
        self._mission_table = mission_table
        self._home = home
        self._database = database
        self._event_table = event_table
        self._settings = settings
        self._plans = plans
        self._quests = quests
        self._left_processes = left_processes
        self._asked_about = asked_about
        self._finished = 0
        """Records of ended missions at the last look, and ends since."""
        self._too_many = asyncio.Event()

    async def keep_bounded(self) -> None:
        """Look now and then, and soon after too many have ended, for as long as the supervisor lives."""
        self._finished = self._count_finished()
        await self._pause(FIRST_SECONDS)
        while True:
            with suppress(StoreError, OvermindError):  # a full disk: the next look tries again
                await self.tidy()
            await asyncio.sleep(SOON_SECONDS)
            await self._pause(PERIOD - SOON_SECONDS)

    async def _pause(self, seconds: float) -> None:
        """Wait so long, or until there are too many."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._too_many.wait(), seconds)
        self._too_many.clear()

    def on_end(self, event: MissionEnded) -> None:
        """One more has ended."""
        del event
        self._finished += 1
        limit = self._settings.finished
        if self._finished > limit + limit // SURPLUS:
            self._too_many.set()

    async def tidy(self) -> None:
        """Bring everything within its limits once."""
        await self._bound_events()
        await self._bound_records()
        await self._bound_logs()

    async def remove(self, ids: Sequence[str]) -> list[str]:
        """Remove finished missions: record, environment, log, private files; one that was started meanwhile stays.

        So does one below which another lives.

        Returns:
            What of their work was kept, and why, for people.
        """
        above = above_live(self._registry)
        ids = [one for one in ids if one not in above]
        kept = await self._preparer.release(ids)
        for start in range(0, len(ids), SLICE):
            part = [one for one in ids[start : start + SLICE] if one not in self._registry.live]
            for one in part:
                mission = self._registry.get(one)
                if mission is not None:
                    self._registry.record(mission, MissionRemoved())
                self._unseen.forget(one)
            self._journal.save(lambda part=part: self._mission_table.remove(part))  # type: ignore[misc] # a lambda with a default
            folders = [path for one in part for path in (f"{self._home.logs}/{one}", private_folder(self._home, one))]
            try:
                await self._journal.saved()
            except DiskFull:  # these logs may take the room that is missing; the records go with the next try
                await asyncio.to_thread(_remove_folders, folders)
                await self._saved_now(len(part))
            await asyncio.to_thread(_remove_folders, folders)
        if ids:
            with suppress(DiskFull, StoreUnavailable):  # they are removed all the same; a later removal gives back more
                self._database.tidy()
        return kept

    async def _saved_now(self, count: int) -> None:
        """Wait for the removal of so many records, whose logs are gone already.

        Raises:
            OvermindError: `disk_full`, says what was done.
        """
        try:
            await self._journal.saved()
        except DiskFull as error:
            logs = "The log of 1 mission was" if count == 1 else f"The logs of {count} missions were"
            message = f"{logs} removed, but the disk is still full. The rest goes as soon as it has room"
            raise OvermindError("disk_full", f"{message}.") from error

    async def _bound_events(self) -> None:
        more = True
        while more:
            removed: list[int] = []
            self._journal.save(partial(self._trim_events, removed))
            await self._journal.saved()
            more = bool(removed and removed[0])

    def _trim_events(self, removed: list[int]) -> None:
        removed.append(self._event_table.trim(keep=self._settings.events))

    async def _bound_records(self) -> None:
        self._finished = self._count_finished()
        excess = self._finished - self._settings.finished
        if excess > 0:
            unneeded = [row.id for row in self.unneeded(self._mission_table.oldest_finished(excess))]
            behind = {one.mission for one in await self.left_by(unneeded)}
            removed = [one for one in unneeded if one not in behind]
            if behind:
                _log.info("keeping missions whose processes go on in the background: %s", ", ".join(sorted(behind)))
            await self.remove(removed)
            self._finished -= len(removed)

    async def left_by(self, missions: Sequence[str]) -> list[LeftBehind]:
        """Those that have left something in the background that goes on, and stay so that it can be named and ended."""
        return await self._left_processes.of(missions)

    def unneeded(self, rows: Sequence[MissionRow]) -> list[MissionRow]:
        """Those of these ended missions that nobody needs.

        One is needed by its plan, which runs, by a quest that has not ended, by who is asked, and by what lives below
        it: what that may and may cost is told by those above it, and a cascade finds it through them.
        """
        above = above_live(self._registry)
        return [row for row in rows if row.id not in above and not self._is_needed(row.id, row.parent)]

    def _is_needed(self, mission_id: str, parent: str | None) -> bool:
        is_needed = self._plans.name_of(parent) is not None or self._quests.kept_for(mission_id, parent) is not None
        return is_needed or self.is_asked_about(mission_id, parent)

    def is_asked_about(self, mission_id: str, parent: str | None) -> bool:
        """Whether a question is open about an ended mission, or about the one that has started it."""
        return not self._asked_about().isdisjoint({mission_id, parent})

    def _count_finished(self) -> int:
        self._journal.flush()
        return sum(self._mission_table.count_by_status().values()) - len(self._registry.live)

    async def _bound_logs(self) -> None:
        """Remove the logs of the missions that ended first until the rest fits; their records stay."""
        limit = min(self._settings.log_total, _disk_size(self._home.root) // DISK_SHARE)
        sizes = await asyncio.to_thread(_sizes, self._home.logs)
        orphans = self._unrecorded.removed(name for name in sizes if self._registry.get(name) is None)
        await asyncio.to_thread(_remove_folders, [f"{self._home.logs}/{name}" for name in orphans])
        uncounted = {*orphans, *self._unrecorded.names()}  # those without a record stay, and push out no others
        excess = sum(size for name, size in sizes.items() if name not in uncounted) - limit
        if excess <= 0:
            return
        self._journal.flush()
        for row in self._mission_table.oldest_finished(self._settings.finished):
            if excess <= 0:
                break
            size = sizes.get(row.id, 0)
            mission = self._registry.get(row.id)
            if size and mission is not None and not mission.is_live and not self._quests.kept_for(row.id, row.parent):
                _log.info("removing the log of mission %s (%s bytes): over the limit of all logs", row.id, size)
                self._registry.record(mission, LogRemoved(bytes=size))
                await asyncio.to_thread(_remove_folders, [f"{self._home.logs}/{row.id}"])
                excess -= size
