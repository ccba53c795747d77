"""`overmind ritual resume`: have rituals come again."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.each import each
from overmind_core.cli.rituals import several, upcoming
from overmind_core.cli.table import JSON, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def ritual_resume(args: Namespace, context: Context) -> int:
    """Resume each."""
    return each(
        context,
        context.client(),
        "ritual_resume",
        [{"id": ritual} for ritual in args.ids],
        line=lambda answer: f"Resumed ritual {answer['name']}. {upcoming(answer)}",
        as_json=args.json,
    )


COMMAND = Command(
    name="ritual resume",
    summary="resume rituals; what was due while they were paused is over",
    arguments=[several()],
    options=[JSON],
    examples=["overmind ritual resume nightly"],
    run=ritual_resume,
)
