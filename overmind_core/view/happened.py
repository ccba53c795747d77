"""The newest events in words, the newest first: when, the mark of what began, whose, and a sentence. Pure.

What belongs together is one line: the end of a run and the start of the next one, work and its landing, a question and
its answer, a turn and the limit at which it ended.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, tzinfo
from typing import NamedTuple

from overmind_core.domain.actor import ENGINE, PERSON, is_person
from overmind_core.domain.agents.choices import answer_of
from overmind_core.domain.missions.reasons import RETRIES_SPENT, ended_words, sentence, why_beside
from overmind_core.domain.missions.status_marks import (
    FAILED,
    FROZEN,
    KILLED,
    LIMITED,
    LOST,
    RESTARTING,
    STALLED,
    STOPPED,
    SUCCEEDED,
    TIMED_OUT,
    WAITING,
    WORKING,
    YOUR_TURN,
    StatusMark,
    mark_of,
)
from overmind_core.domain.text.cells import pad
from overmind_core.view import missions as missions_rows
from overmind_core.view import numbers
from overmind_core.view.cells import Cell, Row, clipped, safe

TITLE = "what happened"
NAME = 13
"""Cells of a name, and of the blank behind it."""
_BEFORE_TEXT = 23
ANSWERED, UNKNOWN = "a person", "?"
"""The words for whoever has answered a question; and a program of which nobody knows the mission."""
_NOTHING = StatusMark("·", ".", "", "quiet")
_HOUR, _MINUTE = 3600, 60
_RESTART = re.compile(r"#(\d+)")
_ORDINALS = {1: "st", 2: "nd", 3: "rd"}
_TEENS = range(11, 14)
_LIMITS = frozenset({"limited", "no_credit", "api_error"})
"""Reasons, without their numbers, of turns that ended at a limit or an overload: that it waits is a part of it."""
_WORK_ENDED = "its work has ended"
_OUTCOMES: Mapping[str, StatusMark] = {
    one.word: one for one in (SUCCEEDED, FAILED, TIMED_OUT, STOPPED, KILLED, LOST)
}  # fmt: skip


class HappenedLine(NamedTuple):
    """A line, and the id of the mission that it is about; "" of none."""

    cells: list[Cell]
    mission: str = ""


class Surroundings(NamedTuple):
    """Facts that the events do not tell.

    Attributes:
        rows: Missions by id.
        zone: None is the machine's.
        ascii_only: Marks are ASCII.
    """

    rows: Mapping[str, Row] = {}
    zone: tzinfo | None = None
    ascii_only: bool = False


class _Told(NamedTuple):
    """One line to be: its event, the mark and the sentence."""

    event: Row
    mark: StatusMark
    text: str


class _Past:
    """The events so far, the oldest first, as lines to be."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.told: list[_Told] = []
        self.names: dict[str, str] = {}
        """Id → the name of a mission."""
        self.began: dict[str, float] = {}
        """Mission → when its newest run began."""
        self.ended: dict[str, float] = {}
        """Mission → when that run ended: one that waits for a restart may end later."""
        self.limited: set[str] = set()
        """Missions that wait for a limit."""
        self._asked: dict[tuple[str, int], int] = {}
        """Question → its place in `told`."""

    def add(self, event: Row) -> None:
        """Take over the next one."""
        mission = str(event.get("mission") or "")
        self.names.setdefault(mission, str(event.get("name") or ""))
        if event["type"] in {"started", "exited", "restarting"} and (at := numbers.moment(event["at"])) is not None:
            self._keep_run(mission, event["type"], at)
        if event["type"] == "activity" and event["doing"] == "working":
            self.limited.discard(mission)
        told = _TELLERS.get(event["type"])
        found = None if told is None else told(self, event)
        if found is not None:
            self.told.append(_Told(event, *found))

    def _keep_run(self, mission: str, kind: str, at: float) -> None:
        if kind == "started":
            self.began[mission] = at
            self.ended.pop(mission, None)
        else:
            self.ended.setdefault(mission, at)

    def row(self, event: Row) -> Row:
        """The mission of an event as it is now; empty where it is not known."""
        return self.around.rows.get(str(event.get("mission") or ""), {})

    def lasted(self, event: Row) -> str:
        """The time that the run took whose end an event tells: `after 6m`; "" where nobody knows."""
        mission, row = str(event.get("mission")), self.row(event)
        ended, began = self.ended.get(mission, numbers.moment(event["at"])), self.began.get(mission)
        if began is None and row:
            began = numbers.moment(row.get("run_started_at") or row.get("started_at"))
        return "" if began is None or ended is None or ended < began else f" after {_span(ended - began)}"

    def who(self, by: object) -> str:
        """Whoever did it, in words; "" for nobody."""
        if by in {PERSON, ANSWERED}:
            return "you"
        if by is None or by == ENGINE:
            return ""
        if is_person(by) or by == UNKNOWN:
            return "a program" if by == UNKNOWN else safe(by)
        row = self.around.rows.get(str(by), {})
        return safe(row.get("name") or self.names.get(str(by)) or by)

    def last(self, event: Row, *types: str) -> int | None:
        """The place of the newest line about the mission of an event, if it is of one of these types."""
        for place in range(len(self.told) - 1, -1, -1):
            other = self.told[place].event
            if other.get("mission") == event.get("mission"):
                return place if other["type"] in types else None
        return None

    def take(self, place: int) -> _Told:
        """A line that another one takes the place of; the questions behind it move up."""
        self._asked = {question: at - (at > place) for question, at in self._asked.items() if at != place}
        return self.told.pop(place)

    def ask(self, event: Row) -> None:
        """The question that is told next is this one's."""
        self._asked[str(event.get("mission")), event["question"]] = len(self.told)

    def close(self, event: Row) -> None:
        """A question is open no longer: what was told of it is past."""
        place = self._asked.pop((str(event.get("mission")), event["question"]), None)
        if place is not None:
            told = self.told[place]
            self.told[place] = told._replace(text="asked" + told.text.removeprefix("asks"))


