"""The attempts of a plan's agents as missions: asking for them, seeing them become ready, and how they ended.

An agent that lands what others of its plan have done: our own command line, as a process of the plan.

A probe as it is looked at: what its command refers to is in variables.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from overmind_core.agents.spec import spec_of
from overmind_core.domain.isolation.saga import SagaPhase
from overmind_core.domain.missions.facts import EndAsked
from overmind_core.domain.missions.mission import Cause, Mission, Status
from overmind_core.domain.plans.blueprint import Probe, ProbeKind
from overmind_core.domain.plans.progress import AgentStage, AttemptEnd, Node
from overmind_core.domain.plans.references import BrokenReference, UnusableValue, bind_shell, references
from overmind_core.errors import OvermindError
from overmind_core.kernel.api_server import HandingOver
from overmind_core.kernel.database import StoreError
from overmind_core.missions.registry import run_of
from overmind_core.plans import bindings, log_lines
from overmind_core.plans.bindings import folder, values
from overmind_core.plans.outputs import handed_on
from overmind_core.probes.probe import NotReady, until_ready

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from overmind_core.daemon.app import Supervisor
    from overmind_core.domain.plans.blueprint import PlanAgent, PlanMerge
    from overmind_core.missions.requests import Start
    from overmind_core.missions.spec import Environment
    from overmind_core.plans.pipeline import PlanRun


async def merging(core: Supervisor, pipeline: PlanRun, merge: PlanMerge, request: Start) -> Start:
    """The request with the command that lands the newest attempts of these agents, once nothing of them runs any more.

    Raises:
        OvermindError: `gone`, one of them never ran.
    """
    missions: dict[str, str] = {}
    for name in merge.agents:
        node = pipeline.nodes.get(name)
        if node is None or node.mission is None:
            raise OvermindError("gone", f"{name} has not run, so it has nothing that could be merged.")
        missions[name] = node.mission
    await core.isolation.calm(missions.values())
    words = [f"{name}={mission}" for name, mission in missions.items()]
    command = [*_program(), "merge-step", "--plan", pipeline.blueprint.name, *_options(merge), *words]
    return msgspec.structs.replace(request, command=command, isolate=False)


def request_key(plan: str, name: str, node: Node) -> str:
    """The request key of an agent's newest attempt: however often it is asked for, it makes one mission."""
    return f"plan:{plan}:{name}:{node.attempt}"


def _program() -> tuple[str, ...]:
    """The command line that belongs to this supervisor."""
    beside = os.path.join(os.path.dirname(sys.executable), "overmind")
    if os.access(beside, os.X_OK):
        return (beside,)
    return (sys.executable, "-P", "-m", "overmind_core.cli")


def _options(merge: PlanMerge) -> Iterator[str]:
    for name in ("into", "verify"):
        if (value := getattr(merge, name)) is not None:
            yield from (f"--{name}", value)
    for name in ("squash", "rebase"):
        if getattr(merge, name):
            yield f"--{name}"


class Bound(NamedTuple):
    """`variables` belong to the environment of the probe's command. Wire form."""

    probe: Probe
    variables: dict[str, str]


async def bound(core: Supervisor, pipeline: PlanRun, probe: Probe, world: Environment) -> Bound:
    """The probe without references; `world` is the environment of whoever applied the plan.

    Raises:
        NotReady: a command can't be given what it refers to.
    """
    if probe.kind is not ProbeKind.EXEC:
        return Bound(probe, {})
    try:
        wanted = {(str(one.source), one.name, one.field) for one in references(probe.target)}
        command, variables = bind_shell(probe.target, await values(core, pipeline, wanted, world))
    except (BrokenReference, UnusableValue) as error:
        raise NotReady(f"its command can't be run: {error}") from None
    return Bound(replace(probe, target=command), variables)


RETRY_SECONDS = 1.0
"""Pause before an agent is asked for again that could not be saved (a full disk)."""


