"""The missions that the browser's pages share, and the money spent today."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
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


def test_what_was_spent_today_is_asked_for_again_as_a_row_costs_more_within_a_turn():
    row = {"id": "a", "name": "a", "status": "running", "type": "session", "cost_usd": None}

    async def story() -> list[float]:
        fleet, spent = LiveFleet(Spent()), asyncio.Event()  # type: ignore[arg-type]  # of which it uses this much
        fleet.fleet.apply([row], (), everything=True)
        fleet.subscribe(lambda _change: spent.set() if fleet.fleet.today else None)
        found = []
        await fleet.apply([row], (), {"activity"})
        await asyncio.sleep(0)
        found.append(fleet.fleet.today)
        await fleet.apply([{**row, "cost_usd": 0.06}], (), {"activity"})
        await asyncio.wait_for(spent.wait(), 5)
        found.append(fleet.fleet.today)
        await fleet.close()
        return found

    assert asyncio.run(story()) == [0.0, 0.75]


class Waiting(Spent):
    """Stands in for one at which all that wait for a branch are asked about at once; another one joins each time."""

    def __init__(self) -> None:
        self.quests: list[str] = []

    async def call(self, request: str, arguments: Any = None) -> Any:
        if request != "inbox":
            return await super().call(request, arguments)
        self.quests.append(f"a{len(self.quests)}")
        return [{"id": "queue", "need": "merge", "about": {"kind": "queue"}, "quests": list(self.quests)}]


def test_whom_a_question_about_all_decides_about_is_read_again_as_a_quest_moves():
    async def story() -> list[list[str]]:
        fleet = LiveFleet(Waiting())  # type: ignore[arg-type]  # of which it uses this much
        await fleet.reload([])
        found = []
        for kind in ("started", "quest"):
            await fleet.apply([], (), {kind})
            found.append(fleet.fleet.questions[0]["quests"])
        await fleet.close()
        return found

    assert asyncio.run(story()) == [["a0"], ["a0", "a1"]]


class Measured(Spent):
    """Stands in for one that measures a mission twice, and the second time has counted what it changed."""

    up = True

    async def stream(self, request: str, arguments: Any) -> AsyncIterator[tuple[str, Any]]:
        assert (request, arguments["ids"]) == ("figures", ["a"])
        figures = {"id": "a", "cpu_percent": 3.0, "memory_bytes": 5, "output_bytes_per_second": 0.0, "now": "edits"}
        yield "ok", {"missions": [{**figures, "changed_lines": None}], "gone": []}
        yield "item", {"missions": [{**figures, "changed_lines": {"added": 12, "removed": 3}}], "gone": []}
        await asyncio.Event().wait()  # nothing more is counted


def test_of_rows_in_view_the_changed_lines_are_as_new_as_the_load():
    async def story() -> list[Any]:
        fleet, found = LiveFleet(Measured()), []  # type: ignore[arg-type]  # of which it uses this much
        counted = asyncio.Event()
        await fleet.reload([{"id": "a", "name": "a", "status": "running", "type": "task", "changed_lines": None}])

        def measured(change: Any) -> None:
            if change.figures:
                found.append(fleet.fleet.rows["a"]["changed_lines"])
                counted.set() if found[-1] else None

        fleet.subscribe(measured)
        fleet.watch("page", ["a"])
        fleet.start()
        await asyncio.wait_for(counted.wait(), 5)
        await fleet.close()
        return found[-1:]

    assert asyncio.run(story()) == [{"added": 12, "removed": 3}]


def test_a_killed_mission_stays_until_it_is_removed_as_one_that_was_stopped():
    live = {"id": "a", "name": "a", "status": "running", "type": "task"}
    killed = {**live, "id": "k", "status": "killed", "hidden": True, "ended_at": "2020-01-01T00:00:00Z"}

    async def story() -> list[set[str]]:
        fleet, found = LiveFleet(Spent()), []  # type: ignore[arg-type]  # of which it uses this much
        await fleet.reload([live, killed])
        found.append(set(fleet.fleet.rows))
        await fleet.apply([killed | {"id": "between two looks"}], (), {"killed"})
        found.append(set(fleet.fleet.rows))
        await fleet.apply([], {"k", "between two looks"}, {"removed"})
        found.append(set(fleet.fleet.rows))
        await fleet.close()
        return found

    assert asyncio.run(story()) == [{"a", "k"}, {"a", "k", "between two looks"}, {"a"}]
