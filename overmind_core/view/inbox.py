"""Rows of the inbox: missions that are blocked until somebody helps, and turns whose answer nobody saw. Pure.

With the words around what is asked: its title, the keys that answer it, and how it ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from overmind_core.domain import engine_questions
from overmind_core.domain.agents.choices import answer_of
from overmind_core.domain.missions.lost import MEND
from overmind_core.domain.missions.reasons import CONVERSATION_LOST, SPENT
from overmind_core.domain.missions.status_marks import BAD_ENDS, FAILED, LIMITED, WAITING, YOUR_TURN, StatusMark
from overmind_core.view import missions as missions_rows
from overmind_core.view import missions as rows
from overmind_core.view import numbers
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.hive_keys import NO_DAEMON, SILENT_SINCE, hive_of, is_of_swarm
from overmind_core.view.subject import Choosing, SubjectLines, plain

Lines = list[list[Cell]]
Key = tuple[str, int]
"""A mission, and the number of what it asks; 0 where it asks nothing."""
LOST_POST = engine_questions.LOST
"""The need about a post of the swarm whose hive is silent."""
HOLDER = "holder"
"""In a question of the swarm the hive that has the post."""
LOST, BLOCKED, OVER, TURN = "lost with the keeper", "blocked", "failed", "your turn"
GROUPS = (LOST, BLOCKED, OVER, TURN)
"""In the order in which they are listed: one that waits now stands above one that ended long ago."""
REASONS = {LIMITED: "limited", FAILED: "failed", WAITING: "waits", YOUR_TURN: ""}


class Need(NamedTuple):
    """One thing that needs the person; a mission that asks twice needs them twice.

    The engine asks about what may have no mission: `row` stands for one then.
    """

    row: Row
    asked: Row | None
    group: str
    since: float
    """Seconds since it began."""

    @property
    def key(self) -> Key:
        """What the cursor holds."""
        return self.row["id"], 0 if self.asked is None else int(self.asked["question"])

    @property
    def by_engine(self) -> bool:
        """Whether the engine asks, and no agent."""
        return self.asked is not None and engine_questions.is_of_engine(self.asked)

    @property
    def mission(self) -> Row | None:
        """Its mission, where there is one."""
        return None if self.row.get(STANDS_FOR_NONE) else self.row

    @property
    def mark(self) -> StatusMark:
        """How it is shown."""
        return WAITING if self.by_engine or self.mission is None else missions_rows.mark(self.row)

    @property
    def kind(self) -> str:
        """What is needed, in a word."""
        return safe(self.asked["need"]) if self.asked else REASONS.get(missions_rows.mark(self.row), "")

    @property
    def summary(self) -> str:
        """What it is about, in a line."""
        if self.group == LOST:
            return missions_rows.LOST_WORDS
        if self.asked is None and self.row.get("conversation_lost"):
            return CONVERSATION_LOST
        return safe(self.asked["summary"] if self.asked else self.row.get("failed_message") or self.row.get("now"))


STANDS_FOR_NONE = "stands_for_none"
"""Noted in the row of a need that has no mission."""


def _row_of(asked: Row, missions: Mapping[str, Row]) -> Row:
    """The mission that the engine asks about, by the name of the question's subject; one that stands for none."""
    mission = missions.get(asked["id"])
    name = engine_questions.heading(asked).name
    if mission is not None:
        return {**mission, "name": name}
    return {
        "id": asked["id"], "name": name, "type": (asked.get("about") or {}).get("kind", "mission"),
        "status": "running",
        "activity": "waiting", "provider": "", "command": "", "parent": None, "started_at": asked["asked_at"],
        STANDS_FOR_NONE: True, **{key: asked[key] for key in (SILENT_SINCE, NO_DAEMON) if key in asked},
    }  # fmt: skip


def unheard(questions: Sequence[Row], since: float | None) -> Sequence[Row]:
    """Questions while no daemon of this home answers since then (seconds since the epoch); None: one does."""
    if since is None:
        return questions
    return [one if hive_of(one) else {**one, SILENT_SINCE: since, NO_DAEMON: True} for one in questions]


