"""Work beside everything else: background tasks, work with a key that is done once at a time, looks at file systems."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from overmind_core.kernel.actor import handed_on

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable
    from concurrent.futures import Executor

T = TypeVar("T")
Question = TypeVar("Question", bound="Hashable")
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


class _Look(Generic[T]):
    """One look under way, and those who wait for it."""

    __slots__ = ("limit", "waiters")

    def __init__(self) -> None:
        self.waiters: list[asyncio.Future[T]] = []
        self.limit: asyncio.TimerHandle | None = None

    def settle(self, how: Callable[[asyncio.Future[T]], None]) -> None:
        """Tell all who wait."""
        if self.limit is not None:
            self.limit.cancel()
        waiters, self.waiters = self.waiters, []
        for waiter in waiters:
            if not waiter.done():
                how(waiter)


class Looks(Generic[Question, T]):
    """Looks at file systems, which may hang: in threads, with a limit, one for all who ask the same at the same time.

    What was found is found again without a look for a moment: a burst of starts asks the same all the time.
    """

    def __init__(self, threads: Executor, look: Callable[[Question], T], *, patience: float, true_for: float) -> None:
        """`patience`: seconds until nobody waits any longer; `true_for`: seconds that an answer holds."""
        self._threads = threads
        self._look = look
        self._patience = patience
        self._true_for = true_for
        self._under_way: dict[Question, _Look[T]] = {}
        self._fresh: dict[Question, T] = {}

    async def find(self, question: Question) -> T:
        """Answer from a look of just now, or look.

        Raises:
            TimeoutError: the file system does not answer.
        """
        if question in self._fresh:
            return self._fresh[question]
        loop = asyncio.get_running_loop()
        look = self._under_way.get(question)
        if look is None:
            look = self._under_way[question] = _Look()
            work = loop.run_in_executor(self._threads, self._look, question)
            work.add_done_callback(lambda done: self._looked(question, done))
        if not look.waiters:
            look.limit = loop.call_later(self._patience, look.settle, _give_up)
        waiter: asyncio.Future[T] = loop.create_future()
        look.waiters.append(waiter)
        return await waiter

    def forget(self) -> None:
        """What was found may be there no more."""
        self._fresh.clear()

    def _looked(self, question: Question, work: asyncio.Future[T]) -> None:
        look = self._under_way.pop(question)
        if work.cancelled():
            look.settle(_cancel)
        elif (error := work.exception()) is not None:
            look.settle(lambda waiter: waiter.set_exception(error))
        else:
            found = self._fresh[question] = work.result()
            work.get_loop().call_later(self._true_for, self._fresh.pop, question, None)
            look.settle(lambda waiter: waiter.set_result(found))


def _cancel(waiter: asyncio.Future[Any]) -> None:
    waiter.cancel()


def _give_up(waiter: asyncio.Future[Any]) -> None:
    waiter.set_exception(TimeoutError())
