"""What follows from an attempt that failed: the table of classes, and that every sequence of them ends."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.missions.mission import Cause, Definition, Mission, Status
from overmind_core.domain.quests.classes import (
    MOST_REDONE,
    MOST_UNCOUNTED,
    TABLE,
    Consequence,
    Fail,
    Requeue,
    after_failure,
    class_of,
    consequence_of,
    is_redone,
    own_verify,
    requeued,
)
from overmind_core.domain.quests.quest import Attempt, Goal, Quest, QuestPhase, QuestStatus, QueueState
from tests.kit.cases import tabled

NOW = 1000.0
WORK = Mission("aaaaaaa1", Definition("docs", "make docs", ("make", "docs"), "/"), 0.0, status=Status.CRASHED)

MERGED = Quest("a", "a", "true", "/", "raw", 0.0, goal=Goal(into="main", verify="make test"))

REASONS = [
    (None, "exit"),
    ("failed", "exit"),
    ("no_result", "exit"),
    ("restart_budget_spent", "exit"),
    ("stalled", "stalled"),
    ("steered", "steered"),
    ("api_error 529", "api_error 529"),
    ("limited", "limited"),
    ("no_credit", "limited"),
    ("keeper_lost", "keeper_lost"),
    ("disk_full", "disk_full"),
    ("no_terminals", "no_terminals"),
    ("timeout", "timeout"),
    ("not_ready", "not_ready"),
    ("restart_cancelled", "stopped"),
]


@tabled(("reason", "expected"), REASONS)
def test_the_class_of_an_attempt_is_the_reason_of_its_mission(reason, expected):
    assert class_of(replace(WORK, exit_code=1, reason=reason)) == expected


@tabled(
    ("reason", "expected"),
    [
        (None, "check_failed"),
        ("timeout", "check_failed"),
        ("stalled", "check_failed"),
        ("keeper_lost", "keeper_lost"),
        ("disk_full", "disk_full"),
        ("restart_cancelled", "stopped"),
    ],
)
def test_a_check_is_at_fault_for_all_but_what_befell_it(reason, expected):
    assert class_of(replace(WORK, exit_code=1, reason=reason), "check_failed") == expected


def test_a_command_that_is_to_land_is_done_once_more_and_an_agent_not():
    quest = Quest("a", "a", "true", "/", "raw", 0.0, goal=Goal(into="main"))
    assert is_redone(quest)
    assert not is_redone(replace(quest, provider="claude"))
    assert not is_redone(replace(quest, goal=Goal()))


BOTH = "(\npytest\n) && (\nmake test\n)"


def in_phase(phase, *, status=QuestStatus.RUNNING, failure=None):
    return replace(MERGED, check="pytest", status=status, queue=QueueState(phase=phase, failure=failure))


@tabled(
    ("quest", "expected"),
    [
        (MERGED, "make test"),
        (replace(MERGED, goal=Goal(into="main")), None),
        (replace(MERGED, check="pytest", status=QuestStatus.COMPLETED), "make test"),
        (in_phase(QuestPhase.WORK), BOTH),
        (in_phase(QuestPhase.CHECK), BOTH),
        (in_phase(QuestPhase.REVIEWING), "make test"),
        (in_phase(QuestPhase.LANDING), "make test"),
        (in_phase(QuestPhase.CHECK, status=QuestStatus.REVIEW), "make test"),
        (in_phase(QuestPhase.CHECK, status=QuestStatus.CANCELLED), BOTH),
        (in_phase(QuestPhase.CHECK, status=QuestStatus.QUEUED, failure="check_failed"), BOTH),
        (in_phase(QuestPhase.CHECK, status=QuestStatus.FAILED, failure="review_denied"), "make test"),
        (in_phase(QuestPhase.LANDING, status=QuestStatus.FAILED, failure="verify_failed"), "make test"),
        (
            replace(MERGED, check="pytest # all", status=QuestStatus.FAILED, reason="check_failed"),
            "(\npytest # all\n) && (\nmake test\n)",
        ),
        (replace(MERGED, goal=None, check="pytest", status=QuestStatus.FAILED, reason="check_failed"), "pytest"),
        (None, None),
    ],
)
def test_work_that_a_person_lands_has_to_pass_what_its_quest_wants_and_a_check_that_is_not_passed(quest, expected):
    assert own_verify(quest) == expected


def test_what_was_killed_was_killed_whatever_it_says():
    killed = replace(WORK, status=Status.KILLED, ended_by=Cause.KILL, reason="timeout")
    assert (class_of(killed), class_of(killed, "check_failed")) == ("killed", "killed")


def queue(*failures: str, spent: int = 0, free: int | None = None) -> QueueState:
    """How a quest stands whose attempts have failed so, and whose next one goes on."""
    ended = [Attempt(number, number, 0.0, 1.0, one) for number, one in enumerate(failures, 1)]
    return QueueState(
        spent=spent, free=len(failures) if free is None else free, tries=(*ended, Attempt(len(ended) + 1, 1, 1.0))
    )


FOLLOWS = [
    ("exit", queue(), 2, None, Requeue(NOW + 2, counts=True)),
    ("exit", queue(spent=1), 2, None, Requeue(NOW + 4, counts=True)),
    ("exit", queue(spent=2), 2, None, Fail("retries_spent")),
    ("exit", queue(), 0, None, Fail("exit")),
    ("exit", queue(spent=4), 9, None, Requeue(NOW + 32, counts=True)),
    ("exit", queue(spent=5), 9, None, Requeue(NOW + 60, counts=True)),
    ("exit", queue(spent=5000), 9000, None, Requeue(NOW + 60, counts=True)),
    ("api_error 529", queue(), 2, None, Requeue(NOW + 2, counts=True)),
    ("api_error 529", queue(spent=2), 2, None, Fail("retries_spent")),
    ("stalled", queue(spent=2), 2, None, Fail("retries_spent")),
    ("check_failed", queue(), 2, None, Requeue(NOW + 2, counts=True)),
    ("check_failed", queue(spent=1), 2, None, Requeue(NOW + 4, counts=True)),
    ("check_failed", queue(spent=2), 2, None, Fail("check_failed")),
    ("output_missing", queue(spent=2), 2, None, Fail("output_missing")),
    ("conflicts", queue(spent=2), 2, None, Fail("conflicts")),
    ("not_ready", queue(), 2, None, Requeue(NOW + 2, counts=True)),
    ("not_ready", queue(spent=2), 2, None, Fail("not_ready")),
    ("limited", queue(), 0, NOW + 300, Requeue(NOW + 300, counts=False)),
    ("limited", queue(), 0, None, Requeue(NOW + 60, counts=False)),
    ("limited", queue(), 0, NOW - 5, Requeue(NOW + 60, counts=False)),
    ("limited", queue("limited", "limited"), 0, None, Requeue(NOW + 240, counts=False)),
    ("limited", queue(*["limited"] * 4), 0, None, Requeue(NOW + 900, counts=False)),
    ("limited", queue(*["limited"] * 8), 0, None, Requeue(NOW + 900, counts=False)),
    ("limited", queue(*["limited"] * 9), 0, NOW + 300, Fail("limited")),
    ("limited", queue(*["limited"] * 9, free=0), 0, None, Requeue(NOW + 60, counts=False)),
    ("keeper_lost", queue(), 0, None, Requeue(NOW, counts=False)),
    ("keeper_lost", queue("keeper_lost"), 0, None, Requeue(NOW + 10, counts=False)),
    ("keeper_lost", queue("keeper_lost", "keeper_lost"), 0, None, Requeue(NOW + 60, counts=False)),
    ("keeper_lost", queue(*["keeper_lost"] * 3), 2, None, Fail("keeper_lost")),
    ("disk_full", queue("keeper_lost", "keeper_lost"), 0, None, Requeue(NOW, counts=False)),
    ("no_terminals", queue("exit", free=0), 2, None, Requeue(NOW, counts=False)),
    ("blocked", queue(*["blocked"] * 8), 0, None, Requeue(NOW, counts=False)),
    ("blocked", queue(*["blocked"] * 9), 0, None, Fail("blocked")),
    ("timeout", queue(), 9, None, Fail("timeout")),
    ("not_logged_in", queue(), 9, None, Fail("not_logged_in")),
    ("usage_error", queue(), 9, None, Fail("usage_error")),
    ("untrusted_project", queue(), 9, None, Fail("untrusted_project")),
]


@tabled(("failure", "stood", "retries", "resume_at", "expected"), FOLLOWS)
def test_what_follows_from_an_attempt_that_failed(failure, stood, retries, resume_at, expected):
    """Acceptance 10, 13 and 14, their classes: two retries are three attempts, a limit is free, a timeout is final."""
    assert after_failure(failure, stood, retries, NOW, resume_at=resume_at, backoff=2.0) == expected


def test_each_class_of_the_contract_stands_in_the_table():
    counts = "exit stalled steered output_missing output_invalid check_failed review_denied conflicts verify_failed"
    final = "timeout max_turns max_cost not_logged_in setup_failed cwd_not_found provider_missing usage_error"
    expected = {
        Consequence.COUNTS: {*counts.split(), "undoes_landed", "conflict_left", "no_change", "api_error"},
        Consequence.LIMITED: {"limited"},
        Consequence.FREE: {"keeper_lost", "disk_full", "no_terminals", "blocked", "work_lost"},
        Consequence.CANCELLED: {"stopped", "killed"},
    }
    by_consequence: dict[Consequence, set[str]] = {}
    for name, consequence in TABLE.items():
        by_consequence.setdefault(consequence, set()).add(name)
    assert set(final.split()) <= by_consequence.pop(Consequence.FINAL)
    assert by_consequence == expected
    assert consequence_of("api_error 500") is Consequence.COUNTS
    assert consequence_of("a class of tomorrow") is Consequence.COUNTS


def redone(*failures):
    """A quest whose work is done once more on what has landed, behind these failures; the last is not counted yet."""
    stood = queue()
    for failure in failures[:-1]:
        then = after_failure(failure, stood, 2, NOW, backoff=2.0, redone=True)
        assert isinstance(then, Requeue), failure
        ended = replace(stood.tries[-1], ended_at=NOW, failure=failure)
        stood = requeued(failure, replace(stood, tries=(*stood.tries[:-1], ended)), then)
        stood = replace(stood, tries=(*stood.tries, Attempt(ended.number + 1, ended.run + 1, NOW)))
    return stood, after_failure(failures[-1], stood, 2, NOW, backoff=2.0, redone=True)


def test_a_conflict_that_a_command_left_gives_back_what_the_conflict_has_used_up():
    stood, then = redone("conflicts", "conflict_left")
    assert (stood.spent, then) == (1, Requeue(NOW, counts=False, redone=True))
    stood, then = redone("exit", "conflicts", "conflict_left", "exit")
    assert (stood.spent, stood.redone, then) == (1, 1, Requeue(NOW + 4, counts=True))
    stood, then = redone("verify_failed", "conflict_left", "exit")
    assert (stood.spent, stood.redone) == (1, 1)


def test_a_conflict_that_has_not_counted_is_not_given_back():
    """A person had allowed its landing: the one before it has used up a retry, and has nothing to do with this."""
    ended = tuple(Attempt(number, number, 1.0, 2.0, "conflicts") for number in (1, 2))
    stood = QueueState(spent=1, free=1, failure="conflicts", tries=(*ended, Attempt(3, 3, 1.0)))
    then = after_failure("conflict_left", stood, 2, NOW, backoff=2.0, redone=True)
    assert isinstance(then, Requeue)
    assert requeued("conflict_left", stood, then).spent == 1


def test_work_is_done_once_more_on_what_has_landed_ten_times_in_a_round():
    stood, then = redone(*["conflicts", "conflict_left"] * MOST_REDONE, "conflicts")
    assert (stood.spent, stood.redone, then) == (0, MOST_REDONE, Requeue(NOW + 2, counts=True))
    stood, then = redone(*["conflicts", "conflict_left"] * (MOST_REDONE + 1), "conflicts")
    assert (stood.spent, then) == (2, Fail("conflicts"))


def test_an_agent_that_leaves_the_marks_of_a_conflict_has_failed():
    stood = queue("conflicts", spent=1)
    assert after_failure("conflict_left", stood, 2, NOW, backoff=2.0) == Requeue(NOW + 4, counts=True)
    assert after_failure("conflict_left", replace(stood, spent=2), 2, NOW, backoff=2.0) == Fail("conflict_left")


CLASSES = st.sampled_from([*sorted(set(TABLE) - {"api_error"}), "api_error 500", "not_ready"])


@given(st.lists(CLASSES, min_size=1), st.integers(0, 3))
def test_any_sequence_of_classes_ends(classes, retries):
    """However they follow each other, over and over: the quest fails, and never waits longer than 15 minutes."""
    stood, now = queue(), NOW
    for number in range((retries + 1) * MOST_UNCOUNTED + 1):
        failure = classes[number % len(classes)]
        then = after_failure(failure, stood, retries, now, backoff=2.0)
        if isinstance(then, Fail):
            assert then.reason in {failure, "retries_spent"}
            return
        assert now <= then.at <= now + 900
        assert then.counts is (consequence_of(failure) is Consequence.COUNTS)
        ended = replace(stood.tries[-1], ended_at=now, failure=failure)
        stood = requeued(failure, replace(stood, tries=(*stood.tries[:-1], ended)), then)
        stood = replace(stood, tries=(*stood.tries, Attempt(ended.number + 1, ended.run + 1, then.at)))
        assert stood.spent <= retries
        now = then.at
    raise AssertionError(stood)
