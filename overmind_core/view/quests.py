"""Rows of quests, what is known of one, and why one waits, for reading. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.domain.engine_questions import FOR_YOU, asks, concerns, is_for_all, oldest_of
from overmind_core.domain.missions.reasons import (
    achievement_of,
    attempt_numbers,
    attempt_of_row,
    landed_after,
    landing_waits,
    last_reason,
    limit_of,
    nothing_landed,
    quest_exit,
    said_exit,
    sentence,
    tries_text,
    with_overdue,
)
from overmind_core.domain.missions.status_marks import LANDS_LATER, REVIEW
from overmind_core.domain.text.cells import shown_name
from overmind_core.view import missions as missions_rows
from overmind_core.view import numbers
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.columns import By, Column, since
from overmind_core.view.describe import Lines, Rendering, clock, pairs
from overmind_core.view.hive_keys import hive_of
from overmind_core.view.tables import Orders

if TYPE_CHECKING:
    from overmind_core.domain.missions.reasons import Limit
    from overmind_core.domain.missions.status_marks import StatusMark

FIRST = 100
"""Rows of thousands that are asked for at first."""
CHANGES = frozenset({"quest", "queue", "started", "exited", "restart", "removed", "asked", "answered", "landed"})
"""Kinds of events after which a quest stands otherwise."""
PRIORITIES = ("critical", "high", "medium", "low")
"""The most urgent first; the words of `Priority`, whose module takes longer to load than a frame to draw."""
CANCELLED = "cancelled"
ENDED = frozenset({"completed", "failed", CANCELLED})
_STATUSES = ("review", "running", "queued", "failed", "cancelled", "completed")
EXIT = "exit"
"""The class of an attempt whose work has failed by itself: its code says more."""
ASKED, BEGAN = "asked", "began"
"""Noted in the row of a quest: what is asked about it, and when its mission's newest run began, as the API tells it."""
GATE = "gate"
"""Noted in a row of the board that is no quest: what its spec waits for, as the API tells it."""
FOR_ALL = "asked_for_all"
"""Noted there, too: whether a question that decides about all that wait for its target is open."""
AT_GATE = "at_gate"
"""Noted in the row of a quest on the board: the word for what the document that it has made waits for."""
LOOKED_IN = "looked_in"
"""Noted there, too: the text that a filter looks in."""


def quests(answer: Sequence[Row]) -> list[Row]:
    """Quests, the newest first."""
    return list(reversed(answer))


def learn(rows: Iterable[Row], fleet: Mapping[str, Row], questions: Iterable[Row]) -> None:
    """Note in each row what is asked about it, and since when its mission runs.

    Args:
        rows: Of quests.
        fleet: Missions by their ids; a quest has its mission's.
        questions: As `inbox` has them.
    """
    own: list[Row] = []
    for_all: list[Row] = []
    for one in questions:
        (for_all if is_for_all(one) else own).append(one)
    asked, waiting = oldest_of(own), oldest_of(for_all)
    for row in rows:
        if row.get(GATE):
            continue
        mission = fleet.get(row["id"])
        row[BEGAN] = None if mission is None else mission.get("run_started_at") or mission["started_at"]
        about = asked.get(row["id"])
        row[FOR_ALL] = row["id"] in waiting  # it lands by itself, too: that stays what it shows
        question = "" if about is None else safe(asks(about, row["name"]))
        if row.get(ASKED) != question:
            row[ASKED] = question
            row["activity"] = "waiting" if question and row["status"] == "running" else None
            row.pop(LOOKED_IN, None)


def question_of(row: Row, questions: Iterable[Row]) -> Row | None:
    """The oldest question that concerns a quest, or that of a gate; None where there is none."""
    if gate := row.get(GATE):
        of_hive = (one for one in questions if hive_of(one) == hive_of(row))  # each counts its questions from 1
        return next((one for one in of_hive if one["question"] == gate["question"]), None)
    return next((one for one in questions if concerns(one, {row["id"]})), None)


def is_of_queue(row: Row) -> bool:
    """Whether it waits, or has waited, for its turn; others began at once."""
    return row.get("priority") is not None


def can_retry(row: Row) -> bool:
    """Whether a person may give it another round of attempts; a daemon that does not say so says how it ended."""
    return bool(row.get("can_retry", is_of_queue(row) and row["status"] in {"failed", CANCELLED}))