Teller = Callable[[_Past, Row], tuple[StatusMark, str] | None]


def title(cells: int) -> list[Cell]:
    """The rule above the events."""
    return [Cell("── ", "rule"), Cell(TITLE, "title"), Cell(f" {'─' * (cells - len(TITLE) - 5)}", "rule")]


def lines(events: Iterable[Row], cells: int, height: int, around: Surroundings) -> list[HappenedLine]:
    """The newest first, at most `height`.

    Args:
        events: As the request `events` tells them, the oldest first.
        cells: The width.
        height: Lines that there is room for.
        around: Facts that they do not tell.
    """
    past = _Past(around)
    for event in events:
        past.add(event)
    return [_line(told, cells, around) for told in past.told[: -height - 1 : -1]] if height > 0 else []


def _line(told: _Told, cells: int, around: Surroundings) -> HappenedLine:
    at = numbers.moment(told.event["at"]) or 0.0
    clock = datetime.fromtimestamp(at, around.zone).strftime("%H:%M")
    name = pad(clipped(safe(told.event.get("name")), NAME - 1), NAME)
    mark = told.mark.ascii if around.ascii_only else told.mark.mark
    text = clipped(told.text, max(cells - _BEFORE_TEXT - 1, 0))
    mission = str(told.event.get("mission") or "")
    tone = "quiet" if told.mark.tone == "wait" else told.mark.tone  # who still needs a person stands in the list
    shown = [Cell(f" {clock}  ", "faint"), Cell(mark, tone), Cell(f" {name}"), Cell(text, "quiet")]
    return HappenedLine(shown, mission)


def _span(seconds: float) -> str:
    """A duration, from an hour on with its minutes: `12s`, `6m`, `2h 4m`."""
    minutes = int(seconds) % _HOUR // _MINUTE
    return f"{numbers.span(seconds)} {minutes}m" if _HOUR <= seconds < 24 * _HOUR and minutes else numbers.span(seconds)


def _ordinal(number: int) -> str:
    return f"{number}{'th' if number % 100 in _TEENS else _ORDINALS.get(number % 10, 'th')}"


# the words of each type of event


def _asked(past: _Past, event: Row) -> tuple[StatusMark, str]:
    past.ask(event)
    return WAITING, f"asks: {safe(event['summary'])}"


def _answered(past: _Past, event: Row) -> tuple[StatusMark, str]:
    past.close(event)
    by, summary = event["by"], safe(event.get("summary"))
    if by is None:
        return _NOTHING, f"no longer asks: {summary}" if summary else "asks no longer"
    who = past.who(by) if is_person(by) or by == ANSWERED else f"the rule {safe(by)}"
    if given := answer_of(event):
        return _NOTHING, f"{who} answered: {safe(given)}"
    verb = {"allow": "allowed", "deny": "denied", "always": "always allows"}.get(str(event["behaviour"]), "answered")
    return _NOTHING, f"{who} {verb} {summary}".rstrip()


