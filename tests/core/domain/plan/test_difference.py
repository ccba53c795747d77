"""What turns one plan into another, told as `+ ~ -`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overmind_core.domain.plans.blueprint import (
    Agent,
    Blueprint,
    Dependency,
    Merge,
    OnFailure,
    Probe,
    ProbeKind,
    Until,
    When,
)
from overmind_core.domain.plans.diff import Change, difference

A = Agent("a", {"command": "make", "cwd": "/", "env_set": {"A": "1"}})
B = Agent("b", {"command": "", "cwd": "/", "provider": "claude", "agent": {"prompt": "x", "model": "haiku"}})
C = Agent("c", {"command": ["echo", "${vars.base}"], "cwd": "/"})
D = Agent("d", {"command": "x", "cwd": "/"}, ready=Probe(ProbeKind.EXEC, "test ${vars.base}"))
OLD = Blueprint("release", (A, B, C, D), variables={"base": "main", "other": "1"})


def with_start(one, /, **fields):
    return replace(one, start={**one.start, **fields})


def with_agent(old, new):
    return replace(OLD, agents=tuple(new if one.name == old.name else one for one in OLD.agents))


CASES = {
    "nothing": (OLD, []),
    "the order alone": (replace(OLD, agents=(D, C, B, A)), []),
    "a new one": (replace(OLD, agents=(*OLD.agents, Agent("e", {}))), [Change("+", "e")]),
    "one less": (replace(OLD, agents=(A, C, D)), [Change("-", "b")]),
    "another name": (replace(OLD, agents=(replace(A, name="e"), B, C, D)), [Change("+", "e"), Change("-", "a")]),
    "a command": (with_agent(A, with_start(A, command="make all")), [Change("~", "a", ("command",))]),
    "its variables": (with_agent(A, with_start(A, env_set={"A": "2"})), [Change("~", "a", ("env",))]),
    "a field less": (with_agent(A, Agent("a", {"command": "make", "cwd": "/"})), [Change("~", "a", ("env",))]),
    "its terminal": (
        with_agent(A, with_start(A, columns=100, rows=30, tty=False)),
        [Change("~", "a", ("size", "no_tty"))],
    ),
    "a prompt and a model": (
        with_agent(B, with_start(B, agent={"prompt": "y", "model": "opus", "arguments": ["-v"]})),
        [Change("~", "b", ("command", "model", "agent_arg"))],
    ),
    "an agent that is none any more": (
        with_agent(B, Agent("b", {"command": "x", "cwd": "/"})),
        [Change("~", "b", ("command", "provider", "model"))],
    ),
    "its place in the plan": (
        with_agent(
            A, replace(A, depends_on=(Dependency("b", Until.READY),), outputs=("x",), when=When.ALWAYS, retries=1)
        ),
        [Change("~", "a", ("depends_on", "outputs", "when", "retries"))],
    ),
    "a worktree of its own": (with_agent(A, with_start(A, isolate=True)), [Change("~", "a", ("isolate",))]),
    "what it lands": (with_agent(A, replace(A, merge=Merge(("b",)))), [Change("~", "a", ("merge",))]),
    "a variable that somebody uses": (
        replace(OLD, variables={"base": "develop", "other": "1"}),
        [Change("~", "c", ("vars.base",)), Change("~", "d", ("vars.base",))],
    ),
    "a variable that nobody uses": (replace(OLD, variables={"base": "main", "other": "2"}), []),
    "limits of the whole": (
        replace(OLD, max_parallel=2, on_failure=OnFailure.CANCEL, timeout=5.0, agents=(A, B, C)),
        [Change("~", None, ("max_parallel", "on_failure", "timeout")), Change("-", "d")],
    ),
}


@pytest.mark.parametrize(("new", "expected"), CASES.values(), ids=CASES)
def test_a_difference_names_agents_and_keys(new, expected):
    assert difference(OLD, new) == expected


@pytest.mark.parametrize(("new", "expected"), CASES.values(), ids=CASES)
def test_the_way_back_has_the_opposite_signs(new, expected):
    back = difference(new, OLD)
    opposite = {"+": "-", "-": "+", "~": "~"}

    assert sorted((opposite[one.sign], one.agent or "") for one in back) == sorted(
        (one.sign, one.agent or "") for one in expected
    )


def test_of_a_merge_each_key_is_told():
    old = Agent("land", {"command": "", "cwd": "/"}, merge=Merge(("a",), into="main"))
    new = replace(old, merge=Merge(("a", "b"), into="dev", verify="make", squash=True))

    assert difference(Blueprint("p", (old,)), Blueprint("p", (new,))) == [
        Change("~", "land", ("merge", "into", "verify", "squash"))
    ]
