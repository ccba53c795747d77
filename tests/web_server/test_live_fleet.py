"""The head of the browser's pages beside the missions themselves: the money spent today."""

from __future__ import annotations

import asyncio
from typing import Any

from overmind_web.live.fleet import LiveFleet

COST = [{"key": "a", "cost_usd": 0.5}, {"key": "b", "cost_usd": None}, {"key": "c", "cost_usd": 0.25}]


class Spent:
    """Stands in for a supervisor that knows of costs alone."""

    async def call(self, request: str, _arguments: Any = None) -> Any:
        return COST if request == "cost" else []


def test_what_was_spent_today_is_the_sum_of_what_has_a_price():
    async def story() -> float:
        fleet, spent = LiveFleet(Spent()), asyncio.Event()  # type: ignore[arg-type]  # of which it uses this much
        fleet.subscribe(lambda _change: spent.set() if fleet.fleet.today else None)
        await fleet.reload([])
        await asyncio.wait_for(spent.wait(), 5)
        await fleet.close()
        return fleet.fleet.today

    assert asyncio.run(story()) == 0.75