class Attempts:
    """Does one thing at a time for each agent, and reports to the pipeline."""

    def __init__(self, core: Supervisor, pipeline: PlanRun) -> None:
        self._core = core
        self._pipeline = pipeline
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._world: Environment | None = None

    def begin(self, name: str) -> None:
        """Ask for the agent's newest attempt; whether it was asked for before, nobody needs to know."""
        self._under_way(name, self._begin(name))

    def look_at(self, name: str) -> None:
        """Find out how the mission of an agent's newest attempt stands."""
        node = self._pipeline.nodes[name]
        mission = None if node.mission is None else self._core.book.get(node.mission)
        if mission is None:
            self._pipeline.ended(name, AttemptEnd(ok=False, at=self._core.clock.wall(), reason="removed"))
        elif not mission.is_live:
            if node.stage is AgentStage.STARTING and not self.is_unbegun(mission):  # it ran before anybody could look
                self._pipeline.has_begun(name, node.attempt, mission)
                return
            self._conclude(name, mission)
        elif node.stage is AgentStage.STOPPING and mission.ending is None:
            self._core.book.tell_if_legal(mission, EndAsked(Cause.STOP, mission.definition.grace), urgent=True)
        elif node.stage is AgentStage.RUNNING and not node.ready:
            self._under_way(name, self._probe(name, mission))
        self._pipeline.look()

    def is_unbegun(self, mission: Mission) -> bool:
        """Whether what it is to have of its own is still being made, or could not be."""
        isolation = self._core.workspace.records.get(mission.id)
        if isolation is None or not mission.definition.isolated:
            return False
        return mission.status in {Status.PREPARING, Status.STARTING} or isolation.saga.phase is not SagaPhase.DONE

    def close(self) -> None:
        """Nothing is under way any more."""
        for task in list(self._tasks.values()):
            task.cancel()
        self._tasks.clear()

    # beginning

    async def _begin(self, name: str) -> None:
        agent, node = self._pipeline.board.agents.get(name), self._pipeline.nodes.get(name)
        if agent is None or node is None:
            self._failed_otherwise(name, "removed", "")
            return
        child = await self._asked_for(agent, node)
        mission = None if child is None else self._core.book.get(child)
        if mission is not None:
            self._pipeline.has_begun(name, node.attempt, mission)

    async def _asked_for(self, agent: PlanAgent, node: Node) -> str | None:
        """The mission of this attempt; None when there will be none."""
        name = f"{self._pipeline.blueprint.name}/{agent.name}"
        while True:
            try:
                request = await self._request(agent, node)
                spec = spec_of(request, self._core.settings, name=name, parent=self._pipeline.id)
                return (await self._core.missions.start_child(spec)).mission.id
            except HandingOver:
                return None
            except StoreError:
                await asyncio.sleep(RETRY_SECONDS)
            except OvermindError as error:
                if not self._goes_on_later:
                    self._failed_otherwise(agent.name, error.code, error.message)
                return None
            except Exception as error:
                # Whatever it is: a plan with an agent that is for ever about to start would never end.
                self._failed_otherwise(agent.name, "internal", f"{type(error).__name__}: {error}")
                raise

    @property
    def _goes_on_later(self) -> bool:
        """Whether the next supervisor begins what is not begun: this one leaves, and the plan lives on."""
        plan = self._core.book.live.get(self._pipeline.id)
        return self._core.phase.closing and plan is not None and plan.ending is None

    def _failed_otherwise(self, name: str, reason: str, explained: str) -> None:
        self._pipeline.ended(name, AttemptEnd(ok=False, at=self._core.clock.wall(), reason=reason), explained)

    async def _request(self, agent: PlanAgent, node: Node) -> Start:
        plan = self._pipeline.id
        world = self._applied()
        wanted = self._pipeline.wanted.get(agent.name)
        if wanted is None:
            raise OvermindError("removed", "It is no longer part of the plan.")
        known = await values(self._core, self._pipeline, wanted, world)
        where = folder(self._core, plan, agent.name, node)
        if agent.outputs:
            await asyncio.to_thread(os.makedirs, where, 0o700, exist_ok=True)
        umask = self._core.book.live[plan].definition.umask
        key = request_key(plan, agent.name, node)
        request = bindings.start_request(agent, known, world, umask=umask, folder=where, key=key)
        return request if agent.merge is None else await merging(self._core, self._pipeline, agent.merge, request)

    def _applied(self) -> Environment:
        """The environment of whoever applied the plan."""
        if self._world is None:
            self._world = self._core.environment(self._pipeline.id)
        return self._world

    # becoming ready

    async def _probe(self, name: str, mission: Mission) -> None:
        probe = self._pipeline.board.agents[name].ready
        assert probe is not None
        try:
            look = await bound(self._core, self._pipeline, probe, self._applied())
            await until_ready(self._core.observer, mission, look.probe, look.variables)
        except NotReady as error:
            self._not_ready(mission, str(error))
        else:
            self._pipeline.is_ready(name, mission.id)

    def _not_ready(self, mission: Mission, why: str) -> None:
        """It had its time: it has failed, and ends."""
        current = self._core.book.live.get(mission.id)
        if current is not None:
            ask = EndAsked(Cause.LIMIT, current.definition.grace, f"--- not ready: {why} ---", reason="not_ready")
            self._core.book.tell_if_legal(current, ask, urgent=True)

    # ending

    def _conclude(self, name: str, mission: Mission) -> None:
        """It has ended: at once, unless something that it hands on has to be read first."""
        agent = self._pipeline.board.agents[name]
        if name in self._pipeline.results or agent.outputs:
            self._under_way(name, self._read(name, agent, mission))
        else:
            self._leave(name)
            self._pipeline.ended(name, self._end(mission), self._explained(mission))

    def _explained(self, mission: Mission) -> str:
        """Why it could not be prepared, "" when it was."""
        if mission.reason == "setup_failed":
            return f"setup_failed; see: overmind logs {mission.definition.name}"
        isolation = self._core.workspace.records.get(mission.id)
        if isolation is None or isolation.saga.error is None or isolation.saga.error != mission.reason:
            return ""
        return f"{isolation.saga.error}: {isolation.saga.message}"

    async def _read(self, name: str, agent: PlanAgent, mission: Mission) -> None:
        where = folder(self._core, self._pipeline.id, name, self._pipeline.nodes[name])
        wanted = ("result",) if name in self._pipeline.results else ()
        try:
            handed = await handed_on(self._core, mission, where, wanted, agent.outputs)
        except Exception as error:
            # Whatever it is: a plan with an agent that is for ever about to end would never end.
            self._failed_otherwise(name, "internal", f"what it hands on can't be read: {error}")
            raise
        end = replace(self._end(mission), result=handed.result, facts=dict(handed.facts))
        explained = self._explained(mission)
        if handed.cut:
            self._pipeline.note(log_lines.cut(name, handed.cut))
        if end.ok and handed.missing:
            end = replace(end, ok=False, reason="output_missing")
            explained = f"it did not hand on {', '.join(handed.missing)}"
        self._pipeline.ended(name, end, explained)

    def _end(self, mission: Mission) -> AttemptEnd:
        """How the mission ended; one that a person stopped has failed, whatever its exit code."""
        row = self._core.state.runs.latest(mission.id)
        by_hand = row is not None and run_of(row).reason == Cause.STOP
        reason = "stopped" if by_hand and mission.status is Status.STOPPED else mission.reason
        if mission.status is Status.KILLED:
            reason = "killed"
        at = mission.ended_at or self._core.clock.wall()
        ok = mission.status is Status.STOPPED and not by_hand
        return AttemptEnd(ok=ok, at=at, exit_code=mission.exit_code, reason=reason)

    def _under_way(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Do something for an agent beside everything else; it takes the place of what was being done for it."""
        self._leave(name)
        task = self._tasks[name] = self._core.background(work)
        task.add_done_callback(lambda _: self._tasks.pop(name, None) if self._tasks.get(name) is task else None)

    def _leave(self, name: str) -> None:
        """What is being done for the agent is of no use any more."""
        before = self._tasks.pop(name, None)
        if before is not None and before is not asyncio.current_task():
            before.cancel()
