"""Missions as rows of a tree: who stands below whom, in which order, what cells say, and where the cursor stays."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from overmind_core.domain import engine_questions
from overmind_core.domain.missions.reasons import landing_waits, nothing_landed
from overmind_core.domain.missions.status_marks import (
    ATTACHED,
    BLOCKED,
    FAILED,
    LANDS_LATER,
    LIMITED,
    NOTHING_LANDED,
    OF_WORK,
    PREPARING,
    QUEUED,
    QUIET,
    RESTARTING,
    REVIEW,
    SILENT,
    TIMED_OUT,
    WAITING,
    WORKING,
    YOUR_TURN,
    StatusMark,
    mark_of,
)
from overmind_core.domain.text.cells import pad, shown_name, width
from overmind_core.view import numbers
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.hive_keys import NO_DAEMON, SILENT_SINCE, bare_name, hive_of, is_of_swarm
from overmind_core.view.numbers import Ticking

_SHARE = re.compile(r"^(.*\S) +(\d+ ?%)$")
"""A step and how much of it is done, which is what is looked at while it takes long: it stands first."""
FINAL = frozenset({"stopped", "crashed", "killed"})
_RUN_OF_RITUAL = re.compile(r"(.+)/([0-9]+)")
"""The name of a run: its ritual's, and its number."""
FEWEST_FOLDED = 2
"""Ended runs of a ritual that are folded below its newest one."""
FORK, LAST, PASSING, EMPTY = "├─", "└─", "│ ", "  "
FOLDED = "▸"
ASKS = "asks"
"""The word for waiting where people read it: `waiting` is also what a quest does."""
KEEPER_LOST = "keeper_lost"
"""Reason of a mission whose keeper has died."""
LOST_WORDS = "lost with its keeper"
_OF_ITS_QUEST = frozenset({QUEUED, REVIEW, *OF_WORK})
"""Marks of an ended mission that say how its quest, or the agent of a plan, goes on."""
PHASE_WORDS = {"work": "working", "check": "checking", "reviewing": "reviewing", "landing": "landing"}
"""Phase of a quest → its word."""
LEVELS = {one.word: one for one in SILENT}
"""Level of health → its mark."""
QUEST_STATE = "quest_state"
"""In the row of a mission: how its quest stands."""
PLAN = "blueprint"
"""Type of a mission that is a plan: it has agents, and no process."""


class Branch(NamedTuple):
    """One row of a table; in a flat one `guides` is empty."""

    id: str
    row: Row
    guides: str = ""
    dimmed: bool = False
    """Shown for the sake of those below it, or no longer there."""
    folded: int = 0
    """How many rows are folded away below it."""
    short: str = ""
    """What is shown instead of its whole name: of an agent that stands below its plan what the plan's does not say."""

    @property
    def name(self) -> str:
        """What is shown of its name, or of its title where a name can't say it."""
        return self.short or shown_name(bare_name(self.row), self.row.get("title"))

    @property
    def meant(self) -> bool:
        """Whether the filter means it; ancestors of such rows are shown, too."""
        return not self.dimmed or gone(self.row)

    def updated(self, row: Row) -> Branch:
        """The same place with a newer row of its mission, until all rows are arranged anew."""
        dimmed = self.dimmed if gone(row) is gone(self.row) else gone(row)
        return self._replace(row=row, dimmed=dimmed)


def was_lost(row: Row) -> bool:
    """Whether it ended because its keeper did; a person need not care about each of those: see `lost`."""
    return not is_live(row) and row.get("reason") == KEEPER_LOST


def lost(rows: Iterable[Row]) -> list[Row]:
    """Those that ended with their keeper, and that a person starts again: the daemon says which."""
    return [row for row in rows if row.get("lost")]


def lost_text(found: Sequence[Row], zone: tzinfo | None) -> str:
    """How many were lost, when, and what starts them again; `zone`: None is the machine's."""
    ends = [wall for row in found if (wall := numbers.moment(row.get("ended_at"))) is not None]
    at = f" at {datetime.fromtimestamp(max(ends), zone):%Y-%m-%d %H:%M}" if ends else ""
    if len(found) == 1:
        return f"1 mission was lost with its keeper{at} · :restart --lost restarts it"
    return f"{len(found)} missions were lost with their keeper{at} · :restart --lost restarts them"


