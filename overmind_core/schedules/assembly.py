"""The parts of rituals, from the bottom to the top."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from overmind_core.schedules.actions import Starter
from overmind_core.schedules.registry import RitualRegistry, RunRetention
from overmind_core.schedules.service import Schedules

if TYPE_CHECKING:
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.keeper_client import CurrentKeeper
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.ports import Preparer
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.retention import Retention
    from overmind_core.missions.store import MissionTable
    from overmind_core.plans.service import Plans
    from overmind_core.quests.service import QuestService
    from overmind_core.quests.store import QuestTable
    from overmind_core.schedules.store import RitualTable
    from overmind_core.system.machine import Clock


class ScheduleParts(NamedTuple):
    """What rituals stand on."""

    settings: Settings
    clock: Clock
    journal: Journal
    events: EventLog
    tasks: Tasks
    phase: Phase
    line: CurrentKeeper
    registry: Registry
    preparer: Preparer
    plans: Plans
    quests: QuestService
    retention: Retention
    mission_table: MissionTable
    quest_table: QuestTable
    ritual_table: RitualTable


def assemble(parts: ScheduleParts) -> Schedules:
    """Make the parts of rituals."""
    rituals = RitualRegistry(
        journal=parts.journal, events=parts.events, line=parts.line, ritual_table=parts.ritual_table
    )
    starter = Starter(
        journal=parts.journal,
        settings=parts.settings,
        quests=parts.quests,
        plans=parts.plans,
        preparer=parts.preparer,
        ritual_table=parts.ritual_table,
    )
    retention = RunRetention(
        rituals=rituals,
        quests=parts.quests,
        registry=parts.registry,
        journal=parts.journal,
        retention=parts.retention,
        mission_table=parts.mission_table,
        quest_table=parts.quest_table,
        ritual_table=parts.ritual_table,
    )
    return Schedules(
        journal=parts.journal,
        clock=parts.clock,
        phase=parts.phase,
        tasks=parts.tasks,
        registry=parts.registry,
        quests=parts.quests,
        rituals=rituals,
        starter=starter,
        retention=retention,
    )
