"""The lives of quests as the log tells them: folded to where each stands, and held against the table of the domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from overmind_core.domain.quests.life import DIRTY, TABLE, QuestState
from overmind_core.domain.quests.quest import QuestPhase, QuestStatus

_STATES = {
    QuestPhase.WORK: QuestState.WORKING,
    QuestPhase.CHECK: QuestState.CHECKING,
    QuestPhase.REVIEWING: QuestState.REVIEWING,
    QuestPhase.LANDING: QuestState.LANDING,
}


class Standing(NamedTuple):
    """Where a quest stands: what its row and its newest event both say."""

    name: str
    status: str
    phase: str | None
    attempts: int
    failure: str | None


def state_of_event(event: Mapping[str, Any]) -> QuestState:
    """Where an event says that its quest is in its life."""
    if event["status"] == QuestStatus.RUNNING:
        return _STATES[QuestPhase(event["phase"])]
    return QuestState(event["status"])


def folded(events: Iterable[Mapping[str, Any]]) -> dict[str, Standing]:
    """Where each quest stands by its events alone, by its id."""
    return {
        event["mission"]: Standing(event["name"], event["status"], event["phase"], event["attempt"], event["class"])
        for event in events
    }


def standing(row: Mapping[str, Any]) -> Standing:
    """Where a quest stands by its row."""
    return Standing(row["name"], row["status"], row["phase"], row["attempts"], row["class"])


def assert_lives_are_legal(events: Iterable[Mapping[str, Any]]) -> None:
    """Every quest went along the edges of the table, from the queue on, and each change was told once.

    What a landing waits for is told while it lands, and changes nothing.
    """
    lives: dict[str, list[QuestState]] = {}
    for event in events:
        life = lives.setdefault(event["mission"], [])
        if event.get("why") == DIRTY and state_of_event(event) is QuestState.LANDING:
            assert life[-1] is QuestState.LANDING, life
            continue
        life.append(state_of_event(event))
    for life in lives.values():
        assert life[0] is QuestState.QUEUED, life
        for before, after in pairwise(life):
            assert after in TABLE[before].values(), life
