"""What scripts ask over HTTP, and logins, served in the test: answers, refusals, streams that end with a login."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_web.rest import sse
from overmind_web.rest.api import Api
from overmind_web.rest.texts import MOST_TAIL
from overmind_web.server.address import listening, public
from overmind_web.server.credentials import Secrets, Visitor
from overmind_web.server.login import BODY_LIMIT, LONGEST_AGENT, Logins
from tests.kit.in_process import until
from tests.kit.web_inside import ScriptedCredentials, looked_at, visitor

JSON = ("content-type", "application/json")


class Answer:
    """What came for one request, and goes on coming while it is open."""

    def __init__(self):
        self.status, self.headers, self.body, self.ended = 0, {}, b"", False

    async def take(self, message):
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"")
            self.ended = not message.get("more_body", False)

    @property
    def json(self):
        return msgspec.json.decode(self.body)

    @property
    def events(self):
        """The events of a stream so far: (kind, number, content)."""
        found = []
        for text in self.body.decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
            if "event" in lines:
                found.append((lines["event"], lines.get("id"), msgspec.json.decode(lines["data"])))
        return found


async def serve(app, method, target, *pieces, headers=(), who=None, answer=None):
    """Send a request; the answer, once it is whole."""
    path, _, query = target.partition("?")
    coming = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    coming.append({"type": "http.request", "body": b"", "more_body": False})
    answer = answer or Answer()

    async def receive():
        if coming:
            return coming.pop(0)
        return await asyncio.Future()

    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": method,
        "path": path, "raw_path": path.encode(), "query_string": query.encode("latin-1"), "root_path": "",
        "scheme": "http", "headers": [(b"host", b"127.0.0.1:7600"), *((n.encode(), v.encode()) for n, v in headers)],
        "server": ("127.0.0.1", 7600), "client": ("127.0.0.1", 1), "state": {"visitor": who or visitor(name="ci")},
    }  # fmt: skip
    await app(scope, receive, answer.take)
    return answer


@pytest.fixture
def asked(tmp_path):
    """Play a story with the API of a supervisor in which a mission has written: `ask(method, target, body…)`."""

    def story(play):
        async def whole(tab):
            app = Starlette(routes=Api(tab.supervisor, tab.credentials).routes())
            mission = await tab.inside.run(["sleep", "100"], name="worker")
            await until(lambda: f"{mission}.1" in tab.keeper.held, "its run")
            tab.keeper.write(f"{mission}.1", b"one\r\ntwo\r\nthree\r\n")

            async def ask(method, target, *pieces, **how):
                return await serve(app, method, target.replace("MISSION", mission), *pieces, **how)

            return await play(ask, tab, mission)

        return looked_at(Home(str(tmp_path / "home")), whole)

    return story


READS = {
    "a reading": ("GET", "/api/v1/ps?all=true", (), 200),
    "a reading by POST": ("POST", "/api/v1/ps", (b'{"all"', b":true}"), 200),
    "no body": ("POST", "/api/v1/ps", (), 200),
    "a change": ("POST", "/api/v1/queue_set", (b'{"paused":true}',), 200),
    "the description": ("GET", "/openapi.json", (), 200),
}


@pytest.mark.parametrize("name", READS)
def test_a_request_is_answered_as_over_the_socket_in_the_name_of_who_asks(asked, name):
    method, target, pieces, status = READS[name]

    async def play(ask, tab, _):
        answer = await ask(method, target, *pieces, headers=[JSON])
        return answer.status, answer.headers["content-type"], answer.json, tab.supervisor.asked[-1][2]

    found, kind, content, by = asked(play)
    assert (found, kind) == (status, "application/json")
    assert content
    assert target.startswith("/openapi") or by == "web:ci"


REFUSED = {
    "what there is not": ("GET", "/api/v1/dance", (), 404, "unknown_command", "There is no request 'dance'."),
    "a path that there is not": ("GET", "/api/v1/a/b", (), 404, "not_found", "There is no such path."),
    "another method": ("PUT", "/api/v1/ps", (), 400, "invalid", "Ask with GET or POST, not with PUT."),
    "a change by GET": ("GET", "/api/v1/queue_set", (), 400, "invalid", "queue_set takes its arguments as JSON"),
    "a query that is none": ("GET", "/api/v1/ps?all", (), 400, "invalid", "The query is not name=value"),
    "a query beside a body": ("POST", "/api/v1/ps?all=true", (b"{}",), 400, "invalid", "A POST takes its arguments"),
    "no JSON": ("POST", "/api/v1/ps", (b"{",), 400, "invalid", "The body is not JSON: "),
    "no object": ("POST", "/api/v1/ps", (b"[]",), 400, "invalid", "The body must be an object with the arguments."),
    "too much": (
        "POST", "/api/v1/ps", (b" " * BODY_LIMIT, b"{}"), 413, "too_large", f"A request may have {BODY_LIMIT} bytes.",
    ),
    "a tail of less than nothing": ("GET", "/api/v1/log/MISSION?tail=-1", (), 400, "invalid", "tail"),
    "a tail of too much": (
        "GET", f"/api/v1/log/MISSION?tail={MOST_TAIL + 1}", (), 400, "invalid", f"tail must be 0 to {MOST_TAIL}, not ",
    ),
    "a moment that is none": ("GET", "/api/v1/log/MISSION?since=yore", (), 400, "invalid", "since: "),
    "a log of nobody": ("GET", "/api/v1/log/nobody", (), 404, "not_found", ""),
    "what is not offered": ("POST", "/api/v1/shutdown", (), 403, "forbidden", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_why_and_ends_its_connection(asked, name):
    method, target, pieces, status, code, words = REFUSED[name]

    async def play(ask, _tab, _mission):
        return await ask(method, target, *pieces, headers=[JSON])

    answer = asked(play)
    assert (answer.status, answer.json["error"], answer.json["message"][: len(words)]) == (status, code, words)
    assert answer.headers["connection"] == "close"


def test_a_body_is_json_by_its_name_too(asked):
    async def play(ask, _tab, _mission):
        for kind, status in (("text/plain", 400), ("Application/JSON; charset=utf-8", 200)):
            answer = await ask("POST", "/api/v1/ps", b"{}", headers=[("content-type", kind)])
            assert answer.status == status, kind
        return (await ask("POST", "/api/v1/ps", b"{}")).json["message"]

    assert asked(play) == "The body must be JSON, with Content-Type: application/json."


def test_who_may_only_look_changes_nothing(asked):
    async def play(ask, _tab, _mission):
        who = visitor(read_only=True)
        read = await ask("POST", "/api/v1/ps", headers=[JSON], who=who)
        change = await ask("POST", "/api/v1/queue_set", b'{"paused":true}', headers=[JSON], who=who)
        return read.status, change.status, change.json["error"]

    assert asked(play) == (200, 403, "forbidden")


TEXTS = {
    "all": ("", "one\ntwo\nthree\n"),
    "its end": ("?tail=2", "two\nthree\n"),
    "nothing": ("?tail=0", ""),
    "a run": ("?run=1", "one\ntwo\nthree\n"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_log_is_text(asked, name):
    query, text = TEXTS[name]

    async def play(ask, _tab, _mission):
        return await ask("GET", f"/api/v1/log/MISSION{query}")

    answer = asked(play)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert answer.body.decode() == text


def test_a_screen_is_text_with_its_last_line_ended(asked):
    async def play(ask, _tab, _mission):
        return await ask("GET", "/api/v1/screen/MISSION")

    answer = asked(play)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert answer.body.decode().splitlines()[:3] == ["one", "two", "three"]
    assert answer.body.endswith(b"\n")


def test_events_have_numbers_and_go_on_where_somebody_stopped(asked):
    async def play(ask, tab, mission):
        answer = Answer()
        following = asyncio.create_task(ask("GET", "/api/v1/events?since=0", answer=answer))
        await until(lambda: len(answer.events) >= 3, "events")
        later = Answer()
        headers = [("last-event-id", answer.events[1][1])]
        again = asyncio.create_task(ask("GET", "/api/v1/events?since=0", answer=later, headers=headers))
        await until(lambda: len(later.events) >= 2, "events behind that")
        tab.keeper.exit(f"{mission}.1", 0)
        await until(lambda: [one[2].get("type") for one in later.events][-1] == "stopped", "what happens now")
        for task in (following, again):
            task.cancel()
        return answer.status, answer.headers, answer.events, later.events

    status, headers, events, later = asked(play)
    assert (status, headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    assert headers["x-accel-buffering"] == "no"
    assert [(kind, number) for kind, number, _ in events[:3]] == [("ok", None), ("item", "1"), ("item", "2")]
    assert [number for _, number, _ in later[:2]] == [None, "2"]


def test_a_stream_in_silence_sends_comments_and_ends_with_its_login(asked):
    async def play(ask, tab, _mission):
        answer = Answer()
        following = asyncio.create_task(ask("GET", "/api/v1/events", answer=answer))
        await until(lambda: answer.events, "it begins")
        loop = asyncio.get_running_loop()
        since, before = loop.time(), answer.body.count(sse.COMMENT)
        await until(lambda: answer.body.count(sse.COMMENT) == before + 2, "two comments")
        silent = loop.time() - since
        tab.credentials.visitor = OvermindError("daemon_not_running")
        await tab.credentials.tell()
        await asyncio.sleep(1.0)
        assert not answer.ended
        tab.credentials.visitor = None
        await tab.credentials.tell()
        await following
        return silent, answer.ended, answer.events[-1]

    silent, ended, last = asked(play)
    assert sse.ALIVE_SECONDS <= silent <= 2 * sse.ALIVE_SECONDS + 1
    assert (ended, last) == (
        True, ("error", None, {"error": "unauthorized", "message": "This login has ended."}),
    )  # fmt: skip


def test_a_stream_ends_with_a_login_that_nobody_could_check_when_it_ended(asked):
    async def play(ask, tab, _mission):
        answer = Answer()
        following = asyncio.create_task(ask("GET", "/api/v1/events", answer=answer))
        await until(lambda: answer.events, "it begins")
        tab.credentials.visitor = OvermindError("busy")
        await tab.credentials.tell()
        tab.credentials.visitor = None
        await following
        return answer.events[-1][2]["error"]

    assert asked(play) == "unauthorized"


def test_a_stream_ends_when_its_login_expires_though_nobody_says_so(asked):
    async def play(ask, _tab, _mission):
        return await ask("GET", "/api/v1/events", who=visitor(expires_at=time.time() - 1))

    assert asked(play).events[-1][2]["error"] == "unauthorized"


class Log(ScriptedCredentials):
    """Logins as a test says."""

    def __init__(self, *, refuses=None):
        self.expires_at = time.time() + 1000.5
        super().__init__(Visitor("phone", False, self.expires_at, Secrets("s" * 43, "k" * 43)))
        self.refuses, self.seen = refuses, []

    async def login(self, link, browser):
        self.seen.append((link, browser))
        if self.refuses is not None:
            raise self.refuses
        return self.visitor

    async def logout(self, who):
        self.seen.append(who.name)
        if self.refuses is not None:
            raise self.refuses


def logins(credentials, address):
    made = Logins(address, credentials)
    return Starlette(
        routes=[Route("/login", made.login, methods=["POST"]), Route("/logout", made.logout, methods=["POST"])]
    )


HERE, BOX = listening("127.0.0.1", 7600, secure=False), public("https://box.example/om")


@pytest.mark.parametrize(("address", "secure", "path"), [(HERE, False, "/"), (BOX, True, "/om/")])
def test_a_link_becomes_a_cookie_that_no_script_reads_and_a_key(address, secure, path):
    credentials = Log()
    headers = [("user-agent", "x" * 2 * LONGEST_AGENT)]
    answer = asyncio.run(serve(logins(credentials, address), "POST", "/login", b'{"link":"abc"}', headers=headers))
    assert credentials.seen == [("abc", "x" * LONGEST_AGENT)]
    assert answer.json == {
        "key": "k" * 43, "name": "phone", "read_only": False, "expires_at": credentials.expires_at,
    }  # fmt: skip
    name, *parts = (part.strip() for part in answer.headers["set-cookie"].split(";"))
    assert name.endswith("=" + "s" * 43)
    assert {"HttpOnly", "SameSite=strict", f"Path={path}"} <= set(parts)
    assert ("Secure" in parts) is secure
    assert {"Max-Age=1000", "Max-Age=999"} & set(parts)


BAD_LOGINS = {
    "no JSON": (b"{", 400, "invalid"),
    "no link": (b"{}", 400, "invalid"),
    "more than a link": (b'{"link":"a","name":"b"}', 400, "invalid"),
    "too much": (b'{"link":"' + b"a" * 4096 + b'"}', 413, "too_large"),
}


@pytest.mark.parametrize("name", BAD_LOGINS)
def test_what_is_no_login_reaches_nobody(name):
    body, status, code = BAD_LOGINS[name]
    credentials = Log()
    answer = asyncio.run(serve(logins(credentials, HERE), "POST", "/login", body))
    assert (answer.status, answer.json["error"], credentials.seen) == (status, code, [])
    assert "set-cookie" not in answer.headers


def test_a_link_that_does_not_count_sets_no_cookie():
    credentials = Log(refuses=OvermindError("unauthorized", "This link has been used."))
    answer = asyncio.run(serve(logins(credentials, HERE), "POST", "/login", b'{"link":"abc"}'))
    assert (answer.status, answer.json["message"]) == (401, "This link has been used.")
    assert "set-cookie" not in answer.headers


def test_logging_out_takes_the_cookie_away_unless_it_was_refused():
    credentials = Log()
    answer = asyncio.run(serve(logins(credentials, HERE), "POST", "/logout", who=visitor()))
    assert (answer.status, answer.json, credentials.seen) == (200, {}, ["phone"])
    assert "Max-Age=0" in answer.headers["set-cookie"]
    credentials.refuses = OvermindError("daemon_not_running", "It does not run.")
    answer = asyncio.run(serve(logins(credentials, HERE), "POST", "/logout", who=visitor()))
    assert (answer.status, "set-cookie" in answer.headers) == (503, False)
