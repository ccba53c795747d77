"""Whom the server lets in: a table of requests, as browsers, pages elsewhere and scripts send them."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from overmind_core.errors import OvermindError
from overmind_web.server import guard
from overmind_web.server.address import listening, public
from overmind_web.server.credentials import Secrets
from overmind_web.server.guard import Entry, Guard, Refusal, cookie_name, judge
from tests.kit.web_inside import ScriptedCredentials, visitor

HERE = listening("127.0.0.1", 7600, secure=False)
BOX = public("https://box.example/om")
HOST, ORIGIN = (b"host", b"127.0.0.1:7600"), (b"origin", b"http://127.0.0.1:7600")
COOKIE, KEY = (b"cookie", b"overmind_7600=abc"), (guard.KEY_HEADER, b"k1")
TOKEN = (b"authorization", b"Bearer t1")
OFFERED = (b"sec-websocket-protocol", f"{guard.SUBPROTOCOL}, {guard.KEY_PREFIX}k1".encode())
ELSEWHERE = (b"sec-fetch-site", b"cross-site")
FOLLOWED = [(b"sec-fetch-mode", b"navigate"), (b"sec-fetch-dest", b"document")]
LOGGED_IN = (Secrets(session="abc", key="k1"),)

LET_IN = {
    "the shell": ("GET", "/", [HOST], True, ()),
    "a file of ours": ("GET", "/s/app.js", [HOST], True, ()),
    "the head of a file": ("HEAD", "/s/app.js", [HOST], True, ()),
    "a login": ("POST", "/login", [HOST, ORIGIN], True, ()),
    "a link to the shell on a page elsewhere": ("GET", "/", [HOST, ELSEWHERE, *FOLLOWED], True, ()),
    "a page of ours that asks": ("POST", "/api/v1/ps", [HOST, ORIGIN, COOKIE, KEY], False, LOGGED_IN),
    "a page of ours that reads": ("GET", "/api/v1/ps", [HOST, COOKIE, KEY], False, LOGGED_IN),
    "a cookie alone is nobody": ("GET", "/api/v1/ps", [HOST, COOKIE], False, ()),
    "a key alone is nobody": ("GET", "/api/v1/ps", [HOST, KEY], False, ()),
    "a script needs no origin": ("POST", "/api/v1/ps", [HOST, TOKEN], False, (Secrets(token="t1"),)),
    "a token counts alone": ("GET", "/api/v1/ps", [HOST, TOKEN, COOKIE, KEY], False, (Secrets(token="t1"),)),
    "reading the path of a login": ("GET", "/login", [HOST], False, ()),
    "writing to the shell": ("POST", "/", [HOST, ORIGIN], False, ()),
    "cookies of other ports are none": (
        "GET", "/x", [HOST, KEY, (b"cookie", b"overmind_80=x; overmind_7600=abc; other=1")], False, LOGGED_IN,
    ),
    "so many cookies of our name are tried": (
        "GET", "/x", [HOST, KEY, (b"cookie", b"; ".join(b"overmind_7600=%d" % at for at in range(9)))], False,
        tuple(Secrets(session=str(at), key="k1") for at in range(guard.MOST_COOKIES)),
    ),
}  # fmt: skip
REFUSED = {
    "no host": ("GET", "/", [], "misdirected", "The request names no Host."),
    "two hosts": ("GET", "/", [HOST, HOST], "misdirected", "The request names more than one Host."),
    "another host": ("GET", "/", [(b"host", b"evil.example")], "misdirected", "The request is for Host 'evil.example'"),
    "another port": ("GET", "/", [(b"host", b"127.0.0.1:7601")], "misdirected", "The request is for Host "),
    "a login without an origin": ("POST", "/login", [HOST], "forbidden", "The request names no Origin."),
    "a page elsewhere that asks": (
        "POST", "/login", [HOST, (b"origin", b"http://evil.example")], "forbidden",
        "Pages of Origin 'http://evil.example' have no access.",
    ),
    "a page elsewhere that reads": (
        "GET", "/s/app.js", [HOST, (b"origin", b"http://evil.example")], "forbidden", "Pages of Origin ",
    ),
    "a token of a page elsewhere": (
        "POST", "/api/v1/ps", [HOST, TOKEN, (b"origin", b"http://evil.example")], "forbidden", "Pages of Origin ",
    ),
    "what a page elsewhere embeds": ("GET", "/s/app.js", [HOST, ELSEWHERE], "forbidden", "A page elsewhere has sent"),
    "a link to what is no shell": ("GET", "/s/app.js", [HOST, ELSEWHERE, *FOLLOWED], "forbidden", "A page elsewhere"),
    "a frame elsewhere": (
        "GET", "/", [HOST, ELSEWHERE, (b"sec-fetch-mode", b"navigate"), (b"sec-fetch-dest", b"iframe")], "forbidden",
        "A page elsewhere",
    ),
    "a script elsewhere that asks for a document": (
        "GET", "/", [HOST, ELSEWHERE, (b"sec-fetch-mode", b"cors"), (b"sec-fetch-dest", b"document")], "forbidden",
        "A page elsewhere",
    ),
    "a form elsewhere": ("POST", "/", [HOST, ORIGIN, ELSEWHERE, *FOLLOWED], "forbidden", "A page elsewhere"),
    **{
        f"two headers {name.decode()}": (
            "GET", "/", [HOST, (name, b"a"), (name, b"b")], "forbidden",
            f"The request has more than one header {name.decode()}.",
        )
        for name in guard.SINGLE if name != b"host"
    },
}  # fmt: skip


@pytest.mark.parametrize("name", LET_IN)
def test_what_comes_from_our_pages_and_from_scripts_goes_on(name):
    method, path, headers, is_open, candidates = LET_IN[name]
    assert judge(HERE, socket=False, method=method, path=path, headers=headers) == Entry(path, is_open, candidates)


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_page_elsewhere_could_send_goes_no_further(name):
    method, path, headers, error, words = REFUSED[name]
    found = judge(HERE, socket=False, method=method, path=path, headers=headers)
    assert isinstance(found, Refusal)
    assert (found.error, found.message[: len(words)]) == (error, words)


SOCKETS: dict[str, Any] = {
    "a page of ours": ([HOST, ORIGIN, COOKIE, OFFERED], LOGGED_IN),
    "a script": ([HOST, TOKEN], (Secrets(token="t1"),)),
    "no cookie": ([HOST, ORIGIN, OFFERED], ()),
    "a key in a header is none": ([HOST, ORIGIN, COOKIE, KEY], ()),
    "two keys are none": (
        [HOST, ORIGIN, COOKIE, (b"sec-websocket-protocol", f"{guard.KEY_PREFIX}a, {guard.KEY_PREFIX}b".encode())], (),
    ),
    "no origin": ([HOST, COOKIE, OFFERED], "The request names no Origin."),
    "another origin": ([HOST, COOKIE, OFFERED, (b"origin", b"null")], "Pages of Origin 'null' have no access."),
    "a link to the shell is none": ([HOST, ORIGIN, ELSEWHERE, *FOLLOWED], "A page elsewhere has sent this request."),
}  # fmt: skip


@pytest.mark.parametrize("name", SOCKETS)
def test_a_socket_is_never_open_to_those_who_are_not_logged_in(name):
    headers, expected = SOCKETS[name]
    found = judge(HERE, socket=True, method="GET", path="/", headers=headers)
    if isinstance(expected, str):
        assert found == Refusal("forbidden", expected)
    else:
        assert found == Entry("/", False, expected)


@pytest.mark.parametrize(
    ("path", "inner", "is_open"),
    [("/om", "", True), ("/om/", "/", True), ("/om/s/app.js", "/s/app.js", True), ("/", "/", True),
     ("/om/x", "/x", False), ("/omen", "/omen", False)],
)  # fmt: skip
def test_the_prefix_of_a_proxy_is_taken_off_wherever_it_stands(path, inner, is_open):
    found = judge(BOX, socket=False, method="GET", path=path, headers=[(b"host", b"box.example")])
    assert found == Entry(inner, is_open, ())


def test_a_cookie_has_the_port_in_its_name_as_servers_on_others_share_the_host():
    assert cookie_name(HERE, "localhost:7600") == "overmind_7600"
    assert cookie_name(BOX, "box.example") == "overmind_443"


class Served:
    """A guard in front of an application that notes who comes; `ask` is one request."""

    def __init__(self, address=HERE, who=None):
        self.came = []
        self.waits = None
        credentials: Any = ScriptedCredentials(who or visitor())
        self.credentials = credentials
        self._guard: Any = Guard(self._app, address, credentials)

    async def _app(self, scope, _receive, send):
        self.came.append((scope["path"], scope["state"].get("visitor")))
        if self.waits is not None:
            await self.waits.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"max-age=9")]})
        await send({"type": "http.response.body", "body": b"{}"})

    async def ask(self, path="/x", *headers, kind="http", method="GET"):
        sent = []

        async def send(message):
            sent.append(message)

        scope = {"type": kind, "method": method, "path": path, "headers": [HOST, *headers], "state": {}}
        await self._guard(scope, None, send)
        return sent


def asked(*args, served=None, **how):
    return asyncio.run((served or Served()).ask(*args, **how))


def test_who_is_logged_in_comes_in_by_name():
    served = Served()
    assert asked("/x", COOKIE, KEY, served=served)[0]["status"] == 200
    assert served.came == [("/x", visitor())]


@pytest.mark.parametrize(
    ("who", "status", "error"),
    [
        (None, 401, "unauthorized"),
        (visitor(expires_at=1.0), 401, "unauthorized"),
        (OvermindError("daemon_not_running", "It does not run."), 503, "daemon_not_running"),
    ],
)
def test_who_is_not_does_not_come_in(who, status, error):
    served = Served()
    served.credentials.visitor = who
    start, body = asked("/x", COOKIE, KEY, served=served)
    assert (start["status"], msgspec.json.decode(body["body"])["error"], served.came) == (status, error, [])
    assert (b"connection", b"close") in start["headers"]


def test_what_is_open_needs_no_login():
    served = Served()
    assert asked("/", served=served)[0]["status"] == 200
    assert served.came == [("/", None)]


def test_every_answer_has_the_headers_that_protect_pages_and_only_ours_are_kept():
    answered, refused = dict(asked("/")[0]["headers"]), dict(asked("/x")[0]["headers"])
    for headers in (answered, refused):
        assert dict(guard.HEADERS).items() <= headers.items()
    assert (answered[b"cache-control"], refused[b"cache-control"]) == (b"max-age=9", b"no-store")
    policy = answered[b"content-security-policy"].decode()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_prefix_alone_leads_to_its_slash():
    served = Served(BOX)

    async def story():
        sent = []

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/om", "headers": [(b"host", b"box.example")], "state": {}}
        await served._guard(scope, None, send)
        return sent

    start, body = asyncio.run(story())
    assert body == {"type": "http.response.body"}
    assert (start["status"], dict(start["headers"])[b"location"], served.came) == (308, b"/om/", [])


def test_a_socket_that_is_refused_gets_a_status_too():
    start, body = asked("/ws", ORIGIN, OFFERED, kind="websocket")
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert body["type"] == "websocket.http.response.body"


def test_one_login_has_so_many_requests_at_once_and_room_again_after_them():
    async def story():
        served = Served()
        served.waits = asyncio.Event()
        inside = [asyncio.create_task(served.ask("/x", TOKEN)) for _ in range(guard.MOST_PER_VISITOR)]
        await asyncio.sleep(0)
        refused = await served.ask("/x", TOKEN)
        served.waits.set()
        answered = await asyncio.gather(*inside)
        return refused, answered, await served.ask("/x", TOKEN), served._guard._inside

    refused, answered, after, left = asyncio.run(story())
    assert msgspec.json.decode(refused[1]["body"]) == {
        "error": "busy", "message": f"phone has {guard.MOST_PER_VISITOR} connections already.",
    }  # fmt: skip
    assert {sent[0]["status"] for sent in answered} == {200}
    assert (after[0]["status"], left) == (200, {})
