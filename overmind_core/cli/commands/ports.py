"""`overmind ports`: which mission has which port."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.output import STATUS_COLOURS, coloured, dumps, or_absent, table
from overmind_core.cli.table import JSON, Command, flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping
    from typing import Any

    Row = Mapping[str, Any]

COLUMNS: dict[str, Callable[[Row], str]] = {
    "PORT": lambda row: str(row["port"]),
    "MISSION": lambda row: row["mission"],
    "NAME": lambda row: or_absent(row["name"]),
    "STATUS": lambda row: or_absent(row["status"]),
    "SERVICE": lambda row: or_absent(row["service"]),
    "HELD": lambda row: "yes" if row["held"] else "no",
}
"""Title → cell of a row of `ports --json`."""


def ports(args: Namespace, context: Context) -> int:
    """Print a line per port."""
    rows = [row for row in context.client().call("ports")["ports"] if row["held"] or args.all]
    if args.json:
        context.say(dumps(rows))
        return 0
    if not rows:
        context.hint("No mission holds a port. Start one that gets some: overmind run --isolate 'make test'")
    colours = STATUS_COLOURS if coloured(context.environ) else None
    context.say(table(list(COLUMNS), [[cell(row) for cell in COLUMNS.values()] for row in rows], colours=colours))
    return 0


COMMAND = Command(
    name="ports",
    summary="list the ports of isolated missions",
    options=[flag("--all", "also those that ended missions would like to have again", short="-a"), JSON],
    examples=["overmind ports", "overmind ports --json | jq '.[] | select(.service == \"web\") | .port'"],
    notes=(
        "A port is held while its mission is live: no other mission gets it. Restarted later, the mission gets the\n"
        "same one if that is free. SERVICE - is the mission's own, which it sees as PORT."
    ),
    run=ports,
)
