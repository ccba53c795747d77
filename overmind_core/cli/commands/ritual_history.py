"""`overmind ritual history`: the runs of a ritual, and the times of which none came."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.rituals import HISTORY, one_ritual, show
from overmind_core.cli.table import JSON, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def ritual_history(args: Namespace, context: Context) -> int:
    """Print them, oldest first."""
    rows = context.client().call("ritual_history", {"id": args.id})
    return show(args, context, rows, HISTORY, f"{args.id} has not run so far.")


COMMAND = Command(
    name="ritual history",
    summary="list the runs of a ritual that are kept, oldest first",
    arguments=[one_ritual()],
    options=[JSON],
    examples=["overmind ritual history nightly", "overmind ritual history nightly --json | jq '.[-1].status'"],
    notes=(
        "BY tells why it ran: schedule, catch-up (late, for times at which no daemon was there) or manual. A skipped\n"
        "time came while the run before went on, a missed one while no daemon was there. ID: overmind quest logs ID"
    ),
    run=ritual_history,
)
