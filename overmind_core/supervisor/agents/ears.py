"""Listening to agents: the lines of those on pipes, the titles of those on a terminal; one task per live run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from overmind_core.supervisor.agents.reader import Reader
from overmind_core.supervisor.agents.titles import Titles

if TYPE_CHECKING:
    from overmind_core.domain.mission import Mission
    from overmind_core.supervisor.agents.session import Session
    from overmind_core.supervisor.core import Supervisor


class Ears:
    """All listening."""

    def __init__(self, core: Supervisor) -> None:
        self.core = core
        self._titles = Titles(core)
        self._tasks: dict[str, asyncio.Task[Any]] = {}

    def listen(self, session: Session, mission: Mission, *, begun: bool = False) -> None:
        """Hear the newest run from where the last word was taken in; `begun`: from its first byte on."""
        self.deafen(session.id)
        path = f"{self.core.home.logs}/{mission.id}/{mission.run:06d}"
        stored = self.core.state.cursors.get(mission.run_id)
        session.reader = Reader(path, stored.out if stored is not None else 0) if session.reads_lines else None
        hears = (
            self._hear(session, mission.run_id)
            if session.reads_lines
            else self._titles.hear(session, path, begun=begun)
        )
        self._tasks[session.id] = self.core.background(hears)

    def deafen(self, mission_id: str) -> None:
        """Hear no more of the mission."""
        ear = self._tasks.pop(mission_id, None)
        if ear is not None:
            ear.cancel()

    async def _hear(self, session: Session, run: str) -> None:
        """Read lines as they come."""
        with self.core.feed.follow([session.id]) as follower:
            while session.reader is not None and session.run_id == run:
                end = self.core.pulse.of(run).out
                before = session.reader.position
                session.read(end)
                if session.reader.position in {before, end}:
                    await follower.news()
                else:
                    await asyncio.sleep(0)
