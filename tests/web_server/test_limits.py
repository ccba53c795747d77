"""Limits of the web server: half requests, silent connections, endless frames, answers that nobody reads."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import resource
from collections.abc import MutableMapping
from typing import Any

import pytest

from overmind_core.system.paths import Home
from overmind_web.live.feed import Feed
from overmind_web.live.socket import MOST_UNSENT, Tabs
from overmind_web.server import serving
from overmind_web.server.protocol import MOST_STRANGERS
from overmind_web.supervisor import Supervisor
from tests.web_server.test_expiry import Logins, lasting

pytestmark = pytest.mark.shared_home


class Mute:
    """A page's end of a socket that asks for ever and reads nothing."""

    def __init__(self) -> None:
        self.asked = 0

    async def receive(self) -> dict[str, Any]:
        self.asked += 1
        await asyncio.sleep(0)
        return {"type": "websocket.receive", "text": '{"t":"ping"}'}

    async def send(self, event: MutableMapping[str, Any]) -> None:
        if event["type"] == "websocket.send":
            await asyncio.Event().wait()


def test_who_asks_and_reads_nothing_is_not_listened_to(tmp_path):
    mute = Mute()

    async def serve() -> None:
        supervisor = Supervisor(Home(str(tmp_path)))
        scope = {"type": "websocket", "subprotocols": [], "state": {"visitor": lasting(100.0)}}
        tabs = Tabs(supervisor, Feed(supervisor), Logins(lasting(100.0)), {})  # type: ignore[arg-type]
        tab = asyncio.ensure_future(tabs(scope, mute.receive, mute.send))
        before = -1
        while before != mute.asked:
            before = mute.asked
            for _ in range(100):
                await asyncio.sleep(0)
        tab.cancel()
        await asyncio.wait([tab])

    asyncio.run(serve())
    assert mute.asked < 2 * MOST_UNSENT


@pytest.mark.parametrize(
    ("files", "most"), [(80, 40), (serving.FILES, MOST_STRANGERS), (resource.RLIM_INFINITY, MOST_STRANGERS)]
)
def test_strangers_have_fewer_connections_than_there_are_open_files(files, most):
    assert serving.most_strangers(files) == most


def test_connections_without_a_descriptor_are_a_line_of_the_log_now_and_then():
    failure = OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    def record(message: str) -> logging.LogRecord:
        return logging.LogRecord("asyncio", logging.ERROR, "", 1, message, (), (OSError, failure, None))

    refusals = serving._Refusals(iter((0.0, 0.1, 59.0, 61.0)).__next__)
    refused = [record("socket.accept() out of system resource\nsocket: <…>") for _ in range(4)]
    assert [refusals.filter(one) for one in refused] == [True, False, False, True]
    assert {one.getMessage() for one in (refused[0], refused[-1])} == {"connections wait: Too many open files"}
    assert refused[0].exc_info is None
    other = record("Task exception was never retrieved")
    assert refusals.filter(other)
    assert other.exc_info is not None
