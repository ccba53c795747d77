"""SIGTERM ends the web server, and soon: whoever is connected, whatever was asked, and whoever answers nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from typing import Any

import pytest

from overmind_core.system.paths import Home
from overmind_web.app import WebApp
from overmind_web.server import address as addresses
from tests.kit.waiting import eventually
from tests.kit.web_script import ROOT, WebScript
from tests.kit.web_site import Site

PATIENCE = 20.0
"""Seconds for the process to go on a busy machine."""
VIEWS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("missions", {}),
    ("needs", {}),
    ("log", {"missions": ["one"]}),
    ("mission", {"id": "one"}),
    ("doctor", {}),
)


@pytest.fixture
def stopped() -> Iterator[Callable[[int], None]]:
    """Have a process hear nothing until the test is over."""
    pids: list[int] = []

    def stop(pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        pids.append(pid)

    yield stop
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def end_of(site: Site) -> str:
    """Tell a server to end; what it wrote to its log."""
    os.kill(site.pid, signal.SIGTERM)
    assert site.ended(PATIENCE) == 0, site.log()
    return site.log()


def test_with_all_open_and_a_supervisor_that_answers_nothing(site, stopped):
    om = site.om
    om.ok("run", "--name", "one", "--type", "session", "while :; do echo word; sleep .1; done")
    script = WebScript(site.port, str(om.api("web_token", name="s")["token"]))
    with ExitStack() as opened:
        tabs = [opened.enter_context(site.tab()) for _ in range(3)]
        for tab in tabs:
            for number, (view, args) in enumerate(VIEWS, start=1):
                tab.say({"t": "open", "p": number, "view": view, "args": args, "from": 0, "to": 90, "at": "tail"})
            tab.say({"t": "look", "visible": True, "mission": None, "ago": 0, "calls": False})
            shown: set[int] = set()
            while len(shown) < len(VIEWS):
                shown.add(tab.heard(lambda message: "p" in message)["p"])
        terminals = [
            opened.enter_context(site.client.socket(f"/tty?id=one&mode={mode}&columns=80&rows=24", site.session))
            for mode in ("look", "type")
        ]
        for terminal in terminals:
            terminal.recv(PATIENCE)
        for path in ("events?since=0", "figures?ids=one&every=1"):
            stream = opened.enter_context(script.follow(path))
            assert next(iter(stream)).kind == "ok"
        stopped(om.supervisor_pid())
        for tab in tabs:
            tab.begin("ps")
            tab.begin("signal", id="one", signal="SIGUSR1")
            tab.say({"t": "open", "p": 1, "view": "missions", "args": {"all": True}, "from": 0, "to": 90})
            tab.say({"t": "ping"})
            tab.heard(lambda message: message["t"] == "pong")
        unanswered = site.client.connect()
        opened.callback(unanswered.close)
        unanswered.sendall(f"GET {ROOT}/ps HTTP/1.1\r\nHost: {site.client.host}\r\n".encode())
        assert "Traceback" not in end_of(site)


def test_with_a_thread_that_reads_what_never_comes(site):
    """As on a disk of another machine that is gone: here a pipe stands where a log should."""
    mission = site.om.mission("echo word")
    site.om.wait_status(mission, "stopped")
    (run,) = site.om.api("logs", ids=[mission])["missions"][0]["runs"]
    for name in os.listdir(run["path"]):
        os.unlink(os.path.join(run["path"], name))
        os.mkfifo(os.path.join(run["path"], name))
    with closing(site.client.connect()) as asking:
        head = {"Host": site.client.host, **site.session.headers()}
        lines = [f"GET {ROOT}/log/{mission} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
        asking.sendall("\r\n".join([*lines, "", ""]).encode())
        writer = eventually(lambda: opened_pipe(run["path"]), timeout=PATIENCE, what="the log is read")
        assert writer is not None
        assert "Traceback" not in end_of(site)
        os.close(writer)


def opened_pipe(folder: str) -> int | None:
    """The end for writing of one of a folder's pipes, which somebody reads."""
    for name in os.listdir(folder):
        with suppress(OSError):  # nobody reads it
            return os.open(os.path.join(folder, name), os.O_WRONLY | os.O_NONBLOCK)
    return None


def test_while_it_begins_and_the_supervisor_answers_nothing(om, stopped):
    """The first greeting has a long limit of its own; the end does not wait for it."""
    om.ok("start")
    stopped(om.supervisor_pid())

    async def begin() -> str:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            app = WebApp(Home(om.home), addresses.listening("127.0.0.1", 1, secure=False), [listening])
            stop = asyncio.Event()
            serving = asyncio.ensure_future(app.run(stop, pytest.fail))
            await asyncio.sleep(0)
            stop.set()
            await serving
            return app.supervisor.message

    assert asyncio.run(begin()) == "", "the greeting's limit was waited for"
