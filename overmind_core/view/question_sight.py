"""Sight of a question: no key answers it before all of it was in sight, and that for long enough to be read. Pure."""

from __future__ import annotations

from collections.abc import Hashable

LEAST_SECONDS = 0.3
"""That the last row of a question was in sight before a key answers it."""


class QuestionSight:
    """Rows of one question at a time that were in sight; another question begins from nothing."""

    def __init__(self) -> None:
        self._question: Hashable = None
        self._width = self._height = 0
        self._seen: set[int] = set()
        self._complete_at: float | None = None

    def saw(self, question: Hashable, rows: range, height: int, cells: int, now: float) -> None:
        """These rows of a question are in sight.

        Args:
            question: The one in the panel; None: there is none.
            rows: Those in sight, from 0.
            height: All of its rows.
            cells: The width at which they were folded: at another one nothing of it was seen.
            now: In seconds, of a clock that only goes on.
        """
        if (question, cells) != (self._question, self._width):
            self._question, self._width = question, cells
            self._forget()
        self._height = height
        self._seen.update(rows)
        if self._complete_at is None and question is not None and self._seen.issuperset(range(height)):
            self._complete_at = now

    def lost(self) -> None:
        """The panel shows it no longer."""
        self._question = None
        self._forget()

    def unseen(self, question: Hashable) -> list[int]:
        """Rows of a question that were not in sight yet; none of one that has not been drawn."""
        rows = range(self._height) if question == self._question else ()
        return [row for row in rows if row not in self._seen]

    def may_answer(self, question: Hashable, now: float) -> bool:
        """True once a key may answer it."""
        since = self._complete_at
        return question == self._question and since is not None and now - since >= LEAST_SECONDS

    def _forget(self) -> None:
        self._seen, self._complete_at = set(), None
