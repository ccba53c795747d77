"""Starting an attempt of a plan's agent: its request with all references bound, and the mission made of it.

An agent that merges what others of its plan have done runs our own command line, as a process of the plan.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from overmind_core.agents.spec import spec_of
from overmind_core.agents.validate import UnheldLimit
from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.missions.names import name_problem
from overmind_core.domain.plans.bindings import wanted
from overmind_core.domain.plans.references import references
from overmind_core.errors import OvermindError
from overmind_core.missions.requests import Start
from overmind_core.plans import bindings
from overmind_core.plans.ports import NewPost
from overmind_core.plans.state import NO_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.plans.blueprint import PlanAgent, PlanMerge
    from overmind_core.domain.plans.progress import AgentProgress
    from overmind_core.kernel.config import Settings
    from overmind_core.missions.ports import Preparer
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.missions.spec import Environment, MissionSpec
    from overmind_core.plans.outputs import AgentOutputs
    from overmind_core.plans.state import PlanState
    from overmind_core.plans.values import Values


def request_key(plan: str, name: str, node: AgentProgress) -> str:
    """The request key of an agent's newest attempt: however often it is asked for, it makes one mission."""
    return f"plan:{plan}:{name}:{node.attempt}"


UNKNOWN = "?"
"""In the place of what a reference stands for, before that is known."""


