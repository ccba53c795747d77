"""Whether work did what it was for, in one set of words; every code of ours has its sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overmind_core.domain.missions.mission import LIVE, Cause, Definition, Mission, Status
from overmind_core.domain.missions.outcome import (
    Outcome,
    outcome_of,
    outcome_of_state,
    state_of_ended,
    with_true_status,
)
from overmind_core.domain.missions.reasons import (
    FOREVER,
    RETRIES_SPENT,
    SENTENCES,
    SPENT,
    ended_words,
    gave_up,
    kept_limit,
    limit_of,
    sentence,
)
from overmind_core.domain.missions.status_marks import OUTCOMES
from overmind_core.domain.quests.classes import TABLE
from overmind_core.domain.text.paragraphs import stands
from tests.kit.cases import tabled


def ended(status, reason=None, code=None, by=None):
    return Mission("a", Definition("a", "x", ("x",), "/"), 0.0, status, reason, exit_code=code, ended_by=by)


STOPPED, CRASHED, KILLED = Status.STOPPED, Status.CRASHED, Status.KILLED


@tabled(
    ("status", "reason", "code", "by", "outcome"),
    [
        (STOPPED, None, 0, Cause.EXITED, Outcome.SUCCEEDED),
        (STOPPED, None, 0, Cause.STOP, Outcome.STOPPED),
        (STOPPED, None, 143, Cause.STOP, Outcome.STOPPED),
        (STOPPED, "restart_cancelled", 3, None, Outcome.STOPPED),
        (STOPPED, None, 0, None, Outcome.SUCCEEDED),
        (STOPPED, None, 143, None, Outcome.STOPPED),
        (STOPPED, None, None, None, Outcome.STOPPED),
        (CRASHED, None, 1, Cause.EXITED, Outcome.FAILED),
        (CRASHED, "restart_budget_spent", 3, Cause.EXITED, Outcome.FAILED),
        (STOPPED, "restart_budget_spent", 0, Cause.EXITED, Outcome.FAILED),
        (STOPPED, "restart_budget_spent", 0, None, Outcome.FAILED),
        (CRASHED, "cwd_not_found", None, Cause.SPAWN_FAILED, Outcome.FAILED),
        (CRASHED, "max_cost", 143, Cause.LIMIT, Outcome.FAILED),
        (CRASHED, "timeout", 124, Cause.TIMEOUT, Outcome.TIMED_OUT),
        (CRASHED, "stalled", 137, Cause.STALLED, Outcome.TIMED_OUT),
        (CRASHED, "keeper_lost", None, Cause.KEEPER_LOST, Outcome.LOST),
        (KILLED, "fenced", None, Cause.FENCED, Outcome.LOST),
        (KILLED, None, None, Cause.KILL, Outcome.KILLED),
        (KILLED, None, None, None, Outcome.KILLED),
    ],
)
def test_how_a_mission_ended(status, reason, code, by, outcome):
    assert outcome_of(ended(status, reason, code, by)) is outcome


@tabled(
    ("status", "reason", "code", "by"),
    [
        (CRASHED, None, None, Cause.EXITED),
        (CRASHED, None, 1, Cause.EXITED),
        (CRASHED, "cwd_not_found", None, Cause.SPAWN_FAILED),
        (CRASHED, "timeout", 124, Cause.TIMEOUT),
        (STOPPED, None, None, Cause.STOP),
        (STOPPED, None, 143, Cause.STOP),
        (STOPPED, "restart_cancelled", None, None),
        (STOPPED, "restart_cancelled", 3, Cause.EXITED),
        (STOPPED, None, 0, Cause.EXITED),
        (STOPPED, "restart_budget_spent", 0, Cause.EXITED),
    ],
)
def test_what_an_older_program_called_killed_to_hide_it_has_the_status_of_its_end_again(status, reason, code, by):
    mission = ended(status, reason, code, by)
    assert with_true_status(ended(KILLED, reason, code, by)) == replace(mission, hidden=True)
    assert with_true_status(mission) == mission


@tabled("code", [0, 3])
def test_what_was_to_run_on_and_was_given_up_has_failed_whatever_its_exit_code(code):
    given_up = ended(STOPPED if code == 0 else CRASHED, SPENT, code, Cause.EXITED)
    assert (given_up.shell_exit, outcome_of(given_up)) == (code or 1, Outcome.FAILED)


@tabled("status", sorted(LIVE))
def test_what_lives_has_not_ended(status):
    assert outcome_of(ended(status)) is None


def test_each_outcome_has_a_mark():
    assert [mark.word for mark in OUTCOMES] == [outcome.value for outcome in Outcome]
    assert [mark.word for mark in OUTCOMES if mark.tone == "good"] == [Outcome.SUCCEEDED]


@tabled("code", sorted({*TABLE, *(cause.value for cause in Cause if cause in {Cause.STALLED, Cause.TIMEOUT}),
                        RETRIES_SPENT}))  # fmt: skip
def test_each_class_has_a_sentence_of_its_own(code):
    assert code in SENTENCES
    assert "_" not in sentence(code)


def test_a_code_that_nobody_knows_is_words_all_the_same():
    assert sentence("of_a_newer_program") == "of a newer program"
    assert sentence("api_error 529") == "the service of its model answered with an error (529)"
    assert sentence("failed on a sentence of its own") == "failed on a sentence of its own"
    assert sentence(None) == ""


def test_of_a_limit_that_forgets_no_restart_people_read_how_often_it_was_tried():
    """As that of a quest's retries, of which a check that failed takes some away."""
    row = {"reason": SPENT, "max_restarts": 1, "max_seconds": FOREVER, "restart_count": 2}
    assert ended_words("failed", 3, SPENT, limit_of(row)) == "failed (3): tried 3 times, gave up"
    assert ended_words("failed", 3, SPENT, limit_of({**row, "restart_count": 0})).endswith("tried 2 times, gave up")


