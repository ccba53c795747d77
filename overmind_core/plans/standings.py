"""How missions stand by the agents of plans whose attempts they are: see `domain.plans.standing`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.missions.mission import Kind
from overmind_core.domain.missions.outcome import Outcome, outcome_of
from overmind_core.domain.plans.standing import standing_of, standing_of_plan
from overmind_core.plans import store

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.missions.standing import WorkStanding
    from overmind_core.domain.plans.progress import AgentProgress
    from overmind_core.plans.service import Plans
    from overmind_core.plans.store import PlanTable


class PlanStandings:
    """Reads the agents of missions: of plans that run from memory, of ended ones from the store, all at once."""

    def __init__(self, plans: Plans, plan_table: PlanTable) -> None:
        self._plans = plans
        self._plan_table = plan_table

    def of(self, missions: Sequence[Mission]) -> Mapping[str, WorkStanding]:
        """How those stand whose agent says it, by the mission's id."""
        ended = [one for one in missions if not one.is_live and one.definition.parent is not None]
        nodes = self._nodes({one.definition.parent for one in ended if one.definition.parent is not None})
        found: dict[str, WorkStanding] = {}
        for mission in ended:
            node = nodes.get(mission.id)
            is_live = mission.definition.parent in self._plans.live
            standing = None if node is None else standing_of(node, mission, is_live=is_live)
            if standing is not None:
                found[mission.id] = standing
        return found | self._of_plans(missions)

    def _of_plans(self, missions: Sequence[Mission]) -> dict[str, WorkStanding]:
        """Return how plans stand that failed because of an agent whose mission does not say why, or that had none."""
        failed = [
            one.id for one in missions
            if one.definition.kind is Kind.BLUEPRINT and not one.is_live and outcome_of(one) is Outcome.FAILED
        ]  # fmt: skip
        rows = self._plan_table.failed_without_a_word(failed) if failed else []
        return {plan: standing_of_plan(name, store.NODE.decode(text)) for plan, name, text in reversed(rows)}

    def _nodes(self, parents: Collection[str]) -> dict[str, AgentProgress]:
        """Where the agents stand of which an attempt has failed, by the missions of their attempts."""
        live = [plan for one in parents if (plan := self._plans.live.get(one)) is not None]
        ended = [one for one in parents if one not in self._plans.live]
        known: dict[str, AgentProgress] = {}
        for plan in live:
            known |= _by_missions(plan.nodes.values())
        if ended:
            known |= _by_missions(store.NODE.decode(text) for text in self._plan_table.failed_nodes(ended))
        return known


def _by_missions(nodes: Iterable[AgentProgress]) -> dict[str, AgentProgress]:
    found: dict[str, AgentProgress] = {}
    for node in nodes:
        found |= {one.mission: node for one in node.tried}
        if node.mission is not None:
            found[node.mission] = node
    return found
