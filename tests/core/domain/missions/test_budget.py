"""When a budget is nearly spent, and when it is."""

from __future__ import annotations

from overmind_core.domain.missions.tree import BudgetState, budget_state
from tests.kit.cases import tabled

CASES = [
    (0.0, 0.0, BudgetState.FINE),
    (1000.0, 0.0, BudgetState.FINE),
    (0.0, 1.0, BudgetState.FINE),
    (0.79, 1.0, BudgetState.FINE),
    (0.8, 1.0, BudgetState.NEARLY),
    (0.99, 1.0, BudgetState.NEARLY),
    (1.0, 1.0, BudgetState.SPENT),
    (1.5, 1.0, BudgetState.SPENT),
    (0.1 + 0.2, 0.3, BudgetState.SPENT),
    (0.7 + 0.1, 1.0, BudgetState.NEARLY),
    (sum([0.1] * 10), 1.0, BudgetState.SPENT),
]


@tabled(("spent", "limit", "expected"), CASES)
def test_how_a_budget_stands(spent, limit, expected):
    assert budget_state(spent, limit) is expected
