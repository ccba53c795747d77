"""`overmind top`: what the missions use, the whole process tree of each."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.output import ABSENT, STATUS_COLOURS, coloured, dumps, money, size, table, tokens
from overmind_core.cli.table import JSON, Command, flag
from overmind_core.cli.watch import redraw

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence
    from typing import Any

TITLES = ("ID", "NAME", "STATUS", "CPU%", "MEM", "OUTPUT/S", "PROCESSES", "COST", "TOKENS")


def top(args: Namespace, context: Context) -> int:
    """Show it once, or until ctrl-c."""
    client = context.client()

    def draw() -> str:
        rows = client.call("top")
        return dumps(rows) if args.json else _shown(rows, context)

    if not args.once:
        redraw(draw)
    context.say(draw())
    return 0


def _shown(rows: Sequence[Mapping[str, Any]], context: Context) -> str:
    return table(TITLES, list(map(_cells, rows)), colours=STATUS_COLOURS if coloured(context.environ) else None)


def _cells(row: Mapping[str, Any]) -> list[str]:
    cpu = row["cpu_percent"]
    return [
        row["id"],
        row["name"],
        row["status"],
        ABSENT if cpu is None else f"{cpu:.1f}",
        size(row["memory_bytes"]),
        size(row["output_bytes_per_second"]),
        str(row["processes"]),
        money(row.get("cost_usd")),
        _spent(row.get("tokens")),
    ]


def _spent(counted: Mapping[str, int] | None) -> str:
    """Return tokens in and out."""
    return ABSENT if counted is None else f"{tokens(counted['input'])} / {tokens(counted['output'])}"


COMMAND = Command(
    name="top",
    summary="show CPU, memory, output rate and cost of each live mission",
    options=[flag("--once", "once, instead of each second until ctrl-c"), JSON],
    examples=["overmind top", "overmind top --once --json"],
    run=top,
)
