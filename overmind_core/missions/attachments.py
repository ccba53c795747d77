"""The attachments to missions: one for each client, for as long as the stream lasts that tells it what happens.

In memory alone: whoever is attached attaches to the next supervisor by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Attachment:
    """One that is attached; `types`: not only to watch."""

    __slots__ = ("dismissed", "types")

    def __init__(self, *, types: bool) -> None:
        self.types = types
        self.dismissed = asyncio.Event()
        """Set when somebody ends its stay."""


class Attachments:
    """All seats, by mission."""

    def __init__(self) -> None:
        self._seats: dict[str, set[Attachment]] = {}

    def count(self, mission: str) -> int:
        """How many are attached to it."""
        return len(self._seats.get(mission, ()))

    def typists(self, mission: str) -> int:
        """How many of them do more than watch."""
        return sum(seat.types for seat in self._seats.get(mission, ()))

    @contextmanager
    def seat(self, mission: str, *, types: bool, counts: bool = True) -> Iterator[Attachment]:
        """Be counted for a while; not where `counts` is false: then nobody knows of it, and nobody ends it."""
        seat = Attachment(types=types)
        if not counts:
            yield seat
            return
        self._seats.setdefault(mission, set()).add(seat)
        try:
            yield seat
        finally:
            self._give_up(mission, seat)

    def dismiss(self, mission: str) -> int:
        """End everybody's stay; return how many there were."""
        seats = self._seats.pop(mission, set())
        for seat in seats:
            seat.dismissed.set()
        return len(seats)

    def _give_up(self, mission: str, seat: Attachment) -> None:
        seats = self._seats.get(mission, set())
        seats.discard(seat)
        if not seats:
            self._seats.pop(mission, None)
