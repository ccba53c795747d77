"""The supervisor: its parts, and what passes between them.

Facts come in from the keeper, the clock and people; the registry turns each into a state and effects; the parts carry
those out. Nothing here decides.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from overmind_core.agents.api_questions import QuestionApi
from overmind_core.agents.assembly import AgentParts, Subjects
from overmind_core.agents.assembly import assemble as assemble_agents
from overmind_core.agents.session import FactRead
from overmind_core.daemon.capture import CaptureHost
from overmind_core.daemon.engine import Engine, EngineParts
from overmind_core.daemon.memory import MemoryHost, MemoryParts
from overmind_core.daemon.unsaved import Unsaved
from overmind_core.domain.agents.events import MessageDelivered, MessageQueued, NotificationDue, QuestionAsked
from overmind_core.domain.engine_questions import EngineNeed
from overmind_core.domain.events import THE_QUEUE, Event
from overmind_core.domain.missions.events import MissionEnded, MissionRemoved
from overmind_core.domain.quests.attempt import goes_on_in_folder
from overmind_core.domain.quests.classes import own_verify
from overmind_core.domain.quests.quest import LandedWork
from overmind_core.isolation.genomes import GenomeTrust
from overmind_core.isolation.service import IsolationService
from overmind_core.isolation.workspace import Workspace
from overmind_core.kernel.bus import Bus
from overmind_core.kernel.event_log import EventLog
from overmind_core.kernel.journal import Journal
from overmind_core.kernel.keeper_client import CurrentKeeper
from overmind_core.kernel.keyed_requests import KeyedRequestTable
from overmind_core.kernel.phase import Phase
from overmind_core.kernel.tasks import SingleFlight, Tasks
from overmind_core.landing.events import STEPS, WorkLanded
from overmind_core.landing.locations import Locations
from overmind_core.landing.service import MergeQueue
from overmind_core.missions.attachments import Attachments
from overmind_core.missions.changes import EffectDue, EndHeldUp, MissionChanged, OutputGrew, RunConcluded
from overmind_core.missions.deadlines import Deadlines
from overmind_core.missions.effects import Effects
from overmind_core.missions.end_marks import EndMarks
from overmind_core.missions.environment import Environments, SavedEnvironments
from overmind_core.missions.followers import Followers
from overmind_core.missions.keeper_sync import Departure, KeeperSync
from overmind_core.missions.launcher import Launcher
from overmind_core.missions.leases import Leases
from overmind_core.missions.left_processes import LeftProcesses
from overmind_core.missions.limits import TreeLimits
from overmind_core.missions.load_history import LoadHistory
from overmind_core.missions.observer import MissionObserver
from overmind_core.missions.output_progress import LastLines, OutputProgress
from overmind_core.missions.process_trees import ProcessTrees
from overmind_core.missions.registry import Registry
from overmind_core.missions.resources import Resources
from overmind_core.missions.retention import Retention
from overmind_core.missions.run_records import RunRecords
from overmind_core.missions.service import Missions
from overmind_core.missions.terminal_answers import TerminalAnswers
from overmind_core.missions.terminator import Terminator
from overmind_core.missions.unrecorded import UnrecordedLogs
from overmind_core.missions.unseen import NEWSWORTHY, Unseen
from overmind_core.notifications.service import Notifications, web_address
from overmind_core.plans.assembly import PlanParts
from overmind_core.plans.assembly import assemble as assemble_plans
from overmind_core.plans.outputs import AgentOutputs
from overmind_core.quests.events import QuestChanged, QueueChanged
from overmind_core.quests.registry import QuestEnded, QuestRegistry
from overmind_core.quests.service import QuestService
from overmind_core.schedules.assembly import ScheduleParts
from overmind_core.schedules.assembly import assemble as assemble_schedules
from overmind_core.swarm.host import SwarmHost, SwarmParts
from overmind_core.swarm.plan_posts import PlanPosts
from overmind_core.system.machine import boot_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.agents.ports import Briefing
    from overmind_core.daemon.state import State
    from overmind_core.domain.events import About
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.keeper_client import KeeperStarter
    from overmind_core.landing.store import LandingRow
    from overmind_core.swarm.spec_posts import SpecPosts
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home


class App:
    """The parts of one daemon, from the bottom to the top: each is given what it uses, and nothing more."""

    state_trouble = ""
    """What was found damaged of the state while it is used, as a sentence; "" for nothing."""

    def __init__(
        self,
        home: Home,
        state: State,
        settings: Settings,
        keepers: KeeperStarter,
        clock: Clock,
        *,
        briefing: Briefing | None = None,
    ) -> None:
        """`briefing`: None: its notes."""
        loop = asyncio.get_running_loop()
        self.home = home
        self.state = state
        self.settings = settings
        self.clock = clock
        ends_all = keepers.kill_after is not None
        self.line = CurrentKeeper(headless=ends_all and not keepers.attended, ends_all=ends_all)
        self.journal = Journal(state.database, loop, hurry=self.line.send)
        self.bus = Bus()
        self.tasks = Tasks()
        self.phase = Phase()
        self.events = EventLog(self.bus, self.journal, clock, state.events)
        self.registry = Registry(
            bus=self.bus,
            journal=self.journal,
            clock=clock,
            boot=boot_id(),
            missions=state.missions,
            runs=state.runs,
            events=self.events,
        )
        self.progress = OutputProgress(self.bus, clock, lambda run: run.partition(".")[0] in self.registry.live)
        self.followers = Followers(self.registry)
        self.deadlines = Deadlines(
            loop, self.registry, self._last_output, lambda one: self.tasks.start(self._confirm(one))
        )
        self.trees = ProcessTrees(self.registry, home.root, settings.leave)
        self.terminator = Terminator(self.registry, self.trees)
        self.attachments = Attachments()
        self.unseen = Unseen()
        self.last_lines = LastLines()
        self.resources = Resources(self.trees)
        self.load_history = LoadHistory(self.registry, self.resources, self.progress)
        saved = self.saved_environments = SavedEnvironments(self.journal, state.environments)
        self.workspace = Workspace(
            home=home.root,
            registry=self.registry,
            journal=self.journal,
            tasks=self.tasks,
            phase=self.phase,
            line=self.line,
            followers=self.followers,
            environments=saved,
            isolation_table=state.isolations,
            port_table=state.ports,
            trust_table=state.trusted,
            meta_table=state.meta,
            mission_table=state.missions,
            environment_table=state.environments,
        )
        self.isolation = IsolationService(self.workspace)
        self.environments = Environments(saved, self.isolation)
        self.memory = MemoryHost(
            MemoryParts(home, settings, clock, self.journal, self.events, self.registry, self.environments, state.meta)
        )
        self.quest_registry = QuestRegistry(
            bus=self.bus,
            journal=self.journal,
            events=self.events,
            quest_table=state.quests,
            need_table=state.quest_needs,
            work_table=state.quest_work,
            clock=clock,
        )
        made = assemble_agents(
            AgentParts(
                home=home,
                settings=settings,
                store=state.agent_store,
                clock=clock,
                bus=self.bus,
                journal=self.journal,
                events=self.events,
                tasks=self.tasks,
                phase=self.phase,
                line=self.line,
                registry=self.registry,
                environments=self.environments,
                progress=self.progress,
                followers=self.followers,
                attachments=self.attachments,
                memory=briefing or self.memory,
            ),
            Subjects(
                (self.quest_registry.asked_about, self._spec_asked_about),
                spec_of=self._spec_worked_for,
                quests_of=lambda question: self.engine.quests_of(question),  # noqa: PLW0108 - made later
                text_of_quest=self.quest_registry.text_of,
            ),
        )
        self.agents, self.budgets, self.agent_apis = made.service, made.budgets, made.apis
        self.engine_questions = made.engine_questions
        self.leases = Leases(
            registry=self.registry,
            journal=self.journal,
            meta_table=state.meta,
            line=self.line,
            loop=loop,
            clock=clock.boot,
        )
        self.launcher = Launcher(
            home=home,
            registry=self.registry,
            settings=settings,
            environments=self.environments,
            leases=self.leases,
            runner=self.agents,
            preparer=self.isolation,
            secrets=self._variables_of,
        )
        self.keeper = KeeperSync(
            line=self.line,
            keepers=keepers,
            registry=self.registry,
            journal=self.journal,
            meta_table=state.meta,
            exits=home.exits,
            clock=clock,
            tasks=self.tasks,
            launcher=self.launcher,
            leases=self.leases,
            terminator=self.terminator,
            trees=self.trees,
            progress=self.progress,
            followers=self.followers,
            deadlines=self.deadlines,
            runner=self.agents,
            preparer=self.isolation,
            records=RunRecords(
                self.registry, logs=home.logs, as_it_runs=lambda one: self.launcher.as_it_runs(one).definition
            ),
            terminals=TerminalAnswers(line=self.line, registry=self.registry, home=home, tasks=self.tasks),
        )
        self.missions = Missions(
            registry=self.registry,
            journal=self.journal,
            clock=clock,
            phase=self.phase,
            launcher=self.launcher,
            terminator=self.terminator,
            leases=self.leases,
            limits=TreeLimits(self.registry, self.isolation, self.budgets),
            runner=self.agents,
            preparer=self.isolation,
            mission_table=state.missions,
            environment_table=state.environments,
            under_way=SingleFlight(),
            end_marks=EndMarks(home.root, self.journal),
            left_processes=LeftProcesses(
                registry=self.registry,
                journal=self.journal,
                meta_table=state.meta,
                line=self.line,
                tasks=self.tasks,
                trees=self.trees,
                purge=self.terminator.purge_from_thread,
            ),
        )
        self.observer = MissionObserver(
            logs=home.logs,
            clock=clock,
            registry=self.registry,
            progress=self.progress,
            launcher=self.launcher,
            trees=self.trees,
        )
        self.isolation.bind(self.missions, self.observer)
        self.plans = assemble_plans(
            PlanParts(
                home=home,
                settings=settings,
                clock=clock,
                journal=self.journal,
                tasks=self.tasks,
                phase=self.phase,
                line=self.line,
                registry=self.registry,
                missions=self.missions,
                observer=self.observer,
                environments=self.environments,
                workspace=self.workspace,
                isolation=self.isolation,
                genomes=self.genomes,
                swarm=PlanPosts(lambda: self.swarm),
                plan_table=state.plans,
                agent_table=state.agents,
                environment_table=state.environments,
                request_table=KeyedRequestTable(state.database),
            )
        )
        self.unrecorded = UnrecordedLogs(home.logs, state.missions, state.events)
        self.retention = Retention(
            home=home,
            database=state.database,
            settings=settings,
            registry=self.registry,
            journal=self.journal,
            mission_table=state.missions,
            event_table=state.events,
            unseen=self.unseen,
            preparer=self.isolation,
            plans=self.plans,
            quests=self.quest_registry,
            left_processes=self.missions.left_processes,
            unrecorded=self.unrecorded,
            asked_about=self.engine_questions.asked_about,
        )
        self.quests = QuestService(
            quests=self.quest_registry,
            journal=self.journal,
            clock=clock,
            phase=self.phase,
            tasks=self.tasks,
            line=self.line,
            registry=self.registry,
            missions=self.missions,
            environments=self.environments,
            home=home,
        )
        self.locations = Locations(registry=self.registry, workspace=self.workspace, environments=self.environments)
        self.landing = MergeQueue(
            journal=self.journal,
            events=self.events,
            clock=clock,
            tasks=self.tasks,
            phase=self.phase,
            registry=self.registry,
            missions=self.missions,
            workspace=self.workspace,
            environments=self.environments,
            locations=self.locations,
            meta_table=state.meta,
            landing_table=state.landings,
        )
        self.engine = Engine(
            EngineParts(
                home=home,
                state=state,
                settings=settings,
                clock=clock,
                bus=self.bus,
                journal=self.journal,
                events=self.events,
                tasks=self.tasks,
                phase=self.phase,
                line=self.line,
                registry=self.registry,
                missions=self.missions,
                agents=self.agents,
                submission=made.submission,
                questions=made.questions,
                engine_questions=self.engine_questions,
                environments=self.environments,
                saved=saved,
                workspace=self.workspace,
                isolation=self.isolation,
                locations=self.locations,
                landing=self.landing,
                progress=self.progress,
                trees=self.trees,
                quests=self.quest_registry,
                memory=self.memory,
                leases=self.leases,
                spec_posts=self._spec_posts,
            ),
        )
        self.schedules = assemble_schedules(
            ScheduleParts(
                settings=settings,
                clock=clock,
                journal=self.journal,
                events=self.events,
                tasks=self.tasks,
                phase=self.phase,
                line=self.line,
                registry=self.registry,
                preparer=self.isolation,
                plans=self.plans,
                quests=self.quests,
                retention=self.retention,
                mission_table=state.missions,
                quest_table=state.quests,
                ritual_table=state.rituals,
            )
        )
        self.notifications = Notifications(
            settings.notify, self.tasks.start, web_address=partial(web_address, home, settings.web.public_url)
        )
        self._wire()

    async def start(self) -> None:
        """Take over: read the books, find or start the keeper, settle the difference."""
        self.registry.load()
        self.leases.load()
        self.agents.load()
        self.engine_questions.load(self.registry.live.keys())
        self.unseen.load(self.state.events, self.state.seen)
        self.isolation.load()
        self.launcher.assume_requested(self.registry.live.values())
        self.missions.end_marked()
        self.unrecorded.load()
        self.missions.left_processes.load()
        await self.keeper.connect(patient=False)
        self.missions.left_processes.resume()
        self.isolation.resume()
        self.landing.resume()
        self.plans.load()
        self.quest_registry.load()
        self.isolation.tidy_again(self.quest_registry.ended_at)
        self.engine.specs.load()
        self.quests.load()
        self.engine.quest_asker.load()
        self.engine.attempts.load()
        self.engine.budgets.load()
        self.engine.queue.load()
        self.schedules.rituals.load()
        self.quests.resume()
        self.engine.resume()
        self.line.send_needs()
        self.schedules.begin()
        self.engine.watching.resume()
        self.tasks.start(self.engine.watching.run())
        self.tasks.start(self.terminator.run())
        self.tasks.start(self.load_history.run())
        self.tasks.start(self.progress.beat(self.registry.index.some_live))
        self.swarm.begin()

    async def leave(self, how: Departure) -> Unsaved | None:
        """Stop acting, part from the keeper, and return what could not be saved; the host ends at `leaving`."""
        self.phase.closing = True
        self.phase.handing_over = how is not Departure.END
        self.deadlines.cancel_all()
        self.leases.cancel()
        await self.isolation.suspend()
        failure = self.journal.save_at_once()
        pid = self.line.hello.get("pid")
        unsaved = None if failure is None else Unsaved(failure, pid, await self.keeper.unsaved_ends())
        await self.keeper.leave(how)
        self.phase.leaving.set()
        return unsaved

    def state_is_damaged(self, trouble: str) -> None:
        """Tell a person that the state is damaged; `trouble`: a sentence that says what to do."""
        self.state_trouble = trouble
        self.events.record(
            NotificationDue(mission=THE_QUEUE.id, name="state.db", why="blocked", now=trouble, about=THE_QUEUE)
        )

    def close(self) -> None:
        """Stop all background work."""
        self.swarm.close()
        self.capture.close()
        self.memory.close()
        self.plans.close()
        self.engine.close()
        self.isolation.close()
        self.schedules.close()
        self.leases.cancel()
        self.tasks.close()
        self.trees.close()
        self.journal.close()

    @property
    def genomes(self) -> GenomeTrust:
        """Whether files in git from which agents were taken are trusted here."""
        return GenomeTrust(self.state.trusted, self.journal.flush)

    def _join_swarm(self) -> SwarmHost:
        """The membership in a swarm: nothing of it is loaded in a home that is in none."""
        return SwarmHost(
            SwarmParts(
                home=self.home,
                settings=self.settings,
                clock=self.clock,
                database=self.state.database,
                meta_table=self.state.meta,
                journal=self.journal,
                tasks=self.tasks,
                keeper=self.line,
                registry=self.registry,
                missions=self.missions,
                leases=self.leases,
                quests=self.quest_registry,
                attempts=self.engine.attempts,
                changes=self.engine.queue_changes,
                inbox=next(one for one in self.agent_apis if isinstance(one, QuestionApi)),
                results=self.engine.results,
                plan_outputs=lambda: AgentOutputs(self.home, self.journal, self.state.agents),
                observer=self.observer,
                agents=self.agents,
                memory=self.memory,
                genomes=self.genomes,
                followed=self._followed_posts,
            )
        )

    def _followed_posts(self) -> list[str]:
        """What of this home waits for posts of the swarm."""
        specs = self.engine.specs.posted()
        return [*(f"plan {name}" for name in self.plans.posted()), *(f"spec {slug}" for slug in specs)]

    def _spec_posts(self) -> SpecPosts:
        """What specs ask of the swarm: they are done by it."""
        from overmind_core.swarm.spec_posts import SpecPosts  # noqa: PLC0415 - for those who have specs

        return SpecPosts(self.swarm)

    def _variables_of(self, mission: Mission) -> Mapping[str, str]:
        """What a mission's runs are given and nobody saves: secrets of the swarm's posts."""
        return self.swarm.variables(mission)

    def _on_landed_by_hand(self, landing: LandingRow) -> None:
        """Tell the quest whose work a person has landed."""
        landed = LandedWork(landing.target, landing.before, landing.after, by_hand_at=landing.at)
        self.engine.attempts.landed_by_hand(landing.mission, landed)

    def _wire(self) -> None:
        """Who hears of what, in this order: tests/core/daemon/test_order.py says why."""
        self.swarm = self._join_swarm()
        self.registry.on_end = [self.plans.on_end, self.engine.attempts.on_unsaved_end]
        self.landing.on_landed_by_hand = self._on_landed_by_hand
        self.budgets.on_spent = self.engine.budgets.on_spent
        self.isolation.keep_while(lambda mission: mission in self.quest_registry.live)
        self.isolation.serve_while(lambda mission: goes_on_in_folder(self.quest_registry.live.get(mission)))
        self.isolation.verify_while(lambda mission: own_verify(self.quest_registry.get(mission)) is not None)
        effects = Effects(
            launcher=self.launcher,
            terminator=self.terminator,
            preparer=self.isolation,
            plans=self.plans,
            tasks=self.tasks,
        )
        bus = self.bus
        bus.subscribe(EffectDue, effects.on_effect)
        for reader in (self.registry, self.followers, self.isolation):
            bus.subscribe(OutputGrew, reader.on_output)
        bus.subscribe(MissionChanged, self.deadlines.on_change)
        bus.subscribe(MissionChanged, self.terminator.on_change)
        bus.subscribe(MissionChanged, self.agents.on_change)
        bus.subscribe(MissionChanged, self.engine_questions.on_change)
        bus.subscribe(MissionChanged, self.followers.on_change)
        bus.subscribe(MissionChanged, self.keeper.on_change)
        bus.subscribe(MissionChanged, self.isolation.on_change)
        bus.subscribe(MissionChanged, self.plans.on_change)
        bus.subscribe(MissionChanged, self.quests.on_change)
        bus.subscribe(MissionChanged, self.engine.attempts.on_change)
        bus.subscribe(MissionChanged, self.schedules.on_change)
        bus.subscribe(MissionChanged, self.engine.watching.on_change)
        bus.subscribe(MissionChanged, self.swarm.on_change)
        bus.subscribe(FactRead, self.engine.watching.on_fact)
        bus.subscribe(MessageQueued, self.engine.watching.on_message)
        bus.subscribe(MessageDelivered, self.engine.watching.on_delivery)
        self.engine_questions.on(EngineNeed.STEER, self.engine.watching.on_answer)
        bus.subscribe(QuestEnded, self.schedules.on_quest_end)
        bus.subscribe(QuestEnded, self.engine.specs.on_quest_end)
        bus.subscribe(WorkLanded, self.engine.specs.on_landed)
        for step in STEPS:
            bus.subscribe(step, self.isolation.on_work)
        bus.subscribe(QuestEnded, self.swarm.on_quest_end)
        bus.subscribe(QuestEnded, lambda ended: self.isolation.no_longer_needed(ended.quest.id))
        bus.subscribe(QuestChanged, lambda changed: self.isolation.look_again(changed.mission))
        for kind in NEWSWORTHY:
            bus.subscribe(kind, self.unseen.on_news)
        bus.subscribe(MissionEnded, self.retention.on_end)
        for part in (self.engine.quest_asker, self.memory, self.leases, self.missions.left_processes):
            bus.subscribe(MissionRemoved, part.on_removal)
        bus.subscribe(QuestionAsked, self.engine.specs.on_hold)
        bus.subscribe(QuestionAsked, self.swarm.on_question)
        bus.subscribe(QueueChanged, self.engine.specs.on_hold)
        bus.subscribe(NotificationDue, self.notifications.on_notification)
        bus.subscribe(Event, self.followers.on_event)
        for one in (self.keeper, self.progress, self.terminator, self.missions.left_processes):
            bus.subscribe(RunConcluded, one.on_conclusion)
        bus.subscribe(EndHeldUp, self.terminator.on_held_up)
        self.terminator.on_untold = self.keeper.ask_about
        self.capture = CaptureHost(self.memory, self.agents, self.tasks, bus)

    def _spec_asked_about(self, word: str) -> About:
        return self.engine.specs.asked_about(word)

    def _spec_worked_for(self, subject: str) -> str | None:
        return self.engine.specs.worked_for(subject, self.registry)

    def _last_output(self, mission: Mission) -> float:
        return self.progress.of(mission.run_id).last

    async def _confirm(self, mission: Mission) -> None:
        """Whether it is as silent as it seems."""
        await self.progress.refresh()
        self.deadlines.silent(mission, self._last_output(mission))
