"""The list of missions: the rows, words, columns, orders and the filter of the full-screen program."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from overmind_core.view import arrangement, frames, registry, row_filter
from overmind_core.view.arrangement import Arranged, Arrangement, ritual_of
from overmind_core.view.cells import Row, safe
from overmind_core.view.columns import MISSIONS, ORDERS, Order
from overmind_core.view.missions import Branch
from overmind_core.view.row_filter import NOTHING, BrokenFilter
from overmind_web.live.feed import Change
from overmind_web.live.fleet import FleetChange
from overmind_web.live.messages import Open, ToPane
from overmind_web.live.pane import MOST_ROWS, Frame, PaneContext, Rows, TablePane
from overmind_web.pages.arguments import Args, ids, text

MANY = 2_000
"""Missions from which on they are arranged beside the loop, which others wait for."""
LONGEST_FILTER = 2_000
"""Characters."""
NEAR = 15
"""Rows beyond those in view of which figures are asked for: so far a page scrolls before it says so."""
MEASURED = frozenset({"cpu", "memory", "output", "now"})
"""Orders by figures: rows move without an event."""


class MissionsPane(TablePane):
    """The list, kept in its order; figures come for rows in view.

    Args of the page: `filter`, as behind `/`; `order`, a column, and `reversed`; `flat`; `attention`; `folded`, ids of
    rows whose children are folded away; `opened`, ids of rituals' newest runs below which the older ones are shown.
    """

    def __init__(self, context: PaneContext, opened: Open) -> None:
        super().__init__(context, opened)
        self._live = context.feed.fleet
        self._wanted = wanted(opened.args)
        self._folded, self._opened = ids(opened.args, "folded"), ids(opened.args, "opened")
        self._filter, self._text = NOTHING, text(opened.args, "filter")[:LONGEST_FILTER]
        self._problem = ""
        self._problem_sent = ""
        self._branches: dict[str, Branch] = {}
        self._opening: Collection[str] = frozenset()
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
        self._live.watch(self, ())
        await super().close()

    def concerns(self, change: Change) -> bool:
        """Never: the fleet tells."""
        del change
        return False

    def _on_fleet(self, change: FleetChange) -> None:
        rearranged = change.rows is None or bool(change.rows)
        if change.figures:
            rearranged = rearranged or self._wanted.order.by in MEASURED or bool(self._filter)
            self.context.wake()
        if rearranged or (change.questions and self._wanted.attention):
            self._stale.set()

    def _parse(self) -> None:
        try:
            self._filter = row_filter.parsed(self._text, now=time.time) if self._text.strip() else NOTHING
        except BrokenFilter as broken:
            self._problem = f"/{safe(self._text)}: {broken}"

    async def load(self) -> Rows:
        """Arrange them."""
        fleet = self._live.fleet
        rows = list(fleet.rows.values())
        kept = await self._kept(rows)
        wish = self._wanted._replace(filter=self._filter, folded=self._folded, opened=self._rituals())
        if len(rows) > MANY:
            arranged = await asyncio.to_thread(_arranged, wish, rows, fleet.asked_about, kept)
        else:
            arranged = _arranged(wish, rows, fleet.asked_about, kept)
        self._branches = {branch.id: branch for branch in arranged.branches}
        self._opening = arrangement.opening(arranged.branches)
        return Rows(list(self._branches), self._row, self._head(arranged))

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

    def _head(self, arranged: Arranged) -> Mapping[str, object]:
        """Columns, and how many rows are there for their own sake."""
        return {
            "columns": COLUMNS,
            "orders": list(ORDERS),
            "shown": sum(branch.meant for branch in arranged.branches),
            "order": self._wanted.order.by,
            "rises": self._wanted.order.rises,
            "empty": registry.VIEWS["missions"].empty.split("\n"),
            "rituals": sorted(set(arranged.beneath.values())),
        }

    def _row(self, mission: str) -> object:
        branch = self._branches[mission]
        row = self._live.fleet.rows.get(mission, branch.row)
        return frames.mission(branch.updated(row), MISSIONS, time.time(), opens=mission in self._opening)

    async def handle(self, message: ToPane) -> None:
        """Move the window."""
        await super().handle(message)
        self._watch()

    def _watch(self) -> None:
        begin, end = max(0, self._from - NEAR), min(self._to, self._from + MOST_ROWS) + NEAR
        self._live.watch(self, list(self._branches)[begin:end])

    def frame(self) -> Frame | None:
        """Return what changed in view, and what is wrong with the filter; "" once it is not any more."""
        found = super().frame()
        if found is not None and "ids" in found:
            self._watch()
        if self._problem == self._problem_sent:
            return {**found, "problem": self._problem} if found is not None and self._problem else found
        self._problem_sent = self._problem
        return {"t": "rows", "total": len(self._branches), "from": 0, **(found or {}), "problem": self._problem}


COLUMNS = frames.columns(MISSIONS)


def _arranged(
    wish: Arrangement, rows: Sequence[Row], asked_about: Collection[str], kept: Collection[str] | None
) -> Arranged:
    return wish.of(rows, time.time(), asked_about=asked_about, kept=kept)


def wanted(args: Args) -> Arrangement:
    """Read what a page asks for; without what only rows can tell. Pure; what is of the wrong kind is ignored."""
    order = Order.read(text(args, "order"))
    inverted = order.inverted or args.get("reversed") is True
    return Arrangement(
        Order(order.by, inverted), attention=args.get("attention") is True, flat=args.get("flat") is True
    )
