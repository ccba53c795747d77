"""`overmind delete`: take a plan down, with all its agents."""

from __future__ import annotations

import os

from overmind_core.cli.ask import agreed
from overmind_core.cli.blueprint.options import VAR
from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, YES, Command, argument
from overmind_core.errors import FAILED, OvermindError
from overmind_core.wire.bytestrings import from_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

    from overmind_core.client.calls import Client

    Plan = Mapping[str, Any]

FINAL = frozenset({"stopped", "crashed", "killed"})
ENDED = frozenset({"succeeded", "failed", "skipped", "cancelled", "waiting"})
"""Stages of agents that have no process."""
SUFFIX = ".toml"


def delete(args: Namespace, context: Context) -> int:
    """Ask where something lives, end it, and say so; what has ended already is no mistake."""
    client = context.client()
    plan = _found(args, context, client)
    live = plan["status"] not in FINAL
    if live and not agreed(_question(plan), yes=args.yes):
        return FAILED
    answer = client.call("delete", {"id": plan["id"]})
    if args.json:
        context.say(dumps(answer))
    elif live:
        context.say(f"Deleted pipeline {answer['id']} ({answer['name']})")
    else:
        context.say(f"Pipeline {answer['id']} ({answer['name']}) has ended already")
    return 0


def _found(args: Namespace, context: Context, client: Client) -> Plan:
    """Return the plan that is meant: a word that looks like a path is a file, another one only where it is no name."""
    if _is_path(args.plan):
        return _plan(client, _name_in(args, context))
    try:
        return _plan(client, args.plan)
    except OvermindError as error:
        if error.code != "not_found" or not os.path.isfile(from_wire(args.plan)):
            raise
    return _plan(client, _name_in(args, context))


def _plan(client: Client, name: str) -> Plan:
    found: Plan = client.call("plan", {"id": name})
    return found


def _is_path(word: str) -> bool:
    return word == "-" or "/" in word or word.endswith(SUFFIX)


def _name_in(args: Namespace, context: Context) -> str:
    from overmind_core.cli.blueprint.naming import name_of  # only for a file

    return name_of(args.plan, args.var, context)


def _question(plan: Plan) -> str:
    count = sum(number for stage, number in plan["counts"].items() if stage not in ENDED)
    agents = f" and its {count} running agent{'s' if count > 1 else ''}" if count else ""
    return f"End pipeline {plan['id']} ({plan['name']}){agents}?"


COMMAND = Command(
    name="delete",
    summary="take a plan down: its agents end in the reverse of the order in which they began",
    arguments=[argument("plan", "its file, or its id or name", metavar="plan")],
    options=[VAR, YES, JSON],
    examples=["overmind delete release.toml", "overmind delete release", "overmind delete -y 1f3a9c0d"],
    notes="Its record and logs stay until they are removed: overmind rm, overmind prune",
    run=delete,
)
