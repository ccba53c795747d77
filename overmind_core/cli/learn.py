"""Commands about what quests have taught: learn, learn accept, learn drop."""

from __future__ import annotations

from overmind_core.cli.command import JSON, Command, argument, flag, option
from overmind_core.cli.context import Context
from overmind_core.cli.output import ABSENT, dumps, money, or_absent, table, text_cell
from overmind_core.domain.text.duration import format_uptime

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Row = Mapping[str, Any]

GROUPS = ("type", "provider", "model", "spec")


def _decimal(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.2f}".removeprefix("0")


def _failures(row: Row) -> str:
    return or_absent(", ".join(f"{name} {count}" for name, count in row["failures"].items()))


COLUMNS: dict[str, Callable[[Row], str]] = {
    "N": lambda row: str(row["quests"]),
    "RATE": lambda row: _decimal(row["rate"]),
    "TRIES": lambda row: ABSENT if row["tries"] is None else f"{row['tries']:.1f}",
    "COST": lambda row: money(row["cost_usd"]),
    "TIME": lambda row: ABSENT if row["seconds"] is None else format_uptime(row["seconds"]),
    "FAILURES": lambda row: text_cell(_failures(row)),
}
"""Title → cell of a group that `learn --json` lists."""

LESSONS: dict[str, Callable[[Row], str]] = {
    "LESSON": lambda row: row["id"],
    "STATE": lambda row: "rests" if row["rests"] else row["state"],
    "HELPED": lambda row: str(row["helped"]),
    "HURT": lambda row: str(row["hurt"]),
    "CLASS": lambda row: text_cell(row["failure"]),
    "QUEST": lambda row: row["quest"],
    "FILES": lambda row: text_cell(or_absent(", ".join(row["files"]))),
    "SAYS": lambda row: text_cell(row["feedback"].partition("\n")[0]),
}
"""Title → cell of a lesson that `learn --lessons --json` lists."""


def learn(args: Namespace, context: Context) -> int:
    """Print how quests went, or the lessons."""
    by = args.by or "type"
    answer = context.client().call("learn", {"by": by, "lessons": args.lessons})
    rows = answer["lessons"] if args.lessons else answer["groups"]
    if args.json:
        context.print(dumps(rows))
    elif not rows:
        none = "No lessons yet." if args.lessons else "No quest of the queue has had an attempt yet."
        context.hint(none)
    else:
        context.print(lessons_table(rows) if args.lessons else groups_table(rows, by))
    return 0


def groups_table(rows: Sequence[Row], by: str) -> str:
    """Return the table of how quests went."""
    cells = [[or_absent(row["key"]), *(cell(row) for cell in COLUMNS.values())] for row in rows]
    return table([by.upper(), *COLUMNS], cells)


def lessons_table(rows: Sequence[Row]) -> str:
    """Return the table of lessons."""
    return table(list(LESSONS), [[cell(row) for cell in LESSONS.values()] for row in rows])


def _decide(args: Namespace, context: Context, state: str) -> int:
    answer = context.client().call("learn_set", {"lesson": args.lesson, "state": state})
    context.print(dumps(answer) if args.json else f"{state.capitalize()} {answer['id']}")
    return 0


def accept(args: Namespace, context: Context) -> int:
    """Show the lesson to quests that are about the same."""
    return _decide(args, context, "accepted")


def drop(args: Namespace, context: Context) -> int:
    """Show it no more."""
    return _decide(args, context, "dropped")


_LESSON = argument("lesson", "the lesson, such as L-7")

LEARN = Command(
    name="learn",
    options=[
        option("--by", "KIND", "type (default), provider, model or spec", choices=GROUPS),
        flag("--lessons", "list the lessons instead"),
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
    arguments=[_LESSON],
    options=[JSON],
    examples=["overmind learn accept L-7"],
    notes="Quests of the same repository that share a path or two words with the lesson get it in $OVERMIND_IN.",
    run=accept,
)
LEARN_DROP = Command(
    name="learn drop", arguments=[_LESSON], options=[JSON], examples=["overmind learn drop L-7"], run=drop
)

COMMANDS = (LEARN, LEARN_ACCEPT, LEARN_DROP)
