"""The live bytes of one run, straight from the keeper: frames both ways on a connection that a ticket opens."""

from __future__ import annotations

import json
import os

from overmind_core.client.connect import PATIENCE
from overmind_core.errors import OvermindError
from overmind_core.system import unixsocket
from overmind_core.wire.bytestrings import from_wire
from overmind_core.wire.keeper import FRAME_OFFSET, STREAM, FrameDecoder, parse_offset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Frames = list[tuple[int, bytes]]

_CHUNK = 1 << 16
UNSENT_LIMIT = 32 << 20
"""Bytes that wait for a program that doesn't read; what is typed beyond that is lost, as on any terminal."""


class KeeperStream:
    """One viewer. After it was made nothing in here waits.

    Args:
        ready: What the supervisor said: `socket` and `ticket`.
        size: Columns and rows of the terminal in front of the viewer.

    Raises:
        ConnectionError: the run or its keeper is gone, or the ticket is no longer good.
        OSError: nobody listens there, or it takes too long.
        OvermindError: `forbidden`, another user's process listens there.
    """

    def __init__(self, ready: Mapping[str, Any], size: tuple[int, int]) -> None:
        self._decoder = FrameDecoder()
        self._unsent = bytearray()
        self._early: Frames = []
        address = from_wire(ready["socket"])
        self._socket = unixsocket.connect(address, PATIENCE)
        try:
            self._check(address)
            self.offset = self._join(ready["ticket"], size)
        except BaseException:
            self.close()
            raise
        self._socket.setblocking(False)

    def _check(self, address: str) -> None:
        if unixsocket.peer(self._socket).uid != os.getuid():
            raise OvermindError("forbidden", f"{address} belongs to another user.")

    def _join(self, ticket: str, size: tuple[int, int]) -> int:
        """Show the ticket; return the offset in the log's `out` at which the live bytes begin."""
        request = {"op": STREAM, "n": 1, "ticket": ticket, "columns": size[0], "rows": size[1]}
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        head = b""
        while b"\n" not in head:
            head += self._received()
        line, _, rest = head.partition(b"\n")
        if "ok" not in json.loads(line):
            raise ConnectionRefusedError(line.decode())
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
            raise ConnectionResetError("the keeper closed the stream")
        return data

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._socket.fileno()

    @property
    def behind(self) -> bool:
        """Whether frames wait to be sent."""
        return bool(self._unsent)

    def early(self) -> Frames:
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
            return self._decoder.feed(self._received())
        except BlockingIOError:
            return []

    def send(self, frame: bytes) -> None:
        """Send a frame behind what waits. Raises ConnectionError."""
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
