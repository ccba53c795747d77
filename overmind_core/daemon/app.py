"""The supervisor: its parts, and what passes between them.

Facts come in from the keeper, the clock and people; the book turns each into a state and effects; the parts carry
those out. Nothing here decides.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from overmind_core.agents.activity import ActivityEffects
from overmind_core.agents.api_cost import CostApi
from overmind_core.agents.api_messages import MessageApi
from overmind_core.agents.api_questions import QuestionApi
from overmind_core.agents.api_stream import StreamApi
from overmind_core.agents.budgets import Budgets
from overmind_core.agents.handover import Handover
from overmind_core.agents.input_queue import InputQueue
from overmind_core.agents.messages import MessageQueue
from overmind_core.agents.output_reader import OutputReader, TitleReader
from overmind_core.agents.permission_hooks import PermissionWaiters
from overmind_core.agents.questions import Questions
from overmind_core.agents.rules import Rules
from overmind_core.agents.service import Agents
from overmind_core.agents.session import AgentContext
from overmind_core.agents.store import AgentStore
from overmind_core.agents.submission import Submission
from overmind_core.agents.terminal_driver import TerminalDriver
from overmind_core.agents.terminal_screen import TerminalScreens
from overmind_core.domain.missions.facts import EndTree, Prepare, SignalTree, Spawn
from overmind_core.domain.missions.mission import Kind, Mission
from overmind_core.isolation.service import IsolationService
from overmind_core.kernel.bus import Bus
from overmind_core.kernel.journal import Journal
from overmind_core.kernel.phase import Phase
from overmind_core.kernel.tasks import SingleFlight, Tasks
from overmind_core.landing.service import MergeQueue
from overmind_core.missions.api_seen import SeenApi
from overmind_core.missions.attachments import Attachments
from overmind_core.missions.changes import EffectDue, EventStored, MissionChanged, OutputGrew, RunConcluded
from overmind_core.missions.deadlines import Deadlines
from overmind_core.missions.followers import Followers
from overmind_core.missions.keeper_sync import Departure, KeeperSync
from overmind_core.missions.launcher import Environment, Launcher
from overmind_core.missions.output_progress import LastLines, OutputProgress
from overmind_core.missions.registry import Registry
from overmind_core.missions.resources import Meter, Usage
from overmind_core.missions.terminator import ProcessTrees, Terminator
from overmind_core.notifications.service import Notifications, Unseen
from overmind_core.plans.service import Plans
from overmind_core.quests.service import Quests
from overmind_core.schedules.service import Schedules
from overmind_core.system.machine import boot_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.daemon.state import State
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.keeper_client import KeeperHost
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home

_log = logging.getLogger(__name__)


class Supervisor:
    """Everything that lives as long as one supervisor does."""

    def __init__(self, home: Home, state: State, settings: Settings, keepers: KeeperHost, clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        self.home = home
        self.state = state
        self.settings = settings
        self.clock = clock
        self.keepers = keepers
        self.started_at = clock.wall()
        self.ledger = Journal(state.database, loop)
        self.bus = Bus()
        self.tasks = Tasks()
        self.background = self.tasks.start
        self.phase = Phase()
        self.book = Registry(self.bus, state, self.ledger, clock, boot_id())
        self.spawner = Launcher(home, self.book, settings, self.environment)
        self.pulse = OutputProgress(self.bus, clock, lambda run: run.partition(".")[0] in self.book.live)
        self.feed = Followers(self.book)
        self.timers = Deadlines(loop, self.book, lambda mission: self.pulse.of(mission.run_id).last)
        self.trees = ProcessTrees(self.book, home.root, settings.leave)
        self.ender = Terminator(self.book, self.trees)
        self.attached = Attachments()
        self.beginning: SingleFlight[dict[str, Any]] = SingleFlight()
        self.custody = KeeperSync(self)
        self.budgets = Budgets(self.book, self.ledger, state.budgets)
        self.desk, agent_apis = self._agents()
        self.plans = Plans(self)
        self.quests = Quests(self)
        self.rituals = Schedules(self)
        self.isolation = IsolationService(self)
        self.landing = MergeQueue(self)
        self.news = Unseen()
        self.notifications = Notifications(settings.notify, self.background)
        self.last_lines = LastLines()
        seen_api = SeenApi(
            registry=self.book,
            journal=self.ledger,
            clock=clock,
            event_table=state.events,
            seen_table=state.seen,
            unseen=self.news,
            followers=self.feed,
        )
        self.apis: tuple[object, ...] = (*agent_apis, seen_api)
        self._meter = Meter()
        self._wire()

    async def start(self) -> None:
        """Take over: read the books, find or start the keeper, settle the difference."""
        self.book.load()
        self.desk.load()
        self.news.load(self.state)
        self.isolation.load()
        self.spawner.suppose_asked(self.book.live.values())
        await self.custody.connect(patient=False)
        self.isolation.take_up()
        self.landing.take_up()
        self.plans.load()
        self.quests.load()
        self.rituals.register.load()
        self.quests.take_up()
        self.custody.tell_needs()
        self.rituals.begin()
        self.background(self.ender.run())
        self.background(self.pulse.beat(lambda: bool(self.book.live)))

    def environment(self, mission_id: str) -> Environment:
        """What the mission's caller sent."""
        self.ledger.flush()
        saved = self.state.environments.get(mission_id)
        parts = json.loads(saved) if saved else {}
        own = self.isolation.environment(mission_id)
        return Environment(parts.get("inherited", {}), {**own, **parts.get("chosen", {})})

    async def leave(self, how: Departure) -> None:
        """Stop acting and part from the keeper; the host ends once `leaving` is set."""
        self.phase.closing = True
        self.phase.handing_over = how is not Departure.END
        self.timers.cancel_all()
        await self.isolation.rest()
        self.ledger.flush()
        await self.custody.leave(how)
        self.phase.leaving.set()

    async def usage(self, missions: Sequence[Mission]) -> dict[str, Usage]:
        """What the process trees of these missions use, by mission."""
        targets = {one.id: target for one in missions if (target := self.trees.target(one)) is not None}
        if not targets:
            return {}
        trees = await self.trees.identities(list(targets.values()))
        return await self._meter.measure({one: trees[target.run] for one, target in targets.items()})

    def close(self) -> None:
        """Stop all background work."""
        self.plans.close()
        self.isolation.close()
        self.rituals.close()
        self.tasks.close()
        self.trees.close()
        self.ledger.close()

    def _agents(self) -> tuple[Agents, tuple[object, ...]]:
        """The agents, and what answers requests about them."""
        book, journal, clock, home = self.book, self.ledger, self.clock, self.home
        progress, followers = self.pulse, self.feed
        state = self.state
        store = AgentStore(
            state.agents, state.messages, state.questions, state.inputs, state.cursors, state.costs, state.budgets
        )
        screens, waiters = TerminalScreens(book, progress, home), PermissionWaiters()
        messages = MessageQueue(journal, store.messages, clock)
        questions = Questions(journal, store.questions, clock)
        driver = TerminalDriver(self.tasks, screens, waiters, self.attached)
        context = AgentContext(
            registry=book,
            journal=journal,
            clock=clock,
            store=store,
            messages=messages,
            questions=questions,
            rules=Rules(self.settings, self.environment, unattended=self.keepers.kill_after is not None),
            waiters=waiters,
            inputs=InputQueue(journal, store.inputs, self.custody),
            driver=driver,
            activity=ActivityEffects(book, clock, progress, followers),
            budgets=self.budgets,
        )
        titles = TitleReader(followers, progress, screens, clock)
        output = OutputReader(
            tasks=self.tasks,
            titles=titles,
            followers=followers,
            progress=progress,
            cursors=store.cursors,
            home=home,
        )
        handover = Handover(followers, self.attached, self.phase, clock)
        agents = Agents(context, output, driver, handover, self.tasks)
        return agents, (
            MessageApi(
                agents=agents,
                submission=Submission(agents, messages, journal),
                queue=messages,
                registry=book,
                journal=journal,
                home=home,
            ),
            QuestionApi(
                agents=agents,
                questions=questions,
                waiters=waiters,
                driver=driver,
                registry=book,
                journal=journal,
                phase=self.phase,
            ),
            StreamApi(book, followers, progress, home),
            CostApi(journal, store.costs, clock),
        )

    def _wire(self) -> None:
        """Who hears of what, in this order: tests/core/daemon/test_order.py says why."""
        bus = self.bus
        bus.subscribe(EffectDue, self._act)
        bus.subscribe(OutputGrew, self._grown)
        bus.subscribe(OutputGrew, self.feed.on_output)
        bus.subscribe(MissionChanged, self.timers.on_change)
        bus.subscribe(MissionChanged, self.ender.on_change)
        bus.subscribe(MissionChanged, self.desk.on_change)
        bus.subscribe(MissionChanged, self.feed.on_change)
        bus.subscribe(MissionChanged, self.custody.on_change)
        bus.subscribe(MissionChanged, self.isolation.on_change)
        bus.subscribe(MissionChanged, self.plans.on_change)
        bus.subscribe(MissionChanged, self.quests.on_change)
        bus.subscribe(MissionChanged, self.rituals.on_change)
        bus.subscribe(EventStored, self.news.on_event)
        bus.subscribe(EventStored, self.notifications.on_event)
        bus.subscribe(EventStored, self.feed.on_event)
        bus.subscribe(RunConcluded, self.custody.on_conclusion)
        bus.subscribe(RunConcluded, self.pulse.on_conclusion)
        bus.subscribe(RunConcluded, self.ender.on_conclusion)
        self.quests.ended = self.rituals.quest_ended
        self.spawner.ready = self.desk.ready
        self.spawner.launch = self.desk.launch
        self.spawner.setup = self.isolation.setup
        self.timers.confirm = lambda mission: void(self.background(self._confirm_silence(mission)))

    def _act(self, due: EffectDue) -> None:
        mission, effect = due
        if mission.definition.kind is Kind.BLUEPRINT:  # it has no process: its agents have
            if isinstance(effect, Spawn):
                self.plans.begin(mission)
            return
        match effect:
            case Spawn():
                self.background(self.spawner.respawn(mission))
            case Prepare():
                self.isolation.prepare(mission.id)
            case SignalTree(signals):
                self.ender.signal(mission, signals)
            case EndTree():
                self.ender.see_out(mission)

    def _grown(self, grew: OutputGrew) -> None:
        run, extent = grew
        mission_id = run.partition(".")[0]
        known = self.book.runs.get(mission_id)
        if known is not None and known.id == run:
            self.book.runs[mission_id] = replace(known, out=extent.out, err=extent.err)

    async def _confirm_silence(self, mission: Mission) -> None:
        await self.pulse.refresh()
        self.timers.silent(mission, self.pulse.of(mission.run_id).last)


def void(_: object) -> None:
    """Drop a result where a callback must return nothing."""
