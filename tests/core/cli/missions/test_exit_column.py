"""EXIT in plain `ps`, and the lines of `status NAME`: how a mission ended, in words."""

from __future__ import annotations

from typing import Any

from overmind_core.cli.missions.list import exit_cell
from overmind_core.cli.status import status_lines
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


FACTS: dict[str, Any] = {
    "id": "a1b2c3d4", "name": "api", "status": "stopped", "reason": None, "outcome": "succeeded", "exit_code": 0,
    "os_pid": None, "started_at": None, "ended_at": None, "restart_count": 5, "activity": None, "cwd": "/",
    "command": "make", "limit_seconds": None, "max_restarts": 5, "max_seconds": 60.0, "run_reason": None,
    "restart_policy": "on_failure",
}  # fmt: skip


@tabled(
    ("changes", "status", "outcome"),
    [
        ({}, "stopped", "succeeded"),
        ({"reason": "restart_budget_spent", "outcome": "failed"}, "stopped",
         "failed: restarted 5 times in a minute, gave up"),
        ({"status": "crashed", "exit_code": 3, "outcome": "failed"}, "crashed", "failed (3)"),
        ({"status": "running", "exit_code": None, "outcome": None}, "running", "-"),
        ({"status": "running", "reason": "disk_full", "exit_code": None, "outcome": None},
         "running (stands still: the disk is full)", "-"),
        ({"status": "running", "reason": "log_error", "exit_code": None, "outcome": None},
         "running (stands still: its log can't be written)", "-"),
        ({"status": "restarting", "reason": "stalled", "outcome": None, "limit_seconds": 3.0},
         "restarting (it was silent for 3 seconds)", "-"),
    ],
)  # fmt: skip
def test_the_status_of_a_mission_says_in_words_how_it_has_ended(changes, status, outcome):
    lines = dict(line.split(maxsplit=1) for line in status_lines(FACTS | changes).splitlines())
    assert (lines["Status:"], lines["Outcome:"]) == (status, outcome)
