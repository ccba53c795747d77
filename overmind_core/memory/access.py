"""The access to memory.db: work for its threads, and the errors of a file that can't be used."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from overmind_core.domain.memory.permissions import Forbidden
from overmind_core.errors import OvermindError
from overmind_core.kernel.database import Interrupted, StoreCorrupt, StoreError
from overmind_core.kernel.replaced_file import finish, has_file, is_damaged
from overmind_core.kernel.work_queue import WorkQueue
from overmind_core.memory import recovery
from overmind_core.memory.opened import QUERY_SECONDS, Reading, Replaced, Writing, memory_off, reason_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from overmind_core.memory.store import Change
    from overmind_core.system.machine import Clock

MANY_CORES = 4
"""From which on two threads read."""
RETRY_SECONDS, LONGEST_RETRY = 1.0, 60.0
"""Pauses between two tries to finish a purge: the first, and where they end."""
Result = TypeVar("Result")
_log = logging.getLogger(__name__)


class NoteAccess:
    """One thread writes, one or two read, begun with the first request."""

    def __init__(
        self,
        path: str,
        files: str,
        clock: Clock,
        *,
        on_damage: Callable[[], None],
        on_changes: Callable[[Sequence[Change]], None],
    ) -> None:
        """Begin nothing yet.

        Args:
            path: Of memory.db.
            files: The folder of missions' private files.
            clock: When it is.
            on_damage: Called once for each damage.
            on_changes: Called with what a purge has changed that ended by itself.
        """
        self.path = path
        self._on_damage = on_damage
        self._on_changes = on_changes
        self._is_purging = False
        """Whether a purge has begun that could not be finished, as the thread that writes has seen it last."""
        self._purging: asyncio.Task[None] | None = None
        self._is_damage_recorded = False
        self._mending = False
        self._recovered: recovery.Recovered | None = None
        self._clock_at = clock.wall()
        self._files = files
        self._clock = clock
        self._writer = WorkQueue("memory-writer", self._new_writing, upkeep=Writing.upkeep)
        readers = 2 if (os.cpu_count() or 1) >= MANY_CORES else 1
        self._readers = WorkQueue("memory-reader", lambda: Reading(self.path), threads=readers)
        self._is_open = False
        self._later: set[asyncio.Future[object]] = set()

    def _new_writing(self) -> Writing:
        finish(self.path, self._clock_at)
        if self._mending:
            self._mending = False
            with self._readers.held():
                if is_damaged(self.path):
                    self._recovered = recovery.recover(self.path, self._files, self._clock_at)
        return Writing(self.path, files=self._files, readers=self._readers.held)

    async def reindex(self) -> tuple[int, recovery.Recovered | None]:
        """Build the index anew, and take over what can be read of a damaged file; how many notes there are.

        Raises:
            OvermindError: `memory_off`, `busy`.
        """
        self._mending, self._recovered, self._clock_at = True, None, self._clock.wall()
        self._writer.renew()
        self._readers.renew()
        notes = await self.write(lambda writing: writing.store.rebuild())
        self._is_damage_recorded = False
        return notes, self._recovered

    def close(self) -> None:
        """End the threads, after what is under way."""
        if self._purging is not None:
            self._purging.cancel()
        self._readers.close()
        self._writer.close()

    async def write(self, work: Callable[[Writing], Result], *, ours: bool = False) -> Result:
        """Have the thread that writes do something. `ours`: it is nobody's request.

        Raises:
            OvermindError: `memory_off`, `busy`, `forbidden`; and what `work` raises.
        """
        at = self._clock.wall()

        def dated(writing: Writing) -> Result:
            writing.file.check()
            writing.at = at
            try:
                return work(writing)
            finally:
                self._is_purging = writing.purge.is_pending
                purged.extend(writing.purged)
                writing.purged.clear()

        purged: list[Change] = []
        try:
            result = await self._asked(lambda: self._writer.do(dated, ours=ours))
        finally:
            if purged:
                self._on_changes(purged)
            if self._is_purging and self._purging is None:
                self._purging = asyncio.ensure_future(self._finish_purges())
        if not self._is_open:
            self._is_open = True
            self._readers.renew()  # there may have been no file when they began
        return result

    async def _finish_purges(self) -> None:
        """Try again until no purge is left that somebody's reading, or a full disk, has held up."""
        pause = RETRY_SECONDS
        try:
            while self._is_purging:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_RETRY)
                with suppress(OvermindError):  # who asked for it was told
                    self._on_changes(await self.write(lambda writing: writing.purge.finish(waits=False), ours=True))
        finally:
            self._purging = None

    @property
    def has_file(self) -> bool:
        """Whether there are notes, or were some."""
        return has_file(self.path)

    async def read(
        self, work: Callable[[Reading], Result], *, ours: bool = False, seconds: float = QUERY_SECONDS
    ) -> Result:
        """Have a thread that reads do something, for at most so many seconds.

        Raises:
            OvermindError: `memory_off`, `busy`; and what `work` raises.
        """

        def limited(reading: Reading) -> Result:
            reading.file.check()
            with reading.database.limited(seconds):
                return work(reading)

        async def do() -> Result:
            if not self._is_open and self.has_file:  # the one who writes finishes what was begun
                await self.write(lambda _: None, ours=True)
            return await self._readers.do(limited, ours=ours)

        return await self._asked(do)

    async def _asked(self, do: Callable[[], Awaitable[Result]]) -> Result:
        try:
            try:
                return await do()
            except Replaced:
                self._open_anew()
                return await do()
        except Replaced:
            raise memory_off(f"{self.path} is replaced again and again") from None
        except Interrupted:
            raise OvermindError("busy", "The search took too long. Try again, or ask for less.") from None
        except StoreError as error:
            self._see(error)
            raise memory_off(reason_of(error)) from error
        except OvermindError as error:
            self._see(error.__cause__)
            raise
        except Forbidden as error:
            raise OvermindError("forbidden", f"A process inside a mission may not {error.what}.") from None

    def _open_anew(self) -> None:
        """Have the threads open the file that is there now, or make one."""
        _log.warning("%s was removed or replaced while it was open; it is opened anew", self.path)
        self._is_open = False
        self._writer.renew()
        self._readers.renew()

    def _see(self, error: BaseException | None) -> None:
        if isinstance(error, StoreCorrupt) and not self._is_damage_recorded:
            self._is_damage_recorded = True
            self._on_damage()

    def later(self, work: Callable[[], Coroutine[None, None, object]]) -> None:
        """Do something that nobody waits for, in the order of the line."""
        task = asyncio.ensure_future(work())
        self._later.add(task)
        task.add_done_callback(self._done_later)

    def _done_later(self, task: asyncio.Future[object]) -> None:
        self._later.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("memory could not keep up: %s", error)
