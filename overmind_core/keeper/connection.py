"""One client's socket: sends without ever blocking, and drops a client that doesn't read."""

from __future__ import annotations

import json
import select

from overmind_core.keeper.loop import READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from overmind_core.keeper.loop import Loop

UNSENT_LIMIT = 32 << 20
"""Bytes that a client may leave unread before it is dropped."""
_RECEIVE_BUFFER = bytearray(256 << 10)
"""Bytes received at once; one for all: what came is taken over before the next look."""
_RECEIVE_VIEW = memoryview(_RECEIVE_BUFFER)

_encode = json.JSONEncoder(separators=(",", ":")).encode


class ClientConnection:
    """One accepted socket. `on_data` gets what arrives, `on_closed` is called once, at the end."""

    __slots__ = (
        "_client_left",
        "_corked",
        "_ending",
        "_fd",
        "_hang_up",
        "_loop",
        "_out",
        "_paused",
        "_socket",
        "limit",
        "on_closed",
        "on_data",
    )

    def __init__(self, loop: Loop, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        self._loop = loop
        self._socket = accepted
        self._fd = accepted.fileno()
        self._out = bytearray()
        self._hang_up: select.poll | None = None
        """Asks whether the client has hung up; made for the few that are asked about."""
        self._corked = False
        self._ending = False
        self._paused = False
        self._client_left = False
        """Nobody takes what is sent any more; what the client sent before it went counts all the same."""
        self.limit = UNSENT_LIMIT
        self.on_data: Callable[[bytes], None] = _ignore
        self.on_closed: Callable[[], None] = _nothing
        loop.prefer(self._fd, on=True)
        loop.watch(self._fd, READ, self)

    @property
    def is_open(self) -> bool:
        """Whether the client is still there, as far as we know."""
        return self._fd >= 0

    def is_there(self) -> bool:
        """Whether the client has not hung up, though we may not have come to read that yet."""
        if self._fd < 0:
            return False
        if self._hang_up is None:
            self._hang_up = select.poll()
            self._hang_up.register(self._fd, 0)
        return not self._hang_up.poll(0)

    def send_json(self, message: Mapping[str, object]) -> None:
        """Send one JSON line."""
        self.send(_encode(message).encode() + b"\n")

    def send(self, data: bytes) -> None:
        """Send `data` behind what waits; drops the client when too much does."""
        if self._fd < 0 or self._client_left:
            return
        if not self._out and not self._corked:  # as nearly always: nothing waits, and all of it is taken
            try:
                sent = self._socket.send(data)
            except OSError:
                sent = 0  # it is met again, and told apart, by `_flush`
            if sent == len(data):
                return
            data = data[sent:]
        self._out += data
        if not self._corked and len(self._out) == len(data):
            self._flush()
        if len(self._out) > self.limit:
            self.close()

    def cork(self) -> None:
        """Hold back what is sent from here on, so that it leaves together."""
        self._corked = True

    def uncork(self) -> None:
        """Send what was held back."""
        self._corked = False
        if self._out or self._ending or self._client_left:
            self._flush()

    def pause(self, *, paused: bool) -> None:
        """Take no more from this client for a while."""
        self._paused = paused
        if paused and self._client_left:
            self.close()
        self._watch()

    def end(self) -> None:
        """Close as soon as everything was sent."""
        self._ending = True
        self._flush()

    def close(self) -> None:
        """Close now; again is harmless."""
        if self._fd < 0:
            return
        self._loop.forget(self._fd)
        self._loop.prefer(self._fd, on=False)
        self._fd = -1
        self._socket.close()
        self._out.clear()
        self.on_closed()

    def ready(self, events: int) -> None:
        """Send and receive one portion."""
        if events & WRITE:
            self._flush()
        if events & READ and self._fd >= 0:
            self._receive()

    def failed(self) -> None:
        """Something in here broke: end this client alone."""
        self.close()

    def _receive(self) -> None:
        try:
            size = self._socket.recv_into(_RECEIVE_BUFFER)
        except BlockingIOError:
            return
        except OSError:
            size = 0
        if not size:
            self.close()
            return
        data = bytes(_RECEIVE_VIEW[:size])
        # Answers to pipelined requests leave together.
        self.cork()
        try:
            self.on_data(data)
        finally:
            self.uncork()

    def _flush(self) -> None:
        try:
            while self._out and self._fd >= 0:
                sent = self._socket.send(self._out)
                del self._out[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._client_left = True
            self._out.clear()
        if (self._ending and not self._out) or (self._client_left and self._paused):
            self.close()
        self._watch()

    def _watch(self) -> None:
        if self._fd >= 0:
            # A client that doesn't read its answers isn't asked for more requests.
            reading = READ if not self._paused and len(self._out) < self.limit // 4 else 0
            self._loop.watch(self._fd, reading | (WRITE if self._out else 0), self)


def _ignore(_data: bytes) -> None:
    return


def _nothing() -> None:
    return
