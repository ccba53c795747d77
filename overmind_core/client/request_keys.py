"""The keys of what one command asks a hive to change: by its key a repetition is known there, and not done again."""

from __future__ import annotations

import os

_BYTES = 16


class RequestKeys:
    """Keys in the order of the requests: the same words with the same first key ask for the same again.

    Args:
        first: What `--request` named; None: a new one.
    """

    def __init__(self, first: str | None = None) -> None:
        self.first = os.urandom(_BYTES).hex() if first is None else first
        self.given = first is not None
        """Whether somebody settles what has been sent before."""
        self._count = 0

    def take(self, number: int) -> list[str]:
        """Return the keys of so many requests that are sent together."""
        keys = [self.first if not one else f"{self.first}.{one}" for one in range(self._count, self._count + number)]
        self._count += number
        return keys
