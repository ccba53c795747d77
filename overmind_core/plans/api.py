"""`apply`, `delete`, `plans`, `plan`: whole plans of dependent agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.missions.mission import Cause, Kind, Mission
from overmind_core.domain.plans.progress import AgentStage
from overmind_core.domain.text.graph import critical_path, held_others, order
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles
from overmind_core.missions.answers import notes
from overmind_core.missions.callers import forbid_foreign, mission_of
from overmind_core.missions.lookup import find, parent_of
from overmind_core.missions.requests import Nothing
from overmind_core.plans import answers
from overmind_core.plans.requests import Apply, Plan

if TYPE_CHECKING:
    from overmind_core.domain.plans.progress import AgentProgress
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.request import Caller
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.plans.answer_types import AppliedPlan, DeletedPlan, PlanDetails, PlanSummary
    from overmind_core.plans.service import Plans
    from overmind_core.plans.store import PlanTable
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home


class PlanApi:
    """The commands about plans."""

    def __init__(
        self,
        *,
        home: Home,
        plans: Plans,
        journal: Journal,
        clock: Clock,
        registry: Registry,
        missions: Missions,
        plan_table: PlanTable,
    ) -> None:
        self._home = home
        self._plans = plans
        self._journal = journal
        self._clock = clock
        self._registry = registry
        self._missions = missions
        self._plan_table = plan_table

    @handles(Apply)
    async def apply(self, request: Apply, caller: Caller) -> AppliedPlan:
        """Start a plan, or bring the live one of this name and file to what it is now; else nothing happens."""
        inside = parent_of(self._registry, None, self._inside(caller))
        return answers.applied(await self._plans.apply(request, inside=inside))

    @handles(Plan)
    async def delete(self, request: Plan, caller: Caller) -> DeletedPlan:
        """Take a plan down: its agents end in the reverse of the order in which they began, then it does."""
        forbid_foreign(self._inside(caller), find(self._registry, request.id), self._registry, "delete")
        mission, began = self._mission(request.id), self._clock.wall()
        ended = await self._missions.end(mission, Cause.STOP, cascade=False, grace=None) if mission.is_live else []
        answer: DeletedPlan = {
            "id": mission.id,
            "name": mission.definition.name,
            "status": (self._registry.get(mission.id) or mission).status,
        }
        if (note := notes(self._missions.with_agents(ended), began)) is not None:
            answer["note"] = note
        return answer

    @handles(Nothing)
    async def plans(self, request: Nothing, caller: Caller) -> list[PlanSummary]:
        """All plans, newest first, with how many of their agents stand where."""
        del request, caller
        self._journal.flush()
        now = self._clock.wall()
        found: list[PlanSummary] = []
        for stored in self._plan_table.outlines():
            live, mission = self._plans.live.get(stored.mission), self._registry.get(stored.mission)
            if mission is not None:
                found.append(answers.summary(mission, stored if live is None else answers.outline(live.state), now))
        return found

    @handles(Plan)
    async def plan(self, request: Plan, caller: Caller) -> PlanDetails:
        """One plan with all its agents, dependencies first."""
        del caller
        mission = self._mission(request.id)
        plan = self._plans.state_of(mission.id)
        if plan is None:
            raise OvermindError("not_found", f"Mission {mission.id} no longer has a plan.")
        edges = plan.blueprint.edges
        now = self._clock.wall()
        seconds = {
            name: held_others(
                answers.seconds(node, now),
                stays=plan.agents[name].stays,
                ready=node.ready if plan.agents[name].ready is not None else None,
            )
            for name, node in plan.nodes.items()
        }
        chain = critical_path(edges, seconds)
        return {
            **answers.summary(mission, answers.outline(plan), now),
            "max_parallel": plan.blueprint.max_parallel,
            "on_failure": plan.blueprint.on_failure,
            "vars": plan.blueprint.given_variables,
            "critical_path": [name for name in chain if plan.nodes[name].stage is not AgentStage.SKIPPED],
            "agents": [answers.agent(plan, name, now, mission=self._live(plan.nodes[name])) for name in order(edges)],
        }

    def _live(self, node: AgentProgress) -> Mission | None:
        return None if node.mission is None else self._registry.live.get(node.mission)

    def _inside(self, caller: Caller) -> str | None:
        return mission_of(caller, self._registry, self._home.root)

    def _mission(self, text: str) -> Mission:
        mission = find(self._registry, text)
        if mission.definition.kind is not Kind.BLUEPRINT:
            raise OvermindError("invalid", f"Mission {mission.id} ({mission.definition.name}) is not a plan.")
        return mission
