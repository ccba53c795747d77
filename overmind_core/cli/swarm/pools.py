"""Commands about pools: pool list, up, down and manifest."""

from __future__ import annotations

from overmind_core.cli.command import JSON, YES_TO_ALL, Command, Parameter, argument, flag
from overmind_core.cli.context import Context, confirmed, forbid_inside
from overmind_core.cli.output import ABSENT, dumps, labels_cell, or_absent, table
from overmind_core.cli.swarm.commands import swarm_client
from overmind_core.cli.values import positive_number
from overmind_core.domain.text.cells import did_you_mean, display_safe
from overmind_core.errors import FAILED, OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence
    from typing import Any

    Row = Mapping[str, Any]

TITLES = ("NAME", "ENGINE", "STATE", "WANTED", "JOINED", "STARTING", "MAX", "SLOTS", "LABELS", "HIVE")
INSTANCE_TITLES = ("INSTANCE", "ENGINE ID", "STATE", "POSTS", "NOTE")
EXAMPLE = '[pools.hpc] with engine = "slurm"'
INSIDE = "use pools"
_STARTING = ("asked", "started", "running")


def list_pools(args: Namespace, context: Context) -> int:
    """Print a line for each, or the instances of one."""
    rows = swarm_client(context).call("pool_list")
    if args.name is not None:
        rows = [_named(rows, args.name)]
    if args.json:
        context.print(dumps(rows if args.name is None else rows[0]))
        return 0
    if args.name is not None:
        _print_instances(rows[0], context)
    elif rows:
        context.print(table(TITLES, [_cells(row) for row in rows]))
    else:
        context.hint(f"There are no pools. Add a table such as {EXAMPLE} to config.toml.")
    for row in rows:
        if row["note"]:
            context.note(display_safe(f"{row['name']}: {row['note']}"))
    return 0


def _named(rows: Sequence[Row], name: str) -> Row:
    found = next((row for row in rows if row["name"] == name), None)
    if found is None:
        hint = did_you_mean(name, [row["name"] for row in rows]) or " See them with: overmind pool list"
        raise OvermindError("not_found", f"There is no pool {name!r}.{hint}")
    return found


def _cells(row: Row) -> list[str]:
    states = [one["state"] for one in row["instances"]]
    return [
        row["name"],
        or_absent(row["engine"]),
        row["state"],
        _number(row["wanted"]),
        str(states.count("joined")),
        str(sum(states.count(one) for one in _STARTING)),
        _number(row["max"]),
        _number(row["slots"]),
        labels_cell(row["labels"]),
        or_absent(row["hive"]),
    ]


def _number(found: int | None) -> str:
    return ABSENT if found is None else str(found)


def _print_instances(row: Row, context: Context) -> None:
    if row["instances"]:
        cells = [
            [one["name"], or_absent(one["engine_id"]), _state(one), str(one["held"]), or_absent(one["reason"])]
            for one in row["instances"]
        ]
        context.print(table(INSTANCE_TITLES, cells))
    else:
        context.hint(f"Pool {row['name']} has no instances. Start one with: overmind pool up {row['name']}")


def _state(one: Row) -> str:
    return "draining" if one["ending"] and one["state"] != "ended" else str(one["state"])


def up(args: Namespace, context: Context) -> int:
    """Have more of them, and say what the engine calls each."""
    answer = swarm_client(context).call("pool_up", {"name": args.name, "count": args.count})
    if args.json:
        context.print(dumps(answer))
        return 0
    begun = [one for one in answer["instances"] if one["state"] != "asked"]
    if begun:
        context.print(display_safe(f"Started {len(begun)} of pool {answer['name']}: {_ids(begun)}"))
    if len(answer["instances"]) < args.count:
        context.note(f"Not {args.count}: pool {answer['name']} is at its max. Raise it in config.toml.")
    waiting = [one for one in answer["instances"] if one["state"] == "asked"]
    if waiting:
        why = answer["silence"] or "Its engine has not started them yet."
        context.print(display_safe(f"Asked for {len(waiting)} of pool {answer['name']}: {_ids(waiting)}"))
        context.note(display_safe(str(why)))
    return 0


