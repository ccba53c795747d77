"""Commands about what quests have taught: learn, learn accept, learn drop."""

from __future__ import annotations

from overmind_core.cli.command import JSON, Command, Parameter, argument, flag, option
from overmind_core.cli.context import Context
from overmind_core.cli.output import ABSENT, cost, dumps, or_absent, table, text_cell
from overmind_core.domain.text.decimals import decimal
from overmind_core.domain.text.duration import format_uptime

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Row = Mapping[str, Any]

GROUPS = ("type", "provider", "model", "spec")


def _decimal(value: float | None) -> str:
    return ABSENT if value is None else decimal(value, 2)


def _failures(row: Row) -> str:
    return or_absent(", ".join(f"{name} {count}" for name, count in row["failures"].items()))


COLUMNS: dict[str, Callable[[Row], str]] = {
    "N": lambda row: str(row["quests"]),
    "RATE": lambda row: _decimal(row["rate"]),
    "TRIES": lambda row: ABSENT if row["tries"] is None else f"{row['tries']:.1f}",
    "COST": cost,
    "TIME": lambda row: ABSENT if row["seconds"] is None else format_uptime(row["seconds"]),
    "FAILURES": lambda row: text_cell(_failures(row)),
}
"""Title → cell of a group that `learn --json` lists."""


NO_LESSONS = "No lesson waits here. See those of all repositories with: overmind notes --kind lesson --proposed --all"
NO_ATTEMPTS = "No quest of the queue has had an attempt yet. Add one with: overmind quest add 'Title' -- make test"


def learn(args: Namespace, context: Context) -> int:
    """Print how quests went, or the lessons that wait for a person."""
    if args.lessons:
        from overmind_core.cli.memory.notes import print_notes  # start-up: --help needs none

        print_notes(
            args,
            context,
            {"kind": "lesson", "proposed": True},
            none=NO_LESSONS,
        )
        return 0
    by = args.by or "type"
    rows = context.client().call("learn", {"by": by})["groups"]
    if args.json:
        context.print(dumps(rows))
    elif not rows:
        context.hint(NO_ATTEMPTS)
    else:
        context.print(groups_table(rows, by))
    return 0


def groups_table(rows: Sequence[Row], by: str) -> str:
    """Return the table of how quests went."""
    cells = [[or_absent(row["key"]), *(cell(row) for cell in COLUMNS.values())] for row in rows]
    return table([by.upper(), *COLUMNS], cells)


def accept(args: Namespace, context: Context) -> int:
    """Have agents given what fits of these lessons: as `note accept`."""
    from overmind_core.cli.memory.notes import changer  # start-up: --help needs none

    return changer("accept")(args, context)


def drop(args: Namespace, context: Context) -> int:
    """Forget these lessons: as `forget`."""
    from overmind_core.cli.memory.notes import forget  # start-up: --help needs none

    args.purge = args.yes = False
    return forget(args, context)


def _lessons() -> Parameter:
    what = "a lesson: its id, or at least 4 characters of it behind N-"
    return argument("notes", what, nargs="+", metavar="lesson")


LEARN = Command(
    name="learn",
    options=[
        option("--by", "KIND", "type (default), provider, model or spec", choices=GROUPS),
        flag("--lessons", "list the lessons that wait for a person, as `notes --kind lesson --proposed` does"),
        JSON,
    ],
    examples=["overmind learn", "overmind learn --by provider", "overmind learn --lessons"],
    notes=(
        "N counts quests of the queue. RATE is the share that passed, TRIES their attempts on average, COST and TIME "
        "the median of a quest; fewer than three quests have no figures. The type of a quest is its label `type`, "
        "else its group."
    ),
    run=learn,
)
LEARN_ACCEPT = Command(
    name="learn accept",
    arguments=[_lessons()],
    options=[JSON],
    examples=["overmind learn accept N-7f3k"],
    notes="The same as overmind note accept.",
    run=accept,
)
LEARN_DROP = Command(
    name="learn drop",
    arguments=[_lessons()],
    options=[JSON],
    examples=["overmind learn drop N-7f3k"],
    notes="The same as overmind forget.",
    run=drop,
)

COMMANDS = (LEARN, LEARN_ACCEPT, LEARN_DROP)
