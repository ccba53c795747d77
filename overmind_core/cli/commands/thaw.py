"""`overmind thaw`: let paused missions go on."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.each import each
from overmind_core.cli.table import JSON, Command, ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def thaw(args: Namespace, context: Context) -> int:
    """Do it to each."""
    requests = [{"id": mission} for mission in args.ids]
    client = context.client()
    return each(
        context, client, "thaw", requests, line=lambda answer: f"Thawed mission {answer['id']}", as_json=args.json
    )


COMMAND = Command(
    name="thaw",
    summary="let paused missions go on: SIGCONT to everything they started",
    arguments=[ids()],
    options=[JSON],
    examples=["overmind thaw api"],
    run=thaw,
)
