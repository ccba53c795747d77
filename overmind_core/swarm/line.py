"""A line to a swarm's database: threads with a connection each, and news that wake the loop."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, TypeVar

from overmind_core.errors import OvermindError
from overmind_core.kernel.work_queue import WorkQueue
from overmind_core.swarm.connection import NotLetIn, SwarmSilent
from overmind_core.swarm.database import Swarm, connect

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")
LONGEST_PAUSE = 3.0
"""Seconds between two tries to get an answer that was lost; at first a tenth, then thrice as long each time."""


class _Connection:
    """The connection of a thread: made when it is needed, and anew once it is of no use."""

    def __init__(self, url: str, *, listens: bool) -> None:
        self._url = url
        self._listens = listens
        self._swarm: Swarm | None = None

    def get(self) -> Swarm:
        """Return a connection that can be used."""
        if self._swarm is not None and not self._listens:
            with contextlib.suppress(SwarmSilent):  # it may have been lost since, which nobody has read
                self._swarm.news()
        if self._swarm is not None and not self._swarm.is_usable:
            self.close()
        if self._swarm is None:
            self._swarm = connect(self._url)
            if self._listens:
                self._swarm.listen()
        return self._swarm

    def close(self) -> None:
        """Hang up."""
        if self._swarm is not None:
            with contextlib.suppress(Exception):
                self._swarm.close()
        self._swarm = None


class SwarmLine:
    """Asks the database of one swarm, one thing at a time.

    Args:
        url: Where it is, with the login's password.
        on_news: Called on the loop when the swarm has news for this hive; None: it does not listen.
        most: So many things are asked at once, each on a connection of its own; 1 where it listens.
        on_answer: Called on the loop with each answer; None: nobody else wants to know that there was one.
    """

    def __init__(
        self,
        url: str,
        on_news: Callable[[], None] | None = None,
        *,
        most: int = 1,
        on_answer: Callable[[], None] | None = None,
    ) -> None:
        self._queue: WorkQueue[_Connection] = WorkQueue(
            "swarm", lambda: _Connection(url, listens=on_news is not None), threads=most, about="the swarm"
        )
        self._on_news = on_news
        self._on_answer = on_answer
        self._watched: int | None = None
        self._is_heard = True
        """Something may have come that nobody has read: news, or the end of the connection; at first there is none."""

    async def ask(self, work: Callable[[Swarm], Result]) -> Result:
        """Have a function ask, on a thread of the line; return what it returns.

        Raises:
            SwarmSilent: nobody answers, or not in time.
            OvermindError: it was refused.
        """
        self._unwatch()
        try:
            result, fd, has_news = await self._queue.do(lambda connection: _asked(connection, work), ours=True)
        except BaseException as error:
            self._is_heard = True
            if isinstance(error, OSError):
                raise SwarmSilent(f"The swarm's database does not answer: {error}") from None
            raise
        if self._on_answer is not None:
            self._on_answer()
        if has_news:  # they came with the answer: nothing more may ever come to be read
            self._has_news()
        else:
            self._watch(fd)
        return result

    async def ask_patiently(self, work: Callable[[Swarm], Result]) -> Result:
        """As `ask`, for whoever asks again until somebody answers: who is not let in now may be later.

        Raises:
            SwarmSilent: nobody answers, or this home is not let in.
            OvermindError: it was refused.
        """
        try:
            return await self.ask(work)
        except NotLetIn as error:
            raise SwarmSilent(error.message) from None

    async def news(self) -> list[str]:
        """Return what was heard since the last time; nothing is asked where nothing has come.

        Raises:
            SwarmSilent: nobody answers.
        """
        if not self._is_heard:
            return []
        self._is_heard = False
        return await self.ask(lambda swarm: swarm.news())

    async def ask_surely(self, work: Callable[[Swarm], Result], what: str) -> Result:
        """As `ask`, of what does the same when it is asked again: a lost answer is asked for once more.

        Args:
            work: Asks.
            what: A sentence's beginning that names what may have been done, for people.

        Raises:
            OvermindError: as `ask`; `outcome_unknown`, nobody has answered any more.
        """
        try:
            return await self.ask(work)
        except SwarmSilent as error:
            if not error.unknown:
                raise
        pause = 0.1
        while True:
            try:
                return await self.ask(work)
            except SwarmSilent as error:
                if pause > LONGEST_PAUSE:
                    message = f"{what}, or not: {error.message} Look with: overmind ps -H swarm --all"
                    raise OvermindError("outcome_unknown", message) from None
            await asyncio.sleep(pause)
            pause *= 3

    def close(self) -> None:
        """Hang up."""
        self._unwatch()
        self._queue.close()

    def _watch(self, fd: int) -> None:
        if self._on_news is not None and self._watched is None:
            self._watched = fd
            asyncio.get_running_loop().add_reader(fd, self._has_news)

    def _unwatch(self) -> None:
        if self._watched is not None:
            asyncio.get_running_loop().remove_reader(self._watched)
            self._watched = None

    def _has_news(self) -> None:
        self._unwatch()
        self._is_heard = True
        if self._on_news is not None:
            self._on_news()


def _asked(connection: _Connection, work: Callable[[Swarm], Result]) -> tuple[Result, int, bool]:
    swarm = connection.get()
    result = work(swarm)
    return result, swarm.fileno(), swarm.has_news
