"""The clients of one hive: connections for requests, kept for the next ones, and given up where it stays silent."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.client.client import Client
from overmind_core.domain.operations import OPERATIONS
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from overmind_core.client.place import Place

    Arguments = Mapping[str, Any]

IDLE = 2
"""Connections that are kept for the requests to come."""


class RequestClients:
    """The clients of one hive, for any thread: what was used before is used again, unless its line has ended.

    Args:
        place: Where the hive is.
        patience: Seconds of silence after which `give_up` is called.
    """

    def __init__(self, place: Place, patience: float) -> None:
        self._place = place
        self._patience = patience
        self._guard = threading.Lock()
        self._idle: list[Client] = []
        self._busy: set[Client] = set()
        self._given_up: set[Client] = set()
        self._closed = False

    def call_each(self, command: str, requests: Sequence[Arguments]) -> list[Any | OvermindError]:
        """Send requests of one kind; the answers and errors in their order. Blocks.

        Raises:
            OvermindError: the hive can't be asked, or was lost.
        """
        client = self._taken()
        try:
            answers = client.call_each(command, requests)
        except OvermindError as error:
            self._done(client, is_good=False)
            raise self._reason(client, command, error) from None
        except BaseException:
            self._done(client, is_good=False)
            raise
        self._done(client, is_good=True)
        return answers

    def give_up(self) -> None:
        """Nobody waits any longer for what is on its way."""
        with self._guard:
            self._given_up |= self._busy
            for client in self._busy:
                client.abandon()

    def close(self) -> None:
        """End all of them."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for client in idle:
            client.close()
        self.give_up()

    def _taken(self) -> Client:
        with self._guard:
            found: Client | None = None
            while self._idle and found is None:
                client = self._idle.pop()
                if _has_line(client):
                    found = client
                else:
                    client.close()
            taken = found or Client(self._place)
            self._busy.add(taken)
            return taken

    def _done(self, client: Client, *, is_good: bool) -> None:
        with self._guard:
            self._busy.discard(client)
            stays = is_good and not self._closed and len(self._idle) < IDLE
            if stays:
                self._idle.append(client)
        if not stays:
            client.close()

    def _reason(self, client: Client, command: str, error: OvermindError) -> OvermindError:
        """What is said of an error; of one that was given up whether it may have been done."""
        with self._guard:
            given_up = client in self._given_up
            self._given_up.discard(client)
        if not given_up:
            return error
        operation = OPERATIONS.get(command)
        reads = operation is not None and operation.repeatable
        return self._place.lost(self._patience) if reads else self._place.unknown_outcome()


def _has_line(client: Client) -> bool:
    """Whether the other side is still there, as far as that is known here."""
    try:
        client.receive(timeout=0)
    except (TimeoutError, BlockingIOError):
        return True
    except (ConnectionError, OSError, OvermindError):
        return False
    return False  # an answer that nobody waits for
