"""`hello`, `status`, `shutdown`: the daemon itself."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec

from overmind_core.domain.missions.lost import lost_sentence
from overmind_core.domain.missions.mission import LIVE, Cause, Mission, Status
from overmind_core.domain.quests.again import command_again, row_of
from overmind_core.domain.quests.attempt import can_retry
from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.kernel.database import StoreError
from overmind_core.kernel.keeper_client import KeeperGone, KeeperRefused, mute_keeper
from overmind_core.kernel.request import Args, handles
from overmind_core.missions import answers
from overmind_core.missions.keeper_sync import Departure
from overmind_core.missions.left_processes import go_on
from overmind_core.missions.requests import Nothing
from overmind_core.missions.resources import own_memory
from overmind_core.missions.retention import folder_size
from overmind_core.system import web_server
from overmind_core.version import VERSION
from overmind_core.wire.framing import API_VERSION

if TYPE_CHECKING:
    from overmind_core.daemon.answer_types import DaemonStatus, Departed, KeeperStatus, MissionCounts, Welcome
    from overmind_core.daemon.unsaved import Unsaved
    from overmind_core.domain.quests.quest import Quest
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.keeper_client import CurrentKeeper
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.request import Caller
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.left_processes import LeftProcesses
    from overmind_core.missions.lost import LostLookup
    from overmind_core.missions.ports import Preparer
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.missions.store import MissionTable
    from overmind_core.missions.unrecorded import UnrecordedLogs
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home


KEEPER_LIMIT = 2.0
"""Seconds that the keeper gets to say how it is."""
T = TypeVar("T")
_log = logging.getLogger(__name__)


class Hello(Args, frozen=True):
    """The client."""

    version: str = ""


class Shutdown(Args, frozen=True):
    """Stop everything and leave; `keep`: leave the missions to the next daemon; `replace`: one is about to start."""

    keep: bool = False
    replace: bool = False


def _counted(by_status: Mapping[str, int], lost: int) -> MissionCounts:
    def of(status: Status) -> int:
        return by_status.get(status.value, 0)

    return {
        "preparing": of(Status.PREPARING),
        "starting": of(Status.STARTING),
        "paused": of(Status.PAUSED),
        "restarting": of(Status.RESTARTING),
        "stopping": of(Status.STOPPING),
        "stopped": of(Status.STOPPED),
        "crashed": of(Status.CRASHED),
        "killed": of(Status.KILLED),
        "running": sum(map(of, LIVE)),
        "total": sum(by_status.values()),
        "lost": lost,
    }


async def _if_readable(found: Awaitable[list[T]]) -> list[T]:
    """The list, or an empty one where the state can't be read: it is only told, and must not keep the daemon."""
    try:
        return await found
    except (StoreError, msgspec.MsgspecError, UnicodeError) as error:
        _log.warning("the processes that are left are not told: %s", error)
        return []


def _departed(
    unsaved: Unsaved | None,
    *,
    ended: Sequence[Mission] = (),
    since: float = 0.0,
    kept: int = 0,
    notes: Iterable[str] = (),
    cancelled: Sequence[Quest] = (),
) -> Departed:
    """`ended`: those that were to end `since` then; the next daemon ends what of them others hold up."""
    stopping = [one for one in ended if one.is_live]
    answer: Departed = {"stopped": len(ended) - len(stopping), "kept": kept}
    limits = {one.id: one.definition.timeout for one in ended}
    if cancelled:
        answer["cancelled"] = [
            {
                "id": one.id,
                "name": one.name,
                "can_retry": can_retry(one, has_mission=True),
                "again": None if one.is_queued else command_again(row_of(one, timeout=limits.get(one.id, 0.0))),
            }
            for one in cancelled
        ]
    notes = list(notes)
    if stopping:
        names = ", ".join(one.definition.name for one in stopping)
        answer["stopping"] = len(stopping)
        notes.append(
            f"The swarm does not answer, so agents of {names} on other hives may still run."
            " The next daemon ends them: overmind start"
        )
    if unsaved is not None:
        answer["held"] = unsaved.ends
        notes.append(unsaved.note(live=kept))
    if (note := answers.notes(ended, since, "\n".join(notes))) is not None:
        answer["note"] = note
    return answer


def _waiting(count: int) -> list[str]:
    """A sentence about the missions that live on without a process; none where there are none."""
    if not count:
        return []
    whom = "1 mission does not run now: it waits" if count == 1 else f"{count} missions do not run now: they wait"
    return [f"{whom} for the next daemon."]


