"""The feed: what happens, followed once for all tabs, and the rows of all missions.

The rows are asked for when the daemon is reached; after that only those that events name. Every pane subscribes here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from typing import Any, NamedTuple

from overmind_core.errors import OvermindError
from overmind_core.view.fleet import missions_of
from overmind_web.live.fleet import LiveFleet
from overmind_web.supervisor import Supervisor

Row = dict[str, Any]
Event = Mapping[str, Any]

GATHER = 0.04
"""Seconds between two questions about what events name; those that come meanwhile are gathered into one."""
MANY = 200
"""Changed missions from which on all are asked for."""
RETRY_PAUSE = 0.2
"""Seconds between two attempts to follow the events of a daemon that refuses."""
_log = logging.getLogger(__name__)


class Change(NamedTuple):
    """Something happened."""

    types: frozenset[str] = frozenset()
    """Of the events."""
    events: tuple[Event, ...] = ()
    missions: frozenset[str] = frozenset()
    """Ids of missions whose rows changed, came or went."""
    everything: bool = False
    """The daemon was reached anew: anything may have changed."""


class Feed:
    """Events, and the rows of missions.

    Args:
        supervisor: Followed whenever it is reached.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._listeners: set[Callable[[Change], None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._seq = 0
        self._applied_at = 0.0
        """When events were told of last, by the loop's clock."""
        self.missions: dict[str, Row] = {}
        """Id → row of `ps --all`, in its order."""
        self.fleet = LiveFleet(supervisor)
        self.ready = asyncio.Event()
        """Set once the rows are there."""

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call `listener` after each change; return what ends this."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def start(self) -> None:
        """Begin to follow."""
        self.fleet.start()
        self._task = asyncio.get_running_loop().create_task(self._follow())

    async def close(self) -> None:
        """Follow no more."""
        await self.fleet.close()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _follow(self) -> None:
        while True:
            try:
                await self._follow_once()
            except OvermindError as error:
                if self._supervisor.up:
                    _log.debug("the events of the daemon ended: %s", error)
            except Exception:  # noqa: BLE001 - the boundary: the next answer may be a good one
                _log.exception("the feed failed")
            await asyncio.sleep(RETRY_PAUSE)

    async def _follow_once(self) -> None:
        """Follow one connection's events to its end."""
        self._seq = int((await self._supervisor.call("logs", {"ids": []}))["seq"])
        async with aclosing(self._supervisor.stream("events", {"since": self._seq, "follow": True})) as lines:
            await anext(lines)  # its `ok`: all that happens from now on is followed
            await self._load_all()
            queue: asyncio.Queue[Event | None] = asyncio.Queue()
            reading = asyncio.get_running_loop().create_task(_read(lines, queue))
            try:
                while await self._take(queue):
                    pass
                await reading  # its error says why it ended
            finally:
                reading.cancel()
                with suppress(asyncio.CancelledError, OvermindError):
                    await reading

    async def _take(self, queue: asyncio.Queue[Event | None]) -> bool:
        """Gather events and tell of them; False at the end."""
        first = await queue.get()
        if first is None:
            return False
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._applied_at + GATHER - loop.time()))
        events, ended = [first], False
        while not queue.empty():
            event = queue.get_nowait()
            if event is None:
                ended = True
                break
            events.append(event)
        await self._apply(tuple(events))
        self._applied_at = loop.time()
        return not ended

    async def _apply(self, events: tuple[Event, ...]) -> None:
        self._seq = int(events[-1]["seq"])
        removed = {str(event["mission"]) for event in events if event["type"] == "removed"}
        changed = missions_of(events)
        if changed:
            await self._load_some(changed)
        for one in removed:
            self.missions.pop(one, None)
        types = frozenset(str(event["type"]) for event in events)
        await self.fleet.apply([self.missions[one] for one in changed if one in self.missions], removed, types)
        self._tell(Change(types, events, frozenset(changed | removed)))

    async def _load_all(self) -> None:
        rows = await self._supervisor.call("ps", {"all": True})
        self.missions = {str(row["id"]): row for row in rows}
        await self.fleet.reload(rows)
        self.ready.set()
        self._tell(Change(everything=True))

    async def _load_some(self, ids: set[str]) -> None:
        """Take over these; a quest that has not begun has no mission, others were removed since."""
        wanted = {"all": True} if len(ids) > MANY else {"ids": sorted(ids), "known": True}
        for row in await self._supervisor.call("ps", wanted):
            self.missions[str(row["id"])] = row

    def _tell(self, change: Change) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(change)
            except Exception:  # noqa: BLE001 - the boundary: what one pane meets is its own
                _log.exception("a pane could not be told of a change")


async def _read(lines: Any, queue: asyncio.Queue[Event | None]) -> None:  # noqa: ANN401  (an asynchronous generator)
    try:
        async for kind, content in lines:
            if kind == "item":
                queue.put_nowait(content)
    finally:
        queue.put_nowait(None)
