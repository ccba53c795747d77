"""A client's attachment to a mission: the supervisor's stream about it, and the keeper's stream of live bytes.

The supervisor says which run to join, and what becomes of the mission. Lost with its supervisor, the attachment is
requested again, of the next one, without anybody waiting for that: the live bytes come from the keeper meanwhile,
frames both ways on a connection that a ticket opens.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections import deque

from overmind_core.client.client import answer_result
from overmind_core.client.connection import ANSWER_LIMIT, envelope
from overmind_core.client.place import LocalPlace, place_of
from overmind_core.client.unreadable import FAULTS, unreadable
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.errors import OvermindError
from overmind_core.wire.keeper import FRAME_OFFSET, STREAM, FrameDecoder, parse_offset

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from overmind_core.client.connection import ApiConnection
    from overmind_core.client.place import Place
    from overmind_core.system.paths import Home

    Json = dict[str, Any]
    Frames = list[tuple[int, bytes]]


RETRY = 0.2
"""Seconds between two looks for the next supervisor."""
_ATTACH, _INTERRUPT = 1, 2
BAD_ARGUMENTS = "Bad arguments"
"""How a supervisor begins to say that it does not know an argument."""
DETACHED: Json = {"type": "detached"}


class MissionAttachment:
    """One client's attachment to a mission, as the supervisor knows it.

    Args:
        home: Whose daemon.
        request: The arguments of `attach`.
        by: In whose name, as in `Client`.

    Raises:
        OvermindError: the daemon said no, is not there, or went away just now.
    """

    def __init__(self, home: Home | Place, request: Mapping[str, Any], *, by: str | None = None) -> None:
        self.place = place_of(home)
        self._by = by
        self._request = dict(request)
        self._connection: ApiConnection | None = None
        self._answers: deque[Json] = deque()
        self._next_try = 0.0
        self._send_request(self.place.connect(start=False)[0])
        try:
            head = self._first_answer()
            self.mission: str = head["id"]
            self.name: str = head["name"]
            self.may_write: bool = head["write"]
        except (ConnectionError, TimeoutError):
            self.close()
            raise OvermindError("daemon_lost") from None
        except OvermindError:
            self.close()
            raise
        except FAULTS:
            self.close()
            raise unreadable() from None
        self._request |= {"id": self.mission, "rejoin": True}

    @property
    def is_lost(self) -> bool:
        """Whether there is no supervisor now."""
        return self._connection is None

    def fileno(self) -> int:
        """What to wait for before `item`; -1 while the supervisor is lost."""
        return -1 if self._connection is None else self._connection.fileno()

    def next_item(self) -> Json | None:
        """The next item of the supervisor's stream; None when none is there by now.

        Raises:
            OvermindError: `not_found`, the next supervisor knows of no such mission.
        """
        if not self._answers:
            self._receive()
        while self._answers:
            item = self._item_of(self._answers.popleft())
            if item is not None:
                return item
        return None

    def request_again(self, *, columns: int, rows: int) -> None:
        """Give the seat up and ask for it anew, which brings a new ticket; the size is the terminal's by now."""
        self._request |= {"columns": columns, "rows": rows}
        self._disconnect()

    def try_reconnect(self) -> float | None:
        """While the supervisor is lost, look for the next one; return in how many seconds to look again."""
        now = time.monotonic()
        if self._connection is None and now >= self._next_try:
            self._next_try = now + RETRY
            try:
                connection = self.place.try_connect()
            except OvermindError:
                connection = None
            if connection is not None:
                self._send_request(connection)
        return None if self._connection is not None else max(self._next_try - now, 0.0)

    def interrupt(self) -> None:
        """Ask the mission to break off what it does, so that its terminal is there sooner."""
        connection = self._connection
        if connection is None:
            return
        connection.send(envelope("interrupt", {"id": self.mission}, _INTERRUPT, self._by))
        with contextlib.suppress(ConnectionError):
            connection.flush()

    def close(self) -> None:
        """Give the seat up."""
        self._disconnect()

    def _first_answer(self) -> Json:
        """Whose terminal it is. An older supervisor knows of no looks that leave no trace: it is asked once more."""
        try:
            head: Json = answer_result(self._open().receive(timeout=ANSWER_LIMIT))
        except OvermindError as error:
            if "looks" not in self._request or not error.message.startswith(BAD_ARGUMENTS):
                raise
            del self._request["looks"]
            self._send_request(self._open())
            head = answer_result(self._open().receive(timeout=ANSWER_LIMIT))
        return head

    def _send_request(self, connection: ApiConnection) -> None:
        self._connection = connection
        connection.send(envelope("attach", self._request, _ATTACH, self._by))
        with contextlib.suppress(ConnectionError):  # noticed when it is read from
            connection.flush()

    def _open(self) -> ApiConnection:
        assert self._connection is not None
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._answers.clear()
        self._next_try = 0.0

    def _receive(self) -> None:
        if self._connection is not None:
            try:
                self._answers.extend(self._connection.receive_available())
            except ConnectionError:
                self._disconnect()

    def _item_of(self, answer: Json) -> Json | None:
        if answer.get("id") != _ATTACH:
            return None
        if answer.get("error") == "not_found":
            answer_result(answer)
        if "error" in answer:  # it is on its way out, or in: once more
            self._disconnect()
            self._next_try = time.monotonic() + RETRY
        item: Json | None = DETACHED if "end" in answer else answer.get("item")
        return item


