"""All isolated missions: what each has of its own, who prepares it, and what becomes of it when it ends.

What makes and takes away is loaded with the first of them: a supervisor without any does without its memory.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from overmind_core.domain.isolation import isolation as isolation_isolation
from overmind_core.domain.isolation.isolation import Removal
from overmind_core.domain.missions.facts import Note
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.errors import OvermindError
from overmind_core.isolation import store, stray_containers
from overmind_core.isolation.ports import Ports
from overmind_core.isolation.preparations import Preparations, is_next, is_unfinished
from overmind_core.isolation.projects import Engines, Projects
from overmind_core.kernel.database import StoreError
from overmind_core.missions.lookup import find

if TYPE_CHECKING:
    from overmind_core.daemon.app import Supervisor
    from overmind_core.domain.isolation.isolation import Isolation
    from overmind_core.domain.missions.mission import Definition, Mission
    from overmind_core.git.run import Git
    from overmind_core.isolation.plan import Planned
    from overmind_core.missions.changes import MissionChanged
    from overmind_core.missions.spec import MissionSpec

_log = logging.getLogger(__name__)
T = TypeVar("T")


class IsolationService:
    """Used from the loop's thread."""

    def __init__(self, core: Supervisor) -> None:
        self.core = core
        self.drivers = Preparations(self)
        self.projects = Projects(self.drivers.threads, core.state.trusted, core.ledger.flush)
        self.engines = Engines(self.drivers.threads)
        self.ports = Ports(core.state, core.ledger, self.drivers.threads)
        self.records: dict[str, Isolation] = {}
        """By mission; also of missions that were removed, as long as something is left."""
        self.steps: dict[str, str] = {}
        """Mission → what is going on, for people."""
        self._turns: dict[str, asyncio.Lock] = {}
        self._told: set[tuple[str, str]] = set()

    def load(self) -> None:
        """Bring into memory what is there."""
        self.records = store.isolations(self.core.state.isolations.all())
        self.ports.load()

    def take_up(self) -> None:
        """Go on with what an earlier supervisor left in the middle, and take away what nobody has any more."""
        self.drivers.take_up()
        for isolation in list(self.records.values()):
            left = not isolation.ended or isolation.removal is not Removal.NONE
            if left and isolation.mission not in self.core.book.live and not is_unfinished(isolation):
                self.core.background(self.over(isolation.mission))
        self.core.background(stray_containers.clean(self))

    async def rest(self) -> None:
        """Another supervisor takes over."""
        await self.drivers.rest()

    def close(self) -> None:
        """Wait for nobody: the next supervisor goes on."""
        self.drivers.close()

    async def has_file(self, folder: str) -> bool:
        """Whether the project that a folder is in says how its missions are isolated."""
        return await self.projects.has_file(folder)

    async def planned(self, spec: MissionSpec) -> Planned | None:
        """How a mission is to be isolated; None when it is not to be."""
        if spec.isolate is False or (spec.isolate is None and not await self.has_file(spec.definition.cwd)):
            return None
        return await self.planned_in(spec.definition.cwd, spec.environment.both)

    async def planned_in(self, folder: str, environ: Mapping[str, str]) -> Planned:
        """How a mission that works in a folder would be isolated; see `plan.planned`."""
        from overmind_core.isolation import plan  # noqa: PLC0415 - see above

        return await plan.planned(self, folder, environ)

    async def record(self, planned: Planned, mission: Mission) -> Callable[[], None]:
        """Reserve what the mission is to have; see `creating.record`."""
        from overmind_core.isolation import plan  # noqa: PLC0415 - see above

        return await plan.record(self, planned, mission.id, mission.definition.name)

    async def check(self, mission: str, *, force: bool) -> None:
        """Refuse to lose work, unless `force`; see `release.check`."""
        from overmind_core.isolation import release  # noqa: PLC0415 - see above

        isolation = self.find(mission)
        if not force:
            await release.check(self, isolation)

    async def remove(self, mission: str, *, force: bool) -> None:
        """Remove everything that an ended mission has of its own."""
        await self.discard(self.find(mission), force=force)

    def begin(self, mission: str) -> None:
        """The mission and its record are saved: prepare it."""
        self.drivers.drive(mission)

    def prepare(self, mission: str) -> None:
        """The mission is to be started again, or its set-up is over."""
        self.drivers.prepare(mission)

    def drives(self, mission: Mission) -> bool:
        """Whether its next step is ours: no process of it can be there."""
        isolation = self.records.get(mission.id)
        return isolation is not None and is_next(isolation, mission)

    def on_change(self, change: MissionChanged) -> None:
        """A state of a mission was saved."""
        self.changed(change.current)

    def changed(self, mission: Mission) -> None:
        """A state of the mission was saved."""
        isolation = self.records.get(mission.id)
        if isolation is None or self.drivers.look(mission.id):
            return
        if not mission.is_live and not isolation.ended:
            self.core.background(self.over(mission.id))

    async def calm(self, missions: Iterable[str]) -> None:
        """Wait until nothing of these ended missions runs any more: services, containers, preparations."""
        await asyncio.gather(*(self.over(one) for one in missions if one in self.records))

    async def over(self, mission: str) -> None:
        """Let go of what the mission held while it lived, unless it lives again."""
        from overmind_core.isolation import release  # noqa: PLC0415 - see above

        await self.drivers.done(mission)
        async with self.turn(mission):
            if not self.drivers.resting:
                with self.drivers.needed():
                    await release.over(self, mission)

    async def discard(self, isolation: Isolation, *, force: bool) -> None:
        """Remove everything of an ended mission.

        Raises:
            OvermindError: `unmerged` or `dirty`, work would be lost and `force` is not set; `not_finished`.
        """
        from overmind_core.isolation import release  # noqa: PLC0415 - see above

        async with self.turn(isolation.mission):
            with self.drivers.needed():
                await release.discard(self, self.records.get(isolation.mission, isolation), force=force)

    async def calm_all(self) -> None:
        """As `calm`, for every mission that has something of its own."""
        await self.calm(list(self.records))

    async def release(self, missions: Sequence[str]) -> None:
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
            return isolation_isolation.environment(own)
        mission = self.core.book.known(mission_id)
        return {} if mission is None else self.shared(mission.definition)

    def shared(self, definition: Definition) -> dict[str, str]:
        """What a mission that has nothing of its own has from the one in whose worktree it runs, while that lives.

        That is one above it, or, for what a person starts there, whose worktree it is.
        """
        parent = definition.parent
        while self.records and parent is not None:
            above = self.records.get(parent)
            if above is not None:
                return isolation_isolation.environment(above) if _is_in(definition.cwd, above.worktree) else {}
            mission = self.core.book.known(parent)
            parent = None if mission is None else mission.definition.parent
        there = (one for one in self.records.values() if not one.ended and _is_in(definition.cwd, one.worktree))
        owner = next(there, None)
        return {} if owner is None else isolation_isolation.environment(owner)

    def step_of(self, mission: str) -> str | None:
        """The step at which its preparation is."""
        return self.steps.get(mission)

    def services_of(self, mission: str) -> Collection[str]:
        """Ids of the missions that are services of this one."""
        isolation = self.records.get(mission)
        return () if isolation is None else isolation.services.values()

    def setup(self, mission: Mission) -> Definition:
        """The definition of the run that sets the mission's project up."""
        from overmind_core.isolation.steps.services import set_up  # noqa: PLC0415 - see above

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
        return await self.drivers.in_thread(function, *arguments)

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
        self.core.state.isolations.save(store.row(isolation))

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


def _is_start(text: str, isolation: Isolation) -> bool:
    return len(text) >= 4 and isolation.mission.startswith(text)  # noqa: PLR2004 - as of ids elsewhere


def _is_in(folder: str, top: str | None) -> bool:
    return top is not None and f"{folder}/".startswith(f"{top}/")
