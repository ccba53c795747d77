"""The ends of work whose claims are over: each goes on beside all else, as what hangs may hold up no beat."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from overmind_core.kernel.tasks import Tasks
    from overmind_core.swarm.store import HeldClaim
    from overmind_core.swarm.works import Works

PATIENCE = 1.0
"""Seconds that an end is waited for at a time: what git does at a remote, and a process that the kernel does not let
go, take longer."""


class Endings:
    """Used from the loop's thread.

    Args:
        works: End it.
        tasks: For the ends.
        changed: Called once an end has come for which nobody waited any longer.
    """

    def __init__(self, *, works: Works, tasks: Tasks, changed: Callable[[], None]) -> None:
        self._works = works
        self._tasks = tasks
        self._changed = changed
        self._under_way: dict[str, tuple[int, asyncio.Task[None]]] = {}
        """Post → the fence of the claim that is over, and what ends its work."""

    @property
    def under_way(self) -> Collection[str]:
        """Posts of which an earlier claim's work goes on here: nothing of a later one may begin."""
        return self._under_way

    async def end(self, held: HeldClaim) -> bool:
        """End what a claim has begun; whether nothing of it goes on. If not, ask again.

        Raises:
            OvermindError: it can't be ended.
        """
        post, fence = held.claim.id, held.claim.fence
        while (known := self._under_way.get(post)) is not None and known[0] != fence:
            if not await self._has_ended(known[1]):
                return False
        if known is None:
            task = self._tasks.start(self._end(held))
            self._under_way[post] = (fence, task)
        else:
            task = known[1]
        if not await self._has_ended(task):
            return False
        task.result()
        return True

    async def _has_ended(self, task: asyncio.Task[None]) -> bool:
        done, _ = await asyncio.wait([task], timeout=PATIENCE)
        return bool(done)

    async def _end(self, held: HeldClaim) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await self._works.of(held).end(held)
        finally:
            del self._under_way[held.claim.id]
            if loop.time() - began >= PATIENCE:
                self._changed()
