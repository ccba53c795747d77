"""Looks what is due, saves that it is, starts it, and notes how it ended.

Decide → save → act: a time that is due becomes a run with a number in the commit that marks the time as dealt with;
what the run starts has a key made of that number. So a supervisor that is ended at any point starts nothing twice, and
the next one starts what this one had saved and not begun.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from overmind_core.domain.quests import Quest
from overmind_core.domain.schedules import UNBEGUN, Ritual, RitualRun, RunStatus, Trigger
from overmind_core.errors import OvermindError
from overmind_core.kernel.api_server import HandingOver
from overmind_core.kernel.database import StoreError
from overmind_core.kernel.tasks import SingleFlight
from overmind_core.schedules import due
from overmind_core.schedules.actions import begin
from overmind_core.schedules.due import CatchUp, Decision, Outcome, Overlap, Policy, Standing, decide
from overmind_core.schedules.registry import RitualRegistry, tidy

if TYPE_CHECKING:
    from overmind_core.daemon.app import Supervisor
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.missions.changes import MissionChanged

LOOK_SECONDS = 15.0
"""The longest wait between two looks: no timer runs while the machine sleeps, and its clock may be set."""
_STATUS = {
    Outcome.START: RunStatus.STARTING,
    Outcome.QUEUE: RunStatus.QUEUED,
    Outcome.SKIP: RunStatus.SKIPPED,
    Outcome.MISS: RunStatus.MISSED,
}
_REASONS = {Outcome.SKIP: "overlap", Outcome.MISS: "not_there"}


class Schedules:
    """Used from the loop's thread only."""

    def __init__(self, core: Supervisor) -> None:
        self._core = core
        self.register = RitualRegistry(core)
        self._beginning: SingleFlight[None] = SingleFlight()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """From now on things happen by themselves; what the supervisor before left open comes first."""
        for ritual in list(self.register.all):
            for run in self.register.open_runs(ritual).values():
                if run.status is RunStatus.RUNNING:
                    self._settle_by_its_mission(run)
            self._go_on(ritual)
        self.look()

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
        await self.register.add(ritual, environment)
        self.register.tell(ritual, "created")
        self.look()

    def forget(self, ritual: Ritual) -> None:
        """It is no more; what it has started goes on."""
        self.register.remove(ritual)
        self.register.tell(ritual, "deleted")

    def pause(self, ritual: Ritual, *, paused: bool) -> Ritual:
        """Have nothing more come by itself, or again: times that passed meanwhile are over."""
        if ritual.paused == paused:
            return ritual
        changed = replace(ritual, paused=paused, last=max(ritual.last, self._core.clock.wall()))
        self.register.put(changed)
        self.register.tell(changed, "paused" if paused else "resumed")
        self._go_on(ritual.id)
        self.look()
        return changed

    async def run_now(self, ritual: Ritual, request: str | None) -> RitualRun:
        """Run it now, or once the run before has ended; answers when it runs or waits.

        Raises:
            OvermindError: `busy`, the run before goes on; or why it can't start.
        """
        known = self.register.runs(ritual)
        earlier = next((run for run in known if request is not None and run.request == request), None)
        run = earlier or self._by_hand(ritual, request)
        await self._core.ledger.saved()
        if run.status is RunStatus.STARTING:
            await self._begin(ritual.id, run.number)
            run = next((one for one in self.register.runs(ritual) if one.number == run.number), run)
        if run.status is RunStatus.FAILED and run.mission is None:
            raise OvermindError(run.reason or "internal", run.text)
        if run.status is RunStatus.STARTING:
            raise OvermindError("busy", f"Ritual {ritual.name} could not begin yet; it is tried again.")
        return run

    def _by_hand(self, ritual: Ritual, request: str | None) -> RitualRun:
        before = self.register.open_runs(ritual.id)
        if before and (ritual.overlap != Overlap.QUEUE or len(before) > due.LONGEST_QUEUE):
            running = ", ".join(run.mission or f"run {run.number}" for run in before.values())
            raise OvermindError("busy", f"The run before of ritual {ritual.name} goes on: {running}.")
        status = RunStatus.QUEUED if before else RunStatus.STARTING
        now = self._core.clock.wall()
        run = RitualRun(ritual.id, ritual.number + 1, status, Trigger.MANUAL, now, request=request)
        with self._core.ledger.together():
            self.register.put(replace(ritual, number=run.number))
            self.register.put_run(run)
        self.register.tell(ritual, "run", run)
        return run

    # what happens by itself

    def look(self) -> None:
        """Deal with whatever is due, and come back when the next thing is."""
        now = self._core.clock.wall()
        if not self._leaves:
            for ritual in list(self.register.all.values()):
                self._look_at(ritual, now)
                self._retry(ritual.id)
        self.close()
        if (wait := self._wait(now)) is not None:
            self._timer = asyncio.get_running_loop().call_later(wait, self.look)

    @property
    def _leaves(self) -> bool:
        """Whether the daemon is about to leave: the next one finds everything as it is."""
        return self._core.phase.closing or self._core.phase.handing_over

    def _wait(self, now: float) -> float | None:
        """Seconds until the next look; None: not before somebody does something."""
        register = self.register
        times = [at for one in register.all.values() if (at := register.following(one)) is not None]
        if not times and not register.any_open():
            return None
        soonest = min(times, default=now + LOOK_SECONDS)
        return LOOK_SECONDS if self._leaves else min(LOOK_SECONDS, max(soonest - now, 0.0))

    def _look_at(self, ritual: Ritual, now: float) -> None:
        following = self.register.following(ritual)
        was_set_back = ritual.last > now + due.CORRECTION
        if ritual.paused or not (was_set_back or (following is not None and following <= now)):
            return
        decision = decide(self.register.schedule(ritual), _policy(ritual), self._standing(ritual), now)
        with self._core.ledger.together():
            if decision.outcome is None or decision.due is None:
                self.register.put(replace(ritual, last=decision.last))
            else:
                self._deal_with(ritual, decision, decision.outcome, decision.due)

    def _standing(self, ritual: Ritual) -> Standing:
        runs = self.register.open_runs(ritual.id)
        waiting = sum(run.status is RunStatus.QUEUED for run in runs.values())
        return Standing(ritual.last, busy=len(runs) > waiting, waiting=waiting)

    def _deal_with(self, ritual: Ritual, decision: Decision, outcome: Outcome, at: float) -> None:
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
        self.register.put(changed)
        self.register.put_run(run, lambda: self._go_on(ritual.id))
        self.register.tell(changed, run.status.value if run.status in UNBEGUN else "run", run)
        if run.status in UNBEGUN:
            self._core.background(tidy(self._core, changed))

    def _retry(self, ritual_id: str) -> None:
        """Begin again what could not be saved, or came while the daemon was about to leave."""
        if any(run.status is RunStatus.STARTING for run in self.register.open_runs(ritual_id).values()):
            self._go_on(ritual_id)

    def _go_on(self, ritual_id: str) -> None:
        """Start what is to be started: a run that is saved as such, else, when none goes on, the first that waits."""
        runs = self.register.open_runs(ritual_id)
        ritual = self.register.all.get(ritual_id)
        if ritual is None or self._leaves:
            return
        if not ritual.paused and runs and all(run.status is RunStatus.QUEUED for run in runs.values()):
            first = runs[min(runs)]
            self.register.put_run(replace(first, status=RunStatus.STARTING), lambda: self._go_on(ritual_id))
            return
        for run in runs.values():
            if run.status is RunStatus.STARTING:
                self._core.background(self._begin(ritual_id, run.number))

    async def _begin(self, ritual_id: str, number: int) -> None:
        """Start a run, or join whoever does; whether the supervisor before had done so already, its key tells."""
        await self._beginning.do(f"{ritual_id}:{number}", lambda: self._start(ritual_id, number))

    async def _start(self, ritual_id: str, number: int) -> None:
        ritual = self.register.all.get(ritual_id)
        run = self.register.open_runs(ritual_id).get(number)
        if ritual is None or run is None or run.status is not RunStatus.STARTING:
            return
        try:
            await self._core.ledger.saved()
            answer = await begin(self._core, ritual, run)
        except (HandingOver, StoreError):
            return  # the next look, or the next supervisor, tries again
        except OvermindError as error:
            if not self._core.phase.closing:
                self._failed(run, error)
            return
        self._begun(run, answer)

    def _failed(self, run: RitualRun, error: OvermindError) -> None:
        now = self._core.clock.wall()
        failed = replace(run, status=RunStatus.FAILED, started_at=now, ended_at=now)
        self._over(replace(failed, reason=error.code, text=error.message))

    def _begun(self, run: RitualRun, answer: dict[str, Any]) -> None:
        now = self._core.clock.wall()
        begun = replace(run, status=RunStatus.RUNNING, mission=answer["id"], name=answer["name"], started_at=now)
        if run.ritual in self.register.all:
            self.register.put_run(begun, lambda: self._settle_by_its_mission(begun))

    # how it ends

    def quest_ended(self, quest: Quest) -> None:
        """A quest has ended, perhaps a run's."""
        run = self.register.run_of(quest.id)
        if run is not None:
            ended = replace(run, status=RunStatus(quest.status.value), ended_at=quest.ended_at)
            self._over(replace(ended, exit_code=quest.exit_code, reason=quest.reason))

    def on_change(self, change: MissionChanged) -> None:
        """A state of a mission was saved."""
        self.changed(change.saved)

    def changed(self, mission: Mission) -> None:
        """A mission has changed, perhaps a run's plan."""
        run = None if mission.is_live else self.register.run_of(mission.id)
        if run is not None and self._core.quests.get(mission.id) is None:
            status = RunStatus.COMPLETED if mission.shell_exit == 0 else RunStatus.FAILED
            ended = replace(run, status=status, ended_at=mission.ended_at, exit_code=mission.shell_exit)
            self._over(replace(ended, reason=mission.reason))

    def _settle_by_its_mission(self, run: RitualRun) -> None:
        """It may have ended before anybody knew whose it was."""
        if run.mission is None:
            return
        quest = self._core.quests.get(run.mission)
        mission = self._core.book.get(run.mission)
        if quest is not None and not quest.runs:
            self.quest_ended(quest)
        elif quest is None and mission is not None:
            self.changed(mission)
        elif quest is None:
            self._over(replace(run, status=RunStatus.FAILED, ended_at=self._core.clock.wall(), reason="gone"))

    def _over(self, run: RitualRun) -> None:
        ritual = self.register.all.get(run.ritual)
        self.register.put_run(run, lambda: self._go_on(run.ritual))
        if ritual is not None:
            self.register.tell(ritual, "ended", run)
            self._core.background(tidy(self._core, ritual))


def _policy(ritual: Ritual) -> Policy:
    return Policy(Overlap(ritual.overlap), CatchUp(ritual.catch_up))
