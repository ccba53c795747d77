"""Tables beside that of the missions, as data: their columns, the rows of an answer, and their orders."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any

from overmind_core.domain.text.moment import format_time
from overmind_core.view import columns, numbers
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.columns import ORDERS, By, Column

Shape = Callable[[Any], list[Row]]
"""An answer → rows with `id` and `name`."""
Orders = Mapping[str, By]
"""Key of a column → what is compared."""
NO_ORDERS: Orders = {}
SUMS = ("input_tokens", "output_tokens", "turns")


def _number(key: str, show: Callable[[float | None], str], tone: str = "quiet") -> Callable[[Row, float], Cell]:
    return lambda row, _now: Cell(show(row.get(key)), tone)


def count(value: float | None) -> str:
    """A whole number as people read it: `7`, `34K`; "" for None."""
    return numbers.size(value)


def _tokens(row: Row, _now: float) -> Cell:
    spent = row.get("tokens")
    return Cell("" if spent is None else f"{count(spent['input'])}/{count(spent['output'])}", "quiet")


def _most(key: str) -> By:
    return By(lambda row, _now: row.get(key) or 0)


def _least(key: str) -> By:
    return By(lambda row, _now: str(row.get(key) or "").casefold(), rises=True)


# what missions use

_OF_MISSIONS = {column.key: column for column in columns.MISSIONS}
TOP: tuple[Column, ...] = (
    _OF_MISSIONS["name"],
    _OF_MISSIONS["state"],
    Column("cpu", "CPU", 5, 6, 2, _number("cpu_percent", numbers.percent, ""), right=True),
    Column("memory", "MEM", 5, 6, 3, _number("memory_bytes", numbers.size, ""), right=True),
    Column("output", "OUT/S", 5, 6, 5, _number("output_bytes_per_second", numbers.size), right=True),
    Column("processes", "PROC", 4, 5, 7, _number("processes", count), right=True),
    Column("cost", "COST", 6, 7, 6, lambda row, _now: Cell(numbers.cost_of(row), "quiet"), right=True, spare=True),
    Column("tokens", "TOKENS", 8, 12, 8, _tokens, right=True, spare=True),
    Column("command", "COMMAND", 8, 0, 4, lambda row, _now: Cell(safe(row["command"]), "quiet")),
)
TOP_ORDERS: Orders = {**ORDERS, "processes": _most("processes")}


def top(answer: Sequence[Row]) -> list[Row]:
    """What is used now, as it comes."""
    return list(answer)


# what agents cost

COST: tuple[Column, ...] = (
    Column("mission", "WHAT", 14, 44, 0, lambda row, _now: Cell(safe(row["name"]), "name")),
    Column("cost", "COST", 8, 9, 1, lambda row, _now: Cell(numbers.cost_of(row), ""), right=True),
    Column("input", "IN", 6, 7, 3, _number("input_tokens", count), right=True),
    Column("output", "OUT", 6, 7, 4, _number("output_tokens", count), right=True),
    Column("turns", "TURNS", 5, 6, 2, _number("turns", count), right=True),
    Column("key", "ID", 0, 0, 0, lambda row, _now: Cell(safe(row["key"] if row["named"] else ""), "quiet")),
)
COST_ORDERS: Orders = {
    "cost": _most("cost_usd"),
    "input": _most("input_tokens"),
    "output": _most("output_tokens"),
    "turns": _most("turns"),
    "mission": _least("name"),
    "name": _least("name"),
    "key": _least("key"),
}


def cost(answer: Sequence[Row]) -> list[Row]:
    """The sums, each with a name to show."""
    rows = []
    for place, one in enumerate(answer):
        named = one.get("name")
        name = named or ("without a label" if one["key"] is None else one["key"])
        rows.append({**one, "id": str(one["key"] or place), "name": name, "named": bool(named)})
    return rows


def total(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What all of them come to."""
    every = list(rows)
    found = numbers.Cost.sum_of(map(numbers.Cost.of, every))
    source = None if found.usd is None else "estimated" if found.is_estimated else "reported"
    sums = {name: sum(row.get(name) or 0 for row in every) for name in SUMS}
    return sums | {
        "cost_usd": found.usd,
        "cost_source": source,
        "cost_partial": found.is_partial and source is not None,
    }


