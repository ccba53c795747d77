"""Questions at the gates of a spec: what its tasks are estimated to cost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from overmind_core.specs.gates import GateQuestions
from tests.kit.cases import tabled

SPEC: Any = None
TASKS: Any = [SimpleNamespace(type=name, group="g") for name in ("feature", "test", "docs")]


@tabled(
    ("costs", "dollars", "unknown", "text"),
    [
        ({}, None, 3, ""),
        ({"feature": 0.1, "test": 0.2}, 0.3, 1, ", about $0.30 without 1 of them"),
        ({"feature": 0.1, "test": 0.2, "docs": 0.004}, 0.304, 0, ", about $0.30"),
    ],
)
def test_of_tasks_the_known_costs_are_added(costs, dollars, unknown, text):
    maker = SimpleNamespace(
        work=lambda _spec: SimpleNamespace(agent=None, definition=SimpleNamespace(provider="claude"))
    )
    gates: Any = SimpleNamespace(_maker=maker, _usual_cost=lambda kind, _provider, _model: costs.get(kind))
    found = GateQuestions._cost(gates, SPEC, TASKS)
    assert (found.dollars, found.unknown, found.text) == (dollars, unknown, text)


def test_without_known_work_no_cost_is_known():
    gates: Any = SimpleNamespace(_maker=SimpleNamespace(work=lambda _spec: None))
    assert GateQuestions._cost(gates, SPEC, TASKS) == (None, 3)
