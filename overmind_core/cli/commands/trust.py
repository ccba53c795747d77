"""`overmind trust`: allow a project's file to run its commands, after seeing them."""

from __future__ import annotations

from overmind_core.cli.ask import agreed
from overmind_core.cli.context import Context
from overmind_core.cli.isolation.project import FOLDER, mistaken, request_of, tell_problems
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, YES, Command, flag
from overmind_core.domain.cells import display_safe
from overmind_core.errors import FAILED, OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def trust(args: Namespace, context: Context) -> int:
    """Show what the file runs, ask, and record it as it is now."""
    from overmind_core.cli.isolation.trusting import QUESTION, lines  # start-up: --help needs none

    request = request_of(args, context)
    client = context.client(start=True)
    if args.revoke:
        answer = client.call("trust", {**request, "revoke": True})
        context.say(dumps(answer) if args.json else f"No longer trusted: {display_safe(answer['path'])}")
        return 0
    seen = client.call("isolate", request)
    if seen["problems"] and not seen["sha256"]:
        tell_problems(context, seen["problems"])
        raise mistaken(seen)
    if seen["path"] is None:
        folder = seen["source"] or request["cwd"]
        raise OvermindError("not_found", f"{folder} has no .overmind.yml. Write one: overmind init --isolation")
    if not seen["trusted"]:
        tell = context.note if args.json else context.say
        for line in lines(seen["path"], seen["commands"], changed=seen["changed"]):
            tell(line)
        if not agreed(QUESTION, yes=args.yes):
            return FAILED
    answer = client.call("trust", {**request, "sha256": seen["sha256"]})
    done = "Already trusted" if seen["trusted"] else "Trusted"
    context.say(dumps(answer) if args.json else f"{done}: {display_safe(answer['path'])}")
    return 0


COMMAND = Command(
    name="trust",
    summary="trust a project's .overmind.yml as it is now, after seeing what it runs",
    arguments=[FOLDER],
    options=[flag("--revoke", "trust it no longer"), YES, JSON],
    examples=["overmind trust", "overmind trust ~/src/shop --yes", "overmind trust --revoke"],
    notes=(
        "Path and SHA-256 of the file are recorded: a change asks again. It is read from your checkout, never from\n"
        "an agent's worktree. Without a terminal nothing is asked: what it runs is printed, and it is trusted."
    ),
    run=trust,
)
