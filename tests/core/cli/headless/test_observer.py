"""The observer of a headless run: which missions it follows, when all is over, and how long a full disk is borne."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.cli.headless import observer
from overmind_core.cli.headless.observer import HELD_LIMIT, HomeObserver, OutputHeld, newest_event
from overmind_core.errors import OvermindError


class ScriptedClient:
    """Numbers what is sent, and says what the test says; each silence takes as long as it may."""

    def __init__(self, clock):
        self.clock = clock
        self.sent = []
        self.answers = []

    def send(self, command, args):
        self.sent.append((command, args))
        return len(self.sent)

    def receive(self, *, timeout):
        if self.answers:
            return self.answers.pop(0)
        assert timeout is not None, "it would wait for ever"
        self.clock.now += timeout
        raise TimeoutError

    def call(self, command, args):
        self.sent.append((command, args))
        return self.answers.pop(0)


@pytest.fixture
def clock(monkeypatch):
    made = SimpleNamespace(now=100.0)
    monkeypatch.setattr(observer, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


@pytest.fixture
def follow(clock):
    """An observer of missions, its client, and the events that it has handed on."""

    def begin(*missions):
        client: Any = ScriptedClient(clock)
        events: list[Any] = []
        finished: list[bool] = []
        screen: Any = SimpleNamespace(finish=lambda: finished.append(True))
        home = HomeObserver(client, screen, events.append, since=7)
        home.begin(missions)
        return SimpleNamespace(home=home, client=client, events=events, finished=finished)

    return begin


def item(stream, content):
    return {"id": stream, "item": content}


def end(stream):
    return {"id": stream, "end": {}}


def created(seq, mission):
    return {"seq": seq, "type": "created", "mission": mission}


def trouble(reason):
    return {"type": "trouble", "reason": reason}


def test_each_log_is_followed_from_its_beginning_and_events_from_the_last_old_one(follow):
    found = follow("a", "b")
    assert found.client.sent == [
        ("logs", {"ids": ["a"], "follow": True, "seq": 0}),
        ("logs", {"ids": ["b"], "follow": True, "seq": 0}),
        ("events", {"follow": True, "since": 7}),
    ]
    assert (found.home.missions, found.home.is_done) == (["a", "b"], False)


def test_what_a_mission_starts_is_followed_too_and_once(follow):
    found = follow("a")
    events = [created(8, "a"), created(9, "child"), created(10, "child"), {"seq": 11, "type": "exited", "mission": "x"}]
    found.client.answers = [*(item(2, event) for event in events), end(1), end(3)]
    found.home.until_ended(None)
    assert found.events == events
    assert found.home.missions == ["a", "child"]
    assert found.client.sent[2:] == [("logs", {"ids": ["child"], "follow": True, "seq": 0})]
    assert found.home.is_done


def test_it_waits_for_those_that_are_meant(follow):
    found = follow("a", "b")
    found.client.answers = [end(2), end(1)]
    found.home.until_ended({"b"})
    assert (len(found.client.answers), found.home.is_done) == (1, False)
    found.home.until_ended(None)
    assert found.home.is_done


def test_the_last_events_are_asked_for_from_where_they_were(follow):
    found = follow("a")
    found.client.answers = [item(2, {"seq": 12, "type": "exited", "mission": "a"}), end(1)]
    found.home.until_ended(None)
    last = {"seq": 13, "type": "stopped", "mission": "a"}
    found.client.answers = [item(2, {"seq": 13}), item(3, last), end(3)]
    found.home.finish()
    assert found.client.sent[-1] == ("events", {"follow": False, "since": 12})
    assert found.events[1:] == [last]
    assert found.finished == [True]


def test_a_deadline_is_kept(follow, clock):
    found = follow("a")
    with pytest.raises(TimeoutError):
        found.home.until_ended(None, deadline=130.0)
    assert clock.now == 130.0


def test_what_stands_unfinished_is_looked_at_each_second_of_missions_that_go_on(follow):
    found, looked = follow("a", "b"), list[str]()
    found.home._screen = SimpleNamespace(look=lambda transcript: looked.append(transcript.name))
    found.home._seen |= {"a": SimpleNamespace(name="a"), "b": None}
    with pytest.raises(TimeoutError):
        found.home.until_ended(None, deadline=102.5)
    assert looked == ["a", "a", "a"]


def test_an_error_of_a_stream_is_an_error(follow):
    found = follow("a")
    found.client.answers = [{"id": 1, "error": "not_found", "message": "No such mission."}]
    with pytest.raises(OvermindError, match="No such mission"):
        found.home.until_ended(None)


def test_what_nobody_asked_for_is_passed_over(follow):
    found = follow("a")
    found.client.answers = [{"id": 99, "ok": {}}, {"ok": {}}, end(1)]
    found.home.until_ended(None)


def test_a_full_disk_is_borne_so_long_and_told_once(follow, clock):
    found = follow("a", "b")
    found.client.answers = [item(1, trouble("disk_full")), item(1, trouble("disk_full"))]
    with pytest.raises(OutputHeld) as held:
        found.home.until_ended(None)
    assert (held.value.reason, clock.now) == ("disk_full", 100.0 + HELD_LIMIT)
    found.client.answers = [end(1), end(2)]
    found.home.until_ended(None)


@pytest.mark.parametrize("over", [trouble(None), None])
def test_room_again_or_an_end_is_the_end_of_the_trouble(follow, over):
    found = follow("a", "b")
    found.client.answers = [item(1, trouble("disk_full")), end(1) if over is None else item(1, over)]
    with pytest.raises(TimeoutError):
        found.home.until_ended({"b"}, deadline=100.0 + 3 * HELD_LIMIT)


def test_a_trouble_counts_from_when_it_began_whatever_is_said_meanwhile(follow, clock):
    found = follow("a")
    found.client.answers = [item(1, trouble("disk_full"))]
    with pytest.raises(TimeoutError):
        found.home.until_ended(None, deadline=100.0 + HELD_LIMIT - 1)
    found.client.answers = [item(1, trouble("disk_full"))]
    with pytest.raises(OutputHeld):
        found.home.until_ended(None)
    assert clock.now == 100.0 + HELD_LIMIT


def test_the_newest_event_is_a_number(clock):
    client: Any = ScriptedClient(clock)
    client.answers = [{"seq": 12}, {"seq": None}]
    assert newest_event(client) == 12
    with pytest.raises(OvermindError):
        newest_event(client)
    assert client.sent[0] == ("logs", {"ids": []})
