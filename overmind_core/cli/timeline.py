"""`overmind timeline`: what happened to a quest, a spec or a mission, a line for each thing."""

from __future__ import annotations

from overmind_core.cli.command import JSON, Command, argument, option
from overmind_core.cli.context import Context
from overmind_core.cli.output import ABSENT, dumps, or_absent, table
from overmind_core.cli.values import positive_number

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence
    from typing import Any

    Row = Mapping[str, Any]

TITLES = ("TIME", "ATTEMPT", "WHAT", "BY", "TEXT")
_ABOVE = frozenset({"also", "earlier"})
"""What rows are called that say something about the others."""


def timeline(args: Namespace, context: Context) -> int:
    """Print them, oldest first."""
    given = {} if args.limit is None else {"limit": args.limit}
    rows = context.client().call("timeline", {"id": args.id, **given})
    if args.json:
        context.print(dumps(rows))
        return 0
    for row in rows:
        if row["what"] in _ABOVE:
            context.print(row["text"])
    entries = [row for row in rows if row["what"] not in _ABOVE]
    if entries:
        context.print(timeline_table(entries))
    return 0


def timeline_table(rows: Sequence[Row]) -> str:
    """Return the table; an attempt is named on its first line, of each quest of a spec."""
    cells: list[list[str]] = []
    named: dict[str | None, int | None] = {}
    for row in rows:
        subject, number = row.get("mission"), row["attempt"]  # an older hive tells no mission
        begins = "" if number is None or number == named.get(subject) else str(number)
        named[subject] = number
        cells.append([_time(row["at"]), begins, row["what"], or_absent(row["by"]), row["text"]])
    return table(TITLES, cells)


def _time(at: str | None) -> str:
    """Return a time as the clock on this machine's wall shows it."""
    if at is None:
        return ABSENT
    from datetime import datetime  # start-up: --help needs none

    return f"{datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M:%S}"


COMMANDS = (
    Command(
        name="timeline",
        arguments=[argument("id", "the name or id of a quest, a spec or a mission", metavar="name")],
        options=[option("--limit", "N", "only the newest N (1000)", parse=positive_number), JSON],
        examples=["overmind timeline login", "overmind timeline login/TSK-001 --json"],
        notes=(
            "ATTEMPT is the attempt of a quest, or the run of a mission, on its first line. BY is person, engine, or "
            "the id of the mission that asked for it. The timeline of a spec has its quests in it. Old events are "
            "removed: the first line says so where the beginning is no longer kept. If a quest and a spec have one "
            "name, the quest is shown while it has not ended, else the spec; the first line says how to get the other."
        ),
        run=timeline,
    ),
)
