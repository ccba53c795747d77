"""The service of missions: start, start again, end, change, remove. The API and every feature begin and end by it."""

from __future__ import annotations

import os
import random
import re
import shlex
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.missions import names
from overmind_core.domain.missions.events import MissionUpdated
from overmind_core.domain.missions.facts import EndAsked
from overmind_core.domain.missions.mission import UNFORGIVING, Cause, Definition, Kind, Mission, Status
from overmind_core.domain.missions.references import is_id
from overmind_core.domain.missions.run_end import FENCED
from overmind_core.domain.missions.tree import levels
from overmind_core.errors import OvermindError
from overmind_core.kernel.api_server import HandingOver
from overmind_core.kernel.database import StoreError
from overmind_core.kernel.keeper_client import KeeperGone
from overmind_core.missions.leases import MissionFenced
from overmind_core.missions.lookup import line, not_running
from overmind_core.missions.spec import Adoption, Fork
from overmind_core.missions.terminator import listed
from overmind_core.providers import registry as providers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from overmind_core.domain.agents.agent import Agent
    from overmind_core.kernel.journal import Change, Journal
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.request import Caller
    from overmind_core.kernel.tasks import SingleFlight
    from overmind_core.missions.end_marks import EndMarks
    from overmind_core.missions.launcher import Launcher
    from overmind_core.missions.leases import Leases
    from overmind_core.missions.left_processes import LeftProcesses
    from overmind_core.missions.limits import TreeLimits
    from overmind_core.missions.ports import Preparation, Preparer, Runner
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.spec import MissionSpec
    from overmind_core.missions.store import EnvironmentTable, MissionTable
    from overmind_core.missions.terminator import Terminator
    from overmind_core.system.machine import Clock

    Write = Callable[[], None]

_NOT_ITS_END = frozenset({Cause.EXITED, Cause.CHANGE_OVER})
_random = random.Random()  # noqa: S311 - for names


class Started:
    """What `start` answers: the mission, and a sentence for the person."""

    __slots__ = ("mission", "note", "preparing", "repeated")

    def __init__(self, mission: Mission, *, preparing: bool = False, note: str = "", repeated: bool = False) -> None:
        self.mission = mission
        self.repeated = repeated
        """An earlier request with the same key has started it."""
        self.preparing = preparing
        """Its worktree, ports and services are made first."""
        self.note = note
        """Empty for nothing."""


