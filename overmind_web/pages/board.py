"""The board: quests as cards in five columns, in the words of the full-screen program's board."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from overmind_core.domain.engine_questions import (
    REVIEW_ALONE,
    UNDOES,
    UNDOES_LANDED,
    UNDOES_OF_COMMAND,
    EngineNeed,
    effects_of,
    oldest_of,
)
from overmind_core.domain.missions.status_marks import WAITING
from overmind_core.view import board as board_rows
from overmind_core.view import missions as missions_rows
from overmind_core.view import numbers, row_filter, tones
from overmind_core.view import quests as quests_rows
from overmind_core.view.cells import Row, safe
from overmind_core.view.queue import Status
from overmind_core.view.registry import VIEWS
from overmind_core.view.row_filter import NOTHING, BrokenFilter, Filter
from overmind_web.live.feed import Change
from overmind_web.live.fleet import FleetChange
from overmind_web.live.messages import Open
from overmind_web.live.pane import ContentPane, PaneContext
from overmind_web.pages.arguments import text

FEW: Final = 30
"""Cards of a column that are shown at first."""
MANY: Final = 500
"""Cards of a column that are shown at most."""
LONGEST_FILTER: Final = 2_000
"""Characters."""


class BoardPane(ContentPane):
    """All quests, or those of a spec.

    Args of the page: `filter`, as behind `/`; `by`, what lanes are made of; `spec`, its name; `all`: also what is
    beyond the first cards of each column.
    """

    def __init__(self, context: PaneContext, opened: Open) -> None:
        super().__init__(context, opened)
        self._live = context.feed.fleet
        self._shown: frozenset[str] = frozenset()
        self._leave: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Show them, and again after each change."""
        self._leave = self._live.subscribe(self._on_fleet)
        await self.context.feed.ready.wait()
        await super().start()

    async def close(self) -> None:
        """Nobody looks any more."""
        self._leave()
        await super().close()

    def concerns(self, change: Change) -> bool:
        """Whether a card may stand otherwise."""
        return change.everything or bool(quests_rows.CHANGES & change.types) or bool(self._shown & change.missions)

    def _on_fleet(self, change: FleetChange) -> None:
        if change.questions:
            self._stale.set()

    async def load(self) -> object:
        """Ask for the cards, and for the slots: a quest that asks a person stands in review, and keeps its slot."""
        most = MANY if self.args.get("all") is True else FEW
        typed = text(self.args, "filter")
        asked: dict[str, Any] = {"limit": 0 if typed.strip() else most}  # a filter finds cards of any place
        spec = text(self.args, "spec")
        if spec:
            asked["spec"] = spec
        answer, queue = await asyncio.gather(
            self.context.call("board", asked), self.context.call("queue", {"limit": 1})
        )
        fleet = self._live.fleet
        found = board_rows.counted(answer)
        quests_rows.learn(found.rows, fleet.rows, fleet.questions)
        rows, counts, problem = await _filtered(found, typed)
        rows = _first(rows, most) if typed.strip() else rows
        self._shown = frozenset(str(row["id"]) for row in found.rows)
        return content(
            board_rows.Counted(rows, counts),
            queue,
            by=text(self.args, "by"),
            questions=fleet.questions,
            there=fleet.rows,
        ) | {"problem": problem}


def _first(rows: Sequence[Row], most: int) -> list[Row]:
    """The first rows of each column."""
    columns = [[row for row in rows if row[board_rows.COLUMN] == place] for place in range(len(board_rows.NAMES))]
    return [row for column in columns for row in column[:most]]


async def _filtered(found: board_rows.Counted, typed: str) -> tuple[list[Row], tuple[int, ...], str]:
    """The rows that a filter keeps, how many these are in each column, and what is wrong with the filter."""
    try:
        wanted = _parsed(typed)
        if not wanted:
            return found.rows, found.counts, ""
        kept: set[str] = set()
        for some in row_filter.sieved(wanted, found.rows):
            kept.update(some)
            await asyncio.sleep(0)
    except BrokenFilter as broken:
        return found.rows, found.counts, f"/{safe(typed[:80])}: {broken}"
    rows = [row for row in found.rows if row["id"] in kept]
    places = [row[board_rows.COLUMN] for row in rows]
    return rows, tuple(map(places.count, range(len(board_rows.NAMES)))), ""


def _parsed(typed: str) -> Filter:
    if not typed.strip():
        return NOTHING
    return row_filter.parsed(typed[:LONGEST_FILTER], looked_in=quests_rows.looked_in, now=time.time)


