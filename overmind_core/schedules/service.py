"""The service of rituals: checks what is due, saves that it is, starts it, and records how it ended.

Decide → save → act: a time that is due becomes a run with a number in the commit that marks the time as dealt with;
what the run starts has a key made of that number. So a supervisor that is ended at any point starts nothing twice, and
the next one starts what this one had saved and not begun.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from overmind_core.domain.missions.outcome import ON_PURPOSE, outcome_of, state_of_ended
from overmind_core.domain.missions.reasons import sentence
from overmind_core.domain.quests.classes import last_failure
from overmind_core.domain.schedules import UNBEGUN, Ritual, RitualRun, RunStatus, Trigger
from overmind_core.errors import OvermindError
from overmind_core.kernel.api_server import HandingOver
from overmind_core.kernel.database import StoreError
from overmind_core.kernel.tasks import SingleFlight
from overmind_core.quests.registry import QuestEnded
from overmind_core.schedules import due
from overmind_core.schedules.due import CatchUp, DueAction, DueDecision, Overlap, Policy, Standing, decide

if TYPE_CHECKING:
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.answer_types import MissionBrief
    from overmind_core.missions.changes import MissionChanged
    from overmind_core.missions.registry import Registry
    from overmind_core.quests.service import QuestService
    from overmind_core.schedules.actions import Starter
    from overmind_core.schedules.registry import RitualRegistry, RunRetention
    from overmind_core.system.machine import Clock

LOOK_SECONDS = 15.0
"""The longest wait between two looks: no timer runs while the machine sleeps, and its clock may be set."""
_STATUS = {
    DueAction.START: RunStatus.STARTING,
    DueAction.QUEUE: RunStatus.QUEUED,
    DueAction.SKIP: RunStatus.SKIPPED,
    DueAction.MISS: RunStatus.MISSED,
}
_REASONS = {DueAction.SKIP: "overlap", DueAction.MISS: "not_there"}


AGENT_FAILED = "an agent of it failed"
"""Why the plan of a run has failed, where it has no reason of its own."""


class Schedules:
    """Used from the loop's thread only."""

    def __init__(
        self,
        *,
        journal: Journal,
        clock: Clock,
        phase: Phase,
        tasks: Tasks,
        registry: Registry,
        quests: QuestService,
        rituals: RitualRegistry,
        starter: Starter,
        retention: RunRetention,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._phase = phase
        self._tasks = tasks
        self._registry = registry
        self._quests = quests
        self.rituals = rituals
        self._starter = starter
        self._retention = retention
        self._starts: SingleFlight[MissionBrief | None] = SingleFlight()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """From now on things happen by themselves; what the supervisor before left open comes first."""
        for ritual in list(self.rituals.all):
            for run in self.rituals.open_runs(ritual).values():
                if run.status is RunStatus.RUNNING:
                    self._settle_by_its_mission(run)
            self._go_on(ritual)
        self.check_due()

    def close(self) -> None:
        """Nothing happens by itself any more."""
        if self._timer is not None:
            self._timer.cancel()

    # what people do

    async def create(self, ritual: Ritual, environment: str) -> None:
        """Have a new ritual.

        Raises:
            StoreError: it can't be saved; there is none.
        """
        await self.rituals.add(ritual, environment)
        self.rituals.record_event(ritual, "created")
        self.check_due()

    def forget(self, ritual: Ritual) -> None:
        """It is no more; what it has started goes on."""
        self.rituals.remove(ritual)
        self.rituals.record_event(ritual, "deleted")

    def pause(self, ritual: Ritual, *, paused: bool) -> Ritual:
        """Have nothing more come by itself, or again: times that passed meanwhile are over.

        Raises:
            OvermindError: `invalid`: the machine has lost its time zone, and it stays paused.
        """
        if ritual.paused == paused:
            return ritual
        if not paused:
            self.rituals.read_again(ritual)
        changed = replace(ritual, paused=paused, last=max(ritual.last, self._clock.wall()))
        self.rituals.put(changed)
        self.rituals.record_event(changed, "paused" if paused else "resumed")
        self._go_on(ritual.id)
        self.check_due()
        return changed

    async def run_now(self, ritual: Ritual, request: str | None) -> RitualRun:
        """Run it now; while the run before goes on it waits, where that is its overlap. Answers when it runs or waits.

        Raises:
            OvermindError: `busy`, the run before goes on; `not_found`, it was deleted meanwhile; or why it can't start.
        """
        known = self.rituals.runs(ritual)
        earlier = next((run for run in known if request is not None and run.request == request), None)
        run = earlier or self._by_hand(ritual, request)
        await self._journal.saved()
        begun: MissionBrief | None = None
        if run.status is RunStatus.STARTING:
            begun = await self._start_once(ritual.id, run.number)
            run = next((one for one in self.rituals.runs(ritual) if one.number == run.number), run)
        if ritual.id not in self.rituals.all:
            goes_on = "" if begun is None else f" What it had begun goes on: {begun['name']} ({begun['id']})."
            raise OvermindError("not_found", f"The ritual {ritual.name!r} has been deleted meanwhile.{goes_on}")
        if run.status is RunStatus.FAILED and run.mission is None:
            raise OvermindError(run.reason or "internal", run.text)
        if run.status is RunStatus.STARTING:
            raise OvermindError("busy", f"Ritual {ritual.name} could not start yet. It will be tried again.")
        return run

    def _by_hand(self, ritual: Ritual, request: str | None) -> RitualRun:
        before = self.rituals.open_runs(ritual.id)
        if before and (ritual.overlap != Overlap.QUEUE or len(before) > due.LONGEST_QUEUE):
            running = ", ".join(run.mission or f"run {run.number}" for run in before.values())
            raise OvermindError("busy", f"The previous run of ritual {ritual.name} is still running: {running}.")
        # While it is paused those that were queued by its times stay so, and one by hand waits for what runs alone.
        waits = any(run.status is not RunStatus.QUEUED for run in before.values()) if ritual.paused else bool(before)
        status = RunStatus.QUEUED if waits else RunStatus.STARTING
        now = self._clock.wall()
        run = RitualRun(ritual.id, ritual.number + 1, status, Trigger.MANUAL, now, request=request)
        with self._journal.together():
            self.rituals.put(replace(ritual, number=run.number))
            self.rituals.put_run(run)
        self.rituals.record_event(ritual, "run", run)
        return run

    # what happens by itself

    def check_due(self) -> None:
        """Deal with whatever is due, and come back when the next thing is."""
        now = self._clock.wall()
        if not self._leaves:
            for ritual in list(self.rituals.all.values()):
                self._check_ritual(ritual, now)
                self._retry(ritual.id)
        self.close()
        if (wait := self._wait(now)) is not None:
            self._timer = asyncio.get_running_loop().call_later(wait, self.check_due)

    @property
    def _leaves(self) -> bool:
        """Whether the daemon is about to leave: the next one finds everything as it is."""
        return self._phase.closing or self._phase.handing_over

    def _wait(self, now: float) -> float | None:
        """Seconds until the next look; None: not before somebody does something."""
        register = self.rituals
        times = [at for one in register.all.values() if (at := register.following(one)) is not None]
        if not times and not register.any_open():
            return None
        soonest = min(times, default=now + LOOK_SECONDS)
        return LOOK_SECONDS if self._leaves else min(LOOK_SECONDS, max(soonest - now, 0.0))

    def _check_ritual(self, ritual: Ritual, now: float) -> None:
        following = self.rituals.following(ritual)
        was_set_back = ritual.last > now + due.CORRECTION
        if ritual.paused or not (was_set_back or (following is not None and following <= now)):
            return
        decision = decide(self.rituals.schedule(ritual), _policy(ritual), self._standing(ritual), now)
        with self._journal.together():
            if decision.outcome is None or decision.due is None:
                self.rituals.put(replace(ritual, last=decision.last))
            else:
                self._deal_with(ritual, decision, decision.outcome, decision.due)

    def _standing(self, ritual: Ritual) -> Standing:
        runs = self.rituals.open_runs(ritual.id)
        waiting = sum(run.status is RunStatus.QUEUED for run in runs.values())
        return Standing(ritual.last, busy=len(runs) > waiting, waiting=waiting)

    def _deal_with(self, ritual: Ritual, decision: DueDecision, outcome: DueAction, at: float) -> None:
        changed = replace(ritual, last=decision.last, number=ritual.number + 1)
        run = RitualRun(
            ritual.id,
            changed.number,
            _STATUS[outcome],
            Trigger.CATCH_UP if decision.late else Trigger.SCHEDULE,
            at,
            missed=decision.missed,
            reason=_REASONS.get(outcome),
        )
        self.rituals.put(changed)
        self.rituals.put_run(run, lambda: self._go_on(ritual.id))
        self.rituals.record_event(changed, run.status.value if run.status in UNBEGUN else "run", run)
        if run.status in UNBEGUN:
            self._tasks.start(self._retention.tidy(changed))

    def _retry(self, ritual_id: str) -> None:
        """Begin again what could not be saved, or came while the daemon was about to leave."""
        if any(run.status is RunStatus.STARTING for run in self.rituals.open_runs(ritual_id).values()):
            self._go_on(ritual_id)

    def _go_on(self, ritual_id: str) -> None:
        """Start what is to be started: a run that is saved as such, else, when none goes on, the first that waits."""
        runs = self.rituals.open_runs(ritual_id)
        ritual = self.rituals.all.get(ritual_id)
        if ritual is None or self._leaves:
            return
        able = [run for run in runs.values() if not ritual.paused or run.trigger is Trigger.MANUAL]
        if able and all(run.status is RunStatus.QUEUED for run in runs.values()):
            first = min(able, key=lambda run: run.number)
            self.rituals.put_run(replace(first, status=RunStatus.STARTING), lambda: self._go_on(ritual_id))
            return
        for run in runs.values():
            if run.status is RunStatus.STARTING:
                self._tasks.start(self._start_once(ritual_id, run.number))

    async def _start_once(self, ritual_id: str, number: int) -> MissionBrief | None:
        """Start a run, or join whoever does; whether the supervisor before had done so already, its key tells.

        None: it was not started.
        """
        return await self._starts.do(f"{ritual_id}:{number}", lambda: self._start(ritual_id, number))

    async def _start(self, ritual_id: str, number: int) -> MissionBrief | None:
        ritual = self.rituals.all.get(ritual_id)
        run = self.rituals.open_runs(ritual_id).get(number)
        if ritual is None or run is None or run.status is not RunStatus.STARTING:
            return None
        try:
            await self._journal.saved()
            answer = await self._starter.start(ritual, run)
        except (HandingOver, StoreError):
            return None  # the next look, or the next supervisor, tries again
        except OvermindError as error:
            if not self._phase.closing:
                self._failed(run, error)
            return None
        self._on_started(run, answer)
        return answer

    def _failed(self, run: RitualRun, error: OvermindError) -> None:
        now = self._clock.wall()
        failed = replace(run, status=RunStatus.FAILED, started_at=now, ended_at=now)
        self._over(replace(failed, reason=error.code, text=error.message))

    def _on_started(self, run: RitualRun, answer: MissionBrief) -> None:
        now = self._clock.wall()
        begun = replace(run, status=RunStatus.RUNNING, mission=answer["id"], name=answer["name"], started_at=now)
        if run.ritual in self.rituals.all:
            self.rituals.put_run(begun, lambda: self._settle_by_its_mission(begun))

    # how it ends

    def on_quest_end(self, ended: QuestEnded) -> None:
        """A quest has ended, perhaps a run's."""
        quest = ended.quest
        run = self.rituals.run_of(quest.id)
        if run is not None:
            over = replace(run, status=RunStatus(quest.status.value), ended_at=quest.ended_at)
            text = sentence(last_failure(quest), quest.limit) or None
            self._over(replace(over, exit_code=quest.exit_code, reason=quest.reason, text=text))

    def on_change(self, change: MissionChanged) -> None:
        """A state of a mission was saved."""
        self.changed(change.saved)

    def changed(self, mission: Mission) -> None:
        """A mission has changed, perhaps a run's plan."""
        run = None if mission.is_live else self.rituals.run_of(mission.id)
        if run is not None and self._quests.get(mission.id) is None:
            status = RunStatus(state_of_ended(mission))
            ended = replace(run, status=status, ended_at=mission.ended_at, exit_code=mission.shell_exit)
            outcome = outcome_of(mission)
            reason = outcome.value if outcome in ON_PURPOSE else mission.reason
            text = sentence(reason, mission.limit) or (AGENT_FAILED if status is RunStatus.FAILED else None)
            self._over(replace(ended, reason=reason, text=text))

    def _settle_by_its_mission(self, run: RitualRun) -> None:
        """It may have ended before anybody knew whose it was."""
        if run.mission is None:
            return
        quest = self._quests.get(run.mission)
        mission = self._registry.get(run.mission)
        if quest is not None and not quest.runs:
            self.on_quest_end(QuestEnded(quest))
        elif quest is None and mission is not None:
            self.changed(mission)
        elif quest is None:
            self._over(replace(run, status=RunStatus.FAILED, ended_at=self._clock.wall(), reason="gone"))

    def _over(self, run: RitualRun) -> None:
        ritual = self.rituals.all.get(run.ritual)
        self.rituals.put_run(run, lambda: self._go_on(run.ritual))
        if ritual is not None:
            self.rituals.record_event(ritual, "ended", run)
            self._tasks.start(self._retention.tidy(ritual))


def _policy(ritual: Ritual) -> Policy:
    return Policy(Overlap(ritual.overlap), CatchUp(ritual.catch_up))
