"""One client's socket: sends without ever blocking, and drops a client that doesn't read.

A gate, which relays between its own client and us, may lend us the two descriptors on which it is served: then a key
and its echo wake one process less, each. Its socket stays, so that either side notices when the other one has ended.
"""

from __future__ import annotations

import json
import os
import select
import socket
from functools import partial

from overmind_core.keeper.loop import READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from overmind_core.keeper.loop import Loop

UNSENT_LIMIT = 32 << 20
"""Bytes that a client may leave unread before it is dropped."""
_RECEIVE_BUFFER = bytearray(256 << 10)
"""Bytes received at once; one for all: what came is taken over before the next look."""
_RECEIVE_VIEW = memoryview(_RECEIVE_BUFFER)

MOST_LENT_PIPES = 8
"""Gates whose descriptors are used at once: two more each, within the keeper's reserve."""
_DESCRIPTOR = 4
"""Bytes."""
_TWO_FILES = socket.CMSG_SPACE(2 * _DESCRIPTOR)
_CLOSED_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)

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
        "_out_fd",
        "_paused",
        "_pipes",
        "_receive_into",
        "_send",
        "_socket",
        "limit",
        "on_closed",
        "on_data",
    )

    def __init__(self, loop: Loop, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        self._loop = loop
        self._socket = accepted
        self._fd = self._out_fd = accepted.fileno()
        """What is read from, and what is written to."""
        self._receive_into: Callable[[bytearray], int] = accepted.recv_into
        self._send: Callable[[bytes | bytearray], int] = accepted.send
        self._pipes: LentPipes | None = None
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
                sent = self._send(data)
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
        for fd in {self._fd, self._out_fd}:
            self._loop.forget(fd)
            self._loop.prefer(fd, on=False)
        self._fd = self._out_fd = -1
        if self._pipes is not None:
            self._loop.forget(self._socket.fileno())
            self._pipes.close()
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
            size = self._receive_into(_RECEIVE_BUFFER)
        except BlockingIOError:
            return
        except OSError:
            size = 0
        if not size:
            self.close()
            return
        data = bytes(_RECEIVE_VIEW[:size])
        self.cork()  # answers to pipelined requests leave together
        try:
            self.on_data(data)
        finally:
            self.uncork()

    def _flush(self) -> None:
        try:
            while self._out and self._fd >= 0:
                sent = self._send(self._out)
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
            writing = WRITE if self._out else 0
            if self._fd == self._out_fd:
                self._loop.watch(self._fd, reading | writing, self)
            else:
                self._loop.watch(self._fd, reading, self)
                self._loop.watch(self._out_fd, writing, self)

    # what a gate lends

    def expect_pipes(self, count: LentPipeCount) -> None:
        """What comes next may bring the two descriptors of a gate's client: it is served on them from then on.

        Raises:
            BlockingIOError: so many are in use that there may be no more.
        """
        if not count.is_free:
            raise BlockingIOError("too many gates are served")
        self._receive_into = partial(self._receive_pipes, count)

    def _receive_pipes(self, count: LentPipeCount, buffer: bytearray) -> int:
        size, sent_along, flags, _address = self._socket.recvmsg_into([buffer], _TWO_FILES, _CLOSED_ON_EXEC)
        self._receive_into = self._socket.recv_into
        files: list[int] = []
        for level, kind, content in sent_along:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                files += memoryview(content[: len(content) // _DESCRIPTOR * _DESCRIPTOR]).cast("i")
        is_cut = flags & socket.MSG_CTRUNC  # there were more
        if len(files) == 2 and not is_cut and count.is_free:  # noqa: PLR2004 - one to read, one to write
            try:
                self._use(LentPipes(files[0], files[1], count))
            except OSError:  # files that nobody can wait for
                self.close()
        else:
            for fd in files:
                os.close(fd)
        return size

    def _use(self, pipes: LentPipes) -> None:
        """Serve the client on these; its gate is only watched for its end."""
        self._pipes = pipes
        loop = self._loop
        loop.forget(self._fd)
        loop.prefer(self._fd, on=False)
        self._receive_into, self._send = pipes.receive_into, pipes.send
        self._fd, self._out_fd, self._hang_up = pipes.reads, pipes.writes, None
        loop.watch(self._socket.fileno(), READ, _Gate(self))
        for fd in (self._fd, self._out_fd):
            os.set_inheritable(fd, False)
            os.set_blocking(fd, False)
            loop.prefer(fd, on=True)
        self._watch()


class LentPipeCount:
    """How many gates have lent their descriptors."""

    __slots__ = ("_most", "lent")

    def __init__(self, most: int = MOST_LENT_PIPES) -> None:
        self._most = most
        self.lent = 0

    @property
    def is_free(self) -> bool:
        """Whether one more may lend them."""
        return self.lent < self._most


class LentPipes:
    """Two descriptors of a gate, counted until `close`: one is read, the other written, as a socket would be."""

    __slots__ = ("_count", "reads", "receive_into", "send", "writes")

    def __init__(self, reads: int, writes: int, count: LentPipeCount) -> None:
        self.reads = reads
        self.writes = writes
        self._count = count
        count.lent += 1
        self.receive_into: Callable[[bytearray], int] = lambda buffer: os.readv(reads, (buffer,))
        self.send: Callable[[bytes | bytearray], int] = partial(os.write, writes)

    def close(self) -> None:
        """Use them no more."""
        self._count.lent -= 1
        os.close(self.reads)
        os.close(self.writes)


class _Gate:
    """The socket of a gate that has lent its descriptors: whatever happens on it is its end."""

    __slots__ = ("_connection",)

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    def ready(self, _events: int) -> None:
        """The gate has ended."""
        self._connection.close()

    def failed(self) -> None:
        """As above."""
        self._connection.close()


def _ignore(_data: bytes) -> None:
    return


def _nothing() -> None:
    return
