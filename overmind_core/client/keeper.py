"""The keeper, asked directly: where no daemon can read the state, what runs can still be listed, and ended.

Nothing is decided or stored here. The keeper journals each exit, and the next daemon that can read the state learns it.
"""

from __future__ import annotations

import os
import signal
import time

from overmind_core.client.connection import ANSWER_LIMIT, DaemonConnection
from overmind_core.errors import OvermindError
from overmind_core.system.lock import holder_pid
from overmind_core.system.paths import read_socket_address
from overmind_core.version import VERSION
from overmind_core.wire.keeper import GOODBYE, HELLO, LIST, PROTOCOL, SIGNAL

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from overmind_core.system.paths import Home


LEAVE_LIMIT = 20.0
"""Seconds for a keeper to end what is left, and itself."""
_PAUSE = 0.05


class BareKeeper:
    """The connection of who takes a supervisor's place only to look, or to end everything.

    Args:
        home: The home.
        kill_after: Seconds after which the keeper ends all that is left, and itself, once we hang up; None: it stays.

    Raises:
        OvermindError: `busy`, the keeper does not answer; `internal`, it speaks another protocol.
    """

    def __init__(self, home: Home, *, kill_after: float | None = 0.0) -> None:
        self._home = home
        self._connection = DaemonConnection(read_socket_address(home.keeper_socket, home.keeper_socket_pointer))
        self._number = 0
        self._ask(HELLO, protocol=PROTOCOL, version=VERSION, pid=os.getpid(), daemon=None, kill_after=kill_after)

    def live(self) -> list[str]:
        """Return the runs whose first process lives."""
        return [row["run"] for row in self._ask(LIST)["runs"] if row.get("exit") is None]

    def leave(self) -> None:
        """Hang up; what runs goes on, and no daemon is wanted for it before somebody starts one."""
        self._ask(GOODBYE)
        self._connection.close()

    def end_all(self, grace: float) -> None:
        """Ask all to end, kill what is left after `grace` seconds, and wait until the keeper has left, too."""
        for run in self.live():
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCONT):
                self._ask(SIGNAL, run=run, signal=int(number))
        deadline = time.monotonic() + grace
        while self.live() and time.monotonic() < deadline:
            time.sleep(_PAUSE)
        self._connection.close()
        deadline = time.monotonic() + LEAVE_LIMIT
        while (pid := holder_pid(self._home.keeper_lock)) is not None:
            if time.monotonic() > deadline:
                raise OvermindError("busy", f"The keeper (PID {pid}) did not exit within {LEAVE_LIMIT:.0f} s.")
            time.sleep(_PAUSE)

    def _ask(self, op: str, **fields: object) -> dict[str, Any]:
        self._number += 1
        self._connection.send({"op": op, "n": self._number, **fields})
        try:
            while (answer := self._connection.receive(timeout=ANSWER_LIMIT)).get("n") != self._number:
                pass
        except (TimeoutError, ConnectionError):
            raise OvermindError("busy", "The keeper does not answer. Try again.") from None
        if "error" in answer and op == HELLO:
            raise OvermindError("internal", f"The keeper can't be asked: {answer.get('message')}")
        return dict(answer.get("ok") or {})
