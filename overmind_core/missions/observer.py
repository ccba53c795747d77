"""What probes know of a mission: where its logs are, when it wrote last, and the environment of its programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.missions.lookup import descends

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.missions.launcher import Launcher
    from overmind_core.missions.output_progress import OutputProgress
    from overmind_core.missions.process_trees import ProcessTrees
    from overmind_core.missions.registry import Registry
    from overmind_core.system.machine import Clock


class MissionObserver:
    """The `Observer` of probes, over live missions."""

    def __init__(
        self,
        *,
        logs: str,
        clock: Clock,
        registry: Registry,
        progress: OutputProgress,
        launcher: Launcher,
        trees: ProcessTrees,
    ) -> None:
        self.logs = logs
        """The folder of all logs."""
        self._clock = clock
        self._registry = registry
        self._progress = progress
        self._launcher = launcher
        self._trees = trees

    def mono(self) -> float:
        """Seconds of the monotonic clock."""
        return self._clock.mono()

    async def last_activity(self, mission: Mission) -> float | None:
        """When its newest run wrote last or began, in monotonic seconds; None while there is no keeper to ask."""
        await self._progress.refresh()
        if self._progress.link is None:
            return None
        current = self._registry.live.get(mission.id, mission)
        return max(self._progress.of(current.run_id).last, current.run_started_mono)

    async def processes(self, mission: Mission) -> Collection[int] | None:
        """The pids of everything that it and its child missions have started; None: nobody can know."""
        live = self._registry.live
        concerned = [one for one in live.values() if one.id == mission.id or descends(one, mission.id, self._registry)]
        return await self._trees.processes(concerned)

    async def environment(self, mission: Mission) -> Mapping[str, str]:
        """The environment of its own programs, in wire form.

        Raises:
            OvermindError: its folder is not there.
        """
        return await self._launcher.surroundings(mission)
