"""What `send` asks, prints and exits with, against a scripted daemon."""

from __future__ import annotations

import json

import pytest

QUEUED = {"message": 12, "state": "queued", "ahead": 2, "id": "a1b2c3d4", "name": "planner"}
SESSION = {"id": "a1b2c3d4", "name": "planner", "type": "session", "provider": "claude"}
ANSWER = {
    "message": 12,
    "id": "a1b2c3d4",
    "state": "answered",
    "text": "four",
    "duration_ms": 1200.0,
    "cost_usd": 0.05,
    "cost_source": "reported",
    "usage": {"input": 10, "output": 2, "cache_read": 0, "cache_write": 0},
    "error": None,
}


def daemon(state="delivered", *, sent=QUEUED, **more):
    """One whose messages get as far as `state`."""
    return {
        "ps": [{"ok": [SESSION]}],
        "info": [{"ok": SESSION}],
        "send": [{"ok": sent}],
        "await_message": [{"ok": {**ANSWER, "state": state, **more}}],
    }


STATES = [
    ("queued", "Queued for mission a1b2c3d4 (message 12, 2 ahead)\n"),
    ("delivered", "Sent to mission a1b2c3d4\n"),
    ("answered", "Sent to mission a1b2c3d4\n"),
]


@pytest.mark.parametrize(("state", "said"), STATES)
def test_it_says_how_far_the_message_came_within_two_seconds(overmind, state, said):
    ran = overmind(daemon(state), "send", "planner", "do", "it")

    (_, send), (_, wait) = ran.requests
    assert (ran.status, ran.out, ran.err) == (0, said, "")
    assert (send["id"], send["text"]) == ("planner", "do it")
    assert (wait["message"], wait["until"]) == (12, "delivered")
    assert 1.5 < wait["timeout"] <= 2.0


def test_what_is_delivered_at_once_is_not_waited_for(overmind):
    ran = overmind(daemon(sent={**QUEUED, "state": "delivered"}), "send", "planner", "ls")

    assert ran.out == "Sent to mission a1b2c3d4\n"
    assert [command for command, _ in ran.requests] == ["send"]


def test_json_tells_the_same(overmind):
    ran = overmind(daemon("queued"), "send", "planner", "x", "--json", "--queue")

    assert json.loads(ran.out) == QUEUED
    assert ran.requests[0][1]["queue"] is True


def test_the_text_comes_from_standard_input(overmind):
    text = "/not a command\n\"quotes\" 'and' 🙂\n" * 5000
    ran = overmind(daemon(), "send", "planner", "-", stdin=text.encode())

    assert ran.requests[0][1]["text"] == text.removesuffix("\n")


def test_a_text_may_begin_with_a_dash_behind_dashes(overmind):
    ran = overmind(daemon(), "send", "planner", "--", "--wait", "for me")

    assert ran.requests[0][1]["text"] == "--wait for me"


def test_a_lost_daemon_is_asked_again_with_the_same_key(overmind):
    left = [1]

    def send(_args):
        return None if left and left.pop() else [{"ok": QUEUED}]

    ran = overmind({**daemon(), "send": send}, "send", "planner", "x")

    keys = [args["request"] for command, args in ran.requests if command == "send"]
    assert ran.status == 0
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert len(keys[0]) == 32


def test_wait_prints_the_answer(overmind):
    ran = overmind(daemon("answered"), "send", "planner", "2+2", "--wait")

    assert (ran.status, ran.out) == (0, "four\n")
    assert [command for command, _ in ran.requests] == ["ps", "send", "await_message"]
    assert ran.requests[-1][1]["until"] == "answered"
    assert 55 < ran.requests[-1][1]["timeout"] <= 60


def test_wait_with_json_prints_the_answer_and_what_it_cost(overmind):
    ran = overmind(daemon("answered"), "send", "planner", "2+2", "--wait", "--json")

    assert json.loads(ran.out) == {
        "text": "four",
        "duration_ms": 1200.0,
        "cost_usd": 0.05,
        "cost_source": "reported",
        "usage": {"input": 10, "output": 2, "cache_read": 0, "cache_write": 0},
    }


