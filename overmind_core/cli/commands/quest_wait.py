"""`overmind quest wait`: wait until quests have ended."""

from __future__ import annotations

from overmind_core.cli.commands.wait import Ends, until_ended
from overmind_core.cli.context import Context
from overmind_core.cli.quests import quests
from overmind_core.cli.table import JSON, Command, flag, option
from overmind_core.cli.values import milliseconds
from overmind_core.domain.cells import display_safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any


def quest_wait(args: Namespace, context: Context) -> int:
    """Print a line as each ends; return the first exit status that isn't 0, in the order of the arguments."""
    return until_ended(args, context, Ends(args.ids, any_one=args.any, command="quest_wait"), line)


def line(end: Mapping[str, Any]) -> str:
    """Return what a person reads of an end."""
    why = f"{end['reason']}, " if end["reason"] else ""
    return display_safe(f"Quest {end['id']} finished: {end['status']} ({why}exit code {end['exit_code']})")


COMMAND = Command(
    name="quest wait",
    summary="wait until quests have ended, through their checks and further tries",
    arguments=[quests()],
    options=[
        flag("--any", "until the first of them has ended"),
        option("--timeout", "TIME", "give up after so long, in ms, with exit status 124", parse=milliseconds),
        JSON,
    ],
    examples=[
        "overmind quest wait docs",
        "overmind quest wait --any red blue",
        "overmind quest wait docs --timeout 10m",
    ],
    notes="Exits with 0 for a completed quest, else with the code of its work or check; the first that isn't 0 counts.",
    run=quest_wait,
)