def ended(row: Row) -> str:
    """That it has ended, in words behind its name."""
    outcome = row.get("outcome")
    return f"has already ended: {outcome}" if outcome else f"is {row['status']}"


def is_live(row: Row) -> bool:
    """Whether it may still run, or be started by itself."""
    return row["status"] not in FINAL


def takes_no_messages(row: Row) -> str:
    """Why a task is sent nothing, and what helps, to be read."""
    reads = bool(row.get("tty")) and bool(row.get("interactive"))
    help_ = "press a to type into it" if reads else "its input is empty; --type session starts one that reads"
    return f"{safe(row['name'])} is a task and takes no messages: {help_}"


def has_terminal(row: Row) -> bool:
    """Whether a person can sit down at it: it runs on a terminal, and reads what is typed there."""
    return is_live(row) and bool(row.get("tty")) and (row["type"] == "session" or bool(row.get("interactive")))


def takes_no_input(row: Row) -> bool:
    """Whether nothing that is typed reaches it, though it runs on a terminal: its input is empty."""
    return is_live(row) and bool(row.get("tty")) and not has_terminal(row)


def view_only(row: Row) -> str:
    """Why nothing can be typed into it, and what helps, to be read."""
    return f"{safe(row['name'])} takes no input: view only · :run -i COMMAND starts one that does"


def mark(row: Row) -> StatusMark:
    """The mark of a row; the ended mission of a quest has its quest's, and one that can't start any more is blocked.

    An attempt of a plan's agent that is tried again has not failed for good: it is queued, or was tried again.
    """
    if row["status"] == "queued" and row.get("code") == BLOCKED.word:
        return BLOCKED
    if nothing_landed(row):
        return NOTHING_LANDED
    if landing_waits(row) and not row.get("activity"):
        return LANDS_LATER
    outcome, state = row.get("outcome"), row.get(QUEST_STATE)
    status = row["status"] if state is None or outcome is not None or is_live(row) else state
    return mark_of(status, row.get("activity"), outcome)


def tone(row: Row) -> str:
    """The tone of its mark: a turn whose answer was read calls nobody any more."""
    found = mark(row)
    is_read = found is YOUR_TURN and not row.get("unseen", True) and not row.get("conversation_lost")
    return "quiet" if is_read else found.tone


def guess(row: Row) -> StatusMark | None:
    """The mark of what a program that says nothing seems to be doing; None where nothing is guessed."""
    guessed = row.get("activity_guess")
    return None if guessed is None or row["status"] != "running" else mark_of("running", guessed)


def guessed_word(row: Row) -> str:
    """The word of that: `working?`; "" where nothing is guessed."""
    guessed = guess(row)
    return "" if guessed is None else f"{word(guessed)}?"


def word(found: StatusMark) -> str:
    """The word of a mark, as lists say it: an agent that waits for a person asks."""
    return ASKS if found is WAITING else found.word


def state_words(row: Row) -> list[str]:
    """The words by which its state is looked for: those that lists show, and the one that they stand for.

    Without what is said until a moment comes: see `retry_word`.
    """
    found = mark(row)
    waits = _next_try(row, found)
    tried = "" if waits is None or waits.ends else waits.lead.strip()
    return [one for one in (word(found), found.word, guessed_word(row), tried) if one]


def retry_word(row: Row, now: float) -> str:
    """The word of a queued attempt while the time until its next try is shown; "" of any other."""
    waits = next_try(row) if row.get("next_try_at") is not None else None
    return waits.lead.strip() if waits is not None and waits.ends and waits.ticks_at(last_heard(row, now)) else ""


def silence(found: StatusMark, guessed: StatusMark | None, level: str | None) -> StatusMark | None:
    """The mark of its level of health, of one that works and gives no sign of life; None for any other.

    One that is merely quiet may be guessed to wait for somebody: that says more.

    Args:
        found: Its mark.
        guessed: As `guess` has it.
        level: Of its health, where that is known.
    """
    silent = LEVELS.get(level or "") if found is WORKING else None
    return None if silent is QUIET and guessed not in {None, WORKING} else silent