def can_cancel(row: Row) -> bool:
    """True while anything of it can be cancelled: it has not ended, and is a quest."""
    return row["status"] not in ENDED and not row.get(GATE)


def quest_lasted(row: Row, now: float) -> float:
    """Seconds since its first attempt began, until its end; of one that has not begun, how long it waits, or has."""
    began, ended = _counts_from(row), numbers.moment(row["ended_at"])
    return max(0.0, (now if ended is None else ended) - (now if began is None else began))


def has_begun(row: Row) -> bool:
    """Whether an attempt of it ever began. A daemon that does not say so says only when the quest was added."""
    return row.get("began_at", row["started_at"]) is not None


def _counts_from(row: Row) -> float | None:
    """The moment from which on its time counts."""
    return numbers.moment(row["started_at"] if not has_begun(row) else row.get("began_at", row["started_at"]))


def began(row: Row) -> float | None:
    """When its first attempt began, in seconds since the epoch; None: none has."""
    return _counts_from(row) if has_begun(row) else None


def run_began(row: Row) -> float | None:
    """When its newest run began, of one that works; of any other as `began`."""
    newest = numbers.moment(row.get(BEGAN)) if row["phase"] == "work" else None
    return began(row) if newest is None else newest


def _time(row: Row, now: float) -> str:
    """How long it takes or took; "" of one that has ended before any attempt of it began."""
    return "" if row["ended_at"] and not has_begun(row) else numbers.ticking(quest_lasted(row, now))


def _how_long(row: Row, now: float) -> str:
    """The same behind its state: `for 31s`, `after 2m 10s`; `· 2m 10s since it began` where it stands so for less."""
    if row["ended_at"]:
        time = _time(row, now)
        return f"after {time}" if time else ""
    since = _stands_so_since(row)
    return f"· {_time(row, now)} since it began" if since is None else f"for {numbers.ticking(max(0.0, now - since))}"


def _stands_so_since(row: Row) -> float | None:
    """Since when it is queued, before its first attempt, or works; None: nobody knows of any other state."""
    if not has_begun(row):
        return _counts_from(row)
    if state(row) != missions_rows.PHASE_WORDS["work"]:
        return None
    kept = row.get("attempt_list")
    known = (numbers.moment(row.get(BEGAN)), numbers.moment(kept[-1]["started_at"]) if kept else None)
    newest = max((one for one in known if one is not None), default=None)
    return began(row) if newest is None and row["attempts"] <= 1 else newest


def at_stake(row: Row, now: float) -> str:
    """What ends with it when it is cancelled."""
    return f"{safe(row['name'])}  {state(row)} {_how_long(row, now)}"


def _age(row: Row, now: float) -> float:
    return now - (numbers.moment(row["started_at"]) or now)


def _added(row: Row) -> float | None:
    return numbers.moment(row["started_at"])


def _goes_on_since(row: Row) -> float | None:
    return None if row["ended_at"] else _counts_from(row)


def mark(row: Row) -> StatusMark:
    """The mark of a quest; one whose document waits at a gate is in review."""
    return REVIEW if row.get(AT_GATE) else missions_rows.mark(row)


def state(row: Row) -> str:
    """How it stands, in a word; of one that runs what is being done, and of a landing that waits that it is to land."""
    found, phase = mark(row), row["phase"] or ""
    is_under_way = row["status"] == "running" and not row.get("activity") and found is not LANDS_LATER
    word = missions_rows.word(found)
    return missions_rows.PHASE_WORDS.get(phase, phase) or word if is_under_way else word


def _state(row: Row, _now: float) -> Cell:
    return Cell(state(row), mark(row).tone)


def tries(row: Row) -> str:
    """The current attempt and how many there may be; "" before the first, and where there is but one."""
    return tries_text(row) if row["retries"] and attempt_numbers(row)[0] else ""


def _tries(row: Row, _now: float) -> Cell:
    return Cell(tries(row), "quiet")


def reason(row: Row) -> str:
    """Why it has failed, or that or why it was cancelled; the class of the last attempt, where that says more."""
    said = _failure(last_reason(row), quest_exit(row), limit_of(row))
    unsaid = row["status"] == CANCELLED and not row["reason"] and state(row) != CANCELLED
    return ", ".join(filter(None, (CANCELLED, said))) if unsaid else said


