"""Runs of posts that are ended, at once or as their definitions say, while their hive goes on with the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.missions.mission import Cause
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.service import Missions


class Stops:
    """Used from the loop's thread."""

    def __init__(self, missions: Missions, tasks: Tasks) -> None:
        self._missions = missions
        self._tasks = tasks
        self._under_way: set[str] = set()
        """Missions that are being stopped."""

    def stop(self, mission: Mission | None, *, at_once: bool = False) -> None:
        """End a mission as its definition says, or at once, unless it has ended or is being ended."""
        if mission is not None and mission.is_live and mission.id not in self._under_way:
            self._under_way.add(mission.id)
            self._tasks.start(self._stop(mission, *((Cause.KILL, 0.0) if at_once else (Cause.STOP, None))))

    async def _stop(self, mission: Mission, cause: Cause, grace: float | None) -> None:
        try:
            await self._missions.end(mission, cause, cascade=True, grace=grace)
        except OvermindError as error:
            if error.code not in {"not_running", "swarm_silent"}:  # of the latter nothing is left on this machine
                raise
        finally:
            self._under_way.discard(mission.id)
