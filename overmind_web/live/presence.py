"""Presence: while somebody looks at a tab, the daemon counts it among those whom it need not call.

A tab is one of the daemon's viewers while it is visible, or hidden on a desk that shows notifications, and has answered
within `ANSWERED_SECONDS`: so a phone in a pocket swallows no call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from typing import Any

from overmind_core.errors import OvermindError
from overmind_web.live.messages import Look
from overmind_web.supervisor import Supervisor

ANSWERED_SECONDS = 15.0
"""Without an answer of the page for so long nobody is taken to look."""
RETRY_PAUSE = 1.0
"""Seconds until a stream is begun again that ended by itself."""
NOTIFICATION = "notification"


class Presence:
    """One tab's viewer.

    Args:
        supervisor: Is told who looks.
        by: In whose name.
        ring: Called with the event of a notification for which this tab is to call its person.
    """

    def __init__(self, supervisor: Supervisor, by: str, ring: Callable[[Mapping[str, Any]], None]) -> None:
        self._supervisor = supervisor
        self._by = by
        self._ring = ring
        self._look = Look(visible=False)
        self._looked_at = 0.0
        self._answered_at = 0.0
        self._viewer: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._telling: set[asyncio.Task[None]] = set()
        self._expiry: asyncio.TimerHandle | None = None

    @property
    def counts(self) -> bool:
        """Whether somebody is taken to look."""
        answered = asyncio.get_running_loop().time() - self._answered_at < ANSWERED_SECONDS
        return answered and (self._look.visible or self._look.calls)

    def answered(self) -> None:
        """The page has said something."""
        loop = asyncio.get_running_loop()
        self._answered_at = loop.time()
        if self._expiry is None and (self._look.visible or self._look.calls):
            self._expiry = loop.call_later(ANSWERED_SECONDS, self._expire)
        self._follow()

    def look(self, look: Look) -> None:
        """The page says whether somebody looks, and at what."""
        self._look = look
        self._looked_at = asyncio.get_running_loop().time() - look.ago
        self.answered()
        if self._viewer is not None and self.counts:
            self._tell()

    async def close(self) -> None:
        """Nobody looks any more."""
        self._look = Look(visible=False)
        if self._expiry is not None:
            self._expiry.cancel()
        tasks = [one for one in (self._task, *self._telling) if one is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        due = self._answered_at + ANSWERED_SECONDS
        self._expiry = loop.call_at(due, self._expire) if due > loop.time() and self.counts else None
        self._follow()

    def _follow(self) -> None:
        """Begin or end the stream by which the daemon knows this tab."""
        if self.counts and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._stay())
        elif not self.counts and self._task is not None:
            self._task.cancel()
            self._task = None
            self._viewer = None

    async def _stay(self) -> None:
        while True:
            with suppress(OvermindError):
                await self._stream()
            self._viewer = None
            await asyncio.sleep(RETRY_PAUSE)

    async def _stream(self) -> None:
        seq = int((await self._supervisor.call("logs", {"ids": []}))["seq"])
        args = {"since": seq, "follow": True, "eyes": True, "types": [NOTIFICATION]}
        async with aclosing(self._supervisor.stream("events", args, by=self._by)) as lines:
            async for kind, content in lines:
                if kind == "ok":
                    self._viewer = int(content["viewer"])
                    self._tell()
                elif kind == "item" and content["type"] == NOTIFICATION and content.get("ring"):
                    self._ring(content)

    def _tell(self) -> None:
        """Tell the daemon when this tab was used, and what it shows."""
        task = asyncio.get_running_loop().create_task(self._used())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _used(self) -> None:
        ago = asyncio.get_running_loop().time() - self._looked_at
        args: dict[str, Any] = {"viewer": self._viewer, "ago": max(0.0, ago)}
        if self._look.mission is not None and self._look.visible:
            args["view"] = self._look.mission
        with suppress(OvermindError):
            await self._supervisor.call("used", args, by=self._by)
