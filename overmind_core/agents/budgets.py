"""Budgets of trees of missions: what is spent is counted with each paid turn, in its commit; none goes on without.

A limit is one mission's and holds for everything below it, so one turn may count for several. Trees without a limit are
counted, too: they may get one. What a turn under way has used counts as well, until it is paid for: a task is one turn.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET

from overmind_core.agents.store import BudgetRow, CostRow
from overmind_core.domain.actor import ENGINE
from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.agents.events import CostWarning
from overmind_core.domain.agents.spending import source_of
from overmind_core.domain.missions.facts import EndAsked
from overmind_core.domain.missions.mission import Cause, Mission
from overmind_core.domain.missions.tree import BudgetState, SpentLimit, SpentTree, TreeCost, budget_state
from overmind_core.domain.text.decimals import dollars
from overmind_core.missions.lookup import line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from overmind_core.agents.store import BudgetTable, CostTable
    from overmind_core.domain.agents.conversation import TurnUsage
    from overmind_core.domain.agents.conversation_events import TurnPaid
    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.registry import Registry
    from overmind_core.system.machine import Clock

COST, TOKENS = "max_cost", "max_tokens"
"""Reasons, and keys of the limits."""


class _UnderWay(NamedTuple):
    """The use of a turn that was not paid for yet; dollars only as far as nobody but us watches them."""

    usd: float
    tokens: int


class _Limited(NamedTuple):
    """A limit of a mission, and how far its tree has come."""

    tree: SpentTree
    state: BudgetState
    warned: bool
    usd: float
    tokens: int


class Budgets:
    """Used from the loop's thread."""

    def __init__(
        self, registry: Registry, journal: Journal, clock: Clock, *, costs: CostTable, table: BudgetTable
    ) -> None:
        self._registry = registry
        self._journal = journal
        self._clock = clock
        self._costs = costs
        self._table = table
        self._unsaved: dict[str, BudgetRow] = {}
        self._turns: dict[str, _UnderWay] = {}
        """By mission: its turn under way."""
        self.on_spent: Callable[[Mission, float | None], None] = _nothing
        """Called with each turn that was paid for, in the commit that records it."""

    def spend(self, mission: Mission, paid: TurnPaid) -> None:
        """Store that a turn of the mission, or a part of one, was paid for, and hold it against the limits."""
        cost = CostRow(
            at=self._clock.wall(),
            mission=mission.id,
            name=mission.definition.name,
            labels=json.dumps(mission.definition.labels),
            usd=paid.usd or 0.0,
            priced=paid.usd is not None,
            input=paid.usage.read,
            output=paid.usage.output,
            turns=paid.turns,
            estimated=paid.estimated,
        )
        self._journal.save(lambda: self._costs.insert(cost))
        self._turns.pop(mission.id, None)
        for owner in line(self._registry, mission.id):
            if paid.usd != 0.0 or paid.usage.total or _has_limit(owner):
                before = self._row_of(owner.id)
                self._save(
                    before._replace(
                        usd=before.usd + (paid.usd or 0.0),
                        tokens=before.tokens + paid.usage.total,
                        estimated=before.estimated or paid.estimated,
                        partial=before.partial or paid.usd is None,
                    )
                )
                self._judge(owner)
        self.on_spent(mission, paid.usd)

    def use(self, mission: Mission, used: TurnUsage | None) -> None:
        """The turn of the mission that is under way has used so much so far; None: there is none."""
        if used is None:
            self._turns.pop(mission.id, None)
            return
        usd = (used.usd or 0.0) if used.estimated else 0.0
        self._turns[mission.id] = _UnderWay(usd, used.usage.total)
        for owner in line(self._registry, mission.id):
            if _has_limit(owner):
                self._judge(owner)

    def tree_cost(self, mission_id: str) -> TreeCost:
        """Return the cost of the tree of a mission so far."""
        found = self._row_of(mission_id)
        usd = None if found.partial and not found.usd else found.usd
        return TreeCost(usd, found.tokens, source_of(usd, is_estimated=found.estimated), partial=found.partial)

    def spent(self, parent: str | None) -> tuple[Mission, SpentTree] | None:
        """Return the mission, from this one upwards, whose tree has spent all that it may, and how much that was."""
        for owner in line(self._registry, parent):
            for limit in self._limits(owner):
                if limit.state is BudgetState.SPENT:
                    return owner, limit.tree
        return None

    def _limits(self, owner: Mission) -> Iterator[_Limited]:
        """The limits of a mission, with what its tree has used."""
        definition = owner.definition
        if not _has_limit(owner):
            return
        found = self._row_of(owner.id)
        turns = [turn for one, turn in self._turns.items() if self._is_below(one, owner)]
        usd = found.usd + sum(turn.usd for turn in turns)
        tokens = found.tokens + sum(turn.tokens for turn in turns)
        mark = "~" if found.estimated or any(turn.usd for turn in turns) else ""
        money = SpentTree(COST, f"{mark}{dollars(usd)}", dollars(definition.max_cost))
        yield _Limited(money, budget_state(usd, definition.max_cost), found.warned, usd, tokens)
        counted = SpentTree(TOKENS, f"{tokens:,}", f"{definition.max_tokens:,} tokens")
        yield _Limited(counted, budget_state(tokens, definition.max_tokens), found.warned_tokens, usd, tokens)

    def _judge(self, owner: Mission) -> None:
        """Warn of a limit that is nearly reached, and end the agents of a tree that has reached one."""
        for limit in self._limits(owner):
            if limit.state is BudgetState.NEARLY and not limit.warned:
                self._warn(owner, limit)
            elif limit.state is BudgetState.SPENT:
                self._end_tree(owner, limit.tree)

    def _warn(self, owner: Mission, limit: _Limited) -> None:
        found, why = self._row_of(owner.id), f"{_of_its(limit.tree)} {_used(limit.tree)}"
        is_money = limit.tree.reason == COST
        tokens = UNSET if is_money else limit.tokens
        warning = CostWarning(text=f"--- {why} ---", cost_usd=limit.usd, tokens=tokens, by=ENGINE, why=why)
        self._registry.record(owner, warning)
        self._save(found._replace(warned=True) if is_money else found._replace(warned_tokens=True))

    def _end_tree(self, owner: Mission, tree: SpentTree) -> None:
        """End its agents; plain programs cost nothing, and see that no agent can be started any more."""
        for mission in list(self._registry.live.values()):
            if mission.definition.provider != RAW and self._is_below(mission.id, owner):
                whose = (
                    "" if mission.id == owner.id else f" by the tree of mission {owner.id} ({owner.definition.name})"
                )
                text = f"--- stopped: {_of_its(tree)} {_used(tree)}{whose} ---"
                self._registry.apply_if_legal(
                    mission, EndAsked(Cause.LIMIT, mission.definition.grace, text, tree.reason), urgent=True
                )

    def _is_below(self, mission_id: str, owner: Mission) -> bool:
        return any(one.id == owner.id for one in line(self._registry, mission_id))

    def _row_of(self, mission_id: str) -> BudgetRow:
        return self._unsaved.get(mission_id) or self._table.get(mission_id) or BudgetRow(mission_id)

    def _save(self, budget: BudgetRow) -> None:
        self._unsaved[budget.mission] = budget
        self._journal.save(lambda: self._table.save(budget), lambda: self._forget(budget), urgent=True)

    def _forget(self, budget: BudgetRow) -> None:
        if self._unsaved.get(budget.mission) is budget:
            del self._unsaved[budget.mission]


