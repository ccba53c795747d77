"""Builds the parts of the service of specs, once there is a spec."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.specs.creation import SpecCreation
from overmind_core.specs.elsewhere import SpecsElsewhere
from overmind_core.specs.gates import GateQuestions
from overmind_core.specs.landing import SpecLanding
from overmind_core.specs.looking import SpecLooks, Turns
from overmind_core.specs.phase_work import PhaseWork
from overmind_core.specs.progress import SpecProgress
from overmind_core.specs.quest_maker import QuestMaker
from overmind_core.specs.service import SpecParts
from overmind_core.specs.spec_quests import SpecQuests
from overmind_core.specs.task_sync import TaskSync
from overmind_core.specs.upkeep import SpecUpkeep
from overmind_core.specs.views import SpecViews
from overmind_core.specs.watching import SpecWatchers

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.agents.engine_questions import EngineQuestions
    from overmind_core.isolation.projects import Projects
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.landing.locations import Locations
    from overmind_core.landing.quest_landing import QuestLanding
    from overmind_core.missions.registry import Registry
    from overmind_core.quests.attempts import Attempts
    from overmind_core.quests.obstacles import Obstacles
    from overmind_core.quests.queue_changes import QueueChanges
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.quests.store import QuestTable, WorkTable
    from overmind_core.specs.gates import UsualCost
    from overmind_core.specs.ports import SwarmPosts
    from overmind_core.specs.registry import SpecRegistry
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home


class SpecNeeds(NamedTuple):
    """What the parts of specs need from the rest of the daemon."""

    home: Home
    settings: Settings
    clock: Clock
    journal: Journal
    tasks: Tasks
    phase: Phase
    registry: SpecRegistry
    missions: Registry
    quests: QuestRegistry
    changes: QueueChanges
    attempts: Attempts
    obstacles: Obstacles
    is_paused: Callable[[], bool]
    """Whether the queue is."""
    questions: EngineQuestions
    landing: QuestLanding
    locations: Locations
    projects: Projects
    quest_table: QuestTable
    work_table: WorkTable
    spent: Callable[[str], float | None]
    """US dollars that a spec has cost so far."""
    usual_cost: UsualCost
    posts: SwarmPosts
    on_spent: Callable[[str, float], None]
    """Is told the id of a quest and US dollars that the swarm has spent on it."""


def spec_parts(needs: SpecNeeds) -> SpecParts:
    """Build the parts, each from those before it."""
    registry, quests, journal, turns = needs.registry, needs.quests, needs.journal, Turns()
    maker = QuestMaker(quests=quests, changes=needs.changes, settings=needs.settings, work_table=needs.work_table)
    home = to_wire(os.environ.get("HOME", ""))
    looks = SpecLooks(registry=registry, quests=quests, settings=needs.settings, home=home)
    landing = SpecLanding(
        registry=registry,
        quests=quests,
        maker=maker,
        questions=needs.questions,
        landing=needs.landing,
        locations=needs.locations,
        phase=needs.phase,
        tasks=needs.tasks,
    )
    sync = TaskSync(
        registry=registry,
        quests=quests,
        changes=needs.changes,
        attempts=needs.attempts,
        maker=maker,
        looks=looks,
        landing=needs.landing,
        journal=journal,
    )
    standing = SpecQuests(
        registry=registry,
        quests=quests,
        obstacles=needs.obstacles,
        is_paused=needs.is_paused,
        journal=journal,
        clock=needs.clock,
        quest_table=needs.quest_table,
    )
    progress = SpecProgress(
        registry=registry,
        quests=quests,
        changes=needs.changes,
        spec_quests=standing,
        maker=maker,
        looks=looks,
        turns=turns,
        sync=sync,
        landing=landing,
        questions=needs.questions,
        journal=journal,
        phase=needs.phase,
        gates=GateQuestions(registry=registry, maker=maker, sync=sync, usual_cost=needs.usual_cost),
    )
    creation = SpecCreation(
        registry=registry,
        quests=quests,
        missions=needs.missions,
        maker=maker,
        looks=looks,
        projects=needs.projects,
        journal=journal,
        clock=needs.clock,
        home=needs.home.root,
    )
    views = SpecViews(
        registry=registry,
        turns=turns,
        progress=progress,
        spec_quests=standing,
        journal=journal,
        quest_table=needs.quest_table,
        spent=needs.spent,
    )
    return SpecParts(
        creation=creation,
        elsewhere=SpecsElsewhere(
            registry=registry,
            quests=quests,
            maker=maker,
            posts=needs.posts,
            journal=journal,
            phase=needs.phase,
            tasks=needs.tasks,
            spent=needs.on_spent,
        ),
        work=PhaseWork(registry=registry, looks=looks, turns=turns, journal=journal, home=needs.home),
        progress=progress,
        landing=landing,
        maker=maker,
        upkeep=SpecUpkeep(
            registry=registry,
            quests=quests,
            questions=needs.questions,
            maker=maker,
            looks=looks,
            turns=turns,
            journal=journal,
        ),
        watchers=SpecWatchers(registry=registry, quests=quests, held=standing.held),
        views=views,
    )
