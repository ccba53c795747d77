"""The hook that agents' programs call: it hands on one event, and is never in the way."""

from __future__ import annotations

import json
import subprocess

import pytest

from overmind_core.system.paths import Home
from tests.core.cli.test_hook import EVENT, PROOF
from tests.kit.fake_daemon import FakeDaemon, Json
from tests.kit.overmind import PROGRAM, REPOSITORY

QUESTION = {"hook_event_name": "PermissionRequest", "tool_name": "Bash"}
DECISION = {"hookSpecificOutput": {"decision": {"behavior": "allow"}}}
TAKEN: list[Json] = [{"ok": {}}, {"end": {}}]
DECIDED: list[Json] = [{"ok": {}}, {"item": DECISION}, {"end": {}}]


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path / "home"))


@pytest.fixture
def call(tmp_path):
    """Run the hook as a program does; return what it printed."""

    def run(stdin, *words, **env):
        finished = subprocess.run(
            [*PROGRAM, "hook", *words],
            input=stdin if isinstance(stdin, bytes) else json.dumps(stdin).encode(),
            env={"OVERMIND_HOME": str(tmp_path / "home"), "PYTHONPATH": REPOSITORY, **env},
            capture_output=True,
            timeout=60,
        )
        assert (finished.returncode, finished.stderr) == (0, b"")
        return finished.stdout.decode()

    return run


def test_an_event_is_handed_on_and_nothing_printed(call, home):
    with FakeDaemon(home, lambda _: TAKEN) as daemon:
        assert call(EVENT, *PROOF) == ""

    assert [request["args"] for request in daemon.requests] == [
        {"mission": "a1b2c3d4", "token": "secret", "payload": EVENT}
    ]


def test_mission_and_token_may_come_from_the_environment(call, home):
    with FakeDaemon(home, lambda _: TAKEN) as daemon:
        call(EVENT, OVERMIND_MISSION_ID="b1b2c3d4", OVERMIND_HOOK_TOKEN="other")

    assert (daemon.requests[0]["args"]["mission"], daemon.requests[0]["args"]["token"]) == ("b1b2c3d4", "other")


def test_the_home_may_be_named(call, home, absent):
    with FakeDaemon(home, lambda _: TAKEN) as daemon:
        call(EVENT, *PROOF, "--home", home.root, OVERMIND_HOME=absent)

    assert len(daemon.requests) == 1


def test_a_decision_is_printed(call, home):
    with FakeDaemon(home, lambda _: DECIDED):
        assert json.loads(call(QUESTION, *PROOF)) == DECISION


def test_a_question_waits_through_the_replacement_of_the_daemon(call, home):
    left = [1, 1]

    with FakeDaemon(home, lambda _: None if left and left.pop() else DECIDED) as daemon:
        assert json.loads(call(QUESTION, *PROOF)) == DECISION

    assert len(daemon.requests) == 3


def test_a_question_that_is_answered_elsewhere_prints_nothing(call, home):
    with FakeDaemon(home, lambda _: TAKEN):
        assert call(QUESTION, *PROOF) == ""


def test_a_daemon_that_goes_while_somebody_decides_is_followed_by_one_that_tells(call, home):
    def gone():
        yield {"ok": {}}
        raise ConnectionAbortedError

    answers = [gone(), DECIDED]
    with FakeDaemon(home, lambda _: answers.pop(0)) as daemon:
        assert json.loads(call(QUESTION, *PROOF)) == DECISION

    assert len(daemon.requests) == 2


def test_without_a_daemon_it_says_nothing_and_starts_none(call, home, tmp_path):
    assert call(EVENT, *PROOF) == ""
    assert call(QUESTION, *PROOF) == ""
    assert not (tmp_path / "home").exists()


def test_a_daemon_that_does_not_answer_is_left_alone(call, home):
    with FakeDaemon(home, lambda _: []):
        assert call(EVENT, *PROOF) == ""


@pytest.mark.parametrize("stdin", [b"", b"nonsense", b"[1]", b'"text"', b"null", b"\xff\xfe", b"[" * 100_000])
def test_nonsense_is_no_failure(call, home, stdin):
    with FakeDaemon(home, lambda _: [{"error": "invalid", "message": "no"}]):
        assert call(stdin, *PROOF) == ""


def test_an_error_of_the_daemon_is_no_failure(call, home):
    with FakeDaemon(home, lambda _: [{"error": "forbidden", "message": "wrong token"}]):
        assert call(EVENT, *PROOF) == ""
        assert call(QUESTION, *PROOF) == ""


def test_nobody_who_does_not_say_which_mission_is_no_failure(call):
    assert call(EVENT) == ""
