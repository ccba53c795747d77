"""Budgets of trees of missions: what is spent is counted with each paid turn, in its commit; none goes on without.

A limit is one mission's and holds for everything below it, so one turn may count for several. Trees without a limit are
counted, too: they may get one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.agents.store import BudgetRow
from overmind_core.domain.actor import ENGINE
from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.agents.events import CostWarning
from overmind_core.domain.missions.facts import EndAsked
from overmind_core.domain.missions.mission import Cause, Mission
from overmind_core.domain.missions.tree import BudgetState, SpentLimit, budget_state
from overmind_core.missions.lookup import line

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.agents.store import BudgetTable
    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.registry import Registry

REASON = "max_cost"


class Budgets:
    """Used from the loop's thread."""

    def __init__(self, registry: Registry, journal: Journal, table: BudgetTable) -> None:
        self._registry = registry
        self._journal = journal
        self._table = table
        self._unsaved: dict[str, BudgetRow] = {}
        self.on_spent: Callable[[Mission, float | None], None] = _nothing
        """Called with each turn that was paid for, in the commit that records it."""

    def spend(self, mission: Mission, usd: float | None) -> None:
        """A turn of the mission was paid for, in US dollars; None: nobody knows how much."""
        for owner in line(self._registry, mission.id):
            if usd or owner.definition.max_cost:
                self._count(owner, usd or 0.0)
        self.on_spent(mission, usd)

    def total(self, mission_id: str) -> float:
        """The cost of the tree of a mission so far, in US dollars."""
        return self._of(mission_id).usd

    def spent(self, parent: str | None) -> tuple[Mission, float] | None:
        """Which mission, from this one upwards, has spent all that its tree may, and how much that was."""
        for owner in line(self._registry, parent):
            usd = self.total(owner.id)
            if budget_state(usd, owner.definition.max_cost) is BudgetState.SPENT:
                return owner, usd
        return None

    def _count(self, owner: Mission, usd: float) -> None:
        before = self._of(owner.id)
        budget = before._replace(usd=before.usd + usd)
        now = budget_state(budget.usd, owner.definition.max_cost)
        if now is BudgetState.NEARLY and not before.warned:
            budget = budget._replace(warned=True)
            why = f"{_of_its(owner, budget.usd)} spent"
            warning = CostWarning(text=f"--- {why} ---", cost_usd=budget.usd, by=ENGINE, why=why)
            self._registry.record(owner, warning)
        self._save(budget)
        if now is BudgetState.SPENT:
            self._end_tree(owner, budget.usd)

    def _end_tree(self, owner: Mission, usd: float) -> None:
        """End its agents; plain programs cost nothing, and see that no agent can be started any more."""
        for mission in list(self._registry.live.values()):
            if mission.definition.provider != RAW and any(
                one.id == owner.id for one in line(self._registry, mission.id)
            ):
                whose = (
                    "" if mission.id == owner.id else f" by the tree of mission {owner.id} ({owner.definition.name})"
                )
                text = f"--- stopped: {_of_its(owner, usd)} spent{whose} ---"
                self._registry.apply_if_legal(
                    mission, EndAsked(Cause.LIMIT, mission.definition.grace, text, REASON), urgent=True
                )

    def _of(self, mission_id: str) -> BudgetRow:
        return self._unsaved.get(mission_id) or self._table.get(mission_id) or BudgetRow(mission_id)

    def _save(self, budget: BudgetRow) -> None:
        self._unsaved[budget.mission] = budget
        self._journal.save(lambda: self._table.save(budget), lambda: self._forget(budget), urgent=True)

    def _forget(self, budget: BudgetRow) -> None:
        if self._unsaved.get(budget.mission) is budget:
            del self._unsaved[budget.mission]


def _nothing(_mission: Mission, _usd: float | None) -> None:
    return


def _of_its(owner: Mission, usd: float) -> str:
    return f"${usd:.2f} of ${owner.definition.max_cost:.2f}"


def spent_budget(mission: Mission, owner: Mission, usd: float) -> SpentLimit:
    """The budget of a mission's tree is used up; `owner`: the mission whose limit it is."""
    name = owner.definition.name
    tree = "" if owner.id == mission.id else f" by the tree of mission {owner.id} ({name})"
    sentence = (
        f"Mission {mission.id} ({mission.definition.name}) can't run again: {_of_its(owner, usd)} spent{tree}."
        f" Raise max_cost first: overmind edit {name}"
    )
    return SpentLimit(REASON, sentence)


def spent_turns(mission: Mission, turns: int, most: int) -> SpentLimit:
    """All turns of a session are used."""
    name = mission.definition.name
    sentence = (
        f"Mission {mission.id} ({name}) can't run again: {turns} of {most} turns used."
        f" Raise max_turns first: overmind edit {name}"
    )
    return SpentLimit("max_turns", sentence)
