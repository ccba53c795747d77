"""What a person reads when the mission ends to which they are attached, and what `attach` exits with."""

from __future__ import annotations

from overmind_core.cli.attach.session import mission_ended
from tests.kit.cases import tabled


@tabled(
    ("status", "code", "reason", "said", "exits"),
    [
        ("stopped", 0, None, "api ended: exited 0", 0),
        ("crashed", 3, "restart_budget_spent", "api ended: exited 3, restarted too often, gave up", 3),
        ("stopped", 0, "restart_budget_spent", "api ended: exited 0, restarted too often, gave up", 1),
        ("crashed", None, "cwd_not_found", "api ended: crashed, its folder does not exist", 1),
        ("killed", None, None, "api ended: killed", 137),
    ],
)
def test_the_end_of_a_mission_is_said_in_words_never_in_a_code(status, code, reason, said, exits):
    end = mission_ended("api", {"status": status, "exit_code": code, "reason": reason})
    assert (end.sentence, end.status) == (said, exits)


def test_the_end_has_the_words_of_the_daemon_where_it_has_any():
    why = "restarted once in a minute, gave up: it was silent for 3 seconds"
    end = mission_ended("api", {"status": "crashed", "exit_code": 137, "reason": "restart_budget_spent", "why": why})
    assert end.sentence == f"api ended: exited 137, {why}"
