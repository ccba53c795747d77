"""How an agent of a plan ended, in the word that its mission has too, and how long it held up others."""

from __future__ import annotations

import itertools

import pytest

from overmind_core.domain.missions.outcome import LOST, ON_PURPOSE, Outcome
from overmind_core.domain.missions.reasons import OUT_OF_TIME
from overmind_core.domain.missions.status_marks import mark_of
from overmind_core.domain.plans.progress import (
    ORDER,
    AgentProgress,
    AgentStage,
    EndReason,
    outcome_of,
    word_of,
)
from overmind_core.domain.text.graph import held_others
from overmind_core.view.plans import WORDS
from tests.kit.cases import tabled

EVERY = [
    AgentProgress(stage, stopped=stopped, reason=reason)
    for stage, stopped, reason in itertools.product(
        AgentStage, (None, *EndReason), (None, "exit", *OUT_OF_TIME, *LOST, *ON_PURPOSE)
    )
]


@tabled(
    ("node", "outcome"),
    [
        (AgentProgress(AgentStage.SUCCEEDED), Outcome.SUCCEEDED),
        (AgentProgress(AgentStage.SUCCEEDED, stopped=EndReason.DONE, exit_code=143), Outcome.STOPPED),
        (AgentProgress(AgentStage.SUCCEEDED, stopped=EndReason.DONE, exit_code=0), Outcome.STOPPED),
        (AgentProgress(AgentStage.FAILED, exit_code=1), Outcome.FAILED),
        (AgentProgress(AgentStage.FAILED, reason="timeout"), Outcome.TIMED_OUT),
        (AgentProgress(AgentStage.FAILED, reason="killed"), Outcome.KILLED),
        (AgentProgress(AgentStage.FAILED, reason="stopped", exit_code=143), Outcome.STOPPED),
        (AgentProgress(AgentStage.FAILED, reason="keeper_lost"), Outcome.LOST),
        (AgentProgress(AgentStage.STOPPING, stopped=EndReason.DONE), None),
        (AgentProgress(AgentStage.CANCELLED, stopped=EndReason.CANCEL), Outcome.STOPPED),
        (AgentProgress(AgentStage.SKIPPED), None),
    ],
)
def test_an_agent_has_the_outcome_of_its_mission(node, outcome):
    assert outcome_of(node) == outcome


def test_every_agent_has_one_word_that_is_counted_and_has_a_mark():
    words = {word_of(node) for node in EVERY}
    assert words == set(ORDER) == set(WORDS)
    assert [len(ORDER), len(WORDS)] == [len(words)] * 2
    assert {mark_of(word_of(node), outcome=outcome_of(node)).word for node in EVERY if outcome_of(node)} <= words


@pytest.mark.parametrize(
    ("stays", "ready", "held"),
    [(False, None, 30.0), (False, False, 30.0), (True, None, 0.0), (True, True, 0.0), (True, False, 30.0)],
)
def test_what_stays_holds_others_up_until_it_is_ready(stays, ready, held):
    assert held_others(30.0, stays=stays, ready=ready) == held
    assert held_others(None, stays=stays, ready=ready) == 0.0
