"""Logging in: a link works once, for whom it was made; an end of a login is an end of its sockets at once."""

from __future__ import annotations

import contextlib
import json

import pytest
from websockets.exceptions import InvalidStatus

from tests.kit.waiting import eventually
from tests.kit.web_client import Session, WebClient
from tests.kit.web_tab import is_closed

pytestmark = pytest.mark.shared_home


def login(client: WebClient, link: str) -> int:
    body = json.dumps({"link": link.partition("#link=")[2]})
    return client.ask("POST", "/login", body=body).status


def test_a_link_works_once_and_says_then_how_to_get_another_one(site):
    link = site.link()
    assert login(site.client, link) == 200
    answer = site.client.ask("POST", "/login", body=json.dumps({"link": link.partition("#link=")[2]}))
    assert (answer.status, answer.json()["error"]) == (401, "unauthorized")
    assert "overmind web link" in answer.json()["message"]
    assert answer.header("set-cookie") is None


def test_a_preview_of_a_link_uses_nothing_up(site):
    link = site.link()
    for method in ("GET", "HEAD"):
        for _ in range(3):
            assert site.client.ask(method, "/", {"User-Agent": "preview", "Origin": None}).status == 200
    assert login(site.client, link) == 200


BODIES = [
        b"", b"{}", b"[]", b"null", b'{"link":1}', b'{"link":null}', b'{"link":""}', b'{"link":"x"}', b"\xff\xfe",
        b'{"link":"' + b"a" * 43 + b'"}', b'{"link":"' + b"a" * 10_000 + b'"}', b'{"link":"x","more":1}',
        b"link=x", b"[" * 4_000, b'{"link":"\\ud800' + b"a" * 40 + b'"}', b'{"link":"\\u0000"}',
]  # fmt: skip


def test_what_is_no_link_logs_nobody_in(site, cases):
    for body in BODIES:
        with cases(repr(body[:40])):
            answer = site.client.ask("POST", "/login", body=body)
            assert answer.status in {400, 401, 413}
            assert answer.header("set-cookie") is None


def test_the_cookie_is_for_this_port_and_no_script_reads_it(site):
    body = json.dumps({"link": site.link().partition("#link=")[2]})
    answer = site.client.ask("POST", "/login", {"User-Agent": "Mozilla/5.0 (Android 15) Firefox/140.0"}, body)
    cookie = answer.header("set-cookie") or ""
    words = {word.strip().lower() for word in cookie.split(";")[1:]}
    assert cookie.startswith(f"overmind_{site.client.host.rpartition(':')[2]}=")
    assert {"httponly", "samesite=strict", "path=/"} <= words
    assert "secure" not in words  # over http no browser would keep it
    age = next(int(word.partition("=")[2]) for word in words if word.startswith("max-age"))
    assert 29 * 86_400 < age <= 30 * 86_400
    assert set(answer.json()) == {"key", "name", "read_only", "expires_at"}
    row = next(
        one for one in json.loads(site.om.ok("web", "sessions", "--json")) if one["name"] == answer.json()["name"]
    )
    assert row["browser"] == "Firefox on Android"


def test_no_secret_is_in_any_log_list_or_argument(site):
    secret = site.link().partition("#link=")[2]
    body = json.dumps({"link": secret})
    answer = site.client.ask("POST", "/login", body=body)
    value = (answer.header("set-cookie") or "").partition("=")[2].partition(";")[0]
    session = Session((answer.header("set-cookie") or "").partition(";")[0], answer.json()["key"])
    with site.tab(session) as tab:
        tab.hear()
    secrets = [secret, value, answer.json()["key"]]
    seen = [site.log(), site.om.ok("events"), site.om.ok("web", "sessions", "--json")]
    for name in ("daemon.log", "web.json"):
        with open(site.om.path(name), encoding="utf-8", errors="replace") as file:
            seen.append(file.read())
    for pid in (site.pid, site.om.supervisor_pid()):
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            seen.append(file.read())
    assert not [one for one in secrets for text in seen if one in text]


