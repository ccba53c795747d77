"""A hive as a place whose channels all end with the program, whoever uses them."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from weakref import WeakSet

from overmind_core.client.hives.channel import Channel
from overmind_core.client.hives.hive import CONNECT_LIMIT, Hive
from overmind_core.errors import OvermindError


class HivePlace(Hive):
    """A hive, and the channels to it that are open: for its stream, requests, logs and terminals.

    Args:
        name: Its name.
        argv: The command that runs a gate there.
        config: Path of the config.toml that says so.
    """

    leaves_gates = False

    def __init__(self, name: str, argv: Sequence[str], *, config: str) -> None:
        super().__init__(name, argv, config=config)
        self._guard = threading.Lock()
        self._channels: WeakSet[Channel] = WeakSet()
        self._closed = False

    def open(
        self,
        channel: str,
        *,
        limit: float = CONNECT_LIMIT,
        meanwhile: Callable[[], None] = lambda: None,
        **wish: object,
    ) -> Channel:
        """As `Hive.open`, until `close`."""
        self._refuse_once_closed()
        found = super().open(channel, limit=limit, meanwhile=meanwhile, **wish)
        with self._guard:
            self._channels.add(found)
        try:
            self._refuse_once_closed()
        except OvermindError:
            _end(found)
            raise
        return found

    def _refuse_once_closed(self) -> None:
        with self._guard:
            if self._closed:
                raise self.silent("the program ends, or no longer has it")

    def close(self) -> None:
        """End all channels; what waits on one in another thread meets its end."""
        with self._guard:
            self._closed = True
            channels = list(self._channels)
        for channel in channels:
            _end(channel)


def _end(channel: Channel) -> None:
    with contextlib.suppress(OSError):
        channel.socket.shutdown(socket.SHUT_RDWR)
    channel.close()
