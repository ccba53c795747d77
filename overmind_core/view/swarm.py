"""The swarm as the screen shows it: how it stands, its posts as rows, why one waits, and all about one. Pure.

A post of the swarm has the id `swarm/<id>` and the name `swarm/<name>`, as on the command line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from overmind_core.domain.hives import AWAY, SWARM
from overmind_core.domain.missions.reasons import SAY_NOTHING, sentence
from overmind_core.domain.missions.status_marks import BLOCKED
from overmind_core.view import board as board_rows
from overmind_core.view import missions as missions_rows
from overmind_core.view import numbers
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.columns import By, Column
from overmind_core.view.describe import Lines, Rendering, clock, pairs
from overmind_core.view.hive_keys import HIVE, HIVES, SILENT_SINCE, key_of
from overmind_core.view.numbers import Ticking
from overmind_core.view.tables import Orders

OPEN = "open"
"""The mode of a store that can be trusted; the link of a hive that answers."""
POST, THERE = "post", "there"
"""In the row of a post its id in the swarm, and its status at its hive."""
ASKED = "asked"
"""Noted there: what is asked about it."""
ENDED = frozenset({"done", "failed", "cancelled"})
"""States of a post that nobody works on any more."""
RETRIED = frozenset({"failed", "cancelled"})
_HELD = frozenset({"claimed", "lost"})
"""States of a post that a hive has."""


class SwarmState(NamedTuple):
    """The swarm as it was when it answered last.

    Attributes:
        name: Of the swarm.
        hive: The name that this home has in it; "" where it has made the swarm, and is no hive.
        mode: Of the store; all but `open` give no claims.
        queued: Posts that wait.
        claimed: Posts that hives work on.
        lost: Posts whose hive is silent.
        silence: Why the database can't be asked; "" while it answers.
        answered_at: When it answered last, in seconds since the epoch; 0 is never.
        hives: As `swarm_status` has them.
    """

    name: str = ""
    hive: str = ""
    mode: str = OPEN
    queued: int = 0
    claimed: int = 0
    lost: int = 0
    silence: str = ""
    answered_at: float = 0.0
    hives: tuple[Row, ...] = ()

    def then(self, answer: Row, now: float) -> SwarmState:
        """As it is by an answer of `swarm_status`; what a silent one doesn't say stays as it was."""
        hive = answer["hive"] or ""
        if answer["silence"]:
            at = now - answer["silent_seconds"] if answer["silent_seconds"] else self.answered_at or now
            name = answer["swarm"] or self.name
            return self._replace(name=name, hive=hive, silence=answer["silence"], answered_at=at)
        figures = (answer["queued"], answer["claimed"], answer["lost"])
        return SwarmState(answer["swarm"], hive, answer["mode"], *figures, "", now, tuple(answer["hives"]))


def standing(state: SwarmState, now: float) -> list[Cell]:
    """What the header says: `swarm 31 claimed, 12 queued`, `swarm silent 12s`, `swarm settling`."""
    if state.silence:
        word = Cell(f"silent {numbers.span(max(now - state.answered_at, 0.0))}", "slow")
    elif state.mode != OPEN:
        word = Cell("settling", "slow")
    else:
        word = Cell(f"{state.claimed:,} claimed, {state.queued:,} queued")
    return [Cell("swarm ", "label"), word]


def refusal(state: SwarmState, now: float) -> str:
    """Why the swarm can't be asked, a sentence; "": nothing is known that keeps from it."""
    if not state.silence:
        return ""
    return f"swarm_silent: the swarm has been silent for {numbers.span(max(now - state.answered_at, 0.0))}"


# posts as rows


def posts(answer: Sequence[Row]) -> list[Row]:
    """Posts, the newest first."""
    return [as_row(post) for post in reversed(answer)]


def as_row(post: Row) -> Row:
    """A post as it is known here; its own status is that of a quest, so that it is drawn as those are."""
    needs = post["state"] == "queued" and str(post.get("reason") or "").startswith("needs ")
    return {
        **post, "id": key_of(SWARM, post["id"]), "name": key_of(SWARM, post["name"]), POST: post["id"],
        HIVE: post.get(HIVE) or "", THERE: post.get("status"), "status": _STATUS.get(post["state"], post["state"]),
        "activity": None, "code": BLOCKED.word if needs else None,
    }  # fmt: skip


