"""The log of a run on another hive, read through a gate: what a reader asks for, and some of what it will ask next."""

from __future__ import annotations

import _thread
import time
from itertools import accumulate

from overmind_core.errors import OvermindError
from overmind_core.logs.layout import STREAMS
from overmind_core.wire import gate

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from overmind_core.client.hives.channel import Channel

    Json = dict[str, Any]
    Piece = tuple[int, memoryview]

AHEAD = 1 << 20
"""Bytes that are fetched where fewer are wanted, as readers go on where they were."""
PIECES = 3
"""So many times `AHEAD` are fetched ahead of a reader that has gone on, so that nothing on the way is ever idle."""
WAY_BACK = 10.0
"""Seconds in which a lost hive is looked for."""
_ANSWER_LIMIT = 10.0
_PAUSE = 0.1
_ENDLESS = 1 << 62
_EMPTY = memoryview(bytearray())
_NOTHING = 0, _EMPTY
_CHUNK = 1 << 16


class RemoteRunFiles:
    """The files of one run, as `logs.run_files.RunFiles`. Lost with its link, a channel is opened anew, for a while.

    Args:
        channel: Opens a channel for logs.
        keep: Takes a channel that is not needed any more, on which nothing is on its way.
        folder: The run's folder there.
    """

    def __init__(self, channel: Callable[[], Channel], keep: Callable[[Channel], None], folder: str) -> None:
        self._open = channel
        self._keep = keep
        self._run = "/".join(folder.split("/")[-2:])
        self._channel: Channel | None = None
        self._unread = b""
        self._ahead: dict[int, Piece] = {}
        """Stream → the offset and the bytes that are read at present."""
        self._ready: dict[int, list[Piece]] = {stream: [] for stream in range(len(STREAMS))}
        """Stream → the pieces behind those that have come already."""
        self._used = _EMPTY
        """The buffer of a piece that nobody reads any more: the next one of its size comes into it."""
        self._coming: list[int] = []
        """The streams of the pieces that were asked for ahead and have yet to come."""
        self._asked = [0] * len(STREAMS)
        """Behind the last piece that was asked for ahead, of each stream."""
        self._ends = [_ENDLESS] * len(STREAMS)
        """Where each stream ended when that was asked: nothing is fetched ahead from behind it."""
        self._heads: dict[int, bytes] = {}
        """Segment of the index → how it begins, as of the last look at the list of them."""
        self._outstanding = 0
        """Requests whose answer has not come whole."""
        self._is_lost = False
        """The channel was lost, and nobody has looked for the hive since."""
        self._guard = _thread.RLock()

    def start(self, stream: int) -> int:
        """As in `RunFiles`."""
        return int(self._ask(gate.START, stream=stream)[0]["ok"])

    def end(self, stream: int) -> tuple[int, float]:
        """As in `RunFiles`."""
        end, grown_at = self._ask(gate.END, stream=stream)[0]["ok"]
        self._ends[stream] = int(end)
        return self._ends[stream], float(grown_at)

    def read(self, stream: int, start: int, limit: int) -> tuple[int, bytes]:
        """As in `RunFiles`."""
        with self._guard:
            at, data = self._ahead.get(stream, _NOTHING)
            if not at <= start < at + len(data):
                goes_on = len(data) > 0 and start == at + len(data)
                self._used, self._ahead[stream] = data, _NOTHING
                at, data = self._ahead[stream] = self._piece(stream, start, min(max(limit, AHEAD), gate.MOST_BYTES))
                start = max(start, at)
                if goes_on and len(data) >= AHEAD:  # else it is the end by now
                    self._ask_ahead(stream, at + len(data))
            return start, bytes(data[start - at : start - at + limit])

    def _piece(self, stream: int, start: int, length: int) -> Piece:
        """Return what is there from `start` on: what has come already, or is on its way, or is asked for now."""
        ready = self._ready[stream]
        while ready or stream in self._coming:
            if not ready:
                try:
                    self._settle(1)
                except (OSError, ValueError):
                    self._drop()
                continue
            at, data = ready.pop(0)
            if at <= start < at + len(data):
                return at, data
        answer, data = self._ask(gate.READ, stream=stream, offset=start, length=length)
        return int(answer["ok"]), data

    def _ask_ahead(self, stream: int, end: int) -> None:
        """Ask for the pieces behind `end`, which come while this one is worked on."""
        known = len(self._ready[stream]) + self._coming.count(stream)
        asked = self._asked[stream] if known else end
        try:
            for _ in range(known, PIECES if self._channel is not None else 0):
                if asked >= self._ends[stream]:
                    break
                self._send(gate.READ, stream=stream, offset=asked, length=AHEAD)
                self._coming.append(stream)
                asked += AHEAD
        except OSError:
            self._drop()
        self._asked[stream] = asked

    def _settle(self, count: int) -> None:
        """Take in so many pieces that are on their way; what can't be had is asked for again when it is wanted."""
        for stream in self._coming[:count]:
            del self._coming[0]
            try:
                answer, data = self._received_answer()
            except OvermindError:
                continue
            self._ready[stream].append((int(answer["ok"]), data))

    def index_numbers(self) -> list[int]:
        """As in `RunFiles`."""
        answer, data = self._ask(gate.INDEXES, length=gate.HEAD)
        numbers, lengths = list(answer["ok"]), list(answer.get("heads", ()))  # an older gate sends none
        heads = [bytes(data[end - length : end]) for length, end in zip(lengths, accumulate(lengths), strict=False)]
        self._heads = dict(zip(numbers[len(numbers) - len(heads) :], heads, strict=False))
        return numbers

    def read_index(self, number: int, limit: int = -1) -> bytes:
        """As in `RunFiles`, as of the last `index_numbers`: a request for each would empty the link each time."""
        head = self._heads.get(number)
        if head is not None and (len(head) < gate.HEAD or 0 <= limit <= len(head)):
            return head if limit < 0 else head[:limit]
        return bytes(self._ask(gate.INDEX, number=number, length=limit)[1])

    def __del__(self) -> None:
        if self._channel is None:
            return
        if not self._outstanding and not self._unread:
            self._keep(self._channel)
        else:
            self._channel.close()

    def _ask(self, op: str, **fields: object) -> tuple[Json, memoryview]:
        with self._guard:
            was_open, lost_at = self._channel is not None or self._is_lost, 0.0
            while True:
                try:
                    if self._channel is None:
                        self._channel = self._open()
                        self._unread, self._is_lost = self._channel.unread, False
                    self._send(op, **fields)
                    self._settle(len(self._coming))
                    return self._received_answer()
                except OvermindError as error:
                    failure = error
                    if error.code != "hive_silent" or not was_open:
                        raise
                except (OSError, ValueError) as error:
                    failure = OvermindError("hive_silent", f"The log of {self._run} can't be read: {error}.")
                self._drop()
                was_open, lost_at = True, lost_at or time.monotonic()
                if time.monotonic() - lost_at > WAY_BACK:
                    self._is_lost = False
                    raise failure from None
                time.sleep(_PAUSE)

    def _send(self, op: str, **fields: object) -> None:
        assert self._channel is not None
        self._outstanding += 1
        self._channel.socket.settimeout(_ANSWER_LIMIT)
        self._channel.socket.sendall(gate.line({"op": op, "run": self._run, **fields}))

    def _received_answer(self) -> tuple[Json, memoryview]:
        """Return the next answer and the bytes behind it.

        Raises:
            OvermindError: the gate said no.
            OSError: the channel was lost.
            ValueError: that is no answer.
        """
        assert self._channel is not None
        while b"\n" not in self._unread:
            data = self._channel.socket.recv(_CHUNK)
            if not data:
                raise ConnectionResetError("the gate ended")
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        answer = gate.message_of(line)
        if "error" in answer:
            self._outstanding -= 1
            raise OvermindError(str(answer["error"]), str(answer.get("message")))
        length = answer.get("bytes", 0)
        if "ok" not in answer or type(length) is not int or not 0 <= length <= gate.MOST_BYTES:
            raise ValueError("its gate answers what is no answer")
        content, self._used = (self._used if len(self._used) == length else memoryview(bytearray(length))), _EMPTY
        filled = min(length, len(self._unread))
        content[:filled], self._unread = self._unread[:filled], self._unread[filled:]
        while filled < length:
            more = self._channel.socket.recv_into(content[filled:])
            if not more:
                raise ConnectionResetError("the gate ended")
            filled += more
        self._outstanding -= 1
        return answer, content

    def _drop(self) -> None:
        if self._channel is not None:
            self._channel.close()
        self._channel, self._unread = None, b""
        self._coming.clear()
        self._outstanding, self._is_lost = 0, True
