"""Pages whose rows are quests, and what their keys show of one: why it waits, logs, terminal, changes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from textual import on

from overmind_core.view import hints
from overmind_core.view import quests as quests_rows
from overmind_core.view.actions import Action
from overmind_core.view.cells import Cell, Row
from overmind_core.view.registry import View
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.details import DetailsPage
from overmind_tui.timeline.page import show_timeline
from overmind_tui.widgets.table import ResourceTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.view.actions import Context
    from overmind_core.view.describe import Lines
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell


def open_quests(shell: Shell, view: View, show: Show) -> None:
    """The quests, the newest first."""
    shell.open(QuestsPage(view, show))


HANG = 4
"""Cells from the left where a long line of a reason goes on."""


class QuestRowsPage(DetailsPage):
    """Rows of quests; a quest has the id of its mission, which is there from its first attempt on."""

    about = "quest"
    lines_of = staticmethod(quests_rows.quest)
    _learned: tuple[int, Sequence[Row]] = (-1, ())
    """The state from which the rows were last completed: the fleet's change count, and the questions."""

    def take(self, rows: list[Row]) -> None:
        """Show these, with what is asked about each."""
        self.learn(rows)
        super().take(rows)

    def learn(self, rows: Sequence[Row]) -> None:
        """Complete rows of quests with what the fleet and the inbox know."""
        fleet = self.shell.fleet
        self._learned = fleet.changes, fleet.questions
        quests_rows.learn(rows, fleet.rows, fleet.questions)

    def complete(self, known: Row) -> None:
        """All about a quest has the state that its row has."""
        quests_rows.learn([known], self.shell.fleet.rows, self.shell.fleet.questions)

    def looked_in(self, row: Row) -> str:
        """The text of a row in which a filter searches."""
        return quests_rows.looked_in(row)

    def targets(self) -> list[Row]:
        """The missions of the quests to which an action would apply."""
        return [known for row in self.chosen() if (known := self.shell.fleet.of(row["id"])) is not None]

    def refresh_status(self) -> None:
        """Update the rows: questions and runs may have changed."""
        fleet = self.shell.fleet
        if self._learned != (fleet.changes, fleet.questions):
            self.learn(self.rows)
        super().refresh_status()

    def standing(self) -> Cell:
        """The state of the quest under the cursor, in full, for the line."""
        row = self.current
        return Cell("") if row is None else Cell(quests_rows.standing(row), quests_rows.why_tone(row))

    def unusable(self) -> frozenset[str]:
        """Also what these quests can't have done to them."""
        chosen, row = self.chosen(), self.current
        return super().unusable() | hints.refused({
            "question": self.has_question(),
            "retry-quest": any(map(quests_rows.can_retry, chosen)),
            "cancel-quest": any(map(quests_rows.can_cancel, chosen)),
            "quest-log": row is not None and self.has_log(row["id"]),
        })  # fmt: skip

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also what a key shows of the quest under the cursor."""
        return super().handlers(context) | {
            "timeline": self.do_timeline,
            "quest-log": self.do_quest_log,
            "check-log": self.do_check_log,
            "why": self.do_why,
            "attach-quest": self.do_attach,
            "quest-changes": self.do_changes,
        }

    def do_timeline(self) -> None:
        """Open the timeline of the quest."""
        if self.current is not None:
            show_timeline(self.shell, self.current["id"], self.current["name"])

    def do_why(self) -> None:
        """Why it waits, its score, and what depends on it."""
        row = self.current
        if row is not None:
            self.fetch("quest_why", row, lambda answer: self._read_why(row, quests_rows.why_text(answer)))

    def _read_why(self, row: Row, lines: Lines) -> None:
        self.read(row, lambda: lines, what="why", hang=HANG)

    def do_quest_log(self) -> None:
        """Open the log of its work."""
        if (mission := self._mission()) is not None:
            self.show_log(mission, "")

    def do_check_log(self) -> None:
        """Open the log of its newest check."""
        if self.current is not None:
            self.show_log(self.current["check_id"], "has no check yet")

    def do_attach(self) -> None:
        """Type into its terminal."""
        self._to_mission("attach")

    def do_changes(self) -> None:
        """Open the changes in its folder, or those that have landed."""
        self._to_mission("changes")

    def _to_mission(self, action: str) -> None:
        """Run the action of a mission's key on the quest's mission."""
        known = self.shell.fleet.of(self._mission())
        if known is not None:
            self.shell.act(action, [known])

    def _mission(self) -> str | None:
        """The mission of the quest under the cursor; without one, flash why."""
        row = self.current
        if row is None or row["id"] in self.shell.fleet.rows:
            return None if row is None else row["id"]
        self.shell.flash(quests_rows.without_mission(row), "slow")
        return None


class QuestsPage(QuestRowsPage):
    """The page of quests, a row for each."""


FURTHER, MOST = 4, 2000
"""Factor by which the number of requested rows grows, and the number from which on all rows are requested."""
NEAR = 40
"""Distance of the cursor to the last loaded row at which more rows are requested."""


def portion(reached: int) -> int:
    """How many rows to request for a cursor at this row; 0: all of them."""
    limit = quests_rows.FIRST
    while limit < reached + NEAR:
        limit *= FURTHER
    return 0 if limit > MOST else limit


class LongRowsPage(QuestRowsPage):
    """A page of thousands of rows: loads those near the cursor; all of them for a filter or a sort order."""

    def __init__(self, view: View, show: Show) -> None:
        super().__init__(view, show)
        self._asked: Mapping[str, Any] = {}
        self._to_last = False
        """Whether the cursor goes to the last row once all rows are loaded."""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments of the request."""
        return {**super().arguments, "limit": 0 if self.needs_all or self._to_last else portion(self.left()[0])}

    @property
    def needs_all(self) -> bool:
        """Whether the filter or the order needs all rows."""
        return bool(self.filtering.filter or self.sorting.by)

    @abstractmethod
    def left(self) -> tuple[int, int]:
        """Which row of its list the cursor is on, from 0; and how many rows of that list are not there yet."""

    def ask(self) -> None:
        """Request the rows again."""
        if not self.source.asking:
            self._asked = self.arguments
        super().ask()

    def rearrange(self, *, asked: bool = False) -> None:
        """Sort and filter the rows again; request more if they are needed for that."""
        super().rearrange(asked=asked)
        if self._asked and self._asked != self.arguments:
            self.ask()

    def take(self, rows: list[Row]) -> None:
        """Show these; the last one may have been waited for."""
        super().take(rows)
        if self._to_last and not self.left()[1]:
            self.table.press("last")
            self._to_last = False

    def act(self, action: Action) -> None:
        """The last row is that of all of them."""
        self._to_last = action.name == "last" and self.left()[1] > 0
        super().act(action)
        if self._to_last:
            self.ask()

    @on(ResourceTable.Selected)
    def near_end(self) -> None:
        """Request more rows when the cursor comes near the last loaded one."""
        at, missing = self.left()
        asked = self._asked.get("limit", 0)
        if missing and asked and portion(at) not in range(1, asked + 1):
            self.ask()
