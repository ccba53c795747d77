"""Open sockets whose login runs out: closed when its time is over, or when it ended while they were being opened."""

from __future__ import annotations

import asyncio

from overmind_core.system.paths import Home
from overmind_web.live.socket import REVOKED
from overmind_web.server.credentials import Visitor
from overmind_web.supervisor import Supervisor
from overmind_web.tty.terminal import Terminals
from tests.kit.overmind import Overmind
from tests.web_server.test_expiry import Logins, Opened, lasting


async def terminal(om: Overmind, visitor: Visitor, logins: Logins) -> Opened:
    """The terminal of a program that goes on, when it has ended."""
    mission = om.mission("echo ready; cat", "--type", "session")
    opened = Opened(visitor, "/tty", f"id={mission}&mode=type")
    await opened.serve(Terminals(Home(om.home), logins, Supervisor(Home(om.home))))  # type: ignore[arg-type]  # of which they use this much
    return opened


def test_a_terminal_whose_login_runs_out_or_ended_while_it_was_being_opened_is_closed(om):
    async def test() -> None:
        visitor = lasting(1.0)
        for who, logins in ((visitor, Logins(visitor)), (lasting(3600.0), Logins(None))):
            opened = await terminal(om, who, logins)
            assert opened.sent[0]["type"] == "websocket.accept"
            assert opened.sent[-1] == {"type": "websocket.close", "code": REVOKED, "reason": ""}
            assert not any(message["type"] in {"ended", "failed"} for message in opened.messages)

    om.ok("start")
    asyncio.run(test())
