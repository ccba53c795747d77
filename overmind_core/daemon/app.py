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

from overmind_core.agents.budgets import Budgets
from overmind_core.agents.service import Desk
from overmind_core.domain.missions.facts import EndTree, Prepare, SignalTree, Spawn
from overmind_core.domain.missions.mission import Kind, Mission
from overmind_core.isolation.service import Isolations
from overmind_core.kernel.journal import Ledger
from overmind_core.kernel.tasks import Once
from overmind_core.landing.service import Merger
from overmind_core.missions.attachments import Attached
from overmind_core.missions.deadlines import Timers
from overmind_core.missions.followers import Feed
from overmind_core.missions.keeper_sync import Custody, Departure
from overmind_core.missions.launcher import Environment, Spawner
from overmind_core.missions.output_progress import Extent, LastLines, Pulse
from overmind_core.missions.registry import Book
from overmind_core.missions.resources import Meter, Usage
from overmind_core.missions.terminator import Ender, Trees
from overmind_core.notifications.service import News, Notifications
from overmind_core.plans.service import Pipelines
from overmind_core.quests.service import Quests
from overmind_core.schedules.service import Calendar
from overmind_core.system.machine import boot_id

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from overmind_core.daemon.state import State
    from overmind_core.domain.missions.facts import Effect
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
        self.ledger = Ledger(state.database, loop)
        self.book = Book(state, self.ledger, clock, boot_id())
        self.spawner = Spawner(home, self.book, settings, self.environment)
        self.pulse = Pulse(clock)
        self.feed = Feed(self.book)
        self.timers = Timers(loop, self.book, lambda mission: self.pulse.of(mission.run_id).last)
        self.trees = Trees(self.book, home.root, settings.leave)
        self.ender = Ender(self.book, self.trees)
        self.attached = Attached()
        self.beginning: Once[dict[str, Any]] = Once()
        self.custody = Custody(self)
        self.desk = Desk(self)
        self.budgets = Budgets(self.book, state, self.ledger)
        self.plans = Pipelines(self)
        self.quests = Quests(self)
        self.rituals = Calendar(self)
        self.isolation = Isolations(self)
        self.landing = Merger(self)
        self.news = News()
        self.notifications = Notifications(settings.notify, self.background)
        self.leaving = asyncio.Event()
        self.closing = False
        """A shutdown is under way: nothing new is started."""
        self.handing_over = False
        """Another daemon takes over: requests are left to it."""
        self.last_lines = LastLines()
        self._meter = Meter()
        self._tasks: set[asyncio.Task[Any]] = set()
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

    def background(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something beside everything else; its failure is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def environment(self, mission_id: str) -> Environment:
        """What the mission's caller sent."""
        self.ledger.flush()
        saved = self.state.environments.get(mission_id)
        parts = json.loads(saved) if saved else {}
        own = self.isolation.environment(mission_id)
        return Environment(parts.get("inherited", {}), {**own, **parts.get("chosen", {})})

    async def leave(self, how: Departure) -> None:
        """Stop acting and part from the keeper; the host ends once `leaving` is set."""
        self.closing = True
        self.handing_over = how is not Departure.END
        self.timers.cancel_all()
        await self.isolation.rest()
        self.ledger.flush()
        await self.custody.leave(how)
        self.leaving.set()

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
        for task in list(self._tasks):
            task.cancel()
        self.trees.close()
        self.ledger.close()

    def _wire(self) -> None:
        self.book.act = self._act
        self.book.changed = self._changed
        self.book.published = self._published
        self.book.concluded = self._concluded
        self.pulse.grown = self._grown
        self.desk.spent = self.budgets.spend
        self.quests.ended = self.rituals.quest_ended
        self.spawner.ready = self.desk.ready
        self.spawner.launch = self.desk.launch
        self.spawner.setup = self.isolation.setup
        self.pulse.wanted = lambda run: run.partition(".")[0] in self.book.live
        self.timers.confirm = lambda mission: void(self.background(self._confirm_silence(mission)))

    def _act(self, mission: Mission, effect: Effect) -> None:
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

    def _changed(self, mission: Mission) -> None:
        current = self.book.live.get(mission.id, mission)
        self.timers.schedule(current)
        self.ender.changed(current)
        self.desk.changed(mission)
        self.feed.changed(current)
        self.custody.saved(mission)
        self.isolation.changed(current)
        self.plans.changed(current)
        self.quests.changed(mission)
        self.rituals.changed(mission)

    def _published(self, event: dict[str, Any]) -> None:
        self.news.happened(event)
        self.notifications.happened(event)
        self.feed.happened(event.get("mission"))

    def _concluded(self, run: str, spared: bool) -> None:  # noqa: FBT001 - a callback
        self.custody.concluded(run, spared=spared)
        self.pulse.forget(run)
        self.ender.forget(run)

    def _grown(self, run: str, extent: Extent) -> None:
        mission_id = run.partition(".")[0]
        known = self.book.runs.get(mission_id)
        if known is not None and known.id == run:
            self.book.runs[mission_id] = replace(known, out=extent.out, err=extent.err)
        self.feed.grown(run)

    async def _confirm_silence(self, mission: Mission) -> None:
        await self.pulse.refresh()
        self.timers.silent(mission, self.pulse.of(mission.run_id).last)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("background work failed", exc_info=task.exception())


def void(_: object) -> None:
    """Drop a result where a callback must return nothing."""
