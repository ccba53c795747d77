"""Lessons in the daemon: what learning has for memory gets there, once memory can take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.memory.events import MemoryChanged

if TYPE_CHECKING:
    from overmind_core.daemon.memory import MemoryHost
    from overmind_core.daemon.state import State
    from overmind_core.kernel.bus import Bus
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.memory.lessons import LessonIntake


class LessonHost:
    """Stands between learning and memory: see `learning/ports.py`."""

    def __init__(self, memory: MemoryHost, state: State, tasks: Tasks, bus: Bus, *, is_headless: bool) -> None:
        self._memory = memory
        self._state = state
        self._tasks = tasks
        self.keeps_lessons = not is_headless
        self._intake: LessonIntake | None = None
        bus.subscribe(MemoryChanged, self.on_memory_change)

    @property
    def waits(self) -> bool:
        """Whether an earlier daemon has left something."""
        return self.keeps_lessons and self._state.has_outbox

    @property
    def has_given(self) -> bool:
        """Whether attempts may have been given notes."""
        return self._memory.is_on and self._memory.has_notes

    def wake(self) -> None:
        """Something waits in the outbox."""
        if not self._memory.is_on:
            return
        if self._intake is None:
            from overmind_core.memory.lessons import IntakeParts, LessonIntake  # noqa: PLC0415 - for those who learn

            parts = self._memory.parts
            self._intake = LessonIntake(
                IntakeParts(
                    memory=self._memory.memory(),
                    outbox=self._state.outbox,
                    journal=parts.journal,
                    events=parts.events,
                    tasks=self._tasks,
                    variables=lambda mission: parts.environments.of(mission).both,
                    person=self._memory.person,
                )
            )
        self._intake.wake()

    def on_memory_change(self, changed: MemoryChanged) -> None:
        """What has waited for memory may be taken in."""
        if changed.change in {"on", "recovered"} and self.waits:
            self.wake()

    def close(self) -> None:
        """Take in nothing more."""
        if self._intake is not None:
            self._intake.close()
