"""Whose turn it is: the figures of the score, the laws behind them, and how a person reads them."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overmind_core.domain.quests.quest import Goal, Priority, Quest, QuestStatus, QueueState
from overmind_core.domain.quests.score import Score, able_since, score_of, score_text, urgency_of

NOW = 1_000_000.0
QUEST = Quest("aaaaaaa1", "docs", "make docs", "/", "raw", NOW, status=QuestStatus.QUEUED, retries=2)


def quest(priority: str, *, waited: float = 0.0, deadline: float | None = None, **more: Any) -> Quest:
    """One that could run for so long, with a deadline in so many seconds."""
    goal = Goal(priority=Priority(priority), deadline_at=None if deadline is None else NOW + deadline)
    queue = QueueState(able_at=NOW - waited, **{key: more.pop(key) for key in ("spent", "not_before") if key in more})
    return replace(QUEST, goal=goal, queue=queue, **more)


def total(one: Quest, dependants: int = 0) -> float:
    return score_of(one, dependants, 0.0, NOW).total


SCORES = [
    pytest.param(quest("critical"), 0, 0.5, id="critical"),
    pytest.param(quest("low"), 0, 0.1625, id="low"),
    pytest.param(quest("high", deadline=450), 0, 0.578125, id="high, near its deadline"),
    pytest.param(quest("medium", waited=3600), 0, 0.475, id="medium, for an hour"),
    pytest.param(quest("low", waited=7200), 0, 0.63625, id="low, for two hours"),
    pytest.param(quest("medium", waited=7200), 0, 0.6475, id="medium, for two hours"),
    pytest.param(quest("high", waited=7200), 0, 0.65875, id="high, for two hours"),
    pytest.param(quest("high", waited=7199), 0, 0.5875, id="high, for a second less"),
    pytest.param(quest("medium", waited=86400), 0, 0.6475, id="a day is no more than two hours"),
    pytest.param(quest("medium", waited=-60), 0, 0.275, id="a clock that was set back"),
    pytest.param(quest("medium", deadline=901), 0, 0.275, id="its deadline is far"),
    pytest.param(quest("medium", deadline=900), 0, 0.275 * 1.25, id="its deadline comes near"),
    pytest.param(quest("medium", deadline=-60), 0, (0.275 + 0.15) * 1.25, id="past its deadline"),
    pytest.param(quest("medium"), 4, 0.335, id="four need it"),
    pytest.param(quest("medium"), 400, 0.425, id="many need it"),
    pytest.param(quest("medium", spent=1), 0, 0.25, id="it failed once of two"),
    pytest.param(quest("medium", spent=5), 0, 0.225, id="it failed more often than it is retried"),
    pytest.param(quest("medium", retries=0), 0, 0.275, id="it is never retried"),
    pytest.param(quest("medium", retries=0, spent=1), 0, 0.225, id="it is never retried, and has failed"),
    pytest.param(quest("critical", waited=7200, deadline=-1), 10, 1.25, id="all at once"),
]


@pytest.mark.parametrize(("one", "dependants", "expected"), SCORES)
def test_what_it_scores(one, dependants, expected):
    """Acceptance 1 and 2: 0.5, 0.1625, 0.578125, 0.475, and after two hours 0.63625 < 0.6475 < 0.65875."""
    assert total(one, dependants) == pytest.approx(expected, abs=1e-12)
    assert urgency_of(one, dependants, 0.0).rank(NOW)[1] == -total(one, dependants)


def test_a_fresh_critical_one_starts_before_all_that_have_waited_for_long():
    """Acceptance 2: waiting wins over rank, never over critical."""
    waiting = [quest(name, waited=7200, id=name) for name in ("low", "medium", "high")]
    fresh = quest("critical", id="fresh")
    ranked = sorted([*waiting, fresh], key=lambda one: urgency_of(one, 0, 0.0).rank(NOW))
    assert [one.id for one in ranked] == ["fresh", "high", "medium", "low"]


ORDERS = [
    pytest.param([quest("medium", id="b"), quest("medium", id="a")], ["a", "b"], id="the id, last of all"),
    pytest.param(
        [quest("medium", id="a", waited=5000), quest("medium", id="b", waited=6000)],
        ["b", "a"],
        id="who could run longest",
    ),
    pytest.param([quest("low", id="a"), quest("medium", id="b")], ["b", "a"], id="the higher score"),
    pytest.param(
        [quest("high", id="a", waited=9000, deadline=-1), quest("critical", id="b")],
        ["b", "a"],
        id="critical before all",
    ),
]


@pytest.mark.parametrize(("quests", "expected"), ORDERS)
def test_the_order_of_the_queue(quests, expected):
    assert [one.id for one in sorted(quests, key=lambda one: urgency_of(one, 0, 0.0).rank(NOW))] == expected


ADDED = replace(QUEST, goal=Goal())
ABLE = [
    pytest.param(ADDED, 0.0, NOW, id="since it was added"),
    pytest.param(replace(ADDED, queue=QueueState(able_at=NOW + 5)), 0.0, NOW + 5, id="since its round began"),
    pytest.param(replace(ADDED, queue=QueueState()), NOW + 7, NOW + 7, id="since its last need ended"),
    pytest.param(
        replace(ADDED, queue=QueueState(not_before=NOW + 9)),
        NOW + 7,
        NOW + 9,
        id="since its pause is over",
    ),
    pytest.param(ADDED, None, None, id="something that it needs goes on"),
]


@pytest.mark.parametrize(("one", "needs_met_at", "expected"), ABLE)
def test_since_when_it_could_run(one, needs_met_at, expected):
    assert able_since(one, needs_met_at) == expected
    assert score_of(one, 0, needs_met_at, NOW + 3600).age == (
        0.0 if expected is None else pytest.approx(0.2 * (NOW + 3600 - expected) / 3600)
    )


def test_one_that_could_not_run_is_behind_its_equals_that_can():
    waits, can = quest("medium", id="a"), quest("medium", id="b")
    assert urgency_of(waits, 0, None).rank(NOW) > urgency_of(can, 0, 0.0).rank(NOW)


QUESTS = st.builds(
    quest,
    st.sampled_from(list(Priority)),
    waited=st.floats(-10_000, 20_000),
    deadline=st.none() | st.floats(-5000, 5000),
    spent=st.integers(0, 5),
    retries=st.integers(0, 4),
)


@given(QUESTS, st.integers(0, 20), st.none() | st.floats(NOW - 9000, NOW), st.floats(0, 9000))
def test_the_order_follows_the_score_that_is_shown(one, dependants, needs_met_at, later):
    score = score_of(one, dependants, needs_met_at, NOW + later)
    not_critical, minus_score, _, name = urgency_of(one, dependants, needs_met_at).rank(NOW + later)
    assert (not_critical, -minus_score, name) == (one.goal.priority is not Priority.CRITICAL, score.total, one.id)
    assert 0.1 <= score.total <= 1.25


def test_nobody_scores_less_a_second_past_its_deadline_than_a_second_before():
    """Acceptance 3: 20,000 random quests."""
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    for _ in range(20_000):
        one = quest(
            chance.choice(list(Priority)),
            waited=chance.uniform(-10, 10_000),
            deadline=0.0,
            spent=chance.randrange(4),
            retries=chance.randrange(4),
        )
        dependants = chance.randrange(15)
        before, after = (score_of(one, dependants, 0.0, NOW + second).total for second in (-1.0, 1.0))
        assert after >= before, f"seed {seed}: {one}"


@given(QUESTS, st.integers(0, 20), st.floats(0, 10_000), st.floats(0, 10_000))
def test_waiting_never_makes_it_score_less(one, dependants, first, second):
    early, late = sorted([first, second])
    assert score_of(one, dependants, 0.0, NOW + late).total >= score_of(one, dependants, 0.0, NOW + early).total


TEXTS = [
    (
        quest("medium", waited=7200),
        "score 0.6475 = 0.225 priority + 0.2 age + 0 deadline + 0 blocking + 0.05 retries, 0.6475 after 2h",
    ),
    (quest("critical"), "score 0.5 = 0.45 priority + 0 age + 0 deadline + 0 blocking + 0.05 retries"),
    (
        quest("high", deadline=450),
        (
            "score 0.578125 = 0.3375 priority + 0 age + 0.075 deadline + 0 blocking + 0.05 retries, × 1.25 near its "
            "deadline"
        ),
    ),
    (
        quest("critical", waited=9000, deadline=0),
        "score 1.0625 = 0.45 priority + 0.2 age + 0.15 deadline + 0 blocking + 0.05 retries, × 1.25 near its deadline",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("one", "text"), TEXTS)
def test_how_it_is_written(one, text):
    assert score_text(score_of(one, 0, 0.0, NOW)) == text


@given(QUESTS, st.integers(0, 20), st.floats(0, 9000))
@example(quest("medium", waited=1 / 3), 1, 0.0)
def test_the_parts_that_are_printed_give_the_total(one, dependants, later):
    """Acceptance 4, its first half: to a millionth."""
    score = score_of(one, dependants, 0.0, NOW + later)
    text = score_text(score)
    shown, parts, _, factor, _, floor = re.fullmatch(
        r"score ([\d.]+) = ([^,]+)(, × ([\d.]+) near its deadline)?(, ([\d.]+) after 2h)?", text
    ).groups()  # type: ignore[union-attr]
    sum_ = sum(float(part.split()[0]) for part in parts.split(" + ")) * float(factor or 1)
    assert abs(float(shown) - max(sum_, float(floor or 0))) <= 1e-6
    assert abs(float(shown) - score.total) <= 1e-6


def test_a_score_is_the_sum_of_its_parts_with_its_factor_but_no_less_than_its_floor():
    assert Score(0.1, 0.1, 0.1, 0.1, 0.1, 1.25).total == pytest.approx(0.625)
    assert Score(0.1, 0.1, 0.1, 0.1, 0.1, 1.25, 0.7).total == 0.7