_STATUS = {"claimed": "running", "done": "completed", "lost": "unheard"}
"""State → status of a quest, where that is another word."""


def whole(answer: Row) -> list[Row]:
    """The answer itself: its posts are made rows by `line`."""
    return [answer]


def line(answer: Row) -> list[Row]:
    """Posts that wait, in the order in which a hive that fits takes them."""
    return [as_row({**post, "state": "queued", "reason": post["why"]}) for post in answer["posts"]]


def learn(rows: Iterable[Row], questions: Iterable[Row], state: SwarmState, names: Mapping[str, Sequence[str]]) -> None:
    """Note in each row what is asked about it, and since when its hive, or the swarm, is silent.

    Args:
        rows: Of posts.
        questions: As the inbox has them.
        state: Of the swarm.
        names: Name of a hive in the swarm → all names that it has here.
    """
    asked: dict[str, str] = {}
    for one in questions:
        asked.setdefault(one["id"], safe(one["summary"]))
    away = {one["name"]: one["seen_ago"] for one in state.hives if one["link"] in AWAY}
    for row in rows:
        row[ASKED] = asked.get(row["id"], "")
        row["activity"] = "waiting" if row[ASKED] and row["status"] == "running" else None
        row[HIVES] = names.get(row[HIVE], (row[HIVE],))
        row.pop(SILENT_SINCE, None)
        if state.silence:
            row[SILENT_SINCE] = state.answered_at
        elif row["state"] in _HELD and (ago := away.get(row[HIVE])) is not None:
            row[SILENT_SINCE] = state.answered_at - ago


def state_word(row: Row) -> str:
    """Its state; of one that a hive works on what is done there."""
    if row["state"] != "claimed" or row.get(ASKED):
        return missions_rows.word(missions_rows.mark(row))
    return safe(row.get("phase") or row.get(THERE) or row["state"])


def lasted(row: Row, now: float) -> float:
    """Seconds since its hive took it, until its end; of one that none has taken, since it was posted."""
    began, ended = _counts_from(row), numbers.moment(row.get("ended_at"))
    return max(0.0, (now if ended is None else ended) - (now if began is None else began))


def _counts_from(row: Row) -> float | None:
    return numbers.moment(row.get("claimed_at") or row.get("posted_at"))


def explanation(row: Row) -> str:
    """What is asked about it, else why it stands as it does."""
    if row.get(ASKED):
        return str(row[ASKED])
    reason, code = row.get("reason") or "", row.get("exit_code")
    if row["state"] == "failed" and code:
        says_nothing = not reason or reason in SAY_NOTHING
        return f"exit {code}" if says_nothing else f"{safe(sentence(reason))}, exit {code}"
    return "" if reason == row["state"] else safe(sentence(reason))


def _name(row: Row, _now: float) -> Cell:
    return Cell(safe(row["name"]), "name")


def _state(row: Row, _now: float) -> Cell:
    return Cell(state_word(row), missions_rows.mark(row).tone)


def _why(row: Row, now: float) -> Cell:
    tone = "" if row.get(ASKED) or row["state"] == "failed" else "quiet"
    silent = missions_rows.silent_for(row, now)
    said = explanation(row) or ("w says why it waits" if row["state"] == "queued" else "")
    return Cell(" · ".join(filter(None, (silent, said))), "slow" if silent else tone)


def _for(row: Row, now: float) -> Cell:
    return Cell(numbers.span(lasted(row, now)), "quiet")


def _cost(row: Row, _now: float) -> Cell:
    return Cell(numbers.money(row.get("cost_usd") or None), "quiet")


def _tries(row: Row, _now: float) -> Cell:
    return Cell(str(row["attempt"]) if row["attempt"] > 1 else "", "quiet")


def _labels(row: Row, _now: float) -> Cell:
    return Cell(safe(" ".join(f"{key}={value}" for key, value in sorted(row["labels"].items()))), "quiet")


