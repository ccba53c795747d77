"""A mission's terminal screen, drawn from its log in a worker thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

PROMPTS = "\u276f\u203a"
"""Stand before what is typed: Claude's, and that of Codex."""

if TYPE_CHECKING:
    from overmind_core.logs.snapshot import DrawnScreen
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

    async def written(self, mission_id: str) -> int:
        """How much the newest run has written: where that is as it was, so is its screen."""
        run = self._registry.runs.get(mission_id)
        await self._progress.refresh()
        return -1 if run is None else self._progress.of(run.id).out

    async def of(self, mission_id: str) -> Screen | None:
        """What the newest run's terminal shows now; None when it has none."""
        run = self._registry.runs.get(mission_id)
        if run is None or not run.tty:
            return None
        await self._progress.refresh()
        path = f"{self._home.logs}/{run.mission}/{run.number:06d}"
        return await asyncio.to_thread(_draw, path, self._progress.of(run.id).out, run.columns, run.rows)

    async def drawn_on(self, mission_id: str, drawn: DrawnScreen | None) -> DrawnScreen | None:
        """The same from an earlier picture of the same run, which costs what was written since; None as for `of`."""
        run = self._registry.runs.get(mission_id)
        if run is None or not run.tty:
            return None
        path = f"{self._home.logs}/{run.mission}/{run.number:06d}"
        return await asyncio.to_thread(_draw_on, path, self._progress.of(run.id).out, run.columns, run.rows, drawn)


def typed_lines(screen: Screen) -> list[str]:
    """The lines of a screen, its prompt without the words that a program suggests there by itself.

    They are dim, behind a cursor that stands on the first of them in reverse.
    """
    return [_typed(screen, y, line) for y, line in enumerate(screen.lines())]


def _typed(screen: Screen, y: int, line: str) -> str:
    if not any(mark in line for mark in PROMPTS):
        return line
    pieces: list[str] = []
    cursor = False
    for text, style in screen.runs(y):
        if style.dim and cursor and pieces:
            pieces[-1] = " " * len(pieces[-1])
        pieces.append(" " * len(text) if style.dim else text)
        cursor = style.reverse and len(text) == 1
    return "".join(pieces)


def _draw(path: str, end: int, columns: int, rows: int) -> Screen:
    from overmind_core.logs.snapshot import screen_at  # noqa: PLC0415 - few daemons ever look at a screen

    return screen_at(path, columns=columns, rows=rows, until=end)


def _draw_on(path: str, end: int, columns: int, rows: int, drawn: DrawnScreen | None) -> DrawnScreen:
    from overmind_core.logs.reader import RunLog  # noqa: PLC0415 - as above
    from overmind_core.logs.snapshot import drawn_to  # noqa: PLC0415 - as above

    return drawn_to(end, RunLog(path), columns, rows, drawn)