class DaemonApi:
    """The requests about the daemon."""

    def __init__(
        self,
        *,
        home: Home,
        clock: Clock,
        phase: Phase,
        tasks: Tasks,
        journal: Journal,
        registry: Registry,
        mission_table: MissionTable,
        line: CurrentKeeper,
        missions: Missions,
        preparer: Preparer,
        leave: Callable[[Departure], Awaitable[Unsaved | None]],
        pending_settings: Callable[[], str],
        unrecorded: UnrecordedLogs,
        lost: LostLookup,
        state_trouble: Callable[[], str],
        left_processes: LeftProcesses,
        quests: QuestRegistry,
    ) -> None:
        """`leave`: part from the keeper and end the daemon; `pending_settings`: what was changed in the file since.

        `state_trouble`: what was found damaged of the state.
        """
        self._home = home
        self._clock = clock
        self._phase = phase
        self._tasks = tasks
        self._journal = journal
        self._registry = registry
        self._mission_table = mission_table
        self._line = line
        self._missions = missions
        self._preparer = preparer
        self._leave = leave
        self._pending_settings = pending_settings
        self._unrecorded = unrecorded
        self._lost = lost
        self._state_trouble = state_trouble
        self._left_processes = left_processes
        self._quests = quests
        self._started_at = clock.wall()

    @handles(Hello)
    async def hello(self, request: Hello, caller: Caller) -> Welcome:
        """The daemon that answers; with the caller's version it reports whether the daemon is older."""
        del request, caller
        return {"version": VERSION, "pid": os.getpid(), "home": to_wire(self._home.root), "api": API_VERSION}

    @handles(Nothing)
    async def status(self, request: Nothing, caller: Caller) -> DaemonStatus:
        """The daemon, its keeper, and the number of missions by status."""
        del request, caller
        self._journal.flush()
        counts = self._mission_table.count_by_status()
        lost = len(self._lost.ids())
        return {
            "pid": os.getpid(),
            "version": VERSION,
            "home": to_wire(self._home.root),
            "started_at": format_time(self._started_at),
            "uptime_seconds": round(self._clock.wall() - self._started_at, 3),
            "memory_bytes": own_memory(),
            "missions": _counted(counts, lost),
            "keeper": await self._keeper_row(),
            "log_bytes": await asyncio.to_thread(folder_size, self._home.logs),
            "problems": [*self._problems(lost), *filter(None, [await asyncio.to_thread(self._pending_settings)])],
        }

    def _problems(self, lost: int) -> list[str]:
        """What a person has to mend, or to start again."""
        found = [lost_sentence(lost)] if lost else []
        if trouble := self._state_trouble():
            found.append(trouble)
        if self._line.is_mute():
            found.append(mute_keeper(self._line.hello.get("pid")).message)
        if (unrecorded := self._unrecorded.problem()) is not None:
            found.append(unrecorded)
        return found

    @handles(Shutdown)
    async def shutdown(self, request: Shutdown, caller: Caller) -> Departed:
        """Stop everything in parallel, or keep it for the next daemon; the daemon leaves once this is answered."""
        del caller
        # A client that goes away meanwhile changes nothing: what has begun is brought to its end.
        return await asyncio.shield(self._tasks.hand_on(self._keep(request) if request.keep else self._stop_all()))

    async def _keep(self, request: Shutdown) -> Departed:
        if self._line.ends_all:
            raise OvermindError(
                "forbidden", "This daemon is ephemeral: nothing outlives it. Stop everything with: overmind shutdown"
            )
        unsaved = await self._leave(Departure.HAND_OVER if request.replace else Departure.KEEP)
        live = self._registry.live.values()
        running = sum(one.pid is not None for one in live)
        notes = [] if request.replace else [*_waiting(len(live) - running), *web_server.goes_on(self._home)]
        return _departed(unsaved, kept=running, notes=notes)

    async def _stop_all(self) -> Departed:
        self._phase.closing = True
        began = self._clock.wall()
        running = [one.id for one in self._quests.live.values() if one.runs]
        try:
            ended = await self._missions.end_all(Cause.STOP, None)
        except (OvermindError, StoreError):
            self._phase.closing = False
            raise
        await self._preparer.calm_all()  # also of those that have ended just now
        left = [*await _if_readable(self._missions.survivors()), *go_on(await _if_readable(self._left_processes.all()))]
        notes = [*left, *web_server.goes_on(self._home)]
        departure = await self._leave(Departure.END)
        # Only now have all quests met the end of their missions.
        cancelled = [one for one in map(self._quests.get, running) if one and one.status is QuestStatus.CANCELLED]
        return _departed(departure, ended=ended, since=began, notes=notes, cancelled=cancelled)

    async def _keeper_row(self) -> KeeperStatus | None:
        link = self._line.link
        if link is None:
            return None
        try:
            found = await asyncio.wait_for(link.request("status"), KEEPER_LIMIT)
        except TimeoutError:
            pid = self._line.hello["pid"]
            found = {"pid": pid, "rss": 0, "runs": sum(one.pid is not None for one in self._registry.live.values())}
        except (KeeperGone, KeeperRefused):
            return None
        return {
            "pid": found["pid"],
            "version": self._line.hello.get("version"),
            "memory_bytes": found["rss"],
            "runs": found["runs"],
        }
