"""Lessons in the daemon: what learning has for memory gets there, once memory can take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.agents.events import NotesGiven
from overmind_core.memory.events import MemoryChanged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from overmind_core.daemon.memory import MemoryHost
    from overmind_core.daemon.state import State
    from overmind_core.domain.quests.quest import Quest
    from overmind_core.kernel.bus import Bus
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.memory.lessons import LessonIntake
    from overmind_core.quests.registry import QuestRegistry


class LessonHost:
    """Stands between learning and memory: see `learning/ports.py`."""

    def __init__(
        self, memory: MemoryHost, state: State, tasks: Tasks, bus: Bus, quests: QuestRegistry, *, is_headless: bool
    ) -> None:
        self._memory = memory
        self._state = state
        self._tasks = tasks
        self._quests = quests
        self.keeps_lessons = not is_headless
        self._given: set[str] = set()
        """Quests whose attempt may have been given notes."""
        self._intake: LessonIntake | None = None
        bus.subscribe(MemoryChanged, self.on_memory_change)
        bus.subscribe(NotesGiven, self.on_notes_given)

    @property
    def waits(self) -> bool:
        """Whether an earlier daemon has left something."""
        return self.keeps_lessons and self._state.has_outbox

    def resume(self, quests: Iterable[Quest]) -> None:
        """Go on after an earlier daemon, which may have given notes to the attempts of these that have not ended."""
        if self._memory.has_notes:
            queues = ((quest.id, quest.queue) for quest in quests)
            self._given = {id_ for id_, queue in queues if queue and queue.tries and queue.tries[-1].ended_at is None}

    def on_notes_given(self, given: NotesGiven) -> None:
        """A run begins with notes."""
        quest = self._quests.live.get(given.mission or "")
        if given.notes and quest is not None and quest.queue is not None:
            self._given.add(quest.id)

    def was_given(self, mission: str) -> bool:
        """Whether the attempt of a quest that ends now may have been given notes; asked once."""
        was_given = mission in self._given
        self._given.discard(mission)
        return was_given

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
