"""Commands about the swarm: swarm init, invite, join, leave and status."""

from __future__ import annotations

import sys

from overmind_core.cli.command import JSON, Command, argument, flag, option
from overmind_core.cli.context import Context
from overmind_core.cli.output import ABSENT, dumps, labels_cell, or_absent, table, text_cell
from overmind_core.cli.values import label, whole_number
from overmind_core.domain.hives import AWAY
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.text.duration import format_uptime
from overmind_core.errors import OvermindError
from overmind_core.system.own_arguments import hide_argument

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

    from overmind_core.client.client import Client
    from overmind_core.system.paths import Home

    Row = Mapping[str, Any]

ROLES = ("viewer", "worker", "operator", "owner")
TITLES = ("NAME", "LINK", "VERSION", "HELD", "SLOTS", "CPU", "LABELS", "SEEN")


DATABASE = "Waiting for the swarm's database."


def is_in_swarm(home: Home) -> bool:
    """Whether a home is a hive of a swarm, or has made one."""
    return home.is_in_swarm


def swarm_client(context: Context) -> Client:
    """Return a client of a home that is in a swarm, or has made one; of another hive than this it is asked.

    Raises:
        OvermindError: `no_swarm`; no daemon is started to say that.
    """
    if context.hive is not None:
        return context.client()
    if not is_in_swarm(context.home):
        raise OvermindError("no_swarm")
    return context.client(start=True)


def init(args: Namespace, context: Context) -> int:
    """Make it, or bring it up to date."""
    with context.waiting(DATABASE):
        ready = context.client(start=True).call("swarm_init", {"url": _url(args.url)})
    if args.json:
        context.print(dumps(ready))
        return 0
    context.print(f"Swarm ready at {display_safe(ready['where'])} (PostgreSQL {ready['server']})")
    for warning in ready["warnings"]:
        context.note(f"Warning: {display_safe(warning)}")
    return 0


def _url(word: str) -> str:
    """Return a URL; of `-` the first line of standard input, where no list of processes has ever shown it."""
    if word == "-":
        return sys.stdin.readline().strip()
    hide_argument(word)
    return word


def invite(args: Namespace, context: Context) -> int:
    """Print what the other machine types, once."""
    request = {"name": args.name, "role": args.role or "worker", **({"pool": True} if args.pool else {})}
    answer = swarm_client(context).call("swarm_invite", request)
    if args.json:
        context.print(dumps(answer))
        return 0
    context.note(_MEANS["pool" if args.pool else answer["role"]].format(display_safe(args.name)))
    if answer["kept"]:
        context.note(f"This home keeps the invitation: it starts instances of pool {args.name}.")
    where = (
        "each other machine that is to start its instances"
        if answer["kept"]
        else "the machine that starts its instances"
    )
    on = f"On {where}, once:" if args.pool else "On that machine, once:"
    context.print(f"Invited {args.name} ({'worker, a pool' if args.pool else answer['role']}). {on}")
    context.print(f"overmind swarm join '{answer['url']}'")
    if certificate := _certificate(answer["url"]):
        context.note(display_safe(f"That machine needs this file, too: {certificate}. Else change sslrootcert there."))
    return 0


def _certificate(url: str) -> str:
    """The file of this machine by which the server's certificate is checked; "": there is none."""
    from urllib.parse import parse_qs, urlsplit  # start-up: only here

    named = parse_qs(urlsplit(url).query).get("sslrootcert", [""])[0]
    return "" if named == "system" else named


_MEANS = {
    "pool": "Each instance of {} gets the work of this swarm, and the secrets that are sealed for the pool.",
    "viewer": "{} can look at everything that the swarm holds: prompts, results, ends of logs.",
    "worker": "{} gets the work of this swarm: prompts and commands, and what they need.",
    "operator": "{} can post work, and so run code on every hive that accepts it.",
    "owner": "{} can do everything: post work, invite others, remove hives.",
}


def join(args: Namespace, context: Context) -> int:
    """Become a hive; the first look takes a moment where a hive of this name lived before."""
    request = {"url": _url(args.url), "labels": dict(args.label)}
    if args.slots is not None:
        request["slots"] = args.slots
    with context.waiting("Waiting for the swarm: where a hive of this name has lived, it is watched for some seconds."):
        answer = context.client(start=True).call("swarm_join", request)
    if answer["pool"] is not None:
        pool = display_safe(answer["pool"])
        context.print(dumps(answer) if args.json else f"Kept the invitation of pool {pool}: its instances join with it")
        if not args.json:
            context.print(f"Key of the pool, for secrets: {answer['fingerprint']}")
        return 0
    if not answer["hive"]:
        sentence = f"Looking at swarm {answer['swarm']}, as its viewer: this home takes no work of it, and posts none"
        context.print(dumps(answer) if args.json else display_safe(sentence))
        return 0
    others = f"{answer['others']} other{'' if answer['others'] == 1 else 's'}"
    sentence = f"Joined swarm {answer['swarm']} as hive {answer['hive']} ({others})"
    context.print(dumps(answer) if args.json else display_safe(sentence))
    if not args.json:
        context.print(f"Key of this hive, for secrets: {answer['fingerprint']}")
    return 0


