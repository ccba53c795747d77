"""One plan: its agents with what each waits for, when each ran, and which of them decide how long it takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from overmind_core.domain.missions.status_marks import QUEUED
from overmind_core.domain.text import graph
from overmind_core.errors import OvermindError
from overmind_core.view import missions as missions_rows
from overmind_core.view import numbers, tones
from overmind_core.view import plans as plans_rows
from overmind_core.view.cells import Row, safe
from overmind_core.view.registry import VIEWS
from overmind_web.live.feed import Change
from overmind_web.live.messages import Open
from overmind_web.live.pane import ContentPane, PaneContext
from overmind_web.pages.arguments import text

MOST_DRAWN: Final = 300
"""Agents of a plan that is drawn as a graph; a larger one is a list with depths."""
TICK: Final = 5.0
"""Seconds after which the critical path of a live plan is computed again."""


class PlanPane(ContentPane):
    """A plan. Args of the page: `id`, the id or name of its mission."""

    def __init__(self, context: PaneContext, opened: Open) -> None:
        super().__init__(context, opened)
        self._missions: frozenset[str] = frozenset()
        self._live = False
        self._ticking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Show it, and again after each change."""
        await self.context.feed.ready.wait()
        await super().start()
        self._ticking = asyncio.get_running_loop().create_task(self._tick())

    async def close(self) -> None:
        """Nobody looks any more."""
        if self._ticking is not None:
            self._ticking.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticking
        await super().close()

    def concerns(self, change: Change) -> bool:
        """Whether it may stand otherwise."""
        return change.everything or bool(plans_rows.CHANGES & change.types) or bool(self._missions & change.missions)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            if self._live:
                self._stale.set()

    async def load(self) -> object:
        """Ask for it."""
        named = text(self.args, "id")
        if not named:
            raise OvermindError("invalid", "Name a plan.")
        plan: Row = await self.context.call("plan", {"id": named})
        self._live = missions_rows.is_live(plan)
        self._missions = frozenset(one["mission"] for one in plan["agents"] if one["mission"])
        return content(plan, self.context.feed.fleet.fleet.rows, time.time())


def content(plan: Row, fleet: Mapping[str, Row], now: float) -> dict[str, object]:
    """A plan as a page draws it. Pure.

    Args:
        plan: The answer of `plan`.
        fleet: Missions by their ids.
        now: Seconds since the epoch; the answer has moments instead of spans, so that it changes with the plan alone.
    """
    rows = plans_rows.agents(plan, now)
    plans_rows.learn(rows, fleet)
    mark = missions_rows.mark(plan)
    known = fleet.get(plan["id"])
    newest = None if known is None else missions_rows.newest_of_name(known, fleet.values())
    return {
        "id": plan["id"],
        "older": "" if known is None or newest is None else missions_rows.older_words(known, newest, None),
        "newest": plan["id"] if newest is None else newest["id"],
        "name": safe(plan["name"]),
        "mark": mark.word,
        "tone": tones.named(mark.tone),
        "live": missions_rows.is_live(plan),
        "began": min((row["began"] for row in rows if row["began"] is not None), default=None),
        "until": rows[0]["plan_until"] if rows else None,
        "run": plan["run"],
        "file": safe(plan["file"]),
        "path": plan["file"] if safe(plan["file"]) == plan["file"] else "",
        "counts": [[word, count] for word, count in plans_rows.counted(rows)],
        "broken": any(row["stage"] in {"failed", "cancelled"} for row in rows),
        "drawn": len(rows) <= MOST_DRAWN,
        "agents": agents(rows, fleet),
        "empty": VIEWS["plan"].empty.split("\n"),
    }


def agents(rows: Sequence[Row], fleet: Mapping[str, Row]) -> list[dict[str, Any]]:
    """Agents, dependencies first. Pure.

    `depth`: how many stand before it on the longest way; `due`: the moment behind `why` to which that counts down.
    """
    edges = {row["name"]: row["needs"] for row in rows}
    depth = {name: at for at, level in enumerate(graph.levels(edges)) for name in level}
    return [_agent(row, depth[row["name"]], there=row["mission"] in fleet) for row in rows]


def _agent(row: Row, depth: int, *, there: bool) -> dict[str, Any]:
    mark = missions_rows.mark(row)
    state = plans_rows.state(row)
    waits = plans_rows.next_try(row)
    return {
        "id": row["name"],
        "name": safe(row["name"]),
        "mark": QUEUED.word if row["stage"] == "waiting" else mark.word,
        "tone": "slow" if state == "not ready" else tones.named(missions_rows.tone(row)),
        "state": state,
        "why": plans_rows.why(row) if waits is None else waits.lead,
        "due": None if waits is None else waits.at,
        "mission": row["mission"] if there else None,
        "over": row["until"] is not None,
        "needs": row["needs"],
        "depth": depth,
        "critical": bool(row["critical"]),
        "began": numbers.moment(row["started_at"]),
        "until": row["until"],
    }