def _failure(word: str | None, code: int | None, limit: Limit | None = None) -> str:
    """A class of failures or another reason, and the exit code; where that is all it is not said twice."""
    code = said_exit(word, code)
    text = "" if word == EXIT and code else safe(sentence(word, limit))
    return ", ".join(filter(None, (text, f"exit {code}" if code else "")))


def why(row: Row) -> str:
    """What is asked about it, why it waits, or why it came out so; its place in line goes before whose slots it needs.

    Where there is no room for all of a reason its end is cut.
    """
    if row.get(ASKED):
        return str(row[ASKED])
    return with_overdue(_why_alone(row), overdue=bool(row.get("overdue")))


def _why_alone(row: Row) -> str:
    if row["status"] != "queued":
        return safe(achievement_of(row) or landing_waits(row)) or reason(row)
    text, _, place = safe(row.get("why")).rpartition("; ")
    return f"{place}: {text}" if row.get("code") == "slots" and text else safe(row.get("why"))


def why_tone(row: Row) -> str:
    """How that is shown: as a text where it asks, has failed or can't go on; mark and state have the colour."""
    stands_out = row.get(ASKED) or row["status"] == "failed" or row.get("code") == "blocked"
    return "" if stands_out else "quiet"


def _why(row: Row, _now: float) -> Cell:
    return Cell(why(row), why_tone(row))


def cost(row: Row) -> str:
    """What it has cost so far: `$0.12`; "" where nobody knows."""
    return numbers.cost_of(row) if row.get("cost_usd") else ""


def text_column(key: str, title: str, least: int, most: int, keep: int) -> Column:
    """A column that says one field."""
    return Column(key, title, least, most, keep, lambda row, _now: Cell(safe(row.get(key)), "quiet"))


def priority_cell(row: Row, _now: float) -> Cell:
    """How urgent it is; what is not as usual stands out."""
    found = safe(row.get("priority"))
    return Cell(found, {"critical": "bold", "high": ""}.get(found, "quiet"))


def called(row: Row) -> str:
    """The words by which people know it: its name, or its title where a name can't say it."""
    return safe(shown_name(row["name"], row.get("title")))


NAME = Column("name", "QUEST", 12, 36, 0, lambda row, _now: Cell(called(row)))
COST = Column("cost", "COST", 5, 7, 6, lambda row, _now: Cell(cost(row), "quiet"), right=True, spare=True)
COLUMNS: tuple[Column, ...] = (
    NAME,
    text_column("id", "ID", 8, 8, 14)._replace(wide=True),
    Column("state", "STATE", 9, 10, 1, _state),
    Column(
        "for",
        "FOR",
        7,
        8,
        3,
        lambda row, now: Cell(_time(row, now), "quiet"),
        right=True,
        ticks=since(_goes_on_since),
    ),
    Column(
        "age",
        "AGE",
        4,
        5,
        5,
        lambda row, now: Cell(numbers.span(_age(row, now)), "quiet"),
        right=True,
        ticks=since(_added),
    ),
    Column("attempts", "TRY", 4, 5, 4, _tries, right=True, spare=True),
    Column("priority", "PRIORITY", 8, 8, 7, priority_cell, spare=True),
    COST._replace(keep=8),
    Column("why", "WHY", 18, 40, 2, _why, spare=True),
    text_column("ritual", "RITUAL", 8, 16, 9)._replace(spare=True),
    text_column("check", "CHECK", 10, 24, 10)._replace(spare=True, wide=True),
    Column("command", "COMMAND", 12, 80, 6, lambda row, _now: Cell(safe(row["command"]), "quiet")),
)


def _rank(row: Row, _now: float) -> int:
    found = row.get("priority")
    return PRIORITIES.index(found) if found in PRIORITIES else len(PRIORITIES)


ORDERS: Orders = {
    "name": By(lambda row, _now: row["name"].casefold(), rises=True),
    "id": By(lambda row, _now: row["id"], rises=True),
    "state": By(lambda row, _now: _STATUSES.index(row["status"]), rises=True),
    "for": By(quest_lasted),
    "age": By(_age),
    "attempts": By(lambda row, _now: row["attempts"]),
    "priority": By(_rank, rises=True),
    "cost": By(lambda row, _now: row.get("cost_usd") or 0.0),
    "why": By(lambda row, _now: why(row).casefold(), rises=True),
    "ritual": By(lambda row, _now: row["ritual"] or "", rises=True),
    "command": By(lambda row, _now: row["command"].casefold(), rises=True),
}