def down(args: Namespace, context: Context) -> int:
    """Have them end: drained, or at once."""
    if args.all == bool(args.instances):
        raise UsageError("Name instances, or give --all. See them with: overmind pool list NAME")
    client = swarm_client(context)
    which = "all its instances" if args.all else ", ".join(args.instances)
    question = f"End {which} of pool {args.name} at once? Their posts begin elsewhere once they are missed."
    if args.force and not confirmed(question, yes=args.yes):
        return FAILED
    request = {"name": args.name, "instances": args.instances, "all": args.all, "force": args.force}
    answer = client.call("pool_down", request)
    if args.json:
        context.print(dumps(answer))
        return 0
    ended = [one for one in answer["instances"] if one["state"] == "ended"]
    if ended or not answer["instances"]:
        ids = f": {_ids(ended)}" if ended else ""
        context.print(display_safe(f"Ended {len(ended)} of pool {answer['name']}{ids}"))
    going = [one for one in answer["instances"] if one["state"] != "ended"]
    if going:
        context.print(display_safe(f"Draining {len(going)} of pool {answer['name']}: {_ids(going)}"))
        held = sum(one["held"] for one in going)
        force = f"overmind pool down {answer['name']} --all --force"
        why = answer["silence"] or f"{held} post{' goes' if held == 1 else 's go'} on there. At once: {force}"
        context.note(display_safe(str(why)))
    return 0


def _ids(instances: Sequence[Row]) -> str:
    return ", ".join(one["engine_id"] or one["name"] for one in instances)


def manifest(args: Namespace, context: Context) -> int:
    """Print what starts an instance; nothing is asked of a cluster."""
    forbid_inside(context, INSIDE)
    from overmind_core.client.config_tables import named_tables  # start-up, as below
    from overmind_core.domain.swarm.pools import pool_of
    from overmind_core.pool_engines.job_manifest import printed

    path = context.home.config
    tables = named_tables(path, "pools", EXAMPLE)
    if args.name not in tables:
        hint = did_you_mean(args.name, tables) or f" Add a table such as {EXAMPLE}."
        raise OvermindError("not_found", f"There is no pool {args.name!r} in config.toml.{hint}")
    try:
        text = printed(pool_of(args.name, tables[args.name]))
    except ValueError as error:
        raise OvermindError("invalid_config", f"{path}: {error}.") from None
    context.print(text.rstrip("\n"))
    return 0


_NAME = argument("name", "name of the pool", metavar="NAME")

COMMANDS = (
    Command(
        name="pool list",
        arguments=[argument("name", "a pool, for its instances", metavar="NAME", nargs="?")],
        options=[JSON],
        examples=["overmind pool list", "overmind pool list hpc"],
        notes="Pools are tables of config.toml such as [pools.hpc], on the machine that starts their instances.",
        run=list_pools,
    ),
    Command(
        name="pool up",
        arguments=[
            _NAME,
            Parameter(
                "count", help="how many more (default: 1)", metavar="N", type=positive_number, nargs="?", default=1
            ),
        ],
        options=[JSON],
        examples=["overmind pool up hpc", "overmind pool up hpc 2"],
        notes="A pool starts by itself what waiting posts need, up to its max. An idle instance leaves by itself.",
        run=up,
    ),
    Command(
        name="pool down",
        arguments=[
            _NAME,
            Parameter("instances", help="names, or what the engine calls them", metavar="INSTANCE", nargs="*"),
        ],
        options=[
            flag("--all", "all instances of the pool"),
            flag("--force", "at once; else each ends once what it has has ended"),
            YES_TO_ALL,
            JSON,
        ],
        examples=[
            "overmind pool down hpc 4711",
            "overmind pool down hpc --all",
            "overmind pool down hpc hpc-7 --force",
        ],
        run=down,
    ),
    Command(
        name="pool manifest",
        arguments=[_NAME],
        examples=["overmind pool manifest k8s > job.yaml"],
        notes='Change it, and name it in config.toml: [pools.k8s] manifest = "/…/job.yaml".',
        run=manifest,
    ),
)
