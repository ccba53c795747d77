"""The page of the board."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from overmind_core.domain.hives import SWARM
from overmind_core.view.registry import SWARM_BOARD, View
from overmind_tui.board.cards import CardsPage
from overmind_tui.command_line.parse import Show
from overmind_tui.quests.page import LongRowsPage

if TYPE_CHECKING:
    from overmind_tui.shell.shell import Shell

ALL = "all"
"""The word behind the view's that shows all that have ended, and not only the newest."""


def open_board(shell: Shell, view: View, show: Show) -> None:
    """The board: of all quests, of the spec that is named, or of the swarm."""
    if SWARM in show.words:
        from overmind_tui.swarm.posts_page import SwarmBoardPage  # noqa: PLC0415 - for those who are in a swarm

        shell.open(SwarmBoardPage(SWARM_BOARD, show))
    else:
        shell.open(BoardPage(view, show))


class BoardPage(CardsPage, LongRowsPage):
    """A card for each quest."""

    def __init__(self, view: View, show: Show) -> None:
        super().__init__(view, show)
        self._spec = next((word for word in show.words if word != ALL), None)
        self._every = ALL in show.words

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What the supervisor is asked with."""
        named = {} if self._spec is None else {"spec": self._spec}
        return {**super().arguments, **named, **({"all": True} if self._every else {})}

    @property
    def needs_all(self) -> bool:
        """Lanes are of all cards, too."""
        return super().needs_all or bool(self.by)

    def left(self) -> tuple[int, int]:
        """Which card of its column the cursor is on, and how many of that are not there yet."""
        return self.table.place, 0 if self.filtering.filter else self.table.missing