def test_a_limit_of_restarts_is_named_where_it_is_known():
    row = {"reason": SPENT, "max_restarts": 5, "max_seconds": 60.0}
    assert sentence(SPENT, limit_of(row)) == "restarted 5 times in a minute, gave up"
    assert ended_words("failed", 3, SPENT, limit_of(row)) == "failed (3): restarted 5 times in a minute, gave up"
    assert sentence("conflicts", limit_of(row)) == sentence("conflicts")
    assert limit_of({}) is limit_of({**row, "max_restarts": 0}) is None


@tabled(
    ("run_reason", "seconds", "why"),
    [
        (None, None, ""),
        ("exit", None, ""),
        ("cwd_not_found", None, ": its folder does not exist"),
        ("stalled", 3.0, ": it was silent for 3 seconds"),
        ("stalled", None, ": it was silent for too long"),
    ],
)
def test_what_was_given_up_says_why_its_last_run_has_ended(run_reason, seconds, why):
    row = {"reason": SPENT, "max_restarts": 1, "max_seconds": 60.0, "run_reason": run_reason, "limit_seconds": seconds}
    said = f"failed (137): restarted once in a minute, gave up{why}"
    assert ended_words("failed", 137, SPENT, limit_of(row)) == said


@tabled(
    ("policy", "reason", "said"),
    [
        (None, "timeout", "it took longer than 2 seconds"),
        ("never", "timeout", "it took longer than 2 seconds"),
        ("always", "timeout", "it took longer than 2 seconds, after which it is not restarted"),
        ("on_failure", "timeout", "it took longer than 2 seconds, after which it is not restarted"),
        ("always", "stalled", "it was silent for 2 seconds"),
    ],
)
def test_a_limit_of_time_that_ends_what_is_to_be_restarted_says_so(policy, reason, said):
    row = {"reason": reason, "limit_seconds": 2.0, **({} if policy is None else {"restart_policy": policy})}
    assert sentence(reason, limit_of(row)) == said
    assert ended_words("timed out", 124, reason, limit_of(row)) == f"timed out: {said}"


@pytest.mark.parametrize(
    ("code", "seconds", "said"),
    [
        ("timeout", 1.0, "it took longer than 1 second"),
        ("timeout", 3600.0, "it took longer than 1 hour"),
        ("timeout", 0.5, "it took longer than 0.5 seconds"),
        ("stalled", 90.0, "it was silent for 90 seconds"),
        ("stalled", 300.0, "it was silent for 5 minutes"),
    ],
)
def test_a_limit_of_time_or_silence_is_named_where_it_is_known(code, seconds, said):
    row = {"reason": code, "limit_seconds": kept_limit(code, seconds), "max_restarts": 5, "max_seconds": 60.0}
    assert sentence(code, limit_of(row)) == said
    assert ended_words("timed out", 124, code, limit_of(row)) == f"timed out: {said}"