class Missions:
    """Used from the loop's thread."""

    def __init__(
        self,
        *,
        registry: Registry,
        journal: Journal,
        clock: Clock,
        phase: Phase,
        launcher: Launcher,
        terminator: Terminator,
        leases: Leases,
        limits: TreeLimits,
        runner: Runner,
        preparer: Preparer,
        mission_table: MissionTable,
        environment_table: EnvironmentTable,
        under_way: SingleFlight[Started],
        end_marks: EndMarks,
        left_processes: LeftProcesses,
    ) -> None:
        self._registry = registry
        self._journal = journal
        self._clock = clock
        self._phase = phase
        self._launcher = launcher
        self._terminator = terminator
        self._leases = leases
        self._limits = limits
        self._runner = runner
        self._preparer = preparer
        self._mission_table = mission_table
        self._environment_table = environment_table
        self._under_way = under_way
        self.end_marks = end_marks
        self.left_processes = left_processes

    # starting

    async def start(
        self,
        spec: MissionSpec,
        *,
        inside: str | None = None,
        caller: Caller | None = None,
        also: Callable[[Mission], Write] | None = None,
        wished: str | None = None,
    ) -> Started:
        """Record a mission, start it, answer once it runs; nothing is recorded when it can't.

        With a request key the same is asked for however often it is asked: it makes one mission.

        Args:
            spec: What is wanted.
            inside: The mission that asks; None for a person.
            caller: Who asks, where it may have ended since.
            also: Gets the new mission, and returns what is saved together with it.
            wished: The id that it is to have, unless another one has it.

        Raises:
            OvermindError: it can't be started, or may not be.
        """
        if spec.request is None:
            return await self._begin(spec, inside, caller, also, wished)
        earlier = self.by_request(spec.request)
        if earlier is not None:
            return _standing(earlier)
        return await self._under_way.do(spec.request, lambda: self._begin(spec, inside, caller, also, wished))

    async def start_child(
        self,
        spec: MissionSpec,
        *,
        also: Callable[[Mission], Write] | None = None,
        inside: str | None = None,
        limited: bool = True,
        cleans_up: bool = False,
        settled: bool = True,
        is_new: bool = False,
        mission_id: str | None = None,
    ) -> Started:
        """As `start`, for what the system itself names, such as an agent of a plan; the spec has a name and a key.

        Not `limited`: it belongs to its parent, as a service or the check of its work does, and the limits of the tree
        are not for it. What cleans up begins also below a parent that is being ended, and in a daemon that shuts down.
        `inside`: the mission for which it is started.
        Not `settled`: that it runs is not saved yet when this returns, so what is saved next is saved with it.
        `is_new`: the key was made just now, so no earlier request had it. `mission_id`: the id that is held for it.

        Raises:
            OvermindError: it can't be started; `name_taken`.
        """
        assert spec.request is not None
        earlier = None if is_new else self.by_request(spec.request)
        if earlier is not None:
            return _standing(earlier)
        name = spec.definition.name
        if (holder := self._registry.index.holder(name)) is not None and holder != mission_id:
            message = f"The name {name!r} is taken by mission {holder}. Stop it first: overmind stop {holder}"
            raise OvermindError("name_taken", message, id=holder)
        planned = await self._preparer.planned(spec) if spec.isolate else None
        return await self._create(
            spec,
            planned,
            inside=inside,
            also=also,
            limited=limited,
            cleans_up=cleans_up,
            settled=settled,
            mission_id=mission_id,
        )

    async def _begin(
        self,
        spec: MissionSpec,
        inside: str | None,
        caller: Caller | None,
        also: Callable[[Mission], Write] | None,
        wished: str | None,
    ) -> Started:
        planned = await self._preparer.planned(spec)
        named = spec.placed(self._name(spec.definition.name), spec.definition.parent)
        free = wished if wished is not None and is_id(wished) and not self._registry.knows(wished) else None
        started = await self._create(named, planned, inside=inside, caller=caller, also=also, mission_id=free)
        if spec.isolate is False and await self._preparer.has_file(spec.definition.cwd):
            started.note = "not isolated: it shares files, ports and services with everything else in this folder."
        return started

    async def _create(
        self,
        spec: MissionSpec,
        planned: Preparation | None,
        *,
        inside: str | None = None,
        caller: Caller | None = None,
        also: Callable[[Mission], Write] | None = None,
        limited: bool = True,
        cleans_up: bool = False,
        settled: bool = True,
        mission_id: str | None = None,
    ) -> Started:
        def check() -> None:
            self._check_open(spec.definition.parent, caller, cleans_up=cleans_up)
            if limited:
                self._limits.check(spec.definition.parent, spec.definition.provider, inside=inside is not None)

        check()
        agent = self._with_denials(spec.agent, spec.definition.provider, inside)
        boot = self._registry.boot
        mission = Mission(
            mission_id or self.new_id(), spec.definition, self._clock.wall(), Status.STARTING, run=1, boot=boot
        )
        environment = spec.environment
        if planned is not None:
            if not (planned.has_worktree and _is_below(spec.definition.argv[0])):
                await self._launcher.check(mission, environment)
            mission = _isolated(mission, planned)
        writes = [] if also is None else [also(mission)]
        if agent is not None:
            writes.append(self._runner.create(mission, agent, spec.origin))
            mission = self._runner.ready(mission)
        try:
            with self._registry.index.reserved(mission.definition.name, mission.id):
                if planned is None:
                    shared = self._preparer.shared(spec.definition)
                    chosen = {**shared, **environment.chosen}
                    await self._launcher.prepare(mission, environment._replace(chosen=chosen))
                else:
                    writes.append(await self._preparer.record(planned, mission))
                check()  # once more: it took a moment
                changes = self._record(mission, spec, writes)
        except BaseException:
            self._forget(mission.id)
            raise
        await self._saved(mission, changes)
        if planned is None:
            await self._spawn(mission, settled=settled)
            return Started(mission)
        self._preparer.begin(mission.id)
        return Started(mission, preparing=True, note=planned.note)

    def by_request(self, key: str) -> Mission | None:
        """The mission that an earlier try of the same request made; one that is not saved yet is still under way."""
        row = self._mission_table.by_request(key)
        return None if row is None else self._registry.get(row.id)

    def check_open(self) -> None:
        """Refuse new work in a daemon that is leaving.

        Raises:
            HandingOver: another daemon answers.
            OvermindError: `busy`.
        """
        if self._phase.handing_over:
            raise HandingOver
        if self._phase.closing:
            raise OvermindError("busy", "The daemon is shutting down.")

    async def check_program(self, spec: MissionSpec) -> None:
        """Look whether a mission's program is there, without starting it.

        Raises:
            OvermindError: the folder or the program is not there.
        """
        await self._launcher.check(Mission("", spec.definition, self._clock.wall()), spec.environment)

    async def check_start(self, spec: MissionSpec) -> bool:
        """Look whether a mission could be started, and isolated, without starting it; return whether it would be.

        Raises:
            OvermindError: the folder or the program is not there, or its project is not trusted.
        """
        planned = await self._preparer.planned(spec)
        if planned is None or not (planned.has_worktree and _is_below(spec.definition.argv[0])):
            await self.check_program(spec)
        return planned is not None

    def check_child(self, parent: str | None) -> None:
        """Refuse what a mission starts below itself beside processes, where it may start nothing more.

        Raises:
            OvermindError: `not_running`; `forbidden`, naming the limit and whose it is.
        """
        self._check_open(parent, None, cleans_up=False)
        self._limits.check(parent, RAW, inside=True)

    def _check_open(self, parent: str | None, caller: Caller | None, *, cleans_up: bool) -> None:
        """Nothing new begins in a daemon that is leaving, nor below a mission that is being ended, but clean-up."""
        above = None if parent is None else self._registry.get(parent)
        ending = None if above is None else above.ending
        cleans_up = cleans_up and ending is not None and ending.cause not in UNFORGIVING
        if not cleans_up or self._phase.handing_over:
            self.check_open()
        if above is not None and ending is not None and ending.cause not in _NOT_ITS_END and not cleans_up:
            raise OvermindError(
                "not_running", f"The parent mission {above.id} ({above.definition.name}) is being stopped."
            )
        if (above is None or not above.is_live) and caller is not None and caller.died_inside():
            raise OvermindError("not_running", "The calling mission has ended.")

    def _with_denials(self, agent: Agent | None, provider: str, inside: str | None) -> Agent | None:
        """Return an agent to which is denied what was denied to those that start it.

        Raises:
            OvermindError: `forbidden`, its program can't be denied that.
        """
        denied = () if agent is None else self._runner.denied([one.id for one in line(self._registry, inside)])
        if agent is None or not denied:
            return agent
        agent = replace(agent, deny=tuple(dict.fromkeys((*agent.deny, *denied))))
        if (problem := providers.get(provider).refuse(agent)) is not None:
            message = f"Denials of mission {inside} could not be kept by the agent that it would start: {problem}."
            raise OvermindError("forbidden", message)
        return agent

    def _record(self, mission: Mission, spec: MissionSpec, writes: Sequence[Write]) -> tuple[Change, ...]:
        """Put it on the books. What is prepared is asked for right behind the commit: somebody waits for it."""
        if spec.leased_until is not None:
            self._leases.hold(mission.id, spec.leased_until)
        environment = spec.environment
        text = msgspec.json.encode({"inherited": environment.inherited, "chosen": environment.chosen}).decode()

        def write() -> None:
            self._environment_table.save(mission.id, text)
            for one in writes:
                one()

        asks = self._journal.save(_nothing, lambda: self._launcher.ask(mission.id), first=True)
        added = self._registry.add(mission, write, spec.request)
        origin = spec.origin
        begins = (self._registry.record(mission, origin.event),) if isinstance(origin, Fork | Adoption) else ()
        return (*added, *begins, *self._launcher.record_notes(mission), asks)

    async def _saved(self, mission: Mission, changes: tuple[Change, ...]) -> None:
        """Wait for the commit; what can't be saved isn't started."""
        try:
            await self._journal.saved()
        except StoreError:
            self._journal.withdraw(changes)
            self._registry.index.remove(mission.id)
            self._forget(mission.id)
            raise

    def _forget(self, mission_id: str) -> None:
        self._launcher.forget(mission_id)
        self._drop_lease(mission_id)
        self._runner.drop(mission_id)
        self._preparer.drop(mission_id)

    def _drop_lease(self, mission_id: str) -> None:
        """Nothing came of the mission: it needs no lease, unless its quest holds one for each of its attempts."""
        if not self._registry.index.is_held(mission_id):
            self._leases.release([mission_id])

    async def _spawn(self, mission: Mission, *, settled: bool) -> None:
        """Have it started; `settled`: until that is saved, too."""
        current = self._registry.live.get(mission.id)
        if current is None:
            return
        try:
            await self._launcher.spawn(current)
        except KeeperGone:
            return  # it is on the books: whoever gets the next keeper settles it
        except MissionFenced:
            return  # it is on the books, and has ended
        except Exception:  # what it may be: nothing that was not started stays recorded
            self._registry.drop(mission)
            self._drop_lease(mission.id)
            self._runner.drop(mission.id)
            raise
        if settled:
            with suppress(StoreError):  # it runs, and is on the books: its start is saved once there is room
                await self._journal.saved()

    def _name(self, wanted: str) -> str:
        if not wanted:
            return names.generate(self._registry.index.names, _random)
        self.check_name_free(wanted)
        return wanted

    def check_name_free(self, name: str) -> None:
        """Refuse a name that a live mission has.

        Raises:
            OvermindError: `name_taken`.
        """
        holder = self._registry.index.holder(name)
        if holder is not None:
            raise OvermindError(
                "name_taken",
                f"The name {name!r} is taken by mission {holder}. Choose another one with --name",
                id=holder,
            )

    def new_id(self) -> str:
        """An id that no mission has."""
        while True:
            fresh = os.urandom(4).hex()
            if not fresh.isdigit() and not self._registry.knows(fresh):
                return fresh

    # ending

    async def end(self, mission: Mission, cause: Cause, *, cascade: bool, grace: float | None) -> list[Mission]:
        """End a mission, its descendants first when `cascade`; returns them in the order they ended.

        A plan ends its agents itself: what cleans up runs then. Killed, it takes along all that it has started.

        Args:
            mission: Live, or, for a kill, one that has ended and is to be hidden.
            cause: Whether it is stopped or killed.
            cascade: Its descendants too.
            grace: Seconds; None: each mission's own.

        Raises:
            OvermindError: `not_running`; `survivors`, some processes could not be ended; `swarm_silent`, it ends once
                the swarm answers.
        """
        cascade = cascade or (cause is Cause.KILL and mission.definition.kind is Kind.BLUEPRINT)
        order = levels([mission.id], self._registry.parents()) if cascade else [[mission.id]]
        concerned = self._live_of(order)
        if not any(concerned) and cause is Cause.STOP:
            raise not_running(mission)
        if cause is Cause.KILL and not mission.is_live and mission.id not in self._registry.live:
            concerned[-1].append(mission)  # it is only hidden
        also = [one for level in order for one in level] if cause is Cause.KILL else []
        found = await self._end_levels(concerned, cause, grace, also)
        self._registry.check_not_held_up(found)
        return found

    def with_agents(self, missions: Sequence[Mission]) -> list[Mission]:
        """These, and the agents of those of them that are plans, as they are now."""
        plans = {one.id for one in missions if one.definition.kind is Kind.BLUEPRINT}
        below = [one for agents in self._registry.children(plans).values() for one in agents] if plans else []
        known = {one.id for one in missions}
        agents = [one for name in below if name not in known and (one := self._registry.get(name)) is not None]
        return [*missions, *agents]

    async def end_here(self, mission: Mission) -> None:
        """Kill a mission and all below it, as far as anything of them is on this machine.

        Raises:
            OvermindError: `survivors`.
        """
        await self._end_levels(self._live_of(levels([mission.id], self._registry.parents())), Cause.KILL, 0.0)

    async def end_all(self, cause: Cause, grace: float | None) -> list[Mission]:
        """End every live mission at once; one that is still live then is held up.

        Raises:
            OvermindError: `survivors`.
        """
        return await self._end_levels([list(self._registry.live.values())], cause, grace)

    async def survivors(self) -> list[str]:
        """A sentence for each mission of which something could not be ended, once that was tried again."""
        await self._terminator.end_survivors([one.id for one in self._registry.with_survivors()])
        return [_survived(one) for one in self._registry.with_survivors()]

    def _live_of(self, order: Sequence[Sequence[str]]) -> list[list[Mission]]:
        live = self._registry.live
        return [[one for name in level if (one := live.get(name)) is not None] for level in order]

    def end_marked(self) -> None:
        """Go on with the ends that an earlier supervisor could not store."""
        for mission_id, cause in self.end_marks.all().items():
            mission = self._registry.live.get(mission_id)
            if mission is None:
                self.end_marks.remove([mission_id], cause)
            else:
                grace = 0.0 if cause is Cause.KILL else mission.definition.grace
                self._registry.apply_if_legal(mission, EndAsked(cause, grace), urgent=True)
                self.end_marks.ending([mission_id], cause)

    async def _end_levels(
        self, order: Sequence[Sequence[Mission]], cause: Cause, grace: float | None, also: Sequence[str] = ()
    ) -> list[Mission]:
        """Mark all as stopping in one commit, so that none gets a child from then on; then end level after level.

        Each level has its own grace once the one before is gone, so the stored deadlines grow with the levels.
        Returns them in that order; one that is still live is held up. What they have left in the background ends with
        them, and that of the missions `also`, which may have ended before; of those it is tried once more to end what
        has survived their ends.
        """
        before: frozenset[str] = frozenset()
        ran = {one.id for level in order for one in level if one.is_live and one.status is not Status.RESTARTING}
        plans = {one.id for level in order for one in level if one.definition.kind is Kind.BLUEPRINT}
        asked: list[str] = []
        for number, level in enumerate(order):
            for mission in level:
                self._terminator.wait_for(mission.id, before)
                if cause is Cause.STOP and mission.definition.parent in plans:
                    continue  # the plan ends it, in its own order
                patience = mission.definition.grace if grace is None else grace
                self._registry.apply(mission, EndAsked(cause, patience * (number + 1), given=grace), urgent=True)
                asked.append(mission.id)
            before = frozenset(mission.id for mission in level) or before
        self.end_marks.ending(asked, cause)
        found = await self._ended_or_held_up([mission for level in order for mission in level])
        ended = [one for one in found if not one.is_live]
        self._leases.release(one.id for one in ended if one.reason != FENCED)
        await self._preparer.calm([one.id for one in ended])
        await self._terminator.end_survivors([one for one in also if one not in ran])
        ended = [one if one.id in ran else self._registry.get(one.id) or one for one in ended]
        stubborn = await self.left_processes.end([*(one.id for one in ended), *also])
        left = {one.id: [*one.survivors, *stubborn.get(one.id, ())] for one in ended} | {
            one: stubborn[one] for one in stubborn.keys() - {one.id for one in ended}
        }
        survivors = [f"{one}: {', '.join(dict.fromkeys(lines))}" for one, lines in left.items() if lines]
        if survivors:
            message = f"Some processes could not be ended: {'; '.join(survivors)}. Overmind tries again every minute."
            raise OvermindError("survivors", message)
        return found

    async def _ended_or_held_up(self, missions: Sequence[Mission]) -> list[Mission]:
        """Wait until each of them has ended, or all that have not are held up."""
        while True:
            found = [await self._registry.ended_or_held_up(one.id) for one in missions]
            if all(not one.is_live or self._registry.held_up(one.id) is not None for one in found):
                return found

    # changing

    async def redefine(self, mission: Mission, definition: Definition) -> Mission:
        """Give a mission another definition; what it runs is not touched.

        Raises:
            OvermindError: `name_taken`.
        """
        if definition.name != mission.definition.name:
            self.check_name_free(definition.name)
        changed = replace(mission, definition=definition)
        self._registry.put(changed, (MissionUpdated(),))
        await self._journal.saved()
        return changed