def _ended(past: _Past, event: Row) -> tuple[StatusMark, str]:
    outcome, row = str(event.get("outcome") or ""), past.row(event)
    default = {"crashed": FAILED, "killed": KILLED}.get(event["type"], STOPPED)
    mark, lasted = _OUTCOMES.get(outcome, default), past.lasted(event)
    if mark is SUCCEEDED and row.get(missions_rows.QUEST_STATE) and row.get("outcome") is None:
        return _NOTHING, f"{_WORK_ENDED}{lasted}"  # whether it was good, its quest tells
    who = past.who(event.get("by"))
    if mark in {STOPPED, KILLED}:
        return mark, f"{f'{who} {mark.word} it' if who else f'was {mark.word}'}{lasted}"
    why = _why(event, row)
    if mark is TIMED_OUT and (place := past.last(event, "health")) is not None:
        past.take(place)  # it was said how long it had been silent
    if why and _says_limit(event, row, lasted):
        lasted = ""
    state = ended_words(mark.word, event.get("exit_code"))
    return mark, f"{state}{lasted}{f': {why}' if why else ''}"


def _says_limit(event: Row, row: Row, lasted: str) -> bool:
    """True where the reason of an end names the time that it took: the limit itself."""
    limit = float(row.get("limit_seconds") or 0)
    return limit > 0 and (event.get("reason") == "timeout" or lasted == f" after {_span(limit)}")


def _why(event: Row, row: Row) -> str:
    """Why it ended so, or the last line of a program that has no other reason; "" where nobody knows."""
    reason, limit = event.get("reason"), row.get("limit_seconds")
    if reason == "stalled" and limit:
        return f"no output for {numbers.span(limit)}"
    if event.get("outcome") != SUCCEEDED.word and (why := why_beside(reason, limit)):
        return why
    if row.get("provider") != "raw" or row.get("outcome") not in {None, event.get("outcome")}:
        return ""  # what it does now tells of its quest, or of another run
    text, lead = safe(row.get("now")), f"exit {event.get('exit_code')}"
    return _head("" if text == lead else text.removeprefix(f"{lead}: "))  # how it ended stands before it


def _head(line: str) -> str:
    """The line; of one that names its kind of error with a number, what stands before its first colon."""
    head, colon, _ = line.partition(": ")
    return head if colon and " " in head else line


def _landed(past: _Past, event: Row) -> tuple[StatusMark, str] | None:
    changed = "" if event.get("added") is None else numbers.lines_changed(event["added"], event["removed"])
    text = f"landed on {safe(event['target'])}{f' ({changed})' if changed else ''}"
    place = past.last(event, "stopped")
    if place is None or not _ended_well(past.told[place]):
        who = past.who(event.get("by"))
        return SUCCEEDED, f"{who} landed it on {text.removeprefix('landed on ')}" if who else text
    told = past.take(place).text.partition(": ")[0]
    return SUCCEEDED, f"{told.replace(_WORK_ENDED, SUCCEEDED.word)}, {text}"


def _ended_well(told: _Told) -> bool:
    """Whether the program of a line has ended well, whatever its quest has come to since."""
    return told.event.get("outcome") == SUCCEEDED.word


def _turn_ended(past: _Past, event: Row) -> tuple[StatusMark, str] | None:
    if not event["ok"]:
        if _met_limit(event) and past.last(event, "activity") is not None:
            return None
        why = f": {safe(sentence(event['reason']))}" if event["reason"] else ""
        return YOUR_TURN, f"its turn failed{why}"
    cost = f", {numbers.cost_of(event)}" if event["cost_usd"] else ""
    return YOUR_TURN, f"finished a turn of {_span(event['duration_ms'] / 1000)}{cost}"


def _restarting(_past: _Past, event: Row) -> tuple[StatusMark, str]:
    code = f" ({event['exit_code']})" if event["exit_code"] else ""
    return (
        RESTARTING,
        f"{'failed' if event['exit_code'] else 'ended'}{code}, starts again in {_span(event['delay_seconds'])}",
    )


def _restart(past: _Past, event: Row) -> tuple[StatusMark, str]:
    found = _RESTART.search(str(event.get("text") or ""))
    often = f", {_ordinal(int(found[1]))} time" if found else ""
    place = past.last(event, "restarting")
    if place is not None:
        return RESTARTING, f"{past.take(place).text.partition(', ')[0]}, started again{often}"
    who = past.who(event.get("by"))
    return RESTARTING, f"{who} started it again" if who else f"started again{often}"


