"""EXIT in plain `ps`: how a mission ended, in a word."""

from __future__ import annotations

from overmind_core.cli.missions.list import exit_cell
from tests.kit.cases import tabled

ROW = {"outcome": "failed", "exit_code": 0, "reason": None}


@tabled(
    ("row", "said"),
    [
        ({"outcome": "succeeded"}, "0"),
        ({"exit_code": 3}, "3"),
        ({"exit_code": 143, "outcome": "stopped"}, "TERM"),
        ({"exit_code": 200}, "200"),
        ({"exit_code": 137, "outcome": "timed out"}, "timeout"),
        ({"exit_code": 0, "quest_failure": "check_failed"}, "check"),
        ({"exit_code": 0, "reason": "restart_budget_spent"}, "restarts"),
        ({"exit_code": None, "reason": "restart_budget_spent"}, "restarts"),
        ({"exit_code": 3, "reason": "restart_budget_spent"}, "3"),
        ({"exit_code": None, "outcome": None}, "-"),
    ],
)
def test_what_has_failed_never_reads_0(row, said):
    assert exit_cell({**ROW, **row}) == said
