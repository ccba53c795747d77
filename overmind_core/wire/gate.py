"""What is said through a gate: one channel over the standard input and output of `overmind gate`. No IO here.

The gate begins with one line, its greeting; all before it is what a login shell printed. The other side says in one
line what the channel is for (it need not wait for the greeting), and the gate answers that with one line, `{"ok": …}`
or `{"error": code, "message": …}`. Then follow

* `requests`: the API's lines, as on overmind.sock;
* `logs`: one request a line, `{"op", "run", …}`, each answered by a line; where that has `bytes`, so many bytes follow.
* `idle`: nothing, for as long as the daemon lives. It alone is not answered.
  Of these three, once all is answered, the line that asks for another one, or for the same anew, makes it that;
* `terminal`: the bytes of one stream with the keeper, which begins with a ticket;
* `git`: of a `repository` by its name, one of three services. `receive-pack` and `upload-pack` wait for an empty line,
  then the bytes are those of git. `checkout` answers a second time, once the `commit` is checked out: `{"path"}`.
"""

from __future__ import annotations

from overmind_core.wire import quick_json

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

VERSION = 1
BEGINNING = b'{"gate":'
"""How the greeting begins; no login shell prints that."""
NOISE_LIMIT = 64 * 1024
"""Bytes that may stand before the greeting."""
LONGEST_LINE = 64 * 1024
"""Bytes of a greeting, of a channel's first line, and of a request for logs."""

REQUESTS, TERMINAL, LOGS, GIT, IDLE = "requests", "terminal", "logs", "git", "idle"
CHANNELS = (REQUESTS, TERMINAL, LOGS, GIT, IDLE)
IN_TURN = (REQUESTS, LOGS, IDLE)
"""Those that one gate serves one after the other."""
TURNS = "turns"
"""Of a greeting: whether that is so; gates of older versions knew less."""

RECEIVE, UPLOAD, CHECKOUT = "receive-pack", "upload-pack", "checkout"
"""Services of the channel for git."""
GO = b"\n"
"""What git waits for, so that none of its bytes come before the one who reads them is there."""

START, END, READ, INDEXES, INDEX = "start", "end", "read", "indexes", "index"
"""What can be asked about the log of a run."""
MOST_BYTES = 4 << 20
"""Bytes of a log that are answered at once."""
HEAD = 4096
"""Bytes of each index segment that come with the list of them, where they are asked for: the whole of most."""
MOST_HEADS = MOST_BYTES // HEAD
"""Of the newest ones, so that they are one answer."""


def line(message: Mapping[str, Any]) -> bytes:
    """Return a message as it is sent."""
    # Half of a pair of surrogates, which no text has, comes back to whoever sent it as it came.
    return quick_json.encode(message).encode(errors="backslashreplace") + b"\n"


def greeting_in(received: bytes) -> tuple[dict[str, Any], bytes] | None:
    """Return the greeting, and the bytes behind it; None: it has not come whole yet.

    Raises:
        ValueError: it can't come any more; the message is a clause that says why.
    """
    at = 0 if received.startswith(BEGINNING) else received.find(b"\n" + BEGINNING) + 1
    if not at and not received.startswith(BEGINNING):
        if len(received) > NOISE_LIMIT:
            raise ValueError(f"it prints more than {NOISE_LIMIT // 1024} KiB before the gate begins")
        return None
    end = received.find(b"\n", at)
    if end < 0:
        if len(received) - at > LONGEST_LINE:
            raise ValueError("its greeting has no end")
        return None
    try:
        greeting = message_of(received[at:end])
    except ValueError:
        raise ValueError("its greeting is not JSON") from None
    if type(greeting.get("gate")) is not int:  # a bool is an int, too
        raise ValueError("its greeting is that of no gate")
    return greeting, received[end + 1 :]


def message_of(line: bytes) -> dict[str, Any]:
    """Return a message that came in one line.

    Raises:
        ValueError: it is none, or nested beyond all measure; a clause.
    """
    try:
        found = quick_json.decode(line.decode())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValueError("its gate answers what is no answer")  # noqa: TRY004 - a fault of the other side
    return found
