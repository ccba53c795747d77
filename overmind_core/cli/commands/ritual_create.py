"""`overmind ritual create`: have work come again by a schedule."""

from __future__ import annotations

import os

from overmind_core.cli.blueprint.options import VAR
from overmind_core.cli.context import Context
from overmind_core.cli.limits import warn
from overmind_core.cli.output import dumps
from overmind_core.cli.quests import request_of, run_options
from overmind_core.cli.rituals import upcoming
from overmind_core.cli.table import JSON, Command, Parameter, argument, option
from overmind_core.cli.values import count
from overmind_core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

_REQUEST_KEY = 16
"""Random bytes that make the request's repetition recognisable."""


def ritual_create(args: Namespace, context: Context) -> int:
    """Create it, and say when it comes next."""
    from overmind_core.cli.isolation.trusting import call  # start-up: --help needs none

    request = _request(args, context)
    warn(args.timeout, context)
    ritual = call(context, context.client(start=True), "ritual_create", request)
    if args.json:
        context.say(dumps(ritual))
    else:
        context.say(f"Ritual created: {ritual['name']} ({ritual['schedule']}, {ritual['zone']})\n{upcoming(ritual)}")
    return 0


def _request(args: Namespace, context: Context) -> dict[str, Any]:
    from overmind_core.system.zone import system_zone  # start-up: --help needs none

    own = {name: value for name in ("overlap", "catch_up", "keep") if (value := getattr(args, name)) is not None}
    return own | {
        "name": args.ritual,
        "schedule": args.schedule,
        "zone": args.tz or system_zone(context.environ),
        "request": os.urandom(_REQUEST_KEY).hex(),
        **(_quest(args, context) if args.apply is None else _plan(args, context)),
    }


def _quest(args: Namespace, context: Context) -> dict[str, Any]:
    if args.var:
        raise UsageError("--var is for a blueprint: add --apply FILE")
    args.name = args.parent = None
    return {"quest": request_of(args, context.environ)}


def _plan(args: Namespace, context: Context) -> dict[str, Any]:
    from overmind_core.cli.blueprint.applying import request_of as plan_of  # start-up: only with --apply
    from overmind_core.cli.blueprint.load import load

    given = [one.names[-1] for one in QUEST if getattr(args, _attribute(one)) not in (None, False, [])]
    if args.rest or given:
        raise UsageError(f"--apply and {given[0] if given else 'a command'} don't go together: a blueprint says it all")
    return {"apply": plan_of(load(args.apply, args.var, context), args.apply, context.environ)}


def _attribute(one: Parameter) -> str:
    return one.names[-1].removeprefix("--").replace("-", "_")


QUEST = [one for one in run_options("--name", "--parent", "--wait") if one.names != ("--json",)]
"""Options that say what a command is to be, and mean nothing for a blueprint."""


COMMAND = Command(
    name="ritual create",
    summary="create a ritual: a quest, or a plan, that comes again by a schedule",
    arguments=[
        argument("ritual", "what it is called", metavar="name"),
        argument("schedule", "five cron fields, @hourly … @yearly, or @every 10m, as one word"),
    ],
    rest="CMD...",
    options=[
        option("--tz", "ZONE", "the time zone of the schedule, such as Europe/Berlin (default: the system's)"),
        option(
            "--overlap", "WHAT", "skip (default) or queue a time that comes while the run before goes on",
            choices=("skip", "queue"),
        ),
        option(
            "--catch-up", "WHAT", "for times at which no daemon was there: one run (default) or none",
            choices=("none", "one"),
        ),
        option("--keep", "N", "ended runs to keep, with their missions and logs (default 10)", parse=count),
        option("--apply", "FILE", "a blueprint instead of a command, as it is now"),
        VAR,
        *QUEST,
        JSON,
    ],
    examples=[
        "overmind ritual create nightly '0 3 * * *' 'make backup'",
        "overmind ritual create report '30 8 * * MON-FRI' --tz Europe/Berlin --retries 2 ./report --mail",
        "overmind ritual create health '@every 10m' --overlap queue --check 'test -s health.txt' ./health",
        "overmind ritual create triage @hourly --provider claude 'look through the new issues'",
        "overmind ritual create release @weekly --apply release.toml --var base=main",
    ],
    notes=(
        "The fields are minute, hour, day of month, month and day of week: numbers, names, ranges, lists, steps; 7 is\n"
        "Sunday, too. A time that the clock skips in spring comes right after the gap, one that it shows twice in\n"
        "autumn comes once. @every counts from the creation. Each run is a quest, called NAME/1, NAME/2 and so on."
    ),
    run=ritual_create,
)  # fmt: skip
