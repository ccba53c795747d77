"""Requests find their answers, also when the daemon is replaced in between."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from overmind_core.client import client as client_client
from overmind_core.client import daemon as client_daemon
from overmind_core.domain.operations import REQUESTS
from overmind_core.errors import OvermindError
from overmind_core.version import VERSION
from tests.kit.fake_daemon import FakeDaemon

ASKED = [row for row in REQUESTS if row.name != "hello"]
"""What a client asks once it has greeted."""


@pytest.fixture
def impatient(monkeypatch):
    for module in (client_client, client_daemon):
        monkeypatch.setattr(module, "ANSWER_LIMIT", 0.3)


def losing(count, *lines):
    """Answer `lines`, but lose the connection for the first `count` requests."""
    left = [count]

    def answer(_):
        left[0] -= 1
        return None if left[0] >= 0 else lines

    return answer


def code_of(client, *request):
    with pytest.raises(OvermindError) as raised:
        client.call(*request)
    return raised.value.code


def test_a_request_gets_its_answer_and_greets_first(place, join):
    with FakeDaemon(place, lambda request: [{"ok": request["args"]}]) as daemon:
        client = join(place)

        assert client.call("info", {"id": "x"}) == {"id": "x"}
        assert client.call("status") == {}
        assert daemon.greetings == 1


def test_an_error_carries_code_message_and_fields(place, join):
    said = {"error": "ambiguous", "message": "two match", "candidates": ["a", "b"]}
    with FakeDaemon(place, lambda _: [said]), pytest.raises(OvermindError) as raised:
        join(place).call("info", {"id": "x"})

    assert (raised.value.code, raised.value.message) == ("ambiguous", "two match")
    assert raised.value.fields == {"candidates": ["a", "b"]}


def test_a_thousand_requests_at_once_keep_their_order(place, join):
    def answer(request):
        return [{"error": "not_found"}] if request["args"]["n"] == 7 else [{"ok": request["args"]["n"]}]

    with FakeDaemon(place, answer):
        client = join(place)
        answers = client.call_each("info", [{"n": n} for n in range(1000)])

    assert isinstance(answers.pop(7), OvermindError)
    assert answers == [n for n in range(1000) if n != 7]


def test_answers_may_come_in_another_order(place, join):
    held = []

    def answer(request):
        held.append(request["id"])
        return [{"ok": n, "id": n} for n in reversed(held)] if len(held) == 3 else []

    with FakeDaemon(place, answer):
        assert join(place).call_each("info", [{}, {}, {}]) == [1, 2, 3]


def test_a_lost_run_is_asked_again_with_the_same_key(place, join):
    with FakeDaemon(place, losing(2, {"ok": {"id": "a"}})) as daemon:
        assert join(place).call("run", {"request": "k"}) == {"id": "a"}

    assert [request["args"]["request"] for request in daemon.requests] == ["k"] * 3


@pytest.mark.parametrize("row", ASKED, ids=lambda row: row.name)
def test_what_must_not_happen_twice_is_not_asked_twice_and_all_else_is(place, join, row):
    with FakeDaemon(place, losing(1, {"ok": {"id": "a"}})) as daemon:
        client = join(place)
        if row.repeatable:
            assert client.call(row.name, {"id": "x"}) == {"id": "a"}
        else:
            assert code_of(client, row.name, {"id": "x"}) == "daemon_lost"

    assert [request["cmd"] for request in daemon.requests] == [row.name] * (2 if row.repeatable else 1)


def test_what_this_program_has_never_heard_of_is_not_asked_twice(place, join):
    with FakeDaemon(place, losing(1, {"ok": {}})) as daemon:
        assert code_of(join(place), "nosuch", {}) == "daemon_lost"

    assert len(daemon.requests) == 1


ONE: dict[str, object] = {"id": "x", "name": None, "also": []}
DONE = [
    ("stop", "not_running", ONE),
    ("kill", "not_running", {"killed": [{"id": "x", "name": None}], "hidden": []}),
    ("rm", "not_found", ONE),
    ("quest_cancel", "not_running", ONE),
    ("spec_forget", "not_found", ONE),
    ("ritual_delete", "not_found", ONE),
    ("forget", "not_found", {"notes": [{"id": "N-x", "still_in": []}]}),
]


def test_each_error_that_means_done_is_tried():
    assert [(row.name, code) for row in ASKED for code in row.already_done] == [(one, code) for one, code, _ in DONE]


@pytest.mark.parametrize(("command", "code", "result"), DONE)
def test_asked_again_what_is_done_already_counts_as_done(place, join, command, code, result):
    with FakeDaemon(place, losing(1, {"error": code})):
        assert join(place).call(command, {"id": "x", "notes": ["N-x"]}) == result


@pytest.mark.parametrize(("command", "code", "_result"), DONE)
def test_asked_once_it_is_an_error(place, join, command, code, _result):
    with FakeDaemon(place, losing(0, {"error": code})):
        assert code_of(join(place), command, {"id": "x"}) == code


def test_a_daemon_that_stays_away_is_lost(place, join, impatient):
    client = join(place)
    with FakeDaemon(place, lambda _: [{"ok": {}}]):
        client.connect()

    assert code_of(client, "ps") == "daemon_lost"


def test_a_daemon_that_dies_at_each_request_is_lost(place, join, impatient):
    with FakeDaemon(place, lambda _: None):
        assert code_of(join(place), "ps") == "daemon_lost"


def test_a_long_answer_is_waited_for_over_the_loss_of_one_daemon_after_the_other(place, join, impatient, monkeypatch):
    """Together they live longer than one that is lost is looked for."""
    monkeypatch.setattr(client_client, "STEADY_SECONDS", 0.1)
    lose = losing(4, {"ok": {"state": "answered"}})

    def answer(request):
        time.sleep(0.15)
        return lose(request)

    with FakeDaemon(place, answer):
        assert join(place).call("await_message", {"message": 1}) == {"state": "answered"}


def test_a_daemon_that_never_answers_is_busy(place, join, impatient):
    with FakeDaemon(place, lambda _: [], version=None):
        assert code_of(join(place), "ps") == "busy"


def test_an_error_that_names_no_request_ends_the_wait(place, join):
    with FakeDaemon(place, lambda _: [{"error": "too_large", "id": None}]):
        assert code_of(join(place), "ps") == "too_large"


@pytest.mark.parametrize(("version", "notices"), [("0.0.9", 1), (VERSION, 0), ("99.0", 0), ("dev", 1)])
def test_an_older_daemon_is_mentioned_once(place, join, version, notices):
    heard: list[str] = []
    with FakeDaemon(place, losing(1, {"ok": {}}), version=version) as daemon:
        join(place, notify=heard.append).call("ps")

    assert daemon.greetings == 2
    assert len(heard) == notices
    assert all("overmind start --replace" in text for text in heard)


def test_without_daemon_and_keeper_nothing_is_started(place, join):
    assert code_of(join(place), "ps") == "daemon_not_running"


def test_text_that_nobody_can_have_typed_is_refused(place, join):
    with FakeDaemon(place, lambda _: [{"ok": {}}]):
        assert code_of(join(place), "info", {"id": "\ud800"}) == "invalid"


STANDING_STILL = """
import os, signal, socket, sys
from overmind_core.system.lock import try_lock
lock = try_lock(sys.argv[1])
with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(sys.argv[2])
    listener.listen()
    os.kill(os.getpid(), signal.SIGSTOP)
"""


@pytest.mark.usefixtures("impatient")
def test_a_daemon_that_is_stopped_is_named_with_what_resumes_it(place, join):
    os.makedirs(place.root, mode=0o700)
    argv = [sys.executable, "-c", STANDING_STILL, place.supervisor_lock, place.socket]
    with subprocess.Popen(argv) as daemon:
        os.waitpid(daemon.pid, os.WUNTRACED)
        try:
            with pytest.raises(OvermindError) as raised:
                join(place).call("status")
        finally:
            daemon.kill()
    said = f"The daemon (PID {daemon.pid}) has not answered for 0 s: it is stopped. Resume it with: kill -CONT"
    assert (raised.value.code, raised.value.message) == ("busy", f"{said} {daemon.pid}")
