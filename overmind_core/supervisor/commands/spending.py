"""`cost` and `seen`: what agents have cost, and what somebody has looked at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from overmind_core.domain.moment import format_time, parse_time
from overmind_core.errors import OvermindError
from overmind_core.supervisor import records
from overmind_core.supervisor.lookup import find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from overmind_core.store.costs import Cost as Row
    from overmind_core.supervisor.callers import Caller
    from overmind_core.supervisor.core import Supervisor
    from overmind_core.supervisor.requests import Cost, One

NO_LABEL = ""


async def cost(core: Supervisor, request: Cost, caller: Caller) -> list[dict[str, Any]]:
    """What turns have cost, summed by mission, day (UTC) or label, in the order of their first turn."""
    del caller
    core.ledger.flush()
    try:
        since = 0.0 if request.since is None else parse_time(request.since, core.clock.wall())
    except ValueError as error:
        raise OvermindError("invalid", f"since: {error}") from None
    sums: dict[str, dict[str, Any]] = {}
    for row in core.state.costs.since(since):
        for key in _keys(row, request.by):
            name = {"name": row.name} if request.by == "mission" else {}
            entry = sums.setdefault(key, {"key": key, **name, **_NOTHING})
            entry["cost_usd"] += row.usd
            entry["input_tokens"] += row.input
            entry["output_tokens"] += row.output
            entry["turns"] += row.turns
    return [{**entry, "cost_usd": round(entry["cost_usd"], 6)} for entry in sums.values()]


async def seen(core: Supervisor, request: One, caller: Caller) -> dict[str, Any]:
    """Note that somebody has looked at what the mission did so far."""
    del caller
    mission = find(core.book, request.id)
    core.ledger.flush()
    newest = core.state.events.newest()
    now = core.clock.wall()
    core.news.saw(mission.id, newest, now)
    core.ledger.save(lambda: core.state.seen.save(mission.id, newest, now))
    await core.ledger.saved()
    core.feed.changed(mission)
    return records.brief(mission)


_NOTHING = {"cost_usd": 0.0, "input_tokens": 0, "output_tokens": 0, "turns": 0}


def _keys(row: Row, by: str) -> Iterator[str]:
    match by:
        case "mission":
            yield row.mission
        case "day":
            yield format_time(row.at)[:10]
        case _:
            labels = json.loads(row.labels)
            yield from [f"{name}={value}" for name, value in labels.items()] or [NO_LABEL]
