"""The parts of plans, from the bottom to the top: all plans, and what carries out their agents."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.plans.attempt_start import AttemptStarter
from overmind_core.plans.attempts import Attempts
from overmind_core.plans.outputs import AgentOutputs
from overmind_core.plans.post_watch import PostWatch
from overmind_core.plans.service import Plans
from overmind_core.plans.values import Values

if TYPE_CHECKING:
    from overmind_core.agents.store import AgentTable
    from overmind_core.isolation.genomes import GenomeTrust
    from overmind_core.isolation.service import IsolationService
    from overmind_core.isolation.workspace import Workspace
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.keeper_client import CurrentKeeper
    from overmind_core.kernel.keyed_requests import KeyedRequestTable
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.environment import Environments
    from overmind_core.missions.observer import MissionObserver
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.missions.store import EnvironmentTable
    from overmind_core.plans.ports import SwarmPosts
    from overmind_core.plans.store import PlanTable
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home


class PlanParts(NamedTuple):
    """What plans stand on."""

    home: Home
    settings: Settings
    clock: Clock
    journal: Journal
    tasks: Tasks
    phase: Phase
    line: CurrentKeeper
    registry: Registry
    missions: Missions
    observer: MissionObserver
    environments: Environments
    workspace: Workspace
    isolation: IsolationService
    genomes: GenomeTrust
    swarm: SwarmPosts
    plan_table: PlanTable
    agent_table: AgentTable
    environment_table: EnvironmentTable
    request_table: KeyedRequestTable


def assemble(parts: PlanParts) -> Plans:
    """Make the parts of plans."""
    outputs = AgentOutputs(parts.home, parts.journal, parts.agent_table)
    values = Values(parts.registry, outputs)
    starter = AttemptStarter(
        settings=parts.settings,
        registry=parts.registry,
        missions=parts.missions,
        preparer=parts.isolation,
        values=values,
        outputs=outputs,
    )
    attempts = partial(
        Attempts,
        clock=parts.clock,
        phase=parts.phase,
        tasks=parts.tasks,
        registry=parts.registry,
        environments=parts.environments,
        workspace=parts.workspace,
        observer=parts.observer,
        starter=starter,
        values=values,
        outputs=outputs,
        swarm=parts.swarm,
        watch=PostWatch(parts.swarm, parts.tasks),
    )
    return Plans(
        journal=parts.journal,
        clock=parts.clock,
        phase=parts.phase,
        line=parts.line,
        registry=parts.registry,
        missions=parts.missions,
        projects=parts.isolation,
        genomes=parts.genomes,
        swarm=parts.swarm,
        plan_table=parts.plan_table,
        environment_table=parts.environment_table,
        request_table=parts.request_table,
        starter=starter,
        attempts=attempts,
    )
