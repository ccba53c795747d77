"""Learning: estimates, rates, and which lesson an attempt teaches."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.quests.classes import INTERNAL, TABLE, Consequence
from overmind_core.domain.watching import learning
from overmind_core.domain.watching.learning import AttemptOutcome, Estimate, Lesson, LessonState


def outcome(quest="q", attempt=1, failure=None, cost=1.0, seconds=60.0, kind="bug", provider="claude", model="m"):
    return AttemptOutcome(quest, attempt, 0.0, kind, provider, model, "login", failure, cost, seconds)


def estimated(*outcomes):
    return learning.estimate(outcomes, type="bug", provider="claude", model="m")


ESTIMATES = [
    pytest.param([], Estimate(), id="nothing"),
    pytest.param([outcome()] * 2, Estimate(), id="two"),
    pytest.param([outcome(seconds=one, cost=one) for one in (9.0, 1.0, 2.0)], Estimate(2.0, 2.0), id="a median"),
    pytest.param([outcome(cost=None)] * 3, Estimate(60.0, None), id="nobody knows the cost"),
    pytest.param([*[outcome(cost=None)] * 2, *[outcome()] * 3], Estimate(60.0, 1.0), id="known costs alone"),
    pytest.param([outcome(failure="exit")] * 5, Estimate(), id="failures say nothing of the work"),
    pytest.param([outcome(kind="docs")] * 5, Estimate(), id="another type"),
    pytest.param([outcome(provider="codex")] * 5, Estimate(), id="another provider"),
    pytest.param([outcome(model="n", seconds=7.0)] * 3, Estimate(7.0, 1.0), id="another model"),
    pytest.param([*[outcome(model="n", seconds=7.0)] * 9, *[outcome()] * 3], Estimate(60.0, 1.0), id="the same one"),
]  # fmt: skip


@pytest.mark.parametrize(("outcomes", "expected"), ESTIMATES)
def test_an_estimate_is_the_median_of_three_or_more_that_passed(outcomes, expected):
    assert estimated(*outcomes) == expected


FREE = [one for one, consequence in TABLE.items() if consequence in {Consequence.FREE, Consequence.LIMITED}]


@pytest.mark.parametrize("failure", [*FREE, INTERNAL, "api_error 529", "setup_failed", "not_logged_in"])
def test_what_costs_a_quest_no_attempt_says_nothing_of_what_it_was_given(failure):
    assert not learning.is_of_the_work(failure)


def test_rates_are_of_quests_and_say_how_often_they_were_tried():
    found = learning.rates(
        [
            outcome("a", 1, "check_failed", 0.5, 10.0),
            outcome("a", 2, None, 0.5, 20.0),
            outcome("b", 1, None, 3.0, 60.0),
            outcome("c", 1, "exit", 2.0, 5.0),
            outcome("c", 2, "check_failed", None, 5.0),
            outcome("d", 1, kind="docs"),
        ],
        "type",
    )
    bug, docs = found
    assert (bug.key, bug.quests, bug.attempts, bug.rate, bug.tries) == ("bug", 3, 5, 2 / 3, 5 / 3)
    assert (bug.cost_usd, bug.cost_unknown, bug.seconds) == (None, 1, 30.0)
    assert list(bug.failures.items()) == [("check_failed", 2), ("exit", 1)]
    assert (docs.quests, docs.attempts, docs.rate, docs.tries, docs.seconds) == (1, 1, None, None, None)


@pytest.mark.parametrize(("by", "key"), zip(learning.GROUPS, ("bug", "claude", "m", "login"), strict=True))
def test_outcomes_are_grouped_by_any_of_the_four(by, key):
    (found,) = learning.rates([outcome(str(number)) for number in range(3)], by)
    assert (found.key, found.quests, found.cost_usd) == (key, 3, 1.0)


def proposed(failure="check_failed", feedback="AssertionError: 3 != 4\n", **changes):
    told = {"repository": "/r/.git", "quest": "login/TSK-001", "mission": "m1", "agent": "claude", "began_at": 4.0}
    return learning.propose(failure, feedback, **{"at": 5.0, **told, **changes})


def test_an_attempt_that_failed_and_then_passed_proposes_a_lesson():
    lesson = proposed()
    assert lesson == Lesson(
        lesson.key, "/r/.git", "check_failed", "AssertionError: 3 != 4", quest="login/TSK-001", at=5.0, mission="m1",
        agent="claude", began_at=4.0,
    )  # fmt: skip
    assert lesson.state is LessonState.PROPOSED
    assert len(lesson.key) == 16


def test_the_same_lesson_has_the_same_key_and_another_one_another():
    assert proposed().key == proposed(quest="x", at=9.0, mission="m2").key
    others = [proposed(failure="exit"), proposed(feedback="KeyError"), proposed(repository="/s")]
    assert len({one.key for one in (proposed(), *others)}) == 4


TAUGHT_NOTHING = ["limited", "keeper_lost", "disk_full", "no_terminals", "api_error 529", "api_error"]


@pytest.mark.parametrize("failure", TAUGHT_NOTHING)
def test_what_was_not_the_works_fault_teaches_nothing(failure):
    assert proposed(failure=failure) is None


@pytest.mark.parametrize("feedback", ["", "\n \n\t\n"])
def test_feedback_without_words_teaches_nothing(feedback):
    assert proposed(feedback=feedback) is None


@given(st.text(max_size=3000))
def test_a_lesson_is_short_whatever_an_attempt_printed(feedback):
    lesson = proposed(feedback=feedback)
    if lesson is not None:
        assert len(lesson.feedback) <= 600
        assert len(lesson.feedback.splitlines()) <= 5


def test_a_cost_is_an_estimate_where_an_attempt_behind_it_is():
    at_prices = replace(outcome("a"), is_estimated=True)
    for first, is_estimated in ((at_prices, True), (replace(at_prices, cost_usd=None), False), (outcome("a"), False)):
        (found,) = learning.rates([first, outcome("b"), outcome("c"), outcome("d")], "type")
        assert (found.cost_usd, found.is_estimated) == (1.0, is_estimated)
