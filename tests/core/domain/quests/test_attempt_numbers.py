"""The number of an attempt, in every face: it never goes back, and what does not count is said beside it."""

from __future__ import annotations

from typing import Any

import pytest

from overmind_core.domain.missions.reasons import attempt_of_row, tries_text
from overmind_core.domain.quests.attempt import is_overdue, tries_of
from overmind_core.domain.quests.classes import MOST_REDONE
from overmind_core.domain.quests.quest import Attempt, Goal, Quest, QuestPhase, QuestStatus, QueueState
from overmind_core.domain.quests.why import attempt_text
from overmind_core.domain.replacing import replace
from overmind_core.quests.answers import end
from tests.kit.cases import tabled

IN_GIT = Goal(into="main")


def quest(status: str, *failures: str | None, spent: int, **more: Any) -> Quest:
    """A quest with one retry whose attempts failed so; None: the newest, which has not."""
    tries = tuple(Attempt(number, 1, 0.0, None if one is None else 1.0, one) for number, one in enumerate(failures, 1))
    newest = next((one for one in reversed(failures) if one), None)
    queue = QueueState(spent=spent, failure=newest, tries=tries, **more)
    made = Quest("a", "a", "true", "/", "raw", 0.0, status=QuestStatus(status), retries=1)
    return replace(made, goal=IN_GIT, queue=queue, attempts=len(tries))


def row(one: Quest) -> dict[str, Any]:
    """The fields of its row that tell of attempts."""
    assert one.queue is not None
    return {**end(one), "tries": tries_of(one), "retries": one.retries, "round": one.queue.round}


CONFLICT = [
    (quest("running", None, spent=0), "1/2", "attempt 1 of 2"),
    (quest("running", "conflicts", None, spent=1), "2/3", "attempt 2 of 3, of which 1 does not count"),
    (quest("running", "conflicts", "conflict_left", None, spent=0, free=0, redone=1), "3/4",
     "attempt 3 of 4, of which 2 do not count"),
    (quest("running", "conflicts", "conflict_left", "exit", None, spent=1, redone=1), "4/4",
     "attempt 4 of 4, of which 2 do not count"),
]  # fmt: skip
OTHERS = [
    (
        replace(quest("running", "conflicts", None, spent=1, phase=QuestPhase.LANDING), reason="undoes_landed"),
        "2/2",
        "attempt 2 of 2",
    ),
    (
        quest("running", "conflicts", "conflicts", None, spent=1, free=1),
        "3/3",
        "attempt 3 of 3, of which 1 does not count",
    ),
    (quest("running", "conflicts", None, spent=1, redone=MOST_REDONE), "2/2", "attempt 2 of 2"),
    (replace(quest("running", "conflicts", None, spent=1), provider="claude"), "2/2", "attempt 2 of 2"),
    (quest("running", "exit", None, spent=1), "2/2", "attempt 2 of 2"),
    (quest("running", "limited", None, spent=0), "2/3", "attempt 2 of 3, of which 1 does not count"),
    (quest("running", "exit", "exit", None, spent=0, round=2), "3/4", "attempt 3 of 4 in round 2"),
]


@tabled(("one", "tries", "words"), [*CONFLICT, *OTHERS])
def test_a_quest_that_runs_says_the_number_of_its_attempt_alike_everywhere(one, tries, words):
    assert (tries_text(row(one)), attempt_of_row(row(one)), attempt_text(one)) == (tries, words, words)


def test_neither_the_number_nor_how_many_there_may_be_goes_back_while_a_command_meets_conflicts():
    said = [[int(part) for part in tries_text(row(one)).split("/")] for one, _, _ in CONFLICT]
    assert said == sorted(said)
    assert all(number < most for number, most in said[:-1]), "an attempt is called the last one, and another follows"


@tabled(
    ("status", "due", "overdue"),
    [("queued", 10.0, True), ("running", 10.0, True), ("review", 10.0, True), ("queued", 20.0, False),
     ("queued", None, False), ("completed", 10.0, False), ("failed", 10.0, False), ("cancelled", 10.0, False)],
)  # fmt: skip
def test_a_quest_is_overdue_once_its_deadline_has_passed_and_it_has_not_ended(status, due, overdue):
    assert is_overdue(replace(quest(status, spent=0), goal=Goal(deadline_at=due)), 15.0) is overdue


ENDED = [
    (quest("completed", "conflicts", None, spent=1), "2/2"),
    (quest("completed", "conflicts", "conflict_left", None, spent=0, redone=1), "3/4"),
    (quest("failed", "conflicts", "exit", spent=2), "2/2"),
    (quest("cancelled", spent=0), "0/2"),
    (quest("queued", spent=0), "0/2"),
]


@pytest.mark.parametrize(("one", "tries"), ENDED)
def test_what_has_ended_or_not_begun_says_how_many_attempts_it_has_had(one, tries):
    assert tries_text(row(one)) == tries
