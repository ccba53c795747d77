"""How the rows of a table are asked for: one question at a time, every so often, and soon after events."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.errors import OvermindError
from overmind_tui.view.cells import Row

if TYPE_CHECKING:
    from overmind_tui.registry import Fetch
    from overmind_tui.screens.tablepage import TablePage

GATHER = 0.2
"""Seconds in which events are gathered into one question."""
SHARE = 0.2
"""Of the time that an answer may take: one that takes long, of a plan of thousands, is asked for less often."""


class TableSource:
    """Asks for a page; `take` is called with the rows that came."""

    def __init__(self, page: TablePage, take: Callable[[list[Row]], None]) -> None:
        self._page = page
        self._take = take
        self.asking = False
        """Whether an answer is to come, or a question is about to be asked."""
        self._asked_at = 0.0
        self._took = 0.0

    @property
    def fetch(self) -> Fetch:
        """Where the rows come from."""
        assert self._page.row.fetch is not None
        return self._page.row.fetch

    def ask(self) -> None:
        """Ask for them anew, unless they are asked for."""
        if self.asking:
            return
        self.asking, self._asked_at = True, time.monotonic()
        self._page.program.request(self.fetch.request, [self._page.arguments], self._told)

    def _told(self, answers: Sequence[Any | OvermindError]) -> None:
        (answer,) = answers
        self.asking, self._took = False, time.monotonic() - self._asked_at
        if not self._page.is_attached:
            return
        if isinstance(answer, OvermindError):
            self._page.refused(answer.message)
        else:
            self._take(self.fetch.shape(answer))

    def happened(self, kinds: Collection[str]) -> None:
        """Events of these kinds came."""
        wanted = self.fetch.events
        if ("*" in wanted or wanted & set(kinds)) and not self.asking:
            self.asking = True
            self._page.set_timer(max(GATHER, self._took / SHARE), self.ask_again)

    def ask_again(self) -> None:
        """Have the page ask, whatever is asked already."""
        self.asking = False
        self._page.ask()