def looked_in(row: Row) -> str:
    """What a plain word of a filter is looked for in: what is seen of a quest, and what it belongs to.

    It is noted in the row, for it is asked for with each key of a filter.
    """
    if LOOKED_IN not in row:
        row[LOOKED_IN] = _looked_in(row)
    return str(row[LOOKED_IN])


def _looked_in(row: Row) -> str:
    parts = (row["name"], row.get("title"), row["id"], state(row), *missions_rows.state_words(row),
             row["status"], row.get("priority"), why(row),
             row.get("spec"), row.get("group"), row["ritual"], row["provider"], row["command"])  # fmt: skip
    return "\n".join(safe(part) for part in parts if part)


def stepped(row: Row, step: int) -> str | None:
    """The priority that many steps lower (1) or higher (-1); None beyond the last one."""
    at = PRIORITIES.index(row["priority"]) + step
    return PRIORITIES[at] if 0 <= at < len(PRIORITIES) else None


def standing(row: Row) -> str:
    """How it stands and why, in a line: `login/TSK-004 · queued, 3rd, high · waits for api (running 4m)`.

    Of one that asks also the key that answers; before what it asks, which may be cut.
    """
    place = f"number {row['position']}" if row.get("position") else ""
    tried = attempt_of_row(row) if tries(row) and row["status"] != "queued" else ""
    urgent = row.get("priority") if row["status"] not in ENDED and row.get("priority") != "medium" else ""
    facts = ", ".join(filter(None, (state(row), place, urgent, tried)))
    said = f"y answers: {safe(row[GATE]['summary']) if row.get(GATE) else row[ASKED]}" if row.get(ASKED) else why(row)
    if row.get(FOR_ALL) and not row.get(ASKED):
        said = f"y answers for all that wait: {safe(row.get('why'))}"
    return " · ".join(filter(None, (called(row), facts, said)))


def without_mission(row: Row) -> str:
    """Why there is no log and no terminal."""
    name = safe(row["name"])
    if row["status"] == "queued" and not row["attempts"]:
        return " · ".join(filter(None, (f"{name} has not started", why(row))))
    return f"the mission of {name} was removed"


# all that is known of one

Info = Mapping[str, Any]


def quest(info: Info, look: Rendering) -> Lines:
    """As the request `quest` answers."""
    row = {ASKED: "", "activity": None, **info}
    added = row["started_at"] if is_of_queue(row) and "began_at" in row else None
    brief = safe_lines(row.get("brief"))
    return [
        title(row["name"], row["id"]),
        standing_line(row, state(row), _how_long(row, look.now), why(row), look),
        *pairs(
            ("title", row.get("title")),
            ("command", row["command"]),
            ("folder", row["cwd"]),
            ("worktree", row.get("worktree")),
            ("program", None if row["provider"] == "raw" else row["provider"]),
            ("priority", row.get("priority")),
            ("deadline", clock(row.get("deadline_at"), look)),
            ("needs", _names(row)),
            ("owns", "\n".join(map(safe, row.get("owns") or ())) or None),
            ("outputs", ", ".join(map(safe, row.get("outputs") or ())) or None),
            ("check", row["check"]),
            ("review", row.get("review")),
            ("lands on", row.get("into")),
            ("verify", row.get("verify")),
            ("landed", _landed(row)),
            ("earlier work", "\n".join(map(safe, row.get("aside") or ())) or None),
            ("not its own", "\n".join(map(safe, (row.get("landed") or {}).get("not_owned") or ())) or None),
            ("spec", row.get("spec")),
            ("group", row.get("group")),
            ("tries", _of(row)),
            ("cost", numbers.cost_of(row) or None),
            ("cost limit", numbers.money(row.get("max_cost_usd")) or None),
            ("exit code", quest_exit(row)),
            ("added", clock(added, look)),
            ("started", clock(row.get("began_at", row["started_at"]), look)),
            ("ended", clock(row["ended_at"], look)),
            ("ritual", row["ritual"]),
            ("mission", _mission(row)),
            ("check mission", row["check_id"]),
        ),
        *_attempts(row, look),
        *_text("brief", brief),
        *_text("feedback for the next attempt", safe_lines(row.get("feedback"))),
    ]


