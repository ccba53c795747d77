"""Agents of a plan: which of them have no end of their own."""

from __future__ import annotations

from overmind_core.domain.plans.blueprint import PlanAgent, Probe, ProbeKind
from tests.kit.cases import tabled

READY = {kind: Probe(kind, "x") for kind in ProbeKind}
AGENTS = {
    "a command": ({}, None, None, False),
    "a session": ({"type": "session"}, None, None, True),
    "one that always restarts": ({"restart": "always"}, None, None, True),
    "one that restarts after failures": ({"restart": "on_failure"}, None, None, False),
    "one that listens on a port": ({}, ProbeKind.TCP, None, True),
    "one that answers": ({}, ProbeKind.HTTP, None, True),
    "one that is ready by its log": ({}, ProbeKind.LOG, None, False),
    "one that is ready by a command": ({}, ProbeKind.EXEC, None, False),
    "one that is ready once it is silent": ({}, ProbeKind.IDLE, None, False),
    "one that listens, and ends": ({}, ProbeKind.TCP, False, False),
    "one that restarts, and ends": ({"restart": "always"}, None, False, False),
    "a command that is a service": ({}, None, True, True),
}


@tabled(("start", "ready", "service", "stays"), AGENTS.values(), ids=AGENTS)
def test_what_listens_or_restarts_stays_unless_the_file_says_otherwise(start, ready, service, stays):
    agent = PlanAgent("a", start, ready=None if ready is None else READY[ready], service=service)
    assert agent.stays is stays


LIMITS = [
    ({}, (5, 60.0)),
    ({"max_restarts": 2, "max_seconds": 90}, (2, 90.0)),
    ({"max_seconds": "30s"}, (5, 30.0)),
    ({"max_seconds": "1h30m"}, (5, 5400.0)),
]


@tabled(("start", "limit"), LIMITS)
def test_the_limit_of_restarts_is_in_seconds_however_the_file_writes_it(start, limit):
    assert PlanAgent("a", start).restart_limit == limit
