"""Streams go on where they broke."""

from __future__ import annotations

import time
from typing import Any

import pytest

from overmind_core.client import client as client_client
from overmind_core.client.stream import HEARTBEAT, follow
from overmind_core.errors import OvermindError
from tests.kit.fake_daemon import FakeDaemon


def count_up(request, *, last, at_once):
    """A stream of the numbers after `since`, `at_once` of them for each connection, until `last`."""
    since = request["args"]["since"]
    yield {"ok": {}}
    for number in range(since + 1, min(since + at_once, last) + 1):
        yield {"item": {"seq": number}}
    if since + at_once >= last:
        yield {"end": {}}
    else:
        raise ConnectionAbortedError


def numbers(client):
    """Follow such a stream; return its numbers and kinds."""
    seen: list[int] = []

    def request():
        return "events", {"since": seen[-1] if seen else 0}

    kinds = []
    for kind, item in follow(client, request):
        kinds.append(kind)
        if kind == "item":
            seen.append(item["seq"])
    return seen, kinds


def test_a_stream_has_a_beginning_items_and_an_end(place, join):
    with FakeDaemon(place, lambda request: count_up(request, last=2, at_once=5)):
        assert numbers(join(place)) == ([1, 2], ["ok", "item", "item", "end"])


def test_a_broken_stream_goes_on_without_gap_or_repetition(place, join):
    with FakeDaemon(place, lambda request: count_up(request, last=10, at_once=3)) as daemon:
        seen, kinds = numbers(join(place))

    assert seen == list(range(1, 11))
    assert kinds.count("ok") == 4
    assert [request["args"]["since"] for request in daemon.requests] == [0, 3, 6, 9]


def test_a_daemon_that_stays_away_ends_the_stream(place, join, monkeypatch):
    monkeypatch.setattr(client_client, "ANSWER_LIMIT", 0.2)
    client = join(place)
    lines = follow(client, lambda: ("events", {}))
    with FakeDaemon(place, lambda _: [{"ok": {}}, {"item": {"seq": 1}}]):
        assert [next(lines), next(lines)] == [("ok", {}), ("item", {"seq": 1})]

    with pytest.raises(OvermindError) as raised:
        next(lines)
    assert raised.value.code == "daemon_lost"


def test_a_deadline_ends_the_wait(place, join):
    with FakeDaemon(place, lambda _: [{"ok": {}}]):
        lines = follow(join(place), lambda: ("wait", {}), deadline=time.monotonic() + 0.1)
        assert next(lines) == ("ok", {})
        with pytest.raises(OvermindError) as raised:
            next(lines)

    assert raised.value.code == "timeout"


def test_lines_that_come_at_once_do_not_put_a_beat_off(place, join, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    lines: list[dict[str, Any]] = [{"ok": {}}, *({"item": {"seq": number}} for number in range(12)), {"end": {}}]
    kinds = []
    with FakeDaemon(place, lambda _: lines):
        for kind, _ in follow(join(place), lambda: ("wait", {}), beat=1.0):
            kinds.append(kind)
            now[0] += 0.25
    assert [kind for kind in kinds if kind != HEARTBEAT] == ["ok", *["item"] * 12, "end"]
    assert kinds.count(HEARTBEAT) >= 3


def test_an_error_ends_the_stream(place, join):
    with FakeDaemon(place, lambda _: [{"ok": {}}, {"error": "gone", "oldest": 7}]):
        lines = follow(join(place), lambda: ("events", {}))
        next(lines)
        with pytest.raises(OvermindError) as raised:
            next(lines)

    assert (raised.value.code, raised.value.fields) == ("gone", {"oldest": 7})


def test_the_rest_of_an_abandoned_stream_never_meets_the_next_request(place, join):
    def answer(request):
        return (
            [{"ok": {}}, *({"item": {"seq": n}} for n in range(99))] if request["cmd"] == "events" else [{"ok": "here"}]
        )

    with FakeDaemon(place, answer):
        client = join(place)
        lines = follow(client, lambda: ("events", {}))
        next(lines)
        lines.close()

        assert client.call("status") == "here"
