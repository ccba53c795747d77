"""Ask the daemon that is there, if one is: none is started, and nobody waits longer than a moment."""

from __future__ import annotations

from overmind_core.client.calls import result
from overmind_core.client.reach import knock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from overmind_core.system.paths import Home

MOMENT = 2.0
"""Seconds that an answer may take."""


def glance(home: Home, command: str, args: Mapping[str, Any] | None = None, *, timeout: float = MOMENT) -> Any | None:  # noqa: ANN401  (an answer is any JSON)
    """Return the daemon's answer to one request; None when there is no daemon, or it doesn't answer in time.

    Args:
        home: Whose daemon.
        command: As on the socket.
        args: Of the command.
        timeout: Seconds.

    Raises:
        OvermindError: the daemon said no, or the home is another user's.
    """
    connection = knock(home)
    if connection is None:
        return None
    try:
        connection.send({"cmd": command, "args": dict(args or {}), "id": 1})
        return result(connection.receive(timeout=timeout))
    except (ConnectionError, TimeoutError):
        return None
    finally:
        connection.close()
