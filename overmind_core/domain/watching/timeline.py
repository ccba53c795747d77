"""The timeline: what happened to a quest, a spec or a mission, folded from the events that are kept. No clock, no IO.

Several events that tell one thing become one entry: an attempt that begins is a change of the quest and the start of a
run, the end of a mission follows the exit of its first process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from overmind_core.domain.actor import ENGINE, PERSON
from overmind_core.domain.agents.choices import answer_of
from overmind_core.domain.agents.turns import one_line
from overmind_core.domain.missions.mission import Cause
from overmind_core.domain.missions.outcome import Outcome
from overmind_core.domain.missions.reasons import EXITED, SAY_NOTHING, message_failure, said_exit, sentence
from overmind_core.domain.quests.life import QuestState
from overmind_core.domain.quests.quest import QuestPhase
from overmind_core.domain.specs.check import score_text
from overmind_core.domain.text.decimals import dollars
from overmind_core.domain.watching.shared_files import listed, overlap_words

Fields = Mapping[str, Any]
"""An event as it is stored; a later version may have other fields."""

EARLIER = "earlier"
"""In the place of what happened: the entry stands for those that are not shown."""
ALSO = "also"
"""The entry names who else has the name that was asked for."""
MESSAGE_FAILED = "message_failed"
"""A message for an agent got no answer."""
NO_LONGER_KEPT = "Earlier events are no longer kept."


class TimelineEntry(NamedTuple):
    """One thing that happened."""

    at: float | None
    """Seconds since the epoch; None for what stands for earlier ones."""
    seq: int
    """The number of its event in the log."""
    attempt: int | None
    """The attempt of a quest, else the run of a mission; None before the first, and for a spec as a whole."""
    what: str
    """A key of `WHAT`, or the state of a quest."""
    by: str | None
    """`person`, a person's client such as `web:phone`, `engine`, a mission's id or the rule that answered; None: the
    event does not say."""
    text: str
    """One line for people; it may quote what others wrote."""
    mission: str | None = None
    """The id of the quest, mission or spec that it is about; None for what stands for others."""


class _Summary(NamedTuple):
    """What an event tells."""

    what: str
    text: str
    by: str | None = None


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _because(text: str, event: Fields) -> str:
    return f"{text}: {event['why']}" if event.get("why") else text


_STATES: Mapping[str, QuestState] = {
    QuestPhase.WORK.value: QuestState.WORKING,
    QuestPhase.CHECK.value: QuestState.CHECKING,
    QuestPhase.REVIEWING.value: QuestState.REVIEWING,
    QuestPhase.LANDING.value: QuestState.LANDING,
}


def _quest(event: Fields) -> _Summary:
    status, phase = str(event["status"]), event.get("phase")
    if status == "running":
        state = _STATES.get(str(phase), QuestState.WORKING)
        number = event.get("attempt")
        begins = "begins" if number is None else f"attempt {number} begins"
        return _Summary(state.value, begins if state is QuestState.WORKING else str(event.get("why") or ""))
    if status == "queued":
        return _Summary(status, _queued(event))
    reason = event.get("reason")
    text = sentence(str(event.get("why") or reason or ""))
    code = said_exit(reason if isinstance(reason, str) else None, event.get("exit_code"))
    return _Summary(status, f"{text} (exit code {code})" if text and code else str(text))


_DENIED = "review_denied"


def _queued(event: Fields) -> str:
    number, failure = event.get("attempt") or 0, event.get("class")
    if not number:
        return str(event.get("why") or "waits for its turn")
    if event.get("by") not in {None, ENGINE}:
        return f"attempt {number} was denied: it is tried again" if failure == _DENIED else "a new round of attempts"
    why = sentence(str(event.get("why") or failure or "unknown"))
    return f"attempt {number} has failed: {why}"


def _spec(event: Fields) -> _Summary:
    phase, score = event.get("phase"), event.get("score")
    text = str(event["state"]) if phase is None else f"{phase} {event['state']}"
    scored = text if score is None else f"{text} {score_text(score)}"
    return _Summary("spec" if phase is None else "phase", _because(scored, event))


def _report(event: Fields) -> _Summary:
    kind, count = event["kind"], event.get("count") or 1
    if count > 1:
        text = f"{kind}, reported {count} times"
    elif event.get("question") is not None:
        text = f"{kind}, asked as question {event['question']}"
    elif event.get("quest") is not None:
        text = f"{kind}, queued as {event['quest']}"
    else:
        text = f"{kind}, recorded"
    return _Summary("report", _because(text, event))


def _steer(event: Fields) -> _Summary:
    if event.get("outcome") is not None:
        return _Summary("steer", _because(f"{event['rung']} {event['outcome']}", event))
    terms = [str(one) for one in event.get("terms") or ()]
    rung, why = str(event["rung"]), str(event.get("why") or "")
    if not terms or all(term in why for term in terms):  # which they are is said with why
        return _Summary("steer", _because(rung, event))
    return _Summary("steer", _because(f"{rung} ({', '.join(terms)})", event))


def _overlap(event: Fields) -> _Summary:
    files, conflicts = event.get("files") or (), event.get("conflicts")
    text = overlap_words(event["other_name"], files)
    return _Summary("overlap", f"{text}; conflicts: {listed(conflicts)}" if conflicts else text)


def _asked(event: Fields) -> _Summary:
    text = f"question {event['question']} ({event['need']}): {event.get('summary') or ''}"
    return _Summary("asked", text, ENGINE if event.get("about") else None)


def _answered(event: Fields) -> _Summary:
    if event.get("behaviour") is None:
        return _Summary("withdrawn", _because(f"question {event['question']}", event))
    by = PERSON if event.get("by") == "a person" else str(event.get("by"))
    return _Summary("answered", f"question {event['question']}: {answer_of(event) or event['behaviour']}", by)


def _landed(event: Fields) -> _Summary:
    text = f"{event['branch']} on {event['target']}: {event['before'][:7]} to {event['after'][:7]}"
    return _Summary("landed", _because(text, event))


def _exit(event: Fields) -> str:
    code = event.get("exit_code")
    return "no exit code" if code is None else f"exit code {code}"


def _ended(event: Fields) -> _Summary:
    reason = event.get("reason")
    text = f"{sentence(str(reason))} ({_exit(event)})" if reason and reason not in SAY_NOTHING else _exit(event)
    return _Summary(str(event.get("outcome") or event["type"]), text)


_OF_ENGINE = frozenset({Cause.TIMEOUT.value, Cause.STALLED.value, Cause.LIMIT.value, Cause.FENCED.value})
"""Why the engine ends a run: a person may have allowed it, and has not done it."""


def _stopping(event: Fields) -> _Summary:
    cause, text = str(event.get("cause") or ""), str(event.get("text") or "").strip(" -")
    by = ENGINE if cause in _OF_ENGINE else None
    return _Summary("stopping", text or sentence(cause), by)


def _restarting(event: Fields) -> _Summary:
    return _Summary("restarting", f"{_exit(event)}; again in {event['delay_seconds']:g}s")


def _message_failed(event: Fields) -> _Summary:
    text = str(event.get("text") or "").strip(" -")
    return _Summary(MESSAGE_FAILED, text or message_failure(event["message"], str(event["error"]), is_given_up=False))


def _is_said(event: Fields) -> bool:
    """Whether the mission's end, or the person who interrupted the turn, says already that a message has failed."""
    return event["type"] == MESSAGE_FAILED and event.get("error") in _SAID and not event.get("text")


