"""One channel of a gate in this process, before a daemon that notes what comes: who may ask what, and in whose name."""

from __future__ import annotations

import json
import os
import threading

import pytest

from overmind_core.domain.hives import OPERATOR, OWNER, VIEWER
from overmind_core.gate import server
from overmind_core.gate.server import Gate
from overmind_core.system.paths import Home
from tests.kit.fake_daemon import FakeDaemon

REQUESTS, LOGS, IDLE = b'{"channel":"requests"}\n', b'{"channel":"logs"}\n', b'{"channel":"idle"}\n'


class Channel:
    """The other side of a gate that serves one channel in a thread."""

    def __init__(self, home, role, name):
        reads, self._asks = os.pipe()
        answers, writes = os.pipe()
        self._answers = os.fdopen(answers, "rb")
        self._gate = Gate(home, role=role, name=name, reads=reads, writes=writes)
        self._ends = [reads, writes]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        try:
            self._gate.serve({"cpu": 8})
        finally:
            for end in self._ends:
                os.close(end)

    def send(self, data):
        os.write(self._asks, data)

    def ask(self, cmd, **args):
        self.send(json.dumps({"cmd": cmd, "id": 1, "args": args}).encode() + b"\n")
        return self.next()

    def next(self):
        line = self._answers.readline()
        return json.loads(line) if line else None

    def leave(self):
        if self._asks >= 0:
            os.close(self._asks)
            self._asks = -1
        self._thread.join(60)
        assert not self._thread.is_alive(), "the gate goes on"

    def close(self):
        self.leave()
        self._answers.close()


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path / "h"))


@pytest.fixture
def daemon(home):
    """A daemon that answers each request by its name."""
    with FakeDaemon(home, lambda request: [{"ok": request["cmd"]}]) as fake:
        yield fake


@pytest.fixture
def channel(home):
    made = []

    def make(role=OWNER, name=None, first=b""):
        made.append(Channel(home, role, name))
        if first:
            made[-1].send(first)
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("role", [VIEWER, OPERATOR, OWNER])
def test_a_gate_says_first_what_it_is_and_whose(daemon, channel, home, role):
    hello = channel(role).next()
    assert {"gate": 1, "home": home.root, "role": role, "turns": True, "cpu": 8}.items() <= hello.items()


MAY = {
    ("ps", ()): (True, True, True),
    ("info", ("id",)): (True, True, True),
    ("stop", ("id",)): (False, True, True),
    ("run", ("command",)): (False, True, True),
    ("shutdown", ()): (False, False, True),
}
"""Request and its arguments → whether a viewer, an operator, an owner may ask it."""


@pytest.mark.parametrize("request_", MAY, ids=str)
@pytest.mark.parametrize(("at", "role"), [(0, VIEWER), (1, OPERATOR), (2, OWNER)])
def test_what_a_role_may_ask_goes_on_and_all_else_is_refused_with_its_number(daemon, channel, request_, at, role):
    name, arguments = request_
    opened = channel(role, first=REQUESTS)
    opened.next()
    assert opened.next() == {"ok": {}}
    answer = opened.ask(name, **dict.fromkeys(arguments, "x"))
    assert answer["id"] == 1
    assert (answer.get("ok") == name) is MAY[request_][at]
    assert (answer.get("error") == "forbidden") is not MAY[request_][at]
    assert bool(daemon.requests) is MAY[request_][at]


@pytest.mark.parametrize(("role", "goes_on"), [(VIEWER, False), (OPERATOR, False), (OWNER, True)])
def test_what_this_gate_does_not_know_is_for_owners_alone(daemon, channel, role, goes_on):
    opened = channel(role, first=REQUESTS)
    opened.next(), opened.next()
    answer = opened.ask("of_a_later_release")
    assert bool(daemon.requests) is goes_on
    assert goes_on or answer["message"] == f"A gate for {role}s does not know this request."


@pytest.mark.parametrize(("name", "by"), [("alice", "gate:alice"), (None, None)])
def test_each_request_is_in_the_name_of_who_came(daemon, channel, name, by):
    opened = channel(name=name, first=REQUESTS)
    opened.next(), opened.next()
    opened.ask("ps")
    opened.ask("of_a_later_release")
    assert [request.get("by") for request in daemon.requests] == [by, by]


def test_what_a_request_leaves_out_is_this_accounts(daemon, channel, monkeypatch):
    monkeypatch.setenv("HOME", "/home/gate")
    monkeypatch.setattr(server, "_ACCOUNT", {})
    opened = channel(first=REQUESTS)
    opened.next(), opened.next()
    opened.ask("run", command="true")
    opened.ask("run", command="true", cwd="work/", env={"A": "1"}, umask=18)
    opened.ask("run", command="true", cwd="/srv")
    first, second, third = [request["args"] for request in daemon.requests]
    assert (first["env"]["HOME"], isinstance(first["umask"], int)) == ("/home/gate", True)
    assert (second["cwd"], second["env"], second["umask"]) == ("/home/gate/work", {"A": "1"}, 18)
    assert third["cwd"] == "/srv"


