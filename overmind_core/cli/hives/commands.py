"""Commands about named hives: hive add, hive list, hive info, hive drain, hive rm, hive invite."""

from __future__ import annotations

from typing import Any

from overmind_core.cli import config_table
from overmind_core.cli.command import JSON, YES, Command, argument, flag, option
from overmind_core.cli.context import Context, confirmed, confirmed_removal, forbid_inside
from overmind_core.cli.gate import person
from overmind_core.cli.hives.elsewhere import INSIDE
from overmind_core.cli.hives.gather import gather
from overmind_core.cli.hives.invitation import authorized_line, public_key
from overmind_core.cli.hives.only_here import error_there
from overmind_core.cli.output import ABSENT, dumps, labels_cell, or_absent, size, table, text_cell
from overmind_core.cli.swarm.commands import is_in_swarm
from overmind_core.client.daemon import prepare_home
from overmind_core.client.hives.config import hive_tables, named, read_hives, unknown
from overmind_core.client.hives.hive import HINT, Hive
from overmind_core.domain.hives import ROLES, VIEWER, gate_of, name_fault
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.text.duration import format_uptime
from overmind_core.errors import FAILED, OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from overmind_core.client.client import Client

    Row = Mapping[str, Any]

TITLES = ("NAME", "VIA", "LINK", "VERSION", "LIVE", "SLOTS", "CPU", "MEM", "LABELS", "SEEN")
OPEN, CLOSED, SILENT, DRAINING = "open", "closed", "silent", "draining"
"""How a hive can be reached; closed: its gate answers, and no daemon runs there."""


def add(args: Namespace, context: Context) -> int:
    """Connect to it, and write it down only then."""
    forbid_inside(context, INSIDE)
    entry = _entry(args)
    if args.name in hive_tables(context.home.config):
        raise OvermindError("name_taken", f"There is a hive {args.name} already. See: overmind hive info {args.name}")
    prepare_home(context.home)  # it may be the first command of all
    hive = Hive(args.name, gate_of(args.name, entry), config=context.home.config, hint="Nothing was added.")
    with context.waiting(f"Connecting to {args.name}."):
        channel = hive.open("requests", start=True)
        channel.close()
        _refuse_second_name(hive, context)
    config_table.write_table(context.home, "hives", args.name, entry)
    answer = {"name": args.name, **_facts(hive)}
    context.print(dumps(answer) if args.json else f"Added hive {args.name} ({_machine(hive)})")
    return 0


def _entry(args: Namespace) -> dict[str, Any]:
    if fault := name_fault(args.name):
        raise OvermindError("invalid", fault)
    if (args.host is None) == (args.gate is None):
        raise UsageError("Give either a host, or --gate CMD. For example: overmind hive add eu1 eu1.example.com")
    if args.host is not None:
        entry: dict[str, Any] = {"ssh": args.host}
    else:
        import shlex  # start-up: only here

        try:
            entry = {"gate": shlex.split(args.gate)}
        except ValueError as error:
            raise UsageError(f"--gate {args.gate}: {error}") from None
    try:
        gate_of(args.name, entry)
    except ValueError as error:
        raise OvermindError("invalid", f"{error}.") from None
    return entry


def _refuse_second_name(hive: Hive, context: Context) -> None:
    """One home under two names would be shown, and counted, twice."""
    from overmind_core.gate.server import facts_of_machine  # start-up: only here

    mine = facts_of_machine(context.home)["id"]
    if hive.greeting.get("id") == mine:
        raise OvermindError("invalid", f"{hive.name} is this home itself. It is -H local already.")
    others = gather(list(read_hives(context.home.config).values()), context, _identity)
    same = next((name for name, found in others.answers.items() if found == hive.greeting.get("id")), None)
    if same is not None:
        raise OvermindError("invalid", f"{hive.name} is the home that is called {same} already. Use -H {same}")


def _identity(client: Client) -> object:
    client.connect()
    place = client.place
    return place.greeting.get("id") if isinstance(place, Hive) else None


def _machine(hive: Hive) -> str:
    facts = _facts(hive)
    return display_safe(f"overmind {facts['version']}, {facts['system']}, {facts['cpu']} cpu, {size(facts['memory'])}")


def _facts(hive: Hive) -> dict[str, Any]:
    names = ("version", "system", "cpu", "memory", "home", "role")
    return {name: hive.greeting.get(name) for name in names}


