"""The operations of the keeper's protocol: one function each, found by name in `OPERATIONS`.

A function takes (keeper, request) and returns the `ok` part of the answer, or raises Refused; a request of the wrong
shape may end it by KeyError, TypeError or ValueError.
"""

from __future__ import annotations

import base64
import os
import signal as signals
import time

from overmind_core.keeper.input import RequestRefused
from overmind_core.keeper.leases import lease_moment
from overmind_core.wire.keeper import (
    ACK,
    ANSWER,
    CHANGED,
    CURSOR,
    EOF,
    ERROR_UNKNOWN_RUN,
    GOODBYE,
    LEASE,
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
    from overmind_core.keeper.run import KeptRun

    Request = Mapping[str, Any]
    Operation = Callable[[Keeper, Request], dict[str, object]]


LARGEST_SIZE = 0xFFFF
"""Cells; ioctl_tty(2)."""


def _run(keeper: Keeper, request: Request) -> KeptRun:
    run = keeper.runs.get(request["run"])
    if run is None:
        raise RequestRefused(ERROR_UNKNOWN_RUN, f"no run {request['run']!r} is known here")
    return run


def _list(keeper: Keeper, _request: Request) -> dict[str, object]:
    return {"runs": [_row(run) for run in keeper.runs], "seq": keeper.runs.seq}


def _row(run: KeptRun) -> dict[str, object]:
    out, err = run.log.offsets
    end = run.exit
    return {
        "run": run.id,
        "pid": run.pid,
        "ticks": run.ticks,
        "mark": run.mark,
        "out": out,
        "err": err,
        "in_seq": run.stdin.seq,
        "in_written": run.stdin.written,
        "started": run.started,
        "mono": run.mono,
        "last": run.last,
        "trouble": run.trouble,
        "acked": run.acked,
        "lease": run.lease,
        "fenced": run.fenced,
        "queries": run.viewers.queries.for_memory(),
        "exit": None
        if end is None
        else {"code": end.code, "end": end.end, "mono": end.mono, "out": end.out, "err": end.err, "left": end.left},
    }


def _changed(keeper: Keeper, request: Request) -> dict[str, object]:
    rows = []
    for run in keeper.runs.changed(int(request["since"])):
        out, err = run.log.offsets
        rows.append({"run": run.id, "out": out, "err": err, "last": run.last, "trouble": run.trouble})
    return {"seq": keeper.runs.seq, "runs": rows}


def _watch(keeper: Keeper, request: Request) -> dict[str, object]:
    keeper.watch(_run(keeper, request), on=bool(request["on"]))
    return {}


def _write(keeper: Keeper, request: Request) -> dict[str, object]:
    stdin = _run(keeper, request).stdin
    stdin.write(int(request["seq"]), base64.b64decode(request["data"], validate=True))
    return {"seq": stdin.seq, "written": stdin.written}


def _answer(keeper: Keeper, request: Request) -> dict[str, object]:
    viewers = _run(keeper, request).viewers
    for end, data in request["answers"]:
        viewers.answer(int(end), base64.b64decode(data, validate=True))
    return {}


def _eof(keeper: Keeper, request: Request) -> dict[str, object]:
    _run(keeper, request).stdin.end()
    return {}


def _resize(keeper: Keeper, request: Request) -> dict[str, object]:
    columns, rows = int(request["columns"]), int(request["rows"])
    if not (0 < columns <= LARGEST_SIZE and 0 < rows <= LARGEST_SIZE):
        raise ValueError(f"a terminal can't have {columns} by {rows} cells")
    _run(keeper, request).viewers.resize(columns, rows)
    return {}


def _signal(keeper: Keeper, request: Request) -> dict[str, object]:
    """Only while unreaped: until then nobody else can have this pid."""
    run = _run(keeper, request)
    number = signals.Signals(int(request["signal"]))
    if not run.lives:
        return {"delivered": False}
    try:
        os.kill(run.pid, number)
    except OSError:
        return {"delivered": False}
    return {"delivered": True}


def _orphans(keeper: Keeper, request: Request) -> dict[str, object]:
    run = keeper.runs.get(request["run"])
    others = {*keeper.runs.by_pid, *(int(pid) for pid in request.get("spare", ()))}
    # What was forgotten had nothing left, or was swept.
    return {"left": run is not None and keeper.orphans.any_left(run.mark, others)}


def _ack(keeper: Keeper, request: Request) -> dict[str, object]:
    for run_id in request["runs"]:
        run = keeper.runs.get(run_id)
        if run is not None and not run.lives:
            run.acked = True
            keeper.forget_if_over(run)
    return {}


def _release(keeper: Keeper, request: Request) -> dict[str, object]:
    run = keeper.runs.get(request["run"])
    if run is None or run.lives:
        return {}
    run.release()
    keeper.leases.drop(run)
    out, err = run.log.offsets
    keeper.forget_if_over(run)
    return {"out": out, "err": err}


def _cursor(keeper: Keeper, request: Request) -> dict[str, object]:
    _run(keeper, request).cursor = (int(request["out"]), int(request["err"]))
    return {}


def _lease(keeper: Keeper, request: Request) -> dict[str, object]:
    """Set all or none; answers how those stand that are known here."""
    moments = {str(run_id): lease_moment(until) for run_id, until in request["runs"].items()}
    known = {run: until for run_id, until in moments.items() if (run := keeper.runs.get(run_id)) is not None}
    keeper.leases.set(known)
    return {"runs": [{"run": run.id, "lease": run.lease, "fenced": run.fenced} for run in known]}


def _ticket(keeper: Keeper, request: Request) -> dict[str, object]:
    run = _run(keeper, request)
    keeper.tickets.issue(str(request["ticket"]), run=run.id, mode=request["mode"], ttl=float(request["ttl"]))
    return {}


def _status(keeper: Keeper, _request: Request) -> dict[str, object]:
    return {
        "pid": os.getpid(),
        "rss": _resident_bytes(),
        "cpu": time.process_time(),
        "runs": len(keeper.runs),
        "fds": _open_files(),
    }


def _resident_bytes() -> int:
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
    keeper.stay_requested = request["on"] is True
    return {}


def _goodbye(keeper: Keeper, _request: Request) -> dict[str, object]:
    keeper.goodbye_received = True
    keeper.stay_requested = False
    return {}


def _quit(keeper: Keeper, _request: Request) -> dict[str, object]:
    keeper.quit_requested = True
    return {}


OPERATIONS: dict[str, Operation] = {
    LIST: _list,
    CHANGED: _changed,
    WATCH: _watch,
    WRITE: _write,
    ANSWER: _answer,
    EOF: _eof,
    RESIZE: _resize,
    SIGNAL: _signal,
    ORPHANS: _orphans,
    ACK: _ack,
    RELEASE: _release,
    CURSOR: _cursor,
    LEASE: _lease,
    TICKET: _ticket,
    STATUS: _status,
    NEED: _need,
    GOODBYE: _goodbye,
    QUIT: _quit,
}
