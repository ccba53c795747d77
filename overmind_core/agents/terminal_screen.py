"""A mission's terminal screen, drawn from its log in a worker thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from overmind_core.daemon.app import Supervisor
    from overmind_core.terminal.screen import Screen


async def screen_of(core: Supervisor, mission_id: str) -> Screen | None:
    """What the newest run's terminal shows now; None when it has none."""
    run = core.book.runs.get(mission_id)
    if run is None or not run.tty:
        return None
    await core.pulse.refresh()
    path = f"{core.home.logs}/{run.mission}/{run.number:06d}"
    return await asyncio.to_thread(_draw, path, core.pulse.of(run.id).out, run.columns, run.rows)


def _draw(path: str, end: int, columns: int, rows: int) -> Screen:
    from overmind_core.logs.snapshot import screen_at  # noqa: PLC0415 - few daemons ever look at a screen

    return screen_at(path, columns=columns, rows=rows, until=end)
