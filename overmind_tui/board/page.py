"""The page of the board."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from overmind_core.domain.hives import SWARM
from overmind_core.view.cells import Row, safe
from overmind_core.view.quests import GATE
from overmind_core.view.registry import SWARM_BOARD, View
from overmind_tui.board.cards import CardsPage
from overmind_tui.command_line.parse import Show
from overmind_tui.quests.page import LongRowsPage

if TYPE_CHECKING:
    from overmind_core.view.actions import Action
    from overmind_tui.shell.shell import Shell

ALL = "all"
"""The word behind the view's that shows all that have ended, and not only the newest."""

TO_QUESTION = frozenset({"timeline", "why", "describe-row"})
"""Actions that show all about a quest, and on the card of a gate what is asked there."""
OF_QUEST = frozenset({
    "quest-log", "retry-quest", "cancel-quest", "attach-quest", "check-log", "quest-changes", "raise-priority",
    "lower-priority",
})  # fmt: skip
"""Actions that a gate has not."""


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

    def chosen(self) -> list[Row]:
        """Of several that are marked the quests: a gate is answered by itself."""
        found = super().chosen()
        return [row for row in found if not row.get(GATE)] if len(found) > 1 else found

    def _act(self, action: Action) -> None:
        """What is done to a quest leads from the card of a gate to its question, or means nothing there."""
        row = self.current
        if row is None or not row.get(GATE) or action.name not in TO_QUESTION | OF_QUEST:
            super()._act(action)
        elif action.name in TO_QUESTION:
            self.shell.act("question", [row])
        else:
            self.shell.flash(f"{safe(row['name'])} is a gate and no quest: enter shows what is asked", "slow")

    def left(self) -> tuple[int, int]:
        """Which card of its column the cursor is on, and how many of that are not there yet."""
        return self.table.place, 0 if self.filtering.filter else self.table.missing
