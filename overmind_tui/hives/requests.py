"""Requests that may be for other hives: each goes to the one whose missions it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from overmind_core.client.unreadable import FAULTS, unreadable
from overmind_core.errors import OvermindError
from overmind_tui.shell.messages import Done

if TYPE_CHECKING:
    from textual.message import Message

    from overmind_tui.hives.connections import ConnectedHive, HiveConnections
    from overmind_tui.shell.requests import Requests

    Arguments = Mapping[str, Any]
    Item = Mapping[str, Any]
    OnAnswers = Callable[[Sequence[Any | OvermindError]], None]


class HiveRequests:
    """Sends requests to this home and to other hives, and hands their answers to the program.

    Args:
        here: Sends those for this home.
        hives: The others.
        begin: Runs a function in a worker thread.
        post: Where messages go; may be called from any thread.
        now: Seconds since the epoch.
    """

    def __init__(
        self, here: Requests, hives: HiveConnections, begin: Callable[[Callable[[], None]], object],
        post: Callable[[Message], object], now: Callable[[], float],
    ) -> None:  # fmt: skip
        self._here = here
        self._hives = hives
        self._begin = begin
        self._post = post
        self._now = now

    def send(self, command: str, requests: Sequence[Arguments], on_result: OnAnswers) -> None:
        """Send requests of one kind; `on_result` gets answers and errors in order, in the program's own thread."""
        answers: list[Any] = [None] * len(requests)
        of_hives: dict[int, str] = {}
        places: dict[str, list[int]] = {}
        wanted: list[Arguments] = []
        for at, request in enumerate(requests):
            try:
                hive, arguments = self._hives.addressed(request)
            except OvermindError as error:
                answers[at] = error
                wanted.append(request)
                continue
            wanted.append(arguments)
            places.setdefault(hive, []).append(at)
            if hive:
                of_hives[at] = hive
        left = len(places)
        on_result = _guarded(on_result, of_hives)

        def take(of_hive: Sequence[int], found: Sequence[Any]) -> None:
            nonlocal left
            for at, answer in zip(of_hive, found, strict=True):
                answers[at] = answer
            left -= 1
            if not left:
                on_result(answers)

        if not places:
            on_result(answers)
        for hive, of_hive in places.items():
            self._send(hive, command, [wanted[at] for at in of_hive], partial(take, of_hive))

    def ask(self, hive: str, command: str, arguments: Arguments, on_result: OnAnswers) -> None:
        """Ask one hive, "" is this home, for something that is of none of its missions."""
        self._send(hive, command, [arguments], _guarded(on_result, {0: hive} if hive else {}))

    def follow(
        self, command: str, request: Arguments, each: Callable[[Item], None],
        on_result: Callable[[Item | OvermindError], None],
    ) -> None:  # fmt: skip
        """Send a request that is answered by a stream; as `Requests.follow`."""
        try:
            hive, arguments = self._hives.addressed(request)
        except OvermindError as error:
            on_result(error)
            return
        found = self._hives.of(hive)
        if found is None:
            self._here.follow(command, request, each, on_result)
        elif silent := self._hives.silent(hive, self._now()):
            on_result(silent)
        else:
            self._here.follow_at(found.place, command, arguments, _ignored(each), _last(on_result, hive))

    def _send(self, hive: str, command: str, requests: Sequence[Arguments], on_result: OnAnswers) -> None:
        found = self._hives.of(hive)
        if found is None:
            self._here.send(command, requests, on_result)
        elif silent := self._hives.silent(hive, self._now()):
            on_result([silent] * len(requests))
        else:
            self._begin(partial(self._ask, found, command, requests, on_result))

    def _ask(self, hive: ConnectedHive, command: str, requests: Sequence[Arguments], on_result: OnAnswers) -> None:
        try:
            answers: Sequence[Any | OvermindError] = hive.requests.call_each(command, requests)
        except OvermindError as error:
            answers = [error] * len(requests)
        self._post(Done(lambda: on_result(answers)))


def _last(on_result: Callable[[Item | OvermindError], None], hive: str) -> Callable[[Item | OvermindError], None]:
    """Hand the last item of a hive's stream on, as an error where it can't be read."""

    def take(item: Item | OvermindError) -> None:
        try:
            on_result(item)
        except FAULTS:
            on_result(unreadable(hive))

    return take


def _ignored(each: Callable[[Item], None]) -> Callable[[Item], None]:
    """Hand on the items of a hive's stream that can be read."""

    def take(item: Item) -> None:
        with suppress(*FAULTS):
            each(item)

    return take


def _guarded(on_result: OnAnswers, of_hives: Mapping[int, str]) -> OnAnswers:
    """Hand the answers on, those of `of_hives` once more as errors where they can't be read."""

    def take(answers: Sequence[Any | OvermindError]) -> None:
        try:
            on_result(answers)
        except FAULTS:
            if not of_hives:
                raise
            readable = [unreadable(of_hives[at]) if at in of_hives else answer for at, answer in enumerate(answers)]
            on_result(readable)

    return take