class AttemptStarter:
    """Makes missions of attempts."""

    def __init__(
        self,
        *,
        settings: Settings,
        registry: Registry,
        missions: Missions,
        preparer: Preparer,
        values: Values,
        outputs: AgentOutputs,
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._missions = missions
        self._preparer = preparer
        self._values = values
        self._outputs = outputs

    async def start(
        self,
        plan: PlanState,
        agent: PlanAgent,
        node: AgentProgress,
        applied: Environment,
        *,
        is_new: bool = False,
        ahead: MissionSpec | None = None,
    ) -> str:
        """Start the newest attempt of an agent, unless that was done already; returns the id of its mission.

        Args:
            plan: What it belongs to.
            agent: As it was when the attempt was begun.
            node: Likewise.
            applied: The environment of whoever applied the plan.
            is_new: Nobody has asked for this attempt before.
            ahead: What `spec_ahead` has returned for it.

        Raises:
            OvermindError: it can't be started.
        """
        if ahead is not None and ahead.request == request_key(plan.id, agent.name, node):
            spec = ahead
        else:
            spec = self._spec(plan, agent, await self._request(plan, agent, node, applied))
        mission = self._registry.live.get(plan.id)
        inside = None if mission is None or mission.definition.parent is None else plan.id
        begun = await self._missions.start_child(
            spec, inside=inside, cleans_up=agent.cleans_up, settled=False, is_new=is_new
        )
        return begun.mission.id

    async def to_post(self, plan: PlanState, agent: PlanAgent, node: AgentProgress, applied: Environment) -> NewPost:
        """The post that an attempt is, of an agent of the swarm: with values in place of all references.

        Raises:
            OvermindError: a value can't be had, or it is nothing that could run.
        """
        assert agent.on is not None
        assert node.post is not None
        wanted = plan.wanted.get(agent.name)
        if wanted is None:
            raise OvermindError("removed", "It is no longer part of the plan.")
        run = bindings.fields_of(agent, await self._values.of(plan, wanted, applied))
        try:
            spec_of(msgspec.convert({**run, "cwd": "/", "env": {}}, Start), self._settings)
        except msgspec.ValidationError as error:
            raise OvermindError("invalid", f"{agent.name}: {error}.") from None
        return NewPost(
            id=node.post.id,
            name=_post_name(plan.blueprint.name, agent.name, node.post.id),
            plan=plan.blueprint.name,
            agent=agent.name,
            run=run,
            on=agent.on,
            cpu=agent.cpu,
            memory=agent.memory,
            outputs=agent.outputs,
            genome=agent.genome,
        )

    def spec_ahead(
        self, plan: PlanState, agent: PlanAgent, node: AgentProgress, applied: Environment
    ) -> MissionSpec | None:
        """What an attempt is to be, where that depends on nothing that is not known before the agent's turn comes."""
        provider = agent.start.get("provider", RAW)
        if provider != RAW or agent.outputs or agent.merge is not None or plan.wanted[agent.name] or agent.is_posted:
            return None
        try:
            return self._spec(plan, agent, self._bound(plan, agent, node, applied, {}))
        except (OvermindError, KeyError):
            return None  # it is told when the turn has come

    def _spec(self, plan: PlanState, agent: PlanAgent, request: Start) -> MissionSpec:
        spec = spec_of(request, self._settings, name=f"{plan.blueprint.name}/{agent.name}", parent=plan.id)
        written = agent.start.get("command")
        if not isinstance(written, str) or spec.agent is not None or not references(written):
            return spec
        return replace(spec, definition=replace(spec.definition, command=written))  # people read it as it is written

    async def check(self, agent: PlanAgent, applied: Environment) -> None:
        """Look whether the program of an agent is there, and could hold its limits, before its plan begins.

        Commands are not looked at, nor limits of a model that is not known yet.

        Raises:
            OvermindError: `provider_missing`; `invalid`, nobody could hold a limit.
        """
        if agent.merge is not None or agent.is_posted or agent.start.get("provider", RAW) == RAW:
            return
        values = {".".join(part for part in one if part): UNKNOWN for one in wanted(agent.start)}
        try:
            request = bindings.start_request(agent, values, applied, umask=0o022, folder="/", key="")
            if references(agent.start["cwd"]):
                request = msgspec.structs.replace(request, cwd="/")
            await self._missions.check_program(spec_of(request, self._settings, name=agent.name))
        except OvermindError as error:
            model = (agent.start.get("agent") or {}).get("model") or ""
            is_unheld = isinstance(error, UnheldLimit) and not references(model)
            if is_unheld or error.code == "provider_missing":
                raise OvermindError(error.code, f"{agent.name}: {error.message}") from None

    def begun(self, plan: PlanState, agent: PlanAgent, node: AgentProgress) -> Mission | None:
        """The mission of the newest attempt of an agent, once there is one."""
        return self._missions.by_request(request_key(plan.id, agent.name, node))

    async def _request(self, plan: PlanState, agent: PlanAgent, node: AgentProgress, applied: Environment) -> Start:
        wanted = plan.wanted.get(agent.name)
        if wanted is None:
            raise OvermindError("removed", "It is no longer part of the plan.")
        values = await self._values.of(plan, wanted, applied)
        if agent.outputs:
            folder = self._outputs.folder(plan.id, agent.name, node)
            await asyncio.to_thread(os.makedirs, folder, 0o700, exist_ok=True)
        request = self._bound(plan, agent, node, applied, values)
        return request if agent.merge is None else await self._merging(plan, agent.merge, request)

    def _bound(
        self,
        plan: PlanState,
        agent: PlanAgent,
        node: AgentProgress,
        applied: Environment,
        values: Mapping[str, str],
    ) -> Start:
        folder = self._outputs.folder(plan.id, agent.name, node)
        umask = self._registry.live[plan.id].definition.umask
        key = request_key(plan.id, agent.name, node)
        return bindings.start_request(agent, values, applied, umask=umask, folder=folder, key=key)

    async def _merging(self, plan: PlanState, merge: PlanMerge, request: Start) -> Start:
        """The request with the command that lands the newest attempts of these agents, once nothing of them runs.

        Raises:
            OvermindError: `gone`, one of them never ran.
        """
        missions: dict[str, str] = {}
        for name in merge.agents:
            node = plan.nodes.get(name)
            if node is None or node.mission is None:
                raise OvermindError("gone", f"{name} has not run, so it has nothing to merge.")
            missions[name] = node.mission
        await self._preparer.calm(missions.values())
        words = [f"{name}={mission}" for name, mission in missions.items()]
        file = [] if plan.file in NO_FILE else ["--file", plan.file]
        command = [*_program(), "merge-step", "--plan", plan.blueprint.name, *file, *_options(merge), *words]
        return msgspec.structs.replace(request, command=command, isolate=False)


def _post_name(plan: str, agent: str, post: str) -> str:
    """What its post is called, and its mission where it runs."""
    name = f"{plan}-{agent}"
    return name if name_problem(name) is None else f"plan-{post}"


def _program() -> tuple[str, ...]:
    """The command line that belongs to this daemon."""
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
