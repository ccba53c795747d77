"""What comes next for a quest: a table of what its missions can be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from overmind_core.domain.missions.mission import Definition, Mission, Status
from overmind_core.domain.quests.quest import (
    Finish,
    KeepWaiting,
    Quest,
    QuestStatus,
    RetryWork,
    StartCheck,
    StopWork,
    next_step,
)
from tests.kit.cases import tabled

QUEST = Quest("aaaaaaa1", "docs", "make docs", "/", "raw", 0.0)
CHECKED = replace(QUEST, check="true")
ASKED = replace(CHECKED, check_id="aaaaaaa2", checked=1)
WORK = Mission("aaaaaaa1", Definition("docs", "make docs", ("make", "docs"), "/"), 0.0)
COMPLETED, FAILED, CANCELLED = QuestStatus.COMPLETED, QuestStatus.FAILED, QuestStatus.CANCELLED


def mission(status: str, code: int | None = None, reason: str | None = None, restarts: int = 0) -> Mission:
    return replace(WORK, status=Status(status), exit_code=code, reason=reason, restart_count=restarts)


RUNS, DONE, BAD, KILLED = mission("running"), mission("stopped", 0), mission("crashed", 3), mission("killed")
STOPPING, WAITS = mission("stopping"), mission("restarting", 3)
SPENT = mission("crashed", 3, "restart_budget_spent", 2)


@pytest.mark.parametrize(
    ("quest", "work", "check", "stopped", "expected"),
    [
        pytest.param(QUEST, RUNS, None, False, KeepWaiting(), id="it works"),
        pytest.param(QUEST, WAITS, None, False, KeepWaiting(), id="it is about to be tried again"),
        pytest.param(QUEST, DONE, None, False, Finish(COMPLETED, None, 0), id="done"),
        pytest.param(QUEST, BAD, None, False, Finish(FAILED, None, 3), id="failed"),
        pytest.param(QUEST, SPENT, None, False, Finish(FAILED, "retries_spent", 3), id="failed each time"),
        pytest.param(
            QUEST, mission("crashed", 124, "timeout"), None, False, Finish(FAILED, "timeout", 124), id="timeout"
        ),
        pytest.param(QUEST, mission("crashed"), None, False, Finish(FAILED, None, 1), id="no code, but failed"),
        pytest.param(QUEST, mission("crashed", 0, "failed"), None, False, Finish(FAILED, "failed", 1), id="says so"),
        pytest.param(QUEST, mission("stopped", 143), None, True, Finish(CANCELLED, "stopped", 143), id="stopped"),
        pytest.param(QUEST, DONE, None, True, Finish(CANCELLED, "stopped", None), id="stopped, and ended well by that"),
        pytest.param(QUEST, KILLED, None, False, Finish(CANCELLED, "killed", 137), id="killed"),
        pytest.param(QUEST, None, None, False, Finish(FAILED, "gone", 1), id="removed"),
        pytest.param(CHECKED, BAD, None, False, Finish(FAILED, None, 3), id="what failed is not checked"),
        pytest.param(CHECKED, DONE, None, False, StartCheck(1), id="check"),
        pytest.param(ASKED, DONE, RUNS, False, KeepWaiting(), id="it is being checked"),
        pytest.param(ASKED, DONE, DONE, False, Finish(COMPLETED, None, 0), id="checked"),
        pytest.param(ASKED, DONE, BAD, False, Finish(FAILED, "check_failed", 3), id="not done"),
        pytest.param(
            ASKED, DONE, None, False, Finish(FAILED, "check_failed", 1), id="nobody knows what the check said"
        ),
        pytest.param(ASKED, DONE, KILLED, False, Finish(CANCELLED, "killed", 137), id="the check is killed"),
        pytest.param(replace(ASKED, retries=2), DONE, BAD, False, RetryWork(1), id="not done, once more"),
        pytest.param(
            replace(ASKED, retries=2),
            mission("stopped", 0, restarts=1),
            BAD,
            False,
            StartCheck(2),
            id="the next one's check",
        ),
        pytest.param(
            replace(ASKED, retries=2, checked=2),
            mission("stopped", 0, restarts=1),
            BAD,
            False,
            RetryWork(0),
            id="last try",
        ),
        pytest.param(
            replace(ASKED, retries=2, checked=3),
            mission("stopped", 0, restarts=2),
            BAD,
            False,
            Finish(FAILED, "check_failed", 3),
            id="retries used up",
        ),
        pytest.param(replace(QUEST, cancelling=True), RUNS, None, False, StopWork(), id="cancel"),
        pytest.param(replace(QUEST, cancelling=True), STOPPING, None, False, KeepWaiting(), id="it is being stopped"),
        pytest.param(replace(ASKED, cancelling=True), DONE, RUNS, False, StopWork(), id="cancel the check"),
        pytest.param(
            replace(QUEST, cancelling=True),
            mission("stopped", 143),
            None,
            True,
            Finish(CANCELLED, None, 143),
            id="cancelled",
        ),
        pytest.param(
            replace(CHECKED, cancelling=True),
            DONE,
            None,
            False,
            Finish(CANCELLED, None, None),
            id="cancelled before its check",
        ),
    ],
)
def test_what_comes_next(quest, work, check, stopped, expected):
    assert next_step(quest, work, check, stopped=stopped) == expected


@tabled("status", list(QuestStatus))
def test_a_quest_goes_on_as_long_as_it_has_no_end(status):
    assert replace(QUEST, status=status).runs is (status is QuestStatus.RUNNING)
