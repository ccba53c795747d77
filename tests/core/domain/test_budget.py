"""When a budget is nearly spent, and when it is."""

from __future__ import annotations

import pytest

from overmind_core.domain.missions.tree import Standing, standing

CASES = [
    (0.0, 0.0, Standing.FINE),
    (1000.0, 0.0, Standing.FINE),
    (0.0, 1.0, Standing.FINE),
    (0.79, 1.0, Standing.FINE),
    (0.8, 1.0, Standing.NEARLY),
    (0.99, 1.0, Standing.NEARLY),
    (1.0, 1.0, Standing.SPENT),
    (1.5, 1.0, Standing.SPENT),
    (0.1 + 0.2, 0.3, Standing.SPENT),
    (0.7 + 0.1, 1.0, Standing.NEARLY),
    (sum([0.1] * 10), 1.0, Standing.SPENT),
]


@pytest.mark.parametrize(("spent", "limit", "expected"), CASES)
def test_how_a_budget_stands(spent, limit, expected):
    assert standing(spent, limit) is expected