def safe_lines(text: str | None) -> list[str]:
    """The lines of a text, each harmless; none of no text."""
    return [safe(line.expandtabs()) for line in text.splitlines()] if text else []


def _text(name: str, lines: Collection[str]) -> Lines:
    return [[], [Cell(f" {name}", "title")], *([Cell(f"  {line}")] for line in lines)] if lines else []


def _names(row: Row) -> str | None:
    needs = [safe(one["name"]) for one in row.get("needs") or ()]
    enough = f"\n{row['needs_min']} of them are enough" if needs and row.get("needs_min") else ""
    return "\n".join(needs) + enough if needs else None


def _landed(row: Row) -> str | None:
    found = row.get("landed")
    if nothing := nothing_landed(row):
        return nothing
    if found is None:
        return None
    after = landed_after(found.get("conflicts") or ()).removeprefix("landed ")
    return "\n".join(filter(None, (f"{found['branch']}  {found['before'][:8]}..{found['after'][:8]}", safe(after))))


def _of(row: Row) -> str | None:
    if not row["retries"]:
        return None
    tried = tries(row).replace("/", " of ")
    return f"{tried}, round {row['round']}" if (row.get("round") or 1) > 1 else tried


def _mission(row: Row) -> str | None:
    """Its id, and what it does while it lives: how it ended is said of the quest, and of each attempt."""
    goes_on = row["mission_status"] not in missions_rows.FINAL
    return f"{row['mission']}  {row['mission_status']}" if row["mission"] and goes_on else row["mission"]


def _attempts(row: Row, look: Rendering) -> Lines:
    """A line for each, the oldest first."""
    kept = row.get("attempt_list") or []
    if not kept:
        return []
    lines: Lines = [[], [Cell(f" {numbers.counted(len(kept), 'attempt')}", "title")]]
    for one in kept:
        took = numbers.ticking(quest_lasted(one, look.now))
        failure = _failure(one["class"], one["exit_code"], limit_of(row) if one is kept[-1] else None)
        cut_short = row["status"] == CANCELLED and one["ended_at"] == row["ended_at"]
        text = failure or (CANCELLED if cut_short else "" if one["ended_at"] else "goes on")
        parts = [f"  {one['attempt']:>3}  {clock(one['started_at'], look) or '':<19}  {took:>8}"]
        parts.append(f"  {numbers.cost_of(one):>7}")
        lines.append([Cell("".join(parts)), Cell(f"  {text}", "bad" if failure else "quiet")])
    return lines


def title(name: str, mission: str) -> list[Cell]:
    """Whose description it is."""
    return [Cell(f" {safe(name)} ", "accent"), Cell(safe(mission), "quiet")]


def standing_line(row: Row, word: str, lasted: str, why: str, look: Rendering) -> list[Cell]:
    """How it stands, for how long, and why."""
    mark = missions_rows.mark(row)
    text = " ".join(filter(None, (mark.ascii if look.ascii_only else mark.mark, word, lasted)))
    return [Cell(f" {text}", mark.tone), Cell(f"  {why}" if why else "", "bad")]


# why one waits


def why_text(answer: Info) -> Lines:
    """As the request `quest_why` answers: the lines that `overmind quest why` prints."""
    from overmind_core.domain.quests.why import from_answer, why_lines  # noqa: PLC0415 - only when it is asked for

    return [_why_line(line, at) for at, line in enumerate(why_lines(from_answer(answer)))]


def _why_line(line: str, at: int) -> list[Cell]:
    for lead in ("  in: ", "  its work is in: ", "  its work is kept in: ", "  printed: "):
        if line.startswith(lead):
            return [Cell(f" {lead}", "label"), Cell(safe(line.removeprefix(lead)))]
    for lead in ("  go on with: ", "  remove it with: ", "  see: ", f"  {FOR_YOU}: "):
        if line.startswith(lead):
            return [Cell(f" {lead}", "label"), Cell(safe(line.removeprefix(lead)), "key")]
    return [Cell(f" {safe(line)}", "accent" if at == 0 else "")]
