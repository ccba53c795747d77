"""The life of a quest of the queue: its table, and the laws behind it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overmind_core.domain.quests.life import (
    HAVE_SLOT,
    OWN,
    TABLE,
    IllegalQuestEvent,
    QuestEvent,
    QuestState,
    may_become,
    moved,
    state_of,
)
from overmind_core.domain.quests.quest import HAS_ENDED, Goal, Quest, QuestPhase, QuestStatus, QueueState
from tests.kit.cases import tabled

QUEST = Quest("aaaaaaa1", "docs", "make docs", "/", "raw", 0.0, goal=Goal(), queue=QueueState())
STATES = {
    QuestState.QUEUED: replace(QUEST, status=QuestStatus.QUEUED),
    QuestState.WORKING: QUEST,
    QuestState.CHECKING: replace(QUEST, queue=QueueState(phase=QuestPhase.CHECK)),
    QuestState.REVIEWING: replace(QUEST, queue=QueueState(phase=QuestPhase.REVIEWING)),
    QuestState.LANDING: replace(QUEST, queue=QueueState(phase=QuestPhase.LANDING)),
    QuestState.REVIEW: replace(QUEST, status=QuestStatus.REVIEW, queue=QueueState(phase=QuestPhase.REVIEWING)),
    QuestState.COMPLETED: replace(QUEST, status=QuestStatus.COMPLETED),
    QuestState.FAILED: replace(QUEST, status=QuestStatus.FAILED),
    QuestState.CANCELLED: replace(QUEST, status=QuestStatus.CANCELLED),
}
LEGAL = [(state, event) for state in QuestState for event in TABLE[state]]
ILLEGAL = [(state, event) for state in QuestState for event in QuestEvent if event not in TABLE[state]]


@tabled(("state", "quest"), STATES.items())
def test_a_state_is_a_status_and_the_phase_of_one_that_runs(state, quest):
    assert state_of(quest) is state


def test_one_that_began_at_once_works():
    assert state_of(replace(QUEST, goal=None, queue=None)) is QuestState.WORKING


@tabled(("state", "event"), LEGAL)
def test_an_event_of_the_table_leads_to_its_state(state, event):
    after = moved(STATES[state], event)
    assert state_of(after) is TABLE[state][event]
    assert may_become(STATES[state], after)
    assert after.is_over is (after.status in HAS_ENDED)


@tabled(("state", "event"), ILLEGAL)
def test_every_pair_not_in_the_table_is_refused(state, event):
    with pytest.raises(IllegalQuestEvent, match=f"{event} in {state}"):
        moved(STATES[state], event)


@tabled("state", QuestState)
def test_a_quest_becomes_only_what_the_table_says(state):
    reached = {other for other in QuestState if may_become(STATES[state], STATES[other])}
    assert reached == {state, *TABLE[state].values()}


def test_an_attempt_never_goes_back_to_an_earlier_phase():
    order = [QuestState.WORKING, QuestState.CHECKING, QuestState.REVIEWING, QuestState.REVIEW, QuestState.LANDING]
    for number, state in enumerate(order):
        assert not set(order[: number + 1]) & set(TABLE[state].values())


def test_what_has_completed_is_final_and_all_else_can_still_complete():
    for state in QuestState:
        reached = {state}
        while len(reached) < len(further := reached | {one for at in reached for one in TABLE[at].values()}):
            reached = further
        assert (QuestState.COMPLETED in reached) is True
        assert (len(reached) == 1) is (state is QuestState.COMPLETED)


def test_a_landing_has_no_slot_and_what_is_in_review_keeps_its_paths():
    assert set(QuestState) - HAVE_SLOT == {
        *(QuestState.QUEUED, QuestState.LANDING, QuestState.REVIEW),
        *(QuestState.COMPLETED, QuestState.FAILED, QuestState.CANCELLED),
    }
    assert {QuestState.LANDING, QuestState.REVIEW} == OWN - HAVE_SLOT
