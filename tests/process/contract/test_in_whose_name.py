"""Requests in the name of a client, such as `web:phone`: who may send it, and where it is found again."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from overmind_core.client.client import Client
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from tests.kit import claude, sessions
from tests.kit.killing import kill_supervisor
from tests.kit.raw_socket import RawSocket

pytestmark = pytest.mark.shared_home

PHONE = "web:phone"
NAMELESS = [
    7, True, [], {}, ["web:phone"], "", " ", "phone", "web:", ":phone", "web:Phone", "web:a b", "web:phone\n",
    "web:phone:x", "web:\u00fc", "web:\x00", f"web:{'x' * 33}", f"{'w' * 17}:x", "web:" + "x" * 100_000,
    "engine", "person", "?",
]  # fmt: skip


@pytest.fixture
def om(om, tmp_path):
    """The command line in a world where `claude` is the stand-in."""
    return claude.at_hand(om, tmp_path)


@pytest.fixture
def phone(om):
    """A connection of a program that asks for the browser `phone`."""
    om.ok("start")
    with RawSocket.connect(om.home, by=PHONE) as connection:
        yield connection


def by_type(om, mission):
    """Who has done what to a mission, as the log has it."""
    return {event["type"]: event["by"] for event in om.events(mission=mission) if "by" in event}


def test_what_a_client_does_is_told_in_its_name_and_what_a_person_does_beside_it_is_not(om, phone):
    started = {"command": "sleep 600", "cwd": om.home, "env": om.environment}
    first, second = (phone.ok("run", **started, name=name)["id"] for name in ("first", "second"))
    for request in ("freeze", "thaw"):
        phone.ok(request, id=first)
        om.ok(request, second)
    phone.ok("update", id=first, name="other")
    phone.ok("stop", id=first)
    om.ok("kill", second)
    acts = {"created", "paused", "thawed", "updated", "stopping"}
    assert by_type(om, first) == dict.fromkeys(acts, PHONE)
    assert by_type(om, second) == {"created": PHONE, "paused": "person", "thawed": "person", "stopping": "person"}


def test_requests_of_one_connection_are_each_in_their_own_name(om, phone):
    missions = {by: om.mission("sleep 600") for by in (PHONE, "web:desk", None)}
    for by, mission in missions.items():
        phone.send_line({"cmd": "freeze", "args": {"id": mission}, "id": str(by)} | ({} if by is None else {"by": by}))
    for _ in missions:
        assert "ok" in phone.read_line()
    paused = {event["mission"]: event["by"] for event in om.events("paused")}
    assert {by: paused[mission] for by, mission in missions.items()} == {
        PHONE: PHONE, "web:desk": "web:desk", None: "person",
    }  # fmt: skip


@pytest.mark.parametrize("by", NAMELESS, ids=lambda by: ascii(by)[:20])
def test_what_is_no_name_is_refused_with_the_id_of_its_request(om, by):
    mission = om.mission("sleep 600")
    with RawSocket.connect(om.home) as connection:
        connection.send_line({"cmd": "freeze", "args": {"id": mission}, "id": 5, "by": by})
        refused = connection.read_line()
        assert (refused["error"], refused["id"]) == ("invalid", 5)
        assert connection.ok("info", id=mission)["status"] == "running"
    assert om.events("paused", mission=mission) == []


def test_null_is_no_name_as_if_nothing_was_said(om):
    mission = om.mission("sleep 600")
    with RawSocket.connect(om.home) as connection:
        connection.send_line({"cmd": "freeze", "args": {"id": mission}, "by": None})
        assert "ok" in connection.read_line()
    assert by_type(om, mission)["paused"] == "person"


def test_a_message_names_the_client_that_sent_it(om, phone):
    planner = sessions.greeted(om, "planner")
    sent = phone.ok("send", id=planner, text="from the phone")["message"]
    assert [one["sender"] for one in om.api("messages", id=planner)] == [None, PHONE]
    (queued,) = (one for one in om.events("message_queued", mission=planner) if one["message"] == sent)
    assert (queued["sender"], queued["by"]) == (PHONE, PHONE)
    assert PHONE in om.ok("messages", planner)


def test_a_shell_gets_what_a_client_types_and_its_log_says_who(om, phone):
    shell = om.mission("cat", "--type", "session")
    phone.ok("send", id=shell, text="typed")
    assert [one["sender"] for one in om.api("messages", id=shell)] == [PHONE]


def by_command_line(om, question, behaviour):
    """The answer of the command line: None, or why it was refused."""
    ended = om("answer", str(question), behaviour)
    return None if ended.returncode == 0 else ended.stderr.removeprefix("Error: not_found: ")


def by_client(om, question, behaviour, by=None):
    """The same of the client that the full-screen program asks by."""
    client = Client(Home(om.home), by=by)
    (answer,) = client.call_each("answer", [{"question": question, "behaviour": behaviour}])
    client.close()
    if isinstance(answer, OvermindError):
        return answer.message if answer.code == "not_found" else f"{answer.code}: {answer.message}"
    assert answer["by"] == (by or "a person")
    return None


def by_phone(om, question, behaviour):
    """The same of a program that asks for the phone."""
    return by_client(om, question, behaviour, PHONE)


ANSWERERS = {by_command_line: "a person", by_client: "a person", by_phone: PHONE}


@pytest.mark.parametrize("first", ANSWERERS, ids=lambda one: one.__name__)
def test_who_is_later_is_told_who_was_first(om, first):
    sessions.greeted(om, "planner")
    question = sessions.asks(om, "planner", "!bash touch x")["question"]
    assert first(om, question, "deny") is None
    for later in ANSWERERS:
        assert f"Question {question} was already answered by {ANSWERERS[first]} " in later(om, question, "allow")
    (answered,) = om.events("answered")
    assert (answered["by"], answered["behaviour"]) == (ANSWERERS[first], "deny")


def test_of_three_at_once_one_is_first_and_the_others_are_told_who(om):
    sessions.greeted(om, "planner")
    for _ in range(4):
        question = sessions.asks(om, "planner", "!bash touch x")["question"]
        said: dict[Any, str | None] = {}
        ready = threading.Barrier(len(ANSWERERS))

        def answer(way, question=question, said=said, ready=ready):
            ready.wait(30)
            said[way] = way(om, question, "deny")

        threads = [threading.Thread(target=answer, args=(way,)) for way in ANSWERERS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        (winner,) = (way for way, refused in said.items() if refused is None)
        told = [refused for refused in said.values() if refused is not None]
        assert len(told) == len(ANSWERERS) - 1
        assert all(f"was already answered by {ANSWERERS[winner]} " in refused for refused in told), told
        (answered,) = (one for one in om.events("answered") if one["question"] == question)
        assert answered["by"] == ANSWERERS[winner]


@pytest.mark.own_home
def test_the_next_daemon_still_knows_who_has_answered(om):
    om.ok("start")
    sessions.greeted(om, "planner")
    question = sessions.asks(om, "planner", "!bash touch x")["question"]
    assert by_phone(om, question, "allow") is None
    kill_supervisor(om)
    om.ok("start")
    assert f"already answered by {PHONE} " in by_command_line(om, question, "deny")
