"""The page of worktrees: those of isolated missions, and what is to be done about each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from overmind_core.view import hints
from overmind_core.view import landing as landing_lines
from overmind_core.view import missions as missions_rows
from overmind_core.view.actions import Context
from overmind_core.view.cells import Row, safe
from overmind_core.view.registry import View
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.page import Handler
from overmind_tui.pages.table import TablePage
from overmind_tui.pages.text import TextPage
from overmind_tui.render import texts
from overmind_tui.shell.shell import Shell


def open_worktrees(shell: Shell, view: View, show: Show) -> None:
    """All of them."""
    shell.open(WorktreesPage(view, show))


class WorktreesPage(TablePage):
    """A row for each worktree. How large each is takes long to find out: only a person's key asks for that."""

    def __init__(self, view: View, show: Show) -> None:
        super().__init__(view, show)
        self._measures = True

    @property
    def arguments(self) -> Mapping[str, Any]:
        """All of them."""
        measures, self._measures = self._measures, False
        return {**super().arguments, "sizes": measures}

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also what is read of a worktree."""
        return super().handlers(context) | {"log": self.do_log, "describe-row": self.do_describe_row}

    def take(self, rows: list[Row]) -> None:
        """Show these; what nobody measured anew is as large as before."""
        sizes = {row["id"]: row.get("size_bytes") for row in self.rows}
        super().take([
            self._doing(row) if row.get("size_bytes") is not None
            else {**self._doing(row), "size_bytes": sizes.get(row["id"])} for row in rows
        ])  # fmt: skip

    def _doing(self, row: Row) -> Row:
        """The row with what its agent does, so that its state is the same word as on the main screen."""
        known = self.shell.fleet.of(row["id"])
        return row if known is None else {**row, "activity": known.get("activity")}

    def hinted_rows(self) -> list[Row]:
        """Worktrees, with what is known of their missions."""
        known = self.shell.fleet.rows
        return [known.get(row["id"], {}) | row for row in self.chosen()]

    def unusable(self) -> frozenset[str]:
        """Also what a mission that runs, was removed, or is to be reviewed keeps from."""
        rows, current = self.hinted_rows(), self.table.current
        return super().unusable() | hints.refused({
            "log": current is not None and self.shell.fleet.of(current.id) is not None,
            "land": any(row.get(missions_rows.QUEST_STATE) != "review" for row in rows),
            "discard": any("status" not in row or not missions_rows.is_live(row) for row in rows),
        })  # fmt: skip

    def targets(self) -> list[Row]:
        """Their missions, as far as there are any."""
        return [known for row in self.chosen() if (known := self.shell.fleet.of(row["id"])) is not None]

    def subtitle(self) -> str:
        """What all that is shown comes to."""
        return landing_lines.summary([branch.row for branch in self.table.branches])

    def do_refresh(self) -> None:
        """Ask anew, and measure."""
        self._measures = True
        super().do_refresh()

    def do_log(self) -> None:
        """The log of its mission."""
        current = self.table.current
        if current is not None:
            self.shell.main.show_log(current.id, f"the mission of {safe(current.row['name'])} was removed")

    def do_describe_row(self) -> None:
        """Everything known about its mission; where that was removed, about the worktree."""
        current = self.table.current
        if current is None:
            return
        known = self.shell.fleet.of(current.id)
        if known is not None:
            self.shell.act("describe", [known])
            return
        lines = texts.plain(json.dumps(current.row, ensure_ascii=False, indent=2))
        self.shell.open(TextPage(self.view, safe(current.row["name"]), lambda: lines))
