"""A mission's terminal screen, drawn from its log in a worker thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from overmind_core.missions.output_progress import OutputProgress
    from overmind_core.missions.registry import Registry
    from overmind_core.system.paths import Home
    from overmind_core.terminal.screen import Screen


class TerminalScreens:
    """The screens of all runs on a terminal."""

    def __init__(self, registry: Registry, progress: OutputProgress, home: Home) -> None:
        self._registry = registry
        self._progress = progress
        self._home = home

    async def of(self, mission_id: str) -> Screen | None:
        """What the newest run's terminal shows now; None when it has none."""
        run = self._registry.runs.get(mission_id)
        if run is None or not run.tty:
            return None
        await self._progress.refresh()
        path = f"{self._home.logs}/{run.mission}/{run.number:06d}"
        return await asyncio.to_thread(_draw, path, self._progress.of(run.id).out, run.columns, run.rows)


def _draw(path: str, end: int, columns: int, rows: int) -> Screen:
    from overmind_core.logs.snapshot import screen_at  # noqa: PLC0415 - few daemons ever look at a screen

    return screen_at(path, columns=columns, rows=rows, until=end)
