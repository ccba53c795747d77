"""The keeper's protocol: its version, names and limits, and the frames of a live stream.

Requests are JSON lines `{"op", "n", …}`, answered by `{"n", "ok"}` or `{"n", "error", "message"}`; notices carry
`"notice"` and no `n`. A stream connection carries one JSON line each way and then, after the answer, frames in both
directions.
"""

from __future__ import annotations

import struct

PROTOCOL = 1
LINE_LIMIT = 40 << 20
"""Bytes of one request line."""
INPUT_LIMIT = 32 << 20
"""Bytes that may wait for one agent to read them."""
CANONICAL_LIMIT = 4095
"""Bytes of one input line while the terminal is in canonical mode: the kernel drops what is longer (n_tty)."""
VIEWER_LIMIT = 4 << 20
"""Bytes that a viewer may leave unread before it is dropped."""

LISTENS = b"\n"
"""A keeper's report to who started it."""
FAILED = b"!"
"""Begins the report of one that can't begin; the reason follows."""

HELLO = "hello"
SPAWN = "spawn"
LIST = "list"
CHANGED = "changed"
WATCH = "watch"
WRITE = "write"
EOF = "eof"
RESIZE = "resize"
SIGNAL = "signal"
ORPHANS = "orphans"
PURGE = "purge"
ACK = "ack"
RELEASE = "release"
CURSOR = "cursor"
LEASE = "lease"
"""`runs`: run → the moment at which its lease ends, in seconds of the boot clock; null takes the lease off."""
TICKET = "ticket"
ANSWER = "answer"
"""`answers`: pairs of the offset behind a query in the output, and bytes for the program (base64; empty: no answer).
Each query that waits is answered once; any other is ignored."""
STATUS = "status"
NEED = "need"
"""`on`: somebody has to supervise also while nothing runs: a plan or a schedule goes on."""
GOODBYE = "goodbye"
QUIT = "quit"
STREAM = "stream"
"""Its answer has `terminal: true` where the keeper can be lent the terminal of the viewer."""
PIPES = "pipes"
"""Of a gate, whose client wants a stream, and nothing else. Once it is answered, the line that asks for the stream may
bring two descriptors (SCM_RIGHTS), the ones that the gate reads and writes: the keeper then serves them itself, says
nothing on the gate's socket any more, and closes that at the end. A keeper that can't refuses this request, and is
asked for the stream all the same."""

EXIT = "exit"
GROWN = "grown"
"""How far a watched run's log reaches: `out`, `err` in bytes, and `last`, when the run wrote last (monotonic seconds).
One comes as soon as a run is watched, though it has written nothing since. Keepers of older releases send no `last`."""
TROUBLE = "trouble"
QUERIES = "queries"
"""The program has asked its terminal, and no person's terminal answers. `queries`: all that wait, as pairs of offsets
in the output; a row of `list` has them, too."""
FENCED = "fenced"
"""The lease of a run has ended: the keeper ends the run's whole tree."""

DISK_FULL = "disk_full"
LOG_ERROR = "log_error"

ERROR_PROTOCOL = "protocol"
ERROR_UNKNOWN_OP = "unknown_op"
ERROR_UNKNOWN_RUN = "unknown_run"
ERROR_INVALID = "invalid"
ERROR_HELLO_FIRST = "hello_first"
ERROR_FORBIDDEN = "forbidden"
ERROR_TOO_LARGE = "too_large"
ERROR_SPAWN_FAILED = "spawn_failed"
ERROR_NO_TERMINALS = "no_terminals"
ERROR_TOO_MANY = "too_many"
ERROR_GONE = "gone"
ERROR_BUSY = "busy"
ERROR_TICKET = "ticket"
ERROR_FENCED = "fenced"
"""The lease of the run that was to be started has ended."""
ERROR_INTERNAL = "internal"

FRAME_DATA = 1
"""Bytes of the terminal; from a viewer: typed input, in which a frame's end cuts no escape sequence in two."""
FRAME_RESIZE = 2
"""u16 columns, u16 rows; from a viewer: the size of its own terminal."""
FRAME_EXIT = 3
"""i32 exit code, negative for a signal; nothing follows."""
FRAME_OFFSET = 4
"""u64 offset in the log's `out` at which the live stream begins; always the first frame."""
FRAME_REDRAW = 5
"""Empty; from a viewer: have the program draw everything again."""
FRAME_LEND = 6
"""From a viewer that the keeper has told `terminal`: it lends its own terminal. u64 bytes of data frames that it has
shown; u64 device and u64 inode of the terminal; then the bytes that make a key more than plain text. From here on the
viewer neither reads nor writes its terminal, until the one `FRAME_RETURNED` that answers."""
FRAME_RECALL = 7
"""Empty; from a viewer: it wants its terminal back."""
FRAME_RETURNED = 8
"""The terminal is the viewer's again, or was not taken, because data was on its way. Empty, or one byte: it can't be
lent at all."""
FRAME_SHOWN = 9
"""Bytes that the keeper has written to the lent terminal, where they may set a mode."""
FRAME_KEYS = 10
"""Bytes that the keeper has read from the lent terminal, for the viewer to judge."""
SPECIAL_LIMIT = 256
"""Bytes that a viewer may name as special."""

