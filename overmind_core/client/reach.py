"""Find the daemon of a home, or start one: who may, and when.

Commands that start work start a daemon. Every command does when a keeper lives without a supervisor.
"""

from __future__ import annotations

import errno
import time

from overmind_core.client.connect import PATIENCE, Connection
from overmind_core.errors import OvermindError
from overmind_core.system.paths import read_socket_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.system.paths import Home

_NOBODY = frozenset({errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR, errno.ECONNRESET, errno.EPIPE})
_LAUNCHES = 3
"""How often a daemon is started that leaves without a word, as one does that is killed."""
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.2
"""Seconds between two attempts; they double."""


def knock(home: Home) -> Connection | None:
    """Return a connection to the daemon of `home`, None when nobody listens there, or can't just now.

    Raises:
        OvermindError: `forbidden`, the socket is another user's.
    """
    try:
        return Connection(read_socket_address(home.socket, home.socket_pointer))
    except TimeoutError:  # so many clients at once that its queue is full
        return None
    except PermissionError:
        raise OvermindError("forbidden", f"The home {home.root} belongs to another user.") from None
    except OSError as error:
        if error.errno in _NOBODY:
            return None
        raise OvermindError("internal", f"{home.socket}: {error}") from None


def knock_until(home: Home, deadline: float, *, while_true: Callable[[], bool] | None = None) -> Connection | None:
    """Return a connection as soon as there is one; None at `deadline` (seconds, monotonic clock).

    Args:
        home: Whose daemon.
        deadline: When to give up.
        while_true: Give up early when this says no.
    """
    pause = _FIRST_PAUSE
    while True:
        connection = knock(home)
        if connection is not None:
            return connection
        if time.monotonic() >= deadline or (while_true is not None and not while_true()):
            return knock(home)
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def reach(home: Home, *, start: bool) -> tuple[Connection, int | None]:
    """Return a connection to the daemon of `home`, and that daemon's pid when it had to be started.

    Args:
        home: Whose daemon.
        start: Start one also when no keeper lives.

    Raises:
        OvermindError: `daemon_not_running`, `busy`, or why it could not start.
    """
    connection = knock(home)
    return (connection, None) if connection is not None else _revive(home, start=start)


def _revive(home: Home, *, start: bool) -> tuple[Connection, int | None]:
    from overmind_core.system.lock import holder_pid  # noqa: PLC0415  (start-up: only when no daemon answers)

    deadline = time.monotonic() + PATIENCE
    connection = knock_until(home, deadline, while_true=lambda: holder_pid(home.supervisor_lock) is not None)
    if connection is not None:
        return connection, None
    pid = holder_pid(home.supervisor_lock)
    if pid is not None:
        raise OvermindError("busy", f"The daemon (PID {pid}) doesn't answer. Try again, or end it with: kill {pid}")
    keeper = None if start else holder_pid(home.keeper_lock)
    if not start and keeper is None:
        raise OvermindError("daemon_not_running")
    return _started(home, keeper=keeper)


def _started(home: Home, *, keeper: int | None) -> tuple[Connection, int | None]:
    """Start a daemon; `keeper`: only for the keeper with this pid."""
    from overmind_core.client.launch import launch  # noqa: PLC0415  (start-up: rarely needed)

    for attempts_left in reversed(range(_LAUNCHES)):
        launched = launch(home, keeper=keeper)
        connection = knock_until(home, time.monotonic() + PATIENCE, while_true=launched.may_answer)
        if connection is not None:
            return connection, launched.pid if launched.ready else None
        if launched.said or not attempts_left:
            raise launched.failure()
    raise AssertionError
