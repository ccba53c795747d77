"""The answers of the terminal in memory to programs that ask theirs while no person's terminal answers.

The keeper has the account of the queries, and applies an answer to each of them once. So nothing is kept here: whoever
supervises next is given what still waits.
"""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from overmind_core.kernel.keeper_client import CurrentKeeper
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.logs.replies import RepliesFromLogs
    from overmind_core.missions.registry import Registry
    from overmind_core.system.paths import Home


class TerminalAnswers:
    """Answers queries, one run's after the other."""

    def __init__(self, *, line: CurrentKeeper, registry: Registry, home: Home, tasks: Tasks) -> None:
        self._line = line
        self._registry = registry
        self._home = home
        self._tasks = tasks
        self._source: RepliesFromLogs | None = None
        self._waiting: dict[str, list[tuple[int, int]]] = {}
        """Run → its queries that the keeper named last; those of a run are answered one batch at a time."""
        self._busy: set[str] = set()

    def on_queries(self, run: str, queries: Iterable[Sequence[int]]) -> None:
        """Of this run, the queries that wait: where each begins and ends in the output."""
        self._waiting[run] = [(start, end) for start, end in queries]
        if run not in self._busy:
            self._busy.add(run)
            self._tasks.start(self._answer(run))

    async def _answer(self, run: str) -> None:
        try:
            while queries := self._waiting.pop(run, []):
                replies = await self._replies(run, queries)
                if replies:
                    self._line.post("answer", run=run, answers=replies)
        finally:
            self._busy.discard(run)
            self._waiting.pop(run, None)

    async def _replies(self, run: str, queries: list[tuple[int, int]]) -> list[tuple[int, str]]:
        mission, _, number = run.partition(".")
        size = self._size(mission, run)
        if size is None:
            return []
        if self._source is None:
            from overmind_core.logs.replies import RepliesFromLogs  # noqa: PLC0415 - many daemons are never asked

            self._source = RepliesFromLogs()
        path = f"{self._home.logs}/{mission}/{int(number):06d}"
        found = await asyncio.to_thread(self._source.replies, path, *size, queries)
        return [(reply.end, base64.b64encode(reply.data).decode()) for reply in found]

    def _size(self, mission_id: str, run: str) -> tuple[int, int] | None:
        """Columns and rows of the run's terminal when it began; None of one that is no mission's newest."""
        known, mission = self._registry.runs.get(mission_id), self._registry.live.get(mission_id)
        if known is not None and known.id == run:
            return known.columns, known.rows
        if mission is not None and mission.run_id == run:  # it asked before its start was on the books
            return mission.definition.columns, mission.definition.rows
        return None
