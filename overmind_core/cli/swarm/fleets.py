"""Commands about fleets: fleet list, info, scale and delete; and what `apply` makes of those of a blueprint."""

from __future__ import annotations

from overmind_core.cli.command import JSON, YES_TO_ALL, Command, Parameter, argument
from overmind_core.cli.context import confirmed
from overmind_core.cli.output import dumps, or_absent, table
from overmind_core.cli.swarm.commands import swarm_client
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import FAILED, OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence
    from typing import Any

    from overmind_core.cli.context import Context
    from overmind_core.domain.plans.fleet import Fleet

    Row = Mapping[str, Any]

TITLES = ("NAME", "WANT", "ALIVE", "LOST", "HIVES")
EACH = "each"
MOST_PLACES = 10_000
_NOT_ASKED = frozenset({"swarm_silent", "forbidden", "invalid"})
"""Why the fleets that a file no longer has can't be looked for."""


def list_fleets(args: Namespace, context: Context) -> int:
    """Print a line for each."""
    rows = swarm_client(context).call("swarm_fleets")
    if args.json:
        context.print(dumps(rows))
    elif rows:
        context.print(table(TITLES, [_cells(row) for row in rows]))
    else:
        context.hint("The swarm has no fleets. Write [fleets.NAME] into a blueprint, and: overmind apply FILE")
    return 0


def _cells(row: Row) -> list[str]:
    hives = ",".join(row["hives"])
    return [row["name"], _wanted(row["want"], EACH), str(row["alive"]), str(row["lost"]), or_absent(hives)]


def _wanted(want: int | None, each: str = "one on every fitting hive") -> str:
    return each if want is None else str(want)


def info(args: Namespace, context: Context) -> int:
    """Print one JSON object."""
    context.print_facts(swarm_client(context).call("swarm_fleet", {"name": args.name}), args)
    return 0


def scale(args: Namespace, context: Context) -> int:
    """Change the number of its places."""
    answer = swarm_client(context).call("swarm_scale", {"name": args.name, "want": args.want})
    sentence = f"Fleet {answer['name']}: {answer['before']} → {answer['want']}"
    context.print(dumps(answer) if args.json else display_safe(sentence))
    return 0


def delete(args: Namespace, context: Context) -> int:
    """Ask, and end it."""
    client = swarm_client(context)
    fleet = client.call("swarm_fleet", {"name": args.name})
    runs = fleet["alive"] + fleet["lost"]
    question = f"Delete fleet {fleet['name']}? {runs} of its places {'runs' if runs == 1 else 'run'}, and will end."
    if runs and not confirmed(question, yes=args.yes):
        return FAILED
    answer = client.call("swarm_fleet_delete", {"name": args.name})
    context.print(dumps(answer) if args.json else display_safe(f"Deleted fleet {answer['name']}"))
    return 0


# the fleets of a blueprint


def apply_fleets(context: Context, fleets: Sequence[Fleet], path: str, *, dry_run: bool) -> list[Row]:
    """Have the swarm's fleets of a file as it says; return what became of each.

    Raises:
        OvermindError: `no_swarm`, `name_taken`, and what the swarm says. Of a file without fleets only a note is made
            that those which it had could not be looked for.
    """
    from dataclasses import asdict  # start-up: few files have fleets

    from overmind_core.cli import caller_environment  # start-up, as above
    from overmind_core.cli.plans.blueprint import STDIN, real_path  # start-up, as above

    file = real_path(path) if path != STDIN else f"{caller_environment.working_directory(None)}/{STDIN}"
    request = {"fleets": [asdict(one) for one in fleets], "file": file, "dry_run": dry_run}
    try:
        answer = swarm_client(context).call("swarm_apply", request)
    except OvermindError as error:
        if fleets or error.code not in _NOT_ASKED:
            raise
        context.note(f"Whether the swarm has fleets of {display_safe(path)} is not known: {error.message}")
        return []
    found: list[Row] = answer["fleets"]
    return found


def change_line(change: Row) -> str:
    """Return what became of a fleet as a person reads it: `Fleet review: 3 → 5`."""
    name, want = f"Fleet {change['name']}", change["want"]
    match change["change"]:
        case "new":
            line = f"{name}: {_wanted(want)}" if want is None else f"{name}: {want} wanted"
        case "deleted":
            line = f"{name}: deleted"
        case "unchanged":
            line = f"unchanged: fleet {change['name']}"
        case _:
            moved = change["before"] != want
            parts = [f"{_wanted(change['before'])} → {_wanted(want)}"] if moved else []
            line = f"{name}: {', '.join([*parts, *(['replaced one at a time'] if change['replaces'] else [])])}"
    return display_safe(line)


def _places(word: str) -> int:
    if word.isascii() and word.isdigit() and int(word) <= MOST_PLACES:
        return int(word)
    raise ValueError(f"{word!r} is not a whole number from 0 to {MOST_PLACES}")


_NAME = argument("name", "name of the fleet", metavar="NAME")

COMMANDS = (
    Command(name="fleet list", options=[JSON], examples=["overmind fleet list"], run=list_fleets),
    Command(name="fleet info", arguments=[_NAME], options=[JSON], examples=["overmind fleet info review"], run=info),
    Command(
        name="fleet scale",
        arguments=[_NAME, Parameter("want", help="how many places", metavar="N", type=_places)],
        options=[JSON],
        examples=["overmind fleet scale review 5", "overmind fleet scale review 0"],
        notes="The places with the highest numbers go first. The next apply of its file sets the number of the file.",
        run=scale,
    ),
    Command(
        name="fleet delete",
        arguments=[_NAME],
        options=[YES_TO_ALL, JSON],
        examples=["overmind fleet delete review"],
        notes="Its hives end its places. The next apply of its blueprint makes it anew.",
        run=delete,
    ),
)
