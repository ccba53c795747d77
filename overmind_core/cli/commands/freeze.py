"""`overmind freeze`: pause missions."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.each import each
from overmind_core.cli.table import JSON, Command, ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def freeze(args: Namespace, context: Context) -> int:
    """Do it to each."""
    requests = [{"id": mission} for mission in args.ids]
    client = context.client()
    return each(
        context, client, "freeze", requests, line=lambda answer: f"Froze mission {answer['id']}", as_json=args.json
    )


COMMAND = Command(
    name="freeze",
    summary="pause missions: SIGSTOP to everything they started",
    arguments=[ids()],
    options=[JSON],
    examples=["overmind freeze api"],
    run=freeze,
)
