"""The engine: the queue and its quests, reports, and what watches missions; its parts, and what passes between them.

It stands above missions, agents, isolation and landing, of which it is given what it uses.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.daemon.lessons import LessonHost
from overmind_core.domain.engine_questions import EngineNeed
from overmind_core.landing.quest_landing import QuestLanding
from overmind_core.quests.attempts import Attempts
from overmind_core.quests.budgets import LimitedSpec, QueueBudgets
from overmind_core.quests.obstacles import Obstacles
from overmind_core.quests.questions import QuestQuestions
from overmind_core.quests.queue import Queue
from overmind_core.specs.registry import SpecRegistry
from overmind_core.specs.service import Specs
from overmind_core.system.machine import system_zone
from overmind_core.watching.overlaps import Overlaps
from overmind_core.watching.service import Watching
from overmind_core.watching.tree_cpu import TreeCpu
from overmind_core.watching.worktrees import Worktrees

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import tzinfo

    from overmind_core.agents.engine_questions import EngineQuestion, EngineQuestions
    from overmind_core.agents.questions import Questions
    from overmind_core.agents.results import MissionResults
    from overmind_core.agents.service import Agents
    from overmind_core.agents.submission import Submission
    from overmind_core.daemon.memory import MemoryHost
    from overmind_core.daemon.state import State
    from overmind_core.domain.agents.agent_events import Decision
    from overmind_core.domain.quests.quest import Quest
    from overmind_core.domain.specs.spec import Spec
    from overmind_core.domain.watching.learning import Estimate
    from overmind_core.isolation.service import IsolationService
    from overmind_core.isolation.workspace import Workspace
    from overmind_core.kernel.bus import Bus
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.keeper_client import CurrentKeeper
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.landing.locations import Locations
    from overmind_core.landing.service import MergeQueue
    from overmind_core.learning.service import Learning
    from overmind_core.missions.environment import Environments, SavedEnvironments
    from overmind_core.missions.leases import Leases
    from overmind_core.missions.output_progress import OutputProgress
    from overmind_core.missions.process_trees import ProcessTrees
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.quests.attempt_work import AttemptWork
    from overmind_core.quests.outcomes import AttemptOutcomes
    from overmind_core.quests.queue_changes import QueueChanges
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.reports.assignment import Assignments
    from overmind_core.reports.service import Reports
    from overmind_core.specs.ports import SwarmPosts
    from overmind_core.specs.service import SpecParts
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home
    from overmind_core.watching.reviewer import Reviewer
    from overmind_core.watching.steerer import Steerer


class EngineParts(NamedTuple):
    """What the engine stands on."""

    home: Home
    state: State
    settings: Settings
    clock: Clock
    bus: Bus
    journal: Journal
    events: EventLog
    tasks: Tasks
    phase: Phase
    line: CurrentKeeper
    registry: Registry
    missions: Missions
    agents: Agents
    submission: Submission
    questions: Questions
    engine_questions: EngineQuestions
    environments: Environments
    saved: SavedEnvironments
    workspace: Workspace
    isolation: IsolationService
    locations: Locations
    landing: MergeQueue
    progress: OutputProgress
    trees: ProcessTrees
    quests: QuestRegistry
    memory: MemoryHost
    leases: Leases
    spec_posts: Callable[[], SwarmPosts]
    """What specs ask of the swarm."""


class Engine:
    """The parts of the engine, from the bottom to the top."""

    def __init__(self, parts: EngineParts) -> None:
        self.quest_landing = QuestLanding(
            queue=parts.landing,
            locations=parts.locations,
            workspace=parts.workspace,
            isolation=parts.isolation,
            journal=parts.journal,
            landing_table=parts.state.landings,
            is_fenced=parts.leases.is_over,
            home=parts.home,
        )
        self._parts = parts
        self.submission = parts.submission
        self.lessons = LessonHost(
            parts.memory, parts.state, parts.tasks, parts.bus, parts.quests, is_headless=parts.line.headless
        )
        self._changes: QueueChanges | None = None
        self._reviewer: Reviewer | None = None
        self.quest_asker = QuestQuestions(
            engine=parts.engine_questions, questions=parts.questions, quests=parts.quests, registry=parts.registry
        )
        self.specs = Specs(
            registry=SpecRegistry(
                journal=parts.journal,
                events=parts.events,
                spec_table=parts.state.specs,
                phase_table=parts.state.spec_phases,
            ),
            quests=parts.quests,
            questions=parts.engine_questions,
            phase=parts.phase,
            tasks=parts.tasks,
            line=parts.line,
            make=self._spec_parts,
        )
        self.attempts = Attempts(
            quests=parts.quests,
            journal=parts.journal,
            clock=parts.clock,
            phase=parts.phase,
            tasks=parts.tasks,
            registry=parts.registry,
            missions=parts.missions,
            work=lambda: self._attempt_work,
            outcomes=lambda: self._outcomes,
            lander=self.quest_landing,
            asker=self.quest_asker,
            home=parts.home,
        )
        self.obstacles = Obstacles(parts.quests)
        self.obstacles.holds += [self.specs.hold, self.quest_asker.hold]
        self.budgets = QueueBudgets(
            quests=parts.quests,
            registry=parts.registry,
            journal=parts.journal,
            events=parts.events,
            clock=parts.clock,
            settings=parts.settings,
            questions=parts.engine_questions,
            meta_table=parts.state.meta,
            quest_table=parts.state.quests,
            cost_table=parts.state.costs,
            estimated=lambda quest: self.learning.estimate(quest).usd,
            specs=lambda: map(_limited, self.specs.registry.all.values()),
            spec=lambda spec_id: None if (found := self.specs.registry.all.get(spec_id)) is None else _limited(found),
            raise_spec=lambda spec_id, limit: self.specs.registry.change(spec_id, max_cost_usd=limit),
            zone=_local_zone,
        )
        self.obstacles.money = self.budgets
        self.specs.registry.on_limit = self.budgets.on_limit
        self.queue = Queue(
            quests=parts.quests,
            attempts=self.attempts,
            obstacles=self.obstacles,
            journal=parts.journal,
            clock=parts.clock,
            phase=parts.phase,
            settings=parts.settings,
            line=parts.line,
            registry=parts.registry,
            meta_table=parts.state.meta,
            events=parts.events,
        )
        self.budgets.bind(
            reconsider=self.queue.reconsider, cancel=self.attempts.cancel, running=self.queue.having_slots
        )
        self.specs.bind(self.queue)
        self.quest_asker.bind(self.attempts, self.quest_landing, self.queue_changes)
        self.specs.on_forget += [self._forgetting_reports, self._forgetting_lessons]
        parts.engine_questions.guard(EngineNeed.REPORT, self._check_report_answer)
        parts.engine_questions.on(EngineNeed.REPORT, self._on_report_answer)

        worktrees = Worktrees(parts.workspace)
        self.watching = Watching(
            clock=parts.clock,
            phase=parts.phase,
            registry=parts.registry,
            progress=parts.progress,
            agents=parts.agents,
            quests=parts.quests,
            isolations=parts.workspace.records,
            worktrees=worktrees,
            overlaps=Overlaps(
                registry=parts.registry,
                journal=parts.journal,
                clock=parts.clock,
                worktrees=worktrees,
                event_table=parts.state.events,
            ),
            steerer=lambda: self._steerer,
            tasks=parts.tasks,
            cpu=TreeCpu(parts.trees),
            health_settings=parts.settings.health,
            guardian_settings=parts.settings.guardian,
            estimated=self._expected,
        )

    def resume(self) -> None:
        """Go on where an earlier daemon has stopped."""
        self.lessons.resume(self._parts.quests.live.values())
        self.attempts.resume()
        self.budgets.resume()
        self.queue.resume()
        self.specs.resume()
        if self.lessons.waits:
            self.learning.resume()

    def close(self) -> None:
        """Start nothing more."""
        self.queue.close()
        self.budgets.close()
        self.lessons.close()

    def _forgetting_reports(self, spec: str, quests: Sequence[Quest]) -> Awaitable[Callable[[], None]]:
        return self.reports.forgetting(spec, quests)

    def _forgetting_lessons(self, spec: str, quests: Sequence[Quest]) -> Awaitable[Callable[[], None]]:
        return self.learning.forgetting(spec, quests)

    def quests_of(self, question: EngineQuestion) -> list[str]:
        """Return the ids of the quests whose work a question decides about, whose subject is another thing."""
        return [*self.specs.quests_of(question), *self.quest_asker.quests_of(question)]

    async def _check_report_answer(self, question: EngineQuestion, decision: Decision) -> None:
        await self.reports.check_answer(question, decision)

    def _on_report_answer(self, question: EngineQuestion, decision: Decision) -> None:
        self.reports.on_answer(question, decision)

    def _expected(self, quest: Quest) -> Estimate:
        return self.learning.expected(quest)

    # what most daemons never need is made when it is used

    @cached_property
    def learning(self) -> Learning:
        """What attempts teach."""
        from overmind_core.learning.changed_files import ChangedFiles  # noqa: PLC0415 - for those who have quests
        from overmind_core.learning.service import Learning  # noqa: PLC0415 - same

        parts = self._parts
        made = Learning(
            journal=parts.journal,
            tasks=parts.tasks,
            registry=parts.registry,
            quests=parts.quests,
            agents=parts.agents,
            outcome_table=parts.state.outcomes,
            outbox=parts.state.outbox,
            keeper=self.lessons,
            changed=ChangedFiles(parts.workspace).of,
            slug_of_spec=self.specs.slug_of,
        )
        made.load()
        return made

    @cached_property
    def assignments(self) -> Assignments:
        """Who does what was reported."""
        from overmind_core.reports.assignment import Assignments  # noqa: PLC0415 - for those who report

        parts = self._parts
        return Assignments(
            settings=parts.settings,
            quests=parts.quests,
            agents=parts.agents,
            saved=parts.saved,
            workspace=parts.workspace,
            work_of_spec=self.specs.work_of,
        )

    @cached_property
    def reports(self) -> Reports:
        """What missions report."""
        from overmind_core.reports.service import Reports  # noqa: PLC0415 - for those who report

        parts = self._parts
        made = Reports(
            journal=parts.journal,
            events=parts.events,
            clock=parts.clock,
            settings=parts.settings,
            registry=parts.registry,
            missions=parts.missions,
            quests=parts.quests,
            attempts=self.attempts,
            engine=parts.engine_questions,
            waiting=parts.agents.waiting,
            assignments=self.assignments,
            table=parts.state.reports,
            slug_of_spec=self.specs.slug_of,
            on_queued=self.specs.on_queued,
        )
        made.load()
        return made

    @cached_property
    def _outcomes(self) -> AttemptOutcomes:
        """What follows from the end of an attempt."""
        from overmind_core.quests.outcomes import AttemptOutcomes  # noqa: PLC0415 - for those who have quests

        parts = self._parts
        outcomes = AttemptOutcomes(
            quests=parts.quests,
            journal=parts.journal,
            clock=parts.clock,
            settings=parts.settings,
            registry=parts.registry,
            agents=parts.agents,
            asker=self.quest_asker,
            lander=self.quest_landing,
            home=parts.home,
        )
        outcomes.on_end = self._on_attempt_end
        return outcomes

    def _on_attempt_end(self, quest: Quest) -> None:
        self.learning.attempt_ended(quest)
        self.attempts.targets.on_attempt_end(quest)

    def results(self) -> MissionResults:
        """What missions end with."""
        from overmind_core.agents.results import MissionResults as Results  # noqa: PLC0415 - for those who have quests

        return Results(self._parts.home, self._parts.journal, self._parts.state.agents)

    @cached_property
    def _attempt_work(self) -> AttemptWork:
        """What an attempt runs."""
        from overmind_core.quests.attempt_work import AttemptWork  # noqa: PLC0415 - for those who have quests

        parts = self._parts
        return AttemptWork(
            quests=parts.quests,
            journal=parts.journal,
            settings=parts.settings,
            registry=parts.registry,
            missions=parts.missions,
            agents=parts.agents,
            results=self.results(),
            lander=self.quest_landing,
            environments=parts.environments,
            saved=parts.saved,
            environment_table=parts.state.environments,
            specs=self.specs,
            home=parts.home,
        )

    @cached_property
    def _steerer(self) -> Steerer:
        """What steers an agent."""
        from overmind_core.watching.steerer import Steerer  # noqa: PLC0415 - for those who run agents

        parts = self._parts
        return Steerer(
            registry=parts.registry,
            journal=parts.journal,
            clock=parts.clock,
            tasks=parts.tasks,
            trees=parts.trees,
            progress=parts.progress,
            agents=parts.agents,
            submission=parts.submission,
            questions=parts.engine_questions,
            event_table=parts.state.events,
            on_end=parts.quests.note_steer,
        )

    def queue_changes(self) -> QueueChanges:
        """What adds and changes quests: made with the first of them, as most supervisors never need it."""
        if self._changes is None:
            from overmind_core.quests.queue_changes import QueueChanges  # noqa: PLC0415 - for those who queue something

            parts = self._parts
            self._changes = QueueChanges(
                quests=parts.quests,
                journal=parts.journal,
                clock=parts.clock,
                settings=parts.settings,
                registry=parts.registry,
                missions=parts.missions,
                repositories=parts.workspace.projects,
                asker=self.quest_asker,
                agents=parts.agents,
                kept_worktree=parts.workspace.worktree_of,
            )
        return self._changes

    def reviewer(self) -> Reviewer:
        """Who has missions reviewed; most supervisors never do."""
        from overmind_core.watching.reviewer import Reviewer  # noqa: PLC0415 - for those who have a mission reviewed

        parts = self._parts
        if self._reviewer is None:
            self._reviewer = Reviewer(
                home=parts.home,
                clock=parts.clock,
                settings=parts.settings,
                registry=parts.registry,
                missions=parts.missions,
                agents=parts.agents,
                environments=parts.environments,
            )
        return self._reviewer

    def _spec_parts(self) -> SpecParts:
        """What looks at documents; most daemons never do."""
        from overmind_core.specs.parts import SpecNeeds, spec_parts  # noqa: PLC0415 - documents are for those who have specs

        parts = self._parts
        return spec_parts(
            SpecNeeds(
                home=parts.home,
                settings=parts.settings,
                clock=parts.clock,
                journal=parts.journal,
                tasks=parts.tasks,
                phase=parts.phase,
                registry=self.specs.registry,
                missions=parts.registry,
                quests=parts.quests,
                changes=self.queue_changes(),
                attempts=self.attempts,
                obstacles=self.obstacles,
                is_paused=lambda: self.queue.paused,
                questions=parts.engine_questions,
                landing=self.quest_landing,
                locations=parts.locations,
                projects=parts.workspace.projects,
                quest_table=parts.state.quests,
                work_table=parts.state.quest_work,
                spent=self.budgets.spent,
                usual_cost=self._usual_cost,
                posts=parts.spec_posts(),
                on_spent=self._on_spent_elsewhere,
            )
        )

    def _on_spent_elsewhere(self, quest: str, usd: float) -> None:
        """The swarm has spent so many US dollars on a quest."""
        mission = self._parts.registry.get(quest)
        if mission is not None:
            self.budgets.on_spent(mission, usd)

    def _usual_cost(self, work_type: str, provider: str, model: str) -> float | None:
        """What an attempt of such work costs, in US dollars."""
        from overmind_core.learning.service import WorkKind  # noqa: PLC0415 - for those who have specs

        return self.learning.usual(WorkKind(work_type, provider, model)).usd


def _limited(spec: Spec) -> LimitedSpec:
    """A spec as far as its money goes."""
    return LimitedSpec(spec.id, spec.slug, spec.max_cost_usd, is_over=spec.archived or spec.landed is not None)


def _local_zone() -> tzinfo:
    """The time zone of the clocks here."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - for those who limit what a day may cost

    return ZoneInfo(system_zone(os.environ))
