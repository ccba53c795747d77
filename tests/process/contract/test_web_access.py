"""Logins of the web as people manage them: links, tokens, who is logged in, and the end of it all."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.kit.overmind import PROGRAM, REPOSITORY
from tests.kit.raw_socket import RawSocket
from tests.kit.terminal import Terminal

SERVER = """
import os, signal, sys, time
from overmind_core.system.paths import Home
from overmind_core.system.web_server import WebServer, lock_web_server, write_web_server
home = Home(sys.argv[1])
lock = lock_web_server(home)
socket, public_url = (one or None for one in sys.argv[2:])
write_web_server(home, WebServer(os.getpid(), time.time(), "http://127.0.0.1:7600", socket, public_url))
print("serves", flush=True)
signal.pause()
"""
"""What commands know of a web server: a process that holds its lock, and says where it is."""
FIREFOX = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"


@contextlib.contextmanager
def serving(om, *, socket="", public=""):
    """A web server stands there, as far as commands can tell."""
    argv = [sys.executable, "-c", SERVER, om.home, socket, public]
    with subprocess.Popen(argv, cwd=REPOSITORY, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"serves\n"
            yield process
        finally:
            process.kill()


def logged_in(om, **link):
    """The answer of a login with a new link."""
    return om.api("web_login", link=om.api("web_link", **link)["link"], browser=FIREFOX)


def code_of(om, cmd, **args):
    with RawSocket.connect(om.home) as connection:
        return connection.request(cmd, **args).get("error")


def test_a_link_is_one_line_that_logs_somebody_in(om):
    om.ok("start")
    with serving(om):
        url = om.ok("web", "link", "--name", "phone", "--for", "7d").removesuffix("\n")
    address, _, secret = url.partition("/#link=")
    assert address == "http://127.0.0.1:7600"
    made = om.api("web_login", link=secret, browser=FIREFOX)
    assert (made["name"], made["read_only"]) == ("phone", False)
    assert om.api("web_check", session=made["session"], key=made["key"])["name"] == "phone"
    (row,) = om.json("web", "sessions", "--json")
    assert (row["name"], row["browser"], row["kind"]) == ("phone", "Firefox on Android", "session")
    shown = om.ok("web", "sessions").splitlines()
    assert shown[0].split() == ["NAME", "BROWSER", "ACCESS", "USED", "ENDS"]
    assert shown[1].split() == ["phone", "Firefox", "on", "Android", "full", "0s", "ago", "in", "7d"]


def test_behind_a_proxy_the_link_is_the_proxy_s_and_a_terminal_shows_it_as_a_picture(om):
    om.ok("start")
    with serving(om, public="https://box.example/om"):
        facts = om.json("web", "link", "--read-only", "--json")
        with Terminal(om, "web", "link") as person:
            assert person.end() == 0
            assert "▀" in person.shown
            assert "within 10 minutes" in person.shown
    assert facts["url"].startswith("https://box.example/om/#link=")
    assert (facts["name"], facts["read_only"], facts["session_seconds"]) == (None, True, 2_592_000.0)
    assert set(facts) == {"url", "name", "read_only", "expires_at", "session_seconds"}


def test_with_a_socket_a_person_is_told_how_to_reach_it(om):
    om.ok("start")
    with serving(om, socket=om.path("web.sock")), Terminal(om, "web", "link") as person:
        assert person.end() == 0
        assert f"ssh -L 7600:{om.path('web.sock')}" in person.shown.replace("\r\n", "")


def test_without_a_server_there_is_no_link_and_the_command_that_starts_one_is_named(om):
    om.ok("start")
    assert "Start one with: overmind web\n" in om.refused("web", "link", code="not_running")
    assert [event for event in om.ndjson("events") if event["type"] == "web"] == []


def test_a_token_is_shown_once_and_only_its_hash_is_kept(om):
    om.ok("start")
    token = om.ok("web", "token", "add", "script", "--read-only").removesuffix("\n")
    assert om.api("web_check", token=token) == {
        "name": "script", "read_only": True, "expires_at": om.json("web", "token", "list", "--json")[0]["expires_at"],
    }  # fmt: skip
    assert om.ok("web", "token", "list").splitlines()[1].split() == ["script", "read-only", "0s", "ago", "in", "30d"]
    assert om.json("web", "sessions", "--json") == []
    om.refused("web", "token", "add", "script", code="name_taken")
    assert om.ok("web", "token", "rm", "script") == "Removed token script\n"
    assert code_of(om, "web_check", token=token) == "unauthorized"
    om.refused("web", "token", "rm", "script", code="not_found")
    om.ok("shutdown")
    for folder, _, names in os.walk(om.home):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                assert token.encode() not in file.read(), name


def test_logins_outlive_the_daemon_and_end_with_a_revocation(om):
    om.ok("start")
    phone, tv = logged_in(om, name="phone"), logged_in(om, name="tv")
    token = om.api("web_token", name="script")["token"]
    om.mission("exec sleep 1000")
    os.kill(om.supervisor_pid(), signal.SIGKILL)
    assert om.ok("web", "revoke", "phone") == "Revoked session phone\n"
    assert code_of(om, "web_check", session=phone["session"], key=phone["key"]) == "unauthorized"
    assert om.api("web_check", session=tv["session"], key=tv["key"])["name"] == "tv"
    om.api("web_link", name="later")
    assert om.ok("web", "revoke", "--all", "-y") == "Revoked session tv\nRevoked token script\nRevoked 1 unused link\n"
    assert code_of(om, "web_check", session=tv["session"], key=tv["key"]) == "unauthorized"
    assert code_of(om, "web_check", token=token) == "unauthorized"
    assert om.json("web", "revoke", "--all", "-y", "--json") == {"revoked": [], "links": 0}


def test_who_follows_events_hears_of_a_revocation_and_of_no_secret(om):
    om.ok("start")
    with RawSocket.connect(om.home) as follower:
        follower.ok("events", follow=True)
        login = logged_in(om, name="phone")
        om.api("web_revoke", name="phone")
        lines: list[dict[str, Any]] = []
        while not lines or lines[-1]["item"]["change"] != "revoked":
            lines.append(follower.read_line())
    assert [(line["item"]["type"], line["item"]["change"], line["item"]["name"]) for line in lines] == [
        ("web", "link", "phone"),
        ("web", "login", "phone"),
        ("web", "revoked", "phone"),
    ]
    text = json.dumps(lines)
    assert login["session"] not in text
    assert login["key"] not in text


def test_stop_ends_the_server_and_no_login(om):
    om.ok("start")
    logged_in(om, name="phone")
    with serving(om) as server:
        assert om.ok("web", "stop") == f"Web server stopped (PID {server.pid})\n"
        assert server.wait() < 0
    assert om.ok("web", "stop") == "The web server is not running\n"
    assert om.json("web", "stop", "--json") == {"pid": None}
    assert [row["name"] for row in om.json("web", "sessions", "--json")] == ["phone"]


@pytest.mark.parametrize(
    "words",
    [
        ["web", "link"], ["web", "token", "add", "x"], ["web", "token", "list"], ["web", "token", "rm", "x"],
        ["web", "sessions"], ["web", "revoke", "--all", "-y"], ["web", "stop"], ["web"],
    ],
)  # fmt: skip
def test_inside_a_mission_all_is_forbidden(om, words):
    om.ok("start")
    with serving(om) as server:
        inside = om.finished([*PROGRAM, *words])
        assert inside["exit_code"] == 1
        assert "Error: forbidden: A process inside a mission" in om.logs(inside["id"])
        assert server.poll() is None


WRONG = [
    (["web", "link", "--name", "No Name"], "'No Name' is not a name"),
    (["web", "link", "--name", "x" * 33], "is not a name: write 1 to 32"),
    (["web", "link", "--for", "soon"], "--for"),
    (["web", "token"], "Missing action"),
    (["web", "token", "add"], "Missing name: web token add NAME"),
    (["web", "token", "rm"], "Missing name: web token rm NAME"),
    (["web", "token", "list", "x"], "takes no name"),
    (["web", "token", "rm", "x", "--for", "1d"], "--read-only and --for are for: web token add"),
    (["web", "revoke"], "Give a name or --all"),
    (["web", "revoke", "x", "--all"], "Give a name or --all"),
]


@pytest.mark.parametrize(("words", "sentence"), WRONG, ids=lambda one: " ".join(one) if isinstance(one, list) else "")
def test_a_command_line_that_makes_no_sense_is_refused(om, words, sentence):
    assert sentence in om.refused(*words, code="invalid", exit_code=2)


@pytest.mark.parametrize("lifetime", ["59s", "0", "3651d", -1, 0, 1e300])
def test_a_lifetime_is_from_a_minute_to_ten_years(om, lifetime):
    om.ok("start")
    assert code_of(om, "web_link", lifetime=lifetime) == "invalid"
    assert code_of(om, "web_token", name="x", lifetime=lifetime) == "invalid"


HOSTILE: list[tuple[str, dict[str, Any]]] = [
    ("web_login", {}), ("web_login", {"link": 7}), ("web_login", {"link": None}), ("web_login", {"link": ["x"]}),
    ("web_check", {"session": 7}), ("web_check", {"token": {}}), ("web_check", {"cookie": "x"}),
    ("web_link", {"name": 7}), ("web_link", {"read_only": "no"}), ("web_link", {"name": ""}),
    ("web_token", {}), ("web_token", {"name": None}), ("web_token", {"name": "a\0b"}), ("web_token", {"name": "../x"}),
    ("web_revoke", {}), ("web_revoke", {"name": "x", "all": True}), ("web_revoke", {"name": "x", "kind": "link"}),
    ("web_sessions", {"all": True}),
]  # fmt: skip
REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("web_login", {"link": ""}), ("web_login", {"link": "x" * 500_000}), ("web_login", {"link": "\ud800"}),
    ("web_check", {}), ("web_check", {"session": "x"}), ("web_check", {"key": "x"}), ("web_check", {"token": ""}),
    ("web_check", {"session": "", "key": ""}), ("web_check", {"session": "x", "key": "y", "token": "z"}),
]  # fmt: skip


def test_what_makes_no_sense_is_invalid_and_what_opens_nothing_is_unauthorized(om):
    om.ok("start")
    for cmd, args in HOSTILE:
        assert code_of(om, cmd, **args) == "invalid", (cmd, args)
    for cmd, args in REFUSED:
        assert code_of(om, cmd, **args) in {"unauthorized", "invalid"}, (cmd, args)
    assert om.json("web", "sessions", "--json") == []


def test_a_hostile_browser_is_a_line_of_a_table_like_any_other(om):
    om.ok("start")
    link = om.api("web_link")["link"]
    om.api("web_login", link=link, browser="\x1b[2J\u202e<img onerror=x>\n\tcurl" + "x" * 100_000)
    header, row = om.ok("web", "sessions").splitlines()
    assert "\x1b" not in row
    assert len(row) < 150
    assert header.startswith("NAME")


def test_of_many_that_use_a_link_at_once_one_is_let_in(om):
    om.ok("start")
    link = om.api("web_link")["link"]
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(RawSocket.connect(om.home)) for _ in range(8)]
        for connection in connections:
            connection.send("web_login", link=link, browser=FIREFOX)
        answers = [connection.read_line() for connection in connections]
    assert sorted(answer.get("error", "in") for answer in answers) == ["in", *["unauthorized"] * 7]
