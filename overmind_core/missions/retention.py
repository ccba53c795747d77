"""What is forgotten, so that disk and memory stay bounded for months: logs, records, events; oldest first.

Only finished missions lose anything here; the keeper keeps each log within its own limit while it is written.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING

from overmind_core.domain.missions.facts import Note
from overmind_core.kernel.database import DiskFull
from overmind_core.missions.private_files import private_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.daemon.app import Supervisor

FIRST_SECONDS = 30.0
"""After the start, so that a start stays fast."""
PERIOD = 600.0
DISK_SHARE = 10
"""At most one part in so many of the disk holds logs."""
SLICE = 500
"""Records removed in one commit."""
_log = logging.getLogger(__name__)


async def keep_bounded(core: Supervisor) -> None:
    """Look now and then, for as long as the supervisor lives."""
    await asyncio.sleep(FIRST_SECONDS)
    while True:
        await tidy(core)
        await asyncio.sleep(PERIOD)


async def tidy(core: Supervisor) -> None:
    """Bring everything within its limits once."""
    await _bound_events(core)
    await _bound_records(core)
    await _bound_logs(core)


async def remove(core: Supervisor, ids: Sequence[str]) -> None:
    """Remove finished missions: record, environment, log, private files."""
    await core.isolation.let_go(ids)
    for start in range(0, len(ids), SLICE):
        part = list(ids[start : start + SLICE])
        for one in part:
            mission = core.book.get(one)
            if mission is not None:
                core.book.note(mission, Note("removed"))
            core.news.forget(one)
        core.ledger.save(lambda part=part: core.state.missions.remove(part))  # type: ignore[misc]
        folders = [path for one in part for path in (f"{core.home.logs}/{one}", private_folder(core.home, one))]
        try:
            await core.ledger.saved()
        except DiskFull:  # these logs may take the room that is missing; the records go with the next try
            await asyncio.to_thread(_remove_folders, folders)
            await core.ledger.saved()
        await asyncio.to_thread(_remove_folders, folders)
    if ids:
        core.state.database.tidy()


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
    import shutil  # noqa: PLC0415 - it loads three compressors, which no start should wait for

    for path in paths:
        shutil.rmtree(path, ignore_errors=True)


async def _bound_events(core: Supervisor) -> None:
    more = True
    while more:
        removed: list[int] = []
        core.ledger.save(lambda removed=removed: removed.append(core.state.events.trim(keep=core.settings.events)))  # type: ignore[misc]
        await core.ledger.saved()
        more = bool(removed and removed[0])


async def _bound_records(core: Supervisor) -> None:
    core.ledger.flush()
    finished = sum(core.state.missions.count_by_status().values()) - len(core.book.live)
    excess = finished - core.settings.finished
    if excess > 0:
        rows = core.state.missions.oldest_finished(excess)
        await remove(core, [row.id for row in rows if row.parent not in core.plans.live])


async def _bound_logs(core: Supervisor) -> None:
    """Remove the logs of the missions that ended first until the rest fits; their records stay."""
    limit = min(core.settings.log_total, _disk_size(core.home.root) // DISK_SHARE)
    sizes = await asyncio.to_thread(_sizes, core.home.logs)
    orphans = [name for name in sizes if core.book.get(name) is None]
    await asyncio.to_thread(_remove_folders, [f"{core.home.logs}/{name}" for name in orphans])
    excess = sum(sizes.values()) - sum(sizes[name] for name in orphans) - limit
    if excess <= 0:
        return
    core.ledger.flush()
    for row in core.state.missions.oldest_finished(core.settings.finished):
        if excess <= 0:
            break
        size = sizes.get(row.id, 0)
        mission = core.book.get(row.id)
        if size and mission is not None and not mission.is_live:
            _log.info("removing the log of mission %s (%s bytes): over the limit of all logs", row.id, size)
            core.book.note(mission, Note("log_removed", data=(("bytes", size),)))
            await asyncio.to_thread(_remove_folders, [f"{core.home.logs}/{row.id}"])
            excess -= size


def _sizes(logs: str) -> dict[str, int]:
    try:
        names = os.listdir(logs)
    except OSError:
        return {}
    return {name: folder_size(os.path.join(logs, name)) for name in names}


def _disk_size(path: str) -> int:
    found = os.statvfs(path)
    return found.f_blocks * found.f_frsize
