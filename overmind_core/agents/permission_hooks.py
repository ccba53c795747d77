"""Hook programs that wait for a person's answer: the dialog on the agent's screen closes once they print it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from overmind_core.domain.agents.agent_events import Asked, Decision


RETURN_SECONDS = 10.0
"""Within which a waiter that lost its supervisor has found the next one."""


class _Kept(NamedTuple):
    """An answer that nobody waited for; `until`: seconds of the monotonic clock."""

    until: float
    asked: Asked
    decision: Decision


class PermissionWaiters:
    """One waiter per question."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[tuple[Asked, Decision] | None]] = {}
        self._kept: dict[str, _Kept] = {}

    def wait(self, number: int) -> asyncio.Future[tuple[Asked, Decision] | None]:
        """A future of the answer to a question; None when it is not wanted any more."""
        earlier = self._waiting.get(number)
        if earlier is not None and not earlier.done():
            earlier.set_result(None)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        return future

    def forget(self, number: int, future: asyncio.Future[tuple[Asked, Decision] | None]) -> bool:
        """The waiter is gone; whether nobody else waits for the same."""
        if self._waiting.get(number) is not future:
            return False
        del self._waiting[number]
        return True

    def reply(self, number: int, asked: Asked, decision: Decision) -> bool:
        """Hand the answer to whoever waits; whether somebody does."""
        future = self._waiting.get(number)
        if future is None or future.done():
            return False
        future.set_result((asked, decision))
        return True

    def keep(self, asked: Asked, decision: Decision) -> None:
        """Nobody waits: keep the answer for a waiter that has lost its supervisor and comes back soon."""
        now = time.monotonic()
        self._kept = {request: one for request, one in self._kept.items() if now < one.until}
        self._kept[asked.request] = _Kept(now + RETURN_SECONDS, asked, decision)

    def keeps(self, asked: Asked) -> bool:
        """Whether the answer to this question still waits for its waiter."""
        return asked.request in self._kept

    def come_back(self, request: str) -> asyncio.Future[tuple[Asked, Decision] | None] | None:
        """The answer that was kept for a waiter, which gets it once; None when there is none."""
        kept = self._kept.pop(request, None)
        if kept is None or time.monotonic() >= kept.until:
            return None
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.set_result((kept.asked, kept.decision))
        return future

    def drop(self, number: int) -> None:
        """Nobody wants the answer any more."""
        future = self._waiting.get(number)
        if future is not None and not future.done():
            future.set_result(None)
