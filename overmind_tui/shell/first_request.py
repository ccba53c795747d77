"""What the first view will ask the supervisor, asked while the rest of the program loads: it need not wait then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from overmind_core.client.client import Client
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_core.view import registry

FRESH_SECONDS = 5.0
"""For so long the answer is as good as a new one: a view of this kind shows none that is newer."""


class FirstRequest:
    """A request and its answer.

    Args:
        home: Whose supervisor.
        command: What it is asked.
        arguments: With these.
    """

    def __init__(self, home: Home, command: str, arguments: Mapping[str, Any]) -> None:
        self._home = home
        self._command = command
        self._arguments = arguments
        self._asked_at = time.monotonic()
        self._answer: Future[Any] = Future()
        threading.Thread(target=self._ask, name="first request", daemon=True).start()

    def is_for(self, command: str, requests: Sequence[Mapping[str, Any]]) -> bool:
        """Whether these are what was asked, a moment ago."""
        is_fresh = time.monotonic() - self._asked_at <= FRESH_SECONDS
        return is_fresh and command == self._command and list(requests) == [self._arguments]

    @property
    def is_answered(self) -> bool:
        """Whether the answer is there."""
        return self._answer.done()

    @property
    def answer(self) -> Any | OvermindError:  # noqa: ANN401 - an answer is any JSON
        """The answer, or the error; waits for it."""
        return self._answer.result()

    def then(self, on_answer: Callable[[], object]) -> None:
        """Call a function once it is there, at once or from another thread."""
        self._answer.add_done_callback(lambda _: on_answer())

    def _ask(self) -> None:
        client = Client(self._home)
        try:
            (answer,) = client.call_each(self._command, [self._arguments])
        except OvermindError as error:
            answer = error
        finally:
            client.close()
        self._answer.set_result(answer)


def ask_first(home: Home, line: str) -> FirstRequest | None:
    """Ask for what a line will show; None where that is not known before.

    It is known of a view's own words, where the view asks again by itself: what has changed since then is seen soon.
    """
    view = registry.find(line)
    if view is None or view.fetch is None or not view.fetch.every:
        return None
    return FirstRequest(home, view.fetch.request, view.fetch.arguments)