def state(row: Row, now: float) -> str:
    """The word of its state; with the time until the next try while it waits for that."""
    waits, now = next_try(row), last_heard(row, now)
    if waits is None or not waits.ticks_at(now):
        return guessed_word(row) or word(mark(row))
    return f"{waits.lead}{numbers.span(max(waits.at - now, 0.0))}"


def state_tone(row: Row, now: float) -> str:
    """The colour of that: of its mark; what is tried again at a moment to come is delayed, be it queued or not."""
    waits = next_try(row) if mark(row) is QUEUED else None
    return RESTARTING.tone if waits is not None and waits.ticks_at(last_heard(row, now)) else tone(row)


def next_try(row: Row) -> Ticking | None:
    """What it waits for until it is tried again, and when that is; None where nothing is known of that."""
    return _next_try(row, mark(row))


def _next_try(row: Row, found: StatusMark) -> Ticking | None:
    if found is RESTARTING and (due := numbers.moment(row.get("next_restart_at"))) is not None:
        return Ticking("retry ", due)
    if found is QUEUED and not is_live(row) and (due := numbers.moment(row.get("next_try_at"))) is not None:
        return Ticking("retry ", due, ends=True)  # then it waits for its turn, or for a slot
    if found is LIMITED and (due := numbers.moment(row.get("resume_at"))) is not None:
        return Ticking("limited ", due)
    return None


def last_heard(row: Row, now: float) -> float:
    """The moment that a row is about: now, or the last word of its hive or daemon where that doesn't answer."""
    since = row.get(SILENT_SINCE)
    return now if since is None else min(now, float(since))


def lasted(row: Row, now: float) -> float:
    """Seconds since its newest run began; of a finished one, how long that took."""
    took = row.get("uptime_seconds")
    if took is not None and not is_live(row):  # one that waited for a restart ended later than its run
        return float(took)
    now = last_heard(row, now)
    began = numbers.moment(row.get("run_started_at") or row["started_at"])
    until = numbers.moment(row.get("ended_at")) if not is_live(row) else now
    if began is None or until is None:
        return float(took or 0.0)
    return max(0.0, until - began)


def held(row: Row, now: float) -> float:
    """Seconds that it has been doing what it does; of one that doesn't say what that is, as `lasted`."""
    began = numbers.moment(row.get("activity_since"))
    if began is None or row["status"] != "running" or not _is_told(row):
        return lasted(row, now)
    return max(0.0, last_heard(row, now) - began)


def held_since(row: Row) -> float | None:
    """The moment from which on `held` counts, in seconds since the epoch; None where it counts no further."""
    if not is_live(row) or SILENT_SINCE in row:
        return None
    began = numbers.moment(row.get("activity_since"))
    if began is None or row["status"] != "running" or not _is_told(row):
        return numbers.moment(row.get("run_started_at") or row["started_at"])
    return began


def _is_told(row: Row) -> bool:
    return row.get("activity") not in {None, "unknown"} or row.get("activity_guess") is not None


def since(row: Row, now: float) -> str:
    """Its state in words, how long that has been or took, and which run it is, from the second on."""
    return " · ".join(filter(None, (_since(row, now), f"run {row['run']}" if (row.get("run") or 0) > 1 else "")))


def _since(row: Row, now: float) -> str:
    span = numbers.span(lasted(row, now))
    if mark(row) is RESTARTING:
        return f"{state(row, now)} · started {span} ago"
    if mark(row) in _OF_ITS_QUEST and not is_live(row):  # its state is not that of its run
        return f"{state(row, now)} · ran for {span}"
    doing = numbers.span(held(row, now))
    if doing != span:
        return f"{guessed_word(row) or word(mark(row))} for {doing} · running for {span}"
    return f"{state(row, now)} {'for' if is_live(row) else 'after'} {span}"


def started(row: Row) -> float | None:
    """When it was started first, in seconds since the epoch."""
    return numbers.moment(row["started_at"])


