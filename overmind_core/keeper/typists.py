"""Whose terminal counts among those who look at a run and may type: the one of who typed last.

Its size is the program's, and it alone answers the program's questions. Before anybody has typed, the size is that of
who came first, and nobody answers.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Typist(Protocol):
        """One who may type."""

        size: tuple[int, int] | None
        """Columns and rows of the terminal in front of it; None when it has said none."""


class Typists:
    """Those who are there."""

    __slots__ = ("_fit", "_order", "newest")

    def __init__(self, fit: Callable[[int, int], None]) -> None:
        """`fit(columns, rows)` gives the run's terminal a size."""
        self._fit = fit
        self._order: list[Typist] = []
        """Who typed last stands at the end; before those who typed, the first to come."""
        self.newest: Typist | None = None
        """Who typed last."""

    def join(self, typist: Typist) -> None:
        """Somebody comes."""
        self._order.insert(0, typist)
        self.resized(typist)

    def types(self, typist: Typist) -> None:
        """Somebody presses a key."""
        if self.newest is not typist and typist in self._order:
            self.newest = typist
            self._order.remove(typist)
            self._order.append(typist)
            self.resized(typist)

    def resized(self, typist: Typist) -> None:
        """Somebody's terminal has another size."""
        if self._order and self._order[-1] is typist and typist.size is not None:
            self._fit(*typist.size)

    def leave(self, typist: Typist) -> None:
        """Somebody goes, or was never there."""
        if typist not in self._order:
            return
        self._order.remove(typist)
        if self.newest is typist:
            self.newest = None
        if self._order:
            self.resized(self._order[-1])
