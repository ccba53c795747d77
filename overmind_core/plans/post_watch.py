"""The look at posts of plans that go on: one question for all of them, each second, while anybody waits for one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from overmind_core.errors import OvermindError
from overmind_core.plans.ports import PASSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.kernel.tasks import Tasks
    from overmind_core.plans.ports import PostView, SwarmPosts

    OnAnswer = Callable[[OvermindError | None], None]

PERIOD = 1.0
"""Seconds between two looks: hives tell the swarm at most so often."""
LONGEST_PAUSE = 8.0
"""Seconds between two looks while the swarm does not answer; at first as above, then twice as long each time."""


class _Waiter:
    def __init__(self, post: str, known: PostView | None, on_answer: OnAnswer) -> None:
        self.post = post
        self.known = known
        self.on_answer = on_answer
        self.future: asyncio.Future[PostView] = asyncio.get_running_loop().create_future()


class PostWatch:
    """Used from the loop's thread."""

    def __init__(self, swarm: SwarmPosts, tasks: Tasks) -> None:
        self._swarm = swarm
        self._tasks = tasks
        self._waiters: set[_Waiter] = set()
        self._new = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    async def change(self, post: str, known: PostView | None, on_answer: OnAnswer) -> PostView:
        """Wait until a post stands otherwise than as it is known, and return how.

        Args:
            post: Its id.
            known: How it stands as far as the caller knows; None: it knows nothing.
            on_answer: Called after each question with what kept the swarm from answering it; None: it has.

        Raises:
            OvermindError: it can't be found out any more, as `no_swarm`.
        """
        waiter = _Waiter(post, known, on_answer)
        self._waiters.add(waiter)
        self._new.set()
        if self._loop is None or self._loop.done():
            self._loop = self._tasks.start(self._run())
        try:
            return await waiter.future
        finally:
            self._waiters.discard(waiter)

    async def _run(self) -> None:
        pause = PERIOD
        while self._waiters:
            self._new.clear()
            waiters = list(self._waiters)
            is_silent = False
            try:
                views = await self._swarm.look({one.post for one in waiters})
            except OvermindError as error:
                is_silent = error.code in PASSING
                if is_silent:
                    self._report(waiters, error)
                else:
                    self._give_up(waiters, error)
            except Exception as error:
                # Whatever it is: who waits for ever would never end.
                self._give_up(waiters, OvermindError("internal", f"{type(error).__name__}: {error}"))
                raise
            else:
                self._report(waiters, None)
                for one in waiters:
                    view = views.get(one.post)
                    if view is not None and view != one.known and not one.future.done():
                        one.future.set_result(view)
            pause = min(pause * 2, LONGEST_PAUSE) if is_silent else PERIOD
            await self._pause(pause, at_once_for_new=not is_silent)

    async def _pause(self, seconds: float, *, at_once_for_new: bool) -> None:
        """Wait; whoever waits anew is answered at once."""
        if not at_once_for_new:
            await asyncio.sleep(seconds)
            return
        try:
            await asyncio.wait_for(self._new.wait(), seconds)
        except TimeoutError:
            return

    @staticmethod
    def _report(waiters: list[_Waiter], failure: OvermindError | None) -> None:
        for one in waiters:
            if not one.future.done():
                one.on_answer(failure)

    @staticmethod
    def _give_up(waiters: list[_Waiter], error: OvermindError) -> None:
        for one in waiters:
            if not one.future.done():
                one.future.set_exception(OvermindError(error.code, error.message))