def _run_began(row: Row) -> float | None:
    """When its newest run began, in seconds since the epoch."""
    return numbers.moment(row.get("run_started_at") or row["started_at"])


def newest_of_name(row: Row, among: Iterable[Row]) -> Row:
    """The mission that began last of those with the name and the kind of this one in its hive; else this one."""

    def began(one: Row) -> float:
        moment = _run_began(one)
        return moment if moment is not None else math.inf if is_live(one) else 0.0

    def of_name(one: Row) -> tuple[object, ...]:
        return one["name"], one["type"], hive_of(one)

    named = [one for one in among if of_name(one) == of_name(row)]
    return max(reversed(named), key=began, default=row)


def older_words(row: Row, newest: Row, zone: tzinfo | None) -> str:
    """The words about one that is not the newest of its name: when it began, and how that stands; "": it is."""
    if row["id"] == newest["id"]:
        return ""
    began = _run_began(row)
    of = "" if began is None else f" of {datetime.fromtimestamp(began, zone):%Y-%m-%d %H:%M}"
    return f"an older run{of} · the newest: {word(mark(newest))}"


def older_than_named(mission: str, rows: Mapping[str, Row], zone: tzinfo | None) -> str:
    """The same about a mission by its id, among `rows` by theirs; "" where it is not known."""
    row = rows.get(mission)
    return "" if row is None else older_words(row, newest_of_name(row, rows.values()), zone)


def age(row: Row, now: float) -> float:
    """Seconds since it was started."""
    began = started(row)
    return 0.0 if began is None else max(0.0, now - began)


def arranged(
    rows: Iterable[Row],
    *,
    wanted: Callable[[Row], bool] | None = None,
    folded: Collection[str] = (),
    flat: bool = False,
    beneath: Mapping[str, str] = {},
) -> list[Branch]:
    """The rows in the order of the table, children under their parents.

    Args:
        rows: In the order of siblings.
        beneath: Older runs of rituals → the newest one, below which they stand where all are shown.
        wanted: The filter; ancestors of what it keeps stay, dimmed, and names are whole. None keeps all.
        folded: Ids whose descendants are folded away.
        flat: No tree.
    """
    everybody = list(rows)
    kept = {row["id"] for row in everybody if wanted is None or wanted(row)}
    if flat:
        return [Branch(row["id"], row, dimmed=gone(row)) for row in everybody if row["id"] in kept]
    known = {row["id"]: row for row in everybody}
    shown = kept if wanted is None else kept | _ancestors(kept, known)
    children: dict[str | None, list[Row]] = {}
    for row in everybody:
        if row["id"] in shown:
            above = beneath.get(row["id"], row["parent"]) if wanted is None else row["parent"]
            parent = above if above in shown else None
            children.setdefault(parent, []).append(row)
    return _walk(children, kept, folded, {} if wanted is not None else known)


def older_runs(rows: Iterable[Row]) -> dict[str, str]:
    """The ended runs of each ritual → its newest one, where there are so many that they would fill the list."""
    series: dict[tuple[str, str], list[tuple[int, Row]]] = {}
    for row in rows:
        found = _RUN_OF_RITUAL.fullmatch(bare_name(row)) if row["parent"] is None else None
        if found is not None:
            series.setdefault((hive_of(row), found[1]), []).append((int(found[2]), row))
    beneath: dict[str, str] = {}
    for runs in series.values():
        newest = max(runs, key=lambda run: run[0])[1]["id"]
        older = [row["id"] for _, row in runs if row["id"] != newest and not is_live(row)]
        if len(older) >= FEWEST_FOLDED:
            beneath |= dict.fromkeys(older, newest)
    return beneath


def gone(row: Row) -> bool:
    """Whether a kill has taken it off plain `ps`: lists show it dimmed. Older daemons say it by the status."""
    return bool(row.get("hidden", row["status"] == "killed"))


def _ancestors(kept: Collection[str], known: Mapping[str, Row]) -> set[str]:
    found: set[str] = set()
    for one in kept:
        parent = known[one]["parent"]
        while parent in known and parent not in found:
            found.add(parent)
            parent = known[parent]["parent"]
    return found