def content(
    found: board_rows.Counted,
    queue: Mapping[str, Any],
    *,
    by: str,
    questions: Sequence[Row],
    there: Mapping[str, Row],
) -> dict[str, object]:
    """The board as a page draws it. Pure.

    Args:
        found: Quests with their columns, which have learned what is asked about them.
        queue: The answer of `queue`.
        by: What lanes are made of; "" or anything unknown: there are none.
        questions: As `inbox` has them, the oldest first.
        there: Missions by their ids.
    """
    asked = oldest_of(questions)
    lanes = by if by in board_rows.LANES else ""
    rows = board_rows.ordered(found.rows, lanes)
    columns = []
    for place, name in enumerate(board_rows.NAMES):
        shown = [row for row in rows if row[board_rows.COLUMN] == place]
        cards = [gate(row, by=lanes) if row.get(quests_rows.GATE) else
                 card(row, by=lanes, question=asked.get(row["id"]), there=row["id"] in there)
                 for row in shown]  # fmt: skip
        columns.append({
            "name": name, "count": found.counts[place], "cards": cards,
            "more": board_rows.more(found.counts[place], len(shown)),
        })  # fmt: skip
    status = Status.of(dict(queue))
    return {
        "columns": columns, "by": lanes, "lanes": _lanes(found.rows), "paused": status.paused,
        "slots": status.slots, "used": status.used, "empty": VIEWS["board"].empty.split("\n"),
    }  # fmt: skip


def _lanes(rows: Sequence[Row]) -> list[str]:
    """What lanes can be made of: what no quest has makes none."""
    return [one for one in board_rows.LANES if not one or any(row.get(one) for row in rows)]


def gate(row: Row, *, by: str) -> dict[str, object]:
    """The card of a spec that waits for a person, as `board_rows.gate_row` makes its row. Pure."""
    asked = row[quests_rows.GATE]
    return {
        "id": row["id"],
        "name": safe(f"{board_rows.short_name(row, by)} {row[quests_rows.ASKED]}"),
        "mark": WAITING.word,
        "tone": "wait",
        "state": missions_rows.ASKS,
        "why": safe(asked["summary"]),
        "why_tone": "wait",
        "question": int(asked["question"]),
        "need": asked["need"],
        "spec": asked["spec"],
        "part": asked["phase"] or "",
        "facts": {"status": "waiting", "there": False},
        **({"lane": board_rows.lane(row, by)} if by else {}),
    }


def _document(row: Row, question: Row | None) -> dict[str, object]:
    """Where the document is read that a quest has made and a gate asks about; its card says that it is a quest, too."""
    if question is None or not row.get(quests_rows.AT_GATE):
        return {}
    return {"spec": question["id"], "part": question["part"], "quest": True}


def _need(question: Row) -> str:
    """What is needed; work that would undo what has landed is read before it lands, so it is another need here."""
    return UNDOES_LANDED if effects_of(question) in {UNDOES, UNDOES_OF_COMMAND} else str(question["need"])


def _lands(question: Row) -> bool:
    """Whether a yes lands work that stands ready, as it does of a review where the work has a branch to land on."""
    return question["need"] == EngineNeed.REVIEW and effects_of(question).allow != REVIEW_ALONE.allow


def card(row: Row, *, by: str, question: Row | None, there: bool) -> dict[str, object]:
    """A card: what is not known of it is left out. Pure.

    `since`, `attempt` and `ended` are moments in seconds since the epoch: when its first attempt began, when the one
    under way did, and when it ended; `estimate` is how many seconds an attempt of the like took.
    """
    mark = quests_rows.mark(row)
    running = row["status"] == "running"
    ended = numbers.moment(row["ended_at"])
    urgent = safe(row.get("priority"))
    said: dict[str, object] = {
        "state": quests_rows.state(row),
        "why": quests_rows.why(row),
        "why_tone": tones.named(quests_rows.why_tone(row)),
        "since": quests_rows.began(row) if running else None,
        "attempt": quests_rows.run_began(row) if running else None,
        "ended": ended,
        "estimate": row.get("estimate_seconds") if running else None,
        "cost": quests_rows.cost(row),
        "tries": quests_rows.tries(row) if row["status"] != "completed" else "",
        "priority": "" if urgent == "medium" or row["status"] in quests_rows.ENDED else urgent,
        "lane": board_rows.lane(row, by) if by else "",
        "question": None if question is None else int(question["question"]),
        "need": None if question is None else _need(question),
        "lands": None if question is None or not _lands(question) else True,
    }  # fmt: skip
    return {
        "id": row["id"],
        "name": safe(" ".join(filter(None, (board_rows.short_name(row, by), row.get(quests_rows.AT_GATE))))),
        "mark": mark.word,
        "tone": tones.named(mark.tone),
        **_document(row, question),
        "facts": {"status": row["status"], "priority": row.get("priority"), "check_id": row.get("check_id"),
                  "there": there, "can_retry": quests_rows.can_retry(row)},
        **{key: value for key, value in said.items() if value not in {None, ""}},
    }  # fmt: skip
