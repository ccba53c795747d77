"""Behind a real nginx and a real Caddy, at a path: it works, and with the server's own Host it says what is wrong."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.engines.web.conftest import Watched
from tests.kit.engines import leave_out
from tests.kit.overmind import Overmind
from tests.kit.waiting import eventually
from tests.kit.web_client import WebClient

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; "" ""; }}
    server {{
        listen 127.0.0.1:{port};
        location /om/ {{
            proxy_pass http://127.0.0.1:{inner};
            {host}
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_buffering off;
            proxy_read_timeout 1h;
        }}
    }}
}}
"""
CADDY = """
{{
    admin off
    auto_https off
}}
http://127.0.0.1:{port} {{
    {handle} /om/* {{
        reverse_proxy 127.0.0.1:{inner} {{
            {host}
        }}
    }}
}}
"""


class Proxy(NamedTuple):
    """How a proxy is set up.

    Attributes:
        program: Its name.
        settings: Of it, to be filled in.
        right: What makes it pass the browser's Host on.
        wrong: What makes it send the server's own.
        handle: Whether the path is taken away.
    """

    program: str
    settings: str
    right: str
    wrong: str
    handle: str = ""


PROXIES = {
    "nginx": Proxy("nginx", NGINX, "proxy_set_header Host $http_host;", ""),
    "caddy": Proxy("caddy", CADDY, "", "header_up Host {upstream_hostport}", "handle"),
    "caddy that takes the path away": Proxy("caddy", CADDY, "", "header_up Host {upstream_hostport}", "handle_path"),
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
        return True
    return False


Begin = Callable[[Proxy, int, int, str], None]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Start a proxy at a port, in front of the server at another one."""
    running: list[subprocess.Popen[bytes]] = []

    def start(proxy: Proxy, port: int, inner: int, host: str) -> None:
        path = shutil.which(proxy.program, path=f"{os.environ['PATH']}:/usr/sbin")
        if path is None:
            leave_out("web", f"{proxy.program} is not installed: apt-get install nginx-light caddy")
        file = tmp_path / "settings"
        values = {"folder": tmp_path, "port": port, "inner": inner, "host": host, "handle": proxy.handle}
        file.write_text(proxy.settings.format(**values))
        words = {
            "nginx": [path, "-p", str(tmp_path), "-c", str(file), "-e", "stderr"],
            "caddy": [path, "run", "--adapter", "caddyfile", "--config", str(file)],
        }[proxy.program]
        environment = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
        with open(tmp_path / "log", "ab") as log:
            running.append(subprocess.Popen(words, env=environment, stdout=log, stderr=log))
        eventually(lambda: answers(port), timeout=20.0, what=f"{proxy.program} listens")

    yield start
    for process in running:
        process.terminate()
        process.wait(20)


@pytest.fixture
def inner(om: Overmind) -> Iterator[Callable[[int], str]]:
    """Start the web server behind a public port; its link."""
    yield lambda port: om.ok(
        "web", "--background", "--port", "0", "--public-url", f"http://127.0.0.1:{port}/om"
    ).splitlines()[0]
    om("web", "stop")


def inner_port(om: Overmind) -> int:
    with open(om.path("web.json"), encoding="utf-8") as file:
        return int(json.load(file)["url"].rpartition(":")[2])


@pytest.mark.parametrize("kind", list(PROXIES))
def test_a_path_behind_a_proxy_works_with_sockets_and_in_a_browser(
    om: Overmind, inner: Callable[[int], str], begin: Begin, browser: Browser, kind: str
) -> None:
    port = free_port()
    link = inner(port)
    begin(PROXIES[kind], port, inner_port(om), PROXIES[kind].right)
    client = WebClient(f"http://127.0.0.1:{port}/om/")
    assert client.ask("GET", "/om/").status == 200
    session = client.log_in(om.ok("web", "link").strip())
    with client.tab(session) as tab:
        assert tab.hear()["t"] == "hello"
        assert tab.press("ps")["ok"] == []
    assert client.ask("GET", "/om/nothing").status == 401
    site = SimpleNamespace(url=f"http://127.0.0.1:{port}/om/", first_link=link)
    watched = Watched(browser, site)  # type: ignore[arg-type] # of which it needs these
    try:
        page = watched.open()
        assert page.url.startswith(f"http://127.0.0.1:{port}/om/")
        assert "link=" not in page.url
    finally:
        watched.close()
    assert not watched.problems, "\n".join(watched.problems)


@pytest.mark.parametrize("kind", ["nginx", "caddy"])
def test_a_proxy_that_sends_the_servers_own_host_is_told_what_to_change(
    om: Overmind, inner: Callable[[int], str], begin: Begin, kind: str
) -> None:
    port = free_port()
    inner(port)
    begin(PROXIES[kind], port, inner_port(om), PROXIES[kind].wrong)
    refused = WebClient(f"http://127.0.0.1:{port}/om/").ask("GET", "/om/")
    assert refused.status == 421
    assert f"127.0.0.1:{inner_port(om)}" in refused.json()["message"]
    assert "pass the browser's Host on" in refused.json()["message"]
