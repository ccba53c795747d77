"""Ports: what learning asks of the features above it. The daemon's composition root passes the implementations."""

from __future__ import annotations

from typing import Protocol


class LessonKeeper(Protocol):
    """Memory, which makes notes of lessons. Used from the loop's thread; nothing of it blocks."""

    @property
    def keeps_lessons(self) -> bool:
        """Whether this daemon has memory at all; it may be off, or of no use for a time."""

    def was_given(self, mission: str) -> bool:
        """Whether the attempt of a quest that ends now may have been given notes; asked once."""

    def wake(self) -> None:
        """Something waits in the outbox."""
