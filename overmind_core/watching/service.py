"""Watching missions that run: each is checked for output or CPU use once a beat, and agents are scored as they work.

The CPU is measured for silent missions only, and no timer runs while no mission does. `domain/watching` decides; this
module collects what the decisions need, and carries them out.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from overmind_core.domain.actor import ENGINE, is_person
from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.agents.spending import cost_of
from overmind_core.domain.missions.mission import Kind, Mission, Status
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.duration import format_uptime
from overmind_core.domain.watching import conductor, guardian, health, steering
from overmind_core.domain.watching.conductor import Member
from overmind_core.domain.watching.guardian import Observed, Scope
from overmind_core.domain.watching.health import HealthLevel
from overmind_core.domain.watching.steering import Capabilities
from overmind_core.errors import OvermindError
from overmind_core.watching.events import HealthChanged
from overmind_core.watching.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from overmind_core.agents.engine_questions import EngineQuestion
    from overmind_core.agents.service import Agents
    from overmind_core.agents.session import FactRead
    from overmind_core.domain.agents.agent import ActivityKind
    from overmind_core.domain.agents.agent_events import Decision
    from overmind_core.domain.agents.events import MessageDelivered, MessageQueued
    from overmind_core.domain.isolation.isolation import Isolation
    from overmind_core.domain.quests.quest import Goal, Quest
    from overmind_core.domain.settings import GuardianSettings, HealthSettings
    from overmind_core.domain.watching.conductor import Coherence
    from overmind_core.domain.watching.guardian import Review
    from overmind_core.domain.watching.health import Liveness
    from overmind_core.domain.watching.learning import Estimate
    from overmind_core.domain.watching.review import Reviewed
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.changes import MissionChanged
    from overmind_core.missions.output_progress import OutputProgress
    from overmind_core.missions.registry import Registry
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.system.machine import Clock
    from overmind_core.watching.overlaps import Overlaps
    from overmind_core.watching.steerer import Steerer
    from overmind_core.watching.tree_cpu import TreeCpu
    from overmind_core.watching.worktrees import Worktrees

NO_WORKTREE = ""
"""The repository of a mission without a worktree: it changes the files of the person's own folders."""
_log = logging.getLogger(__name__)


