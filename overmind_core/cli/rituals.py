"""How rituals look on the command line; shared by their commands."""

from __future__ import annotations

from overmind_core.cli.output import coloured, command_cell, dumps, or_absent, table
from overmind_core.cli.quests import COLOURS, seconds_cell
from overmind_core.cli.table import Parameter, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from overmind_core.cli.context import Context

    Row = Mapping[str, Any]

COLUMNS: dict[str, Callable[[Row], str]] = {
    "NAME": lambda row: row["name"],
    "STATUS": lambda row: row["status"],
    "SCHEDULE": lambda row: row["schedule"],
    "NEXT": lambda row: or_absent(row["next_local"]),
    "LAST": lambda row: or_absent(row["last_local"]),
    "RESULT": lambda row: or_absent(row["last_result"]),
    "COMMAND": lambda row: command_cell(row["command"]),
}
"""Title → cell of a row of `ritual list --json`."""


def why(row: Row) -> str:
    """Return why a run failed or never began, and how many times before it passed without a run."""
    missed = f"{row['missed']} missed before" if row["missed"] else ""
    return or_absent(", ".join(filter(None, (row["reason"], missed))))


HISTORY: dict[str, Callable[[Row], str]] = {
    "RUN": lambda row: str(row["number"]),
    "DUE": lambda row: row["due_local"],
    "BY": lambda row: row["trigger"].replace("_", "-"),
    "STATUS": lambda row: row["status"],
    "DURATION": lambda row: seconds_cell(row["duration_seconds"]),
    "EXIT": lambda row: or_absent(row["exit_code"]),
    "REASON": why,
    "ID": lambda row: or_absent(row["id"]),
}
"""Title → cell of a row of `ritual history --json`."""


def one_ritual() -> Parameter:
    """Return the ritual that a command is about, in `args.id`."""
    return argument("id", "its name, or its id", metavar="ritual")


def several() -> Parameter:
    """Return the rituals that a command is about, in `args.ids`."""
    return argument("ids", "its name, or its id", nargs="+", metavar="ritual")


def show(
    args: Namespace, context: Context, rows: Sequence[Row], columns: Mapping[str, Callable[[Row], str]], empty: str
) -> int:
    """Print rows as a table or as JSON; `empty` is what a person reads where there are none."""
    if not rows and not args.json:
        context.hint(empty)
    colours = COLOURS if coloured(context.environ) else None
    cells = [[cell(row) for cell in columns.values()] for row in rows]
    context.say(dumps(rows) if args.json else table(list(columns), cells, colours=colours))
    return 0


def upcoming(ritual: Row) -> str:
    """Return when it comes next, for a person."""
    times = ", ".join(one["local"] for one in ritual["upcoming"])
    return f"Next: {times}" if times else "Next: never"
