"""`run`: a request becomes a mission that is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.agents.spec import spec_of
from overmind_core.kernel.request import handles
from overmind_core.missions import answers
from overmind_core.missions.callers import mission_of
from overmind_core.missions.lookup import parent_of
from overmind_core.missions.requests import Start

if TYPE_CHECKING:
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.request import Caller
    from overmind_core.missions.answer_types import StartedMission
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.system.paths import Home


class StartApi:
    """Something that starts missions by requests."""

    def __init__(self, *, home: Home, settings: Settings, registry: Registry, missions: Missions) -> None:
        self._home = home
        self._settings = settings
        self._registry = registry
        self._missions = missions


class RunApi(StartApi):
    """The request that starts a mission."""

    @handles(Start)
    async def run(self, request: Start, caller: Caller) -> StartedMission:
        """Record a mission, start it, answer once it runs; nothing is recorded when it can't.

        With a request key the same is asked for however often it is asked: it makes one mission.
        """
        inside = mission_of(caller, self._registry, self._home.root)
        spec = spec_of(request, self._settings, parent=parent_of(self._registry, request.parent, inside))
        return answers.started(await self._missions.start(spec, inside=inside, caller=caller))
