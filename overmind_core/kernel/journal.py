"""Grouped writes: what happens in one turn of the loop (in a flood: in a few) is one commit, and acted on after it.

Decide → save → act: `save(write, after)` queues both; `after` runs once the write is committed. What somebody waits for
(a process that is to be started) comes before everything else that follows from a commit. On a full disk the queue is
kept and tried again each second; those who wait for it are notified, and what must happen anyway (ending a process that
may be what fills the disk) happens.

A decision about what was just queued belongs to the same commit: `decide(step)` calls `step` before it, together with
all that the turn brings. So either both are kept or none, whoever dies in between.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from overmind_core.kernel.actor import nobody
from overmind_core.kernel.database import Conflict, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from overmind_core.kernel.database import Database

RETRY_SECONDS = 1.0
SYNC_SECONDS = 0.05
"""Pause between two syncs: a power cut takes along what was committed in this time, and while one lasts."""
_log = logging.getLogger(__name__)


class Change:
    """One queued write and what follows it."""

    __slots__ = ("after", "first", "urgent", "write")

    def __init__(
        self, write: Callable[[], None], after: Callable[[], None] | None, *, urgent: bool, first: bool
    ) -> None:
        self.write = write
        self.after = after
        self.urgent = urgent
        self.first = first

    def follow(self) -> None:
        """Do what follows from it, once; a failure is logged."""
        after, self.after = self.after, None
        if after is not None:
            _guarded(after, "a step after a commit")


def _guarded(step: Callable[[], None], kind: str) -> None:
    """One feature's mistake must not drop what follows from the other changes, nor leave their waiters waiting."""
    try:
        step()
    except Exception:  # noqa: BLE001 - each feature is a boundary of its own
        _log.exception("%s failed: %s", kind, getattr(step, "__qualname__", step))


