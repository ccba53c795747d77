"""The posts of pools at this hive: who holds one decides how many instances there are, and has the engine start them.

An instance is a row of the swarm before it is started, and its name is the key: whoever takes the post after a crash
finds by the engine's list what was begun. Nothing is started or ended while the engine does not answer, nor once the
lease of the post is nearly over. Engines wait for programs, so they are asked in threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from overmind_core.domain.swarm import scaling
from overmind_core.domain.swarm.instance_names import name_at_engine
from overmind_core.domain.swarm.leases import deadline_of
from overmind_core.domain.swarm.scaling import Deed, Instance, Machine, Seen, Step
from overmind_core.domain.text.duration import format_uptime
from overmind_core.errors import OvermindError
from overmind_core.pool_engines.program import EngineSilent, SeenInstance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from overmind_core.domain.swarm.pools import PoolSettings
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.pool_engines.engine import Engine
    from overmind_core.swarm.answers import PoolLook
    from overmind_core.swarm.line import SwarmLine
    from overmind_core.swarm.pool_settings import HomePools
    from overmind_core.swarm.store import HeldClaim, SwarmStore
    from overmind_core.system.machine import Clock

LOOK = 5.0
"""Seconds between two looks; also for how long a post must have waited before an instance is started for it."""
MISSING_AFTER = 30.0
"""Seconds after which an instance that its engine does not list is none."""
STRAY_AFTER = 60.0
"""Seconds that a machine may go on after its instance has ended for the swarm."""
LEAST_LEFT = 10.0
"""Seconds of the lease that have to be left when something is begun."""
_log = logging.getLogger(__name__)


class PoolPosts:
    """A `Work`. On the loop's thread.

    Args:
        pools: What this home knows of them.
        store: Knows the session.
        line: Returns one to the swarm; no beat waits for what it is asked.
        clock: Leases count on its boot clock.
        tasks: For what decides.
        changed: Called with the id of a post of which there is something to tell.
    """

    def __init__(
        self,
        *,
        pools: HomePools,
        store: SwarmStore,
        line: Callable[[], SwarmLine],
        clock: Clock,
        tasks: Tasks,
        changed: Callable[[str], None],
    ) -> None:
        self._pools = pools
        self._store = store
        self._line = line
        self._clock = clock
        self._tasks = tasks
        self._changed = changed
        self._deciders: dict[str, _Decider] = {}
        """By post."""

    async def start(self, held: HeldClaim, sent: Callable[[], float]) -> None:
        """Decide about a pool from now on.

        Raises:
            OvermindError: its instances can't be started from here.
        """
        settings = self._pools.named(held.claim.name)
        if hindrance := self._pools.hindrance(settings):
            raise OvermindError("invalid", hindrance)
        await self.end(held)
        decider = self._deciders[held.claim.id] = _Decider(self, held, deadline_of(sent(), held.claim.lease))
        decider.task = self._tasks.start(decider.run())

    def is_begun(self, held: HeldClaim) -> bool:
        """Whether this daemon decides for a claim, and still can."""
        decider = self._deciders.get(held.claim.id)
        is_ours = decider is not None and decider.held.claim.fence == held.claim.fence
        return is_ours and held.claim.name in self._pools.startable()

    async def end(self, held: HeldClaim) -> None:
        """Decide no more: its instances go on."""
        decider = self._deciders.pop(held.claim.id, None)
        if decider is not None and decider.task is not None:
            decider.task.cancel()
            await asyncio.gather(decider.task, return_exceptions=True)

    async def cancel(self, held: HeldClaim) -> None:
        """Nobody cancels a pool; its post goes with its login."""
        await self.end(held)

    def report(self, held: HeldClaim) -> dict[str, Any] | None:
        """Return how the pool stands, for people; None: it was not looked at yet."""
        decider = self._deciders.get(held.claim.id)
        return None if decider is None or not decider.state else {"progress": decider.state}

    def end_of(self, held: HeldClaim, *, cancelling: bool) -> dict[str, Any] | None:  # noqa: ARG002 - as in `Work`
        """None: it never ends by itself."""
        return None

    def is_fenced(self, held: HeldClaim) -> bool:  # noqa: ARG002 - as above
        """False: once its lease is over, nothing is begun, and the next beat says whose it is."""
        return False

    async def outputs(self, held: HeldClaim) -> dict[str, bytes]:  # noqa: ARG002 - as above
        """A pool hands nothing on."""
        return {}

    async def handed_on(self, held: HeldClaim) -> dict[str, Any] | None:  # noqa: ARG002 - as above
        """A pool is none of a plan."""
        return None

    def renew(self, sent: float) -> None:
        """A beat was accepted that was sent then. Boot clock, seconds."""
        for decider in self._deciders.values():
            decider.deadline = deadline_of(sent, decider.held.claim.lease)

    def wake_up(self) -> None:
        """Look at once: somebody wants more instances, or fewer."""
        for decider in self._deciders.values():
            decider.wake.set()


class _Decider:
    """What decides about one pool for one claim of its post."""

    def __init__(self, parts: PoolPosts, held: HeldClaim, deadline: float) -> None:
        self.held = held
        self.deadline = deadline
        """After which another hive may decide. Boot clock, seconds."""
        self.state: dict[str, Any] = {}
        self.wake = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self._parts = parts
        self._settings: PoolSettings | None = None
        """As of the last look."""
        self._swarm = ""
        """The id of the swarm; empty: it was not asked yet."""
        self._waited: frozenset[str] = frozenset()
        """Posts that waited at the last look."""
        self._since: dict[tuple[str, str], float] = {}
        """Observation and name of an instance → since when it has been so. Boot clock, seconds."""

    async def run(self) -> None:
        """Look again and again."""
        while True:
            self.wake.clear()
            try:
                await self._turn()
            except EngineSilent as error:
                self._set_state(silence=str(error))
            except OvermindError as error:
                _log.warning("pool %s: %s", self.held.claim.name, error.message)
            except Exception:  # noqa: BLE001 - a bug, or an engine that says what nobody has foreseen: tried again
                _log.exception("pool %s could not be looked after", self.held.claim.name)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), LOOK)

    @property
    def _may_act(self) -> bool:
        return self._parts._clock.boot() < self.deadline - LEAST_LEFT  # noqa: SLF001 - one part in two classes

    async def _turn(self) -> None:
        """Bring rows and machines together, and have as many as are wanted."""
        if not self._may_act:
            return
        from overmind_core.pool_engines.engine import engine_of  # noqa: PLC0415 - for those who decide about a pool

        claim = self.held.claim
        settings = self._settings = self._parts._pools.named(claim.name)  # noqa: SLF001 - as above
        engine = engine_of(settings)
        if not self._swarm:
            self._swarm = (await self._parts._line().ask(lambda swarm: swarm.hello())).id  # noqa: SLF001 - as above
        listed = [Machine(*one) for one in await asyncio.to_thread(engine.seen)]
        machines = scaling.machines_of(listed, self._swarm, claim.name)
        look = await self._look(settings, machines)
        if look.word != "ok":
            return
        instances = [_instance(one) for one in look.instances]
        self._notice(instances, machines)
        seen = Seen(
            missing=self._lasting("missing", MISSING_AFTER),
            late=self._lasting("late", settings.join),
            stray=self._lasting("stray", STRAY_AFTER),
        )
        for step in scaling.steps(instances, machines, seen, format_uptime(settings.join)):
            await self._do(step, engine, settings, machines)
        waiting = frozenset(look.waiting)
        steady, self._waited = waiting & self._waited, waiting
        target = scaling.wanted(len(steady), scaling.held_by(instances), settings.slots, settings.min, settings.max)
        live = sum(map(scaling.counts, instances))
        self._set_state(target)
        if target > live:
            await self._add(target - live, engine, settings)

    async def _look(self, settings: PoolSettings, machines: Mapping[str, Machine]) -> PoolLook:
        session, claim = self._session, self.held.claim
        most = settings.max * settings.slots
        alive = [one.name for one in machines.values() if one.state != scaling.ENDED]
        return await self._parts._line().ask(  # noqa: SLF001 - as above
            lambda swarm: swarm.look_at_pool(session, claim.id, claim.fence, settings.labels, most=most, alive=alive)
        )

    async def _add(self, count: int, engine: Engine, settings: PoolSettings) -> None:
        session, claim = self._session, self.held.claim
        asked = await self._parts._line().ask(  # noqa: SLF001 - as above
            lambda swarm: swarm.ask_instances(session, claim.id, claim.fence, count, settings.max)
        )
        for name in asked.names:
            await self._do(Step(Deed.START, name), engine, settings, {})

    async def _do(self, step: Step, engine: Engine, settings: PoolSettings, machines: Mapping[str, Machine]) -> None:
        """One deed, unless the lease is nearly over: whoever has the post then goes on."""
        if not self._may_act:
            return
        if step.deed is Deed.START:
            name = name_at_engine(self._swarm, step.name)
            command = self._parts._pools.command(settings, name)  # noqa: SLF001 - as above
            engine_id = await asyncio.to_thread(engine.start, name, command)
            _log.info("pool %s: started %s (%s)", settings.name, step.name, engine_id)
            await self._report(Step(Deed.REPORT, step.name, "started"), engine_id)
        elif step.deed is Deed.END:
            machine = machines[step.name]
            name = name_at_engine(self._swarm, step.name)
            await asyncio.to_thread(engine.end, SeenInstance(name, machine.engine_id, machine.state))
            _log.info("pool %s: ended %s", settings.name, step.name)
        else:
            at_engine = name_at_engine(self._swarm, step.name)
            await self._report(step, scaling.reported_id(machines.get(step.name), at_engine))

    async def _report(self, step: Step, engine_id: str | None) -> None:
        session, claim = self._session, self.held.claim
        await self._parts._line().ask(  # noqa: SLF001 - as above
            lambda swarm: swarm.report_instance(
                session, claim.id, claim.fence, step.name, step.state, engine_id=engine_id, reason=step.reason
            )
        )
        if step.reason is not None:
            _log.warning("pool %s: %s: %s", claim.name, step.name, step.reason)

    @property
    def _session(self) -> str:
        session = self._parts._store.session  # noqa: SLF001 - as above
        assert session is not None
        return session.id

    def _set_state(self, target: int | None = None, silence: str = "") -> None:
        settings = self._settings
        assert settings is not None  # an engine was asked, or has not answered
        self.state = {
            "engine": settings.engine, "min": settings.min, "max": settings.max, "slots": settings.slots,
            "labels": dict(settings.labels), "wanted": self.state.get("wanted") if silence else target,
            "silence": silence,
        }  # fmt: skip
        self._parts._changed(self.held.claim.id)  # noqa: SLF001 - as above

    def _notice(self, instances: Sequence[Instance], machines: Mapping[str, Machine]) -> None:
        """Remember since when something has been so."""
        now = self._parts._clock.boot()  # noqa: SLF001 - as above
        is_so = set()
        for one in instances:
            machine = machines.get(one.name)
            lives = machine is not None and machine.state != scaling.ENDED
            if machine is None and one.state not in {scaling.ASKED, scaling.ENDED}:
                is_so.add(("missing", one.name))
            if machine is not None and machine.state == scaling.RUNNING and one.state not in {
                scaling.JOINED, scaling.ENDED,
            }:  # fmt: skip
                is_so.add(("late", one.name))
            if lives and one.state == scaling.ENDED:
                is_so.add(("stray", one.name))
        self._since = {what: self._since.get(what, now) for what in is_so}

    def _lasting(self, what: str, seconds: float) -> set[str]:
        """Return the names of which something has been so for at least so many seconds."""
        now = self._parts._clock.boot()  # noqa: SLF001 - as above
        return {name for (word, name), since in self._since.items() if word == what and now - since >= seconds}


def _instance(one: Any) -> Instance:  # noqa: ANN401 - `answers.Instance`
    return Instance(one.name, one.state, one.ending, one.is_hive, one.is_draining, one.held)
