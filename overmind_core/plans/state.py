"""The state of a plan in memory: its blueprint, where its agents stand, and what each of them refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.plans.bindings import wanted
from overmind_core.domain.plans.progress import ACTIVE
from overmind_core.domain.plans.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.domain.plans.blueprint import Blueprint, PlanAgent
    from overmind_core.domain.plans.progress import AgentProgress


NO_FILE = frozenset({"", "-"})
"""In the place of a path: a plan of a program, or of standard input. The folder tells such plans apart."""


class PlanState:
    """To be read by whoever works for the plan; changed by its `PlanRun` alone."""

    def __init__(self, mission_id: str, file: str, blueprint: Blueprint, nodes: Mapping[str, AgentProgress]) -> None:
        self.id = mission_id
        """Of the plan's own mission."""
        self.file = file
        """The path of the blueprint."""
        self.become(blueprint, nodes)

    def become(self, blueprint: Blueprint, nodes: Mapping[str, AgentProgress]) -> None:
        """Be this blueprint from now on, with its agents where these nodes say."""
        self.scheduler = Scheduler(blueprint, nodes)
        self.wanted = {agent.name: wanted(agent.start) for agent in blueprint.agents}
        """What each agent refers to."""
        self.results = self._referred_to("result")
        """Agents whose results others refer to."""
        self.outputs = self._referred_to("output")
        """Agents to whose log others refer."""

    def _referred_to(self, kind: str) -> set[str]:
        return {
            other
            for references in self.wanted.values()
            for source, other, field in references
            if source == "agents" and field == kind
        }

    @property
    def has_posts(self) -> bool:
        """Whether one of the agents goes on as a post of the swarm."""
        return any(node.post is not None and node.stage in ACTIVE for node in self.nodes.values())

    @property
    def blueprint(self) -> Blueprint:
        """What it is."""
        return self.scheduler.blueprint

    @property
    def agents(self) -> Mapping[str, PlanAgent]:
        """The blueprint's agents, by name."""
        return self.scheduler.agents

    @property
    def nodes(self) -> Mapping[str, AgentProgress]:
        """Where they stand, by name."""
        return self.scheduler.nodes
