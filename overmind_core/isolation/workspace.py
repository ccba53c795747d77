"""The workspace of isolation: the records of isolated missions, git, engines, ports and threads.

Steps, preparations and removals get this; who begins and ends them is `IsolationService`, which they don't know.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from overmind_core.domain.isolation.isolation import isolation_variables, reason_without_worktree
from overmind_core.domain.isolation.project import service_and_number
from overmind_core.domain.sent_work import is_sent
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.isolation import store
from overmind_core.isolation.events import PreparationStep
from overmind_core.isolation.ports import Ports
from overmind_core.isolation.projects import OURS, Engines, Projects
from overmind_core.kernel.database import StoreError
from overmind_core.missions.lookup import find

if TYPE_CHECKING:
    from overmind_core.domain.isolation.isolation import Isolation
    from overmind_core.domain.missions.mission import Definition, Mission, Status
    from overmind_core.git.run import Git
    from overmind_core.isolation.store import IsolationTable, PortTable, TrustTable
    from overmind_core.kernel.database import MetaTable
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.keeper_client import CurrentKeeper
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.answer_types import IsolationSummary
    from overmind_core.missions.environment import SavedEnvironments
    from overmind_core.missions.followers import Followers
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.missions.store import EnvironmentTable, MissionTable
    from overmind_core.probes.poll import Observer

THREADS = 12
"""For git, engines and files: what blocks."""
T = TypeVar("T")


class Workspace:
    """Used from the loop's thread."""

    missions: Missions
    """Starts services; bound by the composition root, for missions are prepared by isolation."""
    observer: Observer
    """Tells probes of services; bound likewise."""

    def __init__(
        self,
        *,
        home: str,
        registry: Registry,
        journal: Journal,
        tasks: Tasks,
        phase: Phase,
        line: CurrentKeeper,
        followers: Followers,
        environments: SavedEnvironments,
        isolation_table: IsolationTable,
        port_table: PortTable,
        trust_table: TrustTable,
        meta_table: MetaTable,
        mission_table: MissionTable,
        environment_table: EnvironmentTable,
    ) -> None:
        """`home`: the path of the daemon's home, which its containers are labelled with."""
        self.home = home
        self.registry = registry
        self.journal = journal
        self.tasks = tasks
        self.phase = phase
        self.line = line
        self.followers = followers
        self.environments = environments
        self.isolation_table = isolation_table
        self.trust_table = trust_table
        self.meta_table = meta_table
        self.mission_table = mission_table
        self.environment_table = environment_table
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="isolation")
        self.in_threads: set[Future[Any]] = set()
        self.projects = Projects(self.threads, trust_table, journal.flush, home)
        self.engines = Engines(self.threads)
        self.port_table = port_table
        self.ports = Ports(port_table, journal, self.threads)
        self.records: dict[str, Isolation] = {}
        """By mission; also of missions that were removed, as long as something is left."""
        self._ending: asyncio.Future[int] | None = None
        """The end of what a daemon that was killed has left running."""
        self.inherited: frozenset[str] = frozenset()
        """Missions that an earlier daemon knew: some of its git may still run for them."""
        self.containers_seen: Mapping[tuple[str, str], Status] = {}
        """Mission and service → how its container was seen last, of those that have to run; see `ContainerWatch`."""
        self.with_guests: set[str] = set()
        """Ended missions whose worktrees others still run in, or need."""
        self.is_needed: Callable[[str], bool] = lambda _mission: False
        """Whether what is not over yet needs an ended mission's folder; see `IsolationService.keep_while`."""
        self.is_served: Callable[[str], bool] = lambda _mission: False
        """Whether an ended mission's services and ports are used all the same; see `IsolationService.serve_while`."""
        self.is_verified: Callable[[str], bool] = lambda _mission: False
        """Whether merging a mission's work runs a check of its own; see `IsolationService.verify_while`."""
        self.steps: dict[str, str] = {}
        """Mission → what is going on, for people."""
        self._turns: dict[str, asyncio.Lock] = {}
        self._recorded: set[tuple[str, str]] = set()

    def find(self, text: str, *, alone: bool = False) -> Isolation:
        """The isolation of the mission that `text` means; also of one that was removed, by its id or name.

        `alone`: for commands that change it; a name that several have had which have ended and left some is refused.

        Raises:
            OvermindError: `not_found`, `not_running`, `ambiguous`, `not_isolated`.
        """
        removed = [one for one in self.records.values() if text in {one.mission, one.name} or _is_start(text, one)]
        try:
            mission = find(self.registry, text, alone=alone, counts=self.records.__contains__)
        except OvermindError as error:
            # That of a quest whose mission was lost with the state has its id, too: a queued one has no record.
            if error.code in {"not_found", "not_running"} and len(removed) == 1:
                return removed[0]
            raise
        isolation = self.records.get(mission.id)
        if isolation is None:
            about = f"{mission.id} ({mission.definition.name})"
            if mission.definition.isolated:
                message = f"The record of what mission {about} has of its own was lost with the state."
                raise OvermindError("not_isolated", f"{message} Its work is in {mission.definition.cwd}")
            message = f"Mission {about} has no worktree, ports or services of its own."
            raise OvermindError("not_isolated", f"{message} Start it with: overmind run --isolate")
        return isolation

    def reference(self, isolation: Isolation) -> str:
        """What a person types for its mission: the name, or the id where the name means another one, or several."""
        try:
            meant = self.find(isolation.name, alone=True)
        except OvermindError:
            return isolation.mission
        return isolation.name if meant.mission == isolation.mission else isolation.mission

    async def around(self, cwd: str) -> set[str]:
        """The missions whose repository is that of a folder, or whose project it is in where there is none.

        Raises:
            OvermindError: `cwd_not_found`, `git_failed`; `not_found`, no mission has ever been isolated there.
        """
        common = await self.projects.repository_around(cwd)
        if common is None:
            found = {one.mission for one in self.records.values() if one.repository is None and _is_in(cwd, one.source)}
        else:
            found = {one.mission for one in self.records.values() if one.repository == common}
        if common is None and not found:
            reason = f"{cwd} is not in a git repository, and no mission was isolated in it."
            advice = "Change to the repository. For every repository use `worktrees prune --all`, or omit --here."
            raise OvermindError("not_found", f"{reason} {advice}")
        return found

    def environment(self, mission_id: str) -> dict[str, str]:
        """What isolation adds to the environment of a mission; one in another's worktree shares that."""
        if not self.records:
            return {}
        own = self.records.get(mission_id)
        if own is not None:
            return isolation_variables(own)
        mission = self.registry.known(mission_id)
        return {} if mission is None else self.shared(mission.definition)

    def shared(self, definition: Definition) -> dict[str, str]:
        """What a mission that has nothing of its own has from the one in whose worktree it runs, while that lives.

        That is one above it, or, for what a person starts there, whose worktree it is.
        """
        parent = definition.parent
        while self.records and parent is not None:
            above = self.records.get(parent)
            if above is not None:
                return isolation_variables(above) if _is_in(definition.cwd, above.worktree) else {}
            mission = self.registry.known(parent)
            parent = None if mission is None else mission.definition.parent
        there = (one for one in self.records.values() if not one.ended and _is_in(definition.cwd, one.worktree))
        owner = next(there, None)
        return {} if owner is None else isolation_variables(owner)

    def guest(self, isolation: Isolation) -> Mission | None:
        """A live mission that runs in the worktree of an ended one: its work would go with that."""
        if isolation.worktree is None or isolation.branch is None:
            return None
        own = {isolation.mission, *isolation.services.values()}
        others = (one for one in self.registry.live.values() if one.id not in own)
        return next((one for one in others if _is_in(_real(one.definition.cwd), isolation.worktree)), None)

    def hosts(self, mission: Mission) -> list[str]:
        """The ended missions in whose worktrees this one ran, and that are there for its sake."""
        cwd = _real(mission.definition.cwd) if self.with_guests else ""
        known = ((one, self.records.get(one)) for one in self.with_guests)
        return [one for one, record in known if record is not None and _is_in(cwd, record.worktree)]

    def find_guests(self) -> None:
        """Find, after a start, the ended missions in whose worktrees others run."""
        for one in self.registry.live.values():
            if OURS in one.definition.cwd:
                host = _real(one.definition.cwd).rpartition(OURS)[2].partition("/")[0]
                record = self.records.get(host)
                if record is not None and record.ended and host != one.id:
                    self.with_guests.add(host)

    def services_of(self, mission: str) -> Collection[str]:
        """Ids of the missions that are services of this one."""
        isolation = self.records.get(mission)
        return () if isolation is None else isolation.services.values()

    def git(self, isolation: Isolation) -> Git:
        """Git in the environment of the mission's caller."""
        from overmind_core.git.run import UMASK, Git  # noqa: PLC0415 - see above

        environment = self.environments.of(isolation.mission)
        both = {**environment.inherited, **isolation_variables(isolation), **environment.chosen}
        mission = self.registry.get(isolation.mission)
        umask = UMASK if mission is None else mission.definition.umask
        known = {from_wire(name): from_wire(value) for name, value in both.items()}
        if not environment.inherited:  # the mission was removed, and its caller's environment with it
            known = {**os.environ, **known}
        return Git(known, isolation.mission, umask, self.home)

    def end_left_programs(self) -> None:
        """End, beside everything else, the git of a daemon that was killed: it would go on, and be asked for again."""
        from overmind_core.system.process_table import now_ticks  # noqa: PLC0415 - for those whose daemon was killed
        from overmind_core.system.sweep import end_own_programs  # noqa: PLC0415 - same

        end = partial(end_own_programs, self.home, before=now_ticks())
        self._ending = asyncio.get_running_loop().run_in_executor(self.threads, end)

    async def left_programs_ended(self) -> None:
        """Wait until nothing of an earlier daemon's git runs."""
        if self._ending is not None:
            await asyncio.wait([self._ending])

    async def in_thread(self, function: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401 - whatever it takes
        """Call something that blocks, elsewhere."""
        work = self.threads.submit(function, *arguments)
        self.in_threads.add(work)
        work.add_done_callback(self.in_threads.discard)
        return await asyncio.wrap_future(work)

    async def saved(self) -> None:
        """Wait until all that is queued is on disk.

        Raises:
            OvermindError: `disk_full`; it is tried again, and nothing that depends on it may be done.
        """
        try:
            await self.journal.saved()
        except StoreError as error:
            raise OvermindError("disk_full", f"Progress can't be saved: {error}.") from None

    def turn(self, mission: str) -> asyncio.Lock:
        """Held by whoever changes what the mission has."""
        return self._turns.setdefault(mission, asyncio.Lock())

    def put(self, isolation: Isolation) -> None:
        """Replace a record; it is saved with this turn's commit."""
        self.records[isolation.mission] = isolation
        self.journal.save(lambda: self.write(isolation))

    def write(self, isolation: Isolation) -> None:
        """Save a record, inside of a transaction."""
        self.isolation_table.save(store.row(isolation))

    def drop(self, mission: str) -> None:
        """Nothing came of the mission: it was never saved. What a recovery has found of it is known as before."""
        if self.records.pop(mission, None) is not None:
            self.records.update(
                {one: record for one, record in store.isolations(self.isolation_table.all()).items() if one == mission}
            )
        self.ports.drop(mission)

    def forget(self, mission: str) -> None:
        """Nothing of the mission's own is left."""
        isolation = self.records.pop(mission, None)
        if isolation is not None:
            self._forget_sent(isolation)
            self.ports.forget(mission)
            self.journal.save(lambda: self.isolation_table.remove([mission]))
        self.steps.pop(mission, None)
        self._turns.pop(mission, None)

    def _forget_sent(self, isolation: Isolation) -> None:
        """The branch at which the mission began goes with it, where it was sent for this mission alone."""
        base, repository = isolation.base, isolation.repository
        if base is None or repository is None or not is_sent(base):
            return
        from overmind_core.git.sent_branches import forget_sent  # noqa: PLC0415 - for those who are sent work

        used = [from_wire(one.base) for one in self.records.values() if one.repository == repository and one.base]
        git = self.git(isolation)
        work = self.threads.submit(forget_sent, git, from_wire(repository), from_wire(base), used, time.time())
        self.in_threads.add(work)
        work.add_done_callback(self.in_threads.discard)

    def step(self, mission: str, text: str, *, event: bool = False) -> None:
        """Say what is going on; an event when it is a new step."""
        if text:
            self.steps[mission] = text
        else:
            self.steps.pop(mission, None)
        current = self.registry.live.get(mission)
        if current is None:
            return
        if event:
            self.registry.record(current, PreparationStep(text=f"--- preparing: {text} ---", step=text))
        self.followers.changed(current)

    def once(self, about: str, note: str) -> str:
        """The note, if it was not recorded yet."""
        if not note or (about, note) in self._recorded:
            return ""
        self._recorded.add((about, note))
        return note

    def worktree_of(self, mission: str) -> str | None:
        """Where the worktree of a mission is, also of one that was removed; None: it has none."""
        one = self.records.get(mission)
        return None if one is None or one.branch is None else one.worktree

    def port_status(self, mission: str, key: str) -> Status | None:
        """The status of what has a port: of the service, once there is one, else of the mission; None: it was removed.

        `key`: as in `Isolation.ports`.
        """
        service, _ = service_and_number(key)
        one = self.records.get(mission)
        child = None if one is None else one.services.get(service)
        owner = self.registry.get(child or mission)
        seen = self.containers_seen.get((mission, service))
        return seen or (None if owner is None else owner.status)

    def shown(self, mission: str) -> IsolationSummary | None:
        """What the API tells of a mission's isolation."""
        one = self.records.get(mission)
        if one is None:
            return None
        return {
            "source": one.source,
            "worktree": one.worktree if one.branch is not None else None,
            "no_worktree": reason_without_worktree(one),
            "branch": one.branch,
            "base": one.base,
            "ports": one.ports,
            "ports_held": bool(self.ports.held_by(mission)),
            "containers": one.containers,
            "services": one.services,
            "step": self.steps.get(mission),
        }


def _is_start(text: str, isolation: Isolation) -> bool:
    return len(text) >= 4 and isolation.mission.startswith(text)  # noqa: PLR2004 - as of ids elsewhere


def _real(folder: str) -> str:
    return to_wire(os.path.realpath(from_wire(folder)))


def _is_in(folder: str, top: str | None) -> bool:
    return top is not None and f"{folder}/".startswith(f"{top}/")
