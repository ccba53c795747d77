"""What is known of missions while no daemon answers: how they were at its last word, and what that said of ends. Pure.

Rows that may be otherwise by now keep what was said; their clocks stop there. They may well go on: the
keeper holds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo

from overmind_core.domain.missions.reasons import RETRIES_SPENT, sentence
from overmind_core.domain.missions.status_marks import BAD_ENDS, OF_WORK, QUEUED, REVIEW, TRIED_AGAIN
from overmind_core.view import missions as missions_rows
from overmind_core.view import numbers
from overmind_core.view.cells import Row
from overmind_core.view.hive_keys import NO_DAEMON, SILENT_SINCE

_BEGINS = frozenset({"created", "preparing", "prepared", "started", "restart", "restarting"})
"""Events after which a mission is no longer as it ended before."""
_GOES_ON = frozenset({QUEUED, REVIEW, *OF_WORK}) - {TRIED_AGAIN}
"""Marks of an ended mission whose quest, or agent of a plan, goes on."""
_QUEST = "quest"
_BAD = frozenset(mark.word for mark in BAD_ENDS)
_OVER = frozenset({"completed", "failed", "cancelled"})
_SAME = frozenset({("to land", "landing")})
"""State of a row, and of an event: the event does not say that a landing waits."""
_NOTHING_RUNS: Row = {
    "activity": None, "need": None, "failed_message": None, "now": None, "cpu_percent": None, "memory_bytes": None,
    "output_bytes_per_second": None, "next_restart_at": None, "uptime_seconds": None,
}  # fmt: skip


def may_differ(row: Row) -> bool:
    """Whether it may be otherwise by now than a daemon said: what has ended stays as it ended."""
    return missions_rows.is_live(row) or missions_rows.mark(row) in _GOES_ON


def unheard(row: Row, since: float | None) -> Row:
    """A mission of this home while no daemon answers since then (seconds since the epoch); None: one does."""
    known = {key: value for key, value in row.items() if key not in {SILENT_SINCE, NO_DAEMON}}
    return known if since is None or not may_differ(row) else {**known, SILENT_SINCE: since, NO_DAEMON: True}


def ended(rows: Iterable[Row], events: Iterable[Mapping[str, object]]) -> dict[str, Row]:
    """Those that stand otherwise by events that came before rows could say so: ends of runs, and of quests.

    `events`: the newest last.
    """
    known: dict[str, Row] = {row["id"]: row for row in rows}
    events = tuple(events)
    found = _ended_runs(known, events)
    quests = {str(event["mission"]): event for event in events if event["type"] == _QUEST}
    for one in quests.keys() & known.keys():
        row, event = found.get(one, known[one]), quests[one]
        if not missions_rows.is_live(row) and _is_later(event, row) and _differs(event, row):
            found[one] = _of_quest(row, event)
    return found


def _ended_runs(known: Mapping[str, Row], events: Iterable[Mapping[str, object]]) -> dict[str, Row]:
    live: dict[object, Row] = {one: row for one, row in known.items() if missions_rows.is_live(row)}
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
    return _is_later(event, row) and event.get("run") == row.get("run", event.get("run"))


def _is_later(event: Mapping[str, object], row: Row) -> bool:
    """Whether it came after the newest run of the row had begun."""
    began, at = numbers.moment(row.get("run_started_at") or row["started_at"]), numbers.moment(str(event["at"]))
    return began is None or at is None or at >= began


def _ended(row: Row, event: Mapping[str, object]) -> Row:
    said = {key: event[key] for key in ("reason", "exit_code", "outcome") if key in event}
    return {**row, **_NOTHING_RUNS, "status": event["type"], "ended_at": event["at"], **said}


def _quest_state(event: Mapping[str, object]) -> str:
    """The state of the quest that an event tells of, as the row of its mission has it."""
    status, phase = str(event["status"]), str(event.get("phase") or "work")
    return status if status != "running" else missions_rows.PHASE_WORDS.get(phase, phase)


def _differs(event: Mapping[str, object], row: Row) -> bool:
    told, state = row.get(missions_rows.QUEST_STATE), _quest_state(event)
    return told not in {state, *_OVER} and (told, state) not in _SAME


def _of_quest(row: Row, event: Mapping[str, object]) -> Row:
    """The ended mission of a quest that stands as an event says."""
    from overmind_core.domain.missions.outcome import outcome_of_state  # noqa: PLC0415 - once no daemon answers

    state, reason = _quest_state(event), event.get("reason")
    code = event.get("class") if reason == RETRIES_SPENT else reason
    outcome = outcome_of_state(state, None if code is None else str(code))
    own, text = row.get("outcome"), None
    if state == "failed" and (own in _BAD or row["status"] == "crashed"):  # that itself says why
        outcome, text = own or outcome, row.get("now")
    elif state == "failed" and code is not None:
        text = f"failed: {sentence(str(code))}"
    elif state == "cancelled" and row["status"] == "stopped" and row.get("exit_code") == 0:
        text = "its quest was cancelled"
    return {**row, missions_rows.QUEST_STATE: state, "outcome": outcome, "next_try_at": None, "now": text}


def as_of(since: float | None, zone: tzinfo | None) -> str:
    """When what is shown was so: `as of 13:42`; "" while a daemon answers. `zone`: None is the machine's."""
    return "" if since is None else f"as of {datetime.fromtimestamp(since, zone):%H:%M}"


def no_daemon(since: float, now: float) -> str:
    """For how long none has answered: `no daemon for 12s`."""
    return f"no daemon for {numbers.span(max(now - since, 0.0))}"