def test_a_daemon_that_does_not_come_back_while_somebody_waits_is_no_failed_answer(overmind):
    ran = overmind({**daemon(), "await_message": [{"error": "daemon_lost"}]}, "send", "planner", "x", "--wait")
    told = "Not answered: message 12 for planner. The daemon is gone. Go on with: overmind start"
    assert (ran.status, ran.out) == (3, "")
    assert ran.err.endswith(f"Error: daemon_lost: {told}\n")


def test_a_daemon_that_is_replaced_while_somebody_waits_is_not_noticed(overmind):
    left = [1, 1]

    def wait(_args):
        return None if left and left.pop() else [{"ok": ANSWER}]

    ran = overmind({**daemon(), "await_message": wait}, "send", "planner", "x", "--wait", "--timeout", "30s")

    timeouts = [args["timeout"] for command, args in ran.requests if command == "await_message"]
    assert (ran.status, ran.out, ran.err) == (0, "four\n", "")
    assert [command for command, _ in ran.requests].count("send") == 1
    assert timeouts == sorted(timeouts, reverse=True)


@pytest.mark.parametrize(("given", "limit"), [("120", 120.0), ("2m", 120.0), ("1500ms", 1.5)])
def test_a_bare_timeout_is_seconds(overmind, given, limit):
    ran = overmind(daemon("answered"), "send", "planner", "x", "--wait", "--timeout", given)

    (asked,) = [args["timeout"] for command, args in ran.requests if command == "await_message"]
    assert limit - 1 < asked <= limit
    assert ran.err == ""


@pytest.mark.parametrize(
    ("state", "given", "named"),
    [("queued", "10ms", "10ms"), ("delivered", "10ms", "10ms"), ("queued", "0.01", "0.01 s")],
)
def test_a_time_that_runs_out_is_124_and_the_message_stays(overmind, state, given, named):
    ran = overmind(daemon(state, text=None), "send", "planner", "x", "--wait", "--timeout", given)

    assert (ran.status, ran.out) == (124, "")
    assert ran.err == (
        f"Error: timeout: No answer to message 12 within {named}; the message stays. See: overmind messages planner\n"
    )


LOG_IN = "log in first: run claude in a terminal and type /login"
FAILURES = [
    ("failed", "exited", "Error: exited: planner ended before it answered message 12."),
    ("failed", None, "Error: exited: planner ended before it answered message 12."),
    ("failed", "interrupted", "Error: not_finished: The turn of message 12 failed: interrupted."),
    ("failed", "api_error 529", "Error: not_finished: The turn of message 12 failed: api_error 529."),
    ("failed", "not_logged_in", f"Error: not_finished: The turn of message 12 failed: it is not logged in ({LOG_IN})."),
    ("cancelled", None, "Error: not_found: Message 12 for planner was withdrawn."),
]


@pytest.mark.parametrize("words", [[], ["--wait"]])
@pytest.mark.parametrize(("state", "error", "said"), FAILURES)
def test_a_message_that_comes_to_nothing_is_a_failure(overmind, state, error, said, words):
    ran = overmind(daemon(state, error=error, text=None), "send", "planner", "x", *words)

    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith(said)


def test_nobody_waits_for_the_answer_of_a_raw_session(overmind):
    raw = {**daemon(), "ps": [{"ok": [{**SESSION, "provider": "raw"}]}]}
    ran = overmind(raw, "send", "planner", "ls", "--wait")

    assert ran.status == 1
    assert ran.err.startswith("Error: invalid: --wait: planner is a raw session")
    assert [command for command, _ in ran.requests] == ["ps"]


@pytest.mark.parametrize("words", [["send", "planner"], ["send"], ["send", "planner", "x", "--timeout", "soon"]])
def test_a_command_line_without_sense_sends_nothing(overmind, words):
    ran = overmind(daemon(), *words)

    assert (ran.status, ran.requests) == (2, [])