def _text(key: str, tone: str = "quiet") -> Any:  # noqa: ANN401 - what a column's cell is
    return lambda row, _now: Cell(safe(row.get(key)), tone)


def _since(row: Row) -> Ticking | None:
    began = _counts_from(row)
    return None if began is None or row.get("ended_at") else Ticking("", began)


COLUMNS: tuple[Column, ...] = (
    Column("name", "NAME", 20, 34, 0, _name),
    Column(HIVE, "HIVE", 5, 16, 2, _text(HIVE, "")),
    Column("state", "STATE", 8, 12, 1, _state),
    Column("kind", "KIND", 5, 5, 7, _text("kind")),
    Column("for", "FOR", 4, 5, 3, _for, right=True, ticks=_since),
    Column("attempts", "TRY", 3, 4, 8, _tries, right=True, spare=True),
    Column("cost", "COST", 6, 7, 6, _cost, right=True, spare=True),
    Column("priority", "PRIORITY", 8, 8, 9, _text("priority"), wide=True),
    Column("labels", "ON", 6, 24, 10, _labels, spare=True, wide=True),
    Column("by", "BY", 5, 16, 11, _text("posted_by"), wide=True),
    Column("id", "ID", 14, 14, 12, _text("id"), wide=True),
    Column("why", "NOW", 16, 0, 4, _why),
)
"""The columns of posts."""


def _waits(row: Row, now: float) -> Cell:
    if row.get(SILENT_SINCE) is not None:
        return _why(row, now)
    return Cell(explanation(row) or "it is about to be taken", "quiet")


QUEUE_COLUMNS: tuple[Column, ...] = (
    Column("position", "#", 2, 5, 1, lambda row, _now: Cell(str(row["position"]), "quiet"), right=True),
    Column("score", "SCORE", 5, 6, 3, lambda row, _now: Cell(f"{row['score']:.4g}"), right=True),
    Column("name", "NAME", 12, 34, 0, _name),
    Column("kind", "KIND", 5, 5, 7, _text("kind")),
    Column("priority", "PRIORITY", 8, 8, 5, _text("priority")),
    Column("id", "ID", 14, 14, 12, _text("id"), wide=True),
    Column("why", "WAITS", 20, 0, 4, _waits),
)
"""The columns of those that wait."""
_URGENCY = ("lost", "claimed", "queued", "failed", "cancelled", "done")
_PRIORITIES = ("critical", "high", "medium", "low")


def _of(key: str) -> By:
    return By(lambda row, _now: str(row.get(key) or "").casefold(), rises=True)


ORDERS: Orders = {
    "name": _of("name"),
    HIVE: _of(HIVE),
    "state": By(lambda row, _now: (_URGENCY.index(row["state"]), not row.get(ASKED)), rises=True),
    "kind": _of("kind"),
    "for": By(lasted),
    "age": By(lasted),
    "attempts": By(lambda row, _now: row["attempt"]),
    "cost": By(lambda row, _now: row["cost_usd"] or 0.0),
    "priority": By(lambda row, _now: _rank(row), rises=True),
    "by": _of("posted_by"),
    "id": _of("id"),
    "why": By(lambda row, _now: explanation(row).casefold(), rises=True),
}
QUEUE_ORDERS: Orders = {
    **{key: ORDERS[key] for key in ("name", "kind", "priority", "id", "why")},
    "position": By(lambda row, _now: row["position"], rises=True),
    "score": By(lambda row, _now: row["score"]),
}


def _rank(row: Row) -> int:
    found = row.get("priority")
    return _PRIORITIES.index(found) if found in _PRIORITIES else len(_PRIORITIES)


def looked_in(row: Row) -> str:
    """What a plain word of a filter is looked for in."""
    parts = (row["name"], row["id"], row["kind"], state_word(row), row["state"], row.get(HIVE), row.get(THERE),
             row.get("phase"), row.get("priority"), row.get("posted_by"), explanation(row))  # fmt: skip
    return "\n".join(safe(part) for part in parts if part)