# what happened

_TONES = {"crashed": "bad", "spawn_failed": "bad", "set_up_failed": "bad", "restart": "slow", "restarting": "slow"}
_KNOWN = frozenset(
    {"seq", "flash", "at", "type", "mission", "name", "run", "out", "err", "text", "id", "clock", "about", "output"}
)


def event_text(event: Row) -> str:
    """What an event says besides its kind and its mission."""
    more = "  ".join(
        f"{key}={_value(value)}"
        for key, value in event.items()
        if key not in _KNOWN and value not in (None, "", {}, [])
    )
    return "  ".join(filter(None, (safe(event.get("text")), more)))


def _value(value: object) -> str:
    return safe(json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value)


EVENTS: tuple[Column, ...] = (
    Column("at", "AT", 8, 8, 1, lambda row, _now: Cell(row["clock"][11:], "faint")),
    Column("day", "DAY", 10, 10, 6, lambda row, _now: Cell(row["day"], "faint"), wide=True, spare=True),
    Column("seq", "SEQ", 6, 8, 7, lambda row, _now: _seq(row), right=True, wide=True),
    Column("type", "WHAT", 12, 18, 0, lambda row, _now: Cell(safe(row["type"]), _TONES.get(row["type"], ""))),
    Column("mission", "MISSION", 10, 30, 2, lambda row, _now: Cell(safe(row["name"]), "name")),
    Column("run", "RUN", 3, 4, 8, lambda row, _now: Cell(safe(row.get("run")), "quiet"), right=True, wide=True),
    Column("said", "MORE", 12, 0, 3, lambda row, _now: Cell(event_text(row), "quiet")),
)
_IN_TIME = By(lambda row, _now: (row["at"], row["seq"]), rises=True)
EVENT_ORDERS: Orders = {
    "at": _IN_TIME,
    "age": _IN_TIME,
    "seq": _IN_TIME,
    "type": _least("type"),
    "state": _least("type"),
    "mission": _least("name"),
    "name": _least("name"),
}


def _seq(row: Row) -> Cell:
    """Its number in the log; what this program said has none there."""
    return Cell("" if row.get("flash") else str(row["seq"]), "quiet")


def events(answer: Iterable[Row], zone: tzinfo | None = None, *, now: float | None = None) -> list[Row]:
    """Events as rows, with the clock of `zone` (None: the machine's); one that is of no mission has an empty name.

    `now`, in seconds since the epoch: of that day's events the day is not said.
    """
    today = "" if now is None else _clock(format_time(now), zone)[:10]
    found = []
    for one in answer:
        clock = _clock(one["at"], zone)
        day = "" if clock.startswith(today) and today else clock[:10]
        found.append(_event(one) | {"clock": clock, "day": day})
    return found


def _event(event: Row) -> Row:
    return {**event, "id": str(event.get("flash") or event["seq"]), "name": event.get("name") or ""}


def flash(number: int, at: str, text: str, *, after: int) -> Row:
    """What the program itself has said, as an event; `after`: the newest event's number."""
    return {"seq": after, "flash": f"flash-{number}", "at": at, "type": "flash", "text": text}


@lru_cache(maxsize=4096)
def _clock(at: str, zone: tzinfo | None) -> str:
    """The API's time as a date and a time of day."""
    return datetime.fromtimestamp(numbers.moment(at) or 0.0, zone).isoformat(" ", "seconds")[:19]


# any of them


def looked_in(row: Row) -> str:
    """What a plain word of a filter is looked for in: every text and number of a row."""
    texts = [str(value) for value in row.values() if value not in (None, "", [], {})]
    if "status" in row:
        texts += missions_rows.state_words(row)
    return "\n".join(texts)


def text(shown: Sequence[Column], rows: Iterable[Row], now: float) -> str:
    """The table as plain text, as wide as its contents."""
    cells = [[column.title for column in shown]] + [[column.cell(row, now).text for column in shown] for row in rows]
    widths = [max(len(line[place]) for line in cells) for place in range(len(shown))]
    lines = ("  ".join(one.ljust(count) for one, count in zip(line, widths, strict=True)).rstrip() for line in cells)
    return "\n".join(lines) + "\n"
