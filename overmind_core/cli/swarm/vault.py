"""Commands about secrets that runs of a swarm get: vault set, list, grant and rm. No command prints a value."""

from __future__ import annotations

import sys

from overmind_core.cli.command import JSON, YES, Command, argument, option
from overmind_core.cli.context import Context, confirmed_removal
from overmind_core.cli.output import ABSENT, dumps, table
from overmind_core.cli.swarm.commands import swarm_client
from overmind_core.cli.swarm.run_on import labels
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

TITLES = ("NAME", "HIVES", "PUT BY", "VALUE HERE")
_MOST_READ = 1 << 20
"""Bytes of standard input; the limit of a value is far below, and is the daemon's to name."""


def put(args: Namespace, context: Context) -> int:
    """Keep it here, and seal it for hives."""
    client = swarm_client(context)
    request = {"name": args.name, "value": _value(args.name), "on": args.on or {}}
    answer = client.call("vault_set", request)
    if args.json:
        context.print(dumps(answer))
        return 0
    context.print(display_safe(f"Secret {answer['name']}: for {_hives(len(answer['hives']))}"))
    if not answer["hives"]:
        context.note(f"No hive gets it yet. Give it to one with: overmind vault grant {answer['name']} HIVE")
    for hive in answer["without_key"]:
        context.note(display_safe(f"Hive {hive} has no key. On that machine, leave the swarm and join it anew."))
    return 0


def _value(name: str) -> str:
    """Return the value in wire form: from a prompt that shows nothing, or all of standard input.

    One line break at its end is the shell's, and is left out.
    """
    if sys.stdin.isatty():
        import getpass  # start-up: for people who type one

        try:
            return to_wire(getpass.getpass(f"Value of {name}: "))
        except (EOFError, KeyboardInterrupt):
            raise OvermindError("invalid", f"No value was given for {name}. Nothing was changed.") from None
    data = sys.stdin.buffer.read(_MOST_READ)
    text = data.decode(errors="surrogateescape")
    return to_wire(text[:-2] if text.endswith("\r\n") else text.removesuffix("\n"))


def list_(args: Namespace, context: Context) -> int:
    """Print which there are, and for whom."""
    rows = swarm_client(context).call("vault_list")
    if args.json:
        context.print(dumps(rows))
    elif rows:
        context.print(table(TITLES, [_cells(row) for row in rows]))
    else:
        context.hint("There are no secrets. Set one with: overmind vault set NPM_TOKEN")
    return 0


def _cells(row: dict[str, Any]) -> list[str]:
    names = [",".join(row[part]) or ABSENT for part in ("hives", "put_by")]
    return [row["name"], *names, "yes" if row["here"] else "no"]


def grant(args: Namespace, context: Context) -> int:
    """Seal it for one more hive."""
    answer = swarm_client(context).call("vault_grant", {"name": args.name, "hive": args.hive})
    if args.json:
        context.print(dumps(answer))
        return 0
    context.print(display_safe(f"Secret {answer['name']}: for {_hives(len(answer['hives']))}"))
    context.print(display_safe(f"Key of {answer['hive']}: {answer['fingerprint']}"))
    return 0


def remove(args: Namespace, context: Context) -> int:
    """Remove it, here and from all hives."""
    client = swarm_client(context)
    question = f"Remove secret {args.name}{context.on_hive}? Nothing that names it begins any more."
    if not confirmed_removal(question, yes=args.yes):
        return 1
    answer = client.call("vault_remove", {"name": args.name})
    sentence = f"Removed secret {answer['name']} (of {_hives(answer['hives'])})"
    context.print(dumps(answer) if args.json else display_safe(sentence))
    return 0


def _hives(count: int) -> str:
    return f"{count} hive" if count == 1 else f"{count} hives"


_NAME = argument("name", "name of the secret, and of its variable", metavar="NAME")

COMMANDS = (
    Command(
        name="vault set",
        arguments=[_NAME],
        options=[
            option("--on", "WHERE", "hives that get it: any (default), or labels such as region=eu", parse=labels),
            JSON,
        ],
        examples=[
            "overmind vault set NPM_TOKEN",
            "pass show npm | overmind vault set NPM_TOKEN --on region=eu",
            "overmind run --on any --secret NPM_TOKEN 'npm publish'",
        ],
        notes=(
            "The value is sealed for each hive's own key; the database can't read it. It is kept in this home, so that "
            "it can be granted to a hive that joins later. Again replaces it."
        ),
        run=put,
    ),
    Command(name="vault list", options=[JSON], examples=["overmind vault list"], run=list_),
    Command(
        name="vault grant",
        arguments=[_NAME, argument("hive", "hive that gets it, too", metavar="HIVE")],
        options=[JSON],
        examples=["overmind vault grant NPM_TOKEN eu2"],
        notes="Compare the fingerprint with the one that `swarm join` has printed on that machine.",
        run=grant,
    ),
    Command(
        name="vault rm",
        arguments=[_NAME],
        options=[YES, JSON],
        examples=["overmind vault rm NPM_TOKEN"],
        notes="Runs that have begun with it keep it until they end. Revoke it where it was made, too.",
        run=remove,
    ),
)