def standing_of(row: Row, now: float) -> str:
    """How a post stands and why, in a line."""
    where = f"on {safe(row[HIVE])}" if row.get(HIVE) else ""
    facts = " ".join(filter(None, (state_word(row), where)))
    return " · ".join(filter(None, (safe(row["name"]), facts, missions_rows.silent_for(row, now), explanation(row))))


# all about one


def described(row: Row, why: Mapping[str, Any] | None, tail: str, look: Rendering) -> Lines:
    """All about a post.

    Args:
        row: As a row.
        why: As `swarm_why` answers; None where it didn't.
        tail: The end of its log; "" where the swarm has none.
        look: When and how.
    """
    shown = missions_rows.mark(row)
    sign = shown.ascii if look.ascii_only else shown.mark
    reason = explanation(row)
    lines: Lines = [
        [Cell(f" {safe(row['name'])} ", "accent"), Cell(safe(row[POST]), "quiet")],
        [Cell(f" {sign} {state_word(row)}", shown.tone), Cell(f"  {reason}" if reason else "", "quiet")],
        *pairs(
            ("kind", row["kind"]),
            ("hive", row.get(HIVE)),
            ("its hive", missions_rows.silent_for(row, look.now) or None),
            ("status there", row.get(THERE)),
            ("phase", row.get("phase")),
            ("attempt", row.get("attempt") or None),
            ("priority", row.get("priority")),
            ("on", _labels(row, look.now).text or None if "labels" in row else None),
            ("cost", numbers.money(row.get("cost_usd") or None) or None),
            ("exit code", row.get("exit_code")),
            ("posted by", row.get("posted_by")),
            ("posted", clock(row.get("posted_at"), look)),
            ("started", clock(row.get("claimed_at"), look)),
            ("ended", clock(row.get("ended_at"), look)),
        ),
    ]
    if why is not None and row["state"] == "queued":
        lines += [[], [Cell(" why it waits", "title")], *why_text(why)[1:]]
    if tail:
        lines += [[], [Cell(" the end of its log", "title")], *([Cell(f"  {safe(one)}")] for one in tail.splitlines())]
    return lines


def why_text(answer: Mapping[str, Any]) -> Lines:
    """As `swarm_why` answers: the lines that `overmind why` prints."""
    wide = max((len(one["hive"]) for one in answer["hives"]), default=0)
    return [
        [Cell(f" {safe(answer['name'])}", "accent"), Cell(f"  {safe(answer['state'])}", "quiet")],
        [Cell(f" {safe(answer['summary'])}")],
        *(
            [Cell(f"  {safe(one['hive']):<{wide}}  ", "name"),
             Cell(safe(one["text"]), "good" if one["text"].startswith("yes") else "quiet")]
            for one in answer["hives"]
        ),
        *(
            [Cell(f"  pool {safe(one['pool'])}  ", "name"), Cell(safe(one["text"]), "quiet")]
            for one in answer.get("pools", ())
        ),
    ]  # fmt: skip


# the board

_IN_COLUMN = {"queued": "queued", "claimed": "running", "lost": "blocked", "failed": "blocked", "done": "done",
              "cancelled": "done"}  # fmt: skip
"""State of a post → the column of its card; what asks something is to be reviewed."""


def cards(rows: Iterable[Row], now: float) -> Row:
    """The posts as the board's answer has quests: in its columns, in the words of a quest."""
    found: dict[str, list[Row]] = {name: [] for name in board_rows.NAMES}
    for row in rows:
        found["review" if row.get(ASKED) else _IN_COLUMN[row["state"]]].append(_card(row, now))
    return {"columns": [{"name": name, "count": len(of), "quests": of} for name, of in found.items()]}


def _card(row: Row, now: float) -> Row:
    silent = missions_rows.silent_for(row, now)
    reason = f"its hive is {silent or 'silent'}" if row["state"] == "lost" else explanation(row)
    return {
        **row, "started_at": row["posted_at"], "began_at": row.get("claimed_at", row["posted_at"]), "why": reason,
        "reason": reason, "exit_code": None,
        "attempts": row["attempt"], "retries": 0, "phase": row["phase"] or None,
    }  # fmt: skip
