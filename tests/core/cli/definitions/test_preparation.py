"""A preparation as a person follows it: what became of it, whenever the answers come."""

from __future__ import annotations

from typing import Any, cast

import pytest

from overmind_core.cli.definitions.start import PreparationFollower
from overmind_core.errors import OvermindError

MISSION = {"id": "a1b2c3d4", "name": "y"}
FAILED = {"kind": "spawn_failed", "text": "--- could not start: Git refused: x is a symbolic link. ---"}


class Answers:
    """A daemon that gives these answers, each once."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def call(self, command, _args):
        wanted, answer = self.answers.pop(0)
        assert command == wanted
        return answer


def followed(*answers):
    follower = PreparationFollower(MISSION)
    follower.catch_up(cast("Any", Answers(*answers)))
    return follower


def log_of(*notes):
    return "logs", {"seq": 7, "missions": [{"annotations": notes}]}


def test_one_that_failed_between_two_answers_says_why():
    crashed = {"status": "crashed", "reason": "git_failed", "exit_code": None, "isolation": None}
    follower = followed(log_of(), ("info", crashed), log_of(FAILED))
    assert follower.over
    with pytest.raises(OvermindError, match="x is a symbolic link") as raised:
        follower.check()
    assert raised.value.code == "git_failed"


def test_one_that_was_ended_before_it_ran_has_no_reason():
    killed = {"status": "killed", "reason": None, "exit_code": None, "isolation": None}
    follower = followed(log_of(), ("info", killed), log_of())
    with pytest.raises(OvermindError, match="was killed before it ran"):
        follower.check()