def short_name(row: Row, parent: Row | None) -> str:
    """The part of its name behind that of its plan; "" where there is none."""
    if parent is None or parent["type"] != PLAN:
        return ""
    name, plan = str(row["name"]), f"{parent['name']}/"
    return name.removeprefix(plan) if name.startswith(plan) else ""


def called(row: Row, among: Mapping[str, Row]) -> str:
    """The name by which it is called where its plan is known from elsewhere, as in the list: without that of its plan.

    Args:
        row: The mission.
        among: Missions by id.
    """
    parent = None if row["parent"] is None else among.get(row["parent"])
    return safe(short_name(row, parent) or row["name"])


def _walk(
    children: Mapping[str | None, Sequence[Row]],
    kept: Collection[str],
    folded: Collection[str],
    above: Mapping[str, Row],
) -> list[Branch]:
    """Depth first, without recursion: a chain may be a thousand deep. `above`: parents whose names are not repeated."""
    found: list[Branch] = []
    waiting = [("", "", row) for row in reversed(children.get(None, ()))]
    while waiting:
        guides, below, row = waiting.pop()
        brood = children.get(row["id"], ())
        hidden = _below(row["id"], children) if row["id"] in folded and brood else 0
        dimmed, short = row["id"] not in kept or gone(row), short_name(row, above.get(row["parent"]))
        found.append(Branch(row["id"], row, guides, dimmed, hidden, short))
        if hidden:
            continue
        for cursor_place, child in enumerate(reversed(brood)):
            ends = cursor_place == 0
            waiting.append((below + (LAST if ends else FORK), below + (EMPTY if ends else PASSING), child))
    return found


def _below(root: str, children: Mapping[str | None, Sequence[Row]]) -> int:
    count = 0
    waiting = [root]
    while waiting:
        brood = children.get(waiting.pop(), ())
        count += len(brood)
        waiting += [row["id"] for row in brood]
    return count


def name_cell(branch: Branch, *, ascii_only: bool) -> tuple[Cell, Cell, Cell]:
    """Guides, mark and name, which share a column."""
    found = mark(branch.row)
    sign = found.ascii if ascii_only else found.mark
    more = f" {FOLDED}{branch.folded}" if branch.folded else ""
    if branch.row.get("attached"):
        more += f" {ATTACHED.ascii if ascii_only else ATTACHED.mark}"
    named = "news" if branch.row.get("unseen") else "name"
    return Cell(branch.guides, "guide"), Cell(f"{sign} ", tone(branch.row)), Cell(safe(branch.name) + more, named)


def now_cell(row: Row) -> Cell:
    """What goes on: what it asks, what it does, the newest line, or why it ended; else the word of its state."""
    text = safe(row.get("now")) or safe((row.get("isolation") or {}).get("step"))
    if was_lost(row):
        return Cell(LOST_WORDS, "bad")
    found = mark(row)
    if found is PREPARING:
        text = _SHARE.sub(r"\2  \1", text)
    if found is WAITING and text:
        return Cell(text if text.endswith("?") else f"{text} ?", "wait")
    if row.get("failed_message"):
        return Cell(safe(row["failed_message"]), "bad")
    if not text and is_live(row):
        on_result = row["status"] == "running" and _is_told(row)
        says = guessed_word(row) or word(found)
        return Cell(says if on_result or found is PREPARING else "no output yet", "faint")
    return Cell(text, "bad" if found in {FAILED, TIMED_OUT} else "quiet")


def silent_for(row: Row, now: float) -> str:
    """For how long its hive, or the daemon of this home, has not answered, in words; "" where it does."""
    since = row.get(SILENT_SINCE)
    how = "no daemon for" if row.get(NO_DAEMON) else "silent"
    return "" if since is None else f"{how} {numbers.span(max(now - since, 0.0))}"


def why_failed(row: Row, text: str) -> str:
    """A text on why it failed with the exit code as people read it: of `exit 7: oops` it is `failed (7): oops`."""
    code = row.get("exit_code")
    lead = f"exit {code}"
    if code is None or not (text == lead or text.startswith((f"{lead}: ", f"{lead}, "))):
        return text
    rest = text[len(lead) + 2 :]
    return f"{FAILED.word} ({code})" + (f": {rest}" if rest else "")


