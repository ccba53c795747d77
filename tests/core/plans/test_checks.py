"""Plans that no file was read for."""

from __future__ import annotations

import pytest

from overmind_core.domain.plans.blueprint import (
    ENDS,
    Blueprint,
    Dependency,
    PlanAgent,
    PlanMerge,
    Probe,
    ProbeKind,
    Until,
    When,
)
from overmind_core.domain.replacing import replace
from overmind_core.errors import OvermindError
from overmind_core.plans.checks import check
from tests.kit.cases import tabled

START = {"command": "true", "cwd": "/"}
A = PlanAgent("a", START)
OWN = PlanAgent("a", {**START, "isolate": True})


def landing(merge, *depends_on):
    return PlanAgent("b", START, depends_on, merge=merge)


@tabled(
    ("blueprint", "said"),
    [
        (Blueprint("p", ()), "no agents"),
        (Blueprint("p", (A, A)), "listed twice"),
        (Blueprint("p", (A,), max_parallel=-1), "max_parallel can't be negative: -1"),
        (Blueprint("p", (A,), timeout=-0.5), "timeout can't be negative: -0.5"),
        (Blueprint("p", (PlanAgent("a", START, retries=-1),)), "a: retries can't be negative: -1"),
        (Blueprint("p", (PlanAgent("a", START, (Dependency("b"),)),)), "'b', which is not an agent of this plan"),
        (Blueprint("p", (PlanAgent("a", START, (Dependency("a"),)),)), "depend on each other in a cycle: a"),
        (Blueprint("p", (PlanAgent("a", START, when=When.FAILURE),)), "depends on nothing"),
        (Blueprint("p", (A, PlanAgent("b", {**START, "command": "echo ${agents.a.result}"}))), "does not depend"),
        (
            Blueprint("p", (OWN, landing(PlanMerge(("a",)), Dependency("a", Until.READY)))),
            "but does not wait for it to end",
        ),
        (Blueprint("p", (A, landing(PlanMerge(("a",)), Dependency("a")))), "which is not isolated"),
        (Blueprint("p", (PlanAgent("a", START, cpu=2.0),)), "a: cpu and memory need on"),
        (Blueprint("p", (PlanAgent("a", START, memory=1),)), "a: cpu and memory need on"),
        (Blueprint("p", (PlanAgent("a", START, on={}, cpu=-1.0),)), "a: cpu must be a number of processors"),
        (Blueprint("p", (PlanAgent("a", START, on={}, cpu=float("nan")),)), "a: cpu must be a number of processors"),
        (Blueprint("p", (PlanAgent("a", START, on={}, memory=-1),)), "a: memory can't be negative"),
        (Blueprint("p", (PlanAgent("a", START, on={"a b": "x"}),)), "a: 'a b' is not the name of a label"),
        (Blueprint("p", (PlanAgent("a", {**START, "isolate": True}, on={}),)), "a: isolate can't be combined with on"),
        (
            Blueprint("p", (PlanAgent("a", START, on={}, ready=Probe(ProbeKind.TCP, "1")),)),
            "a: ready can't be combined with on",
        ),
        (
            Blueprint("p", (OWN, replace(landing(PlanMerge(("a",)), Dependency("a")), on={}))),
            "b: merge can't be combined with on",
        ),
        (Blueprint("p", (OWN, landing(PlanMerge(()), Dependency("a")))), "must merge agents in one way"),
        (
            Blueprint("p", (OWN, landing(PlanMerge(("a",), None, None, True, True), Dependency("a")))),
            "must merge agents in one way",
        ),
    ],
)
def test_what_can_not_be_carried_out_is_refused(blueprint, said):
    with pytest.raises(OvermindError, match=said):
        check(blueprint)


@tabled(
    "service",
    [
        PlanAgent("a", START, service=True),
        PlanAgent("a", {**START, "restart": "always"}),
        PlanAgent("a", {**START, "type": "session"}),
        PlanAgent("a", START, ready=Probe(ProbeKind.TCP, "80")),
    ],
)
def test_nobody_waits_for_the_end_of_what_never_ends(service):
    for until in ENDS:
        with pytest.raises(OvermindError, match=r"b waits for the .* of a, which never ends .* service = false"):
            check(Blueprint("p", (service, PlanAgent("b", START, (Dependency("a", until),)))))
        check(Blueprint("p", (replace(service, service=False), PlanAgent("b", START, (Dependency("a", until),)))))
    check(Blueprint("p", (service, PlanAgent("b", START, (Dependency("a", Until.READY),)))))
