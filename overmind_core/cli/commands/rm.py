"""`overmind rm`: forget finished missions."""

from __future__ import annotations

from overmind_core.cli.ask import agreed
from overmind_core.cli.context import Context
from overmind_core.cli.each import each
from overmind_core.cli.table import JSON, YES, Command, ids
from overmind_core.errors import FAILED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def remove(args: Namespace, context: Context) -> int:
    """Remove record and log of each."""
    several = len(args.ids) > 1
    if several and not agreed(f"Remove {len(args.ids)} missions with their logs?", yes=args.yes):
        return FAILED
    requests = [{"id": mission} for mission in args.ids]
    client = context.client()
    return each(
        context, client, "rm", requests, line=lambda answer: f"Removed mission {answer['id']}", as_json=args.json
    )


COMMAND = Command(
    name="rm",
    summary="remove finished missions, with their logs",
    arguments=[ids()],
    options=[YES, JSON],
    examples=["overmind rm build-7", "overmind rm -y $(overmind ps -q --all --status killed)"],
    run=remove,
)
