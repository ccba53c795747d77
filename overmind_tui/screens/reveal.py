"""The log of one mission on the main screen, from wherever it was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_tui.view.shape import Panel

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp


def log_of(app: OvermindApp, mission: str | None, gone: str) -> None:
    """Show it, with the cursor on its mission, until it is closed; `gone` is said where there is none."""
    if mission is None or app.fleet.of(mission) is None:
        app.flash(gone, "slow")
        return
    _unfold(app, mission)
    app.main.panels.way_back.leave(app)
    if app.commands.runs.go_to(mission):
        app.main.panels.give(Panel.LOG)


def _unfold(app: OvermindApp, mission: str) -> None:
    """Have everything above it open."""
    side, rows = app.main.table_side, app.fleet.rows
    known = side.folded.copy()
    parent = rows[mission]["parent"]
    while parent in rows:
        side.folded.discard(parent)
        parent = rows[parent]["parent"]
    if side.folded != known:
        side.rearrange(asked=True)