def list_hives(args: Namespace, context: Context) -> int:
    """Ask all of them, and print a line for each, the silent ones too; 1 when the swarm could not say which it has."""
    forbid_inside(context, INSIDE)
    rows, silence = _all_rows(context)
    if args.json:
        context.print(dumps(rows))
    elif rows:
        context.print(table(TITLES, [_cells(row) for row in rows]))
    elif not silence:
        context.hint("No hives. Add one with: overmind hive add NAME HOST")
    for text in (*(row["error"] for row in rows), silence):
        if text:
            context.note(display_safe(text))
    return FAILED if silence and not any(row.get("in_swarm") for row in rows) else 0


def _all_rows(context: Context) -> tuple[list[dict[str, Any]], str]:
    """Return a row for each hive, those of the swarm too; and why the swarm could not be asked, else nothing."""
    named_rows = hive_rows(list(read_hives(context.home.config).values()), context)
    if not is_in_swarm(context.home):
        return named_rows, ""
    from overmind_core.cli.hives.of_swarm import with_swarm  # start-up: homes in a swarm alone

    return with_swarm(named_rows, context)


def hive_rows(hives: Sequence[Hive], context: Context) -> list[dict[str, Any]]:
    """Return a row for each hive: how it is reached, and what it answers."""
    found = gather(hives, context, _state)
    tables = hive_tables(context.home.config)
    rows = []
    for hive in hives:
        state, error = found.answers.get(hive.name), found.failures.get(hive.name)
        rows.append(
            {
                "name": hive.name,
                "id": hive.greeting.get("id"),
                "via": next(iter(tables[hive.name])),
                "link": _link(state, error),
                **_facts(hive),
                "live": None if state is None else state["live"],
                "slots": None if state is None else state["slots"],
                "labels": {},
                "seen": "now" if hive.greeting else None,
                "error": None if error is None else error_there(error, hive.name).removesuffix(f" {HINT}"),
            }
        )
    return rows


def _link(state: Row | None, error: OvermindError | None) -> str:
    if state is not None:
        return DRAINING if state["draining"] else OPEN
    return CLOSED if error is not None and error.code == "daemon_not_running" else SILENT


def _state(client: Client) -> dict[str, Any]:
    queue = client.call("queue", {"limit": 1})
    status = client.call("status")
    return {"live": status["missions"]["running"], "slots": queue["slots"], "draining": queue["paused"]}


def _cells(row: Row) -> list[str]:
    return [
        row["name"],
        row["via"],
        row["link"],
        text_cell(or_absent(row["version"])),
        or_absent(row["live"]),
        or_absent(row["slots"]),
        ABSENT if row["cpu"] is None else f"{row['cpu']:g}",
        size(row["memory"]),
        labels_cell(row["labels"]),
        or_absent(row["seen"]),
    ]


def info(args: Namespace, context: Context) -> int:
    """Print one JSON object."""
    forbid_inside(context, INSIDE)
    hives = read_hives(context.home.config)
    if is_in_swarm(context.home):
        rows, _ = _all_rows(context)
        row = next((row for row in rows if args.name in {row["name"], row.get("in_swarm")}), None)
    else:
        (row,) = hive_rows([named(hives, args.name)], context)
    if row is None:
        named(hives, args.name)  # says that there is none
    table_of = hive_tables(context.home.config).get(args.name, {})
    context.print_facts({**(row or {}), **table_of}, args)
    return 0


def drain(args: Namespace, context: Context) -> int:
    """Pause its queue, or let it go on."""
    forbid_inside(context, INSIDE)
    hives = read_hives(context.home.config)
    if args.name not in hives and is_in_swarm(context.home):
        return _drain_in_swarm(args, context)
    context.hive = named(hives, args.name)
    client = context.client()
    answer = client.call("queue_set", {"paused": not args.undo})
    live = client.call("status")["missions"]["running"]
    if args.json:
        context.print(dumps({"name": args.name, "draining": answer["paused"], "running": live}))
    elif args.undo:
        context.print(f"Hive {args.name} takes new work again")
    else:
        context.print(f"Hive {args.name} takes nothing new ({live} run on)")
    return 0


def _drain_in_swarm(args: Namespace, context: Context) -> int:
    answer = context.client(start=True).call("swarm_drain", {"name": args.name, "undo": args.undo})
    if args.json:
        context.print(dumps(answer))
    elif args.undo:
        context.print(f"Hive {args.name} takes new work again")
    else:
        context.print(f"Hive {args.name} takes nothing new ({answer['held']} run on)")
    return 0