class Journal:
    """The only way to the store's tables for writing; used from the loop's thread."""

    def __init__(
        self, database: Database, loop: asyncio.AbstractEventLoop, hurry: Callable[[], None] = lambda: None
    ) -> None:
        """`hurry`: called once all that comes first after a commit was done, to send what that has asked for."""
        self._database = database
        self._loop = loop
        self._hurry = hurry
        self._queue: list[Change] = []
        self._deciders: list[Callable[[], None]] = []
        self._extended = False
        """The commit that is due has waited once more already, for what a late decision was about to save."""
        self._waiters: list[asyncio.Future[None]] = []
        self._scheduled: asyncio.Handle | None = None
        self._rested = 0.0
        self._held = False
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sync")
        self._syncing = False
        self._unsynced = False
        self._closed = False
        self.failure: StoreError | None = None
        """Why the last commit failed."""

    @property
    def failing(self) -> bool:
        """Whether the last commit failed: what was decided since waits in memory."""
        return self.failure is not None

    def save(
        self,
        write: Callable[[], None],
        after: Callable[[], None] | None = None,
        *,
        urgent: bool = False,
        first: bool = False,
    ) -> Change:
        """Queue `write` for this turn's commit; `after` runs after it.

        Args:
            write: Changes the tables.
            after: What follows.
            urgent: It follows also when it can't be saved yet.
            first: It follows before what is not.

        Once the journal is closed, neither is done.
        """
        change = Change(write, after, urgent=urgent, first=first)
        if self._closed:
            return change
        self._queue.append(change)
        if self.failing and urgent:
            self._loop.call_soon(change.follow)
        if self._scheduled is None:
            self._scheduled = self._loop.call_soon(self._commit_soon, None)
        return change

    def decide(self, step: Callable[[], None]) -> None:
        """Call `step` soon, before the commit of what is queued now.

        What it saves is part of that commit, and so is what tasks that it begins save in their first step.
        """
        if self._closed:
            return
        if self.failing:
            self._loop.call_soon(step)
            return
        self._deciders.append(step)
        if self._scheduled is None:
            self._scheduled = self._loop.call_soon(self._commit_soon, None)

    def withdraw(self, changes: Collection[Change]) -> None:
        """Forget changes that could not be saved."""
        self._queue = [change for change in self._queue if change not in changes]

    async def saved(self) -> None:
        """Wait until everything queued so far is on disk.

        Raises:
            StoreError: most likely a full disk; the queue is kept and tried again. Or the journal is closed.
        """
        if self._closed:
            raise self._left()
        if not self._queue:
            return
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiters.append(waiter)
        await waiter

    def _left(self) -> StoreUnavailable:
        return StoreUnavailable(self._database.path, "the daemon is leaving")

    def flush(self) -> None:
        """Commit now, so that a read of the store sees everything decided so far."""
        if self._queue and not self.failing and not self._held:
            self._commit()

    def save_at_once(self) -> StoreError | None:
        """Commit now, also where the next try of a full disk is not due yet; return why that fails, if it does."""
        if self._queue:
            self._commit()
        return self.failure

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep all that is queued in the block for one commit: nothing in it flushes. The block awaits nothing.

        A block within another one is part of that.
        """
        outer, self._held = self._held, True
        try:
            yield
        finally:
            self._held = outer

    def _commit_soon(self, before: int | None) -> None:
        """Commit after the next turn, so that a task which this one has begun saves what it is about to do, too.

        In a flood later, so that at most half of the time goes into commits: as long as each turn brings more than the
        `before` changes of the last. A timer is no way to wait: the loop counts in milliseconds.
        """
        decided = self._take_decisions()
        size = len(self._queue)
        again = before is None or (decided and not self._extended)
        if again or (size > (before or 0) and self._loop.time() < self._rested):
            self._extended = before is not None and decided
            # Behind the first steps of those tasks.
            self._scheduled = self._loop.call_soon(self._commit_soon, size)
        else:
            self._scheduled = None
            self._commit()

    def _take_decisions(self) -> bool:
        """Call those who decide, and those who decide about that; whether there was one."""
        decided = False
        for _ in range(2):
            deciders, self._deciders = self._deciders, []
            for step in deciders:
                _guarded(step, "a decision")
            decided |= bool(deciders)
        return decided

    def _commit(self) -> None:
        if self._scheduled is not None and not self._deciders:
            self._scheduled.cancel()
            self._scheduled = None
        self._extended = False
        changes, self._queue = self._queue, []
        waiters, self._waiters = self._waiters, []
        if not changes:
            return
        began = self._loop.time()
        try:
            self._write(changes)
        except StoreError as error:
            self._postpone(changes, waiters, error)
            return
        ended = self._loop.time()
        self._rested = ended + (ended - began)
        self.failure = None
        self._sync_soon()
        with nobody():
            self._follow(changes)
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _follow(self, changes: list[Change]) -> None:
        hurried = [change for change in changes if change.first]
        if hurried:
            for change in hurried:
                change.follow()
            _guarded(self._hurry, "a step after a commit")
        for change in changes:
            change.follow()

    def close(self) -> None:
        """Save nothing more, and have nothing follow: the next supervisor finds what was saved, as after a crash.

        What was committed is synced when the database is closed.
        """
        self._closed = True
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None
        self._queue.clear()
        self._deciders.clear()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(self._left())
        self._waiters.clear()
        self._disk.shutdown(wait=False, cancel_futures=True)

    def _sync_soon(self) -> None:
        """Have the disk keep what was committed; nobody waits for it, and many commits share one."""
        self._unsynced = True
        if not self._syncing:
            self._syncing = True
            self._loop.call_later(SYNC_SECONDS, self._sync)

    def _sync(self) -> None:
        self._unsynced = False
        try:
            work = self._loop.run_in_executor(self._disk, self._database.sync)
        except RuntimeError:  # closed meanwhile
            return
        work.add_done_callback(self._synced)

    def _synced(self, work: asyncio.Future[None]) -> None:
        self._syncing = False
        if not work.cancelled() and (error := work.exception()) is not None:
            _log.warning("the disk does not keep written data: %s", error)
        if self._unsynced:
            self._sync_soon()

    def _write(self, changes: list[Change]) -> None:
        try:
            self._transact(changes)
        except Exception as error:
            if not _is_at_fault(error):
                raise
            for change in changes:  # one of them is at fault: the others must not wait for it for ever
                self._write_alone(change)

    def _write_alone(self, change: Change) -> None:
        try:
            self._transact([change])
        except Exception as error:
            if not _is_at_fault(error):
                raise
            _log.exception("a change that can't be stored was dropped")

    def _transact(self, changes: list[Change]) -> None:
        with self._database.transaction():
            for change in changes:
                change.write()

    def _postpone(self, changes: list[Change], waiters: list[asyncio.Future[None]], error: StoreError) -> None:
        _log.warning("changes can't be saved: %s", error)
        self.failure = error
        self._queue = changes + self._queue
        if self._scheduled is not None:
            self._scheduled.cancel()
        self._scheduled = self._loop.call_later(RETRY_SECONDS, self._commit)
        self._take_decisions()  # what they decide waits in memory with the rest
        for change in changes:
            if change.urgent:
                change.follow()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(error)


def _is_at_fault(error: Exception) -> bool:
    """Whether the change itself can never be stored; else the disk or the file refuses all of them."""
    return isinstance(error, Conflict) or not isinstance(error, StoreError)
