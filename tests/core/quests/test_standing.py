"""How the mission of a quest stands: its program's end is not that of its quest."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from itertools import product
from typing import get_args

import pytest

import overmind_web
from overmind_core.cli.missions.list import COLUMNS
from overmind_core.domain.missions import reasons
from overmind_core.domain.missions.mission import Cause, Definition, Mission, Status
from overmind_core.domain.missions.outcome import Outcome, outcome_of
from overmind_core.domain.missions.standing import TRIED_AGAIN, WorkState
from overmind_core.domain.missions.status_marks import OF_WORK, OUTCOMES, SUCCEEDED, mark_of
from overmind_core.domain.quests import standing
from overmind_core.domain.quests.life import QuestState, state_of
from overmind_core.domain.quests.quest import Goal, LandedWork, Quest, QuestPhase, QuestStatus, QueueState
from overmind_core.domain.quests.standing import NO_VERDICT, outcome_of_quest, standing_of
from overmind_core.missions import answers
from overmind_core.view import missions as missions_rows
from tests.kit.cases import tabled

PHASES = {
    QuestState.WORKING: QuestPhase.WORK,
    QuestState.CHECKING: QuestPhase.CHECK,
    QuestState.REVIEWING: QuestPhase.REVIEWING,
    QuestState.LANDING: QuestPhase.LANDING,
}


def quest(state, *, reason=None, failure=None, check=None, into=None, landed=None, **more):
    """A quest of the queue in a state."""
    status = QuestStatus.RUNNING if state in PHASES else QuestStatus(state.value)
    queue = QueueState(
        phase=PHASES.get(state, QuestPhase.WORK),
        failure=failure,
        landed=LandedWork(landed, "0" * 40, "1" * 40) if landed else None,
        **more,
    )
    ended = 90.0 if status in {QuestStatus.COMPLETED, QuestStatus.FAILED, QuestStatus.CANCELLED} else None
    return Quest(
        "a1b2c3d4", "docs", "true", "/", "raw", 1.0, check=check, status=status, reason=reason, ended_at=ended,
        goal=Goal(into=into), queue=queue,
    )  # fmt: skip


DEFINITION = Definition("docs", "true", ("true",), "/", columns=80, rows=24)


def mission(status, *, code=0, reason=None, ended_by=None, id_="a1b2c3d4", began=2.0):
    return Mission(
        id_, DEFINITION, created_at=1.0, status=status, exit_code=code, reason=reason, ended_by=ended_by,
        run_started_at=began,
    )  # fmt: skip


ENDS = {
    "well": mission(Status.STOPPED),
    "not well": mission(Status.CRASHED, code=3),
    "late": mission(Status.CRASHED, code=124, reason="timeout"),
    "stopped": mission(Status.STOPPED, code=143, ended_by=Cause.STOP),
    "killed": mission(Status.KILLED, code=None),
    "lost": mission(Status.CRASHED, code=None, reason="keeper_lost"),
}
BAD = {Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST}


@pytest.mark.parametrize(("state", "end"), list(product(QuestState, ENDS)))
def test_only_a_completed_quest_has_a_mission_that_has_succeeded(state, end):
    ended = ENDS[end]
    found = standing_of(quest(state), ended)
    assert found is not None
    assert found.state == state.value
    assert (found.outcome is Outcome.SUCCEEDED) == (state is QuestState.COMPLETED)
    assert (found.outcome is None) == (state_of(quest(state)).value not in {"completed", "failed", "cancelled"})
    if state is QuestState.FAILED:
        own = outcome_of(ended)
        assert found.outcome is (own if own in BAD else Outcome.FAILED)
    shown = missions_rows.mark(dict(answers.row(ended, (), 100.0, standing=found)))
    assert (shown is SUCCEEDED) == (state is QuestState.COMPLETED)
    assert (shown in OUTCOMES) == (found.outcome is not None)


def test_each_word_of_a_standing_has_a_mark():
    shown = {"completed": "succeeded"}
    assert all(mark_of(word).word == shown.get(word, word) for word in get_args(WorkState))
    assert {*map(str, QuestState), "to land", TRIED_AGAIN} == set(get_args(WorkState))


SAID = [
    # quest, what is in the way, state, outcome, text
    (quest(QuestState.FAILED, reason="no_change", into="main"), "", "failed", "failed",
     "failed: nothing was changed or committed"),
    (quest(QuestState.FAILED, reason="verify_failed", into="main"), "", "failed", "failed",
     "failed: the check of the merged work failed"),
    (quest(QuestState.FAILED, reason="output_missing"), "", "failed", "failed",
     "failed: it did not hand in what was asked for"),
    (quest(QuestState.FAILED, reason="retries_spent", failure="stalled"), "", "failed", "timed out",
     "failed: it was silent for too long"),
    (quest(QuestState.QUEUED, failure="check_failed"), "", "queued", None, "tried again: its check failed"),
    (quest(QuestState.REVIEW), "", "review", None, "review: a person decides"),
    (quest(QuestState.LANDING, into="main"), "", "landing", None, ""),
    (quest(QuestState.LANDING, into="main", reason="dirty"), "README.md is not committed", "to land", None,
     "waits to land: README.md is not committed"),
    (quest(QuestState.LANDING, into="main", reason="dirty"), "", "to land", None,
     "waits to land: uncommitted files are in its way"),
    (quest(QuestState.LANDING, into="main", reason="disk_full"), "", "to land", None,
     "waits to land: the disk is full"),
    (quest(QuestState.LANDING, into="main", reason="forbidden"), "", "to land", None,
     "waits to land: a person decides: it was not allowed"),
    (quest(QuestState.COMPLETED, into="main", landed="main"), "", "completed", "succeeded", "landed on main"),
    (quest(QuestState.COMPLETED, into="main"), "", "completed", "succeeded", "nothing to land"),
    (quest(QuestState.COMPLETED, check="make"), "", "completed", "succeeded", "checked"),
    (quest(QuestState.COMPLETED), "", "completed", "succeeded", ""),
    (quest(QuestState.CANCELLED), "", "cancelled", "stopped", "its quest was cancelled"),
    (quest(QuestState.CANCELLED, reason="killed"), "", "cancelled", "killed", "its quest was cancelled"),
]  # fmt: skip


@tabled(("quest_", "way", "state", "outcome", "text"), SAID)
def test_it_says_what_became_of_its_quest(quest_, way, state, outcome, text):
    found = standing_of(quest_, ENDS["well"], way)
    assert found is not None
    assert found[:3] == (state, outcome, text)
    assert (found.failure is not None) == (outcome == "failed")


def test_one_that_is_tried_again_says_when():
    waiting = quest(QuestState.QUEUED, failure="check_failed", not_before=120.0)
    assert standing_of(waiting, ENDS["well"]) == ("queued", None, "tried again: its check failed", 120.0, None)
    assert standing_of(quest(QuestState.QUEUED, not_before=120.0), ENDS["well"]) == ("queued", None, "", None, None)


def test_one_that_has_failed_by_itself_says_more_than_its_quest():
    own = standing_of(quest(QuestState.FAILED, reason="exit"), ENDS["not well"])
    assert own == ("failed", Outcome.FAILED, "", None, None)
    assert outcome_of_quest(quest(QuestState.FAILED, reason="timeout")) is Outcome.TIMED_OUT


def test_what_lives_and_what_a_person_started_again_say_themselves_how_they_stand():
    assert standing_of(quest(QuestState.REVIEW), mission(Status.RUNNING)) is None
    assert standing_of(quest(QuestState.FAILED, reason="check_failed"), mission(Status.STOPPED, began=99.0)) is None


def test_a_review_without_a_verdict_has_failed_and_one_with_a_verdict_says_itself():
    undecided = quest(QuestState.COMPLETED, undecided="e5f6a7b8")
    review = mission(Status.STOPPED, id_="e5f6a7b8")
    assert standing_of(undecided, review) == (None, Outcome.FAILED, NO_VERDICT, None, "no_verdict")
    assert standing_of(undecided, mission(Status.STOPPED, id_="c0c0c0c0")) is None
    assert standing_of(undecided, mission(Status.CRASHED, id_="e5f6a7b8", code=1)) is None


def beside(name, id_, end):
    """A mission below the one of the quest that has ended so."""
    return replace(ENDS[end], id=id_, definition=replace(DEFINITION, name=name, parent="a1b2c3d4"))


@pytest.mark.parametrize(("state", "attempts", "newest", "end"), list(product(
    QuestState, (2, 3), (True, False), ENDS,
)))  # fmt: skip
def test_a_failed_check_has_failed_for_good_only_while_its_quest_has_not_gone_on(state, attempts, newest, end):
    ended = beside("docs/check", "c0c0c0c0", end)
    owner = replace(
        quest(state, check="make"), check_id="c0c0c0c0" if newest else "d0d0d0d0", checked=2, attempts=attempts
    )
    found, own = standing_of(owner, ended), outcome_of(ended)
    went_on = state is QuestState.COMPLETED or not newest or attempts > 2
    assert (found is not None) == (own in BAD and went_on)
    shown = answers.outcome(ended, found)
    assert (shown in BAD) == (own in BAD and not went_on)
    if found is not None:
        assert found.state in {TRIED_AGAIN, "completed"}
        assert str(own) in found.text
    left = standing.check_left_behind(owner)
    assert left == (owner.check_id if state is QuestState.COMPLETED or attempts > 2 else None)


def test_what_its_work_has_started_is_no_check_of_it():
    owner = replace(quest(QuestState.COMPLETED, check="make"), check_id="c0c0c0c0", checked=1, attempts=1)
    assert standing_of(owner, beside("docs/checkout", "e0e0e0e0", "not well")) is None
    assert standing_of(owner, beside("docs/check", "c0c0c0c0", "not well")) == (
        "completed", Outcome.SUCCEEDED, "failed (3); its quest has completed", None, None,
    )  # fmt: skip
    assert standing_of(owner, beside("docs/check", "b0b0b0b0", "not well")) == (
        TRIED_AGAIN, None, "failed (3), tried again", None, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("quest_", "word"),
    [
        (quest(QuestState.FAILED, reason="check_failed"), "check"),
        (quest(QuestState.FAILED, reason="retries_spent", failure="check_failed"), "check"),
        (quest(QuestState.FAILED, reason="verify_failed", into="main"), "verify"),
        (quest(QuestState.FAILED, reason="no_change", into="main"), "unchanged"),
        (quest(QuestState.FAILED, reason="review_denied"), "denied"),
        (quest(QuestState.FAILED, reason="conflict_left", into="main"), "conflict"),
        (quest(QuestState.FAILED, reason="output_missing"), "outputs"),
        (quest(QuestState.FAILED, reason="cwd_not_found"), "failed"),
        (quest(QuestState.FAILED, reason="timeout"), "timeout"),
        (quest(QuestState.COMPLETED), "0"),
        (quest(QuestState.REVIEW), "0"),
    ],
)
def test_plain_ps_says_what_a_quest_failed_in_whose_program_ended_well(quest_, word):
    row = answers.row(ENDS["well"], (), 100.0, standing=standing_of(quest_, ENDS["well"]))
    assert (COLUMNS["STATUS"](dict(row)), COLUMNS["EXIT"](dict(row))) == ("stopped", word)
    own = answers.row(ENDS["not well"], (), 100.0, standing=standing_of(quest_, ENDS["not well"]))
    assert COLUMNS["EXIT"](dict(own)) == ("timeout" if word == "timeout" else "3")


def test_a_narrow_column_has_one_word_for_whatever_fails_behind_a_program():
    assert all(word.isalpha() for word in reasons.SHORT.values())
    assert set(reasons.SHORT) - {"no_verdict"} <= set(reasons.SENTENCES)


def test_the_browser_has_a_picture_for_each_word():
    with open(os.path.join(os.path.dirname(overmind_web.__file__), "static", "lib", "marks.js")) as file:
        pictures = file.read()
    assert [one.word for one in OF_WORK if not re.search(rf'["\s]{one.word}"?: ', pictures)] == []