def leave(args: Namespace, context: Context) -> int:
    """Be a hive no more."""
    answer = swarm_client(context).call("swarm_leave", {"release": args.release, "force": args.force})
    left = f"swarm {answer['swarm']}" if answer["swarm"] else "the swarm"
    context.print(dumps(answer) if args.json else display_safe(f"Left {left}"))
    return 0


def status(args: Namespace, context: Context) -> int:
    """Print a line, and one for each hive."""
    with context.waiting(DATABASE):
        state = swarm_client(context).call("swarm_status")
    if args.json:
        context.print(dumps(state))
        return 0
    context.print(display_safe(_headline(state)))
    if state["silence"]:
        context.note(display_safe(state["silence"]))
    if state["hives"]:
        context.print(table(TITLES, [_cells(row) for row in state["hives"]]))
    return 0


def _headline(state: Row) -> str:
    name = f"swarm {state['swarm'] or ABSENT}"
    if state["silence"] and not state["store_ms"]:
        return f"{name} · silent for {format_uptime(state['silent_seconds'])} · what runs here goes on"
    alive = sum(row["link"] not in AWAY for row in state["hives"])
    mode = "" if state["mode"] == "open" else f" · {state['mode']}"
    mode += " · this hive takes nothing" if state["silence"] else ""
    return (
        f"{name} · {alive}/{len(state['hives'])} hives · queued {state['queued']} · claimed {state['claimed']}"
        f" · lost {state['lost']}{mode} · store {state['store_ms']:.0f} ms"
    )


def _cells(row: Row) -> list[str]:
    seen = None if row["seen_ago"] is None else f"{format_uptime(max(row['seen_ago'], 0.0))} ago"
    return [
        row["name"],
        row["link"],
        text_cell(row["version"]),
        str(row["held"]),
        str(row["slots"]),
        f"{row['cpu']:g}",
        labels_cell(row["labels"]),
        or_absent(seen),
    ]


NO_POST = frozenset({"no_swarm", "not_found"})
"""Errors that say that nothing of a swarm is named so."""


def why_of_post(args: Namespace, context: Context) -> bool:
    """Print why a post waits; return whether the swarm has one that is named so.

    Raises:
        OvermindError: the swarm does not answer.
    """
    try:
        print_why_of_post(args, context)
    except OvermindError as error:
        if error.code not in NO_POST:
            raise
        return False
    return True


def print_why_of_post(args: Namespace, context: Context) -> None:
    """Print why a post waits, and a line for each hive.

    Raises:
        OvermindError: `NO_POST`, nothing of the swarm is named so; the swarm does not answer.
    """
    answer = swarm_client(context).call("swarm_why", {"id": args.id})
    if args.json:
        context.print(dumps(answer))
        return
    context.print(display_safe(f"{answer['name']} ({answer['id']}): {answer['summary']}"))
    print_hives(answer["hives"], context)
    for one in answer["pools"]:
        context.print(display_safe(f"  pool {one['pool']}  {one['text']}"))


def print_hives(lines: list[Row], context: Context) -> None:
    """Print what the oracle says about each hive."""
    wide = max((len(line["hive"]) for line in lines), default=0)
    for line in lines:
        context.print(display_safe(f"  {line['hive']:<{wide}}  {line['text']}"))


def _role(word: str) -> str:
    if word not in ROLES:
        raise ValueError(f"{word!r} is no role: choose {', '.join(ROLES[:-1])} or {ROLES[-1]}")
    return word


_URL = argument("url", "URL of the database; - reads it from standard input", metavar="URL")

COMMANDS = (
    Command(
        name="swarm init",
        arguments=[_URL],
        options=[JSON],
        examples=["overmind swarm init postgresql://me@db.example.com/overmind"],
        notes="As an owner of the database, which may be the one of your Cortex. Again after an upgrade of Overmind.",
        run=init,
    ),
    Command(
        name="swarm invite",
        arguments=[argument("name", "name of the hive, or of the person", metavar="NAME")],
        options=[
            option("--role", "ROLE", "viewer, worker (default), operator or owner", parse=_role),
            flag("--pool", "the one login of all instances of a pool"),
            JSON,
        ],
        examples=[
            "overmind swarm invite eu1",
            "overmind swarm invite alice --role operator",
            "overmind swarm invite hpc --role worker --pool",
        ],
        notes="Again gives a new password; the one before counts no more.",
        run=invite,
    ),
    Command(
        name="swarm join",
        arguments=[_URL],
        options=[
            option(
                "--label",
                "KEY=VALUE",
                "label by which posts choose hives (repeatable)",
                short="-l",
                parse=label,
                repeat=True,
            ),
            option("--slots", "N", "how many posts at once (default: the queue's); 0 takes none", parse=whole_number),
            JSON,
        ],
        examples=[
            "overmind swarm join 'postgresql://eu1:…@db.example.com/work' -l gpu=yes",
            "overmind swarm join -",
        ],
        run=join,
    ),
    Command(
        name="swarm leave",
        options=[
            flag("--release", "stop the posts that this hive has, and give them back; its plans and specs there fail"),
            flag("--force", "leave although the swarm does not answer: it learns of nothing that has ended here"),
            JSON,
        ],
        examples=["overmind swarm leave"],
        run=leave,
    ),
    Command(name="swarm status", options=[JSON], examples=["overmind swarm status"], run=status),
)
