"""`overmind health`: signs of life of missions that run, whether agents lose their way, and how it goes altogether."""

from __future__ import annotations

from overmind_core.cli.command import JSON, Command, flag, ids
from overmind_core.cli.context import Context
from overmind_core.cli.output import ABSENT, coloured, dumps, or_absent, table, text_cell
from overmind_core.domain.text.decimals import decimal
from overmind_core.domain.text.duration import format_uptime
from overmind_core.domain.watching.shared_files import overlaps
from overmind_core.errors import UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping
    from typing import Any

    Row = Mapping[str, Any]

_REVIEW = "review"
COLOURS = {"ok": "32", "quiet": "33", "stalled": "33", "hung": "31"}
"""Level → SGR number, see ECMA-48."""


def share(value: float | None) -> str:
    """Return a number between 0 and 1 as `0.65`."""
    return ABSENT if value is None else decimal(value, 2)


def why_cell(row: Row) -> str:
    """Return the terms that hold, each with what shows it, and who changes the same files."""
    held = [f"{one['term']}: {one['evidence']}" for one in row["terms"] if one["holds"]]
    return or_absent("; ".join([*held, *overlaps(row)]))


COLUMNS: dict[str, Callable[[Row], str]] = {
    "NAME": lambda row: row["name"],
    "HEALTH": lambda row: or_absent(row["level"]),
    "SILENT": lambda row: ABSENT if row["silent_seconds"] is None else format_uptime(row["silent_seconds"]),
    "CPU": lambda row: ABSENT if row["cpu_percent"] is None else f"{row['cpu_percent']:.1f}",
    "ALIGN": lambda row: share(row["alignment"]),
    "WHY": lambda row: text_cell(why_cell(row)),
}
"""Title → cell of a row of `health --json`."""


def health(args: Namespace, context: Context) -> int:
    """Print a row for each, and how it goes altogether."""
    if args.review and not args.ids:
        raise UsageError("--review needs the missions that are to be reviewed")
    found = context.client().call("health", {"ids": args.ids, **({"review": True} if args.review else {})})
    rows = found["missions"]
    for row in rows if args.review else ():
        if not any(term["term"] == _REVIEW for term in row["terms"]):
            context.note(f"The review of {row['name']} can't be used. See: overmind logs {row['name']}/guardian")
    if args.json:
        context.print(dumps(rows))
        return 0
    if not rows:
        context.hint("No agents or tasks are running. Start one with: overmind run 'make test'")
    else:
        colours = COLOURS if coloured(context.environ) else None
        cells = [[cell(row) for cell in COLUMNS.values()] for row in rows]
        context.print(table(list(COLUMNS), cells, colours=colours))
    if args.ids:  # the line below counts all that run
        return 0
    from overmind_core.view.health import summary  # start-up: --help and --json need none

    if last := summary(found["coherence"]):
        context.print(last)
    return 0


COMMANDS = (
    Command(
        name="health",
        arguments=[ids(nargs="*")],
        options=[flag("--review", "have a provider review them first, see [guardian] in config.toml"), JSON],
        examples=["overmind health", "overmind health login --json", "overmind health login --review"],
        notes=(
            "A sign of life is output, a report of the agent, or CPU time. Without one a mission becomes quiet, "
            "stalled, then hung; config.toml sets after how long. ALIGN is 1.00 for an agent that does its task, less "
            "for each pattern in WHY; the number of a review counts for five minutes. WHY also names the agents that "
            "change the same files, and the files. The last line counts all that run; a session without an agent, such "
            "as a shell, is not watched."
        ),
        run=health,
    ),
)
