"""Pages whose rows are quests, and what their keys show of one: why it waits, logs, terminal, changes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from textual import on

from overmind_tui.command_line.parse import Show
from overmind_tui.pages.details import DetailsPage
from overmind_tui.quests import rows as quests_rows
from overmind_tui.render.cells import Cell, Row
from overmind_tui.shell.actions import Action
from overmind_tui.shell.registry import View
from overmind_tui.timeline.page import show_timeline
from overmind_tui.widgets.table import ResourceTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_tui.missions.describe import Lines
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.actions import Context
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
    """What was known when it was noted in the rows: how often the fleet had changed, and the questions."""

    def take(self, rows: list[Row]) -> None:
        """Show these, with what is asked about each."""
        self.learn(rows)
        super().take(rows)

    def learn(self, rows: Sequence[Row]) -> None:
        """Note in quests what other parts of the program know."""
        fleet = self.shell.fleet
        self._learned = fleet.changes, fleet.questions
        quests_rows.learn(rows, fleet.rows, fleet.questions)

    def looked_in(self, row: Row) -> str:
        """What is seen of a quest, and what it belongs to."""
        return quests_rows.looked_in(row)

    def targets(self) -> list[Row]:
        """The missions of the quests that an action would meet."""
        return [known for row in self.chosen() if (known := self.shell.fleet.of(row["id"])) is not None]

    def refresh_status(self) -> None:
        """Questions come and go, and runs begin."""
        fleet = self.shell.fleet
        if self._learned != (fleet.changes, fleet.questions):
            self.learn(self.rows)
        super().refresh_status()

    @on(ResourceTable.Selected)
    def selected(self) -> None:
        """Another quest, another standing."""
        self.refresh_bottom()

    def standing(self) -> Cell:
        """How the one under the cursor stands, whole."""
        row = self.current
        return Cell("") if row is None else Cell(quests_rows.standing(row), quests_rows.why_tone(row))

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
        """What happened to it."""
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
        """What its work wrote."""
        if (mission := self._mission()) is not None:
            self.show_log(mission, "")

    def do_check_log(self) -> None:
        """What its newest check wrote."""
        if self.current is not None:
            self.show_log(self.current["check_id"], "has no check yet")

    def do_attach(self) -> None:
        """Type into its terminal."""
        self._to_mission("attach")

    def do_changes(self) -> None:
        """What it has changed in its folder, or landed."""
        self._to_mission("changes")

    def _to_mission(self, action: str) -> None:
        """Do to its mission what the key of a mission does."""
        known = self.shell.fleet.of(self._mission())
        if known is not None:
            self.shell.act(action, [known])

    def _mission(self) -> str | None:
        """The mission of the quest under the cursor; where there is none it is said why."""
        row = self.current
        if row is None or row["id"] in self.shell.fleet.rows:
            return None if row is None else row["id"]
        self.shell.flash(quests_rows.without_mission(row), "slow")
        return None


class QuestsPage(QuestRowsPage):
    """The page of quests, a row for each."""


FURTHER, MOST = 4, 2000
"""How many times as many rows are asked for the next time, and beyond how many all of them are."""
NEAR = 40
"""Rows before the last one that is there from which on more are asked for."""


def portion(reached: int) -> int:
    """How many rows to ask for where the person has come so far; 0: all of them."""
    limit = quests_rows.FIRST
    while limit < reached + NEAR:
        limit *= FURTHER
    return 0 if limit > MOST else limit


class LongRowsPage(QuestRowsPage):
    """Of thousands of rows as many are asked for as the person has come near to; all, for a filter or an order."""

    def __init__(self, view: View, show: Show) -> None:
        super().__init__(view, show)
        self._asked: Mapping[str, Any] = {}
        self._to_last = False
        """Whether the cursor is to go to the last row, once that has come."""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What the supervisor is asked with."""
        return {**super().arguments, "limit": 0 if self.needs_all or self._to_last else portion(self.left()[0])}

    @property
    def needs_all(self) -> bool:
        """Whether what is shown can only be told from all of them."""
        return bool(self.filtering.filter or self.sorting.by)

    @abstractmethod
    def left(self) -> tuple[int, int]:
        """Which row of its list the cursor is on, from 0; and how many rows of that list are not there yet."""

    def ask(self) -> None:
        """Ask for them anew."""
        if not self.source.asking:
            self._asked = self.arguments
        super().ask()

    def rearrange(self, *, asked: bool = False) -> None:
        """Show the rows as they are now; where others are needed for that, ask for them."""
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
        """The person may be about to see more than is there."""
        at, missing = self.left()
        asked = self._asked.get("limit", 0)
        if missing and asked and portion(at) not in range(1, asked + 1):
            self.ask()
