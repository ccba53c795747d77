"""A queue of work with threads of its own: the loop asks for it, and its results come back on the loop.

Each thread has a resource of its own (a connection of SQLite belongs to the thread that opened it), made at its first
work.
They are no executor of Python's: the end of the process would wait for one of those, however long its disk hangs.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_WAITING = 64
"""Requests in line; the next one is refused as `busy`."""
QUIET_SECONDS = 0.05
"""Without work, after which a thread does what may be done later."""
CLOSE_SECONDS = 2.0
"""How long the end waits for work that is under way; a transaction that it cuts off is undone at the next start."""


class Resource(Protocol):
    """An object that a thread keeps open, such as a connection."""

    def close(self) -> None:
        """Close it; on the thread that made it."""


class NoResource:
    """The resource of threads that keep nothing open."""

    def close(self) -> None:
        """There is nothing to close."""


_log = logging.getLogger(__name__)
AnyResource = TypeVar("AnyResource", bound=Resource)
Result = TypeVar("Result")


class _Task(NamedTuple):
    """A piece of work, and the future of its result."""

    work: Callable[[Any], Any]
    future: Future[Any]


_QUIET = _Task(lambda _: None, Future())
"""In the place of a task: none has come."""


class WorkQueue(Generic[AnyResource]):
    """A queue of work and its threads, which begin with the first piece."""

    def __init__(
        self,
        name: str,
        make: Callable[[], AnyResource],
        *,
        threads: int = 1,
        upkeep: Callable[[AnyResource], bool] | None = None,
        about: str = "notes",
    ) -> None:
        """Begin nothing yet.

        Args:
            name: Of its threads.
            make: A thread's resource, on that thread. Where it fails, its work does, and the next work tries again.
            threads: At most.
            upkeep: What is done in a quiet moment after work, in short pieces; it returns whether there is more.
            about: The subject of its requests, for who is refused.
        """
        self._about = about
        self._name = name
        self._make = make
        self._upkeep = upkeep
        self._most = threads
        self._threads: list[threading.Thread] = []
        self._turn = threading.Condition()
        self._line: deque[_Task] = deque()
        self._working = 0
        self._held = False
        self._closed = False
        self._generation = 0
        """Of the resources: one of an older generation is closed."""

    async def do(self, work: Callable[[AnyResource], Result], *, ours: bool = False) -> Result:
        """Have a thread do a piece of work, and return its result.

        Args:
            work: Given the thread's resource.
            ours: Not a request: it is accepted however long the queue is.

        Raises:
            OvermindError: `busy`; and whatever `work` raises.
        """
        task = _Task(work, Future())
        with self._turn:
            if self._closed:
                raise OvermindError("busy", "The daemon is leaving.")
            if len(self._line) >= MOST_WAITING and not ours:
                raise OvermindError("busy", f"{MOST_WAITING} requests about {self._about} are in line. Try again.")
            self._line.append(task)
            if len(self._threads) < self._most and self._working + len(self._line) > len(self._threads):
                self._begin()
            self._turn.notify()
        result: Result = await asyncio.wrap_future(task.future)
        return result

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the queue: nothing of it is under way in the block. Not from one of its threads."""
        with self._turn:
            self._held = True
            self._turn.wait_for(lambda: not self._working)
        try:
            yield
        finally:
            with self._turn:
                self._held = False
                self._turn.notify_all()

    def renew(self) -> None:
        """Have each thread close its resource before its next work, for which it makes a new one."""
        with self._turn:
            self._generation += 1

    def close(self) -> None:
        """Refuse what waits, and wait a moment for what is under way."""
        with self._turn:
            self._closed = True
            refused = list(self._line)
            self._line.clear()
            self._turn.notify_all()
        for task in refused:
            if task.future.set_running_or_notify_cancel():
                task.future.set_exception(OvermindError("busy", "The daemon is leaving."))
        until = time.monotonic() + CLOSE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _begin(self) -> None:
        thread = threading.Thread(target=self._run, name=f"{self._name}-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self) -> None:
        resource: AnyResource | None = None
        generation = 0
        has_upkeep = False
        while (task := self._next(is_waiting=not has_upkeep)) is not None:
            if task is _QUIET:
                has_upkeep = resource is not None and generation == self._generation and self._keep_up(resource)
                continue
            has_upkeep = self._upkeep is not None
            try:
                if not task.future.set_running_or_notify_cancel():
                    continue
                if resource is not None and generation != self._generation:
                    resource.close()
                    resource = None
                if resource is None:
                    generation = self._generation
                    resource = self._make()
                result = task.work(resource)
            except BaseException as error:  # noqa: BLE001 - it is the error of who waits
                task.future.set_exception(error)
            else:
                task.future.set_result(result)
            finally:
                with self._turn:
                    self._working -= 1
                    self._turn.notify_all()
            del task
        if resource is not None:
            resource.close()

    def _keep_up(self, resource: AnyResource) -> bool:
        try:
            return self._upkeep is not None and self._upkeep(resource)
        except Exception:  # noqa: BLE001 - nobody waits for it, and the thread goes on
            _log.exception("upkeep of %s failed", self._name)
            return False

    def _next(self, *, is_waiting: bool) -> _Task | None:
        """The next work; `_QUIET`, unless it is to be waited for, when none has come for a while; None: the end."""
        with self._turn:
            is_there = self._turn.wait_for(
                lambda: self._closed or (self._line and not self._held), None if is_waiting else QUIET_SECONDS
            )
            if not is_there:
                return _QUIET
            if not self._line:
                return None
            self._working += 1
            return self._line.popleft()
