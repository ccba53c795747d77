"""What the store says against what the keeper says, as a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overmind_core.domain.missions.mission import LIVE, Cause, Definition, Ending, Mission, Status
from overmind_core.missions.reconcile import Action, compare, unknown_runs
from tests.kit.cases import tabled

RUN = "a1b2c3d4.2"
ALIVE = {"run": RUN, "pid": 7, "out": 10, "err": 0, "exit": None}
ENDED = {**ALIVE, "exit": {"code": 3, "end": 1.0, "left": True}}
JOURNAL = {"run": RUN, "code": 3, "end": 1.0, "out": 12, "err": 4}


def mission(status=Status.RUNNING, *, run=2):
    ending = Ending(Cause.STOP, 0.0) if status is Status.STOPPING else None
    return Mission("a1b2c3d4", Definition("m", "true", ("true",), "/"), 0.0, status, run=run, ending=ending)


HAS_RUN = sorted(LIVE - {Status.RESTARTING})
TABLE = [
    # status, what the keeper holds, what the journal has, same keeper, what to do
    *((status, ALIVE, None, same, Action.ADOPT) for status in HAS_RUN for same in (True, False)),
    *((status, ENDED, None, same, Action.ENDED) for status in HAS_RUN for same in (True, False)),
    *((status, ENDED, JOURNAL, False, Action.ENDED) for status in HAS_RUN),
    *((status, None, JOURNAL, same, Action.ENDED) for status in HAS_RUN for same in (True, False)),
    *((status, None, None, False, Action.LOST) for status in HAS_RUN),
    (Status.STARTING, None, None, True, Action.SPAWN),
    (Status.PREPARING, None, None, True, Action.SPAWN),
    (Status.RUNNING, None, None, True, Action.LOST),
    (Status.PAUSED, None, None, True, Action.LOST),
    (Status.STOPPING, None, None, True, Action.LOST),
    *((Status.RESTARTING, row, None, same, Action.NOTHING) for row in (None, ENDED) for same in (True, False)),
]


@tabled(("status", "row", "journal", "same", "action"), TABLE)
def test_one_mission(status, row, journal, same, action):
    one = mission(status)
    held = {} if row is None else {RUN: row}
    exits = {} if journal is None else {RUN: journal}
    verdicts = compare([one], held, exits, same_keeper=same)
    assert [(verdict.mission, verdict.action) for verdict in verdicts] == [(one, action)]


def test_a_run_that_no_keeper_was_asked_for_is_started_by_any():
    asked, unasked = mission(Status.STARTING), replace(mission(Status.STARTING), id="b1b2c3d4")
    verdicts = compare([asked, unasked], {}, {}, same_keeper=False, unasked={unasked.run_id})
    assert [verdict.action for verdict in verdicts] == [Action.LOST, Action.SPAWN]


SET_UPS = [
    # pid that was heard of, same keeper, whether a keeper was asked, what to do with a set-up that nobody holds
    (None, True, True, Action.SPAWN),
    (None, False, False, Action.SPAWN),
    (None, False, True, Action.LOST),
    (7, True, True, Action.LOST),
    (7, False, False, Action.LOST),
]


@pytest.mark.parametrize(("pid", "same", "asked", "action"), SET_UPS)
def test_a_set_up_that_ran_is_never_begun_again_behind_the_back_of_its_preparation(pid, same, asked, action):
    one = replace(mission(Status.PREPARING), setup=True, pid=pid)
    verdicts = compare([one], {}, {}, same_keeper=same, unasked=() if asked else {one.run_id})
    assert [verdict.action for verdict in verdicts] == [action]


@pytest.mark.parametrize(("same", "action"), [(True, Action.SPAWN), (False, Action.LOST)])
def test_what_was_prepared_is_not_started_without_the_services_that_were_lost_with_their_keeper(same, action):
    one = mission(Status.STARTING)
    one = replace(one, definition=replace(one.definition, isolated=True))
    verdicts = compare([one], {}, {}, same_keeper=same, unasked={one.run_id})
    assert [verdict.action for verdict in verdicts] == [action]


def test_what_the_keeper_says_goes_before_its_journal():
    (verdict,) = compare([mission()], {RUN: ALIVE}, {RUN: JOURNAL}, same_keeper=False)
    assert verdict.action is Action.ADOPT


def test_an_exit_from_the_journal_has_its_code_and_extent_and_leaves_nobody():
    (verdict,) = compare([mission()], {}, {RUN: JOURNAL}, same_keeper=False)
    assert (verdict.row["exit"]["code"], verdict.row["exit"]["left"]) == (3, False)
    assert (verdict.row["out"], verdict.row["err"]) == (12, 4)


def test_an_exit_of_an_earlier_run_says_nothing_of_this_one():
    (verdict,) = compare([mission(run=3)], {RUN: ENDED}, {RUN: JOURNAL}, same_keeper=False)
    assert verdict.action is Action.LOST


def test_each_live_mission_has_one_verdict():
    assert compare([], {RUN: ALIVE}, {}, same_keeper=True) == []
    assert len(compare([mission(), mission(Status.RESTARTING)], {}, {}, same_keeper=True)) == 2


@pytest.mark.parametrize(
    ("missions", "unknown"),
    [({}, [RUN]), ({"a1b2c3d4": mission()}, []), ({"a1b2c3d4": mission(run=3)}, [RUN])],
)
def test_runs_that_are_on_no_books(missions, unknown):
    assert unknown_runs({RUN: ALIVE}, missions) == unknown
