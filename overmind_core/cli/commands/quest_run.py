"""`overmind quest run`: begin a piece of work with a definition of done."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.limits import warn
from overmind_core.cli.quests import request_of, run_options
from overmind_core.cli.table import Command
from overmind_core.errors import INTERRUPTED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any


def quest_run(args: Namespace, context: Context) -> int:
    """Begin it, and with --wait follow it to its end."""
    from overmind_core.cli.isolation.beginning import begin  # start-up: --help needs none

    request = request_of(args, context.environ)
    warn(args.timeout, context)
    quest = begin(args, context, "quest_run", request, told="Quest started: {id} ({name})")
    if quest is None:
        return INTERRUPTED
    return _follow(context, quest) if args.wait else 0


def _follow(context: Context, quest: Mapping[str, Any]) -> int:
    """Print what the work writes, then wait until the quest, with its check, has ended."""
    from overmind_core.cli.attend import attend  # start-up: only with --wait
    from overmind_core.cli.commands.quest_wait import line
    from overmind_core.cli.commands.wait import Ends
    from overmind_core.client.stream import follow

    ends = Ends([quest["id"]], any_one=False, command="quest_wait")
    try:
        attend(context, quest["id"])
        for kind, item in follow(context.client(), ends.request):
            if kind == "item" and ends.add(item):
                context.note(line(item))
    except KeyboardInterrupt:
        context.note(f"\nQuest {quest['id']} runs on. Return with: overmind quest logs -f {quest['name']}")
        return INTERRUPTED
    return ends.status


COMMAND = Command(
    name="quest run",
    summary="begin a quest: work that is done when it, and its --check, exit 0",
    rest="CMD...",
    options=run_options(),
    examples=[
        "overmind quest run make release",
        "overmind quest run --name docs --check 'test -s site/index.html' --retries 2 make docs",
        "overmind quest run --provider claude --check 'pytest -q' --retries 3 'make the tests pass'",
        "overmind quest run --wait --timeout 10m -- pytest -x",
    ],
    notes=(
        "Options come before the command; -- ends them. One word is a shell string; several words are run without a\n"
        "shell. --timeout limits each try; one that ran out of time, or was stopped, is not tried again. --backoff is\n"
        "the pause before the next try, and doubles. The check is a mission of its own, below the quest's."
    ),
    run=quest_run,
)
