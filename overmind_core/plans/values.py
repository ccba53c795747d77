"""The values of references: what they stand for when an agent starts or a probe looks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.plans.blueprint import Probe, ProbeKind
from overmind_core.domain.plans.references import BrokenReference, UnusableValue, bind_shell, references
from overmind_core.errors import OvermindError
from overmind_core.probes.probe import NotReady

if TYPE_CHECKING:
    from collections.abc import Iterable

    from overmind_core.domain.plans.bindings import Wanted
    from overmind_core.domain.plans.progress import AgentProgress
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.spec import Environment
    from overmind_core.plans.outputs import AgentOutputs
    from overmind_core.plans.state import PlanState


class BoundProbe(NamedTuple):
    """A probe without references: `variables` belong to the environment of its command. Wire form."""

    probe: Probe
    variables: dict[str, str]


class Values:
    """Looks up what references of a plan's agents stand for."""

    def __init__(self, registry: Registry, outputs: AgentOutputs) -> None:
        self._registry = registry
        self._outputs = outputs

    async def of(self, plan: PlanState, wanted: Iterable[Wanted], applied: Environment) -> dict[str, str]:
        """What each of these stands for now, by its text between the braces; `applied`: of whoever applied the plan.

        Raises:
            OvermindError: `removed`, an agent is no longer part of the plan; `gone`, its mission was removed.
        """
        return {".".join(part for part in one if part): await self._value(plan, one, applied) for one in wanted}

    async def bind_probe(self, plan: PlanState, probe: Probe, applied: Environment) -> BoundProbe:
        """The probe with what its command refers to in variables.

        Raises:
            NotReady: a command can't be given what it refers to.
        """
        if probe.kind is not ProbeKind.EXEC:
            return BoundProbe(probe, {})
        try:
            wanted = {(str(one.source), one.name, one.field) for one in references(probe.target)}
            command, variables = bind_shell(probe.target, await self.of(plan, wanted, applied))
        except (BrokenReference, UnusableValue) as error:
            raise NotReady(f"its command can't be run: {error}") from None
        return BoundProbe(replace(probe, target=command), variables)

    async def _value(self, plan: PlanState, wanted: Wanted, applied: Environment) -> str:
        """One value; nothing for what does not exist, or of an agent that did not run."""
        source, name, field = wanted
        if source == "vars":
            return plan.blueprint.variables.get(name, "")
        if source == "env":
            return applied.inherited.get(name, "")
        node = plan.nodes.get(name)
        if node is None:
            raise OvermindError("removed", f"{name} is no longer part of the plan.")
        match field:
            case "result":
                return await self._result(name, node)
            case "exit_code":
                return "" if node.exit_code is None else str(node.exit_code)
            case "output":
                return await self._output(name, node)
        return node.facts.get(field, "")

    async def _result(self, name: str, node: AgentProgress) -> str:
        """What was read at its end; where nobody had referred to it then, what it is."""
        if node.result is not None:
            return node.result
        if node.post is not None and node.post.hive is not None:
            raise OvermindError("gone", f"The result of {name} is at its hive. Run {name} again, too.")
        if node.mission is None:
            return ""
        mission = self._registry.get(node.mission)
        if mission is None:
            raise OvermindError("gone", f"The result of {name} was removed. Run {name} again, too.")
        return "" if mission.is_live else await self._outputs.result(mission) or ""

    async def _output(self, name: str, node: AgentProgress) -> str:
        if node.post is not None:
            if node.post.hive is None:
                return ""
            if node.output is None:  # nobody referred to it when it ended
                raise OvermindError("gone", f"The output of {name} is at its hive. Run {name} again, too.")
            return node.output
        if node.mission is None:
            return ""
        mission = self._registry.get(node.mission)
        if mission is None:
            raise OvermindError("gone", f"The output of {name} was removed. Run {name} again, too.")
        return await self._outputs.log_text(mission)
