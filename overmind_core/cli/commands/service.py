"""`overmind service`: the daemon as a service of the machine, started at login."""

from __future__ import annotations

import sys

from overmind_core.cli.context import Context
from overmind_core.cli.table import Command, argument, flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from overmind_core.cli.service.plan import Plan


def service(args: Namespace, context: Context) -> int:
    """Install or remove it, or say what that would do."""
    from overmind_core.cli.external import ask
    from overmind_core.cli.service.apply import install, rehearse, remove

    plan = plan_for(context)
    if args.dry_run:
        context.say("\n".join(rehearse(plan, removal=args.action == "remove")))
    elif args.action == "install":
        install(plan, context.home, ask, context.say)
        if plan.advice:
            context.say(plan.advice)
    else:
        remove(plan, ask, context.say)
    return 0


def plan_for(context: Context, platform: str = sys.platform) -> Plan:
    """Return how this platform has services."""
    if platform == "darwin":
        from overmind_core.cli.service.launchd import plan
    else:
        from overmind_core.cli.service.systemd import plan
    return plan(context.home, context.environ)


COMMAND = Command(
    name="service",
    summary="install or remove the daemon as a service: a systemd user unit, or a launchd agent",
    arguments=[argument("action", "install or remove", metavar="action", choices=("install", "remove"))],
    options=[flag("--dry-run", "only print the file and the commands")],
    examples=["overmind service install --dry-run", "overmind service install", "overmind service remove"],
    notes=(
        "The service belongs to the home of the caller. Stopping it ends the daemon alone: the missions live on,\n"
        "and the next daemon adopts them. What ends them is: overmind shutdown"
    ),
    run=service,
)