def blocked(row: Row) -> bool:
    """Whether it goes no further without a person.

    What has failed as the work of a quest is that quest's to try again, or to ask about, as the board shows it.
    """
    found = missions_rows.mark(row)
    if found is LIMITED:
        return row.get("resume_at") is None and not row.get("attempt")
    return found is WAITING or gave_up(row)


def gave_up(row: Row) -> bool:
    """Whether nobody starts again what has failed, until a person does."""
    is_spent = missions_rows.mark(row) in BAD_ENDS and row.get("reason") == SPENT
    return is_spent and row.get(missions_rows.QUEST_STATE) is None


def your_turn(row: Row) -> bool:
    """Whether it has answered, and nobody has looked."""
    return missions_rows.mark(row) is YOUR_TURN and bool(row.get("unseen"))


def is_turn(row: Row) -> bool:
    """Whether a person is to go on: it has answered, or begun a new conversation, and nobody has looked."""
    return your_turn(row) or (bool(row.get("conversation_lost")) and missions_rows.is_live(row))


_ASKING = frozenset({"waiting", "idle", "limited"})
"""Activities of those that may need a person."""


def may_need(row: Row) -> bool:
    """Whether `needs` has to look at it: a cheap question for the many that need nobody."""
    if row["status"] in missions_rows.FINAL:
        return bool(row.get("lost")) or row.get("reason") == SPENT
    return row.get("activity") in _ASKING or bool(row.get("conversation_lost"))


def needs(rows: Iterable[Row], questions: Sequence[Row], now: float) -> list[Need]:
    """Who is blocked, then whose turn is over; in each group those first that have waited longest.

    Args:
        rows: Missions.
        questions: As `inbox` has them.
        now: Seconds since the epoch.
    """
    found = []
    by_mission: dict[str, list[Row]] = {}
    rows = list(rows)
    known = {row["id"] for row in rows} if any(map(is_of_swarm, questions)) else set()
    by_engine = [
        one for one in questions if engine_questions.is_of_engine(one) or (is_of_swarm(one) and one["id"] not in known)
    ]
    for one in questions:
        if one not in by_engine:
            by_mission.setdefault(one["id"], []).append(one)
    missions: dict[str, Row] = {}
    asked_about = {one["id"] for one in by_engine}
    for row in rows:
        if row["id"] in asked_about:
            missions[row["id"]] = row
        asked = by_mission.get(row["id"], ())
        if asked and missions_rows.is_live(row):
            found += [Need(row, one, BLOCKED, _asked_for(one, row, now)) for one in asked]
        elif row.get("lost"):
            found.append(Need(row, None, LOST, _held(row, now)))
        elif blocked(row) and row["id"] not in asked_about:
            found.append(Need(row, None, BLOCKED if missions_rows.is_live(row) else OVER, _held(row, now)))
        elif is_turn(row):
            found.append(Need(row, None, TURN, _held(row, now)))
    for one in by_engine:
        row = _row_of(one, missions)
        found.append(Need(row, one, BLOCKED, _asked_for(one, row, now)))
    return sorted(found, key=lambda need: (GROUPS.index(need.group), -need.since, need.key))


def by_urgency(found: Iterable[Need]) -> list[Need]:
    """What asks first, then what goes no further, then whose turn is over; each the longest wait first."""
    rank = {BLOCKED: 0, TURN: 2}
    return sorted(found, key=lambda need: (rank.get(need.group, 1), -need.since, need.key))


def _asked_for(asked: Row, row: Row, now: float) -> float:
    began = numbers.moment(asked["asked_at"])
    return _held(row, now) if began is None else max(0.0, missions_rows.last_heard(row, now) - began)


def _held(row: Row, now: float) -> float:
    """Seconds since it goes no further."""
    ended = numbers.moment(row.get("ended_at"))
    return missions_rows.held(row, now) if ended is None or missions_rows.is_live(row) else max(0.0, now - ended)


