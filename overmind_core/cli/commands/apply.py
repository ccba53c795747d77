"""`overmind apply`: start the plan in a file, or bring the live one to what the file says now."""

from __future__ import annotations

import time

from overmind_core.cli.blueprint.options import FILE, VAR
from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, Command, flag, option
from overmind_core.errors import INTERRUPTED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

DONE = {"started": "Started", "changed": "Changed"}
"""Status of the answer → what was done; others have done nothing."""


def apply(args: Namespace, context: Context) -> int:
    """Hand the plan over, say what was done, and with --wait follow it to its end."""
    from overmind_core.cli.blueprint.applying import request_of  # start-up: --help needs none
    from overmind_core.cli.blueprint.load import load
    from overmind_core.cli.isolation.trusting import call

    blueprint = load(args.file, args.var, context)
    request = request_of(blueprint, args.file, context.environ, dry_run=args.dry_run, rerun=args.rerun)
    began = time.time()
    answer = call(context, context.client(start=True), "apply", request)
    _tell(args, context, answer)
    if not args.wait or args.dry_run:
        return 0
    return _follow(context, answer, since=began if answer["status"] == "started" else None)


def _tell(args: Namespace, context: Context, answer: Mapping[str, Any]) -> None:
    if args.json:
        context.say(dumps(answer))
        return
    tell = context.note if args.wait and not args.dry_run else context.say
    for line in _lines(answer, fresh=args.rerun is None):
        tell(line)


def _lines(answer: Mapping[str, Any], *, fresh: bool) -> list[str]:
    """What a person reads of the answer.

    Args:
        answer: Of the daemon.
        fresh: A plan that is started is a new one, of which all is new.
    """
    from overmind_core.cli.blueprint.applying import change_lines

    status, pipeline = answer["status"], f"pipeline {answer['id']} ({answer['name']})"
    if status == "unchanged":
        return [f"unchanged: {pipeline}"]
    shown = [] if status == "started" and fresh else change_lines(answer["changes"])
    return [*shown, f"{DONE[status]} {pipeline}"] if status in DONE else shown


def _follow(context: Context, answer: Mapping[str, Any], *, since: float | None) -> int:
    from overmind_core.cli.attend import attend  # start-up: only with --wait

    try:
        return attend(context, answer["id"], since=since)
    except KeyboardInterrupt:
        context.note(f"\nPipeline {answer['id']} runs on. Return with: overmind logs -f {answer['name']}")
        return INTERRUPTED


RERUN = option("--rerun", "WHICH", "failed: run what failed once more, and what depends on it",
               choices=("failed",))  # fmt: skip

COMMAND = Command(
    name="apply",
    summary="start the plan in a file, or change the live one to what the file says",
    arguments=[FILE],
    options=[
        VAR,
        flag("--dry-run", "only say what would be done"),
        RERUN,
        flag("--wait", "follow its narrative and exit with its code; ctrl-c leaves it alive"),
        JSON,
    ],
    examples=[
        "overmind apply release.toml",
        "overmind apply release.toml --var base=main --wait",
        "overmind apply release.toml --dry-run",
        "overmind apply release.toml --rerun failed",
        "generate-plan | overmind apply -",
    ],
    notes=(
        "The whole file is checked first; each mistake is told as file:line:column: message, and nothing is started.\n"
        "A live plan of the same name is changed: + a new agent, ~ a changed one, - one that is gone. What has begun\n"
        "and was changed runs again, with all that depends on it. - as the file reads standard input."
    ),
    run=apply,
)
