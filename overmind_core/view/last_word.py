"""What is known of missions while no daemon answers: how they were at its last word, and what that said of ends. Pure.

Rows that may be otherwise by now keep what was said; their clocks stop there. They may well go on: the
keeper holds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo

from overmind_core.domain.missions.status_marks import OF_WORK, QUEUED, REVIEW
from overmind_core.view import missions as missions_rows
from overmind_core.view import numbers
from overmind_core.view.cells import Row
from overmind_core.view.hive_keys import NO_DAEMON, SILENT_SINCE

_BEGINS = frozenset({"created", "preparing", "prepared", "started", "restart", "restarting"})
"""Events after which a mission is no longer as it ended before."""
_GOES_ON = frozenset({QUEUED, REVIEW, *OF_WORK})
"""Marks of an ended mission whose quest, or agent of a plan, goes on."""
_NOTHING_RUNS: Row = {
    "activity": None, "need": None, "failed_message": None, "now": None, "cpu_percent": None, "memory_bytes": None,
    "output_bytes_per_second": None, "next_restart_at": None,
}  # fmt: skip


def may_differ(row: Row) -> bool:
    """Whether it may be otherwise by now than a daemon said: what has ended stays as it ended."""
    return missions_rows.is_live(row) or missions_rows.mark(row) in _GOES_ON


def unheard(row: Row, since: float | None) -> Row:
    """A mission of this home while no daemon answers since then (seconds since the epoch); None: one does."""
    known = {key: value for key, value in row.items() if key not in {SILENT_SINCE, NO_DAEMON}}
    return known if since is None or not may_differ(row) else {**known, SILENT_SINCE: since, NO_DAEMON: True}


def ended(rows: Iterable[Row], events: Iterable[Mapping[str, object]]) -> dict[str, Row]:
    """Those that have ended by events that came before rows could say so; `events`: the newest last."""
    live = {row["id"]: row for row in rows if missions_rows.is_live(row)}
    newest = {
        event["mission"]: event
        for event in events
        if event.get("mission") in live and (event["type"] in _BEGINS or event["type"] in missions_rows.FINAL)
    }
    return {
        str(one): _ended(live[one], event)
        for one, event in newest.items()
        if event["type"] in missions_rows.FINAL and _is_of_this_run(event, live[one])
    }


def _is_of_this_run(event: Mapping[str, object], row: Row) -> bool:
    """Whether it is about the run that the row shows: that may have begun by an event that was left out."""
    began, at = numbers.moment(row.get("run_started_at") or row["started_at"]), numbers.moment(str(event["at"]))
    is_later = began is None or at is None or at >= began
    return is_later and event.get("run") == row.get("run", event.get("run"))


def _ended(row: Row, event: Mapping[str, object]) -> Row:
    said = {key: event[key] for key in ("reason", "exit_code", "outcome") if key in event}
    return {**row, **_NOTHING_RUNS, "status": event["type"], "ended_at": event["at"], **said}


def as_of(since: float | None, zone: tzinfo | None) -> str:
    """When what is shown was so: `as of 13:42`; "" while a daemon answers. `zone`: None is the machine's."""
    return "" if since is None else f"as of {datetime.fromtimestamp(since, zone):%H:%M}"


def no_daemon(since: float, now: float) -> str:
    """For how long none has answered: `no daemon for 12s`."""
    return f"no daemon for {numbers.span(max(now - since, 0.0))}"
