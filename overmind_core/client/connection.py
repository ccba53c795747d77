"""One connection to the API: lines of JSON out, lines of JSON in."""

from __future__ import annotations

import os

from overmind_core.errors import OvermindError
from overmind_core.system import unixsocket
from overmind_core.wire import quick_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Mapping
    from typing import Any

    from overmind_core.system.selectable_event import SelectableEvent

ANSWER_LIMIT = 10.0
"""Seconds for a daemon to answer the first time, and for a client to find a lost one again."""

_CHUNK = 1 << 16


def envelope(
    command: str, args: Mapping[str, Any], number: int, by: str | None, key: str | None = None
) -> dict[str, Any]:
    """Return a request as it is sent.

    Args:
        command: What is asked for.
        args: Its arguments.
        number: Its answers carry it.
        by: The client in whose name, such as `web:phone`; None for a person's own.
        key: By which a repetition is recognised; None: it has none.
    """
    request = {"cmd": command, "args": dict(args), "id": number}
    if key is not None:
        request["request"] = key
    return request if by is None else request | {"by": by}


class ApiConnection:
    """A connected socket, its unsent requests and its unread answers.

    Requests are queued by `send` and leave together with the next `receive`, so that the greeting costs no round trip.
    """

    def __init__(self, connected: _socket.socket, unread: bytes = b"") -> None:
        self._socket = connected
        self._unsent = bytearray()
        self._unread = bytearray(unread)
        self._searched = 0

    def send(self, request: dict[str, Any]) -> None:
        """Queue a request.

        Raises:
            OvermindError: `invalid`, the request holds text that no program can have been given.
        """
        try:
            line = quick_json.encode(request).encode()
        except UnicodeEncodeError as error:
            raise OvermindError("invalid", f"{error.object[:40]!r} is not valid UTF-8 text.") from None
        self._unsent += line + b"\n"

    def receive(self, *, timeout: float | None = None, woken: SelectableEvent | None = None) -> dict[str, Any]:
        """Send what is queued and return the next answer.

        Args:
            timeout: Seconds of silence, None for ever.
            woken: Ends the wait as `timeout` does, once it is set.

        Raises:
            ConnectionError: the daemon closed the connection, or died.
            TimeoutError: nothing came within `timeout`, or it was woken; the connection is still good.
        """
        self._socket.settimeout(timeout)
        self._flush()
        while (end := self._unread.find(b"\n", self._searched)) < 0:
            self._searched = len(self._unread)
            if woken is not None:
                self._wait_beside(woken, timeout)
            chunk = self._socket.recv(_CHUNK)
            if not chunk:
                raise ConnectionResetError("the daemon closed the connection")
            self._unread += chunk
        line = bytes(self._unread[:end])
        del self._unread[: end + 1]
        self._searched = 0
        return self._decoded(line)

    def _wait_beside(self, woken: SelectableEvent, timeout: float | None) -> None:
        import select  # noqa: PLC0415 - most commands wait for one thing alone

        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(woken, select.POLLIN)
        ready = poll.poll(None if timeout is None else timeout * 1000)
        if not ready or any(fd == woken.fileno() for fd, _ in ready):
            raise TimeoutError("the wait is over")

    def receive_available(self) -> list[dict[str, Any]]:
        """Send what is queued, and return the answers that are there, without waiting.

        Raises:
            ConnectionError: the daemon closed the connection, or died.
        """
        answers: list[dict[str, Any]] = []
        try:
            while True:
                answers.append(self.receive(timeout=0))
        except BlockingIOError:
            return answers
        except ConnectionError:
            if answers:  # the next look meets it again
                return answers
            raise

    def flush(self) -> None:
        """Send what is queued, as far as that goes without waiting. Raises ConnectionError."""
        self._socket.settimeout(0)
        try:  # noqa: SIM105  (start-up: contextlib costs each command)
            self._flush()
        except BlockingIOError:
            pass

    def fileno(self) -> int:
        """The socket's descriptor, to wait for answers together with other things."""
        return self._socket.fileno()

    def _flush(self) -> None:
        while self._unsent:
            sent = self._socket.send(self._unsent)
            del self._unsent[:sent]

    def send_queued(self) -> None:
        """Send all that is queued, however long that takes. Raises ConnectionError."""
        self._socket.settimeout(None)
        self._flush()

    def receive_raw(self) -> bytes:
        """Return some bytes of the answers as they came, once there are any; b"" when the daemon has left."""
        self._socket.settimeout(None)
        return self._socket.recv(_CHUNK)

    def hang_up(self) -> None:
        """Let the other thread, which waits for an answer, meet the end of the connection; it closes the socket."""
        unixsocket.hang_up(self._socket)

    def release(self) -> None:
        """As `close`, once all is answered; what leads there may serve something else."""
        self.close()

    def close(self) -> None:
        """Close the socket; what is queued is not sent."""
        self._socket.close()

    def _decoded(self, line: bytes) -> dict[str, Any]:
        """Return an answer; one that is none means that the other side is no daemon of ours."""
        try:
            answer = quick_json.decode(line.decode())
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise OvermindError("internal", f"The daemon sent an invalid answer: {line[:80]!r}")
        return answer


class DaemonConnection(ApiConnection):
    """A connection to the daemon of a home on this machine.

    Raises:
        OSError: nobody listens at `address`.
        OvermindError: `forbidden`, another user's process listens there.
    """

    def __init__(self, address: str) -> None:
        super().__init__(unixsocket.connect(address, ANSWER_LIMIT))
        uid = unixsocket.peer(self._socket).uid
        if uid != os.getuid():
            self.close()
            raise OvermindError("forbidden", f"{address} belongs to another user (uid {uid}).")
