"""The quests of a spec: which are done, which go on, and which wait for a person."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from overmind_core.domain.admission import WaitCode
from overmind_core.domain.quests.life import is_done, is_refused
from overmind_core.domain.quests.quest import HAS_ENDED, QuestStatus
from overmind_core.domain.quests.why import PAUSED, first_of
from overmind_core.domain.specs.phases import TaskCounts, asked_gate, spec_state, task_counts
from overmind_core.domain.specs.spec import PHASES, PhaseName, SpecState, quest_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from overmind_core.domain.admission import Wait
    from overmind_core.domain.quests.needs import Needs
    from overmind_core.domain.quests.quest import Quest
    from overmind_core.domain.specs.spec import Spec
    from overmind_core.kernel.journal import Journal
    from overmind_core.quests.obstacles import Obstacles
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.quests.store import QuestStanding, QuestTable
    from overmind_core.specs.looking import SpecStanding
    from overmind_core.specs.registry import SpecRegistry
    from overmind_core.system.machine import Clock

_WAITS = frozenset({QuestStatus.FAILED, QuestStatus.CANCELLED, QuestStatus.REVIEW})
"""States of quests that wait for a person."""
WAITS_FOR_QUESTS = frozenset({SpecState.RUNNING, SpecState.WORKING, SpecState.STUCK})
"""States in which a spec waits for quests, or did."""
_HOLDS = frozenset({WaitCode.HELD, WaitCode.BUDGET})
"""Codes of waits for money, or for a person."""


class SpecQuests:
    """Counts the quests of specs. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        registry: SpecRegistry,
        quests: QuestRegistry,
        obstacles: Obstacles,
        is_paused: Callable[[], bool],
        journal: Journal,
        clock: Clock,
        quest_table: QuestTable,
    ) -> None:
        """`is_paused`: whether the queue is."""
        self._is_paused = is_paused
        self._registry = registry
        self._quests = quests
        self._obstacles = obstacles
        self._journal = journal
        self._clock = clock
        self._quest_table = quest_table

    def state(self, spec: Spec, standing: SpecStanding) -> SpecState:
        """The state of a spec."""
        asked = asked_gate(spec, self._registry.phases(spec.id), standing.states) is not None
        return spec_state(spec, standing.states, self.tasks(spec), queued=standing.queued, asked=asked)

    def tasks(self, spec: Spec) -> TaskCounts:
        """Counts of the quests of its tasks, and of reported ones, by state."""
        found = list(self.quests(spec))
        needs = self._obstacles.needs(self._clock.wall())
        live = [quest for _, quest in found if quest is not None]
        stuck = {quest.id for quest in live if self._is_stuck(quest, needs)}
        stuck |= _held_up(live, stuck | {one.id for one in live if one.status is QuestStatus.REVIEW}, needs)
        return task_counts((status, quest is not None and quest.id in stuck) for status, quest in found)

    def quests(self, spec: Spec) -> list[tuple[QuestStatus, Quest | None]]:
        """The status of each quest that counts, and the quest while it is unfinished."""
        return [(status, live) for _, status, live in self._counted(spec)]

    def statuses(self, spec: Spec) -> tuple[Counter[QuestStatus], Counter[QuestStatus]]:
        """How many quests of its tasks, and how many reported ones, have which status."""
        made = {one.quest for one in self._registry.phase(spec.id, PhaseName.SYNC).tasks.values()}
        found = Counter((one in made, status) for one, status, _ in self._counted(spec))
        tasks, reported = (
            Counter({status: count for (is_task, status), count in found.items() if is_task is wanted})
            for wanted in (True, False)
        )
        return tasks, reported

    def waiting(self, spec: Spec) -> list[Quest]:
        """The quests of its tasks that wait for a person: failed, cancelled, in review, or refused by their target."""
        found = (
            self._quests.get(quest)
            for quest, status, live in self._counted(spec)
            if status in _WAITS or (live is not None and is_refused(live))
        )
        return [quest for quest in found if quest is not None]

    def _counted(self, spec: Spec) -> list[tuple[str, QuestStatus, Quest | None]]:
        """Id of each quest that counts, its status as far as its spec goes, and the quest while it is unfinished."""
        self._journal.flush()
        tasks = self._registry.phase(spec.id, PhaseName.SYNC).tasks
        made = {one.quest: one for one in tasks.values()}
        phases = {record.quest for record in self._registry.phases(spec.id).values()}
        names = {quest_name(spec.slug, phase) for phase in PHASES}
        of_tasks = {quest_name(spec.slug, task) for task in tasks}
        found = []
        for row in self._quest_table.standing_of_spec(spec.id):
            live = self._quests.live.get(row.id)
            task = made.get(row.id)
            is_former = row.name in of_tasks if task is None else task.gone  # or its task has another one
            if row.id in phases or row.name in names or (is_former and live is None):
                continue
            found.append((row.id, self._ended_as(row) if live is None else live.status, live))
        return found

    def _ended_as(self, row: QuestStanding) -> QuestStatus:
        """The status that counts of a quest that has ended: one whose work a person has landed is done."""
        status = QuestStatus(row.status)
        quest = self._quests.get(row.id) if status in HAS_ENDED and status is not QuestStatus.COMPLETED else None
        return QuestStatus.COMPLETED if quest is not None and is_done(quest) else status

    def held(self, spec_id: str) -> tuple[Quest, Wait] | None:
        """The quest of a spec that waits for money or for a person while none of them runs, and why it does."""
        mine = [one for one in self._quests.live.values() if one.queue is not None and one.queue.spec == spec_id]
        if any(one.status is not QuestStatus.QUEUED for one in mine):
            return None
        needs = self._obstacles.needs(self._clock.wall())
        paused = PAUSED if self._is_paused() else None
        waits = ((one, first_of((self._obstacles.of(one, needs), paused))) for one in mine)
        return next(((one, wait) for one, wait in waits if wait is not None and wait.code in _HOLDS), None)

    def _is_stuck(self, quest: Quest, needs: Needs) -> bool:
        if quest.status is not QuestStatus.QUEUED:
            return is_refused(quest)
        wait = self._obstacles.of(quest, needs)
        return wait is not None and wait.code in {WaitCode.BLOCKED, WaitCode.HELD, WaitCode.BUDGET}


def _held_up(quests: Iterable[Quest], stuck: set[str], needs: Needs) -> set[str]:
    """Ids of the quests that wait, directly or not, only for quests that need a person."""
    waiting: dict[str, set[str]] = {}
    for quest in quests:
        wait = needs.wait(quest) if quest.status is QuestStatus.QUEUED else None
        if wait is not None and wait.code is WaitCode.NEEDS:
            waiting[quest.id] = {need.id for need in needs.open(quest)}
    found: set[str] = set()
    while more := {one for one, open_ in waiting.items() if one not in found and open_ <= stuck | found}:
        found |= more
    return found