def _has_no_mission(question: Row) -> bool:
    """Whether a question need not be about a mission that is known here."""
    return engine_questions.is_of_engine(question) or is_of_swarm(question)


def counts(rows: Iterable[Row], questions: Iterable[Row] = ()) -> dict[StatusMark, int]:
    """How many missions show each mark; what the engine asks waits, unless it is about a mission that does anyway."""
    found: dict[StatusMark, int] = {}
    waiting = set()
    for row in rows:
        one = mark(row)
        found[one] = found.get(one, 0) + 1
        if one is WAITING:
            waiting.add(row["id"])
    asked = sum(_has_no_mission(one) and one["id"] not in waiting for one in questions)
    if asked:
        found[WAITING] = found.get(WAITING, 0) + asked
    return found


def cursor_place(branches: Sequence[Branch], wanted: str | None, before: int) -> int:
    """Where the cursor stands now: on the row with the id `wanted`, else as near to where it stood as can be."""
    for at, branch in enumerate(branches):
        if branch.id == wanted:
            return at
    return max(0, min(before, len(branches) - 1))


def has_moved(old: Sequence[Branch], new: Sequence[Branch], wanted: str | None, at: int) -> bool:
    """Whether the row under the cursor left, or stands elsewhere in the table."""
    if wanted is None or not 0 <= at < len(old):
        return False
    return not (at < len(new) and new[at].id == wanted)


NAMED_AT_STAKE = 8
"""Missions that a question names, each on a line: as many as a small screen shows."""


def at_stake(rows: Sequence[Row], every: Iterable[Row], now: float, *, cascades: bool = False) -> list[str]:
    """What would end: how long each has lasted, and what hangs on it.

    Args:
        rows: The missions that are meant.
        every: All that are known.
        now: In seconds since the epoch.
        cascades: Their live children end with them; those of a plan do in any case.
    """
    names = [safe(row["name"]) for row in rows[:NAMED_AT_STAKE]]
    cells = max(map(width, names), default=0)
    lines = [f"{pad(name, cells)}  {since(row, now)}" for name, row in zip(names, rows, strict=False)]
    if len(rows) > NAMED_AT_STAKE:
        lines.append(f"… and {len(rows) - NAMED_AT_STAKE} more")
    ids = {row["id"] for row in rows}
    taken = {row["id"] for row in rows if cascades or row["type"] == PLAN}
    children = [row for row in every if row["parent"] in ids and row["id"] not in ids and is_live(row)]
    with_it = [row for row in children if row["parent"] in taken]
    behind = [row for row in children if row["parent"] not in taken]
    for below, one, several in ((with_it, "ends with it", "end with it"), (behind, "keeps running", "keep running")):
        if below:
            stays = f"live child {one}" if len(below) == 1 else f"live children {several}"
            lines += ["", f"{len(below)} {stays}: {', '.join(safe(row['name']) for row in below[:3])}"]
    return lines


def removed_with(rows: Sequence[Row]) -> str:
    """What goes with finished missions when they are removed; the agents of a plan go with it."""
    plans, alone = any(row["type"] == PLAN for row in rows), len(rows) == 1
    agents = (", with those of its agents" if alone else ", with those of the plans' agents") if plans else ""
    said = f"{'Its record and its log' if alone else 'Their records and logs'} are removed{agents}."
    isolations = [row.get("isolation") or {} for row in rows]
    things = []
    if plans or any(one.get("worktree") for one in isolations):
        things += ["worktree", "branch"]
    if plans or any(one.get("containers") for one in isolations):
        things += ["containers", "volumes"]
    if not things:
        return said
    had = "it had of its own" if alone and not plans else "they had of their own"
    return f"{said} So is what {had}, unless work would be lost: {', '.join(things[:-1])} and {things[-1]}."


def removal_question(count: int, size: str) -> str:
    """What is asked before so many finished missions go, with logs of a size that is written out."""
    return f"Remove {count} finished mission{'s' * (count != 1)} and the logs ({size})?"