def test_a_limit_is_kept_of_what_it_has_ended_alone():
    assert kept_limit("timeout", 60.0) == 60.0
    assert kept_limit("timeout", 0.0) is kept_limit("timeout", None) is kept_limit("exit", 60.0) is None
    assert sentence("exit", 60.0) == sentence("exit")


@pytest.mark.parametrize(
    ("outcome", "code", "reason", "said"),
    [
        (Outcome.FAILED, 1, None, "failed (1)"),
        (Outcome.FAILED, 3, "restart_budget_spent", "failed (3): restarted too often, gave up"),
        (Outcome.FAILED, None, "cwd_not_found", "failed: its folder does not exist"),
        (Outcome.FAILED, 1, "exit", "failed (1)"),
        (Outcome.FAILED, 0, "no_result", "failed: it ended without an answer"),
        (Outcome.TIMED_OUT, 124, "timeout", "timed out"),
        (Outcome.TIMED_OUT, 137, "stalled", "timed out: it was silent for too long"),
        (Outcome.STOPPED, 143, "restart_cancelled", "stopped: it was stopped before its restart"),
        (Outcome.KILLED, None, None, "killed"),
        (Outcome.SUCCEEDED, 0, None, "succeeded"),
    ],
)
def test_why_it_failed_is_said_behind_it(outcome, code, reason, said):
    assert ended_words(outcome, code, reason) == said


@pytest.mark.parametrize(
    ("times", "seconds", "said"),
    [
        (5, 60.0, "restarted 5 times in a minute, gave up"),
        (1, 3600.0, "restarted once in an hour, gave up"),
        (3, 90.0, "restarted 3 times in 90 seconds, gave up"),
        (2, 0.5, "restarted 2 times in 0.5 seconds, gave up"),
        (4, 172_800.0, "restarted 4 times in 2 days, gave up"),
        (2, FOREVER, "tried 3 times, gave up"),
    ],
)
def test_who_was_restarted_too_often_has_the_numbers(times, seconds, said):
    assert gave_up(times, seconds) == said


@tabled(
    ("mission", "state"),
    [
        (ended(STOPPED, code=0, by=Cause.EXITED), "completed"),
        (ended(CRASHED, code=1, by=Cause.EXITED), "failed"),
        (ended(CRASHED, "timeout", 124, Cause.TIMEOUT), "failed"),
        (ended(STOPPED, code=143, by=Cause.STOP), "cancelled"),
        (ended(STOPPED, code=0, by=Cause.STOP), "cancelled"),
        (ended(STOPPED, "restart_cancelled", 3), "cancelled"),
        (ended(KILLED, code=137, by=Cause.KILL), "cancelled"),
    ],
)
def test_what_somebody_has_stopped_was_cancelled_whatever_its_exit_code(mission, state):
    assert state_of_ended(mission) == state


@pytest.mark.parametrize(
    ("state", "reason", "outcome"),
    [
        ("completed", None, Outcome.SUCCEEDED),
        ("failed", None, Outcome.FAILED),
        ("failed", "check_failed", Outcome.FAILED),
        ("failed", "stalled", Outcome.TIMED_OUT),
        ("failed", "keeper_lost", Outcome.LOST),
        ("failed", "killed", Outcome.KILLED),
        ("failed", "stopped", Outcome.STOPPED),
        ("cancelled", "killed", Outcome.KILLED),
        ("cancelled", None, Outcome.STOPPED),
        ("running", None, None),
    ],
)
def test_a_quest_or_a_run_of_a_ritual_has_the_outcome_of_its_work(state, reason, outcome):
    assert outcome_of_state(state, reason) is outcome


@pytest.mark.parametrize("state", [*Outcome, "queued", "running"])
def test_what_did_something_itself_has_behind_a_name_and_all_else_is(state):
    did = {Outcome.SUCCEEDED, Outcome.FAILED, Outcome.TIMED_OUT}
    assert stands(state) == f"{'has' if state in did else 'is'} {state}"
    assert stands("review") == "is in review"
