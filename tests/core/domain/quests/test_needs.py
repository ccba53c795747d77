"""What stands in the way of a quest that needs others, through any depth, and what its end sets free."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.admission import Wait, WaitCode
from overmind_core.domain.quests.needs import (
    MOST_ROOTS,
    Needs,
    SetFree,
    StillWaiting,
    are_met,
    cycle_of,
    met_at,
    needed,
    set_free,
)
from overmind_core.domain.quests.quest import Attempt, Goal, Quest, QuestStatus, QueueState

NOW = 10_000.0
Store = dict[str, Quest]


def quest(name: str, *needs: str, status: str = "queued", at_least: int = 0, **more: Any) -> Quest:
    """One of the queue; its id is its name in capitals."""
    goal = Goal(needs=tuple(need.upper() for need in needs), needs_min=at_least)
    tries = (Attempt(1, 1, NOW - 245.0),) if status == "running" else ()
    return Quest(
        name.upper(), name, "true", "/", "raw", 0.0, status=QuestStatus(status), goal=goal,
        queue=QueueState(tries=tries), **more,
    )  # fmt: skip


def stored(*quests: Quest) -> Store:
    return {one.id: one for one in quests}


def completed(name: str, at: float = NOW) -> Quest:
    return quest(name, status="completed", ended_at=at)


def failed(name: str, *needs: str, reason: str | None = "check_failed", at: float = NOW) -> Quest:
    return quest(name, *needs, status="failed", reason=reason, ended_at=at)


def waits(text: str, *by: str) -> Wait:
    return Wait(WaitCode.NEEDS, text, by)


def blocked(text: str, *by: str) -> Wait:
    return Wait(WaitCode.BLOCKED, text, by)


WAITS = [
    pytest.param(quest("a"), [], None, id="it needs nothing"),
    pytest.param(quest("a", "b"), [completed("b")], None, id="all have completed"),
    pytest.param(
        quest("a", "b", "c", "d"),
        [quest("b", status="running"), quest("c"), completed("d")],
        waits("waits for b (running 4m), c (queued)", "b", "c"),
        id="some go on",
    ),
    pytest.param(
        quest("a", "b"), [quest("b", status="review")], waits("waits for b (review)", "b"), id="a person decides"
    ),
    pytest.param(
        quest("a", "b"),
        [replace(quest("b", status="running"), goal=None, queue=None)],
        waits("waits for b (running 2h)", "b"),
        id="it needs one that began at once",
    ),
    pytest.param(
        quest("a", "b"), [failed("b")], blocked("needs b (failed: its check failed)", "b"), id="one has failed"
    ),
    pytest.param(
        quest("a", "b"), [quest("b", status="cancelled")], blocked("needs b (cancelled)", "b"), id="one was cancelled"
    ),
    pytest.param(
        quest("a", "b", "c"),
        [completed("c")],
        blocked("needs B (removed)", "B"),
        id="one was removed",
    ),
    pytest.param(
        quest("a", "b"),
        [],
        blocked("needs B (removed)", "B"),
        id="all were removed",
    ),
    pytest.param(
        quest("a", "b"),
        [quest("b", "c"), quest("c", "d"), failed("d")],
        blocked("needs d (failed: its check failed)", "d"),
        id="the root is further down",
    ),
    pytest.param(
        quest("a", "b", "c"),
        [quest("b", "e", "d"), quest("c", "d"), failed("d", reason=None), failed("e")],
        blocked("needs e (failed: its check failed), d (failed)", "e", "d"),
        id="two roots, each named once",
    ),
    pytest.param(
        quest("a", "b", "c", "d", at_least=2),
        [completed("b"), completed("c"), failed("d")],
        None,
        id="enough have completed",
    ),
    pytest.param(
        quest("a", "b", "c", "d", at_least=2),
        [completed("b"), quest("c"), failed("d")],
        waits("waits for c (queued)", "c"),
        id="enough can still complete",
    ),
    pytest.param(
        quest("a", "b", "c", "d", at_least=2),
        [completed("b"), quest("c"), quest("d", status="running")],
        waits("waits for 1 of c (queued), d (running 4m)", "c", "d"),
        id="one of two is enough",
    ),
    pytest.param(
        quest("a", "b", "c", "d", at_least=2),
        [quest("b"), failed("c"), failed("d", reason="timeout")],
        blocked("needs c (failed: its check failed), d (failed: it took too long)", "c", "d"),
        id="two failed of three, where two have to complete",
    ),
    pytest.param(
        quest("a", "b", at_least=1),
        [quest("b", "c", "d", at_least=1), failed("c"), quest("d")],
        waits("waits for b (queued)", "b"),
        id="what it needs can do without the failed one",
    ),
    pytest.param(
        quest("a", *"bcdefgh"),
        [failed(name) for name in "bcdefgh"],
        blocked(
            "needs b (failed: its check failed), c (failed: its check failed), d (failed: its check failed), "
            "e (failed: its check failed), f (failed: its check failed) and 2 more",
            *"bcdefgh",
        ),
        id="many have failed",
    ),
]


@pytest.mark.parametrize(("one", "others", "expected"), WAITS)
def test_what_stands_in_the_way(one, others, expected):
    """Acceptance 6 and 12, their pure part: K of n, and the roots of what is blocked by name."""
    store = stored(one, *others)
    assert Needs(store.get, NOW).wait(one) == expected
    assert are_met(one, store.get) is (expected is None)


def test_a_retry_of_the_root_lets_all_go_on_at_any_depth():
    """Acceptance 12."""
    chain = [quest("q0"), *(quest(f"q{number}", f"q{number - 1}") for number in range(1, 10_000))]
    store = stored(failed("q0"), *chain[1:])
    looked = Needs(store.get, NOW)
    found = [looked.wait(one) for one in reversed(chain[1:])]
    assert {(wait.text, wait.by) for wait in found if wait is not None} == {
        ("needs q0 (failed: its check failed)", ("q0",))
    }
    store["Q0"] = quest("q0")
    again = Needs(store.get, NOW).wait(chain[-1])
    assert again == waits("waits for q9998 (queued)", "q9998")


def test_thousands_that_share_their_needs_are_looked_at_once_each():
    layers = [[f"l{layer}x{place}" for place in range(MOST_ROOTS)] for layer in range(20)]
    store = stored(*(failed(name) for name in layers[0]))
    for below, layer in pairwise(layers):
        store |= stored(*(quest(name, *below) for name in layer))
    wait = Needs(store.get, NOW).wait(store["L19X0"])
    assert wait is not None
    assert len(wait.by) == MOST_ROOTS


def test_quests_that_need_each_other_are_blocked_by_nobody():
    """No request can make these: a store that holds them all the same is read to its end."""
    store = stored(quest("a", "b"), quest("b", "c"), quest("c", "b", "a"))
    assert Needs(store.get, NOW).wait(store["A"]) == waits("waits for b (queued)", "b")


MET = [
    pytest.param(quest("a"), [], 0.0, id="it needs nothing"),
    pytest.param(quest("a", "b", "c"), [completed("b", 5.0), completed("c", 3.0)], 5.0, id="the last end"),
    pytest.param(
        quest("a", "b", "c", "d", at_least=2),
        [completed("b", 5.0), completed("c", 3.0), completed("d", 9.0)],
        5.0,
        id="the end that was enough",
    ),
    pytest.param(quest("a", "b", "c"), [completed("b", 5.0), quest("c")], None, id="one goes on"),
    pytest.param(quest("a", "b", "c"), [completed("b", 5.0), failed("c", at=8.0)], 8.0, id="all have ended"),
    pytest.param(quest("a", "b"), [], 0.0, id="removed"),
]


@pytest.mark.parametrize(("one", "others", "expected"), MET)
def test_when_its_needs_let_it_go(one, others, expected):
    assert met_at(one, stored(one, *others).get) == expected


@pytest.mark.parametrize(("at_least", "expected"), [(0, 3), (1, 1), (3, 3), (7, 3)])
def test_how_many_have_to_complete(at_least, expected):
    assert needed(quest("a", "b", "c", "d", at_least=at_least)) == expected


def test_what_the_end_of_one_sets_free():
    store = stored(
        quest("b", status="running"),
        quest("z", "b"),
        quest("y", "b", "x", "w"),
        quest("x"),
        completed("w"),
        quest("v", "b", "x", at_least=1),
        quest("u", "b", "w", at_least=1),
    )
    dependants = [store[name] for name in "ZYVU"]
    assert set_free(store["B"], dependants, store.get) == SetFree(("v", "z"), (StillWaiting("y", ("x",)),))


CYCLES = [
    ({"a": ["b"], "b": ["c"], "c": ["a"]}, ["a", "b", "c"]),
    ({"a": ["a"]}, ["a"]),
    ({"a": ["b", "c"], "b": [], "c": ["a"]}, ["a", "c"]),
    ({"a": ["b", "d"], "b": ["c"], "c": ["a"], "d": ["a"]}, ["a", "d"]),
    ({"a": ["b"], "b": ["c"], "c": ["b"]}, []),
    ({"a": ["b"], "b": ["c"], "c": []}, []),
]


@pytest.mark.parametrize(("edges", "expected"), CYCLES)
def test_quests_that_would_need_each_other_are_named_in_order(edges, expected):
    """Acceptance 7, its pure part."""
    assert cycle_of("a", edges.__getitem__) == expected


def test_a_long_circle_is_found():
    edges = {str(number): [str((number + 1) % 50_000)] for number in range(50_000)}
    assert cycle_of("7", edges.__getitem__) == [str((7 + step) % 50_000) for step in range(50_000)]


STATUSES = st.sampled_from(["queued", "queued", "queued", "running", "review", "completed", "failed", "cancelled"])


@st.composite
def stores(draw: st.DrawFn) -> Store:
    """Quests that need some of those before them."""
    store: Store = {}
    for number in range(draw(st.integers(1, 12))):
        before = [name.lower() for name in store]
        needs = draw(st.lists(st.sampled_from(before), unique=True, max_size=4)) if before else []
        store |= stored(quest(f"q{number}", *needs, status=draw(STATUSES), at_least=draw(st.integers(0, 3))))
    return store


@given(stores())
def test_blocked_is_what_could_not_start_though_all_others_completed(store):
    """The law: try it. All that has not ended completes as soon as it may; what is never reached was blocked."""
    looked = Needs(store.get, NOW)
    tried = dict(store)
    while True:
        ends = [
            one
            for one in tried.values()
            if one.status in {QuestStatus.RUNNING, QuestStatus.REVIEW}
            or (one.status is QuestStatus.QUEUED and are_met(one, tried.get))
        ]
        if not ends:
            break
        tried |= stored(*(replace(one, status=QuestStatus.COMPLETED) for one in ends))
    for one in store.values():
        if one.status is not QuestStatus.QUEUED:
            continue
        wait = looked.wait(one)
        code = None if wait is None else wait.code
        if tried[one.id].status is QuestStatus.QUEUED:
            assert code is WaitCode.BLOCKED
        else:
            assert code is (None if are_met(one, store.get) else WaitCode.NEEDS)


@given(stores())
def test_a_retry_of_all_roots_blocks_nobody(store):
    looked = Needs(store.get, NOW)
    for one in store.values():
        if one.status is QuestStatus.QUEUED and (roots := looked.roots(one)):
            assert all(root.is_lost for root in roots)
            again = store | stored(*(replace(root.quest, status=QuestStatus.RUNNING) for root in roots if root.quest))
            assert not Needs(again.get, NOW).roots(one)
