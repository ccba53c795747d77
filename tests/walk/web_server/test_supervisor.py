"""The web server's connection to the daemon, in this process: what is asked while it breaks."""

from __future__ import annotations

import asyncio

import psutil

from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_web.supervisor import Supervisor
from tests.kit.killing import kill
from tests.kit.waiting import eventually


def test_what_is_asked_while_the_connection_breaks_is_asked_of_the_next_daemon(om):
    """The loop has not heard yet that the connection is over when the first request finds out, and the next comes."""
    om.mission(["sleep", "600"])  # its keeper starts the next one

    async def ask() -> list[object]:
        supervisor = Supervisor(Home(om.home))
        await supervisor.start()
        try:
            pid = om.supervisor_pid()
            kill(pid)
            eventually(lambda: not psutil.pid_exists(pid), what="its threads are gone, and so its sockets")
            once = {"id": "nobody", "signal": "SIGUSR1"}
            asked = [("signal", once), ("ps", None), ("ps", None), ("signal", once)]
            return list(await asyncio.gather(*(supervisor.call(*one) for one in asked), return_exceptions=True))
        finally:
            await supervisor.close()

    sent, *answers, unsent = asyncio.run(ask())
    assert isinstance(sent, OvermindError)
    assert sent.code == "daemon_lost"
    assert [len(answer) for answer in answers if isinstance(answer, list)] == [1, 1]
    assert isinstance(unsent, OvermindError)
    assert unsent.code == "not_found"
