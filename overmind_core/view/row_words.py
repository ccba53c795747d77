"""The words of a row in the list of missions: its mark, its state, for how long, and what goes on. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import NamedTuple

from overmind_core.domain.missions.status_marks import (
    BAD_ENDS,
    FAILED,
    LIMITED,
    PREPARING,
    QUEUED,
    QUIET,
    RESTARTING,
    REVIEW,
    WAITING,
    WORKING,
    YOUR_TURN,
    StatusMark,
)
from overmind_core.view import health as health_rows
from overmind_core.view import inbox, numbers
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.groups import Entry, Group, Progress, goes_on
from overmind_core.view.hive_keys import SILENT_SINCE
from overmind_core.view.missions import PLAN
from overmind_core.view.subject import Choosing

STATE_CELLS = 11
"""The width of a state; what is longer stands in the sentence."""
NAMED = 3
"""Members of a family whose names are said."""
_NOTHING: Mapping[str, str] = MappingProxyType({})
_UNKNOWN: Mapping[str, Row] = MappingProxyType({})
_BLOCKS = r"[\u2501\u2578-\u259f\u25a0\u25a1\u25ac-\u25b1\u28c0-\u28ff]"
_BARS = re.compile(rf" *(?:[\[|] *)?{_BLOCKS}{{3,}}[·.]*(?: *[\]|])? *| *[\[|][#=>\-. ]{{5,}}[\]|] *")
"""A bar of blocks, or one of signs in brackets, with the blanks around it."""
_GAP = re.compile(" {3,}")
"""Blanks with which a program lines up its columns."""
_STAMP = re.compile(r"\|\d{9,}$")
"""The end of a limit in seconds since the epoch, as Claude Code says it."""


class Facts(NamedTuple):
    """All that rows are written from, beside themselves.

    Attributes:
        now: Seconds since the epoch.
        zone: Of the times of day; None is the machine's.
        health: Id → its row of the view of health.
        said: Id → what a person has just answered it, such as `allowed`; of those that ask nothing else.
        paced: Id and sentence → the sentence to show, as `settling.Pace` has it; None shows each at once.
        looked_at: Id of the mission whose terminal was typed into from here, and is only looked at now; "" is none.
    """

    now: float
    zone: tzinfo | None = None
    health: Mapping[str, Row] = _UNKNOWN
    said: Mapping[str, str] = _NOTHING
    paced: Callable[[str, str], str] | None = None
    looked_at: str = ""


def mark(entry: Entry) -> StatusMark:
    """The mark of a row."""
    return missions_rows.mark(entry.row) if entry.need is None else entry.need.mark


def _shown(entry: Entry) -> StatusMark:
    """The same with what is guessed of a program that says nothing."""
    return _guess(entry) or mark(entry)


def _guess(entry: Entry) -> StatusMark | None:
    return None if entry.need is not None else missions_rows.guess(entry.row)


def silence(entry: Entry, facts: Facts) -> StatusMark | None:
    """The level of one that works and gives no sign of life; None for any other."""
    known = facts.health.get(entry.id)
    return None if known is None else missions_rows.silence(mark(entry), _guess(entry), known.get("level"))


def is_past(entry: Entry) -> bool:
    """Whether it has ended, and was seen."""
    return entry.need is None and not entry.row.get("unseen") and not goes_on(entry.row)


def is_closed(entry: Entry) -> bool:
    """Whether it stands for a question of the engine that nobody asks any more, and for no mission."""
    return entry.need is None and bool(entry.row.get(inbox.STANDS_FOR_NONE))


def sign(entry: Entry, facts: Facts) -> StatusMark:
    """The mark that is drawn: that of its silence where that is a bad sign."""
    silent = silence(entry, facts)
    return _shown(entry) if silent is None or silent is QUIET else silent


def tone(entry: Entry, facts: Facts) -> str:
    """The colour of its mark, and of its state.

    Orange is for who needs a person, and stands where that is asked: a turn whose answer was read is grey, and so is
    one whose quest is reviewed; a program that seems to ask is yellow.
    """
    if is_past(entry) or is_closed(entry):
        return "quiet"
    found = _shown(entry)
    silent = silence(entry, facts)
    shown = silent.tone if silent is not None else _tone(entry.row, found, facts)
    if shown != "wait" or entry.need is not None:
        return shown
    return "quiet" if found in {YOUR_TURN, REVIEW} else "slow"


def _tone(row: Row, found: StatusMark, facts: Facts) -> str:
    return missions_rows.state_tone(row, facts.now) if found is QUEUED else found.tone


def state(entry: Entry, facts: Facts) -> Cell:
    """Its state in a word or two."""
    said = facts.said.get(entry.id, "")
    if 0 < len(said) <= STATE_CELLS and (missions_rows.is_live(entry.row) or is_closed(entry)):
        return Cell(said, "quiet")
    colour = "quiet" if _shown(entry) is WORKING and silence(entry, facts) is None else tone(entry, facts)
    return Cell(_state(entry, facts), colour)


def _state(entry: Entry, facts: Facts) -> str:
    need, found = entry.need, mark(entry)
    if is_closed(entry):
        return "answered" if facts.said.get(entry.id) else "closed"
    if found is WAITING or (need is not None and need.asked is not None):
        return missions_rows.ASKS
    if (silent := silence(entry, facts)) is not None:
        return silent.word
    if found is FAILED and not goes_on(entry.row):
        return _failed(entry.row)
    return found.word if found is LIMITED else missions_rows.state(entry.row, facts.now)


def _failed(row: Row) -> str:
    code = row.get("exit_code")
    text = f"{FAILED.word} ({code})" if code else FAILED.word
    return text if len(text) <= STATE_CELLS else FAILED.word


def lasts(entry: Entry, facts: Facts) -> str:
    """For how long it has been so; of one that has ended, how long it took."""
    if entry.need is not None:
        return numbers.span(entry.need.since)
    if silence(entry, facts) is not None:
        silent = health_rows.silent(facts.health[entry.id], facts.now)
        if silent is not None:
            return numbers.span(silent)
    return numbers.span(missions_rows.held(entry.row, facts.now))


def sentence(entry: Entry, facts: Facts) -> Cell:
    """One line on what it asks, does, said last, or why it ended."""
    said = facts.said.get(entry.id, "")
    if entry.need is not None:
        return Cell(_needed(entry), "")
    text = _goes_on(entry, facts)
    if facts.paced is not None:
        text = facts.paced(entry.id, text)
    if len(said) > STATE_CELLS:
        text = f"{said} · {text}" if text else said
    silent = missions_rows.silent_for(entry.row, facts.now)
    if silent:
        return Cell(f"{silent} · {text}" if text else silent, "quiet")
    is_bad = mark(entry) in BAD_ENDS and not is_past(entry)
    return Cell(text, "" if is_bad else "quiet")


def _needed(entry: Entry) -> str:
    """What one needs a person for."""
    need, row = entry.need, entry.row
    if need is None or need.asked is None:
        if need is None or need.group == inbox.OVER or not need.summary:
            return _why(row, mark(entry))
        return without_bars(need.summary)
    text = need.summary
    if need.kind == inbox.QUESTION:
        choosing = Choosing.of(need.asked.get("subject") or {})
        options = choosing.asks[0].options if choosing is not None and len(choosing.asks) == 1 else ()
        text = "  ".join((text, *(f"{place} {safe(label)}" for place, (label, _) in enumerate(options, 1))))
    elif not text.endswith("?") and not need.by_engine:
        text = f"{text} ?"
    return f"{entry.questions} questions: {text}" if entry.questions > 1 else text


def _goes_on(entry: Entry, facts: Facts) -> str:
    row, found = entry.row, mark(entry)
    if is_closed(entry):
        return "" if facts.said.get(entry.id) else "asks no longer"
    if entry.progress is not None:
        return progressed(entry.progress, "" if row["type"] == PLAN else _plain(row, found))
    if found is LIMITED and (resumes := numbers.moment(row.get("resume_at"))) is not None:
        return f"{_STAMP.sub('', _plain(row, found)) or 'limited'}; goes on {_moment(resumes, facts)}"
    if found is RESTARTING or (found is FAILED and not goes_on(row)):
        return _why(row, found)
    return _plain(row, found)


def _plain(row: Row, found: StatusMark) -> str:
    text = missions_rows.now_cell(row).text
    if text in {missions_rows.word(found), missions_rows.guessed_word(row)}:
        return ""  # its state says that
    return text if found is PREPARING else without_bars(text)


def _why(row: Row, found: StatusMark) -> str:
    """Why one failed: its exit code is named here where the state doesn't say it."""
    own = _plain(row, found)
    text, state = missions_rows.why_failed(row, own), _failed(row)
    if text == own or found is not FAILED or state == FAILED.word:
        return text
    return text.removeprefix(state).removeprefix(": ")


