"""Runs of posts that are stopped as their definitions say, while their hive goes on with the rest."""

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

    def stop(self, mission: Mission | None) -> None:
        """Stop a mission, unless it has ended or is being stopped."""
        if mission is not None and mission.is_live and mission.id not in self._under_way:
            self._under_way.add(mission.id)
            self._tasks.start(self._stop(mission))

    async def _stop(self, mission: Mission) -> None:
        try:
            await self._missions.end(mission, Cause.STOP, cascade=True, grace=None)
        except OvermindError as error:
            if error.code != "not_running":
                raise
        finally:
            self._under_way.discard(mission.id)