def _created(past: _Past, event: Row) -> tuple[StatusMark, str]:
    row, who = past.row(event), past.who(event.get("by"))
    text = f"{who} started it" if who else "was started"
    if row.get("type") == missions_rows.PLAN:
        path = str(row.get("command") or "").removeprefix("apply ")
        return WORKING, f"{text} from {safe(path.rsplit('/', 1)[-1])}" if path else text
    is_own = who == "you" and row.get("provider", "") == "raw"
    ports = ((row.get("isolation") or {}).get("ports") or {}).values()
    parts = [safe(row.get("command")) if is_own else "", *(f":{port}" for port in ports)]
    more = ", ".join(filter(None, parts))
    return WORKING, f"{text}: {more}" if more else text


def _activity(past: _Past, event: Row) -> tuple[StatusMark, str] | None:
    mission = str(event.get("mission") or "")
    if event["doing"] != "limited" or mission in past.limited:
        return None
    past.limited.add(mission)
    is_plan = "plan's limit" in str(past.row(event).get("now") or "")
    text = "reached the limit of its plan" if is_plan else "waits for a limit or an overload of its service"
    place = past.last(event, "turn_ended")
    if place is not None and _met_limit(past.told[place].event):
        failed = past.take(place).text
        return LIMITED, text if is_plan else failed
    return LIMITED, text


def _met_limit(turn: Row) -> bool:
    """True for a turn that failed at a limit, or an overload."""
    return not turn["ok"] and str(turn["reason"] or "").partition(" ")[0] in _LIMITS


def _by(mark: StatusMark, done: str) -> Teller:
    """Something that somebody did to it: `you froze it`."""
    return lambda past, event: (mark, f"{past.who(event.get('by')) or 'the engine'} {done}")


def _says(mark: StatusMark, text: str = "", *, field: str = "text") -> Teller:
    """A text of ours, or what the event itself says, without its dashes."""
    return lambda _past, event: (mark, text or safe(str(event.get(field) or "").strip("- ")))


def _health(_past: _Past, event: Row) -> tuple[StatusMark, str] | None:
    why = f": {safe(event['why'])}" if event.get("why") else ""
    return None if event["level"] in {"ok", "quiet"} else (STALLED, f"{safe(event['level'])}{why}")


def _quest(past: _Past, event: Row) -> tuple[StatusMark, str] | None:
    status, failure = event["status"], event.get("class")
    if status == "failed" or (status == "queued" and failure and event.get("by") == ENGINE):
        return _attempt_failed(past, event)
    if status not in {"completed", "cancelled", "review"}:
        return None
    return mark_of(status), f"quest {safe(status)}"


def _attempt_failed(past: _Past, event: Row) -> tuple[StatusMark, str] | None:
    """An attempt came to nothing: where its program ended well, that line would say the contrary."""
    place, is_over = past.last(event, "stopped", "crashed"), event["status"] == "failed"
    ended_well = place is not None and _ended_well(past.told[place])
    if place is not None and not ended_well and not is_over:
        return None
    lasted = past.lasted(past.take(place).event) if place is not None and ended_well else ""
    reason, failure = event.get("reason"), event.get("class")
    code = failure if reason in {None, RETRIES_SPENT} else reason
    why = f": {safe(sentence(code))}" if code else ""
    if is_over:
        return FAILED, f"quest failed{lasted}{why}"
    return RESTARTING, f"attempt {event.get('attempt')} failed{lasted}{why}"


def _committed(past: _Past, event: Row) -> tuple[StatusMark, str]:
    who = past.who(event.get("by"))
    files = numbers.counted(event["files"], "file")
    return _NOTHING, f"{who or 'the engine'} committed {files}: {safe(event['subject'])}"


def _overlap(_past: _Past, event: Row) -> tuple[StatusMark, str]:
    return (
        STALLED,
        f"changes {numbers.counted(len(event['files']), 'file')} that {safe(event['other_name'])} changes too",
    )


_TELLERS: Mapping[str, Teller] = {
    "activity": _activity,
    "answered": _answered,
    "asked": _asked,
    "committed": _committed,
    "conversation_lost": _says(LOST, "lost its conversation, and began a new one"),
    "cost_warning": _says(STALLED, field="why"),
    "crashed": _ended,
    "created": _created,
    "discarded": _by(_NOTHING, "discarded its worktree"),
    "flash": _says(_NOTHING),
    "health": _health,
    "keeper_lost": _says(LOST, missions_rows.LOST_WORDS),
    "killed": _ended,
    "landed": _landed,
    "overlap": _overlap,
    "paused": _by(FROZEN, "froze it"),
    "quest": _quest,
    "restart": _restart,
    "restarting": _restarting,
    "set_up_failed": _says(FAILED),
    "spawn_failed": _says(FAILED),
    "stopped": _ended,
    "thawed": _by(WORKING, "let it go on"),
    "turn_ended": _turn_ended,
}
"""By type of event; all others are not told here, but in the log of events."""
