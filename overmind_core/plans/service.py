"""The service of plans: apply, change and run again; all live plans, and the missions' lives that reach them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from overmind_core.domain.missions.facts import StartAsked
from overmind_core.domain.missions.mission import Definition, Kind, Mission, Status
from overmind_core.domain.plans.diff import PlanChange, difference
from overmind_core.domain.plans.progress import HELD, AgentProgress, outlived_its_plan
from overmind_core.domain.plans.references import bind_text, references
from overmind_core.domain.text.graph import below
from overmind_core.errors import OvermindError
from overmind_core.kernel.codec import Codec
from overmind_core.kernel.database import StoreError
from overmind_core.missions import validate
from overmind_core.missions.callers import forbid_foreign
from overmind_core.missions.spec import Environment
from overmind_core.plans import checks, log_lines, reruns, store
from overmind_core.plans.attempts import attempt_end
from overmind_core.plans.plan_run import PlanRun
from overmind_core.plans.state import NO_FILE, PlanState
from overmind_core.plans.store import PlanRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from overmind_core.domain.plans.blueprint import Blueprint
    from overmind_core.domain.plans.genome import Genome
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.keeper_client import CurrentKeeper
    from overmind_core.kernel.keyed_requests import KeyedRequestTable
    from overmind_core.kernel.phase import Phase
    from overmind_core.missions.changes import MissionChanged
    from overmind_core.missions.ports import Preparation
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.missions.store import EnvironmentTable
    from overmind_core.plans.attempt_start import AttemptStarter
    from overmind_core.plans.attempts import AttemptListener, Attempts
    from overmind_core.plans.ports import SwarmPosts
    from overmind_core.plans.requests import Apply
    from overmind_core.plans.store import PlanTable
    from overmind_core.system.machine import Clock

GRACE = 10.0
"""Seconds; of a plan, whose agents have their own."""


class ProjectPlanner(Protocol):
    """Isolation, as far as plans ask it before they begin."""

    async def planned_in(self, folder: str, environ: Mapping[str, str]) -> Preparation:
        """How a mission that works in a folder would be isolated.

        Raises:
            OvermindError: `untrusted_project`, `invalid`, `docker_missing`, `git_failed`, `cwd_not_found`.
        """


class GenomeCheck(Protocol):
    """Trust in files of git."""

    def check(self, genome: Genome) -> None:
        """Refuse one that is not trusted here.

        Raises:
            OvermindError: `untrusted_project`.
        """


class Applied(NamedTuple):
    """The result of an `apply`."""

    id: str | None
    """Of the plan's mission; None: there is none, it was only planned."""
    name: str
    status: str
    """started, changed, unchanged or planned."""
    changes: tuple[PlanChange, ...] = ()
    kept: tuple[str, ...] = ()
    """Agents of an ended plan that don't run again."""


_APPLIED = Codec(Applied)