def began(need: Need) -> float | None:
    """When it began, in seconds since the epoch; None where nobody knows."""
    asked = None if need.asked is None else numbers.moment(need.asked["asked_at"])
    if asked is not None or missions_rows.is_live(need.row):
        return missions_rows.held_since(need.row) if asked is None else asked
    return numbers.moment(need.row.get("ended_at"))


def beyond(found: Sequence[Need], mission: str) -> Need | None:
    """The next one behind those of a mission that is of another one, round and round; None where there is none."""
    places = [place for place, need in enumerate(found) if need.row["id"] == mission]
    begin = places[-1] + 1 if places else 0
    return next((need for need in (*found[begin:], *found[:begin]) if need.row["id"] != mission), None)


def is_typed(need: Need) -> bool:
    """Whether it is answered by typing into a terminal that is here."""
    asked, row = need.asked, need.mission
    if row is None or not rows.has_terminal(row):
        return False
    return need.group == BLOCKED if asked is None else bool(asked["attach_only"]) and not is_of_swarm(asked)


NOBODY = "nothing needs your attention"
NOBODY_ELSE = "nobody else needs you"
ALLOW, DENY, ALWAYS = "allow", "deny", "always"
DONE = {ALLOW: "allowed", DENY: "denied", ALWAYS: "always allowed from now on"}
_DONE = {**DONE, ALWAYS: "always allowed"}
QUESTION = "question"
"""The need that takes words or options."""
_DONE_OF = {
    (QUESTION, ALLOW): "answered",
    (QUESTION, DENY): "no answer given",
    ("plan", ALLOW): "plan approved",
    ("plan", DENY): "goes on planning",
}
"""Need of an agent and answer → what was done, where that is neither allowed nor denied."""


def done(asked: Row, behaviour: str) -> str:
    """What an answer to this question has done: to one of the engine it is what the person chose."""
    if behaviour != ALWAYS and engine_questions.is_of_engine(asked):
        return safe(engine_questions.effects_of(asked).of(behaviour))
    return _DONE_OF.get((asked["need"], behaviour), DONE[behaviour])


class Offer(NamedTuple):
    """Something that can be done about a need: the action's name as keys have it, its key, and its label."""

    name: str
    key: str
    label: str


WHOLE = Offer("whole", "enter", "show all")


def offers(need: Need | None, choosing: Choosing | None = None, *, read_only: bool = False) -> Iterator[Offer]:
    """What can be done about a need, the most important first.

    Args:
        need: None offers nothing.
        choosing: What was chosen so far.
        read_only: Nothing is answered.
    """
    if need is None:
        return
    asked = need.asked
    if not read_only:
        yield from _answers(asked, choosing) if asked else _helps(need.row)
    if asked is None or not asked["attach_only"]:
        yield WHOLE
        if need.mission and rows.is_live(need.mission):
            yield Offer("attach", "a", "attach")
    if need.mission:
        yield Offer("log", "l", "logs")
        yield Offer("describe-row", "d", "describe")


def _helps(row: Row) -> Iterator[Offer]:
    yield Offer("reply", "m", "message") if rows.is_live(row) else Offer("restart", "r", "restart")


def _answers(asked: Row, choosing: Choosing | None) -> Iterator[Offer]:
    if engine_questions.is_of_engine(asked):
        effects = engine_questions.effects_of(asked)
        if not engine_questions.needs_agent(asked):  # it is named with a text
            yield Offer(ALLOW, "y", effects.allow)
        yield Offer(DENY, "n", effects.deny)
        yield Offer("reply", "m", with_text(asked))
        return
    if asked["attach_only"]:
        if not is_of_swarm(asked):
            yield Offer("attach", "a", "attach: answer it in its terminal")
        yield WHOLE
        return
    if asked["need"] == LOST_POST and is_of_swarm(asked):
        yield Offer(ALLOW, "y", engine_questions.LOST_JOB.allow)
        yield Offer(DENY, "n", engine_questions.LOST_JOB.deny)
        return
    effects = engine_questions.effects_of(asked)
    if choosing is not None:
        yield Offer("option", "1-9", "mark" if choosing.several else "choose")
        if choosing.begun:
            yield Offer("confirm", "enter", "confirm these")
        yield Offer("reply", "m", "own words")
    else:
        yield Offer(ALLOW, "y", effects.allow)
    yield Offer(DENY, "n", effects.deny)
    if choosing is None:
        yield Offer("reply", "m", with_text(asked))
    if asked["rule"]:
        yield Offer(ALWAYS, "shift-y", "always")


