"""`overmind quest list`: the quests, a line each, also those whose missions are removed."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.output import coloured, dumps
from overmind_core.cli.quests import COLOURS, shown
from overmind_core.cli.table import JSON, Command, option
from overmind_core.cli.values import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def quest_list(args: Namespace, context: Context) -> int:
    """Print them, oldest first."""
    limit = {} if args.limit is None else {"limit": args.limit}
    rows = context.client().call("quests", {"status": args.status, **limit})
    if not rows and not args.json:
        context.hint("No quests. Begin one with: overmind quest run 'make test'")
    colours = COLOURS if coloured(context.environ) else None
    context.say(dumps(rows) if args.json else shown(rows, colours=colours))
    return 0


COMMAND = Command(
    name="quest list",
    summary="list the quests, oldest first",
    options=[
        option("--status", "STATUS", "only running, completed, failed or cancelled ones (repeatable)", repeat=True),
        option("--limit", "N", "only the newest N", parse=count),
        JSON,
    ],
    examples=["overmind quest list", "overmind quest list --status failed --json", "overmind quest list --limit 20"],
    notes="TRIES is the try that goes on, of as many as there may be. The last 1,000 that ended are remembered.",
    run=quest_list,
)
