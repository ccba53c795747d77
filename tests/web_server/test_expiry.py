"""Open sockets whose login runs out: closed when its time is over, or when it ended while they were being opened."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from overmind_core.system.paths import Home
from overmind_web.live.feed import Feed
from overmind_web.live.socket import REVOKED, Tabs
from overmind_web.server.credentials import Secrets, Visitor
from overmind_web.supervisor import Supervisor

Application = Callable[[Any, Any, Any], Awaitable[None]]
PATIENCE = 30.0
"""Seconds for anything to happen on a busy machine."""
SECRETS = Secrets(session="s" * 43, key="k" * 43)


class Logins:
    """Says that this one is logged in, or nobody; nothing about logins happens.

    Args:
        visitor: Who is asked about.
    """

    def __init__(self, visitor: Visitor | None) -> None:
        self._visitor = visitor

    async def check(self, secrets: Secrets) -> Visitor | None:
        """Return who it is."""
        assert secrets == SECRETS
        return self._visitor

    def watch(self, recheck: Callable[[], Awaitable[None]]) -> Callable[[], None]:
        """Take whom to tell, and tell nothing."""
        del recheck
        return lambda: None


def lasting(seconds: float) -> Visitor:
    """Somebody whose login ends in so many seconds."""
    return Visitor("phone", read_only=False, expires_at=time.time() + seconds, secrets=SECRETS)


class Opened:
    """A page's end of a socket, in this process: answers pings and acknowledges nothing."""

    def __init__(self, visitor: Visitor, path: str, query: str = "") -> None:
        self.scope = {
            "type": "websocket", "path": path, "query_string": query.encode(), "headers": [],
            "subprotocols": ["overmind.1"], "state": {"visitor": visitor},
        }  # fmt: skip
        self.sent: list[dict[str, Any]] = []
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._inbox.put_nowait({"type": "websocket.connect"})

    async def send(self, event: dict[str, Any]) -> None:
        """Take what the server sends."""
        self.sent.append(event)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The text messages that came."""
        return [json.loads(event["text"]) for event in self.sent if event.get("text")]

    async def serve(self, application: Application) -> None:
        """Serve it until the server ends it."""
        async with asyncio.timeout(PATIENCE):
            await application(self.scope, self._inbox.get, self.send)


async def tab(home: str, visitor: Visitor, logins: Logins) -> Opened:
    """A tab of a home without a daemon, when it has ended."""
    supervisor = Supervisor(Home(home))
    opened = Opened(visitor, "/ws")
    tabs = Tabs(supervisor, Feed(supervisor), logins, {})  # type: ignore[arg-type]  # of which they use this much
    await opened.serve(tabs)
    return opened


def test_a_tab_whose_login_runs_out_is_told_so_and_closed(tmp_path):
    async def test() -> None:
        visitor = lasting(0.2)
        opened = await tab(str(tmp_path), visitor, Logins(visitor))
        assert opened.messages[0]["t"] == "hello"
        assert opened.messages[-1] == {"t": "bye", "error": "unauthorized"}
        assert opened.sent[-1] == {"type": "websocket.close", "code": REVOKED}

    asyncio.run(test())


def test_a_tab_whose_login_ended_while_it_was_being_opened_is_closed(tmp_path):
    async def test() -> None:
        opened = await tab(str(tmp_path), lasting(3600.0), Logins(None))
        assert opened.messages[-1] == {"t": "bye", "error": "revoked"}
        assert opened.sent[-1] == {"type": "websocket.close", "code": REVOKED}

    asyncio.run(test())
