"""`cost`: what agents have cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from overmind_core.agents.requests import Cost
from overmind_core.domain.agents.spending import source_of
from overmind_core.domain.text.moment import format_time, parse_time
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from overmind_core.agents.answer_types import CostSum
    from overmind_core.agents.store import CostRow, CostTable
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.request import Caller
    from overmind_core.system.machine import Clock

NO_LABEL = ""


class CostApi:
    """The request for costs."""

    def __init__(self, journal: Journal, table: CostTable, clock: Clock) -> None:
        self._journal = journal
        self._table = table
        self._clock = clock

    @handles(Cost)
    async def cost(self, request: Cost, caller: Caller) -> list[CostSum]:
        """The cost of turns, summed by mission, day (UTC) or label, in the order of their first turn."""
        del caller
        self._journal.flush()
        try:
            since = 0.0 if request.since is None else parse_time(request.since, self._clock.wall())
        except ValueError as error:
            raise OvermindError("invalid", f"since: {error}") from None
        sums: dict[str, CostSum] = {}
        for row in self._table.since(since):
            for key in _keys(row, request.by):
                entry = sums.setdefault(key, _nothing(key, row.name if request.by == "mission" else None))
                if row.priced:
                    entry["cost_usd"] = (entry["cost_usd"] or 0.0) + row.usd
                    is_estimated = row.estimated or entry["cost_source"] == "estimated"
                    entry["cost_source"] = source_of(row.usd, is_estimated=bool(is_estimated))
                else:
                    entry["cost_partial"] = True
                entry["input_tokens"] += row.input
                entry["output_tokens"] += row.output
                entry["turns"] += row.turns
        return [_shown(entry) for entry in sums.values()]


def _nothing(key: str, name: str | None) -> CostSum:
    found: CostSum = {
        "key": key,
        "cost_usd": None,
        "cost_source": None,
        "cost_partial": False,
        "input_tokens": 0,
        "output_tokens": 0,
        "turns": 0,
    }
    return found if name is None else {**found, "name": name}


def _shown(entry: CostSum) -> CostSum:
    usd = entry["cost_usd"]
    is_known = usd is not None
    usd = None if usd is None else round(usd, 6)
    return {**entry, "cost_usd": usd, "cost_partial": entry["cost_partial"] and is_known}


def _keys(row: CostRow, by: str) -> Iterator[str]:
    match by:
        case "mission":
            yield row.mission
        case "day":
            yield format_time(row.at)[:10]
        case _:
            labels = json.loads(row.labels)
            yield from [f"{name}={value}" for name, value in labels.items()] or [NO_LABEL]
