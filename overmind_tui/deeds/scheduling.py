"""What keys do to quests and rituals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from overmind_tui.deeds.each import Doing, each
from overmind_tui.screens.dialog import Answer, Dialog
from overmind_tui.view import amounts, quests
from overmind_tui.view.cells import Row, safe

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp

QUESTS, RITUALS = "quests", "rituals"
NAMED = 8
"""Rows that a question names, each on a line."""


class Scheduling:
    """Asks for it; what ends something asks the person first."""

    def __init__(self, app: OvermindApp) -> None:
        self._app = app

    def cancel_quest(self, rows: list[Row]) -> None:
        """Stop the work and the checks of these, and try nothing again."""
        live = [row for row in rows if row["status"] == "running"]
        if not live:
            self._app.flash(f"{safe(rows[0]['name'])} is {rows[0]['status']} already", "slow")
            return
        now = self._app.now()
        lines = [f"{safe(row['name'])}  for {amounts.ticking(quests.lasted(row, now))}" for row in live]
        doing = Doing("quest_cancel", "cancel", "cancelled", QUESTS)
        self._ask("cancel quest", live, lines, lambda: each(self._app, doing, live))

    def run_ritual(self, rows: list[Row]) -> None:
        """Run these now, whatever their schedules."""
        each(self._app, Doing("ritual_run", "run", "began a run of", RITUALS, " · enter shows its runs"), rows)

    def pause_ritual(self, rows: list[Row]) -> None:
        """Pause these; when all of them are paused, let them go on."""
        awake = [row for row in rows if not row["paused"]]
        if awake:
            each(self._app, Doing("ritual_pause", "pause", "paused", RITUALS, " · s lets it go on"), awake)
        else:
            each(self._app, Doing("ritual_resume", "resume", "resumed", RITUALS), rows)

    def delete_ritual(self, rows: list[Row]) -> None:
        """Forget these and their runs; what runs of them goes on."""
        lines = [_at_stake(row) for row in rows]
        busy = [safe(row["name"]) for row in rows if row["running"]]
        lines += [f"what runs of {', '.join(busy)} goes on"] if busy else []
        doing = Doing("ritual_delete", "delete", "deleted", RITUALS)
        self._ask("delete ritual", rows, lines, lambda: each(self._app, doing, rows))

    def _ask(self, word: str, rows: Sequence[Row], lines: list[str], then: Callable[[], None]) -> None:
        """What would end, with the focus on what changes nothing."""
        verb, _, noun = word.partition(" ")
        title = f"{word} {safe(rows[0]['name'])}?" if len(rows) == 1 else f"{verb} {len(rows)} {noun}s?"
        more = [f"… and {len(lines) - NAMED} more"] if len(lines) > NAMED else []
        answers = [Answer(("y",), verb, then, "bad"), Answer(("n",), "keep", lambda: None)]
        self._app.open(Dialog(title, [*lines[:NAMED], *more], answers, first=1))


def _at_stake(row: Row) -> str:
    runs = f"  {row['last_number']} runs so far" if row["last_number"] else "  never ran"
    return f"{safe(row['name'])}  {safe(row['schedule'])}{runs}"