def _nothing() -> None:
    """Nothing is written: what follows is what counts."""


_DAEMON_INSIDE = re.compile(r"\(a daemon of (.+), PID \d+\)")
"""Behind a survivor that supervises another home. Source: `sweep.DAEMON`."""


def _survived(mission: Mission) -> str:
    """A sentence for people: processes that could not be ended, and what ends a daemon of another home among them."""
    homes = [found[1] for one in mission.survivors if (found := _DAEMON_INSIDE.search(one)) is not None]
    ways = [f"overmind --home {shlex.quote(home)} shutdown" for home in dict.fromkeys(homes)]
    told = f"Processes of {mission.definition.name} could not be ended: {listed(mission.survivors)}."
    return f"{told} End {'the daemon' if len(ways) == 1 else 'the daemons'} with: {'; '.join(ways)}" if ways else told


def _standing(mission: Mission) -> Started:
    return Started(mission, preparing=mission.status is Status.PREPARING, repeated=True)


def _is_below(program: str) -> bool:
    """Whether it is a path from the working directory: whether it is there, set-up may decide."""
    return "/" in program and not program.startswith("/")


def _isolated(mission: Mission, planned: Preparation) -> Mission:
    """What is prepared before it is started, and where it then runs."""
    definition = replace(mission.definition, isolated=True, cwd=planned.folder(mission.id))
    return replace(mission, definition=definition, status=Status.PREPARING)
