"""`overmind quest info`: everything known of a quest."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.quests import quests
from overmind_core.cli.table import JSON, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def quest_info(args: Namespace, context: Context) -> int:
    """Print one JSON object."""
    context.say(dumps(context.client().call("quest", {"id": args.id}), indent=None if args.json else 2))
    return 0


COMMAND = Command(
    name="quest info",
    summary="print everything known of a quest, as JSON",
    arguments=[quests(None)],
    options=[JSON],
    examples=["overmind quest info docs", "overmind quest info docs --json | jq .status"],
    notes="`mission` is null once the quest's mission was removed; while it is there it has the quest's id and name.",
    run=quest_info,
)
