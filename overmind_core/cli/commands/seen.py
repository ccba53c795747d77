"""`overmind seen`: somebody has looked."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.each import each
from overmind_core.cli.table import JSON, Command, ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def seen(args: Namespace, context: Context) -> int:
    """Mark each of them as looked at."""
    requests = [{"id": mission} for mission in args.ids]
    return each(
        context,
        context.client(),
        "seen",
        requests,
        line=lambda answer: f"Seen mission {answer['id']}",
        as_json=args.json,
    )


COMMAND = Command(
    name="seen",
    summary="mark missions as looked at: what happened to them so far is no news any more",
    arguments=[ids()],
    options=[JSON],
    examples=["overmind seen planner", "overmind seen $(overmind ps -q --status stopped)"],
    run=seen,
)