def _nothing(_mission: Mission, _usd: float | None) -> None:
    return


def _has_limit(owner: Mission) -> bool:
    return bool(owner.definition.max_cost or owner.definition.max_tokens)


def _of_its(tree: SpentTree) -> str:
    return f"{tree.used} of {tree.limit}"


def _used(tree: SpentTree) -> str:
    return "used" if tree.reason == TOKENS else "spent"


def spent_budget(mission: Mission, owner: Mission, tree: SpentTree) -> SpentLimit:
    """The budget of a mission's tree is used up; `owner`: the mission whose limit it is."""
    name = owner.definition.name
    whose = "" if owner.id == mission.id else f" by the tree of mission {owner.id} ({name})"
    sentence = (
        f"Mission {mission.id} ({mission.definition.name}) can't run again: {_of_its(tree)} {_used(tree)}{whose}."
        f" Raise {tree.reason} first: overmind edit {name}"
    )
    return SpentLimit(tree.reason, sentence)


def spent_turns(mission: Mission, turns: int, most: int) -> SpentLimit:
    """All turns of a session are used."""
    name = mission.definition.name
    sentence = (
        f"Mission {mission.id} ({name}) can't run again: {turns} of {most} turns used."
        f" Raise max_turns first: overmind edit {name}"
    )
    return SpentLimit("max_turns", sentence)
