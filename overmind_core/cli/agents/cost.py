"""`overmind cost`: what agents cost."""

from __future__ import annotations

import time

from overmind_core.cli.command import JSON, Command, option
from overmind_core.cli.context import Context
from overmind_core.cli.output import cost as money_of
from overmind_core.cli.output import dumps, or_absent, table
from overmind_core.domain.text.moment import format_time, parse_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence
    from typing import Any

    Row = Mapping[str, Any]

NOTHING = "No agent has cost anything yet. Start one with: overmind claude run PROMPT"
"""The hint where there is no row."""
BY = {"mission": ("ID", "NAME"), "day": ("DAY",), "label": ("LABEL",)}
"""What is summed up → the first columns."""


def cost(args: Namespace, context: Context) -> int:
    """Print the sums, and below them what they come to."""
    by = args.by or "mission"
    request = {"by": by} | ({} if args.since is None else {"since": args.since})
    rows = context.client().call("cost", request)
    if not rows and not args.json:
        context.hint(NOTHING)
    context.print(dumps(rows) if args.json else cost_table(rows, by))
    return 0


def cost_table(rows: Sequence[Row], by: str, *, hives: bool = False) -> str:
    """Return the table; `hives`: with that of each row. A mission may have several labels, so those have no total."""
    first = [*(["HIVE"] if hives else []), *BY[by]]
    lines = [[*([row["hive"]] if hives else []), *_keys(row, by), *_sums(row)] for row in rows]
    if by != "label" and len(rows) > 1:
        from overmind_core.view import tables  # start-up: where there is a total

        total = tables.total(rows)
        lines.append(["total", *[""] * (len(first) - 1), *_sums(total)])
    return table([*first, "COST", "IN", "OUT", "TURNS"], lines)


def _keys(row: Row, by: str) -> list[str]:
    return [row["key"], or_absent(row.get("name"))] if by == "mission" else [or_absent(row["key"])]


def _sums(row: Row) -> list[str]:
    turns = row["turns"] if row["turns"] or not row["output_tokens"] else None  # few programs tell their number
    return [money_of(row), str(row["input_tokens"]), str(row["output_tokens"]), or_absent(turns)]


def _since(word: str) -> str:
    """Return the time that a word means, as the API has it."""
    return format_time(parse_time(word, time.time()))


COST = Command(
    name="cost",
    options=[
        option("--by", "WHAT", "mission (default), day or label", choices=tuple(BY)),
        option("--since", "TIME", "count costs from this time on: a time, or an age such as 7d", parse=_since),
        JSON,
    ],
    examples=["overmind cost", "overmind cost --by day --since 7d", "overmind cost --by label --json"],
    notes=(
        "Costs are in US dollars, as reported by the agents' programs or computed from list prices; tokens are counted "
        "beside them. `~` marks an estimate at the prices in config.toml, `-` an unknown price, and `+ ?` a sum with "
        "an unknown part. The costs of removed missions stay in the sums."
    ),
    run=cost,
)

COMMANDS = (COST,)
