"""The place of a daemon: a home of this machine, or a hive that is reached through a gate (see `client/hives`).

A place connects. Who asks, and what is asked again after a loss, is the client's.
"""

from __future__ import annotations

import os

from overmind_core.client.connection import ANSWER_LIMIT
from overmind_core.client.daemon import TO_ANSWER, connect_or_start, connect_until, try_connect
from overmind_core.errors import OvermindError
from overmind_core.system import unixsocket
from overmind_core.system.paths import Home
from overmind_core.version import VERSION

TYPE_CHECKING = False

if TYPE_CHECKING:
    import _socket
    from typing import TypeAlias

    from overmind_core.client.connection import ApiConnection
    from overmind_core.client.daemon import Searching
    from overmind_core.client.hives.hive import Hive

    Place: TypeAlias = "LocalPlace | Hive"


class LocalPlace:
    """A home of this machine."""

    __slots__ = ("home",)
    keyed = False
    """A daemon that is lost here ends with its socket: whoever asked looks."""

    def __init__(self, home: Home) -> None:
        self.home = home

    to_answer = TO_ANSWER
    """The line about a daemon that has accepted a connection, and has not answered yet."""

    def connect(self, *, start: bool, searching: Searching = lambda _: None) -> tuple[ApiConnection, int | None]:
        """Return a connection, and the daemon's pid when it had to be started; see `daemon.connect_or_start`."""
        return connect_or_start(self.home, start=start, searching=searching)

    def try_connect(self) -> ApiConnection | None:
        """Return a connection; None: nobody listens there, or can't just now."""
        return try_connect(self.home)

    def connect_until(self, deadline: float, searching: Searching = lambda _: None) -> ApiConnection | None:
        """Return a connection as soon as there is one; None at `deadline` (seconds, monotonic clock)."""
        return connect_until(self.home, deadline, searching=searching)

    def is_revived(self) -> bool:
        """Whether somebody starts the next daemon when this one is gone: a keeper lives."""
        from overmind_core.system.lock import holder_pid  # noqa: PLC0415  (start-up: only when a daemon was lost)

        return holder_pid(self.home.keeper_lock) is not None

    def open_terminal(self, address: str) -> tuple[_socket.socket, bytes]:
        """Return a connection to the keeper, of this user, and what has come on it already.

        Raises:
            OSError: nobody listens there, or it takes too long.
            OvermindError: `forbidden`, another user's process listens there.
        """
        connected = unixsocket.connect(address, ANSWER_LIMIT)
        if unixsocket.peer(connected).uid != os.getuid():
            connected.close()
            raise OvermindError("forbidden", f"{address} belongs to another user.")
        return connected, b""

    def mute(self, limit: float) -> OvermindError:
        """Return what is said of a daemon that accepts a connection and has not answered for `limit` seconds."""
        from overmind_core.system.lock import holder_pid  # noqa: PLC0415 - for this sentence alone

        pid = holder_pid(self.home.supervisor_lock)
        message = f"The daemon{f' (PID {pid})' if pid else ''} has not answered for {limit:.0f} s"
        if pid and _is_stopped(pid):
            return OvermindError("busy", f"{message}: it is stopped. Resume it with: kill -CONT {pid}")
        return OvermindError("busy", f"{message}. Try again.")

    def comes_back(self, *, is_started: bool) -> str:
        """Return what is said while it is lost; `is_started`: a keeper, or who asks, starts the next one."""
        how = ", which is being started again" if is_started else ": the connection to it was lost"
        return f"waits for the daemon{how}"

    def back(self, pid: object) -> str:
        """Return what is said once it answers again; `pid`: of the daemon."""
        return f"The daemon answers again (PID {pid})"

    def lost(self, limit: float) -> OvermindError:
        """Return what is said when it was lost and did not come back for `limit` seconds."""
        within = f"within {limit:.0f} s. See: overmind status"
        return OvermindError("daemon_lost", f"The connection to the daemon was lost and not restored {within}")

    def older(self, version: str) -> str:
        """Return what is said when its daemon is of an older version than this program."""
        return f"client newer than daemon ({VERSION}, {version}): overmind start --replace"

    def unknown_outcome(self, key: str | None = None) -> OvermindError:
        """Return what is said when it was lost before it answered a request that must not be sent twice."""
        del key
        return OvermindError(
            "daemon_lost",
            "The connection to the daemon was lost before it answered. Check the result with: overmind ps",
        )


def place_of(home: Home | Place) -> Place:
    """Return the place of a home of this machine; a place is one already."""
    return LocalPlace(home) if isinstance(home, Home) else home


def _is_stopped(pid: int) -> bool:
    """Whether a process is stopped or traced; False where the system has no /proc."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2][:1] in {b"T", b"t"}
    except OSError:
        return False
