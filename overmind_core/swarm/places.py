"""The places of fleets at this hive: each a run that is looked after until it is ready, and of which it is told.

A place is ready once its probe says so; without one, once its newest run has lasted for 10 s. Restarts within a run are
the hive's own; what has ended for good is the swarm's to fill again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.missions.facts import EndAsked
from overmind_core.domain.missions.mission import Cause, Status
from overmind_core.domain.plans.blueprint import Probe
from overmind_core.domain.plans.progress import NOT_READY
from overmind_core.errors import OvermindError
from overmind_core.probes.probe import NotReady, until_ready
from overmind_core.swarm.stops import Stops

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.probes.poll import Observer
    from overmind_core.swarm.runs import Runs
    from overmind_core.swarm.store import HeldClaim
    from overmind_core.swarm.works import Sent
    from overmind_core.system.machine import Clock

READY_AFTER = 10.0
"""Seconds of a run after which a place without a probe is ready."""
HEALTHY_AFTER = 60.0
"""Seconds of a run after which earlier failures don't count any more."""
_RUNS = frozenset({Status.RUNNING, Status.PAUSED})


class ReadyWhen(msgspec.Struct, frozen=True):
    """What a definition says about being ready."""

    ready: Probe | None = None
    ready_env: dict[str, str] = {}


class _Watch:
    """The look after one run of a place."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.is_ready = False
        self.task: asyncio.Task[None] | None = None


class Places:
    """Starts, ends and describes them. On the loop's thread.

    Args:
        runs: A place is a run besides.
        registry: Where its mission is found.
        missions: Ends it.
        observer: Tells probes of it.
        clock: Measures how long a run lasts.
        tasks: For the looks.
        changed: Called with the mission of a place that has become ready.
    """

    def __init__(
        self,
        *,
        runs: Runs,
        registry: Registry,
        missions: Missions,
        observer: Observer,
        clock: Clock,
        tasks: Tasks,
        changed: Callable[[str], None],
    ) -> None:
        self._runs = runs
        self._registry = registry
        self._stops = Stops(missions, tasks)
        self._observer = observer
        self._clock = clock
        self._tasks = tasks
        self._changed = changed
        self._watches: dict[str, _Watch] = {}
        """By post."""

    async def start(self, held: HeldClaim, sent: Sent) -> None:
        """Start it as a run.

        Raises:
            OvermindError: it can't be started here.
        """
        _ready_when(held)
        await self._runs.start(held, sent)

    async def end(self, held: HeldClaim) -> None:
        """End it at once: it is somebody else's."""
        await self._runs.end(held)

    async def cancel(self, held: HeldClaim) -> None:
        """Stop it as its definition says: nobody wants it any more. The hive goes on meanwhile."""
        self._stops.stop(self._runs.mission_of(held))

    def report(self, held: HeldClaim) -> dict[str, Any] | None:
        """Return what the swarm is told of one that goes on; None: nothing is known of it yet."""
        report = self._runs.report(held)
        return None if report is None else {**report, "ready": self._is_ready(held)}

    def end_of(self, held: HeldClaim, *, cancelling: bool) -> dict[str, Any] | None:
        """Return what the swarm is told of its end; None: it goes on, or was fenced."""
        end = self._runs.end_of(held, cancelling=cancelling)
        if end is None:
            return None
        self._forget(held.claim.id)
        mission = self._runs.mission_of(held)
        return {**end, "healthy": mission is not None and self._lasted(mission) >= HEALTHY_AFTER}

    def is_fenced(self, held: HeldClaim) -> bool:
        """Whether its lease has ended here."""
        return self._runs.is_fenced(held)

    async def outputs(self, held: HeldClaim) -> dict[str, bytes]:
        """A place hands nothing on."""
        del held
        return {}

    async def handed_on(self, held: HeldClaim) -> dict[str, Any] | None:
        """A place is none of a plan."""
        del held
        return None

    # becoming ready

    def _is_ready(self, held: HeldClaim) -> bool:
        """Whether its newest run is ready; a run that is new is looked after from now on."""
        post, mission = held.claim.id, self._runs.mission_of(held)
        if mission is None or mission.status not in _RUNS:
            self._forget(post)
            return False
        watch = self._watches.get(post)
        if watch is None or watch.run != mission.run_id:
            self._forget(post)
            watch = self._watches[post] = _Watch(mission.run_id)
            watch.task = self._tasks.start(self._look(watch, mission, _ready_when(held)))
        return watch.is_ready

    async def _look(self, watch: _Watch, mission: Mission, when: ReadyWhen) -> None:
        if when.ready is None:
            await asyncio.sleep(max(READY_AFTER - self._lasted(mission), 0.0))
        else:
            try:
                await until_ready(self._observer, mission, when.ready, when.ready_env)
            except NotReady as error:
                self._give_up(mission, error.why)
                return
        watch.is_ready = True
        self._changed(mission.id)

    def _give_up(self, mission: Mission, why: str) -> None:
        """It had its time: it ends, and the swarm fills the place again."""
        current = self._registry.live.get(mission.id)
        if current is not None:
            ask = EndAsked(Cause.LIMIT, current.definition.grace, f"--- not ready: {why} ---", reason=NOT_READY)
            self._registry.apply_if_legal(current, ask, urgent=True)

    def _forget(self, post: str) -> None:
        watch = self._watches.pop(post, None)
        if watch is not None and watch.task is not None:
            watch.task.cancel()

    def _lasted(self, mission: Mission) -> float:
        """Seconds since its newest run was started, of this boot; 0: it never was."""
        if not mission.run_started_mono or mission.boot != self._registry.boot:
            return 0.0
        return self._clock.mono() - mission.run_started_mono


def _ready_when(held: HeldClaim) -> ReadyWhen:
    """Read when a place is ready.

    Raises:
        OvermindError: `invalid`, its definition says nothing that is known here.
    """
    try:
        return msgspec.json.decode(held.claim.definition, type=ReadyWhen)
    except msgspec.ValidationError as error:
        raise OvermindError("invalid", f"Place {held.claim.name} can't run here: {error}") from None
