"""Cards of the browser's board: from which moments their times and their bars count, and what can be asked of them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from overmind_core.domain.text.moment import parse_time
from overmind_core.view import board, quests
from overmind_web.live.messages import Open
from overmind_web.live.pane import PaneContext
from overmind_web.pages.board import FEW, MANY, BoardPane, card, content
from tests.core.cli.quest_rows import row

ADDED, BEGAN, AGAIN = ("2026-11-20T12:00:00Z", "2026-11-20T12:05:00Z", "2026-11-20T12:09:00Z")


@pytest.mark.parametrize(("phase", "attempt"), [("work", AGAIN), ("check", BEGAN)])
def test_a_card_counts_since_the_first_attempt_and_its_bar_since_the_one_under_way(phase, attempt):
    """What its like took is the time of one attempt; its time in the queue is in neither."""
    one = row("docs", status="running", phase=phase, started_at=ADDED, began_at=BEGAN, attempts=2)
    quests.learn([one], {one["id"]: {"started_at": BEGAN, "run_started_at": AGAIN}}, [])
    made = card(one, by="", question=None, there=True)
    assert (made["since"], made["attempt"]) == (parse_time(BEGAN, 0.0), parse_time(attempt, 0.0))


def test_a_card_of_a_quest_that_waits_has_no_time():
    waits = row("docs", started_at=ADDED)
    quests.learn([waits], {}, [])
    assert not {"since", "attempt"} & set(card(waits, by="", question=None, there=False))


def asked(need, **subject):
    """A question of the engine about a quest."""
    return {"question": 4, "id": "id-docs", "need": need, "part": "", "about": {"kind": "quest"}, "subject": subject}


YES = {
    "work in review that has a branch to land on": (asked("review", into="main"), "review", True),
    "work in review that lands nowhere": (asked("review", into=None), "review", None),
    "the same of a command": (asked("review", into=None, command=True), "review", None),
    "what a landing needs, which is read first": (asked("merge", into="main"), "merge", None),
    "work that would undo what has landed": (asked("merge", code="undoes_landed"), "undoes_landed", None),
    "no question": (None, None, None),
}
"""A question → the need that its card names, and whether the card says that a yes lands the work."""


@pytest.mark.parametrize("name", YES)
def test_a_card_says_that_a_yes_lands_its_work_only_where_it_does(name):
    question, need, lands = YES[name]
    one = row("docs", status="review")
    quests.learn([one], {}, [])
    made = card(one, by="", question=question, there=True)
    assert (made.get("need"), made.get("lands")) == (need, lands)


ATTEMPTED = {"status": "failed", "ended_at": AGAIN}
RETRIES = [
    (row("queued", **ATTEMPTED, priority="medium", can_retry=True), True),
    (row("removed", **ATTEMPTED, priority="medium", can_retry=False), False),
    (row("backup/1", **ATTEMPTED, priority=None, can_retry=False, ritual="backup"), False),
    (row("of an earlier version", **ATTEMPTED, priority="medium"), True),
    (row("at once, of an earlier version", **ATTEMPTED, priority=None), False),
]


@pytest.mark.parametrize(("one", "offered"), RETRIES)
def test_a_card_offers_a_retry_only_where_the_daemon_takes_it(one, offered):
    quests.learn([one], {}, [])
    facts = card(one, by="", question=None, there=False)["facts"]
    assert isinstance(facts, dict)
    assert facts["can_retry"] is offered


class Told:
    """What a board is given, of a daemon whose queue is long: the last quests in it are called `late`."""

    feed = SimpleNamespace(fleet=SimpleNamespace(fleet=SimpleNamespace(rows={}, questions=[])))

    def __init__(self, late: int) -> None:
        self._quests = [row(f"early-{n}") for n in range(FEW)] + [row(f"late-{n}") for n in range(late)]

    async def call(self, command: str, args: dict[str, Any]) -> Any:
        """Tell about as many as are asked for."""
        if command == "queue":
            return {"paused": False, "slots": 4, "pools": [], "count": 0, "landing": []}
        shown = {name: self._quests[: args["limit"] or None] if name == "queued" else [] for name in board.NAMES}
        whole = {name: len(self._quests) if name == "queued" else 0 for name in board.NAMES}
        return {"columns": [{"name": name, "count": whole[name], "quests": shown[name]} for name in board.NAMES]}


def test_a_quest_that_asks_stands_in_review_and_its_slot_counts_as_taken():
    asks = {**row("asks"), "status": "running", "phase": "work", board.COLUMN: board.NAMES.index("review")}
    queue = {
        "paused": False,
        "slots": 1,
        "pools": [{"name": "queue", "slots": 1, "used": 1}],
        "count": 1,
        "landing": [],
    }
    found = board.Counted([asks], (1, 0, 0, 1, 0))
    shown: Any = content(found, queue, by="", questions=[], there={})
    running = next(column for column in shown["columns"] if column["name"] == "running")
    assert (running["count"], shown["used"], shown["slots"]) == (0, 1, 1)


def drawn(late: int, **args: object) -> tuple[int, str, int]:
    """Of the queued column: cards, the words below them, and how many there are."""
    opened = Open(p=1, view="board", args=args)
    content = cast("Any", asyncio.run(BoardPane(cast("PaneContext", Told(late)), opened).load()))
    queued = content["columns"][0]
    return len(queued["cards"]), queued["more"], queued["count"]


@pytest.mark.parametrize(
    ("late", "args", "found"),
    [
        (2, {}, (FEW, "… 2 more", FEW + 2)),
        (2, {"filter": "late"}, (2, "", 2)),
        (FEW + 1, {"filter": "late"}, (FEW, "… 1 more", FEW + 1)),
        (FEW + 1, {"filter": "late", "all": True}, (FEW + 1, "", FEW + 1)),
        (MANY + 1, {"filter": "late", "all": True}, (MANY, "… 1 more", MANY + 1)),
        (2, {"filter": "/("}, (FEW, "… 2 more", FEW + 2)),
    ],
)
def test_a_filter_finds_cards_beyond_the_first_ones_of_their_column(late, args, found):
    assert drawn(late, **args) == found
