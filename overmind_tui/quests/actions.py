"""What keys do to quests: cancel, retry, make more or less urgent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from overmind_core.domain.quests.again import begun_again
from overmind_core.domain.text.paragraphs import stands
from overmind_core.view import missions as missions_rows
from overmind_core.view import quests as quests_rows
from overmind_core.view.cells import Row, safe
from overmind_tui.missions.actions_end import Request, each
from overmind_tui.pages.dialog import ask_first
from overmind_tui.pages.table import as_now

if TYPE_CHECKING:
    from overmind_tui.shell.shell import Shell

QUESTS = "quests"
RAISED, LOWERED = -1, 1
"""Steps of a priority."""


class QuestActions:
    """Asks for it; what ends work asks the person first."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.handlers: dict[str, Callable[[list[Row]], object]] = {
            "cancel-quest": self.cancel,
            "retry-quest": self.retry,
            "raise-priority": lambda rows: self._change_priority(rows, RAISED),
            "lower-priority": lambda rows: self._change_priority(rows, LOWERED),
        }

    def cancel(self, rows: list[Row]) -> None:
        """Stop the work and the checks of these, and try nothing again."""
        live = [row for row in rows if quests_rows.can_cancel(row)]
        if not live:
            self._shell.flash(f"{safe(rows[0]['name'])} has ended: {quests_rows.state(rows[0])}", "slow")
            return
        now, page = self._shell.now(), self._shell.app.screen

        def lines() -> list[str]:
            return [quests_rows.at_stake(self._begun(row), now) for row in as_now(page, live)]

        doing = Request("quest_cancel", "cancel", "cancelled", QUESTS)
        ask_first(self._shell, "cancel quest", live, lines, lambda: each(self._shell, doing, live))

    def _begun(self, row: Row) -> Row:
        """A quest as it works now, where it was queued and has begun since: its row has left the queue."""
        mission = self._shell.fleet.of(row["id"])
        if row["status"] != "queued" or mission is None or not missions_rows.is_live(mission):
            return row
        began = mission.get("run_started_at") or mission["started_at"]
        return {**row, "status": "running", "phase": "work", "why": "", "began_at": began, quests_rows.BEGAN: began}

    def retry(self, rows: list[Row]) -> None:
        """Give those that have failed or were cancelled another round of attempts."""
        ended = [row for row in rows if quests_rows.can_retry(row)]
        if ended:
            each(self._shell, Request("quest_retry", "retry", "queued", QUESTS, " again"), ended)
        elif not quests_rows.is_of_queue(rows[0]):
            self._shell.flash(safe(f"{rows[0]['name']} {begun_again(rows[0])}"), "slow")
        else:
            name, state = safe(rows[0]["name"]), quests_rows.state(rows[0])
            self._shell.flash(f"{name} {stands(state)}: r retries what has failed or was cancelled", "slow")

    def _change_priority(self, rows: list[Row], step: int) -> None:
        """One step more urgent (-1), or less (1)."""
        word, done = ("raise", "raised") if step == RAISED else ("lower", "lowered")
        open_ = [row for row in rows if quests_rows.is_of_queue(row) and row["status"] not in quests_rows.ENDED]
        wanted = {row["id"]: found for row in open_ if (found := quests_rows.stepped(row, step)) is not None}
        moved = [row for row in open_ if row["id"] in wanted]
        if not moved:
            self._shell.flash(_not_moved(rows[0], open_), "slow")
            return
        tail = f" to {wanted[moved[0]['id']]}" if len(moved) == 1 else ""
        doing = Request("quest_edit", word, done, QUESTS, tail)
        each(self._shell, doing, moved, lambda row: {"priority": wanted[row["id"]]})


def _not_moved(row: Row, open_: list[Row]) -> str:
    """Why the priority of this one does not change."""
    name = safe(row["name"])
    if open_:
        return f"{safe(open_[0]['name'])} is {open_[0]['priority']} already"
    if not quests_rows.is_of_queue(row):
        return f"{name} began at once and has no priority"
    return f"{name} has ended: its priority means nothing any more"
