"""What follows when a person lands the work of a quest by hand: for it, and for those that need it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from overmind_core.domain.missions.mission import Cause, Definition, Mission, Status
from overmind_core.domain.quests.attempt import can_retry
from overmind_core.domain.quests.classes import TABLE as CLASSES
from overmind_core.domain.quests.classes import Consequence
from overmind_core.domain.quests.hand_landing import (
    AfterHandLanding,
    after_hand_landing,
    is_unreviewed,
    why_unreviewed,
)
from overmind_core.domain.quests.life import (
    TABLE,
    QuestState,
    achievement,
    done_at,
    is_done,
    landed_by_hand,
    state_of,
)
from overmind_core.domain.quests.needs import Needs, SetFree, are_met, met_at, set_free
from overmind_core.domain.quests.quest import (
    HAS_ENDED,
    Attempt,
    FolderState,
    Goal,
    LandedWork,
    Quest,
    QuestPhase,
    QuestStatus,
    QueueState,
)
from overmind_core.domain.quests.shared_folder import with_shown
from overmind_core.domain.quests.standing import standing_of
from overmind_core.domain.quests.why import why_lines, why_of
from tests.kit.cases import tabled

NOW = 1000.0
PHASES = {
    QuestState.WORKING: QuestPhase.WORK,
    QuestState.CHECKING: QuestPhase.CHECK,
    QuestState.REVIEWING: QuestPhase.REVIEWING,
    QuestState.LANDING: QuestPhase.LANDING,
}
NOTHING, NOTE, SETTLE, ACCEPT, LAND_AGAIN, COMPLETE = AfterHandLanding
ENDS = {AfterHandLanding.ACCEPT: QuestState.LANDING, AfterHandLanding.COMPLETE: QuestState.COMPLETED}


def quest(state, *, into="main", reason=None, tries=1, name="base", needs=(), landed=None, cancelling=False, **queue):
    """A quest of the queue in a state."""
    status = QuestStatus.RUNNING if state in PHASES else QuestStatus(state.value)
    return Quest(
        name, name, "make", "/", "raw", 1.0, status=status, reason=reason, cancelling=cancelling,
        ended_at=900.0 if status in HAS_ENDED else None,
        goal=Goal(into=into, needs=tuple(needs)),
        queue=QueueState(
            phase=PHASES.get(state, QuestPhase.WORK), landed=landed,
            tries=tuple(
                Attempt(number + 1, number + 1, 1.0, failure=reason, command="make" if reason == "exit" else None)
                for number in range(tries)
            ),
            **queue,
        ),
    )  # fmt: skip


def by_hand(branch="main", at=950.0):
    return LandedWork(branch, "0" * 40, "1" * 40, by_hand_at=at)


RULE = [
    # where the quest stands, what follows where it was to land, what follows on another branch
    (quest(QuestState.FAILED, reason="exit"), SETTLE, SETTLE),
    (quest(QuestState.CANCELLED), SETTLE, SETTLE),
    (quest(QuestState.COMPLETED), NOTHING, NOTHING),
    (quest(QuestState.REVIEW), ACCEPT, NOTHING),
    (quest(QuestState.REVIEW, cancelling=True), NOTHING, NOTHING),
    (quest(QuestState.LANDING, reason="git_failed"), LAND_AGAIN, NOTHING),
    (quest(QuestState.LANDING, reason="dirty"), LAND_AGAIN, NOTHING),
    (quest(QuestState.LANDING), NOTE, NOTHING),
    (quest(QuestState.WORKING), NOTE, NOTHING),
    (quest(QuestState.CHECKING), NOTE, NOTHING),
    (quest(QuestState.REVIEWING), NOTE, NOTHING),
    (quest(QuestState.QUEUED, tries=0), NOTE, NOTHING),
    (quest(QuestState.QUEUED, failure="exit", spent=1), COMPLETE, NOTHING),
    (quest(QuestState.QUEUED, failure="api_error 529", spent=1), COMPLETE, NOTHING),
    (quest(QuestState.QUEUED, failure="conflicts", spent=1), COMPLETE, NOTHING),
    (quest(QuestState.QUEUED, failure="blocked", free=1, waits_for=5), COMPLETE, NOTHING),
    (quest(QuestState.QUEUED, failure="limited", free=1), NOTE, NOTHING),
    (quest(QuestState.QUEUED, failure="keeper_lost", free=1), NOTE, NOTHING),
]


@tabled(("before", "there", "elsewhere"), RULE)
def test_what_follows_depends_on_whether_it_goes_on_by_itself(before, there, elsewhere):
    assert after_hand_landing(before, "main") is there
    assert after_hand_landing(before, "topic") is elsewhere
    anywhere = replace(before, goal=Goal())
    assert after_hand_landing(anywhere, "topic") is there, "one without a target has none that is wrong"


def test_one_that_began_at_once_has_no_queue_that_asks():
    assert after_hand_landing(replace(quest(QuestState.FAILED), goal=None, queue=None), "main") is NOTHING


@pytest.mark.parametrize(("state", "failure", "reason"), product(QuestState, [None, *CLASSES], [None, "dirty"]))
def test_what_follows_is_an_edge_of_the_table_and_only_work_that_was_interrupted_goes_on(state, failure, reason):
    before = quest(state, failure=failure, reason=reason)
    then = after_hand_landing(before, "main")
    if then in ENDS:
        assert ENDS[then] in TABLE[state].values()
    if then is LAND_AGAIN:
        assert state is QuestState.LANDING
    if state is QuestState.QUEUED and failure is not None:
        counts = failure == "blocked" or CLASSES[failure] is Consequence.COUNTS
        assert then is (COMPLETE if counts else NOTE)


LANDED = [
    # the quest, whether those that need it may go on, what is said of it
    (quest(QuestState.FAILED, reason="exit", landed=by_hand()), True, "landed by hand on main"),
    (quest(QuestState.CANCELLED, landed=by_hand()), True, "landed by hand on main"),
    (quest(QuestState.FAILED, reason="exit", landed=by_hand("topic")), False, "landed by hand on topic"),
    (quest(QuestState.FAILED, reason="exit", into=None, landed=by_hand("topic")), True, "landed by hand on topic"),
    (quest(QuestState.FAILED, reason="exit", landed=LandedWork("main", "0", "1")), True, "landed by hand on main"),
    (quest(QuestState.COMPLETED, landed=by_hand()), True, "landed by hand on main"),
    (quest(QuestState.COMPLETED, landed=LandedWork("main", "0", "1")), True, "landed on main"),
    (quest(QuestState.COMPLETED), True, "nothing to land"),
    (quest(QuestState.FAILED, reason="exit"), False, ""),
    (quest(QuestState.CANCELLED), False, ""),
    (quest(QuestState.QUEUED, failure="exit"), False, ""),
    (quest(QuestState.WORKING), False, ""),
]  # fmt: skip


@tabled(("base", "done", "said"), LANDED)
def test_those_that_need_it_go_on_where_its_work_is_on_its_branch(base, done, said):
    assert is_done(base) is done
    assert achievement(base) == said
    assert (landed_by_hand(base) is not None) == ("by hand" in said)
    found = {"base": base, "next": quest(QuestState.QUEUED, name="next", tries=0, needs=("base",))}
    waiting = found["next"]
    assert are_met(waiting, found.get) is done
    needs = Needs(found.get, NOW)
    assert (needs.wait(waiting) is None) is done
    assert (needs.code(waiting) is None) is done
    assert (set_free(base, [waiting], found.get).starts == ()) is done
    if done:
        assert met_at(waiting, found.get) == done_at(base)


def test_its_needs_let_it_go_when_a_person_landed_the_last_one():
    base = quest(QuestState.FAILED, reason="exit", landed=by_hand())
    waiting = quest(QuestState.QUEUED, name="next", tries=0, needs=("base",))
    assert met_at(waiting, {"base": base}.get) == 950.0


def test_work_that_a_person_has_landed_elsewhere_is_named_where_it_is_missed():
    base = quest(QuestState.FAILED, reason="exit", landed=by_hand("topic"))
    wait = Needs({"base": base}.get, NOW).wait(quest(QuestState.QUEUED, name="next", tries=0, needs=("base",)))
    assert wait is not None
    assert wait.text == "needs base (failed: its command failed; landed by hand on topic)"


@tabled(
    ("state", "line"),
    [
        (QuestState.FAILED, "base has failed: its command failed: make; its work was landed by hand on main"),
        (QuestState.CANCELLED, "base was cancelled: its work was landed by hand on main"),
        (QuestState.COMPLETED, "base has completed: landed by hand on main"),
    ],
)
def test_why_says_that_it_was_landed_by_hand(state, line):
    base = quest(state, reason="exit" if state is QuestState.FAILED else None, landed=by_hand())
    free = SetFree((), ())
    assert why_lines(why_of(base, None, None, free))[0] == line
    lines = why_lines(why_of(quest(QuestState.WORKING), None, None, free, needs_by_hand=["base", "other"]))
    assert lines[1] == "  needs: base, other, landed by hand"


@tabled(
    ("state", "expected"),
    [
        (QuestState.FAILED, ("failed", "failed", "failed, landed by hand on main", None, None)),
        (QuestState.CANCELLED, ("cancelled", "stopped", "cancelled, landed by hand on main", None, None)),
        (QuestState.COMPLETED, ("completed", "succeeded", "landed by hand on main", None, None)),
    ],
)
def test_its_mission_says_so_too(state, expected):
    base = quest(state, reason="exit" if state is QuestState.FAILED else None, landed=by_hand())
    definition = Definition("base", "make", ("make",), "/", columns=80, rows=24)
    status, by = (Status.CRASHED, None) if state is not QuestState.CANCELLED else (Status.STOPPED, Cause.STOP)
    ended = Mission("base", definition, 1.0, status, exit_code=3, ended_by=by, run_started_at=2.0)
    assert standing_of(base, ended) == expected


@pytest.mark.parametrize(("landed", "may"), [(None, True), (by_hand("dev"), True), (by_hand(), False)])
def test_one_whose_work_has_landed_where_it_was_to_has_no_other_round(landed, may):
    assert can_retry(quest(QuestState.FAILED, reason="exit", landed=landed), has_mission=True) is may


def test_a_retry_takes_it_back():
    again = replace(quest(QuestState.FAILED, landed=by_hand()), status=QuestStatus.QUEUED)
    assert state_of(again) is QuestState.QUEUED
    assert not is_done(again)


def shown(one):
    """A quest whose newest attempt a reviewer was shown."""
    tried = replace(one, queue=replace(one.queue, tries=one.queue.tries or (Attempt(1, 1, 1.0),)))
    return with_shown(tried, FolderState("tree", "commit"))


def ended_at(phase, **how):
    """A quest with a reviewer that has failed in a phase of its newest attempt."""
    one = quest(QuestState.FAILED, reason="exit", **how)
    return replace(one, goal=replace(one.goal, review="person"), queue=replace(one.queue, phase=phase))


@pytest.mark.parametrize("state", [state for state in QuestState if state is not QuestState.FAILED])
def test_work_is_unreviewed_until_its_landing_begins(state):
    asked = quest(state)
    assert not is_unreviewed(asked)
    asked = replace(asked, goal=replace(asked.goal, review="person"))
    assert is_unreviewed(asked) is (state is not QuestState.COMPLETED), "it was shown to nobody"
    assert is_unreviewed(shown(asked)) is (state not in {QuestState.LANDING, QuestState.COMPLETED})


@pytest.mark.parametrize("phase", QuestPhase)
def test_work_that_failed_behind_its_review_was_reviewed(phase):
    assert is_unreviewed(ended_at(phase)), "its review was wanted afterwards"
    assert is_unreviewed(shown(ended_at(phase))) is (phase is not QuestPhase.LANDING)


def test_what_is_missing_is_named():
    denied, never = "The review of base was denied", "base is to be reviewed before it lands, and was not"
    assert why_unreviewed(ended_at(QuestPhase.WORK, failure="review_denied", tries=0)) == denied
    tries = (Attempt(1, 1, 1.0, failure="review_denied"), Attempt(2, 2, 3.0))
    for count, said in ((1, denied), (2, never)):
        one = quest(QuestState.CANCELLED, failure="review_denied")
        one = replace(one, goal=replace(one.goal, review="person"), queue=replace(one.queue, tries=tries[:count]))
        assert why_unreviewed(one) == said, "its review was open when it was cancelled, or it was denied last"
    assert why_unreviewed(ended_at(QuestPhase.WORK)) == never
    assert why_unreviewed(ended_at(QuestPhase.LANDING)) == "Nobody can tell whether base was reviewed as it is now"
    assert why_unreviewed(quest(QuestState.REVIEW)) == "base waits for your review"
    assert why_unreviewed(shown(ended_at(QuestPhase.LANDING))) == "base has changed since its review"
