"""A mission's end as an exit status."""

from __future__ import annotations

from overmind_core.cli.context import exit_status
from tests.kit.cases import tabled

ENDS = [
    ("stopped", 0, None, 0),
    ("stopped", None, None, 0),
    ("crashed", 42, None, 42),
    ("crashed", -9, None, 137),
    ("crashed", 137, None, 137),
    ("crashed", 0, "silence", 1),
    ("crashed", None, "keeper_lost", 1),
    ("crashed", 143, "timeout", 124),
    ("killed", None, None, 137),
    ("killed", 0, None, 0),
    ("killed", 3, None, 3),
    ("killed", 0, "restart_budget_spent", 1),
    ("stopped", 0, "restart_budget_spent", 1),
    ("stopped", -15, None, 143),
    ("cancelled", None, None, 1),
    ("cancelled", 143, None, 143),
]


@tabled(("status", "code", "reason", "expected"), ENDS)
def test_the_exit_status_tells_how_it_ended(status, code, reason, expected):
    assert exit_status(status, code, reason) == expected
