"""`overmind ritual pause`: have rituals rest."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.each import each
from overmind_core.cli.rituals import several
from overmind_core.cli.table import JSON, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def ritual_pause(args: Namespace, context: Context) -> int:
    """Pause each."""
    return each(
        context,
        context.client(),
        "ritual_pause",
        [{"id": ritual} for ritual in args.ids],
        line=lambda answer: f"Paused ritual {answer['name']}",
        as_json=args.json,
    )


COMMAND = Command(
    name="ritual pause",
    summary="pause rituals: nothing of them comes by itself",
    arguments=[several()],
    options=[JSON],
    examples=["overmind ritual pause nightly"],
    run=ritual_pause,
)
