"""What comes next for an attempt of a queued quest: a table of what its missions can be, and the laws behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.missions.mission import Definition, Mission, Status
from overmind_core.domain.quests import attempt as steps
from overmind_core.domain.quests.attempt import AttemptMissions, after, in_phase, in_review, leased, next_attempt_step
from overmind_core.domain.quests.checked_work import with_check_begun
from overmind_core.domain.quests.life import TABLE, QuestEvent, may_become, moved, state_of
from overmind_core.domain.quests.quest import (
    Attempt,
    FolderState,
    Goal,
    Quest,
    QuestPhase,
    QuestStatus,
    QueueState,
    UndoingLanding,
)
from tests.kit.cases import tabled

WORK, CHECK, REVIEWING, LANDING = QuestPhase
MISSION = Mission("aaaaaaa1", Definition("docs", "make docs", ("make", "docs"), "/"), 0.0, run=1)


def mission(status: str, code: int | None = None, **more: Any) -> Mission:
    return replace(MISSION, status=Status(status), exit_code=code, **more)


RUNS, DONE, BAD, KILLED = mission("running"), mission("stopped", 0), mission("crashed", 3), mission("killed")
STOPPING, STOPPED = mission("stopping"), mission("stopped", 143)


def quest(phase: QuestPhase = WORK, check: str | None = None, **goal: Any) -> Quest:
    """One in its first attempt, which is run 1."""
    made = Quest("aaaaaaa1", "docs", "make docs", "/", "raw", 0.0, check=check, goal=Goal(**goal))
    return replace(made, queue=QueueState(phase=phase, tries=(Attempt(1, 1, 0.0),)))


CHECKED = replace(quest(CHECK, "true"), check_id="aaaaaaa2", checked=1)
AT = FolderState("tree", "commit")
REVIEWED = quest(REVIEWING, review="claude", into="main")
REVIEWED = replace(REVIEWED, queue=replace(REVIEWED.queue or QueueState(), review_id="aaaaaaa3"))
CANCELLING = replace(quest(), cancelling=True)

STEPS = [
    pytest.param(quest(), AttemptMissions(None), steps.StartWork(), id="leased, not begun"),
    pytest.param(leased(quest(), 2, 1.0), AttemptMissions(BAD), steps.StartWork(), id="the next one, not begun"),
    pytest.param(quest(), AttemptMissions(RUNS), steps.KeepWaiting(), id="it works"),
    pytest.param(quest(), AttemptMissions(DONE), steps.Complete(), id="done"),
    pytest.param(quest(), AttemptMissions(BAD), steps.Fail(BAD, WORK), id="failed"),
    pytest.param(
        quest(check="true", outputs=("a",)),
        AttemptMissions(BAD),
        steps.Fail(BAD, WORK),
        id="what failed is not checked",
    ),
    pytest.param(quest(outputs=("a",)), AttemptMissions(DONE), steps.GatherOutputs(), id="see what it has left"),
    pytest.param(quest(check="true"), AttemptMissions(DONE), steps.StartCheck(), id="check"),
    pytest.param(quest(CHECK, "true"), AttemptMissions(DONE), steps.StartCheck(), id="its check has not begun"),
    pytest.param(
        leased(CHECKED, 2, 1.0),
        AttemptMissions(mission("stopped", 0, run=2)),
        steps.StartCheck(),
        id="check the next one",
    ),
    pytest.param(CHECKED, AttemptMissions(DONE, RUNS), steps.KeepWaiting(), id="it is being checked"),
    pytest.param(CHECKED, AttemptMissions(DONE, DONE), steps.Complete(), id="checked"),
    pytest.param(
        with_check_begun(CHECKED, AT),
        AttemptMissions(DONE, DONE),
        steps.CompareChecked(AT),
        id="see whether that was checked which is there",
    ),
    pytest.param(with_check_begun(CHECKED, AT), AttemptMissions(DONE, BAD), steps.Fail(BAD, CHECK), id="and was bad"),
    pytest.param(CHECKED, AttemptMissions(DONE, BAD), steps.Fail(BAD, CHECK), id="not done"),
    pytest.param(CHECKED, AttemptMissions(DONE), steps.Fail(None, CHECK), id="nobody knows what the check said"),
    pytest.param(quest(review="person"), AttemptMissions(DONE), steps.AskReview(), id="a person reviews"),
    pytest.param(quest(review="claude"), AttemptMissions(DONE), steps.StartReview(), id="an agent reviews"),
    pytest.param(quest(REVIEWING, review="claude"), AttemptMissions(DONE), steps.StartReview(), id="it has not begun"),
    pytest.param(REVIEWED, AttemptMissions(DONE, None, RUNS), steps.KeepWaiting(), id="an agent looks at it"),
    pytest.param(REVIEWED, AttemptMissions(DONE, None, BAD), steps.JudgeReview(), id="it has ended, somehow"),
    pytest.param(in_review(quest()), AttemptMissions(DONE), steps.KeepWaiting(), id="a person decides"),
    pytest.param(quest(into="main"), AttemptMissions(DONE), steps.Land(), id="it lands"),
    pytest.param(quest(LANDING, into="main"), AttemptMissions(DONE), steps.Land(), id="its landing goes on"),
    pytest.param(
        replace(quest(LANDING, into="main"), reason="dirty"),
        AttemptMissions(DONE),
        steps.KeepWaiting(),
        id="its target has refused it: a person decides",
    ),
    pytest.param(
        replace(quest(LANDING, into="main"), reason="dirty", cancelling=True),
        AttemptMissions(DONE),
        steps.Cancel(None, None),
        id="cancelled where its target has refused it",
    ),
    pytest.param(
        replace(CHECKED, goal=Goal(review="person", into="main")),
        AttemptMissions(DONE, DONE),
        steps.AskReview(),
        id="checked, then reviewed",
    ),
    pytest.param(
        quest(LANDING, into="main"), AttemptMissions(None), steps.Land(), id="its worktree outlives its mission"
    ),
    pytest.param(quest(), AttemptMissions(KILLED), steps.Cancel("killed", 137), id="killed"),
    pytest.param(quest(), AttemptMissions(STOPPED, stopped=True), steps.Cancel("stopped", 143), id="stopped"),
    pytest.param(
        quest(check="true"),
        AttemptMissions(DONE, stopped=True),
        steps.Cancel("stopped", None),
        id="stopped, and ended well by that",
    ),
    pytest.param(CHECKED, AttemptMissions(DONE, KILLED), steps.Cancel("killed", 137), id="its check is killed"),
    pytest.param(CANCELLING, AttemptMissions(RUNS), steps.StopWork(), id="cancel"),
    pytest.param(CANCELLING, AttemptMissions(STOPPING), steps.KeepWaiting(), id="it is being stopped"),
    pytest.param(CANCELLING, AttemptMissions(STOPPED, stopped=True), steps.Cancel(None, 143), id="cancelled"),
    pytest.param(CANCELLING, AttemptMissions(None), steps.Cancel(None, None), id="cancelled before it began"),
    pytest.param(
        replace(leased(CHECKED, 2, 1.0), cancelling=True),
        AttemptMissions(BAD, BAD),
        steps.Cancel(None, None),
        id="cancelled before the next one began",
    ),
    pytest.param(
        replace(CHECKED, cancelling=True), AttemptMissions(DONE, RUNS), steps.StopWork(), id="cancel the check"
    ),
    pytest.param(
        replace(in_review(quest()), cancelling=True),
        AttemptMissions(DONE),
        steps.Cancel(None, None),
        id="cancelled in review",
    ),
]


@pytest.mark.parametrize(("one", "missions", "expected"), STEPS)
def test_what_comes_next(one, missions, expected):
    assert next_attempt_step(one, missions) == expected


EVENTS = {
    steps.StartCheck: QuestEvent.CHECK,
    steps.StartReview: QuestEvent.REVIEW,
    steps.AskReview: QuestEvent.ASK,
    steps.Land: QuestEvent.LAND,
    steps.Complete: QuestEvent.COMPLETE,
    steps.Cancel: QuestEvent.CANCEL,
    steps.Fail: QuestEvent.FAIL,
}
MISSIONS = st.sampled_from([RUNS, DONE, BAD, KILLED, STOPPING, None])
QUESTS = st.builds(
    quest,
    st.sampled_from(QuestPhase),
    st.none() | st.just("true"),
    review=st.none() | st.sampled_from(["person", "claude"]),
    into=st.none() | st.just("main"),
    outputs=st.just(()) | st.just(("a",)),
)


@given(QUESTS, st.builds(AttemptMissions, MISSIONS, MISSIONS, MISSIONS, st.booleans()), st.booleans())
def test_each_step_leads_where_the_table_says_or_goes_on_with_its_phase(one, missions, cancelling):
    step = next_attempt_step(replace(one, cancelling=cancelling), missions)
    event = EVENTS.get(type(step))
    if event is not None and not _goes_on(one, step):
        assert event in TABLE[state_of(one)]
        assert may_become(one, moved(one, event))


def _goes_on(one: Quest, step: steps.AttemptStep) -> bool:
    """Whether it is what its phase is about: begun again after a crash."""
    phase = None if one.queue is None else one.queue.phase
    return (type(step), phase) in {
        (steps.StartCheck, CHECK),
        (steps.StartReview, REVIEWING),
        (steps.Land, LANDING),
    }


@given(QUESTS)
def test_phases_that_go_well_follow_each_other_to_the_end(one):
    """Work, check, review, landing: of these the ones that it wants, each once, in this order."""
    wanted = [
        *(["StartCheck"] if one.check else []),
        *({"person": ["AskReview"], "claude": ["StartReview"]}.get(str(one.goal.review), [])),
        *(["Land"] if one.goal.into else []),
        "Complete",
    ]
    found, phase = [], WORK
    while "Complete" not in found:
        step = after(one, phase)
        found.append(type(step).__name__)
        phase = {"StartCheck": CHECK, "AskReview": REVIEWING, "StartReview": REVIEWING}.get(found[-1], LANDING)
    assert found == wanted


@given(QUESTS, st.sampled_from(QuestPhase))
def test_a_lease_is_a_fresh_attempt_whatever_was_before(one, phase):
    queued = replace(in_phase(one, phase), status=QuestStatus.QUEUED, reason="x", exit_code=3, ended_at=2.0)
    again = leased(queued, 7, 5.0)
    assert again.queue is not None
    assert again.queue.tries[-1] == Attempt(2, 7, 5.0)
    assert (again.attempts, again.reason, again.exit_code, again.ended_at) == (2, None, None, None)
    assert state_of(again) is TABLE[state_of(queued)][QuestEvent.LEASE]
    assert next_attempt_step(again, AttemptMissions(BAD)) == steps.StartWork()


REFUSED = UndoingLanding("1", "2", 1, ("a",))


@tabled(
    ("queue", "denied", "allowed", "begins_at_target"),
    [
        (QueueState(), (), None, False),
        (QueueState(refused=REFUSED), (REFUSED,), None, True),
        (QueueState(refused=REFUSED, allowed=REFUSED), (REFUSED,), None, True),
        (QueueState(allowed=REFUSED), (), REFUSED, False),
        (QueueState(refused=REFUSED, tries=(Attempt(1, 1, 0.0), Attempt(2, 0, 0.0))), (REFUSED,), None, True),
        (QueueState(refused=REFUSED, tries=(Attempt(1, 1, 0.0), Attempt(2, 2, 0.0))), (REFUSED,), None, False),
        (
            QueueState(
                refused=REFUSED, allowed=REFUSED, denied=(REFUSED,), tries=(Attempt(1, 1, 0.0), Attempt(2, 2, 0.0))
            ),
            (REFUSED,),
            REFUSED,
            False,
        ),
    ],
)
def test_an_attempt_after_work_that_nobody_let_undo_what_has_landed_begins_at_its_target(
    queue, denied, allowed, begins_at_target
):
    """The first that runs, also where one before it could not be started; the later ones go on with its work."""
    ended = replace(
        quest(), status=QuestStatus.FAILED, queue=replace(queue, tries=queue.tries or (Attempt(1, 1, 0.0),))
    )
    assert steps.is_begun_at_target(ended) is begins_at_target
    again = leased(ended, 3, 5.0)
    assert again.queue is not None
    assert (again.queue.denied, again.queue.allowed) == (denied, allowed)
    assert steps.undoing_before(again.queue) == (REFUSED if begins_at_target else None)
    assert not steps.is_begun_at_target(again)


FOLLOWED = [
    (None, False),
    (quest(), False),
    (quest(check="true"), True),
    (quest(check="true", outputs=("a",)), True),
    (quest(review="claude"), True),
    (quest(review="person"), False),
    (quest(into="main"), False),
    (CHECKED, True),
    (REVIEWED, True),
    (in_review(quest(check="true", review="person")), False),
    (quest(LANDING, "true", into="main"), False),
    (replace(CHECKED, status=QuestStatus.QUEUED), False),
    (replace(CHECKED, status=QuestStatus.FAILED), False),
    (replace(quest(check="true"), queue=None, goal=None), True),
    (replace(quest(), queue=None, goal=None), False),
    (replace(quest(check="true"), queue=None, goal=None, status=QuestStatus.COMPLETED), False),
]


@pytest.mark.parametrize(("known", "is_followed"), FOLLOWED)
def test_services_are_used_while_a_program_works_or_will_work_in_the_folder_of_the_work(known, is_followed):
    assert steps.goes_on_in_folder(known) is is_followed