FRAME_LIMIT = 16 << 20
"""Bytes of one frame's payload."""

_HEAD = struct.Struct(">BI")
_ONE_BYTE = _HEAD.pack(FRAME_DATA, 1)
"""Begins the frame of a key, and that of its echo: a person waits for both, and each step less is felt."""
_RESIZE = struct.Struct(">HH")
_EXIT = struct.Struct(">i")
_OFFSET = struct.Struct(">Q")
_LEND = struct.Struct(">QQQ")


class FrameError(ValueError):
    """The other side sent no frame of this protocol; close the connection."""


def frame(kind: int, payload: bytes) -> bytes:
    """One frame: u8 kind, u32 length (big endian), payload."""
    return _HEAD.pack(kind, len(payload)) + payload


def data_frame(data: bytes) -> bytes:
    """Terminal bytes, or typed input."""
    return _ONE_BYTE + data if len(data) == 1 else frame(FRAME_DATA, data)


def resize_frame(columns: int, rows: int) -> bytes:
    """A size in character cells."""
    return frame(FRAME_RESIZE, _RESIZE.pack(columns, rows))


def redraw_frame() -> bytes:
    """Ask for everything to be drawn again."""
    return frame(FRAME_REDRAW, b"")


def exit_frame(code: int) -> bytes:
    """The root process ended with `code` (negative: by that signal)."""
    return frame(FRAME_EXIT, _EXIT.pack(code))


def offset_frame(offset: int) -> bytes:
    """The live stream begins at byte `offset` of the log's `out`."""
    return frame(FRAME_OFFSET, _OFFSET.pack(offset))


def lend_frame(shown: int, identity: tuple[int, int], special: bytes) -> bytes:
    """Lend the terminal of this device and inode, on which all `shown` bytes of data frames stand."""
    return frame(FRAME_LEND, _LEND.pack(shown, *identity) + special)


def recall_frame() -> bytes:
    """Ask for the terminal."""
    return frame(FRAME_RECALL, b"")


def returned_frame(*, for_good: bool = False) -> bytes:
    """The terminal is the viewer's; `for_good`: it will not be taken at any other time either."""
    return frame(FRAME_RETURNED, b"\1" if for_good else b"")


def shown_frame(data: bytes) -> bytes:
    """Show the viewer what stands on its terminal already."""
    return frame(FRAME_SHOWN, data)


def keys_frame(data: bytes) -> bytes:
    """Pass keys of the lent terminal on to the viewer."""
    return frame(FRAME_KEYS, data)


def parse_resize(payload: bytes) -> tuple[int, int]:
    """Return (columns, rows). Raises FrameError."""
    columns, rows = _unpack(_RESIZE, payload)
    return columns, rows


def parse_exit(payload: bytes) -> int:
    """Return the exit code. Raises FrameError."""
    return _unpack(_EXIT, payload)[0]


def parse_offset(payload: bytes) -> int:
    """Return the offset in bytes. Raises FrameError."""
    return _unpack(_OFFSET, payload)[0]


def parse_lend(payload: bytes) -> tuple[int, tuple[int, int], bytes]:
    """Return (bytes shown, device and inode, special bytes). Raises FrameError."""
    shown, device, inode = _unpack(_LEND, payload[: _LEND.size])
    special = payload[_LEND.size :]
    if len(special) > SPECIAL_LIMIT:
        raise FrameError("too many special bytes")
    return shown, (device, inode), special


def _unpack(shape: struct.Struct, payload: bytes) -> tuple[int, ...]:
    try:
        return shape.unpack(payload)
    except struct.error:
        raise FrameError("a frame of the wrong length") from None


class FrameDecoder:
    """Cuts a byte stream into frames, however it was split on its way."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Return the (kind, payload) pairs that `data` completes.

        Raises:
            FrameError: a length over `FRAME_LIMIT`; the stream can't be trusted any more.
        """
        held = self._held
        if not held and len(data) >= _HEAD.size:  # one frame in one piece, as a key and its echo are
            kind, length = _HEAD.unpack_from(data)
            if length == len(data) - _HEAD.size <= FRAME_LIMIT:
                return [(kind, data[_HEAD.size :])]
        held += data
        frames: list[tuple[int, bytes]] = []
        at = 0
        while len(held) - at >= _HEAD.size:
            kind, length = _HEAD.unpack_from(held, at)
            if length > FRAME_LIMIT:
                raise FrameError("a frame over the limit")
            end = at + _HEAD.size + length
            if len(held) < end:
                break
            frames.append((kind, bytes(held[at + _HEAD.size : end])))
            at = end
        del held[:at]
        return frames
