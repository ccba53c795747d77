"""Work beside everything else: background tasks, and work with a key that is done once at a time."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from overmind_core.kernel.actor import handed_on

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Tasks:
    """Background work of the daemon; it ends with the daemon."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something beside everything else; its failure is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._on_done)
        return task

    def hand_on(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """The same, for who asks now: what it records names them."""
        return self.start(handed_on(work))

    def close(self) -> None:
        """Cancel all that runs."""
        for task in list(self._running):
            task.cancel()

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("background work failed", exc_info=task.exception())


class SingleFlight(Generic[T]):
    """What is under way, by key: whoever asks for it meanwhile gets the same answer."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[T]] = {}

    async def do(self, key: str, work: Callable[[], Coroutine[None, None, T]]) -> T:
        """Begin `work`, or join what was begun with this key; its answer or its error is everybody's."""
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.ensure_future(handed_on(work()))
            task.add_done_callback(lambda _: self._under_way.pop(key))
        return await asyncio.shield(task)
