"""What the supervisor may ask: one function per operation, found by name in `OPERATIONS`.

A function takes (keeper, request) and returns the `ok` part of the answer, or raises Refused; a request of the wrong
shape may end it by KeyError, TypeError or ValueError.
"""

from __future__ import annotations

import base64
import os
import signal as signals
import time

from overmind_core.keeper.input import Refused
from overmind_core.wire.keeper import (
    ACK,
    CHANGED,
    CURSOR,
    EOF,
    ERROR_UNKNOWN_RUN,
    GOODBYE,
    LIST,
    NEED,
    ORPHANS,
    QUIT,
    RELEASE,
    RESIZE,
    SIGNAL,
    STATUS,
    TICKET,
    WATCH,
    WRITE,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from overmind_core.keeper.keeper import Keeper
    from overmind_core.keeper.run import Child

    Request = Mapping[str, Any]
    Operation = Callable[[Keeper, Request], dict[str, object]]


LARGEST_SIZE = 0xFFFF
"""Cells; ioctl_tty(2)."""


def _child(keeper: Keeper, request: Request) -> Child:
    child = keeper.runs.get(request["run"])
    if child is None:
        raise Refused(ERROR_UNKNOWN_RUN, f"no run {request['run']!r} is held here")
    return child


def _list(keeper: Keeper, _request: Request) -> dict[str, object]:
    return {"runs": [_row(child) for child in keeper.runs], "seq": keeper.runs.seq}


def _row(child: Child) -> dict[str, object]:
    out, err = child.log.offsets
    end = child.exit
    return {
        "run": child.run,
        "pid": child.pid,
        "ticks": child.ticks,
        "mark": child.mark,
        "out": out,
        "err": err,
        "in_seq": child.stdin.seq,
        "in_written": child.stdin.written,
        "started": child.started,
        "mono": child.mono,
        "last": child.last,
        "trouble": child.trouble,
        "acked": child.acked,
        "exit": None
        if end is None
        else {"code": end.code, "end": end.end, "mono": end.mono, "out": end.out, "err": end.err, "left": end.left},
    }


def _changed(keeper: Keeper, request: Request) -> dict[str, object]:
    rows = []
    for child in keeper.runs.changed(int(request["since"])):
        out, err = child.log.offsets
        rows.append({"run": child.run, "out": out, "err": err, "last": child.last, "trouble": child.trouble})
    return {"seq": keeper.runs.seq, "runs": rows}


def _watch(keeper: Keeper, request: Request) -> dict[str, object]:
    keeper.watch(_child(keeper, request), on=bool(request["on"]))
    return {}


def _write(keeper: Keeper, request: Request) -> dict[str, object]:
    stdin = _child(keeper, request).stdin
    stdin.write(int(request["seq"]), base64.b64decode(request["data"], validate=True))
    return {"seq": stdin.seq, "written": stdin.written}


def _eof(keeper: Keeper, request: Request) -> dict[str, object]:
    _child(keeper, request).stdin.end()
    return {}


def _resize(keeper: Keeper, request: Request) -> dict[str, object]:
    columns, rows = int(request["columns"]), int(request["rows"])
    if not (0 < columns <= LARGEST_SIZE and 0 < rows <= LARGEST_SIZE):
        raise ValueError(f"no terminal has {columns} by {rows} cells")
    _child(keeper, request).audience.resize(columns, rows)
    return {}


def _signal(keeper: Keeper, request: Request) -> dict[str, object]:
    """Only while unreaped: until then nobody else can have this pid."""
    child = _child(keeper, request)
    number = signals.Signals(int(request["signal"]))
    if not child.lives:
        return {"delivered": False}
    try:
        os.kill(child.pid, number)
    except OSError:
        return {"delivered": False}
    return {"delivered": True}


def _orphans(keeper: Keeper, request: Request) -> dict[str, object]:
    child = keeper.runs.get(request["run"])
    others = {*keeper.runs.by_pid, *(int(pid) for pid in request.get("spare", ()))}
    # What was forgotten had nothing left, or was swept.
    return {"left": child is not None and keeper.orphans.left(child.mark, others)}


def _ack(keeper: Keeper, request: Request) -> dict[str, object]:
    for run in request["runs"]:
        child = keeper.runs.get(run)
        if child is not None and not child.lives:
            child.acked = True
            keeper.settle(child)
    return {}


def _release(keeper: Keeper, request: Request) -> dict[str, object]:
    child = keeper.runs.get(request["run"])
    if child is not None and not child.lives:
        child.release()
        keeper.settle(child)
    return {}


def _cursor(keeper: Keeper, request: Request) -> dict[str, object]:
    _child(keeper, request).cursor = (int(request["out"]), int(request["err"]))
    return {}


def _ticket(keeper: Keeper, request: Request) -> dict[str, object]:
    child = _child(keeper, request)
    keeper.tickets.issue(str(request["ticket"]), run=child.run, mode=request["mode"], ttl=float(request["ttl"]))
    return {}


def _status(keeper: Keeper, _request: Request) -> dict[str, object]:
    return {
        "pid": os.getpid(),
        "rss": _resident(),
        "cpu": time.process_time(),
        "runs": len(keeper.runs),
        "fds": _open_files(),
    }


def _resident() -> int:
    """Bytes of our memory; 0 where the system doesn't say."""
    try:
        with open("/proc/self/statm", "rb", buffering=0) as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _open_files() -> int:
    try:
        return len(os.listdir("/dev/fd"))
    except OSError:
        return 0


def _need(keeper: Keeper, request: Request) -> dict[str, object]:
    keeper.asked_to_stay = request["on"] is True
    return {}


def _goodbye(keeper: Keeper, _request: Request) -> dict[str, object]:
    keeper.said_goodbye = True
    keeper.asked_to_stay = False
    return {}


def _quit(keeper: Keeper, _request: Request) -> dict[str, object]:
    keeper.asked_to_quit = True
    return {}


OPERATIONS: dict[str, Operation] = {
    LIST: _list,
    CHANGED: _changed,
    WATCH: _watch,
    WRITE: _write,
    EOF: _eof,
    RESIZE: _resize,
    SIGNAL: _signal,
    ORPHANS: _orphans,
    ACK: _ack,
    RELEASE: _release,
    CURSOR: _cursor,
    TICKET: _ticket,
    STATUS: _status,
    NEED: _need,
    GOODBYE: _goodbye,
    QUIT: _quit,
}
