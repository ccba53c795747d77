"""Capture in the daemon: made with the first fact of an agent that has memory, so that others pay nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.agents.session import FactRead
from overmind_core.missions.changes import RunConcluded

if TYPE_CHECKING:
    from overmind_core.agents.service import Agents
    from overmind_core.daemon.memory import MemoryHost
    from overmind_core.kernel.bus import Bus
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.memory.capture import Capture


class CaptureHost:
    """Makes capture, and hands it the facts of agents."""

    def __init__(self, memory: MemoryHost, agents: Agents, tasks: Tasks, bus: Bus) -> None:
        self._memory = memory
        self._agents = agents
        self._tasks = tasks
        self._capture: Capture | None = None
        memory.rebuild_episodes = self.rebuild
        bus.subscribe(FactRead, self.on_fact)
        bus.subscribe(RunConcluded, self.on_conclusion)

    def on_fact(self, read: FactRead) -> None:
        """An agent has done something."""
        capture = self._capture_of(read.mission)
        if capture is not None:
            capture.on_fact(read)

    def on_conclusion(self, concluded: RunConcluded) -> None:
        """A run is over."""
        capture = self._capture_of(concluded.run.rpartition(".")[0])
        if capture is not None:
            capture.on_conclusion(concluded)

    async def rebuild(self) -> int:
        """Read the episodes anew from the logs that are there; how many are gone."""
        return await self._made().rebuild()

    def close(self) -> None:
        """End its thread."""
        if self._capture is not None:
            self._capture.close()

    def _capture_of(self, mission: str) -> Capture | None:
        return self._made() if self._capture is not None or self._agents.has_memory(mission) else None

    def _made(self) -> Capture:
        if self._capture is None:
            from overmind_core.memory.capture import Capture, CaptureParts  # noqa: PLC0415 - for agents with memory

            parts = self._memory.parts
            self._capture = Capture(
                CaptureParts(
                    memory=self._memory.memory(),
                    registry=parts.registry,
                    agent=self._agents.agent,
                    wanted=self._agents.has_memory,
                    variables=lambda mission: parts.environments.of(mission).both,
                    logs=parts.home.logs,
                    events=parts.events,
                    tasks=self._tasks,
                )
            )
        return self._capture
