"""The description of a mission: how it is treated, in the units that people read."""

from __future__ import annotations

from overmind_core.domain.agents.agent import ActivitySource
from overmind_core.domain.missions.reasons import FOREVER
from overmind_core.view import describe
from overmind_core.view import missions as missions_rows
from overmind_core.view.describe import TOLD_BY, _treatment
from overmind_core.view.numbers import moment
from tests.kit.cases import tabled


def shown(**info):
    return ["".join(cell.text for cell in line).split() for line in _treatment(info)]


@tabled(
    ("info", "words"),
    [
        ({}, []),
        ({"restart_policy": "never"}, ["restart", "never"]),
        ({"restart_policy": "on_failure"}, ["restart", "on-failure,", "no", "limit,", "first", "delay"]),
        (
            {"restart_policy": "always", "max_restarts": 5, "max_seconds": 60, "backoff_ms": 500},
            ["restart", "always,", "at", "most", "5", "in", "1m,", "first", "delay", "500ms"],
        ),
        (
            {"restart_policy": "on_failure", "max_restarts": 2, "max_seconds": FOREVER, "backoff_ms": 500},
            ["restart", "on-failure,", "at", "most", "2,", "first", "delay", "500ms"],
        ),
        ({"timeout_ms": 90_000}, ["timeout", "1m"]),
        ({"timeout_ms": 250}, ["timeout", "250ms"]),
        ({"activity_timeout_seconds": 2}, ["activity", "timeout", "2s"]),
        ({"grace_seconds": 0}, []),
        ({"grace_seconds": 10}, ["grace", "10s"]),
        ({"restart_count": 3}, ["restarted", "3"]),
        ({"max_children": 2}, ["max", "children", "2"]),
    ],
)
def test_how_it_is_treated_is_told_in_spans_of_time(info, words):
    assert [word for line in shown(**info) for word in line] == words


def test_each_source_of_an_activity_has_words():
    assert set(TOLD_BY) == set(ActivitySource)
    said = describe._activity({"activity": "waiting", "need": "permission", "activity_source": "status"})
    assert said == "waiting for permission, as it reports itself"
    assert describe._activity({"activity": "unknown", "activity_source": None}) == "unknown"
    guessed = describe._activity({"activity": "unknown", "activity_guess": "idle", "activity_source": "screen"})
    assert guessed == "idle?, as its screen looks"


def test_one_that_waits_for_a_person_asks_as_in_the_lists():
    waiting = {"activity": "waiting", "activity_source": "screen"}
    assert describe._activity(waiting) == "asks, as its screen looks"
    guessed = {"activity": "unknown", "activity_guess": "waiting", "activity_source": "screen"}
    assert describe._activity(guessed) == "asks?, as its screen looks"
    row = {
        "status": "running", "activity": "waiting", "activity_since": "2025-12-31T23:58:00.000Z", "reason": None,
        "started_at": "2025-12-31T23:50:00.000Z", "type": "session", "run": 1,
    }  # fmt: skip
    now = moment("2026-01-01T00:00:00.000Z") or 0.0
    assert missions_rows.since(row, now) == "asks for 2m · running for 10m"