class Plans:
    """Used from the loop's thread only; `live` is to be read."""

    def __init__(
        self,
        *,
        journal: Journal,
        clock: Clock,
        phase: Phase,
        line: CurrentKeeper,
        registry: Registry,
        missions: Missions,
        projects: ProjectPlanner,
        genomes: GenomeCheck,
        swarm: SwarmPosts,
        plan_table: PlanTable,
        environment_table: EnvironmentTable,
        request_table: KeyedRequestTable,
        starter: AttemptStarter,
        attempts: Callable[[PlanState, AttemptListener], Attempts],
    ) -> None:
        """`attempts` makes what carries out the agents of one plan."""
        self._journal = journal
        self._clock = clock
        self._phase = phase
        self._line = line
        self._registry = registry
        self._missions = missions
        self._projects = projects
        self._genomes = genomes
        self._swarm = swarm
        self._plan_table = plan_table
        self._environment_table = environment_table
        self._request_table = request_table
        self._starter = starter
        self._attempts = attempts
        self.live: dict[str, PlanRun] = {}
        self._adopted: set[str] = set()
        """Plans that had ended, and are about to run again: what is to run anew of them is decided already."""

    # plans that run

    def load(self) -> None:
        """Go on with what the store says is live, and settle what an older program left active in ended plans."""
        self._settle_ended()
        for mission in list(self._registry.live.values()):
            if mission.definition.kind is Kind.BLUEPRINT and (plan := self._stored(mission.id)) is not None:
                self._put(plan)
                plan.resume()

    def _settle_ended(self) -> None:
        for plan, ended_at, name, text in self._plan_table.active_nodes_of_ended():
            node = store.NODE.decode(text)
            mission = None if node.mission is None else self._registry.get(node.mission)
            end = None if mission is None or mission.is_live else attempt_end(mission, self._clock.wall())
            settled = store.NODE.encode(outlived_its_plan(node, end, ended_at))
            self._journal.save(partial(self._plan_table.save_node, plan, name, settled))

    def close(self) -> None:
        """Another daemon goes on."""
        for plan in self.live.values():
            plan.close()

    def begin(self, mission: Mission) -> None:
        """Another run of a plan was asked for: of one that was adopted it is known what, else all of it."""
        plan = self.live.get(mission.id) or self._stored(mission.id)
        if plan is None:
            return
        self._put(plan)
        if mission.id not in self._adopted:
            plan.restart()
        self._adopted.discard(mission.id)
        plan.resume()

    async def check_restart(self, mission: Mission, environ: Mapping[str, str]) -> None:
        """Look for the programs and the projects of its agents, as `apply` does, before it begins anew.

        Raises:
            OvermindError: as of `apply`.
        """
        if (plan := self.state_of(mission.id)) is not None:
            await self._check_agents(plan.blueprint, environ)

    def on_end(self, mission: Mission) -> None:
        """A mission has ended, which is not saved yet: what its plan decides at once is saved with it."""
        parent = mission.definition.parent
        if parent in self.live:
            self.live[parent].on_unsaved_end(mission)

    def on_change(self, change: MissionChanged) -> None:
        """A state of a mission was saved: of a plan, or perhaps of an agent of one."""
        mission = change.current
        plan = self.live.get(mission.id)
        if plan is not None:
            if mission.is_live:
                plan.schedule()
            else:
                self.live.pop(mission.id).close()
                self._update_need()
        elif mission.definition.parent in self.live:
            self.live[mission.definition.parent].on_change(mission)

    def name_of(self, mission_id: str | None) -> str | None:
        """The name of the blueprint of a plan that runs; None for every other mission."""
        plan = None if mission_id is None else self.live.get(mission_id)
        return None if plan is None else plan.blueprint.name

    def posted(self) -> list[str]:
        """The names of the plans with agents that go on as posts of the swarm."""
        return [plan.blueprint.name for plan in self.live.values() if plan.state.has_posts]

    def file_of(self, mission_id: str | None) -> str | None:
        """The path of the blueprint of a plan that runs; None for every other mission, and where there is no file."""
        plan = None if mission_id is None else self.live.get(mission_id)
        return None if plan is None or plan.state.file in NO_FILE else plan.state.file

    def state_of(self, mission_id: str) -> PlanState | None:
        """How a plan stands that runs, or stood when it ended; None when the mission is none."""
        plan = self.live.get(mission_id) or self._stored(mission_id)
        return None if plan is None else plan.state

    def _named(self, name: str) -> PlanRun | None:
        """The live plan of this name."""
        mission = self._registry.index.holder(name)
        return None if mission is None else self.live.get(mission)

    def _stored(self, mission_id: str) -> PlanRun | None:
        """A plan as the store has it; None when the mission is none."""
        self._journal.flush()
        row = self._plan_table.get(mission_id)
        if row is None:
            return None
        blueprint = store.BLUEPRINT.decode(row.blueprint)
        nodes = {name: store.NODE.decode(text) for name, text in self._plan_table.nodes(mission_id).items()}
        return self._plan(mission_id, row.file, blueprint, nodes)

    def _plan(self, mission_id: str, file: str, blueprint: Blueprint, known: Mapping[str, AgentProgress]) -> PlanRun:
        """A plan; agents of which nothing is known wait, and those that are not in its blueprint were removed."""
        agents = blueprint.by_name
        nodes = {name: known.get(name) or AgentProgress() for name in agents}
        return PlanRun(
            PlanState(mission_id, file, blueprint, nodes),
            {name: node for name, node in known.items() if name not in agents},
            journal=self._journal,
            clock=self._clock,
            phase=self._phase,
            registry=self._registry,
            missions=self._missions,
            plan_table=self._plan_table,
            attempts=self._attempts,
        )

    def _put(self, plan: PlanRun) -> None:
        self.live[plan.id] = plan
        self._update_need()

    def _forget(self, mission_id: str) -> None:
        """It could not be saved."""
        self.live.pop(mission_id, None)
        self._update_need()

    def _update_need(self) -> None:
        self._line.hold("plans", on=bool(self.live))

    # applying

    async def apply(self, request: Apply, *, inside: str | None = None, only_new: bool = False) -> Applied:
        """Start a plan, or bring the live one of this name and file to what it is now; else nothing happens.

        Args:
            request: What is wanted.
            inside: The mission that asks, below which the plan is started; None for a person.
            only_new: Refuse where a plan of this name runs, and don't change it.

        Raises:
            OvermindError: it can't be carried out, as `checks.check` says; `name_taken`, `not_running`, `not_found`;
                `forbidden`, a mission asks for more than it may have; `no_swarm`, an agent is to be posted to one.
        """
        validate.check_environment(request.env)
        checks.check(request.blueprint)
        if any(agent.is_posted for agent in request.blueprint.agents):
            await self._swarm.check()
        return await self._apply(request, inside, only_new=only_new)

    async def _apply(
        self, request: Apply, inside: str | None, notes: Sequence[str] | None = None, *, only_new: bool
    ) -> Applied:
        """Apply in one turn of the loop, up to the commit; what has to be found out for it takes a turn before.

        What stood then may not stand any more: the plan was changed, taken down or has ended, or the same request
        came again. So everything is decided anew once the agents are checked.

        Args:
            request: What is wanted.
            inside: As of `apply`.
            notes: What the check of the agents had to say; None: they are not checked yet.
            only_new: As of `apply`.
        """
        self._missions.check_open()
        made = None if request.request is None else self._missions.by_request(request.request)
        if made is not None:
            return _applied(made, "started", _from_nothing(request.blueprint))
        if (earlier := self._earlier(request)) is not None:
            return earlier
        name = request.blueprint.name
        if only_new and (running := self._named(name)) is not None:
            message = f"A plan named {name!r} is still running: mission {running.id}."
            raise OvermindError("name_taken", message, id=running.id)
        live = self._standing(request)
        if live is not None:
            forbid_foreign(inside, self._registry.live[live.id], self._registry, "change")
            work = self._change(live, request, notes)
        elif request.rerun is not None:
            work = self._rerun(request, inside, notes)
        else:
            work = self._create(request, inside, notes)
        applied = await work
        if applied is not None:
            return applied
        checked = await self._check_agents(request.blueprint, request.env)
        return await self._apply(request, inside, checked, only_new=only_new)

    def _standing(self, request: Apply) -> PlanRun | None:
        """The live plan of this name and file.

        Raises:
            OvermindError: `name_taken`, by something else: what was started from another file is never touched.
        """
        name = request.blueprint.name
        holder = self._registry.index.holder(name)
        if holder is None:
            return None
        plan = self.live.get(holder)
        if plan is None:
            message = f"The name {name!r} is taken by mission {holder}, which is not a plan."
            raise OvermindError("name_taken", f"{message} {_ANOTHER_NAME}", id=holder)
        folder = self._registry.live[holder].definition.cwd
        if (plan.state.file, folder if plan.state.file in NO_FILE else "") != _origin(request):
            place = f"standard input in {folder}" if plan.state.file in NO_FILE else plan.state.file
            message = f"The name {name!r} is taken by plan {holder} from {place}."
            raise OvermindError("name_taken", f"{message} {_ANOTHER_NAME}", id=holder, file=plan.state.file)
        return plan

    async def _create(self, request: Apply, inside: str | None, notes: Sequence[str] | None) -> Applied | None:
        """Start a plan; None: its agents have to be checked first."""
        blueprint = request.blueprint
        name = validate.checked_name(blueprint.name)
        if request.dry_run:
            return Applied(None, name, "planned", tuple(self._since_last(request)))
        if notes is None:
            return None
        changes = self._since_last(request)
        self._missions.check_child(inside)
        definition = Definition(
            name=name,
            command=f"apply {request.file}".strip(),
            argv=(),
            cwd=request.cwd,
            kind=Kind.BLUEPRINT,
            tty=False,
            umask=request.umask & 0o777,
            parent=inside,
            timeout=blueprint.timeout,
            grace=GRACE,
        )
        mission = Mission(self._missions.new_id(), definition, self._clock.wall(), Status.STARTING, run=1)
        plan = self._plan(mission.id, request.file, blueprint, {})
        self._put(plan)
        await self._save(mission, request)
        for note in notes:
            plan.record(log_lines.plan_note(note))
        plan.schedule()
        return _applied(mission, "started", changes)

    def _since_last(self, request: Apply) -> list[PlanChange]:
        """What was changed since the last plan of this name and file began; all is new where none has run."""
        mission = self._newest(request)
        plan = None if mission is None else self._stored(mission.id)
        if plan is None:
            return _from_nothing(request.blueprint)
        return difference(plan.blueprint, request.blueprint)

    async def _save(self, mission: Mission, request: Apply) -> None:
        """Save a new plan; one that can't be saved never was."""
        environment = _environment(request)
        row = PlanRow(mission.id, request.file, store.BLUEPRINT.encode(request.blueprint))

        def write() -> None:
            self._environment_table.save(mission.id, environment)
            self._plan_table.insert(row)

        changes = self._registry.add(mission, write, request.request)
        try:
            await self._journal.saved()
        except StoreError:
            self._journal.withdraw(changes)
            self._registry.index.remove(mission.id)
            self._forget(mission.id)
            raise

    async def _change(self, plan: PlanRun, request: Apply, notes: Sequence[str] | None) -> Applied | None:
        """Make the live plan what it is now; None: its agents have to be checked first."""
        mission = self._registry.live[plan.id]
        if mission.ending is not None:
            name = mission.definition.name
            raise OvermindError("not_running", f"Plan {mission.id} ({name}) is being stopped. Try again.")
        reruns.check_values(request, plan.state)
        changes = difference(plan.blueprint, request.blueprint)
        changed = {change.agent for change in changes if change.sign != "-" and change.agent}
        asked = changed | reruns.wanted(request, plan.state)
        again = reruns.after_change(plan.nodes, request.blueprint, asked)
        edges = request.blueprint.edges
        behind, freed = below(edges, asked), {name for name in again - asked if plan.nodes[name].reason == HELD}
        freed |= below(edges, freed)
        for name in sorted(again - changed):
            cause = _DEPENDENCY_CHANGED if name in behind else _HELD_NO_MORE if name in freed else _NEEDED_AGAIN
            changes.append(PlanChange("~", name, ("runs again" if request.rerun else f"runs again: {cause}",)))
        if not changes:
            return _applied(mission, "unchanged")
        if request.dry_run:
            return _applied(mission, "planned", changes)
        if notes is None:
            return None
        plan.state.file = request.file or plan.state.file
        self._registry.put(_limited(mission, request.blueprint), ())
        self._save_environment(plan.id, request)
        served = reruns.served_for_good(plan.state, request.blueprint, again)
        plan.change(request.blueprint, again)
        plan.count_as_served(served)
        plan.record(log_lines.changed([f"{one.sign} {one.agent or 'the plan itself'}" for one in changes]))
        applied = _applied(mission, "changed", changes)
        self._save_answer(request, applied)
        await self._journal.saved()
        return applied

    async def _rerun(self, request: Apply, inside: str | None, notes: Sequence[str] | None) -> Applied | None:
        """Run a part of the newest plan of this name and file, and what depends on it, once more.

        None: the agents have to be checked first.
        """
        mission = self._newest(request)
        plan = None if mission is None else self._stored(mission.id)
        if mission is None or plan is None:
            name, place = request.blueprint.name, "" if request.file in NO_FILE else f" from {request.file}"
            raise OvermindError("not_found", f"No plan named {name!r}{place} has run yet, so all of it is new.")
        forbid_foreign(inside, mission, self._registry, "run again")
        reruns.check_values(request, plan.state)
        asked = reruns.wanted(request, plan.state, ended=True)
        changes = difference(plan.blueprint, request.blueprint)
        changed = {change.agent for change in changes if change.agent and change.sign != "-"}
        again = reruns.after_end(plan.nodes, request.blueprint, asked | changed)
        if not again:
            return _applied(mission, "unchanged", changes)
        anew = [*changes, *(PlanChange("~", one, ("runs again",)) for one in sorted(again - changed))]
        kept = [agent.name for agent in request.blueprint.agents if agent.name not in again]
        if request.dry_run:
            return _applied(mission, "planned", anew, kept)
        if notes is None:
            return None
        plan.state.file = request.file or plan.state.file
        served = reruns.served_for_good(plan.state, request.blueprint, again)
        plan.change(request.blueprint, again & plan.nodes.keys())
        plan.count_as_served(served)
        plan.keep(kept)
        self._adopted.add(plan.id)
        self._put(plan)
        self._save_environment(plan.id, request)
        self._registry.apply(_limited(mission, request.blueprint), StartAsked())
        applied = _applied(mission, "started", anew, kept)
        self._save_answer(request, applied)
        await self._journal.saved()
        return applied

    def _earlier(self, request: Apply) -> Applied | None:
        """The answer to the same request, where it has changed a plan before, or run a part of it again."""
        if request.request is None:
            return None
        self._journal.flush()
        known = self._request_table.find(_APPLY_KEY + request.request)
        return None if known is None or known.answer is None else _APPLIED.decode(known.answer.decode())

    def _save_answer(self, request: Apply, applied: Applied) -> None:
        """Save the answer in the commit of what was done: whoever asks again, having lost it, changes nothing."""
        if request.request is None:
            return
        from hashlib import sha256  # noqa: PLC0415 - few plans are changed or run again

        key, answer = _APPLY_KEY + request.request, _APPLIED.encode(applied).encode()
        digest = sha256(msgspec.json.encode(request)).digest()

        def write() -> None:
            self._request_table.begin(key, digest)
            self._request_table.finish(key, answer)

        self._journal.save(write)

    def _save_environment(self, plan: str, request: Apply) -> None:
        """Have all that begins from now on get the environment of this caller."""
        environment = _environment(request)
        self._journal.save(lambda: self._environment_table.save(plan, environment))

    def _newest(self, request: Apply) -> Mission | None:
        """The mission of the newest plan of this name and file."""
        self._journal.flush()
        for mission_id, file in self._plan_table.named(request.blueprint.name):
            mission = self._registry.get(mission_id)
            folder = "" if mission is None else mission.definition.cwd
            if mission is not None and (file, folder if file in NO_FILE else "") == _origin(request):
                return mission
        return None

    async def _check_agents(self, blueprint: Blueprint, environ: Mapping[str, str]) -> list[str]:
        """Look for each agent's program, and at the project of each isolated one, before anything begins.

        Returns sentences for the person.

        Raises:
            OvermindError: `provider_missing`; as `ProjectPlanner.planned_in`.
        """
        applied = Environment(dict(environ), {})
        for agent in blueprint.agents:
            if agent.genome is not None and not agent.is_posted:  # the hive that takes it has to trust it
                self._genomes.check(agent.genome)
            await self._starter.check(agent, applied)
        folders = dict.fromkeys(
            bind_text(agent.start["cwd"], {})
            for agent in blueprint.agents
            if agent.isolated and not references(agent.start["cwd"])
        )
        notes = []
        for folder in folders:
            planned = await self._projects.planned_in(folder, environ)
            if planned.note:
                notes.append(planned.note)
        return notes