class InWords(NamedTuple):
    """What a person's own words do to a question: how it is answered, as what they do, and as what was done."""

    behaviour: str
    doing: str
    done: str


def in_words(asked: Row) -> InWords:
    """What words do to this question."""
    if engine_questions.is_of_engine(asked):
        effects = engine_questions.effects_of(asked)
        was_done = effects.said or f"{done(asked, effects.text_with)} · with your text"
        return InWords(effects.text_with, with_text(asked), was_done)
    if asked["need"] == QUESTION:
        return InWords(ALLOW, "answer", "answered")
    with_what = "your text" if (asked["need"], DENY) in _DONE_OF else "your reason"
    return InWords(DENY, with_text(asked), f"{done(asked, DENY)} with {with_what}")


def wants_words(asked: Row) -> bool:
    """Whether a person's own words are an answer by themselves."""
    if engine_questions.is_of_engine(asked):
        return engine_questions.effects_of(asked) is engine_questions.REPORT_QUESTION
    return asked["need"] == QUESTION and not asked["attach_only"]


def line_title(asked: Row) -> str:
    """What a text in the line is to this question: `deny api, say why`, `answer port`, `login: the feedback for it`."""
    effects, name = engine_questions.effects_of(asked), safe(asked["name"])
    if not engine_questions.is_of_engine(asked):
        if asked["need"] == QUESTION:
            return f"answer {name}"
        if effects.deny == DENY:
            return f"{DENY} {name}, say why"
    return f"{name}: {effects.text or with_text(asked)}"


def with_text(asked: Row) -> str:
    """What `m` does with a question."""
    effects = engine_questions.effects_of(asked)
    if not engine_questions.is_of_engine(asked) and effects.text_with == DENY:
        return f"{effects.deny} with {'a reason' if effects.deny == DENY else 'a text'}"
    return f"type {effects.text}" if effects.text else f"{effects.of(effects.text_with)}, and say why"


def about(need: Need, answer: str) -> SubjectLines:
    """What is known of one that asks nothing: its whole last answer, else its newest line, or why it ended."""
    if need.group == LOST:
        line = f" its exit code is unknown · r restarts it, {MEND} restarts all lost missions"
        return [[Cell(f" {rows.LOST_WORDS}", "bad")], [], [Cell(line, "quiet")]]
    if need.group == TURN:
        return plain(answer) or [[Cell(f" {need.summary}")]]
    tone = "bad" if rows.mark(need.row) in BAD_ENDS else "slow"
    lines: SubjectLines = [[Cell(f" {need.summary}", tone)]] if need.summary else []
    if rows.mark(need.row) in BAD_ENDS:
        return [*lines, [], [Cell(" no automatic restarts left · r restarts it", "quiet")]]
    return [*lines, [], [Cell(" no known time when it can continue", "quiet")]]


NO_LONGER_OPEN = "the question is no longer open"


def ended(question: int, events: Iterable[Row]) -> str:
    """Why a question is open no longer."""
    found = [one for one in events if one["type"] == "answered" and one.get("question") == question]
    if not found or found[-1].get("by") is None:
        name = f"{safe(found[-1].get('name'))}: " if found else ""
        return f"{name}{NO_LONGER_OPEN}"
    event = found[-1]
    given = answer_of(event)
    done = "answered" if given else _DONE.get(str(event.get("behaviour")), "answered")
    return f"{safe(event.get('name'))}: {done} by {safe(event['by'])}{f': {safe(given)}' if given else ''}"