def progressed(progress: Progress, own: str = "") -> str:
    """How far a family is, and who of it runs: `4 of 7 done; shop-tests and image run`.

    `own`: What the root itself does, instead of who runs.
    """
    ended = dict(progress.ended)
    of = "" if progress.total is None else f" of {progress.total}"
    done = f"{ended.pop('succeeded', 0)}{of} done"
    counts = ", ".join((done, *(f"{count} {word}" for word, count in ended.items())))
    return "; ".join(filter(None, (counts, own or _running(progress.running))))


def _running(found: Sequence[str]) -> str:
    if not found:
        return ""
    if len(found) == 1:
        return f"{found[0]} runs"
    if len(found) > NAMED:
        return f"{', '.join(found[: NAMED - 1])} and {len(found) - NAMED + 1} more run"
    return f"{', '.join(found[:-1])} and {found[-1]} run"


def _moment(wall: float, facts: Facts) -> str:
    """A time of day that is to come, with its date where that is not today's."""
    at, today = datetime.fromtimestamp(wall, facts.zone), datetime.fromtimestamp(facts.now, facts.zone)
    return f"at {at:%H:%M}" if at.date() == today.date() else f"{at:%Y-%m-%d %H:%M}"


def without_bars(text: str) -> str:
    """A program's line without the bars in it, and without wide gaps; the numbers stay."""
    if not text or text.isalnum():
        return text
    bare = _BARS.sub(" ", text).strip() if _BARS.search(text) else text
    return _GAP.sub("  ", bare) if "   " in bare else bare


def name_tone(entry: Entry) -> str:
    """The tone of its name: bold where something is new."""
    return "news" if entry.row.get("unseen") else ""


def is_dimmed(entry: Entry) -> bool:
    """Whether it is drawn as what is not there, or not known as it is now."""
    return entry.dimmed or SILENT_SINCE in entry.row or is_closed(entry)


def has_dot(entry: Entry) -> bool:
    """Whether a dot says that something is new; who needs a person says that by where it stands."""
    return bool(entry.row.get("unseen")) and entry.group is not Group.NEEDS