_APPLY_KEY = "apply:"
"""Tells the keys of changes and reruns from those that callers give to other requests, which have no colon."""
_DEPENDENCY_CHANGED, _NEEDED_AGAIN = "a dependency was changed", "it is needed once more"
_HELD_NO_MORE = "no failure holds it any more"
_ANOTHER_NAME = "Give this plan another name: overmind apply --name NAME"


def _origin(request: Apply) -> tuple[str, str]:
    """What tells plans of one name apart: the file, or the folder of a plan that comes from none."""
    return request.file, request.cwd if request.file in NO_FILE else ""


def _applied(mission: Mission, status: str, changes: Sequence[PlanChange] = (), kept: Sequence[str] = ()) -> Applied:
    return Applied(mission.id, mission.definition.name, status, tuple(changes), tuple(kept))


def _environment(request: Apply) -> str:
    """The caller's, as it is stored."""
    return msgspec.json.encode({"inherited": request.env, "chosen": {}}).decode()


def _limited(mission: Mission, blueprint: Blueprint) -> Mission:
    """The plan's mission with the limits of this blueprint."""
    return replace(mission, definition=replace(mission.definition, timeout=blueprint.timeout))


def _from_nothing(blueprint: Blueprint) -> list[PlanChange]:
    return difference(replace(blueprint, agents=()), blueprint)
