"""`overmind prune`: forget all missions that ended long enough ago."""

from __future__ import annotations

from overmind_core.cli.ask import agreed
from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps, size
from overmind_core.cli.table import JSON, YES, Command, flag, option
from overmind_core.cli.values import duration
from overmind_core.errors import FAILED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def prune(args: Namespace, context: Context) -> int:
    """Show how much it would be, ask, and remove."""
    client = context.client()
    older = {} if args.older is None else {"older": args.older}
    found = client.call("prune", {**older, "dry_run": True})
    if found["missions"] and not args.dry_run:
        question = f"Remove {len(found['missions'])} finished missions with their logs ({size(found['bytes'])})?"
        if not agreed(question, yes=args.yes):
            return FAILED
        found = client.call("prune", older)
    verb = "Would remove" if args.dry_run else "Removed"
    context.say(dumps(found) if args.json else f"{verb} {len(found['missions'])} missions ({size(found['bytes'])})")
    return 0


COMMAND = Command(
    name="prune",
    summary="remove all finished missions, with their logs",
    options=[
        option("--older", "TIME", "only those that ended so long ago, such as 7d", parse=duration),
        flag("--dry-run", "only say what would be removed"),
        YES,
        JSON,
    ],
    examples=["overmind prune --older 7d", "overmind prune -y"],
    run=prune,
)
