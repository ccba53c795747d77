"""Who starts now: priority, slots, what is in the way, what has its time."""

from __future__ import annotations

import pytest

from overmind_core.domain.plans.scheduler import Admission, Limits, StartCandidate, admit

NOW = 1000.0
CASES = {
    "all start, in their order": (
        [StartCandidate("a"), StartCandidate("b")], Limits(), Admission(("a", "b"))),
    "the more urgent one first": (
        [StartCandidate("a"), StartCandidate("b", priority=5)], Limits(), Admission(("b", "a"))),
    "who is blocked waits, with its reason": (
        [StartCandidate("a", blocked="b"), StartCandidate("b")], Limits(), Admission(("b",), {"a": "b"})),
    "who has its time waits": (
        [StartCandidate("a", not_before=NOW + 5)], Limits(), Admission((), {"a": "in 5 s"})),
    "slots are given by urgency": (
        [StartCandidate("a"), StartCandidate("b", priority=1), StartCandidate("c")], Limits(at_once=2, running=1),
        Admission(("b",), {"a": "a free slot: 2 run at a time", "c": "a free slot: 2 run at a time"})),
    "who is blocked takes no slot": (
        [StartCandidate("a", blocked="x"), StartCandidate("b")], Limits(at_once=1), Admission(("b",), {"a": "x"})),
    "more may run than there are slots": (
        [StartCandidate("a")], Limits(at_once=1, running=3), Admission((), {"a": "a free slot: 1 run at a time"})),
}  # fmt: skip


@pytest.mark.parametrize(("nodes", "limits", "expected"), CASES.values(), ids=CASES)
def test_who_starts_now_and_why_others_do_not(nodes, limits, expected):
    assert admit(nodes, NOW, limits) == expected