class Watching:
    """All missions that are watched. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        clock: Clock,
        phase: Phase,
        registry: Registry,
        progress: OutputProgress,
        agents: Agents,
        quests: QuestRegistry,
        isolations: Mapping[str, Isolation],
        worktrees: Worktrees,
        overlaps: Overlaps,
        steerer: Callable[[], Steerer],
        tasks: Tasks,
        cpu: TreeCpu,
        health_settings: HealthSettings,
        guardian_settings: GuardianSettings,
        estimated: Callable[[Quest], Estimate],
    ) -> None:
        """`isolations`: what each mission has of its own, by mission; it changes as they come and go.

        `estimated`: what an attempt of a quest takes.
        """
        self._estimated = estimated
        self._clock = clock
        self._phase = phase
        self._registry = registry
        self._progress = progress
        self._agents = agents
        self._quests = quests
        self._isolations = isolations
        self._worktrees = worktrees
        self._overlaps = overlaps
        self._steerer = steerer
        self._tasks = tasks
        self._cpu = cpu
        self.health = health_settings
        self.guardian = guardian_settings
        self._watches: dict[str, Watch] = {}
        self._wanted = asyncio.Event()

    def on_change(self, change: MissionChanged) -> None:
        """Begin to watch a mission that has got a process; stop with one that has ended."""
        mission = change.current
        if not mission.is_live:
            watch = self._watches.pop(mission.id, None)
            if watch is not None:
                watch.close()
                self._overlaps.forget(mission.id)
            if not self._watches:
                self._wanted.clear()
        elif mission.status is Status.RUNNING and self._is_watchable(mission):
            self._watch(mission, earlier=mission.run > 1)
        if (watch := self._watches.get(mission.id)) is not None:
            self._settle(watch, mission)

    def resume(self) -> None:
        """Watch what runs already."""
        for mission in self._registry.live.values():
            if mission.status in {Status.RUNNING, Status.PAUSED} and self._is_watchable(mission):
                self._watch(mission, earlier=True)
                watch = self._watches[mission.id]
                self._settle(watch, mission)
                if watch.liveness is not None:
                    watch.liveness = health.resumed(self._clock.mono(), self._heard_at(watch, mission), self.health)

    def on_answer(self, question: EngineQuestion, decision: Decision) -> None:
        """A person has decided whether a mission is to be steered.

        Raises:
            OvermindError: `not_running`, it has just ended.
        """
        mission = self._registry.live.get(question.about.id)
        watch = self._watches.get(question.about.id)
        if mission is None or watch is None:
            raise OvermindError("not_running", f"{question.about.name} has ended.")
        self._steerer().on_answer(watch, mission, self._capabilities(mission), question, decision)

    def _settle(self, watch: Watch, mission: Mission, *, is_alive: bool = False) -> None:
        """Withdraw the question whether to steer it once nothing is left to be decided."""
        if watch.steering.asking:
            self._steerer().settle(watch, mission, is_alive=is_alive)

    def on_fact(self, read: FactRead) -> None:
        """Take in what an agent has said or done."""
        watch = self._watches.get(read.mission)
        if watch is not None and watch.apply(read.fact, self._clock.mono()):
            self._sample_soon(watch)

    def on_message(self, event: MessageQueued) -> None:
        """A message was sent to a mission; only what a person sends begins something new."""
        watch = self._watches.get(event.mission or "")
        if watch is not None and is_person(event.by):
            watch.asked |= {event.message}

    def on_delivery(self, event: MessageDelivered) -> None:
        """A message has reached its agent."""
        watch = self._watches.get(event.mission or "")
        if watch is not None:
            watch.on_message_delivered(event.message)

    async def run(self) -> None:
        """Look once a beat while anything runs, for as long as the supervisor lives."""
        with suppress(OSError):
            await self._measure_resumed()
        while True:
            await self._wanted.wait()
            await asyncio.sleep(self.health.beat)
            try:
                await self.look()
            except OSError:  # too few descriptors are left just now: this beat does not count
                continue

    async def look(self) -> None:
        """Count a beat; a mission without output that did not use the CPU either has missed it.

        Raises:
            OSError: CPU times can't be read now; the silent missions have not missed this beat.
        """
        now, silent = self._clock.mono(), []
        for watch in list(self._watches.values()):
            mission = self._watched(watch)
            if mission is not None and watch.liveness is not None:
                if health.is_silent(watch.liveness, self._heard_at(watch, mission)):
                    silent.append((watch, mission))
                else:
                    self._beat(watch, mission, now)
        if silent:
            await self._measure_silent(silent)

    async def _measure_resumed(self) -> None:
        """Have something to compare with at the first beat for those that were silent already when we came."""
        resumed = [one.mission for one in self._watches.values() if one.liveness is not None and one.liveness.unwatched]
        missions = [mission for one in resumed if (mission := self._registry.live.get(one)) is not None]
        if missions:
            await self._cpu.percent(missions, self._clock.mono())

    async def _measure_silent(self, silent: Sequence[tuple[Watch, Mission]]) -> None:
        await self._progress.look()  # it may have written since the keeper was asked last
        now = self._clock.mono()
        used = await self._cpu.percent([mission for _, mission in silent], now)
        for watch, before in silent:
            mission = self._watched(watch)
            if mission is not None and mission.run == before.run and watch.liveness is not None:
                self._beat(watch, mission, now, used.get(mission.id))

    def _beat(self, watch: Watch, mission: Mission, now: float, cpu: float | None = None) -> None:
        assert watch.liveness is not None
        watch.worked += now - watch.liveness.looked_at
        watch.liveness = health.beat(watch.liveness, now, heard_at=self._heard_at(watch, mission), cpu_percent=cpu)
        if not watch.liveness.missed:
            self._settle(watch, mission, is_alive=True)
        watch.may_alarm = self._may_alarm(mission)
        level = health.level(watch.liveness, self.health, may_alarm=watch.may_alarm)
        changed, why = level is not watch.recorded_level, ""
        if changed:
            why = "a sign of life" if level is HealthLevel.OK else self._silence(watch, now)
            self._record_level(watch, mission, level, why)
        alarms = changed and level in health.ALARMING
        # A little CPU time is no sign of life, but enough to change a file.
        watch.touched = watch.touched or not watch.liveness.missed or bool(cpu)
        if changed and level is HealthLevel.HUNG and self._is_steered(mission):
            self._steerer().on_hung(watch, mission, self._capabilities(mission), mode=self.guardian.steer, evidence=why)
        elif alarms or (self._may_tell_more(watch, mission, level) and self._is_due(watch)):
            self._begin_sample(watch, mission)

    def _watched(self, watch: Watch) -> Mission | None:
        """The mission while silence is a bad sign for it; None while it waits, is held, or has just stopped to wait."""
        mission = self._registry.live.get(watch.mission)
        if mission is None or mission.run != watch.run:
            return None
        if not self._is_watched(mission):
            if mission.status is Status.RUNNING and mission.reason is None:  # what it waits for, its agent has told
                self._settle(watch, mission, is_alive=True)
            if watch.liveness is not None:
                watch.liveness = None
                self._record_level(watch, mission, HealthLevel.OK, "it waits")
            return None
        if watch.liveness is None:
            watch.liveness = health.begin(self._clock.mono())
            return None
        return mission

    def _is_watched(self, mission: Mission) -> bool:
        return health.is_watched(mission.status, self._activity(mission), held=mission.held_mono is not None)

    def _record_level(self, watch: Watch, mission: Mission, level: HealthLevel, why: str) -> None:
        """Record the level of health if it has changed; that a server is quiet is no news."""
        if level is not watch.recorded_level:
            watch.recorded_level = level
            if not watch.may_alarm:
                return
            self._registry.record(mission, HealthChanged(level=level.value, by=ENGINE, why=why))

    def _silence(self, watch: Watch, now: float) -> str:
        assert watch.liveness is not None
        return f"no sign of life for {format_uptime(watch.liveness.silent_seconds(now))}"

    def _watch(self, mission: Mission, *, earlier: bool) -> None:
        """Watch the newest run; `earlier`: the mission may have been steered before, perhaps by an earlier daemon."""
        watch = self._watches.get(mission.id)
        if watch is None:
            watch = self._watches[mission.id] = Watch(mission.id, mission.run)
            if earlier:
                watch.steering = self._steerer().earlier(mission)
        elif watch.run != mission.run:
            watch.begin(mission.run)
        if watch.liveness is None:
            self._watched(watch)
        self._wanted.set()

    def _may_alarm(self, mission: Mission) -> bool:
        """Whether its silence is a bad sign: of an agent, a quest, and what was given a limit of silence."""
        return self._is_steered(mission) or mission.definition.activity_timeout > 0

    def _is_watchable(self, mission: Mission) -> bool:
        """Whether silence can be a bad sign: a plan has no process, and a program in a terminal is often idle."""
        kind = mission.definition.kind
        return kind is Kind.TASK or (kind is Kind.SESSION and mission.definition.provider != RAW)

    def _activity(self, mission: Mission) -> ActivityKind | None:
        if (waiting := self._agents.waiting.activity(mission.id)) is not None:
            return waiting.doing
        session = self._agents.of(mission.id)
        return None if session is None else session.state.activity.doing

    def _heard_at(self, watch: Watch, mission: Mission) -> float | None:
        return max(self._progress.of(mission.run_id).last, watch.fact_at) or None

    # the guardian

    def _sample_soon(self, watch: Watch) -> None:
        """Take a sample now, or as soon as the shortest pause between two samples is over."""
        mission = self._registry.live.get(watch.mission)
        if mission is None or watch.due is not None:
            return
        now = self._clock.wall()
        if self._is_due(watch):
            self._begin_sample(watch, mission)
        else:
            wait = self.guardian.every - (now - (watch.steering.sampled_at or now))
            watch.due = asyncio.get_running_loop().call_later(max(wait, 0.0), self._on_due, watch)

    def _is_due(self, watch: Watch) -> bool:
        return steering.is_due(watch.steering, self.guardian, self._clock.wall())

    def _may_tell_more(self, watch: Watch, mission: Mission, level: HealthLevel) -> bool:
        """Whether a sample could tell anything but what the one before it has told.

        Of a command without a worktree only silence can be measured.
        """
        if watch.sample is None or watch.sample.holding or watch.review is not None or level in health.ALARMING:
            return True
        return self._is_steered(mission) or self._worktrees.of(mission.id) is not None

    def _on_due(self, watch: Watch) -> None:
        watch.due = None
        mission = self._registry.live.get(watch.mission)
        if mission is not None and mission.run == watch.run and self._watches.get(watch.mission) is watch:
            self._begin_sample(watch, mission)

    def _begin_sample(self, watch: Watch, mission: Mission) -> None:
        """Take a sample; first ask git for the changed files, where they may have changed and matter."""
        if watch.looking:
            return
        if watch.touched and self._needs_worktree(mission):
            watch.looking, watch.touched = True, False
            self._tasks.start(self._read_worktree(watch, mission.run))
        else:
            self._sample(watch, mission)

    def _needs_worktree(self, mission: Mission) -> bool:
        """Whether its changed files matter: it may change some files only, or another mission shares its repository."""
        isolation = self._worktrees.of(mission.id)
        if isolation is None:
            return False
        others = (self._worktrees.of(one) for one in self._watches if one != mission.id)
        shared = any(one is not None and one.repository == isolation.repository for one in others)
        return shared or bool(self._owns(mission.id))

    async def _read_worktree(self, watch: Watch, run: int) -> None:
        try:
            changed = await self._worktrees.changed(watch.mission)
        finally:
            watch.looking = False
        mission = self._registry.live.get(watch.mission)
        if mission is None or mission.run != run or watch.run != run:
            return
        watch.changed = changed
        self._sample(watch, mission)
        if changed:
            await self._overlaps.look(self.members())

    def _sample(self, watch: Watch, mission: Mission) -> None:
        if self._phase.closing or mission.status is not Status.RUNNING:  # at the end of an attempt no sample is needed
            return
        watch.close()
        now = self._clock.wall()
        watch.sample = guardian.sample(self._observed(watch, mission), now, watch.review)
        capabilities = self._capabilities(mission)
        settings = self.guardian if self._is_steered(mission) else self.guardian._replace(steer="off")
        watch.steering, judged, steer = steering.follow(watch.steering, watch.sample, capabilities, settings)
        if judged is not None:
            self._steerer().record_outcome(mission, judged)
        if steer is not None:
            self._steerer().begin(watch, mission, capabilities, steer)

    def _is_steered(self, mission: Mission) -> bool:
        """Whether the guardian steers it: agents and quests only, since a silent server may be all right."""
        return mission.definition.provider != RAW or mission.id in self._quests.live

    def _capabilities(self, mission: Mission) -> Capabilities:
        """How a mission can be steered."""
        takes_messages = mission.definition.kind is Kind.SESSION and self._agents.of(mission.id) is not None
        return Capabilities(takes_messages=takes_messages, is_queued=self._is_queued(mission.id))

    def _observed(self, watch: Watch, mission: Mission) -> Observed:
        """What the guardian's sample is computed from."""
        session, goal, quest = self._agents.of(mission.id), self._goal(mission.id), self._quests.live.get(mission.id)
        now = self._clock.mono()
        return Observed(
            window=watch.window,
            level=watch.level(self.health),
            silent_seconds=0.0 if watch.liveness is None else watch.liveness.silent_seconds(now),
            scope=None if goal is None or not goal.owns else self._scope(mission, goal.owns),
            changed=watch.changed,
            seconds=watch.worked + (0.0 if watch.liveness is None else now - watch.liveness.looked_at),
            estimate_seconds=None if quest is None else self._estimated(quest).seconds,
            cost_usd=None if session is None else cost_of(session.state),
            estimate_usd=None if quest is None else self._estimated(quest).usd,
        )

    def _scope(self, mission: Mission, owns: tuple[str, ...]) -> Scope:
        """The files that it may change: below the top of its worktree, or of the checkout that it works in."""
        folder = from_wire(mission.definition.cwd)
        isolation = self._isolations.get(mission.id)
        top = folder if isolation is None else from_wire(isolation.worktree or isolation.source)
        return Scope(owns, top, folder)

    def _goal(self, mission_id: str) -> Goal | None:
        quest = self._quests.live.get(mission_id)
        return None if quest is None else quest.goal

    def _owns(self, mission_id: str) -> tuple[str, ...]:
        goal = self._goal(mission_id)
        return () if goal is None else goal.owns

    def _is_queued(self, mission_id: str) -> bool:
        quest = self._quests.live.get(mission_id)
        return quest is not None and quest.is_queued

    # what others ask

    def reviewed(self, mission: Mission, watch: Watch) -> Reviewed:
        """What the reviewer is given about a mission."""
        from overmind_core.domain.watching.review import Reviewed  # noqa: PLC0415 - for those who have a mission reviewed

        agent, goal = self._agents.agent(mission.id), self._goal(mission.id)
        if goal is not None:
            task = f"{goal.title}\n\n{goal.brief}".strip()
        else:
            task = (agent.prompt if agent is not None else None) or mission.definition.command
        edited = watch.edited(from_wire(mission.definition.cwd))
        return Reviewed(
            name=mission.definition.name,
            task=task,
            uses=watch.window.uses,
            changed=tuple(sorted(watch.changed if watch.changed is not None else edited)),
            terms=() if watch.sample is None else watch.sample.terms,
        )

    def take_review(self, mission: Mission, review: Review) -> None:
        """Use the result of a review from now on, unless another run has begun since."""
        watch, current = self._watches.get(mission.id), self._registry.live.get(mission.id)
        if watch is not None and current is not None and watch.run == mission.run == current.run:
            watch.review = review
            self._sample(watch, current)

    def of(self, mission_id: str) -> Watch | None:
        """The watch of a mission; None: it is not watched."""
        return self._watches.get(mission_id)

    async def refresh(self) -> None:
        """Learn what missions have written since the keeper was asked last."""
        if self._watches:
            await self._progress.look()

    def liveness_of(self, mission: Mission) -> Liveness | None:
        """The signs of life of a mission until now; None: its silence is no bad sign, or it is not watched.

        It may have stopped to wait since the newest beat.
        """
        watch = self._watches.get(mission.id)
        if watch is None or watch.liveness is None or not self._is_watched(mission):
            return None
        return health.as_heard(watch.liveness, self._heard_at(watch, mission))

    def count_unwatched(self) -> int:
        """How many missions have a process whose silence means nothing at any time, such as a shell's."""
        held = {Status.RUNNING, Status.PAUSED}
        return sum(
            one.status in held and one.definition.kind is not Kind.BLUEPRINT and one.id not in self._watches
            for one in self._registry.live.values()
        )

    def members(self) -> list[Member]:
        """All that are watched, as the conductor sees them."""
        return [self._member(watch) for watch in self._watches.values()]

    def coherence(self) -> Coherence:
        """How well all missions go together."""
        return conductor.coherence(self.members())

    def _member(self, watch: Watch) -> Member:
        isolation = self._worktrees.of(watch.mission)
        mission = self._registry.live.get(watch.mission)
        if isolation is not None:
            repository, changed = isolation.repository, watch.changed or frozenset()
        else:
            repository, changed = NO_WORKTREE, watch.edited(from_wire(mission.definition.cwd) if mission else "/")
        return Member(
            id=watch.mission,
            alignment=None if watch.sample is None else watch.sample.alignment,
            steered=watch.steering.pending is not None,
            repository=repository,
            changed=changed,
            isolated=isolation is not None,
        )
