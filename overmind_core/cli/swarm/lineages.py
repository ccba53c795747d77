"""Commands about lineages: lineage list and lineage info."""

from __future__ import annotations

from overmind_core.cli.command import JSON, Command, argument
from overmind_core.cli.output import dumps, or_absent, table
from overmind_core.cli.swarm.commands import swarm_client

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

    from overmind_core.cli.context import Context

TITLES = ("NAME", "GENERATION", "STATE", "HIVE", "WAITING")


def list_lineages(args: Namespace, context: Context) -> int:
    """Print a line for each."""
    rows = swarm_client(context).call("swarm_lineages")
    if args.json:
        context.print(dumps(rows))
    elif rows:
        context.print(table(TITLES, [_cells(row) for row in rows]))
    else:
        context.hint("The swarm has no lineages. Begin one with: overmind run --lineage NAME --provider claude PROMPT")
    return 0


def _cells(row: Mapping[str, Any]) -> list[str]:
    waiting = ",".join(row["waiting"])
    return [row["name"], str(row["generation"]), row["state"], or_absent(row["hive"] or ""), or_absent(waiting)]


def info(args: Namespace, context: Context) -> int:
    """Print one JSON object."""
    context.print_facts(swarm_client(context).call("swarm_lineage", {"name": args.name}), args)
    return 0


COMMANDS = (
    Command(name="lineage list", options=[JSON], examples=["overmind lineage list"], run=list_lineages),
    Command(
        name="lineage info",
        arguments=[argument("name", "name of the lineage", metavar="NAME")],
        options=[JSON],
        examples=["overmind lineage info ada"],
        run=info,
    ),
)
