"""All isolated missions: what each has of its own, who prepares it, and what becomes of it when it ends.

What makes and takes away is loaded with the first of them: a supervisor without any does without its memory.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from overmind_core.domain.facts import Note
from overmind_core.domain.isolation import naming
from overmind_core.domain.isolation.record import Removal
from overmind_core.domain.isolation.saga import Phase
from overmind_core.domain.mission import Definition, Status
from overmind_core.errors import OvermindError
from overmind_core.store.errors import StoreError
from overmind_core.supervisor.isolation import leftovers, saved
from overmind_core.supervisor.isolation.engines import Engines
from overmind_core.supervisor.isolation.ports import Ports
from overmind_core.supervisor.isolation.projects import Projects
from overmind_core.supervisor.lookup import find
from overmind_core.wire.bytestrings import from_wire

if TYPE_CHECKING:
    from overmind_core.domain.isolation.record import Isolation
    from overmind_core.domain.mission import Mission
    from overmind_core.git.run import Git
    from overmind_core.supervisor.core import Supervisor
    from overmind_core.supervisor.isolation.creating import Planned
    from overmind_core.supervisor.isolation.driver import Driver
    from overmind_core.supervisor.requests import Start

THREADS = 12
"""For git, engines and files: what blocks."""
NEED = "isolation"
REST_SECONDS, LOOK_SECONDS = 5.0, 0.2
"""For what is in threads to end when another supervisor takes over, and between two looks at it."""
_log = logging.getLogger(__name__)
T = TypeVar("T")


class Isolations:
    """Used from the loop's thread."""

    def __init__(self, core: Supervisor) -> None:
        self.core = core
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="isolation")
        self.projects = Projects(self.threads, core.state.trusted, core.ledger.flush)
        self.engines = Engines(self.threads)
        self.ports = Ports(core.state, core.ledger, self.threads)
        self.records: dict[str, Isolation] = {}
        """By mission; also of missions that were removed, as long as something is left."""
        self.steps: dict[str, str] = {}
        """Mission → what is going on, for people."""
        self._drivers: dict[str, Driver] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._told: set[tuple[str, str]] = set()
        self._in_threads: set[Future[Any]] = set()
        self._taken_up = False
        self._resting = False
        self._under_way = 0
        """How many things would be left in the middle if we died now."""

    def load(self) -> None:
        """Bring into memory what is there."""
        self.records = saved.isolations(self.core.state.isolations.all())
        self.ports.load()

    def take_up(self) -> None:
        """Go on with what an earlier supervisor left in the middle, and take away what nobody has any more."""
        self._taken_up = True
        for isolation in list(self.records.values()):
            mission = self.core.book.live.get(isolation.mission)
            if mission is None:
                if _is_unfinished(isolation):
                    self._drive(isolation.mission, interrupted=True)
                elif not isolation.ended or isolation.removal is not Removal.NONE:
                    self.core.background(self.over(isolation.mission))
            elif mission.setup or self.drives(mission):
                renew = mission.status is Status.PREPARING and _is_of_another_start(isolation, mission)
                self._drive(isolation.mission, interrupted=True, renew=renew)
        self.core.background(leftovers.clean(self))

    async def rest(self) -> None:
        """Leave everything as it is, for the next supervisor to go on with, and do nothing behind its back."""
        self._resting = True
        if not self._under_way:
            return
        from overmind_core.git.run import MARK  # noqa: PLC0415 - see above
        from overmind_core.system.stragglers import end_stragglers  # noqa: PLC0415 - see above

        prepared = list(self._drivers)
        for driver in self._drivers.values():
            driver.cancel()
        until = asyncio.get_running_loop().time() + REST_SECONDS
        while self._in_threads and asyncio.get_running_loop().time() < until:
            for mission in prepared:  # what cleans up after a git that was killed is git, too
                await asyncio.to_thread(end_stragglers, MARK, mission)
            await asyncio.to_thread(wait, set(self._in_threads), LOOK_SECONDS)

    def close(self) -> None:
        """Wait for nobody: the next supervisor goes on."""
        self.threads.shutdown(wait=False, cancel_futures=True)

    async def planned(self, request: Start) -> Planned | None:
        """How a mission is to be isolated; see `creating.planned`."""
        if request.isolate is None and not await self.projects.has_file(request.cwd):
            return None
        from overmind_core.supervisor.isolation import creating  # noqa: PLC0415 - see above

        return await creating.planned(self, request)

    async def record(self, planned: Planned, mission: Mission) -> Callable[[], None]:
        """Reserve what the mission is to have; see `creating.record`."""
        from overmind_core.supervisor.isolation import creating  # noqa: PLC0415 - see above

        return await creating.record(self, planned, mission.id, mission.definition.name)

    async def check(self, isolation: Isolation) -> None:
        """Refuse to lose work; see `ending.check`."""
        from overmind_core.supervisor.isolation import ending  # noqa: PLC0415 - see above

        await ending.check(self, isolation)

    def begin(self, mission: str) -> None:
        """The mission and its record are saved: prepare it."""
        self._drive(mission)

    def prepare(self, mission: str) -> None:
        """The mission is to be started again, or its set-up is over."""
        if self._taken_up and mission not in self._drivers:
            self._drive_on(mission)

    def drives(self, mission: Mission) -> bool:
        """Whether its next step is ours: no process of it can be there."""
        isolation = self.records.get(mission.id)
        if isolation is None or mission.setup or mission.pid is not None:
            return False
        return mission.status is Status.PREPARING or (mission.status is Status.STOPPING and _is_unfinished(isolation))

    def changed(self, mission: Mission) -> None:
        """A state of the mission was saved."""
        isolation = self.records.get(mission.id)
        if isolation is None:
            return
        driver = self._drivers.get(mission.id)
        if driver is not None:
            driver.look()
        elif not mission.is_live and not isolation.ended:
            self.core.background(self.over(mission.id))

    async def calm(self, missions: Iterable[str]) -> None:
        """Wait until nothing of these ended missions runs any more: services, containers, preparations."""
        await asyncio.gather(*(self.over(one) for one in missions if one in self.records))

    async def over(self, mission: str) -> None:
        """Let go of what the mission held while it lived, unless it lives again."""
        from overmind_core.supervisor.isolation import ending  # noqa: PLC0415 - see above

        if (driver := self._drivers.get(mission)) is not None:
            await driver.done.wait()
        async with self.turn(mission):
            if self._resting:
                return
            with self._needed():
                await ending.over(self, mission)

    async def discard(self, isolation: Isolation, *, force: bool) -> None:
        """Remove everything of an ended mission.

        Raises:
            OvermindError: `unmerged` or `dirty`, work would be lost and `force` is not set; `not_finished`.
        """
        from overmind_core.supervisor.isolation import ending  # noqa: PLC0415 - see above

        async with self.turn(isolation.mission):
            with self._needed():
                await ending.discard(self, self.records.get(isolation.mission, isolation), force=force)

    async def let_go(self, missions: Sequence[str]) -> None:
        """These missions are removed: so is what they had of their own, but for work that would be lost."""
        for mission in missions:
            isolation = self.records.get(mission)
            if isolation is None:
                continue
            try:
                await self.discard(isolation, force=False)
            except OvermindError as error:
                _log.info("kept what mission %s has of its own: %s", mission, error.message)
            else:
                self.forget(mission)

    def find(self, text: str) -> Isolation:
        """The isolation of the mission that `text` means; also of one that was removed, by its id or name.

        Raises:
            OvermindError: `not_found`, `ambiguous`, `not_isolated`.
        """
        removed = [one for one in self.records.values() if text in {one.mission, one.name} or _is_start(text, one)]
        try:
            mission = find(self.core.book, text)
        except OvermindError as error:
            if error.code == "not_found" and len(removed) == 1:
                return removed[0]
            raise
        isolation = self.records.get(mission.id)
        if isolation is None:
            told = f"Mission {mission.id} ({mission.definition.name}) has nothing of its own."
            raise OvermindError("not_isolated", f"{told} Start it with: overmind run --isolate")
        return isolation

    def environment(self, mission_id: str) -> dict[str, str]:
        """What isolation adds to the environment of a mission; one in another's worktree shares that."""
        if not self.records:
            return {}
        own = self.records.get(mission_id)
        if own is not None:
            return naming.environment(own)
        mission = self.core.book.known(mission_id)
        return {} if mission is None else self.shared(mission.definition)

    def shared(self, definition: Definition) -> dict[str, str]:
        """What a mission that has nothing of its own has from the one above it, in whose worktree it runs."""
        parent = definition.parent
        while self.records and parent is not None:
            above = self.records.get(parent)
            if above is not None:
                return naming.environment(above) if _is_in(definition.cwd, above.worktree) else {}
            mission = self.core.book.known(parent)
            parent = None if mission is None else mission.definition.parent
        return {}

    def services_of(self, mission: str) -> Collection[str]:
        """Ids of the missions that are services of this one."""
        isolation = self.records.get(mission)
        return () if isolation is None else isolation.services.values()

    def setup(self, mission: Mission) -> Definition:
        """The definition of the run that sets the mission's project up."""
        from overmind_core.supervisor.isolation.setup import set_up  # noqa: PLC0415 - see above

        return set_up(mission.definition, self.records[mission.id])

    def git(self, isolation: Isolation) -> Git:
        """Git in the world of the mission's caller."""
        from overmind_core.git.run import UMASK, Git  # noqa: PLC0415 - see above

        environment = self.core.environment(isolation.mission)
        both = {**environment.inherited, **environment.chosen}
        mission = self.core.book.get(isolation.mission)
        umask = UMASK if mission is None else mission.definition.umask
        known = {from_wire(name): from_wire(value) for name, value in both.items()}
        if not environment.inherited:  # the mission was removed, and its caller's world with it
            known = {**os.environ, **known}
        return Git(known, isolation.mission, umask)

    async def in_thread(self, function: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401 - whatever it takes
        """Call something that blocks, elsewhere."""
        work = self.threads.submit(function, *arguments)
        self._in_threads.add(work)
        work.add_done_callback(self._in_threads.discard)
        return await asyncio.wrap_future(work)

    async def saved(self) -> None:
        """Wait until all that is queued is on disk.

        Raises:
            OvermindError: `disk_full`; it is tried again, and nothing that depends on it may be done.
        """
        try:
            await self.core.ledger.saved()
        except StoreError as error:
            raise OvermindError("disk_full", f"What is done can't be written down: {error}.") from None

    def turn(self, mission: str) -> asyncio.Lock:
        """Held by whoever changes what the mission has."""
        return self._turns.setdefault(mission, asyncio.Lock())

    def put(self, isolation: Isolation) -> None:
        """Replace a record; it is saved with this turn's commit."""
        self.records[isolation.mission] = isolation
        self.core.ledger.save(lambda: self.write(isolation))

    def write(self, isolation: Isolation) -> None:
        """Save a record, inside of a transaction."""
        self.core.state.isolations.save(saved.row(isolation))

    def drop(self, mission: str) -> None:
        """Nothing came of the mission: it was never saved."""
        self.records.pop(mission, None)
        self.ports.drop(mission)

    def forget(self, mission: str) -> None:
        """Nothing of the mission's own is left."""
        if self.records.pop(mission, None) is not None:
            self.ports.forget(mission)
            self.core.ledger.save(lambda: self.core.state.isolations.remove([mission]))
        self.steps.pop(mission, None)
        self._turns.pop(mission, None)

    def step(self, mission: str, text: str, *, event: bool = False) -> None:
        """Say what is going on; an event when it is a new step."""
        if text:
            self.steps[mission] = text
        else:
            self.steps.pop(mission, None)
        current = self.core.book.live.get(mission)
        if current is None:
            return
        if event:
            self.core.book.note(current, Note("preparing", f"--- preparing: {text} ---", (("step", text),)))
        self.core.feed.changed(current)

    def once(self, about: str, note: str) -> str:
        """The note, if it was not told yet."""
        if not note or (about, note) in self._told:
            return ""
        self._told.add((about, note))
        return note

    def shown(self, mission: str) -> dict[str, Any] | None:
        """What the API tells of a mission's isolation."""
        one = self.records.get(mission)
        if one is None:
            return None
        return {
            "source": one.source,
            "worktree": one.worktree if one.branch is not None else None,
            "branch": one.branch,
            "base": one.base,
            "ports": one.ports,
            "containers": one.containers,
            "services": one.services,
            "step": self.steps.get(mission),
        }

    def _drive_on(self, mission: str) -> None:
        """Begin with a mission that is to be started again, or go on with one whose driver has failed."""
        isolation, current = self.records.get(mission), self.core.book.live.get(mission)
        renew = isolation is None or current is None or _is_of_another_start(isolation, current)
        self._drive(mission, renew=renew, interrupted=not renew)

    def _drive(self, mission: str, *, renew: bool = False, interrupted: bool = False) -> None:
        from overmind_core.supervisor.isolation.driver import Driver  # noqa: PLC0415 - see above

        if self._resting:
            return
        driver = self._drivers[mission] = Driver(self, mission, renew=renew, interrupted=interrupted)
        task = self.core.background(self._run(driver))
        driver.cancel = task.cancel
        task.add_done_callback(
            lambda done: self._driven(driver, broken=not done.cancelled() and bool(done.exception()))
        )

    async def _run(self, driver: Driver) -> None:
        with self._needed():
            await driver.run()

    @contextmanager
    def _needed(self) -> Iterator[None]:
        """Should we die in the block, another supervisor is to bring it to its end, also when nothing runs."""
        self._under_way += 1
        self.core.custody.need(NEED, on=True)
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way and not self._resting:
                self.core.custody.need(NEED, on=False)

    def _driven(self, driver: Driver, *, broken: bool) -> None:
        if self._drivers.get(driver.mission) is driver:
            del self._drivers[driver.mission]
        driver.done.set()
        if broken:
            driver.broke()
        mission, isolation = self.core.book.known(driver.mission), self.records.get(driver.mission)
        if isolation is None or self._resting or self.core.leaving.is_set():
            return
        if mission is None or not mission.is_live:
            if not isolation.ended:
                self.core.background(self.over(driver.mission))
        elif mission.status is Status.PREPARING and not mission.setup and mission.restart_count != driver.generation:
            self._drive(driver.mission, renew=True)  # it was asked for again meanwhile


def _is_unfinished(isolation: Isolation) -> bool:
    return isolation.saga.phase in {Phase.FORWARD, Phase.BACKWARD}


def _is_of_another_start(isolation: Isolation, mission: Mission) -> bool:
    """Whether its steps are those of an earlier start of the mission: it is prepared anew."""
    return not _is_unfinished(isolation) or isolation.generation != mission.restart_count


def _is_start(text: str, isolation: Isolation) -> bool:
    return len(text) >= 4 and isolation.mission.startswith(text)  # noqa: PLR2004 - as of ids elsewhere


def _is_in(folder: str, top: str | None) -> bool:
    return top is not None and f"{folder}/".startswith(f"{top}/")