def _named(what: str, text: str = "") -> Callable[[Fields], _Summary]:
    return lambda event: _Summary(what, str(event.get("text") or "").strip(" -") or text)


WHAT: Mapping[str, Callable[[Fields], _Summary]] = {
    "quest": _quest,
    "spec": _spec,
    "report": _report,
    "health": lambda event: _Summary("health", _because(str(event["level"]), event)),
    "steer": _steer,
    "overlap": _overlap,
    "note": lambda event: _Summary("note", _because(f"{event['note']} {event['change']}", event)),
    "lesson": lambda event: _Summary("lesson", f"{event['lesson']} {event['state']}: {sentence(event.get('class'))}"),
    "asked": _asked,
    "answered": _answered,
    "landed": _landed,
    "cost_warning": lambda event: _Summary(
        "cost_warning", _because(f"{dollars(event['cost_usd'])} spent", event), ENGINE
    ),
    "created": lambda _: _Summary("created", ""),
    "started": lambda event: _Summary("started", f"run {event.get('run') or 1}"),
    MESSAGE_FAILED: _message_failed,
    "spawn_failed": _named("spawn_failed"),
    "set_up_failed": _named("set_up_failed", "the project's set-up commands have failed"),
    "paused": lambda _: _Summary("paused", "frozen"),
    "thawed": lambda _: _Summary("thawed", "runs again"),
    "stopping": _stopping,
    "exited": lambda event: _Summary("exited", _exit(event)),
    "keeper_lost": _named("keeper_lost", "its run was lost"),
    "restarting": _restarting,
    "stopped": _ended,
    "crashed": _ended,
    "killed": _ended,
}
"""Type of event → what it tells. What has no row is not on the timeline."""
_OF_RUNS = frozenset({"created", "started"})
"""What the state of a quest of the queue tells better."""
_SAID = frozenset({EXITED, "interrupted"})
"""Why a message has failed that something else on the timeline says."""
_ENDS = frozenset({"restarting", "stopped", "crashed", "killed"})
"""What follows the exit of a run, and tells that as well."""


