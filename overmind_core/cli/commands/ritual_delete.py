"""`overmind ritual delete`: forget rituals."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.each import each
from overmind_core.cli.rituals import several
from overmind_core.cli.table import JSON, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def ritual_delete(args: Namespace, context: Context) -> int:
    """Delete each."""
    return each(
        context,
        context.client(),
        "ritual_delete",
        [{"id": ritual} for ritual in args.ids],
        line=lambda answer: f"Deleted ritual {answer['name'] or answer['id']}",
        as_json=args.json,
    )


COMMAND = Command(
    name="ritual delete",
    summary="delete rituals and their history; quests of theirs that run go on",
    arguments=[several()],
    options=[JSON],
    examples=["overmind ritual delete nightly"],
    run=ritual_delete,
)