def test_revoked_while_open_it_is_gone_at_once_and_others_stay(site):
    session = site.log_in("lost-phone")
    with site.tab(session) as lost, site.tab() as other:
        lost.hear()
        other.hear()
        site.om.ok("web", "revoke", "lost-phone")
        assert lost.heard(lambda message: message["t"] == "bye")["error"] == "revoked"
        assert is_closed(lost)
        assert site.client.ask("GET", "/nothing", session.headers()).status == 401
        assert isinstance(other.press("ps")["ok"], list)
    with pytest.raises(InvalidStatus) as refused:
        site.client.socket("/ws", session)
    assert refused.value.response.status_code == 401


def test_who_is_revoked_and_does_not_read_is_gone_all_the_same(site):
    session = site.log_in("mute-phone")
    tab = site.tab(session)
    tab.socket.socket.settimeout(2.0)
    with contextlib.suppress(TimeoutError):
        for number in range(200):
            tab.say({"t": "do", "n": number, "verb": "ps", "args": {"all": True}})
    site.om.ok("web", "revoke", "mute-phone")
    assert is_closed(tab)


def test_logged_out_the_session_has_ended(site):
    session = site.log_in()
    with site.tab(session) as tab:
        tab.hear()
        answer = site.client.ask("POST", "/logout", session.headers())
        assert answer.status == 200
        assert "max-age=0" in (answer.header("set-cookie") or "").lower()
        assert is_closed(tab)
    assert site.client.ask("GET", "/nothing", session.headers()).status == 401


def test_a_login_that_may_only_look_changes_nothing(site):
    session = site.log_in(read_only=True)
    with site.tab(session) as tab:
        assert tab.hear()["read_only"] is True
        for verb, args in (
            ("run", {"command": "true", "cwd": "/"}),
            ("stop", {"id": "x"}),
            ("seen", {"ids": ["x"]}),
            ("messages", {"id": "x", "cancel": 1}),
            ("merge", {"id": "x"}),
            ("answer", {"question": 1}),
        ):
            assert tab.press(verb, **args)["error"] == "forbidden", verb
        assert isinstance(tab.press("ps")["ok"], list)
        assert tab.press("info", id="nothing")["error"] == "not_found"


def test_a_token_replaces_both_secrets_and_the_origin(site):
    token = site.om.ok("web", "token", "add", "script").strip()
    bearer = {"Authorization": f"Bearer {token}"}
    assert site.client.ask("GET", "/nothing", dict(bearer)).status == 404
    assert site.client.ask("POST", "/nothing", {**bearer, "Origin": None}).status == 404
    assert site.client.ask("POST", "/nothing", {**bearer, "Origin": "https://evil.example"}).status == 403
    headers = list(bearer.items())
    with site.client.socket("/ws", headers=headers, origin=None) as socket:
        assert json.loads(socket.recv())["name"] == "script"
    site.om.ok("web", "token", "rm", "script")
    eventually(lambda: site.client.ask("GET", "/nothing", dict(bearer)).status == 401)


def test_cookies_of_other_servers_of_this_host_are_no_harm(site):
    """A server on another port can set cookies of our name for the whole host; which one comes first is not ours."""
    name = site.session.cookie.partition("=")[0]
    for cookie in (f"{name}=planted; {site.session.cookie}", f"a=b; {site.session.cookie}; {name}=planted"):
        headers = {"Cookie": cookie, "X-Overmind-Key": site.session.key}
        assert site.client.ask("GET", "/nothing", headers).status == 404
    many = "; ".join(f"{name}={number:043d}" for number in range(100))
    headers = {"Cookie": f"{many}; {site.session.cookie}", "X-Overmind-Key": site.session.key}
    assert site.client.ask("GET", "/nothing", headers).status == 401


def test_what_somebody_asks_for_is_done_in_their_name(site):
    session = site.log_in("tablet")
    with site.tab(session) as tab:
        name = tab.press("run", command="sleep 60", cwd="/", name="by-tablet")["ok"]["name"]
        assert tab.press("freeze", id=name)["ok"]
        assert tab.press("kill", id=name)["ok"]
    assert [event["by"] for event in site.om.events("paused")] == ["web:tablet"]


def test_a_mission_started_from_a_page_has_the_environment_of_the_server(site):
    with site.tab() as tab:
        assert tab.press("run", command="true", cwd="/", name="has-path")["ok"]
    info = eventually(lambda: json.loads(site.om.ok("info", "has-path")), what="it is there")
    assert info["status"] in {"running", "starting", "stopped"}
    assert eventually(lambda: json.loads(site.om.ok("info", "has-path"))["status"] == "stopped")
