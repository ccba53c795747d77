"""The commands that a refused merge names: they keep what was asked for."""

from __future__ import annotations

import shlex

import pytest

from overmind_core.domain.quests.quest import Goal, Quest, QuestPhase, QuestStatus, QueueState
from overmind_core.errors import OvermindError
from overmind_core.landing.refused_merge import RefusedWork, explained, merge_command, unreviewed, unreviewed_text
from overmind_core.landing.requests import Merge

SHOWN = QueueState(phase=QuestPhase.LANDING)
COMMANDS = [
    # what was asked for, what is to be added, the command
    ({}, (), "overmind merge red"),
    ({"into": "my topic"}, (), "overmind merge red --into 'my topic'"),
    (
        {"squash": True, "message": "My message\n\nmore"}, ("--verify", "true"),
        "overmind merge red --squash -m 'My message\n\nmore' --verify true",
    ),
    ({"rebase": True, "unreviewed": True}, ("--unreviewed",), "overmind merge red --rebase --unreviewed"),
    ({"verify": "make test", "verify_timeout": "5m"}, ("--unreviewed",),
     "overmind merge red --verify 'make test' --verify-timeout 5m --unreviewed"),
    ({"verify": "make test", "verify_timeout": 90}, ("--verify", "true"),
     "overmind merge red --verify-timeout 90 --verify true"),
    ({"with_marks": True}, ("--undo-landed",), "overmind merge red --with-marks --undo-landed"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "also", "command"), COMMANDS, ids=[one[2] for one in COMMANDS])
def test_a_command_has_what_was_asked_for_and_what_is_added(asked, also, command):
    assert merge_command("red", Merge("1", **asked), *also) == command
    assert shlex.split(command)[:3] == ["overmind", "merge", "red"]


LEFT = "red left the marks of a conflict in a. Resolve and commit them, or merge them as they are:"
REFUSALS = [
    # the error, what was asked for, the end of what is said
    (OvermindError("verify_failed", "It failed"), {"squash": True, "message": "mine"},
     "It failed. Merge it all the same with: overmind merge red --squash -m mine --verify true"),
    (OvermindError("conflict_left", "", files=["a"]), {"rebase": True},
     f"{LEFT} overmind merge red --rebase --with-marks"),
    (OvermindError("undoes_landed", "a would lose 1 line."), {"into": "topic"},
     "a would lose 1 line. Merge it all the same with: overmind merge red --into topic --undo-landed"),
    (OvermindError("verify_failed", "It failed"), {"verify": "make"}, "It failed"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "asked", "said"), REFUSALS)
def test_a_refusal_names_the_command_with_what_was_asked_for(error, asked, said):
    work = RefusedWork("red", "red", None, None, may_retry=False)
    assert explained(error, work, Merge("1", **asked), is_person=True).message == said


@pytest.mark.parametrize("code", ["undoes_landed", "verify_failed"])
def test_nothing_inside_a_mission_is_told_how_to_pass_by_a_check(code):
    error = OvermindError(code, "It failed")
    assert explained(error, RefusedWork("red", "red", None, None, may_retry=True), Merge("1"), is_person=False) is error


def test_changed_work_of_a_quest_that_has_landed_is_refused_with_what_shows_it_and_what_lands_it():
    goal = Goal(into="main", review="person")
    landed = Quest("1", "red", "true", "/", "raw", 0.0, status=QuestStatus.COMPLETED, goal=goal, queue=SHOWN)
    error = unreviewed(landed, "red", Merge("1"), None, why=unreviewed_text(landed, "red", "1"), may_retry=False)
    assert error.message == (
        "red has changed since its review: nothing was changed. See what has not landed with: overmind changes red, "
        "or, once all of it is committed, merge it all the same with: overmind merge red --unreviewed"
    )
