"""`overmind quest cancel`: end quests, with their work and their checks."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.each import each
from overmind_core.cli.quests import quests
from overmind_core.cli.table import JSON, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def quest_cancel(args: Namespace, context: Context) -> int:
    """Cancel each; returns when nothing of them lives."""
    return each(
        context,
        context.client(),
        "quest_cancel",
        [{"id": quest} for quest in args.ids],
        line=lambda answer: f"Cancelled quest {answer['id']} ({answer['name']})",
        as_json=args.json,
    )


COMMAND = Command(
    name="quest cancel",
    summary="cancel quests: stop their work and their checks, and try nothing again",
    arguments=[quests()],
    options=[JSON],
    examples=["overmind quest cancel docs", "overmind quest cancel red blue"],
    run=quest_cancel,
)
