"""`overmind ritual run`: run a ritual now."""

from __future__ import annotations

import os

from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.rituals import one_ritual
from overmind_core.cli.table import JSON, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

_REQUEST_KEY = 16
"""Random bytes that make the request's repetition recognisable."""


def ritual_run(args: Namespace, context: Context) -> int:
    """Begin a run beside the schedule, which goes on as before."""
    run = context.client(start=True).call("ritual_run", {"id": args.id, "request": os.urandom(_REQUEST_KEY).hex()})
    context.say(dumps(run) if args.json else _line(run))
    return 0


def _line(run: Mapping[str, Any]) -> str:
    if run["status"] == "queued":
        return f"Queued: run {run['number']} of {run['ritual']['name']} begins when the one before has ended"
    if "/" in run["name"]:
        return f"Quest started: {run['id']} ({run['name']})"
    return f"Started pipeline {run['id']} ({run['name']})"


COMMAND = Command(
    name="ritual run",
    summary="run a ritual now, whatever its schedule, paused or not",
    arguments=[one_ritual()],
    options=[JSON],
    examples=["overmind ritual run nightly", "overmind ritual run nightly --json"],
    run=ritual_run,
)
