"""Streams for scripts: resumed where they broke off, ended with the login, and never more than their reader takes."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import ExitStack

import pytest

from overmind_web.rest.texts import MOST_READERS
from tests.kit.overmind import Overmind
from tests.kit.waiting import eventually
from tests.kit.web_script import ROOT, WebScript
from tests.kit.web_site import Site

OK, BAD, GONE, BUSY = 200, 400, 410, 503
MB = 1 << 20


@pytest.fixture
def script(om: Overmind, site: Site) -> WebScript:
    """Who may do everything."""
    return WebScript(site.port, str(om.api("web_token", name="script")["token"]))


def test_events_are_followed_by_their_number_and_resumed_from_it(om, script):
    mission = om.mission("sleep 100")
    with script.follow("events?since=0&types=paused") as first:
        assert next(iter(first)).kind == "ok"
        om.ok("freeze", mission)
        paused = first.until("item", type="paused", mission=mission)
        assert paused.id == str(paused.data["seq"])
    om.ok("thaw", mission)
    om.ok("freeze", mission)
    with script.follow("events?since=0&types=paused", {"Last-Event-ID": paused.id or ""}) as again:
        assert again.until("item").data["seq"] > paused.data["seq"]


def test_a_number_that_is_none_begins_no_stream(script):
    for number in ("x", "-1", "1.5", "", "9" * 40):
        reply = script.raw("GET", f"{ROOT}/events", None, {"Last-Event-ID": number})
        assert (reply.status, reply.error) == (BAD, "invalid"), number


def test_a_stream_ends_with_the_login(om, script):
    with script.follow("events") as stream:
        assert next(iter(stream)).kind == "ok"
        om.api("web_revoke", name="script")
        (last,) = [event for event in stream if event.kind == "error"]
        assert last.data["error"] == "unauthorized"


def test_a_stream_whose_daemon_is_killed_says_so_and_the_next_request_is_answered(om, script):
    mission = om.mission("sleep 100")
    with script.follow("events") as stream:
        assert next(iter(stream)).kind == "ok"
        os.kill(om.json("status", "--json")["pid"], signal.SIGKILL)
        (last,) = [event for event in stream if event.kind == "error"]
        assert last.data["error"] == "daemon_lost"
    assert script.get("info", {"id": mission}).json["status"] == "running"


def test_a_wait_over_the_web_ends_as_the_mission_does(om, script):
    mission = om.mission("read line; exit 3", "--type", "session")
    with script.follow(f"wait?ids={mission}") as stream:
        assert next(iter(stream)).kind == "ok"
        assert script.post("send", {"id": mission, "text": "go"}).status == OK
        assert stream.until("item").data["exit_code"] == 3
        assert [event.kind for event in stream] == ["end"]


def unread(site: Site, script: WebScript, path: str) -> socket.socket:
    """Somebody who asks, and never reads the answer."""
    one = socket.create_connection(("127.0.0.1", site.port))
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    head = f"GET {ROOT}/{path} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nAuthorization: Bearer {script.token}\r\n\r\n"
    one.sendall(head.encode())
    return one


def test_who_never_reads_costs_no_memory_and_nobody_else_anything(om, site, script):
    mission = om.mission(f"yes 'a line of a log that is long' | head -c {32 * MB}", "--no-tty")
    om.wait_status(mission, "stopped")
    assert script.get("ps").status == OK
    before = site.memory()
    with ExitStack() as stack:
        for _ in range(MOST_READERS):
            stack.enter_context(unread(site, script, f"log/{mission}"))
        eventually(lambda: script.raw("GET", f"{ROOT}/log/{mission}").status == BUSY, what="no more are read at once")
        assert script.get("ps").status == OK
        assert site.memory() - before < 64 * MB
    eventually(lambda: script.raw("GET", f"{ROOT}/log/{mission}?tail=1").status == OK, what="they are forgotten")


def test_who_never_reads_events_holds_up_nobody(om, site, script):
    with unread(site, script, "events?since=0"), script.follow("events") as stream:
        assert next(iter(stream)).kind == "ok"
        mission = om.mission("true")
        assert stream.until("item", type="stopped", mission=mission)
