"""The log of a run on another hive, read through a gate: what a reader asks for, and some of what it will ask next."""

from __future__ import annotations

import threading
import time

from overmind_core.errors import OvermindError
from overmind_core.wire import gate

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from overmind_core.client.hives.channel import Channel

AHEAD = 1 << 20
"""Bytes that are fetched where fewer are wanted, as readers go on where they were."""
WAY_BACK = 10.0
"""Seconds in which a lost hive is looked for."""
_ANSWER_LIMIT = 10.0
_PAUSE = 0.1
_CHUNK = 1 << 18


class RemoteRunFiles:
    """The files of one run, as `logs.run_files.RunFiles`. Lost with its link, a channel is opened anew, for a while.

    Args:
        channel: Opens a channel for logs.
        folder: The run's folder there.
    """

    def __init__(self, channel: Callable[[], Channel], folder: str) -> None:
        self._open = channel
        self._run = "/".join(folder.split("/")[-2:])
        self._channel: Channel | None = None
        self._unread = b""
        self._ahead: dict[int, tuple[int, bytes]] = {}
        """Stream → the offset and the bytes that were fetched last."""
        self._guard = threading.Lock()

    def start(self, stream: int) -> int:
        """As in `RunFiles`."""
        return int(self._ask(gate.START, stream=stream)[0])

    def end(self, stream: int) -> tuple[int, float]:
        """As in `RunFiles`."""
        end, grown_at = self._ask(gate.END, stream=stream)[0]
        return int(end), float(grown_at)

    def read(self, stream: int, start: int, limit: int) -> tuple[int, bytes]:
        """As in `RunFiles`."""
        at, data = self._ahead.get(stream, (0, b""))
        if not at <= start < at + len(data):
            length = min(max(limit, AHEAD), gate.MOST_BYTES)
            answer, data = self._ask(gate.READ, stream=stream, offset=start, length=length)
            at = int(answer)
            self._ahead[stream] = at, data
            start = max(start, at)
        return start, data[start - at : start - at + limit]

    def index_numbers(self) -> list[int]:
        """As in `RunFiles`."""
        return list(self._ask(gate.INDEXES)[0])

    def read_index(self, number: int, limit: int = -1) -> bytes:
        """As in `RunFiles`."""
        return self._ask(gate.INDEX, number=number, length=limit)[1]

    def __del__(self) -> None:
        if self._channel is not None:
            self._channel.close()

    def _ask(self, op: str, **fields: object) -> tuple[Any, bytes]:
        request = gate.line({"op": op, "run": self._run, **fields})
        with self._guard:
            was_open, lost_at = self._channel is not None, 0.0
            while True:
                try:
                    return self._exchange(request)
                except OvermindError as error:
                    failure = error
                    if error.code != "hive_silent" or not was_open:
                        raise
                except (OSError, ValueError) as error:
                    failure = OvermindError("hive_silent", f"The log of {self._run} can't be read: {error}.")
                self._drop()
                was_open, lost_at = True, lost_at or time.monotonic()
                if time.monotonic() - lost_at > WAY_BACK:
                    raise failure from None
                time.sleep(_PAUSE)

    def _exchange(self, request: bytes) -> tuple[Any, bytes]:
        if self._channel is None:
            self._channel = self._open()
            self._unread = self._channel.unread
        self._channel.socket.settimeout(_ANSWER_LIMIT)
        self._channel.socket.sendall(request)
        while b"\n" not in self._unread:
            self._receive()
        line, _, self._unread = self._unread.partition(b"\n")
        answer = gate.message_of(line)
        if "error" in answer:
            raise OvermindError(str(answer["error"]), str(answer.get("message")))
        length = answer.get("bytes", 0)
        if "ok" not in answer or type(length) is not int or length < 0:
            raise ValueError("its gate answers what is no answer")
        pieces, missing = [self._unread[:length]], length - len(self._unread)
        self._unread = self._unread[length:]
        while missing > 0:
            data = self._channel.socket.recv(min(missing, _CHUNK))
            if not data:
                raise ConnectionResetError("the gate ended")
            pieces.append(data)
            missing -= len(data)
        return answer["ok"], b"".join(pieces)

    def _receive(self) -> None:
        assert self._channel is not None
        data = self._channel.socket.recv(_CHUNK)
        if not data:
            raise ConnectionResetError("the gate ended")
        self._unread += data

    def _drop(self) -> None:
        if self._channel is not None:
            self._channel.close()
        self._channel, self._unread = None, b""
