"""Reviews of missions by a provider: a person asks for one, and it runs as a child of the mission that is reviewed.

As a child its cost counts in the tree of that mission. A review that can't be used changes nothing.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from typing import TYPE_CHECKING

from overmind_core.agents.spec import spec_of
from overmind_core.domain.agents.agent import AgentFolders, with_program_of
from overmind_core.domain.quests.variables import INPUTS, OUTPUTS
from overmind_core.domain.replacing import replace
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.domain.watching import review
from overmind_core.errors import OvermindError
from overmind_core.missions.requests import Start
from overmind_core.quests import input_folder

if TYPE_CHECKING:
    from overmind_core.agents.service import Agents
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.watching.guardian import Review
    from overmind_core.domain.watching.review import Reviewed
    from overmind_core.kernel.config import Settings
    from overmind_core.missions.environment import Environments
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home

GUARDIAN = "guardian"
"""The last part of the reviewing mission's name; the first is the name of the mission that is reviewed."""
TIMEOUT = "10m"
"""How long a review may take."""
LARGEST = 64 * 1024
"""Most bytes of a review's file."""
_log = logging.getLogger(__name__)


class Reviewer:
    """Runs reviews. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        home: Home,
        clock: Clock,
        settings: Settings,
        registry: Registry,
        missions: Missions,
        agents: Agents,
        environments: Environments,
    ) -> None:
        self._home = home
        self._clock = clock
        self._settings = settings
        self._registry = registry
        self._missions = missions
        self._agents = agents
        self._environments = environments
        self._starting = asyncio.Lock()
        """Held while a review starts, so that two requests at once share one."""

    def check(self) -> None:
        """Refuse where nobody reviews.

        Raises:
            OvermindError: `invalid`.
        """
        if not self._settings.guardian.review:
            message = 'No provider reviews missions. Choose one: review = "claude" below [guardian] in config.toml.'
            raise OvermindError("invalid", message)

    async def review(self, mission: Mission, reviewed: Reviewed) -> Review | None:
        """Have a mission reviewed; None: the reviewer handed in nothing, or nothing usable.

        Raises:
            OvermindError: the reviewer can't be started.
        """
        self.check()
        name = f"{mission.definition.name}/{GUARDIAN}"
        async with self._starting:
            holder = self._registry.index.holder(name)
            reviewer = self._registry.live.get(holder) if holder is not None else None  # a review is under way
            if reviewer is None or reviewer.definition.parent != mission.id:
                reviewer = await self._start(mission, name, reviewed)
        try:
            ended = await self._registry.ended(reviewer.id)
        except OvermindError:
            return None
        if ended.shell_exit:
            return None
        found = await asyncio.to_thread(input_folder.handed_in, self._home, ended.id, review.HANDED_IN, largest=LARGEST)
        data = review.first_of(found.data)
        return None if data is None else review.read_review(data, self._clock.wall())

    async def _start(self, mission: Mission, name: str, reviewed: Reviewed) -> Mission:
        mission_id = self._missions.new_id()
        try:
            made = await asyncio.to_thread(input_folder.prepare, self._home, mission_id, review.files(reviewed))
        except OSError as error:
            code = "disk_full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "setup_failed"
            raise OvermindError(code, f"The folders of {name} can't be made: {error.strerror}.") from None
        folders = AgentFolders(to_wire(made.inputs), to_wire(made.outputs))
        prompt = review.prompt(reviewed, inputs=folders.inputs, outputs=folders.outputs)
        work, world = mission.definition, self._environments.of(mission.id)
        asked = Start(
            command=prompt, cwd=work.cwd, env=world.inherited, umask=work.umask, labels=work.labels, timeout=TIMEOUT,
            provider=self._settings.guardian.review, isolate=False,
        )  # fmt: skip
        spec = spec_of(asked, self._settings, name=name, parent=mission.id)
        own, agent = self._agents.agent(mission.id), spec.agent
        if agent is not None:
            agent = replace(agent, folders=folders, deny=() if own is None else own.deny)
            if own is not None and work.provider == spec.definition.provider:
                agent = with_program_of(replace(agent, model=own.model), own)
        given = {INPUTS: folders.inputs, OUTPUTS: folders.outputs}
        spec = replace(
            spec,
            environment=world._replace(chosen={**world.chosen, **given}),
            agent=agent,
            request=f"guardian:{mission_id}",
        )
        started = await self._missions.start_child(spec, limited=False, mission_id=mission_id)
        _log.info("mission %s is reviewed by %s", mission.id, mission_id)
        return started.mission
