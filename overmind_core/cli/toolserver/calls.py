"""Requests of tools: each in a thread and on a connection of its own, so that one that waits holds up no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from overmind_core.client.calls import Client
from overmind_core.system.paths import Home

MOST_AT_ONCE = 256
"""Calls under way; more wait for one of them."""
T = TypeVar("T")


class Calls:
    """What tools ask the daemon of a home through."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="tool")

    async def do(self, work: Callable[[Client], T], *, start: bool = False) -> T:
        """Let `work` talk to the daemon; a call that is cancelled hangs up.

        Args:
            work: Gets a client of its own; runs in a thread.
            start: A daemon is started when there is none.

        Raises:
            OvermindError: as `work` does.
        """
        client = Client(self._home, start=start)

        def one() -> T:
            try:
                return work(client)
            finally:
                client.close()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, one)
        except asyncio.CancelledError:
            client.abandon()
            raise

    async def ask(self, command: str, /, *, start: bool = False, **args: object) -> Any:  # noqa: ANN401  (any JSON)
        """Return the answer to one request.

        Raises:
            OvermindError: the daemon said no, or is not there.
        """
        return await self.do(lambda client: client.call(command, args), start=start)