def _remove_from_swarm(args: Namespace, context: Context) -> int:
    """Remove its login; `--dead`: what it held may begin elsewhere, for nobody runs it any more."""
    client = context.client(start=True)
    question = f"Remove {args.name} from the swarm? Its login ends."
    seen_ago = {row["name"]: row["seen_ago"] for row in client.call("swarm_status")["hives"]}
    if args.dead:
        seen = seen_ago.get(args.name)
        last = "" if seen is None else f" It was seen {format_uptime(max(seen, 0.0))} ago."
        question = f"Is the machine of {args.name} off, for good?{last} Its posts begin elsewhere."
    elif args.name not in seen_ago:  # a login that may not remove hives learns that, too
        raise unknown(args.name, [*read_hives(context.home.config), *seen_ago])
    if not confirmed_removal(question, yes=args.yes):
        return 1
    answer = client.call("swarm_remove", {"name": args.name, "dead": args.dead})
    free, failed = answer["free"], answer["failed"]
    held = f": posts that begin elsewhere: {free}, failed: {failed}" if args.dead else ""
    context.print(dumps(answer) if args.json else f"Removed hive {args.name}{held}")
    return 0


def remove(args: Namespace, context: Context) -> int:
    """Forget how it is reached; nothing ends there."""
    forbid_inside(context, INSIDE)
    if args.name not in read_hives(context.home.config) and is_in_swarm(context.home):
        return _remove_from_swarm(args, context)
    if args.dead:
        raise UsageError("--dead is for hives of a swarm, and this home is in none.")
    hive = named(read_hives(context.home.config), args.name)
    if not confirmed(f"Forget hive {args.name}? Its missions run on there.", yes=args.yes):
        return 1
    config_table.remove_table(context.home, "hives", args.name)
    hive.drop_kept()
    context.print(dumps({"name": args.name}) if args.json else f"Removed hive {args.name}")
    return 0


def invite(args: Namespace, context: Context) -> int:
    """Print the line that gives a person's key a gate of this account, and nothing else."""
    forbid_inside(context, INSIDE)
    who, role = args.who, args.role or VIEWER
    try:
        person(who)
    except ValueError as error:
        raise OvermindError("invalid", f"{error}.") from None
    home = context.home.root if context.environ.get("OVERMIND_HOME") else None
    line = authorized_line(who, role, args.key, home)
    if args.json:
        context.print(dumps({"who": who, "role": role, "line": line}))
        return 0
    context.note(f"Add this line to ~/.ssh/authorized_keys of this account. {who} can then look" + _MEANS[role])
    context.print(line)
    return 0


_MEANS = {
    "viewer": ", and nothing else.",
    "operator": ", run, send, stop, answer and attach, and so read and change whatever this account can.",
    "owner": ", and do everything that this account can do with Overmind.",
}

_NAME = argument("name", "name of the hive", metavar="NAME")

COMMANDS = (
    Command(
        name="hive add",
        arguments=[_NAME, argument("host", "where ssh finds it", nargs="?", metavar="HOST")],
        options=[option("--gate", "CMD", "a command that runs overmind gate there, instead of ssh"), JSON],
        examples=[
            "overmind hive add eu1 eu1.example.com",
            "overmind hive add gpu ada@gpu.example.com",
            "overmind hive add box --gate 'docker exec -i box overmind gate'",
        ],
        notes="Everything else about the connection is ssh's own configuration. It is never asked for a password.",
        run=add,
    ),
    Command(
        name="hive list",
        options=[JSON],
        examples=["overmind hive list"],
        run=list_hives,
    ),
    Command(
        name="hive info",
        arguments=[_NAME],
        options=[JSON],
        examples=["overmind hive info eu1"],
        run=info,
    ),
    Command(
        name="hive drain",
        arguments=[_NAME],
        options=[flag("--undo", "let it begin work again"), JSON],
        examples=["overmind hive drain eu1", "overmind hive drain eu1 --undo"],
        run=drain,
    ),
    Command(
        name="hive rm",
        arguments=[_NAME],
        options=[flag("--dead", "of a swarm: its machine is off, and what it held may begin elsewhere"), YES, JSON],
        examples=["overmind hive rm eu1", "overmind hive rm eu1 --dead -y"],
        run=remove,
    ),
    Command(
        name="hive invite",
        arguments=[argument("who", "name of the person", metavar="WHO")],
        options=[
            option("--role", "ROLE", "viewer (default), operator or owner", choices=ROLES),
            option("--key", "KEY", "the person's public key, as in authorized_keys", parse=public_key),
            JSON,
        ],
        examples=[
            "overmind hive invite alice --role operator",
            "overmind hive invite bob --key 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG bob@laptop'",
        ],
        run=invite,
    ),
)

__all__ = ["COMMANDS", "hive_rows"]
