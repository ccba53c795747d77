"""The line about a daemon that does not answer: while it is started, is lost, or has not greeted yet."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.cli import context as contexts
from overmind_core.cli.attach.session import TerminalWait
from overmind_core.client import client as client_client
from overmind_core.client import daemon as client_daemon
from overmind_core.client.stream import HEARTBEAT, follow
from overmind_core.errors import OvermindError
from overmind_core.system.lock import try_lock
from tests.kit.fake_daemon import FakeDaemon

LATE = "import os, sys, time\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.01)\nos.write(3, b'1')"
"""A daemon that listens, so it says, once a file is there."""


class Person:
    """Reads what a client says, and what it says while no daemon answers from the second look on."""

    def __init__(self, on_line=lambda: None):
        self.notes: list[str] = []
        self._looks = 0
        self._on_line = on_line

    def say_search(self, line, _began):
        self._looks += 1
        if self._looks == 1:
            return False
        self.notes.append(line)
        self._on_line()
        return True

    @property
    def options(self):
        return {"notify": self.notes.append, "say_search": self.say_search}


@pytest.fixture(autouse=True)
def looks(monkeypatch):
    """Look often, and give up soon."""
    for module in (client_client, client_daemon):
        monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
        monkeypatch.setattr(module, "ANSWER_LIMIT", 0.5)


def test_one_that_does_not_greet_is_said_once(place, join):
    person = Person()
    with FakeDaemon(place, lambda _: [], version=None), pytest.raises(OvermindError, match="has not answered"):
        join(place, **person.options).call("ps")
    assert person.notes == ["waits for the daemon to answer"]


def test_one_that_has_to_be_started_is_said_once(place, join, monkeypatch, tmp_path):
    there = tmp_path / "there"
    monkeypatch.setattr(client_daemon, "daemon_argv", lambda *_: [sys.executable, "-c", LATE, str(there)])
    with contextlib.ExitStack() as daemons:

        def arrive():
            daemons.enter_context(FakeDaemon(place, lambda _: [{"ok": 7}]))
            there.touch()

        person = Person(arrive)
        client = join(place, start=True, **person.options)
        assert client.call("ps") == 7
    assert person.notes == ["waits for the daemon to start", f"Daemon started (PID {client.started_pid})"]


def test_an_answer_that_is_late_is_said_once_to_who_wants_to_know(place, join, monkeypatch):
    monkeypatch.setattr(client_client, "BEAT", 0.01)
    comes = threading.Event()

    def answer(_):
        assert comes.wait(5)
        return [{"ok": 7}]

    person = Person(comes.set)
    with FakeDaemon(place, answer):
        assert join(place, says_late=True, **person.options).call("ps") == 7
    assert person.notes == ["waits for the daemon to answer"]


def test_answers_that_come_at_once_are_not_late_however_long_the_command_has_been_silent(place, join):
    person = Person()
    with FakeDaemon(place, lambda _: [{"ok": 7}]):
        client = join(place, says_late=True, **person.options)
        assert [client.call("ps") for _ in range(5)] == [7] * 5
    assert person.notes == []


@pytest.mark.parametrize(("has_keeper", "line"), [
    (True, "waits for the daemon, which is being started again"),
    (False, "waits for the daemon: the connection to it was lost"),
])  # fmt: skip
def test_a_lost_one_is_said_once_and_that_it_answers_again(place, join, has_keeper, line):
    with contextlib.ExitStack() as daemons:
        person = Person(lambda: daemons.enter_context(FakeDaemon(place, lambda _: [{"ok": {}}, {"end": {}}])))
        lines = follow(join(place, **person.options), lambda: ("wait", {}))
        with FakeDaemon(place, lambda _: [{"ok": {}}]):
            assert next(lines) == ("ok", {})
        if has_keeper:
            keeper = try_lock(place.keeper_lock)
            assert keeper is not None
            daemons.callback(keeper.release)
        assert list(lines) == [("ok", {}), ("end", {})]
    assert person.notes == [line, f"The daemon answers again (PID {os.getpid()})"]


def test_the_silence_of_a_stream_goes_on_where_it_is_lost(place, join, monkeypatch):
    """Its beats tell a person for what a command waits: a loss does not let them begin from zero."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    asked = []

    def answer(request):
        asked.append(request)
        if len(asked) == 1:
            yield {"ok": {}}
            now[0] += 45
            raise ConnectionAbortedError
        yield {"ok": {}}

    with FakeDaemon(place, answer):
        lines = follow(join(place), lambda: ("wait", {}), beat=30.0, deadline=60.2)
        assert sorted(next(lines)[0] for _ in range(3)) == [HEARTBEAT, "ok", "ok"]


def test_a_beat_that_comes_late_does_not_put_the_next_one_off(place, join, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with FakeDaemon(place, lambda _: [{"ok": {}}]):
        lines = follow(join(place), lambda: ("wait", {}), beat=30.0, deadline=60.2)
        assert next(lines)[0] == "ok"
        for moment in (50.0, 60.0):
            now[0] = moment
            assert next(lines)[0] == HEARTBEAT


@pytest.mark.parametrize(("has_said", "began", "now", "is_said"), [
    (False, 0.5, 1.7, False),
    (False, 0.5, 1.8, True),  # the command has been silent for so long
    (False, 2.1, 2.1, True),
    (True, 0.5, 2.2, False),
    (True, 0.5, 2.3, True),
    (False, 60.0, 61.7, False),  # it had nothing to say
    (False, 60.0, 61.8, True),
])  # fmt: skip
def test_it_is_said_within_two_seconds_of_silence(monkeypatch, has_said, began, now, is_said):
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    context = contexts.Context({})
    said = io.StringIO()
    monkeypatch.setattr("sys.stderr", said)
    if has_said:
        context.note("waits for docs")
    clock[0] = now
    assert context.say_search("waits for the daemon to start", began) is is_said
    assert ("waits for the daemon to start\n" in said.getvalue()) is is_said


def test_who_waits_for_a_terminal_is_told_once_that_the_daemon_was_lost(monkeypatch):
    person = Person()
    steps = iter([False, True, True, True, False])
    items: list[Any] = [{"type": "ready"}, *[None] * 5]
    place = SimpleNamespace(comes_back=lambda **_: "waits for the daemon", is_revived=lambda: True)
    attachment: Any = SimpleNamespace(name="api", is_lost=False, place=place, next_item=items.pop)

    def try_reconnect():
        attachment.is_lost = next(steps)

    attachment.try_reconnect = try_reconnect
    monkeypatch.setattr("select.select", lambda *_: ([], [], []))
    context: Any = SimpleNamespace(note=person.notes.append, say_search=person.say_search)
    assert TerminalWait(attachment, context).ready() == {"type": "ready"}
    assert person.notes == ["waits for the daemon"]
