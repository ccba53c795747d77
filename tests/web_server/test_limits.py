"""Limits of the web server: half requests, silent connections, endless frames, answers that nobody reads."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from overmind_core.system.paths import Home
from overmind_web.live.feed import Feed
from overmind_web.live.socket import MOST_UNSENT, Tabs
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
