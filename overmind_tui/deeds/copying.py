"""What missions are called by others, taken out of the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_tui.machine import clipboard
from overmind_tui.view.cells import Row, safe

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp


class Copying:
    """Copies; nothing of a mission changes."""

    def __init__(self, app: OvermindApp) -> None:
        self._app = app

    def copy(self, rows: list[Row]) -> None:
        """Their ids, each on a line of its own."""
        what = f"{rows[0]['id']} ({safe(rows[0]['name'])})" if len(rows) == 1 else f"{len(rows)} ids"
        clipboard.copy(self._app, "\n".join(row["id"] for row in rows), what)
