"""What turns one plan into another, told as `+ ~ -`."""

from __future__ import annotations

from dataclasses import replace

from overmind_core.domain.plans.blueprint import (
    Blueprint,
    Dependency,
    OnFailure,
    PlanAgent,
    PlanMerge,
    Probe,
    ProbeKind,
    Until,
    When,
)
from overmind_core.domain.plans.diff import PlanChange, difference
from tests.kit.cases import tabled

A = PlanAgent("a", {"command": "make", "cwd": "/", "env_set": {"A": "1"}})
B = PlanAgent("b", {"command": "", "cwd": "/", "provider": "claude", "agent": {"prompt": "x", "model": "haiku"}})
C = PlanAgent("c", {"command": ["echo", "${vars.base}"], "cwd": "/"})
D = PlanAgent("d", {"command": "x", "cwd": "/"}, ready=Probe(ProbeKind.EXEC, "test ${vars.base}"))
OLD = Blueprint("release", (A, B, C, D), variables={"base": "main", "other": "1"})


def with_start(one, /, **fields):
    return replace(one, start={**one.start, **fields})


def with_agent(old, new):
    return replace(OLD, agents=tuple(new if one.name == old.name else one for one in OLD.agents))


CASES = {
    "nothing": (OLD, []),
    "the order alone": (replace(OLD, agents=(D, C, B, A)), []),
    "a new one": (replace(OLD, agents=(*OLD.agents, PlanAgent("e", {}))), [PlanChange("+", "e")]),
    "one less": (replace(OLD, agents=(A, C, D)), [PlanChange("-", "b")]),
    "another name": (
        replace(OLD, agents=(replace(A, name="e"), B, C, D)),
        [PlanChange("+", "e"), PlanChange("-", "a")],
    ),
    "a command": (with_agent(A, with_start(A, command="make all")), [PlanChange("~", "a", ("command",))]),
    "its variables": (with_agent(A, with_start(A, env_set={"A": "2"})), [PlanChange("~", "a", ("env",))]),
    "a field less": (with_agent(A, PlanAgent("a", {"command": "make", "cwd": "/"})), [PlanChange("~", "a", ("env",))]),
    "its terminal": (
        with_agent(A, with_start(A, columns=100, rows=30, tty=False)),
        [PlanChange("~", "a", ("size", "no_tty"))],
    ),
    "a prompt and a model": (
        with_agent(B, with_start(B, agent={"prompt": "y", "model": "opus", "arguments": ["-v"]})),
        [PlanChange("~", "b", ("command", "model", "agent_arg"))],
    ),
    "an agent that is none any more": (
        with_agent(B, PlanAgent("b", {"command": "x", "cwd": "/"})),
        [PlanChange("~", "b", ("command", "provider", "model"))],
    ),
    "its place in the plan": (
        with_agent(
            A, replace(A, depends_on=(Dependency("b", Until.READY),), outputs=("x",), when=When.ALWAYS, retries=1)
        ),
        [PlanChange("~", "a", ("depends_on", "outputs", "when", "retries"))],
    ),
    "a worktree of its own": (with_agent(A, with_start(A, isolate=True)), [PlanChange("~", "a", ("isolate",))]),
    "what it lands": (with_agent(A, replace(A, merge=PlanMerge(("b",)))), [PlanChange("~", "a", ("merge",))]),
    "a variable that somebody uses": (
        replace(OLD, variables={"base": "develop", "other": "1"}),
        [PlanChange("~", "c", ("vars.base",)), PlanChange("~", "d", ("vars.base",))],
    ),
    "a variable that nobody uses": (replace(OLD, variables={"base": "main", "other": "2"}), []),
    "limits of the whole": (
        replace(OLD, max_parallel=2, on_failure=OnFailure.CANCEL, timeout=5.0, agents=(A, B, C)),
        [PlanChange("~", None, ("max_parallel", "on_failure", "timeout")), PlanChange("-", "d")],
    ),
}


@tabled(("new", "expected"), CASES.values(), ids=CASES)
def test_a_difference_names_agents_and_keys(new, expected):
    assert difference(OLD, new) == expected


@tabled(("new", "expected"), CASES.values(), ids=CASES)
def test_the_way_back_has_the_opposite_signs(new, expected):
    back = difference(new, OLD)
    opposite = {"+": "-", "-": "+", "~": "~"}

    assert sorted((opposite[one.sign], one.agent or "") for one in back) == sorted(
        (one.sign, one.agent or "") for one in expected
    )


def test_of_a_merge_each_key_is_told():
    old = PlanAgent("land", {"command": "", "cwd": "/"}, merge=PlanMerge(("a",), into="main"))
    new = replace(old, merge=PlanMerge(("a", "b"), into="dev", verify="make", squash=True))

    assert difference(Blueprint("p", (old,)), Blueprint("p", (new,))) == [
        PlanChange("~", "land", ("merge", "into", "verify", "squash"))
    ]
