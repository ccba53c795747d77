"""Requests to the supervisor, each on a connection and in a thread of its own: the screen never waits."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from textual.message import Message

from overmind_core.client.client import Client
from overmind_core.client.stream import follow
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_tui.shell.first_request import FirstRequest
from overmind_tui.shell.messages import Done

if TYPE_CHECKING:
    from overmind_core.client.place import Place

OnAnswers = Callable[[Sequence[Any | OvermindError]], None]
Item = Mapping[str, Any]
_REQUEST_KEY = 16
"""Bytes."""


class Located(NamedTuple):
    """Missions, and where they are: whose supervisor knows them by these ids."""

    place: Home | Place
    ids: Sequence[str]


class Requests:
    """Sends requests, and hands their answers to the program.

    Args:
        home: Whose supervisor.
        begin: Runs a function in a worker thread.
        post: Where messages go; may be called from any thread.
        first: What was asked before.
    """

    def __init__(
        self,
        home: Home,
        begin: Callable[[Callable[[], None]], object],
        post: Callable[[Message], object],
        first: FirstRequest | None = None,
    ) -> None:
        self._home = home
        self._begin = begin
        self._post = post
        self._first = first

    def send(self, command: str, requests: Sequence[Mapping[str, Any]], on_result: OnAnswers) -> None:
        """Send requests of one kind; `on_result` gets answers and errors in order, in the program's own thread."""
        if self._first is not None and self._first.is_for(command, requests):
            first, self._first = self._first, None
            again = partial(self.send, command, requests, on_result)
            if first.is_answered:  # the view is painted with it then, not once without
                _take_first(first, again, on_result)
            else:
                first.then(lambda: self._post(Done(lambda: _take_first(first, again, on_result))))
            return

        def work() -> None:
            client = Client(self._home)
            try:
                answers: Sequence[Any | OvermindError] = client.call_each(command, requests)
            except OvermindError as error:
                answers = [error] * len(requests)
            finally:
                client.close()
            self._post(Done(lambda: on_result(answers)))

        self._begin(work)

    def follow(
        self, command: str, request: Mapping[str, Any], each: Callable[[Item], None],
        on_result: Callable[[Item | OvermindError], None],
    ) -> None:  # fmt: skip
        """Send a request that is answered by a stream; `each` gets its items, `on_result` the last one, or the error.

        It has a key, by which the next supervisor knows it when this one goes away in the middle.
        """
        self.follow_at(self._home, command, request, each, on_result)

    def follow_at(
        self, place: Home | Place, command: str, request: Mapping[str, Any], each: Callable[[Item], None],
        on_result: Callable[[Item | OvermindError], None],
    ) -> None:  # fmt: skip
        """The same, to the supervisor at this place."""

        def work() -> None:
            client = Client(place)
            last: Item | OvermindError = {}
            asked = {**request, "request": os.urandom(_REQUEST_KEY).hex()}
            try:
                for kind, content in follow(client, lambda: (command, asked)):
                    if kind == "item":
                        last = content
                        self._post(Done(lambda item=content: each(item)))  # type: ignore[misc] # a lambda with a default
            except OvermindError as error:
                last = error
            finally:
                client.close()
            self._post(Done(lambda: on_result(last)))

        self._begin(work)


def _take_first(first: FirstRequest, again: Callable[[], None], on_result: OnAnswers) -> None:
    """Hand on what was answered; what was refused is asked again, as there may be a supervisor by now."""
    if isinstance(first.answer, OvermindError):
        again()
    else:
        on_result([first.answer])