_CHUNK = 1 << 16
_CLOSED = "the keeper closed the stream"
UNSENT_LIMIT = 32 << 20
"""Bytes that wait for a program that doesn't read; what is typed beyond that is lost, as on any terminal."""


class KeeperStream:
    """The live bytes of a run, from the keeper. Once made, nothing in here blocks.

    Args:
        ready: What the supervisor said: `socket` and `ticket`.
        size: Columns and rows of the terminal in front of the viewer.
        place: Of that supervisor.

    Raises:
        ConnectionError: the run or its keeper is gone, or the ticket is no longer good.
        OSError: nobody listens there, or it takes too long.
        OvermindError: `forbidden`, another user's process listens there.
    """

    def __init__(self, ready: Mapping[str, Any], size: tuple[int, int], place: Place) -> None:
        self._decoder = FrameDecoder()
        self._unsent = bytearray()
        self._early: Frames = []
        self.takes_terminals = False
        """Whether the keeper can be lent the terminal in front of the viewer; an older one does not say."""
        self._buffer = bytearray(_CHUNK)  # one for all: to allocate it for each key takes longer than to read the key
        self._view = memoryview(self._buffer)
        self._socket, received = place.open_terminal(from_wire(ready["socket"]))
        self._lends = isinstance(place, LocalPlace)
        try:
            self.offset = self._join(ready["ticket"], size, received)
        except BaseException:
            self.close()
            raise
        self._socket.setblocking(False)

    def _join(self, ticket: str, size: tuple[int, int], head: bytes) -> int:
        """Show the ticket; return the offset in the log's `out` at which the live bytes begin."""
        request = {"op": STREAM, "n": 1, "ticket": ticket, "columns": size[0], "rows": size[1]}
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        while b"\n" not in head:
            head += self._received()
        line, _, rest = head.partition(b"\n")
        answer = json.loads(line)
        if "ok" not in answer:
            raise ConnectionRefusedError(line.decode())
        self.takes_terminals = self._lends and answer["ok"].get("terminal") is True
        frames = self._decoder.feed(rest)
        while not frames:
            frames = self._decoder.feed(self._received())
        kind, payload = frames[0]
        if kind != FRAME_OFFSET:
            raise ConnectionRefusedError("the stream does not begin with its offset")
        self._early = frames[1:]
        return parse_offset(payload)

    def _received(self) -> bytes:
        data: bytes = self._socket.recv(_CHUNK)
        if not data:
            raise ConnectionResetError(_CLOSED)
        return data

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._socket.fileno()

    @property
    def has_unsent(self) -> bool:
        """Whether frames wait to be sent."""
        return bool(self._unsent)

    @property
    def unsent(self) -> int:
        """Bytes that wait to be sent."""
        return len(self._unsent)

    def take_early_frames(self) -> Frames:
        """The frames that came together with the beginning, once."""
        frames, self._early = self._early, []
        return frames

    def receive(self) -> Frames:
        """The frames that are there now.

        Raises:
            ConnectionError: the stream has ended.
            wire.keeper.FrameError: what came is none.
        """
        try:
            size = self._socket.recv_into(self._buffer)
        except BlockingIOError:
            return []
        if not size:
            raise ConnectionResetError(_CLOSED)
        return self._decoder.feed(bytes(self._view[:size]))

    def send(self, frame: bytes) -> None:
        """Send a frame behind what waits. Raises ConnectionError."""
        if not self._unsent:
            try:
                sent = self._socket.send(frame)
            except BlockingIOError:
                sent = 0
            if sent == len(frame):
                return
            frame = frame[sent:]
        if len(self._unsent) + len(frame) > UNSENT_LIMIT:
            return
        self._unsent += frame
        self.flush()

    def flush(self) -> None:
        """Send what the keeper takes now. Raises ConnectionError."""
        try:
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            return

    def close(self) -> None:
        """Leave; again is harmless."""
        self._socket.close()
