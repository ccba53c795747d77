"""Requests to the supervisor, each on a connection and in a thread of its own: the screen never waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from textual.message import Message

from overmind_core.client.calls import Client
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_tui.messages import Done

Told = Callable[[Sequence[Any | OvermindError]], None]


class Questions:
    """Asks, and has the program told.

    Args:
        home: Whose supervisor.
        begin: Runs a function in a worker thread.
        post: Where messages go; may be called from any thread.
    """

    def __init__(
        self, home: Home, begin: Callable[[Callable[[], None]], object], post: Callable[[Message], object]
    ) -> None:
        self._home = home
        self._begin = begin
        self._post = post

    def ask(self, command: str, requests: Sequence[Mapping[str, Any]], told: Told) -> None:
        """Send requests of one kind; `told` gets answers and errors in their order, in the program's own thread."""

        def work() -> None:
            client = Client(self._home)
            try:
                answers: Sequence[Any | OvermindError] = client.call_each(command, requests)
            except OvermindError as error:
                answers = [error] * len(requests)
            finally:
                client.close()
            self._post(Done(lambda: told(answers)))

        self._begin(work)
