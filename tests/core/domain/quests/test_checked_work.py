"""What a check has passed is what lands: whose work is compared, and when its check runs again."""

from __future__ import annotations

from typing import Any

from overmind_core.domain.quests.checked_work import (
    MOST_CHECKS,
    checked_work,
    is_compared,
    passed_state,
    with_check_begun,
    with_check_passed,
)
from overmind_core.domain.quests.quest import (
    Attempt,
    FolderState,
    Goal,
    Quest,
    QuestPhase,
    QuestStatus,
    QueueState,
    SwarmWork,
)
from tests.kit.cases import tabled

AT = FolderState("tree 1", "commit")
LATER = FolderState("tree 2", "commit")
QUEUED = QueueState(phase=QuestPhase.CHECK, tries=(Attempt(1, 1, 1.0),))


def quest(**fields: Any) -> Quest:
    given = {"check": "make test", "goal": Goal(into="main"), "queue": QUEUED, "check_id": "c1", "checked": 1, **fields}
    return Quest("a1", "work", "true", "/", "raw", 1.0, status=QuestStatus.RUNNING, attempts=1, **given)


@tabled(
    ("fields", "compared"),
    [
        ({}, True),
        ({"goal": Goal(into="main", review="person")}, True),
        ({"goal": Goal()}, False),  # nothing of it lands
        ({"check": None}, False),
        ({"goal": None, "queue": None}, False),
        ({"queue": QueueState(elsewhere=SwarmWork())}, False),  # it is compared where it lands
    ],
)
def test_work_is_compared_that_is_to_land_from_here(fields, compared):
    assert is_compared(quest(**fields)) is compared


RUNS = [
    # files that change while each of its checks runs, how often it runs
    ([()], 1),
    ([("formatted",), ()], 2),
    ([("report.xml",), ("report.xml",)], 2),
    ([("formatted", "report.xml"), ("report.xml",)], 2),
    ([("report.xml",), ("evil",), ()], 3),
    ([("report.xml",), ("evil",), ("report.xml",)], 3),
    ([("run-1",), ("run-2",), ("run-3",)], MOST_CHECKS),
]


@tabled(("changes", "runs"), RUNS)
def test_a_check_runs_again_where_a_file_changed_that_did_not_before(changes, runs):
    one, ran = with_check_begun(quest(), AT), 0
    for changed in changes:
        ran += 1
        one = with_check_passed(one, changed, LATER)
        if one.checked == 1:
            break
        one = quest(queue=one.queue)  # it is checked again
    assert ran == runs
    assert one.checked == 1, "and then it goes on"
    work = checked_work(one)
    assert work is not None
    assert (work.state, work.command, work.checks) == (LATER, "make test", runs)
    assert passed_state(one) == LATER
    assert passed_state(quest(queue=one.queue, check="make all")) is None, "it has passed another check"
    assert work.changed == tuple(sorted({path for some in changes for path in some}))


def test_of_a_quest_that_has_not_begun_nothing_is_known():
    assert checked_work(quest(queue=QueueState())) is None
    assert checked_work(quest(queue=None)) is None
    assert passed_state(quest()) is passed_state(None) is None
