"""The command `web`: where it listens, what it prints, that there is one server, and its end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.killing import without_waiting
from tests.kit.overmind import Overmind
from tests.kit.waiting import eventually
from tests.kit.web_client import WebClient

Serve = Callable[..., str]


@pytest.fixture
def web(om: Overmind) -> Iterator[Serve]:
    """Run `overmind web --background` with more options; what it printed. Ended after the test."""
    yield lambda *options: om.ok("web", "--background", *options)
    om("web", "stop")


def about(om: Overmind) -> dict[str, Any]:
    with open(om.path("web.json"), encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    return found


def test_it_starts_a_daemon_prints_one_link_and_says_where_it_is(om, web):
    printed = web("--port", "0")
    assert len(printed.splitlines()) == 1
    where = about(om)
    assert printed.startswith(f"{where['url']}/#link=")
    assert (where["socket"], where["public_url"]) == (None, None)
    assert os.stat(om.path("web.json")).st_mode & 0o777 == 0o600
    client = WebClient(where["url"] + "/")
    with client.tab(client.log_in(printed.strip())) as tab:
        assert tab.hear()["read_only"] is False
        assert tab.press("ps")["ok"] == []


def test_a_second_one_prints_a_link_to_the_first_and_leaves_it_alone(om, web):
    first = web("--port", "0").strip()
    second = om("web", "--port", "1")
    assert second.returncode == 0
    link = second.stdout.strip().splitlines()[0]
    assert link != first
    assert link.partition("#")[0] == first.partition("#")[0]
    facts = json.loads(om.ok("web", "--json"))
    assert facts["pid"] == about(om)["pid"]
    client = WebClient(about(om)["url"] + "/")
    for one in (first, link, facts["url"]):
        client.log_in(one)


def test_ten_that_are_started_at_once_are_one_server(om):
    om.ok("start")
    words = [sys.executable, "-P", "-m", "overmind_web", "--port", "0"]
    begun = [subprocess.Popen(words, env=om.environment, stdout=subprocess.PIPE, text=True) for _ in range(10)]
    try:
        lines = []
        for process in begun:
            assert process.stdout is not None
            lines.append(process.stdout.readline().strip())
        assert len({line.partition("#")[0] for line in lines}) == 1
        assert len(set(lines)) == 10
        serving = [process for process in begun if process.pid == about(om)["pid"]]
        assert len(serving) == 1
        assert [process.wait(20) for process in begun if process not in serving] == [0] * 9
    finally:
        for process in begun:
            process.terminate()
            process.wait(20)
            assert process.stdout is not None
            process.stdout.close()


def test_a_port_that_is_taken_is_said_to_be_so_and_by_what_option_another_one_is_chosen(om):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for more in ([], ["--background"]):
            refused = om("web", "--port", str(taken.getsockname()[1]), *more)
            assert refused.returncode == 1
            assert without_waiting(refused.stderr).startswith("Error: busy: ")
            assert "--port" in refused.stderr
    assert not os.path.exists(om.path("web.json"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_cleanly(om, web, number):
    web("--port", "0")
    pid = about(om)["pid"]
    os.kill(pid, number)
    eventually(lambda: not os.path.exists(om.path("web.json")))
    eventually(lambda: not os.path.exists(f"/proc/{pid}"))
    with open(om.path("web.log"), encoding="utf-8") as log:
        assert "Traceback" not in log.read()
    web("--port", "0")  # the lock is free


def test_killed_it_leaves_nothing_that_stops_the_next_one(om, web):
    web("--port", "0")
    os.kill(about(om)["pid"], signal.SIGKILL)
    eventually(lambda: om("web", "stop").stdout.startswith("The web server is not running"))
    web("--port", "0")


def test_stop_ends_it_and_who_was_logged_in_is_so_again_with_the_next_one(om, web):
    printed = web("--port", "0").strip()
    client = WebClient(about(om)["url"] + "/")
    session = client.log_in(printed)
    assert om.ok("web", "stop").startswith("Web server stopped (PID ")
    web("--port", client.host.rpartition(":")[2])
    with client.tab(session) as tab:
        assert tab.hear()["t"] == "hello"


def test_a_link_that_may_only_look(om, web):
    printed = web("--port", "0", "--read-only").strip()
    client = WebClient(about(om)["url"] + "/")
    with client.tab(client.log_in(printed)) as tab:
        assert tab.hear()["read_only"] is True
        assert tab.press("run", command="true", cwd="/")["error"] == "forbidden"


def test_no_link_is_printed_where_none_is_wanted(om, web):
    assert web("--port", "0", "--no-link") == ""
    assert about(om)["pid"]


def test_a_socket_in_the_home_is_its_owners_alone_and_takes_any_forwarded_port(om, web):
    web("--socket")
    where = about(om)
    assert where["socket"] == om.path("web.sock")
    assert os.stat(where["socket"]).st_mode & 0o777 == 0o600
    for host in ("localhost:7600", "127.0.0.1:9999", "localhost"):
        client = WebClient(f"http://{host}/", where["socket"])
        session = client.log_in(om.ok("web", "link").strip())
        assert session.cookie.startswith(f"overmind_{host.partition(':')[2] or '80'}=")
        with client.tab(session) as tab:
            assert tab.hear()["t"] == "hello"
        assert client.ask("GET", "/", {"Host": "evil.example"}).status == 421
        assert client.ask("POST", "/login", {"Origin": "http://localhost:1"}, "{}").status == 403
    om.ok("web", "stop")
    assert not os.path.exists(where["socket"])


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[str, str]:
    """Files of a certificate and its key."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("there is no openssl to make a certificate with")
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    words = [program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=box.example"]
    subprocess.run([*words, "-out", cert, "-keyout", key], check=True, capture_output=True)
    return cert, key


def test_with_a_certificate_it_speaks_tls_and_cookies_are_for_that_alone(om, web, certificate):
    cert, key = certificate
    printed = web("--port", "0", "--cert", cert, "--key", key).strip()
    assert printed.startswith("https://127.0.0.1:")
    client = WebClient(printed.partition("#")[0])
    session = client.log_in(printed)
    with client.connect() as plain:
        assert plain.version() in {"TLSv1.2", "TLSv1.3"}  # type: ignore[attr-defined]
    body = json.dumps({"link": om.ok("web", "link").strip().partition("#link=")[2]})
    cookie = client.ask("POST", "/login", body=body).header("set-cookie") or ""
    assert "secure" in cookie.lower()
    assert client.ask("GET", "/nothing", session.headers()).status == 404
    with socket.create_connection(("127.0.0.1", int(client.host.rpartition(":")[2])), 20) as unspoken:
        unspoken.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            assert b"HTTP" not in unspoken.recv(4096)


def test_behind_a_public_url_only_that_host_counts_with_and_without_its_path(om, web):
    printed = web("--port", "0", "--public-url", "https://box.example/om")
    first, *code = printed.splitlines()
    assert first.startswith("https://box.example/om/#link=")
    assert len(code) > 10  # for a phone to scan
    where = about(om)
    assert where["public_url"] == "https://box.example/om"
    inner = WebClient(where["url"] + "/")
    ours = {"Host": "box.example", "Origin": "https://box.example"}
    refused = inner.ask("GET", "/")
    assert refused.status == 421
    assert "--public-url" in refused.json()["message"]
    assert inner.ask("GET", "/", {"Host": "evil.example", "X-Forwarded-Host": "box.example"}).status == 421
    for path in ("/om/", "/"):
        assert inner.ask("GET", path, {"Host": "box.example"}).status == 200
    moved = inner.ask("GET", "/om", {"Host": "box.example"})
    assert (moved.status, moved.header("location")) == (308, "/om/")
    body = json.dumps({"link": first.partition("#link=")[2]})
    answer = inner.ask("POST", "/om/login", dict(ours), body)
    cookie = (answer.header("set-cookie") or "").lower()
    assert answer.status == 200
    assert {"secure", "path=/om/"} <= {word.strip() for word in cookie.split(";")}
    assert cookie.startswith("overmind_443=")


def test_in_the_background_it_is_the_first_command_of_a_new_home(make_home):
    fresh = make_home()
    shutil.rmtree(fresh.home)
    assert "#link=" in fresh.ok("web", "--background", "--port", "0", cwd="/")
    fresh.ok("web", "stop")


def test_a_public_url_without_tls_is_served_and_told_of(om, web):
    addresses = {"http://box.example/om": True, "https://box.example": False, "http://localhost:8080": False}
    for url, told in addresses.items():
        served = om("web", "--background", "--port", "0", "--public-url", url)
        assert served.stdout.startswith(url)
        assert (f"{url} has no TLS" in served.stderr) is told
        om.ok("web", "stop")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0"], "Give --cert and --key"),
        (["--host", "192.0.2.1"], "Give --cert and --key"),
        (["--host", "a b"], "write a host name or an address"),
        (["--cert", "x"], "--cert and --key go together"),
        (["--public-url", "box.example"], "write an address such as"),
        (["--port", "x"], "write the number of a port"),
        (["--port", "65536"], "write the number of a port"),
        (["--socket", "--port", "1"], "--socket takes no --port"),
        (["--cert", "/none", "--key", "/none"], "can't be used"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_started(om, options, said):
    refused = om("web", "--background", *options)
    assert refused.returncode != 0
    assert said in refused.stderr
    assert not os.path.exists(om.path("overmind.sock"))


def test_defaults_are_in_the_settings(om, web):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with open(om.path("config.toml"), "w", encoding="utf-8") as config:
        config.write(f'[web]\nport = {port}\npublic_url = "https://box.example"\n')
    assert web().startswith("https://box.example/#link=")
    assert about(om)["url"] == f"http://127.0.0.1:{port}"


def test_a_process_inside_a_mission_may_not_serve_the_web(om):
    mission = om.mission(["sh", "-c", f"{sys.executable} -m overmind_core.cli web --background; true"])
    om.wait_status(mission, "stopped", "crashed")
    assert "forbidden" in om.ok("logs", mission)
    assert not os.path.exists(om.path("web.json"))


def test_a_browser_is_sent_to_the_link_by_a_file_and_no_program_is_given_it(om, web, tmp_path):
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nps -A -o args > {seen}.args\ncp "${{1#file://}}" {seen}.html\necho "$1" > {seen}\n')
    browser.chmod(0o755)
    om.environment["BROWSER"] = f"{browser} %s"
    web("--port", "0", "--open")
    eventually(seen.exists, what="a browser is opened")
    address = seen.read_text(encoding="utf-8").strip()
    assert address.startswith("file://")
    page = Path(f"{seen}.html").read_text(encoding="utf-8")
    link = page.partition("url=")[2].partition('"')[0]
    assert "#link=" in link
    assert link.partition("#link=")[2] not in Path(f"{seen}.args").read_text(encoding="utf-8", errors="replace")
    assert os.stat(om.path("web-open.html")).st_mode & 0o777 == 0o600
    client = WebClient(about(om)["url"] + "/")
    client.log_in(link)
    om.ok("web", "stop")
    assert not os.path.exists(om.path("web-open.html"))
