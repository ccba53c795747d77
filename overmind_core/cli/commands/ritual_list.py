"""`overmind ritual list`: the rituals, a line each."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.rituals import COLUMNS, show
from overmind_core.cli.table import JSON, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

NONE = "No rituals. Create one with: overmind ritual create nightly '0 3 * * *' 'make backup'"


def ritual_list(args: Namespace, context: Context) -> int:
    """Print them, by name."""
    return show(args, context, context.client().call("rituals"), COLUMNS, NONE)


COMMAND = Command(
    name="ritual list",
    summary="list the rituals, with their next and last runs",
    options=[JSON],
    examples=["overmind ritual list", "overmind ritual list --json | jq '.[].next_at'"],
    notes="Times are those of the ritual's own time zone.",
    run=ritual_list,
)
