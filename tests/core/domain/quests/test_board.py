"""In which column of the board a quest stands."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.admission import Wait, WaitCode
from overmind_core.domain.quests.board import COLUMNS, Column, column_of
from overmind_core.domain.quests.quest import Goal, Quest, QuestPhase, QuestStatus, QueueState
from tests.kit.cases import tabled

QUEST = Quest("aaaaaaa1", "docs", "make docs", "/", "raw", 0.0, goal=Goal(), queue=QueueState())
PLACES = [
    ("completed", None, False, "done"),
    ("cancelled", None, False, "done"),
    ("completed", None, True, "done"),
    ("review", None, False, "review"),
    ("running", None, True, "review"),
    ("running", None, False, "running"),
    ("failed", None, False, "done"),
    ("failed", None, True, "blocked"),
    ("queued", WaitCode.BLOCKED, False, "blocked"),
    ("queued", WaitCode.HELD, False, "blocked"),
    ("queued", WaitCode.HELD, True, "blocked"),
    ("queued", WaitCode.NEEDS, False, "queued"),
    ("queued", WaitCode.UNTIL, False, "queued"),
    ("queued", WaitCode.BUDGET, False, "queued"),
    ("queued", WaitCode.OWNS, False, "queued"),
    ("queued", WaitCode.SLOTS, False, "queued"),
    ("queued", None, False, "queued"),
]


@tabled(("status", "code", "asked", "column"), PLACES)
def test_the_first_column_that_fits(status, code, asked, column):
    quest = replace(QUEST, status=QuestStatus(status))
    assert column_of(quest, code, asked=asked) == column


@pytest.mark.parametrize("status", QuestStatus)
def test_what_waits_at_a_gate_is_in_review_whatever_has_become_of_the_quest(status):
    quest = replace(QUEST, status=status)
    assert column_of(quest, WaitCode.HELD, asked=True, at_gate=True) is Column.REVIEW


def test_the_columns_from_left_to_right():
    assert [column.value for column in COLUMNS] == ["queued", "running", "blocked", "review", "done"]


CARDS = st.lists(
    st.tuples(
        st.builds(
            replace,
            st.just(QUEST),
            status=st.sampled_from(QuestStatus),
            queue=st.builds(QueueState, phase=st.sampled_from(QuestPhase)) | st.none(),
        ),
        st.none() | st.builds(Wait, st.sampled_from(WaitCode), st.text()),
        st.booleans(),
    ),
    max_size=30,
)


@given(CARDS)
def test_each_quest_is_in_exactly_one_column(cards):
    """Acceptance 50, its first half."""
    columns: dict[Column, list[int]] = {column: [] for column in COLUMNS}
    for number, (quest, wait, asked) in enumerate(cards):
        columns[column_of(quest, wait, asked=asked)].append(number)
    assert sorted(number for column in columns.values() for number in column) == list(range(len(cards)))
    assert all(cards[number][0].is_over for number in columns[Column.DONE])
    assert all(cards[number][0].status is QuestStatus.RUNNING for number in columns[Column.RUNNING])
    assert all(cards[number][0].status is QuestStatus.QUEUED for number in columns[Column.QUEUED])