class Timeline:
    """Events of one subject in, in their order; entries out.

    Args:
        subject: Its id: entries about others, such as the quests of a spec, begin with the name of those.
        quests: Those among its ids that are quests, as far as no event of theirs has to say so.
    """

    def __init__(self, subject: str, quests: Iterable[str] = ()) -> None:
        self._subject = subject
        self._attempts: dict[str, int] = {}
        """Quest of the queue → its newest attempt."""
        self._runs: dict[str, int] = {}
        """Mission → its newest run."""
        self._newest: dict[str, int] = {}
        """Mission → the place of its newest entry."""
        self._quests = set(quests)
        self.entries: list[TimelineEntry] = []

    def apply(self, seq: int, at: float, event: Fields) -> None:
        """Add what an event tells; one that can't be read, of another version, tells nothing."""
        kind, mission = event.get("type"), str(event.get("mission"))
        summarise = WHAT.get(str(kind))
        if summarise is None or _is_said(event):
            return
        try:
            summary = summarise(event)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            return
        self._count(mission, event)
        of_queue = mission in self._attempts
        if of_queue and kind in _OF_RUNS:
            return
        entry = self._entry(seq, at, summary, event, mission)
        place = self._newest.get(mission)
        before = None if place is None else self.entries[place].what
        if entry.what == Outcome.SUCCEEDED and kind in _ENDS and mission in self._quests:
            entry = entry._replace(what="exited")  # its check may follow: the end of the quest tells how it went
        if place is not None and kind in _ENDS and before == "exited":
            self.entries[place] = entry
        elif place is not None and entry.what == QuestState.WORKING and before == "started":
            self.entries[place] = self.entries[place]._replace(what=entry.what, by=entry.by)
        else:
            if kind != MESSAGE_FAILED:  # it stands between the exit of a run and what follows that
                self._newest[mission] = len(self.entries)
            self.entries.append(entry)

    def _count(self, mission: str, event: Fields) -> None:
        if isinstance(event.get("run"), int):
            self._runs[mission] = event["run"]
        if event["type"] == "quest":
            self._quests.add(mission)
        if event["type"] == "quest" and isinstance(event.get("attempt"), int):
            self._attempts[mission] = event["attempt"]

    def _entry(self, seq: int, at: float, summary: _Summary, event: Fields, mission: str) -> TimelineEntry:
        attempt = self._attempts.get(mission, self._runs.get(mission)) or None
        text = summary.text
        if mission != self._subject:
            text = f"{event.get('name') or mission}: {text}".removesuffix(": ")
        by = summary.by or event.get("by")
        return TimelineEntry(at, seq, attempt, summary.what, None if by is None else str(by), one_line(text), mission)


def of_other(event: Fields) -> dict[str, Any]:
    """An event about two missions as the other one's own, of which nobody records a second one."""
    return {**event, "mission": event["other"], "name": event["other_name"], "other_name": event["name"], "run": None}


def also(shown: str, others: Sequence[tuple[str, str]]) -> TimelineEntry:
    """Return the entry above those of a subject whose name others have, too.

    Args:
        shown: What kind of thing it is: `spec`, `quest` or `mission`.
        others: Kind and id of each other one.
    """
    named = ", ".join(f"{kind}: overmind timeline {id_}" for kind, id_ in others)
    return TimelineEntry(None, 0, None, ALSO, None, f"This is the {shown} of this name. The {named}")


def newest(entries: list[TimelineEntry], limit: int, *, complete: bool) -> list[TimelineEntry]:
    """Return the newest `limit` entries, below one that stands for those that are not among them.

    `complete`: every event of the subject is kept.
    """
    shown = entries[-limit:]
    hidden = len(entries) - len(shown)
    if not hidden and complete:
        return shown
    text = f"{_counted(hidden, 'earlier entry is', 'earlier entries are')} not shown." if hidden else NO_LONGER_KEPT
    text = text if complete or not hidden else f"{text} {NO_LONGER_KEPT}"
    seq = shown[0].seq if shown else 0
    return [TimelineEntry(None, seq, None, EARLIER, None, text), *shown]
