"""Ports: what learning asks of the features above it. The daemon's composition root passes the implementations."""

from __future__ import annotations

from typing import Protocol


class LessonKeeper(Protocol):
    """Memory, which makes notes of lessons. Used from the loop's thread; nothing of it blocks."""

    @property
    def keeps_lessons(self) -> bool:
        """Whether this daemon has memory at all; it may be off, or of no use for a time."""

    @property
    def has_given(self) -> bool:
        """Whether attempts may have been given notes."""

    def wake(self) -> None:
        """Something waits in the outbox."""