def test_what_serves_a_session_of_another_machine_stays_there(daemon, channel):
    opened = channel(first=REQUESTS)
    opened.next(), opened.next()
    opened.ask("restart", id="api", session_env={"SSH_AUTH_SOCK": "/theirs"})
    opened.ask("merge", id="api", resolve=True, session_env={"SSH_AUTH_SOCK": "/theirs"})
    assert [request["args"] for request in daemon.requests] == [{"id": "api"}, {"id": "api", "resolve": True}]


def test_the_inner_request_of_a_ritual_is_completed_too(daemon, channel):
    opened = channel(first=REQUESTS)
    opened.next(), opened.next()
    opened.ask("ritual_create", name="nightly", schedule="0 3 * * *", quest={"command": "true", "cwd": "x"})
    (request,) = daemon.requests
    assert os.path.isabs(request["args"]["quest"]["cwd"])
    assert request["args"]["quest"]["env"]


CHANNELS = {
    "one that there is not": (OWNER, b'{"channel":"shell"}\n', "invalid", "A gate has no channel 'shell'."),
    "none": (OWNER, b"{}\n", "invalid", "A gate has no channel None."),
    "a terminal of a viewer": (VIEWER, b'{"channel":"terminal"}\n', "forbidden", "A gate for viewers has no terminals"),
    "a terminal without a keeper": (OPERATOR, b'{"channel":"terminal"}\n', "gone", ""),
    "a repository of a viewer": (VIEWER, b'{"channel":"git"}\n', "forbidden", "A gate for viewers has no repositories"),
    "no object": (OWNER, b"[]\n", "invalid", "A gate takes JSON objects, one a line."),
    "no JSON": (OWNER, b"GET / HTTP/1.1\n", "invalid", "A gate takes JSON objects, one a line."),
}


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_that_can_not_be_served_says_why(daemon, channel, name):
    role, first, code, words = CHANNELS[name]
    opened = channel(role, first=first)
    opened.next()
    answer = opened.next()
    assert (answer["error"], answer["message"][: len(words)]) == (code, words)
    assert opened.next() is None


def test_without_a_daemon_requests_are_refused_and_no_other_channel_is_waited_for(channel):
    refused = channel(VIEWER, first=b'{"channel":"requests","start":true}\n')
    refused.next()
    assert refused.next()["error"] == "daemon_not_running"
    idle = channel(first=IDLE + LOGS)
    idle.next()
    assert idle.next() is None


@pytest.mark.parametrize("role", [VIEWER, OPERATOR, OWNER])
def test_a_channel_becomes_another_one_in_turn(daemon, channel, role):
    opened = channel(role, first=REQUESTS + b'{"cmd":"ps","id":1}\n')
    opened.next()
    assert [opened.next(), opened.next()] == [{"ok": {}}, {"ok": "ps", "id": 1}]
    opened.send(IDLE + LOGS + b'{"op":"end","run":"27b47545/000001","stream":0}\n' + REQUESTS)
    assert [opened.next() for _ in range(3)] == [{"ok": {}}, {"ok": [0, 0.0]}, {"ok": {}}]
    assert opened.ask("ps") == {"ok": "ps", "id": 1}


def test_what_looks_like_another_channel_and_is_a_request_is_one(daemon, channel):
    opened = channel(first=REQUESTS)
    opened.next(), opened.next()
    opened.send(b'{"channel":"logs","cmd":"ps","id":4}\n')
    assert opened.next() == {"ok": "ps", "id": 4}


def test_a_log_is_read_from_disk_in_the_place_that_was_asked_for(daemon, channel, home):
    from overmind_core.logs.writer import RunLogWriter

    writer = RunLogWriter(home.logs, "27b47545.1", limit=1 << 30, segment=1 << 20)
    writer.append(0, b"0123456789", 1.0)
    writer.close()
    opened = channel(VIEWER, first=LOGS)
    opened.next()
    assert opened.next() == {"ok": {}}
    opened.send(b'{"op":"end","run":"27b47545/000001","stream":0}\n')
    assert opened.next()["ok"][0] == 10
    opened.send(b'{"op":"dance"}\n')
    assert opened.next()["error"] == "invalid"


def test_the_end_of_the_daemon_is_the_end_of_its_channel(home, channel):
    with FakeDaemon(home, lambda _: None):
        opened = channel(first=REQUESTS)
        opened.next()
        assert opened.next() == {"ok": {}}
        opened.send(b'{"cmd":"ps","id":1}\n')
        assert opened.next() is None


def test_quests_of_one_request_work_in_folders_that_count_from_its_own(daemon, channel):
    opened = channel(first=REQUESTS)
    opened.next(), opened.next()
    opened.ask(
        "quest_add", cwd="/srv", quests=[{"title": "a", "cwd": "shop"}, {"title": "b", "cwd": "/x"}, {"title": "c"}]
    )
    opened.ask("quest_add", quests=[{"title": "a", "cwd": "shop"}])
    first, second = (request["args"]["quests"] for request in daemon.requests)
    assert [quest.get("cwd") for quest in first] == ["/srv/shop", "/x", None]
    assert [quest.get("cwd") for quest in second] == ["shop"]
