"""The web server of a home, as other processes know it: a lock that proves it, and a file that says where it is.

The server takes `web.lock` and then writes `web.json`; the file counts only while the process that it names holds the
lock, so that one left behind by `kill -9` names nobody.
"""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.system.lock import PAUSE, Lock, holder_pid, try_lock
from overmind_core.system.paths import write_private
from overmind_core.system.process import send_pinned
from overmind_core.system.small_file import read_small_file

if TYPE_CHECKING:
    from overmind_core.system.paths import Home

STOP_SECONDS = 10.0
"""How long a server may take to end before it is killed."""
KILLED_SECONDS = 5.0
"""How long the system may take to end one that was killed."""


class WebServer(NamedTuple):
    """A web server that runs."""

    pid: int
    started: float
    """Seconds since the epoch."""
    url: str
    """Where this machine reaches it, without a slash at its end: `http://127.0.0.1:7600`. With a socket, where the far
    end of a tunnel to it does."""
    socket: str | None = None
    """Path of the Unix socket that it listens on instead of a port."""
    public_url: str | None = None
    """Where a proxy serves it, without a slash at its end."""

    @property
    def address(self) -> str:
        """Where a person reaches it from elsewhere, if that is known."""
        return self.public_url or self.url


def lock_web_server(home: Home) -> Lock | None:
    """Become the one web server of a home; None: there is one. Held until `release` or the end of the process.

    Raises:
        OSError: the lock can't be written.
    """
    return try_lock(home.web_lock)


def write_web_server(home: Home, server: WebServer) -> None:
    """Say where the server is. Only for the process that holds the lock.

    Raises:
        OSError: it can't be written.
    """
    import json  # noqa: PLC0415 - start-up: few commands ask

    write_private(home.web_server, json.dumps(server._asdict()) + "\n")


def read_web_server(home: Home) -> WebServer | None:
    """Return the web server that runs; None: there is none, or it has not said yet where it is."""
    pid = holder_pid(home.web_lock)
    if pid is None:
        return None
    found = _read(home.web_server)
    return found if found is not None and found.pid == pid else None


def goes_on(home: Home) -> list[str]:
    """Return a sentence about the web server, which outlives the daemon; none where none runs."""
    pid = holder_pid(home.web_lock)
    if pid is None:
        return []
    return [f"The web server{f' (PID {pid})' if pid else ''} goes on. End it with: overmind web stop"]


def stop_web_server(home: Home, *, patience: float = STOP_SECONDS) -> int | None:
    """End the web server, with SIGKILL when SIGTERM does not within `patience` seconds.

    Returns:
        Its pid; None: there was none.

    Raises:
        TimeoutError: it lives on.
    """
    pid = holder_pid(home.web_lock)
    if pid is None:
        return None
    for number, limit in ((signal.SIGTERM, patience), (signal.SIGKILL, KILLED_SECONDS)):
        if pid > 0:
            send_pinned(pid, number, check=lambda: holder_pid(home.web_lock) == pid)
        if _has_ended(home, pid, limit):
            return pid
    raise TimeoutError(pid)


def _has_ended(home: Home, pid: int, limit: float) -> bool:
    deadline = time.monotonic() + limit
    while holder_pid(home.web_lock) == pid:
        if time.monotonic() >= deadline:
            return False
        time.sleep(PAUSE)
    return True


def _read(path: str) -> WebServer | None:
    import json  # noqa: PLC0415 - as above

    try:
        found: Any = json.loads(read_small_file(path, links=False) or b"null")
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    values: list[Any] = [found.get(name) for name in WebServer._fields]
    wanted: list[Any] = [int, (int, float), str, (str, type(None)), (str, type(None))]
    return WebServer(*values) if all(map(isinstance, values, wanted)) else None
