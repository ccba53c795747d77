"""The list of missions: the groups, rows, words, orders and the filter of the full-screen program."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from overmind_core.view import frames, inbox, list_frames, registry, row_filter
from overmind_core.view import missions as missions_rows
from overmind_core.view.arrangement import ritual_of
from overmind_core.view.cells import Row, safe
from overmind_core.view.columns import ORDERS, Order
from overmind_core.view.grouping import grouped, ordered
from overmind_core.view.groups import Listing, Wish
from overmind_core.view.mission_list import Slot
from overmind_core.view.row_filter import NOTHING, BrokenFilter
from overmind_core.view.row_words import Facts
from overmind_core.view.settling import BY_FIGURES, CALM_SECONDS, SettledOrder, Settling
from overmind_web.live.feed import Change
from overmind_web.live.fleet import FleetChange
from overmind_web.live.messages import Open, Say, ToPane
from overmind_web.live.pane import MOST_ROWS, ContentPane, Frame, PaneContext, Rows, TablePane
from overmind_web.pages.arguments import Args, ids, text

MANY = 2_000
"""Missions from which on they are arranged beside the loop, which others wait for."""
LONGEST_FILTER = 2_000
"""Characters."""
ANSWERED = "answered"
MOST_ASKED = 50
"""Questions that are remembered, also answered ones."""
NEAR = 15
"""Rows beyond those in view of which figures are asked for: so far a page scrolls before it says so."""


class MissionsPane(TablePane):
    """The list, kept in its order; figures come for rows in view.

    Args of the page: `filter`, as behind `/`; `order`, a column, and `reversed`; `flat`; `attention`; `plain`, one list
    without groups; `unfolded`, those that ended are shown; `folded`, ids of rows whose children are folded away;
    `opened`, ids of rows below which those that ended are shown, or older runs of a ritual.

    What the page says: `row`, the row that somebody has under the cursor or the finger, at each key and move. It keeps
    its place for a while, and for a moment nothing moves at all.
    """

    def __init__(self, context: PaneContext, opened: Open) -> None:
        super().__init__(context, opened)
        self._live = context.feed.fleet
        self._opened = ids(opened.args, "opened")
        self._wish = wanted(opened.args)._replace(opened=self._opened)
        self._filter, self._text = NOTHING, text(opened.args, "filter")[:LONGEST_FILTER]
        self._problem = ""
        self._problem_sent = ""
        self._listing = Listing()
        self._lines: Mapping[str, Slot] = {}
        self._opening: Collection[str] = frozenset()
        self._settling, self._settled_order = Settling(), SettledOrder()
        self._is_arranged = self._holds = False
        self._was_measured = False
        """The load of all missions was known when they were ordered: only then an order by it means something."""
        self._cursor: str | None = None
        self._asked: dict[int, Row] = {}
        """The questions that were open lately, by their numbers."""
        self._said: dict[str, str] = {}
        """Mission → what this login has just answered it, until somebody is at another row."""
        self._timer: asyncio.TimerHandle | None = None
        self._leave: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Show them, and again after each change."""
        self._leave = self._live.subscribe(self._on_fleet)
        await self.context.feed.ready.wait()
        self._parse()
        await super().start()

    async def close(self) -> None:
        """Nobody looks any more."""
        self._leave()
        if self._timer is not None:
            self._timer.cancel()
        self._live.watch(self, ())
        await super().close()

    def concerns(self, change: Change) -> bool:
        """Only where this login has answered, whose words are kept: of all else the fleet tells."""
        said = answered(change.events, self.context.by, self._asked)
        self._said |= said
        return bool(said)

    def _on_fleet(self, change: FleetChange) -> None:
        if change.figures:
            self.context.wake()
        moved = change.figures and (bool(self._filter) or (self._by_figures and not self._was_measured))
        if change.rows is None or change.rows or change.questions or moved:
            self._stale.set()

    @property
    def _by_figures(self) -> bool:
        return self._wish.order is not None and self._wish.order.by in BY_FIGURES

    def _parse(self) -> None:
        try:
            wanted = self._text.strip()
            fleet = self._live.fleet
            self._filter = (
                row_filter.parsed(self._text, now=time.time, noted=lambda row: fleet.state_word(row, time.time()))
                if wanted
                else NOTHING
            )
        except BrokenFilter as broken:
            self._problem = f"/{safe(self._text)}: {broken}"

    async def load(self) -> Rows:
        """Arrange them."""
        fleet = self._live.fleet
        rows = list(fleet.rows.values())
        kept = await self._kept(rows)
        wish = self._wish._replace(filter=self._filter, opened_rituals=self._rituals())
        if len(rows) > MANY:
            listing = await asyncio.to_thread(self._arranged, rows, wish, kept)
        else:
            listing = self._arranged(rows, wish, kept)
        at = asyncio.get_running_loop().time()
        self._asked |= {int(one["question"]): one for one in fleet.questions}
        self._asked = dict(list(self._asked.items())[-max(MOST_ASKED, len(fleet.questions)) :])
        asking = {str(one["id"]) for one in fleet.questions}
        self._said = {one: words for one, words in self._said.items() if one not in asking}
        self._listing = self._settling.settled(listing, fleet.rows, self._cursor, at, asked=not self._is_arranged)
        self._is_arranged, self._holds = True, self._listing is not listing
        self._lines = list_frames.lines(self._listing)
        self._opening = list_frames.opening(self._listing)
        if self._settling.due is not None:
            self._load_in(self._settling.due - at)
        return Rows(list(self._lines), self._row, self._head(wish, rows))

    def _arranged(self, rows: Sequence[Row], wish: Wish, kept: Collection[str] | None) -> Listing:
        """The list as it would be if nothing were held in its place."""
        fleet, now = self._live.fleet, time.time()
        found = ordered(rows, wish.order, now)
        if self._by_figures:
            found = self._settled_order.settled(found, asked=not self._was_measured)
            self._was_measured = self._live.loads > 0
        return grouped(found, fleet.questions, now, wish, kept=kept, sizes=fleet.plan_sizes)

    def _load_in(self, seconds: float) -> None:
        """Arrange them again then: something is held back until then."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(max(seconds, 0.01), self._load_again)

    def _load_again(self) -> None:
        self._timer = None
        self._stale.set()

    async def _kept(self, rows: Sequence[Row]) -> Collection[str] | None:
        """Ids of what the filter keeps, found in slices between which others are served; None: of all."""
        if not self._filter:
            return None
        kept: set[str] = set()
        try:
            for some in row_filter.sieved(self._filter, rows):
                kept.update(some)
                await asyncio.sleep(0)
        except BrokenFilter as broken:
            self._problem = f"/{safe(self._text)}: {broken}"
            self._filter = NOTHING
            return None
        return kept

    def _rituals(self) -> Collection[str]:
        """Names of rituals whose older runs are shown."""
        rows = self._live.fleet.rows
        return frozenset(ritual_of(str(rows[one]["name"])) for one in self._opened if one in rows)

    def _head(self, wish: Wish, rows: Sequence[Row]) -> Mapping[str, object]:
        """Columns, and how many rows are there for their own sake."""
        folds = not (wish.grouped or wish.flat or wish.narrows)
        order = Order() if wish.order is None else wish.order
        return {
            "columns": COLUMNS,
            "orders": list(ORDERS),
            "shown": list_frames.shown(self._listing),
            "order": order.by,
            "rises": order.rises,
            "empty": registry.VIEWS["missions"].empty.split("\n"),
            "rituals": sorted(set(missions_rows.older_runs(rows).values())) if folds else [],
        }

    def _row(self, key: str) -> object:
        slot, fleet = self._lines[key], self._live.fleet
        if slot.entry is not None:
            slot = slot._replace(entry=list_frames.updated(slot.entry, fleet.rows.get(key)))
        facts = Facts(time.time(), health=fleet.health, said=self._said)
        return list_frames.frame(slot, facts, opening=self._opening, opened=self._opened)

    async def handle(self, message: ToPane) -> None:
        """Move the window, or keep the row in its place that somebody is at."""
        await super().handle(message)
        if isinstance(message, Say):
            self._hold(message.say.get("row"))
        else:
            self._watch()

    def _hold(self, row: object) -> None:
        cursor = row if isinstance(row, str) else None
        has_left, self._cursor = self._cursor not in {None, cursor}, cursor
        if has_left and self._said.keys() - {cursor}:
            self._said = {one: words for one, words in self._said.items() if one == cursor}
            self.context.wake()
        self._settling.press(asyncio.get_running_loop().time())
        if has_left and self._holds and self._timer is None:
            self._load_in(CALM_SECONDS)

    def _watch(self) -> None:
        begin, end = max(0, self._from - NEAR), min(self._to, self._from + MOST_ROWS) + NEAR
        self._live.watch(self, list_frames.missions_in(list(self._lines)[begin:end]))

    def frame(self) -> Frame | None:
        """Return what changed in view, and what is wrong with the filter; "" once it is not any more."""
        found = super().frame()
        if found is not None and "ids" in found:
            self._watch()
        if self._problem == self._problem_sent:
            return {**found, "problem": self._problem} if found is not None and self._problem else found
        self._problem_sent = self._problem
        return {"t": "rows", "total": len(self._lines), "from": 0, **(found or {}), "problem": self._problem}


COLUMNS = frames.columns(list_frames.COLUMNS)


class HangingPane(ContentPane):
    """Sentences about what hangs on missions that somebody is about to end, or to remove.

    Args of the page: `ids`; `removed`, they are to be removed.
    """

    async def load(self) -> object:
        """Return it, a sentence each."""
        await self.context.feed.ready.wait()
        meant, rows = ids(self.args, "ids"), self.context.feed.fleet.fleet.rows
        if self.args.get("removed") is True:
            return {"lines": [missions_rows.removed_with([rows[one] for one in meant if one in rows])]}
        return {"lines": hanging(meant, rows, time.time())}


def hanging(meant: Collection[str], rows: Mapping[str, Row], now: float) -> list[str]:
    """What hangs on missions that are to end: which of their children end with them, and which go on. Pure.

    Args:
        meant: Their ids.
        rows: All missions that are known, by their ids.
        now: In seconds since the epoch.

    Returns:
        A sentence for the children of plans, which end with them, and one for those of all others; none without any.
    """
    others = [row for row in rows.values() if row["id"] not in meant]
    some = [rows[one] for one in meant if one in rows]
    named = len(missions_rows.at_stake(some, (), now))
    return [f"{line}." for line in missions_rows.at_stake(some, others, now)[named:] if line]


def answered(events: Iterable[Mapping[str, Any]], by: str, asked: Mapping[int, Row]) -> dict[str, str]:
    """Mission → what was done to its question in this name, in the words of its row. Pure.

    Args:
        events: What happened.
        by: Whose answers count.
        asked: The questions that were open, by their numbers.
    """
    given = [one for one in events if one["type"] == ANSWERED and one.get("by") == by and one["question"] in asked]
    return {str(asked[one["question"]]["id"]): _done(asked[one["question"]], one) for one in given}


def _done(question: Row, event: Mapping[str, Any]) -> str:
    return inbox.in_words(question).done if event.get("answer") else inbox.done(question, str(event["behaviour"]))


def wanted(args: Args) -> Wish:
    """Read what a page asks for; without what only rows can tell. Pure; what is of the wrong kind is ignored."""
    order = Order.read(text(args, "order"))
    order = Order(order.by, order.inverted or args.get("reversed") is True)
    return Wish(
        None if order == Order() else order,
        attention=args.get("attention") is True,
        flat=args.get("flat") is True,
        grouped=args.get("plain") is not True,
        unfolded=args.get("unfolded") is True,
        folded=ids(args, "folded"),
    )
