"""One tab's socket, served in the test: what it says and when, whom it ends, and what it holds back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_web.live import socket
from overmind_web.server.guard import SUBPROTOCOL
from tests.kit.in_process import until
from tests.kit.web_inside import looked_at, visitor

NOW = asyncio.get_running_loop


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path / "home"))


def test_a_tab_is_told_first_who_it_is_then_that_the_daemon_is_there_then_what_stands_at_the_top(home):
    async def play(tab):
        await until(lambda: tab.said["head"], "a head")
        return tab.accepted, tab.order

    accepted, order = looked_at(home, play, hello={"host": "box"}, who=visitor(name="desk"))
    assert accepted["subprotocol"] == SUBPROTOCOL
    assert [message["t"] for message in order[:3]] == ["hello", "up", "head"]
    hello, up, _ = order[:3]
    assert (hello["name"], hello["read_only"], hello["host"]) == ("desk", False, "box")
    assert {"name": "needs", "title": "Needs you", "key": "!", "listed": True} in hello["pages"]
    assert (up["ok"], up["message"]) == (True, "")


def test_a_tab_learns_that_the_daemon_is_lost_and_why(home):
    async def play(tab):
        tab.supervisor.lose("The daemon does not run.")
        await until(lambda: len(tab.said["up"]) > 1, "it is lost")
        return tab.said["up"][-1]

    assert looked_at(home, play) == {"t": "up", "ok": False, "message": "The daemon does not run."}


def test_a_ping_is_answered(home):
    async def play(tab):
        tab.send(t="ping")
        await until(lambda: tab.said["pong"], "a pong")

    looked_at(home, play)


def test_a_page_that_answers_pings_stays_and_one_that_is_silent_for_long_is_closed(home):
    async def play(tab):
        await asyncio.sleep(3 * socket.SILENCE_SECONDS)
        pings = len(tab.said["ping"])
        assert tab.closed is None
        tab.pongs = False
        since = NOW().time()
        await until(lambda: tab.closed is not None, "it is closed")
        return pings, NOW().time() - since

    pings, silent = looked_at(home, play)
    assert pings >= 3 * socket.SILENCE_SECONDS // socket.PING_SECONDS - 1
    assert socket.SILENCE_SECONDS - socket.PING_SECONDS <= silent <= socket.SILENCE_SECONDS + socket.PING_SECONDS


@pytest.mark.parametrize("text", ["nonsense", '{"t":"dance"}', "[]", '{"t":"open","p":-1,"view":"needs"}'])
def test_who_sends_nonsense_is_told_so_and_closed(home, text):
    async def play(tab):
        tab.receive({"type": "websocket.receive", "text": text})
        await until(lambda: tab.closed is not None, "it is closed")
        return tab.said["bye"], tab.closed

    (bye,), closed = looked_at(home, play)
    assert (bye["error"], bye["message"][:15], closed) == ("invalid", "Not a message: ", socket.BROKEN)


ENDS = {
    "revoked": (None, "revoked"),
    "expired": (visitor(expires_at=1.0), "unauthorized"),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_tab_ends_with_its_login_and_says_why(home, name):
    who, why = ENDS[name]

    async def play(tab):
        tab.credentials.visitor = who
        await tab.credentials.tell()
        await until(lambda: tab.closed is not None, "it is closed")
        return tab.said["bye"][0]["error"], tab.closed

    assert looked_at(home, play) == (why, socket.REVOKED)


def test_a_login_that_nobody_can_check_now_goes_on(home):
    async def play(tab):
        tab.credentials.visitor = OvermindError("daemon_not_running", "It does not run.")
        await tab.credentials.tell()
        await asyncio.sleep(2 * socket.PING_SECONDS)
        return tab.closed, tab.said["bye"]

    assert looked_at(home, play) == (None, [])


def test_a_login_that_ended_while_nobody_could_check_ends_its_tab_all_the_same(home):
    async def play(tab):
        tab.credentials.visitor = OvermindError("busy", "The daemon does not answer. Try again.")
        await tab.credentials.tell()
        tab.credentials.visitor = None
        await until(lambda: tab.closed is not None, "it is closed")
        return tab.said["bye"][0]["error"], tab.closed

    assert looked_at(home, play) == ("revoked", socket.REVOKED)


def test_a_login_that_may_only_look_by_now_may_only_look(home):
    async def play(tab):
        before = await tab.press("queue_set", paused=True)
        tab.credentials.visitor = visitor(read_only=True)
        await tab.credentials.tell()
        return before, await tab.press("queue_set", paused=False)

    before, after = looked_at(home, play)
    assert "ok" in before
    assert after["error"] == "forbidden"


def test_a_view_that_is_not_there_says_so_and_leaves_room_for_others(home):
    async def play(tab):
        unknown = await tab.open("nosuch", pane=1)
        for number in range(socket.MOST_PANES):
            await tab.open("new", pane=10 + number)
        full = await tab.open("new", pane=2)
        tab.send(t="close", p=10)
        room = await tab.open("new", pane=2)
        again = await tab.open("new", pane=2)
        return unknown, full, room["t"], again["t"]

    unknown, full, *opened = looked_at(home, play)
    assert (unknown["t"], unknown["error"], unknown["p"]) == ("failed", "not_found", 1)
    assert unknown["message"] == "There is no view 'nosuch'."
    assert (full["t"], full["error"], full["message"]) == ("failed", "too_large", "A tab has 8 panes at most.")
    assert opened == ["content", "content"]


def test_a_pane_that_is_closed_is_told_nothing_any_more(home):
    async def play(tab):
        await tab.open("missions", pane=3)
        tab.send(t="close", p=3)
        await tab.inside.run(["sleep", "9"])
        await asyncio.sleep(5.0)
        return len(tab.panes[3])

    assert looked_at(home, play) == 1


def test_changes_of_a_moment_are_one_frame_and_what_the_page_asks_for_does_not_wait_for_them(home):
    async def play(tab):
        await tab.open("missions")
        for number in range(5):
            await tab.inside.run(["sleep", "9"], name=f"m{number}")
        await until(lambda: len(tab.panes[1][-1].get("ids", ())) == 6, "five rows and their heading")
        frames = len(tab.panes[1])
        since = NOW().time()
        tab.send(t="window", p=1, from_=2, to=4)
        tab.send(t="open", p=2, view="new", args={})
        await tab.framed(2)
        return frames, NOW().time() - since

    frames, waited = looked_at(home, play)
    assert frames <= 4
    assert waited < socket.GATHER


PRESSES: dict[str, Any] = {
    "what was done is answered": ("queue_set", {"paused": True}, "ok", None),
    "what is refused says why": ("info", {"id": "nosuch"}, "not_found", "nosuch"),
    "a stream is no press": ("events", {}, "forbidden", "events is shown by a pane."),
    "what is not offered": ("shutdown", {}, "forbidden", None),
    "what there is not": ("dance", {}, "unknown_command", "There is no request 'dance'."),
}


@pytest.mark.parametrize("name", PRESSES)
def test_a_press_comes_to_what_the_daemon_says(home, name):
    verb, args, word, part = PRESSES[name]

    async def play(tab):
        return await tab.press(verb, **args), [who for command, _, who in tab.supervisor.asked if command == verb]

    did, asked_by = looked_at(home, play)
    assert word != "ok" or asked_by == ["web:phone"]
    assert (did["t"], did["n"]) == ("did", 1)
    assert did.get("error", "ok") == word
    assert ("ok" in did) is (word == "ok")
    assert part is None or part in did["message"]


def test_a_press_that_fails_within_the_server_tells_no_details_and_the_tab_goes_on(home):
    async def play(tab):
        tab.supervisor.refusing["queue_set"] = ValueError("a secret path")
        return await tab.press("queue_set", paused=True), await tab.press("queue")

    did, after = looked_at(home, play)
    assert (did["error"], "secret" in did["message"]) == ("internal", False)
    assert "ok" in after


def test_who_looks_at_a_mission_has_seen_it_in_every_tab(home):
    async def play(tab):
        mission = await tab.inside.run(["sleep", "9"])
        await until(lambda: mission in tab.feed.fleet.fleet.rows, "its row")
        await until(lambda: tab.inside.app.registry.live[mission].run, "its run")
        tab.keeper.write(f"{mission}.1", b"something new\n")
        tab.feed.fleet.fleet.rows[mission]["unseen"] = True
        did = await tab.press("seen", id=mission)
        return did, tab.feed.fleet.fleet.rows[mission]["unseen"]

    did, unseen = looked_at(home, play)
    assert ("ok" in did, unseen) == (True, False)


def test_a_browser_that_reads_nothing_has_nothing_more_read_of_it(home):
    async def play(tab):
        tab.reads.clear()
        for _ in range(3 * socket.MOST_UNSENT):
            tab.send(t="ping")
        await asyncio.sleep(1.0)
        unread = tab._incoming.qsize()
        tab.reads.set()
        await until(lambda: len(tab.said["pong"]) == 3 * socket.MOST_UNSENT, "all pongs")
        return unread

    unread = looked_at(home, play)
    assert socket.MOST_UNSENT <= unread <= 2 * socket.MOST_UNSENT


def test_no_more_presses_are_begun_than_a_tab_may_have(home, monkeypatch):
    async def play(tab):
        begun = 0
        go_on = asyncio.Event()

        async def pressed(*_):
            nonlocal begun
            begun += 1
            await go_on.wait()
            yield "ok", {}

        monkeypatch.setattr(socket, "press", pressed)
        for number in range(socket.MOST_PRESSES + 5):
            tab.send(t="do", n=number, verb="queue", args={})
        await asyncio.sleep(1.0)
        first = begun
        go_on.set()
        await until(lambda: len(tab.said["did"]) == socket.MOST_PRESSES + 5, "all answers")
        return first

    assert looked_at(home, play) == socket.MOST_PRESSES


def test_a_press_that_streams_hands_on_its_items_before_its_answer(home, monkeypatch):
    async def play(tab):
        async def pressed(*_):
            yield "ok", {"id": 1}
            yield "item", "one"
            yield "item", "two"

        monkeypatch.setattr(socket, "press", pressed)
        did = await tab.press("merge", id="x")
        return did, tab.said["item"]

    did, items = looked_at(home, play)
    assert did == {"t": "did", "n": 1, "ok": {"id": 1}}
    assert items == [{"t": "item", "n": 1, "item": "one"}, {"t": "item", "n": 1, "item": "two"}]


def test_the_server_ends_a_tab_after_what_it_has_said(home):
    async def play(tab):
        tab.send(t="ping")
        await until(lambda: tab.said["pong"], "a pong")
        tab.tab.end()
        await until(lambda: tab.closed is not None, "it is closed")
        return tab.closed

    assert looked_at(home, play) == socket.ENDED
