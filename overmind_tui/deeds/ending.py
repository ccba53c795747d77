"""Stopping, killing, restarting and removing missions; what ends work asks first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from overmind_tui.deeds.each import Doing, each
from overmind_tui.screens.dialog import Answer, Dialog
from overmind_tui.view import missions
from overmind_tui.view.cells import Row, safe

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp


class Ending:
    """What ends work, and what starts it again."""

    def __init__(self, app: OvermindApp) -> None:
        self._app = app

    def stop(self, rows: list[Row]) -> None:
        """Have them end as they want to."""
        self._ask("stop", rows, lambda: self._each("stop", rows, "stopped"))

    def kill(self, rows: list[Row]) -> None:
        """End them at once."""
        leaf = len(rows) == 1 and not any(
            row["parent"] == rows[0]["id"] and missions.is_live(row) for row in self._app.fleet.rows.values()
        )
        if leaf and not self._app.settings.confirm_kill:
            self._killed(rows)
        else:
            self._ask("kill", rows, lambda: self._killed(rows))

    def _killed(self, rows: list[Row]) -> None:
        kept = ", conversation kept" if rows[0].get("activity") is not None else ""
        self._each("kill", rows, "killed", tail=f" · r starts it again{kept}")

    def restart(self, rows: list[Row]) -> None:
        """End them, if they run, and start them again."""
        if any(missions.is_live(row) for row in rows):
            self._ask("restart", rows, lambda: self._each("restart", rows, "restarted"))
        else:
            self._each("restart", rows, "restarted")

    def remove(self, rows: list[Row]) -> None:
        """Forget finished ones, with their logs."""
        live = [row for row in rows if missions.is_live(row)]
        if live:
            self._app.flash(f"{safe(live[0]['name'])} is {live[0]['status']}: stop it first", "slow")
            return
        self._ask("remove", rows, lambda: self._each("rm", rows, "removed"))

    def _ask(self, word: str, rows: list[Row], then: Callable[[], None]) -> None:
        """What would end, how long it ran, and what hangs on it."""
        now = self._app.now()
        lines = [f"{safe(row['name'])}  {missions.since(row, now)}" for row in rows[:8]]
        if len(rows) > 8:  # noqa: PLR2004 - as many as a small screen shows
            lines.append(f"… and {len(rows) - 8} more")
        names = {row["id"] for row in rows}
        below = [
            row
            for row in self._app.fleet.rows.values()
            if row["parent"] in names and row["id"] not in names and missions.is_live(row)
        ]
        if below and word != "remove":
            with_it = word != "kill" and all(row["type"] == missions.PLAN for row in rows)
            stays = "end with it" if with_it else "below it stay"
            lines += ["", f"{len(below)} live {stays}: {', '.join(safe(row['name']) for row in below[:3])}"]
        title = f"{word} {len(rows)} missions?" if len(rows) > 1 else f"{word} {safe(rows[0]['name'])}?"
        answers = [Answer(("y",), word, then, "bad"), Answer(("n",), "cancel", lambda: None)]
        self._app.open(Dialog(title, lines, answers, first=1))

    def _each(self, command: str, rows: list[Row], done: str, *, tail: str = "") -> None:
        each(self._app, Doing(command, command, done, "missions", tail), rows)
