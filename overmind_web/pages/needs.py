"""What needs the person: every question whole, who is blocked for good, and whose answer nobody has read."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from overmind_core.errors import OvermindError
from overmind_core.view import cards, inbox, registry
from overmind_core.view.cells import Row
from overmind_core.view.grouping import needs_in_order
from overmind_core.view.inbox import Need
from overmind_web.live.feed import Change
from overmind_web.live.fleet import FleetChange
from overmind_web.live.messages import Open
from overmind_web.live.pane import ContentPane, PaneContext

ANSWERED = "answered"
MOST_ANSWERED = 50
"""Questions of which it is said who answered them."""
MOST_ASKED = 8
"""Whole answers that are asked for at once."""
Turn = tuple[str, str]
"""A mission, and since when its turn is over."""


class NeedsPane(ContentPane):
    """Cards, in the order of the list's first group; and by whom questions were answered while the page was open."""

    def __init__(self, context: PaneContext, opened: Open) -> None:
        super().__init__(context, opened)
        self._live = context.feed.fleet
        self._events: deque[Row] = deque(maxlen=MOST_ANSWERED)
        self._replies: dict[Turn, str] = {}
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
        """Whether somebody answered; keeps who."""
        self._events += [dict(event) for event in change.events if event["type"] == ANSWERED]
        return ANSWERED in change.types

    def _on_fleet(self, change: FleetChange) -> None:
        if change.rows is None or change.rows or change.questions:
            self._stale.set()

    async def load(self) -> object:
        """Return the cards."""
        fleet = self._live.fleet
        found = needs_in_order(fleet.rows.values(), fleet.questions, time.time())
        await self._read([need for need in found if need.group == inbox.TURN])
        numbers = [int(event["question"]) for event in self._events if event.get("question") is not None]
        return {
            "needs": [cards.card(need, self._replies.get(_turn(need), "")) for need in found],
            "answered": cards.answered(numbers, list(self._events)),
            "empty": registry.VIEWS["inbox"].empty.split("\n"),
        }

    async def _read(self, turns: list[Need]) -> None:
        """Have the whole answers of those whose turn is over; each is asked for once."""
        wanted = [need for need in turns if _turn(need) not in self._replies]
        self._replies = {turn: self._replies[turn] for turn in map(_turn, turns) if turn in self._replies}
        for begin in range(0, len(wanted), MOST_ASKED):
            some = wanted[begin : begin + MOST_ASKED]
            answers: list[Any] = await asyncio.gather(*map(self._reply, some))
            self._replies |= {_turn(need): answer for need, answer in zip(some, answers, strict=True)}

    async def _reply(self, need: Need) -> str:
        try:
            answer = await self.context.call("result", {"id": need.row["id"]})
        except OvermindError as error:
            if error.code in {"daemon_lost", "daemon_not_running"}:
                raise
            return ""
        text = answer.get("result") if isinstance(answer, dict) else None
        return text if isinstance(text, str) else ""


def _turn(need: Need) -> Turn:
    return need.row["id"], str(need.row.get("activity_since"))
